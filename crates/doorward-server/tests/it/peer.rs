//! A peer of raw bytes: it sends what a test says, and tells what it heard, frame by frame.

use std::{collections::VecDeque, time::Duration};

use doorward_wire::websocket::{
    Decoder, Event, Input, Limits,
    frame::{self, Opcode},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{Instant, timeout, timeout_at},
};

use crate::world::Carried;

/// Longer than anything that a test waits for.
const LONGEST: Duration = Duration::from_secs(60);

/// What a peer heard.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Heard {
    Text(String),
    Binary(Vec<u8>),
    Ping,
    Pong(Vec<u8>),
    Close(u16, String),
    /// The stream ended, or broke.
    End,
}

/// What was answered instead of a 101.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) status: u16,
    /// Status line, headers and body, as they came; the trace id and the date are left out.
    pub(crate) text: String,
    pub(crate) trace: Option<String>,
}

pub(crate) struct Peer {
    pub(crate) stream: Carried,
    decoder: Decoder,
    heard: VecDeque<Heard>,
    /// The head of the 101, without its date.
    pub(crate) head: String,
}

/// The head of a good upgrade request, with more headers.
pub(crate) fn head(path: &str, headers: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: gate.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
    )
}

/// Sends bytes as a request, and gives what comes back until the end of the head, or of the stream.
pub(crate) async fn ask(stream: &mut Carried, request: &[u8]) -> Vec<u8> {
    // A server that has heard enough closes before it has read all.
    let _gone = stream.write_all(request).await;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => answer.push(byte),
            Err(_) => break,
        }
    }
    answer
}

impl Refused {
    /// The rest of an answer whose head has come.
    pub(crate) async fn read(stream: &mut Carried, head: Vec<u8>) -> Self {
        let mut text = String::from_utf8(head).unwrap();
        let _reset = stream.read_to_string(&mut text).await;
        let trace = text.lines().find_map(|line| line.strip_prefix("doorward-trace: ")).map(str::to_owned);
        let lines =
            text.split("\r\n").filter(|line| !line.starts_with("doorward-trace: ") && !line.starts_with("date: "));
        let text = lines.collect::<Vec<_>>().join("\r\n");
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Self { status, text, trace }
    }
}

impl Peer {
    pub(crate) async fn upgrade(mut stream: Carried, path: &str, headers: &str) -> Result<Self, Refused> {
        let answer = ask(&mut stream, head(path, headers).as_bytes()).await;
        Self::answered(stream, answer).await
    }

    /// A peer on a stream on which the request was sent already.
    pub(crate) async fn upgraded(mut stream: Carried) -> Self {
        let answer = ask(&mut stream, b"").await;
        Self::answered(stream, answer).await.unwrap()
    }

    async fn answered(mut stream: Carried, answer: Vec<u8>) -> Result<Self, Refused> {
        if !answer.starts_with(b"HTTP/1.1 101 ") {
            return Err(Refused::read(&mut stream, answer).await);
        }
        let head = String::from_utf8(answer).unwrap();
        let head = head.split("\r\n").filter(|line| !line.starts_with("date: ")).collect::<Vec<_>>().join("\r\n");
        Ok(Self { stream, decoder: Decoder::client(Limits { message: 1 << 20 }), heard: VecDeque::new(), head })
    }

    /// Sends bytes as they are; a peer that is gone is no mistake here.
    pub(crate) async fn bytes(&mut self, bytes: &[u8]) {
        let _gone = self.stream.write_all(bytes).await;
    }

    pub(crate) async fn frame(&mut self, opcode: Opcode, payload: &[u8]) {
        self.bytes(&masked(opcode, payload)).await;
    }

    pub(crate) async fn say(&mut self, text: &str) {
        self.frame(Opcode::Text, text.as_bytes()).await;
    }

    pub(crate) async fn json(&mut self, message: Value) {
        self.say(&message.to_string()).await;
    }

    /// The next thing that was heard, pings answered silently aside.
    pub(crate) async fn hear(&mut self) -> Heard {
        loop {
            if let Some(heard) = self.heard.pop_front() {
                return heard;
            }
            let mut bytes = vec![0; 16 * 1024];
            let read = timeout(LONGEST, self.stream.read(&mut bytes)).await;
            let Ok(read) = read else { panic!("nothing was heard for {LONGEST:?}") };
            let count = read.unwrap_or(0);
            if count == 0 {
                return Heard::End;
            }
            let mut input = Input::new(&mut bytes[..count]);
            while let Some(event) = self.decoder.next(&mut input).unwrap() {
                self.heard.push_back(match event {
                    Event::Fragment => continue,
                    Event::Message(message) => match message.text() {
                        Some(text) => Heard::Text(text.to_owned()),
                        None => Heard::Binary(message.payload.to_vec()),
                    },
                    Event::Ping(_) => Heard::Ping,
                    Event::Pong(payload) => Heard::Pong(payload.to_vec()),
                    Event::Close(close) => Heard::Close(close.code.unwrap_or(1005), close.reason.to_owned()),
                });
            }
        }
    }

    /// The next message, as JSON.
    pub(crate) async fn event(&mut self) -> Value {
        match self.hear().await {
            Heard::Text(text) => serde_json::from_str(&text).unwrap(),
            heard => panic!("no message was heard but {heard:?}"),
        }
    }

    /// Hears texts until one begins like that.
    pub(crate) async fn hears_of(&mut self, beginning: &str) -> String {
        for _ in 0..100 {
            match self.hear().await {
                Heard::Text(text) if text.starts_with(beginning) => return text,
                Heard::Text(_) => {}
                other => panic!("{other:?} where {beginning} was expected"),
            }
        }
        panic!("nothing that begins with {beginning}")
    }

    /// Whether nothing is heard for a moment of paused time, in which everybody else has done what there was to do.
    pub(crate) async fn hears_nothing(&mut self) -> bool {
        let heard = timeout(Duration::from_millis(1), self.hear()).await;
        heard.map(|heard| self.heard.push_front(heard)).is_err()
    }

    /// Whether something other than a ping or a pong is heard up to that time; otherwise time has come that far.
    pub(crate) async fn closes_by(&mut self, until: Instant) -> bool {
        let heard = timeout_at(until, async {
            loop {
                match self.hear().await {
                    Heard::Ping | Heard::Pong(_) => {}
                    heard => return heard,
                }
            }
        });
        heard.await.map(|heard| self.heard.push_front(heard)).is_ok()
    }

    /// Everything until the end of the stream, the Close frame answered.
    pub(crate) async fn rest(&mut self) -> Vec<Heard> {
        let mut heard = Vec::new();
        loop {
            match self.hear().await {
                Heard::End => return heard,
                close @ Heard::Close(code, _) => {
                    self.frame(Opcode::Close, &code.to_be_bytes()).await;
                    heard.push(close);
                }
                other => heard.push(other),
            }
        }
    }

    /// The codes of the Close frames that come before the end of the stream.
    pub(crate) async fn closes(&mut self) -> Vec<u16> {
        let closes = |heard| if let Heard::Close(code, _) = heard { Some(code) } else { None };
        self.rest().await.into_iter().filter_map(closes).collect()
    }

    /// Shows a token to a gate that asks for one, and is let in.
    pub(crate) async fn climbs(&mut self, token: &str) -> Value {
        assert_eq!(self.event().await["event"], "ask");
        self.json(json!({ "action": "auth", "kind": "jwt", "token": token })).await;
        let admitted = self.event().await;
        assert_eq!(admitted["event"], "admitted", "{admitted}");
        admitted
    }
}

pub(crate) fn masked(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame::write(opcode, payload, Some([1, 2, 3, 4]), &mut bytes);
    bytes
}

/// Reads until the other side closes.
pub(crate) async fn until_closed(stream: &mut Carried) -> Vec<u8> {
    let mut read = Vec::new();
    let _reset = stream.read_to_end(&mut read).await;
    read
}

/// An answer to a layer, with one field.
pub(crate) fn auth(kind: &str, field: &str, value: &str) -> Value {
    json!({ "action": "auth", "kind": kind, field: value })
}
