//! A client of Socket.IO that polls, request by request.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};

use crate::world::{Carried, World};

/// What was answered to a request.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// The answer that comes up to the end of a stream.
    pub(crate) async fn read(mut stream: Carried) -> Self {
        let mut text = Vec::new();
        let _reset = timeout(Duration::from_secs(60), stream.read_to_end(&mut text)).await.unwrap();
        let text = String::from_utf8(text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Self { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    /// Status and body.
    pub(crate) fn says(&self) -> (u16, &str) {
        (self.status, &self.body)
    }
}

pub(crate) async fn ask(world: &World, method: &str, target: &str, headers: &str, body: &str) -> Answer {
    let length = body.len();
    let request = format!(
        "{method} {target} HTTP/1.1\r\nHost: gate.example\r\nContent-Length: {length}\r\nContent-Type: text/plain\r\n{headers}\r\n{body}"
    );
    let mut stream = world.dial().await;
    stream.write_all(request.as_bytes()).await.unwrap();
    Answer::read(stream).await
}

/// A client of the newer revision that polls.
pub(crate) struct Polls<'w> {
    pub(crate) world: &'w World,
    pub(crate) path: &'static str,
    pub(crate) sid: String,
    pub(crate) headers: String,
}

impl<'w> Polls<'w> {
    pub(crate) async fn begins(world: &'w World, path: &'static str, headers: &str) -> Self {
        let opened = ask(world, "GET", &format!("{path}?EIO=4&transport=polling&t=x"), headers, "").await;
        assert_eq!(opened.status, 200, "{opened:?}");
        assert!(opened.head.contains("x-content-type-options: nosniff"), "{opened:?}");
        let open: Value = serde_json::from_str(opened.body.strip_prefix('0').unwrap()).unwrap();
        assert_eq!(open["upgrades"], json!(["websocket"]));
        Self { world, path, sid: open["sid"].as_str().unwrap().to_owned(), headers: headers.to_owned() }
    }

    pub(crate) fn target(&self) -> String {
        format!("{}?EIO=4&transport=polling&sid={}", self.path, self.sid)
    }

    pub(crate) async fn posts(&self, body: &str) -> Answer {
        ask(self.world, "POST", &self.target(), &self.headers, body).await
    }

    pub(crate) async fn says(&self, body: &str) {
        let answer = self.posts(body).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "ok"), "{answer:?}");
    }

    pub(crate) async fn gets(&self) -> Answer {
        ask(self.world, "GET", &self.target(), &self.headers, "").await
    }

    /// The packets of the next answer, but for signs of life.
    pub(crate) async fn hears(&self) -> Vec<String> {
        let answer = self.gets().await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body.split('\x1e').filter(|packet| *packet != "2").map(str::to_owned).collect()
    }

    /// Hears packets until one begins like that.
    pub(crate) async fn hears_of(&self, beginning: &str) -> String {
        for _ in 0..10 {
            if let Some(packet) = self.hears().await.into_iter().find(|packet| packet.starts_with(beginning)) {
                return packet;
            }
        }
        panic!("nothing that begins with {beginning}")
    }

    pub(crate) async fn connects(&self, namespace: &str) {
        self.says(&format!("40{namespace},")).await;
        self.hears_of(&format!("40{namespace},{{\"sid\":")).await;
    }

    pub(crate) async fn is_let_in(&self) {
        self.connects("/default").await;
        self.shows(&self.world.token("bob", json!({}))).await;
        self.hears_of(r#"42/default,["authenticated",true]"#).await;
    }

    pub(crate) async fn shows(&self, token: &str) {
        self.says(&format!(r#"42/default,["authentication",{{"token":"{token}"}}]"#)).await;
    }
}
