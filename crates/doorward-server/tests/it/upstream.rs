//! Behind a gate: a foreign WebSocket server, which writes down what it is told.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
};
use tokio_websockets::ServerBuilder;

use crate::{
    peer::{Heard, Peer},
    world::{Carrier, World},
};

/// A server that sends every message back; and the headers of each upgrade that it took.
pub(crate) async fn foreign() -> (String, UnboundedReceiver<http::HeaderMap>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let (told, heads) = unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let told = told.clone();
            tokio::spawn(async move {
                let Ok((request, mut socket)) = ServerBuilder::new().accept(stream).await else { return };
                told.send(request.headers().clone()).unwrap();
                while let Some(Ok(message)) = socket.next().await {
                    if (message.is_text() || message.is_binary()) && socket.send(message).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    (url, heads)
}

async fn guarded(carrier: Carrier) -> (World, UnboundedReceiver<http::HeaderMap>) {
    guarded_within(carrier, "").await
}

async fn guarded_within(carrier: Carrier, limits: &str) -> (World, UnboundedReceiver<http::HeaderMap>) {
    let (url, heads) = foreign().await;
    let gates = format!(
        r#"
        {limits}
        [[gate]]
        name = "app"
        path = "/app"
        backend = {{ upstream = {{ url = "{url}/inner" }} }}
        ladder = [{{ bearer = {{}} }}]
        [[gate]]
        name = "talk"
        path = "/talk"
        backend = {{ upstream = {{ url = "{url}/inner" }} }}
        ladder = [{{ jwt = {{}} }}]
        [[gate]]
        name = "nowhere"
        path = "/nowhere"
        backend = {{ upstream = {{ url = "ws://127.0.0.1:1/" }} }}
        ladder = [{{ bearer = {{}} }}]
        "#
    );
    (World::of(carrier, &gates).await, heads)
}

fn all<'h>(headers: &'h http::HeaderMap, name: &str) -> Vec<&'h str> {
    headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
}

const LIES: &str = "X-Doorward-Subject: member:666\r\nX-DOORWARD-Owner: lie-owner\r\nx_doorward_gate: lie-gate\r\n\
    X-Doorward-Assertion: lie-assertion\r\nX-Forwarded-User: lie-user\r\nX_Forwarded_User: lie-user\r\n\
    X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: lie-host.example\r\nForwarded: for=6.6.6.6\r\n\
    X-Real-IP: 6.6.6.6\r\nX-Harmless: passes\r\n";

/// Ours among the upstream's own.
const COOKIES: &str =
    "Cookie: theme=dark; __Host-doorward-session=dws_0123456789; lang=de; __Host-doorward-browser=dwb_0123456789\r\n";

#[tokio::test]
async fn c31_the_upstream_hears_who_it_is_from_the_gate_alone_and_no_credential() {
    for carrier in [Carrier::Memory, Carrier::Tcp] {
        let (world, mut heads) = guarded(carrier).await;
        let token = world.token("7", json!({}));
        let headers = format!("Authorization: Bearer {token}\r\nDoorward-Ticket: dwt_0123456789\r\n{COOKIES}{LIES}");
        let mut peer = world.knock("/app", &headers).await.unwrap();
        peer.say("through and back").await;
        assert_eq!(peer.hear().await, Heard::Text("through and back".into()));
        let told = heads.recv().await.unwrap();
        assert_eq!(all(&told, "x-doorward-subject"), ["member:7"]);
        assert_eq!(all(&told, "x-doorward-owner"), ["acme"]);
        assert_eq!(all(&told, "x-doorward-gate"), ["app"]);
        assert_eq!(all(&told, "x-doorward-assertion").len(), 1);
        assert_eq!(all(&told, "x-harmless"), ["passes"]);
        assert_eq!(all(&told, "cookie"), ["theme=dark; lang=de"]);
        let everything = format!("{told:?}");
        for gone in [
            &token,
            "dwt_0123456789",
            "dws_0123456789",
            "dwb_0123456789",
            "lie-",
            "member:666",
            "x_doorward",
            "x_forwarded",
        ] {
            assert!(!everything.contains(gone), "{gone}: {everything}");
        }
    }
}

#[tokio::test]
async fn c30_where_a_stranger_says_to_come_from_reaches_neither_upstream_nor_log() {
    let (world, mut heads) = guarded(Carrier::Tcp).await;
    let token = world.token("7", json!({}));
    let _peer = world.knock("/app", &format!("Authorization: Bearer {token}\r\n{LIES}")).await.unwrap();
    let told = heads.recv().await.unwrap();
    assert_eq!(all(&told, "x-forwarded-for"), ["127.0.0.1"]);
    assert!(!format!("{told:?}").contains("6.6.6.6"), "{told:?}");
    assert_eq!(world.rows().await[0].source.unwrap().to_string(), "127.0.0.1");
}

#[tokio::test]
async fn what_a_query_says_in_two_ways_is_in_no_header() {
    let (world, mut heads) = guarded(Carrier::Tcp).await;
    let bearer = format!("Authorization: Bearer {}\r\n", world.token("7", json!({})));
    let query = "lang=de&LANG=fr&b_c=1&b%2Dc=2&twice=1&tw%69ce=1&alone=x&alone%20=y";
    let _peer = world.knock(&format!("/app?{query}"), &bearer).await.unwrap();
    let told = heads.recv().await.unwrap();
    let of_query: Vec<_> = told.keys().map(ToString::to_string).filter(|name| name.contains("query")).collect();
    assert_eq!(of_query, ["x-doorward-query-alone"]);
    let payload = all(&told, "x-doorward-assertion")[0].split('.').nth(1).unwrap();
    let assertion: Value = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    let expected = json!({ "lang": "de", "LANG": "fr", "b_c": "1", "b-c": "2", "alone": "x", "alone ": "y" });
    assert_eq!(assertion["query"], expected, "a name that stands twice is nowhere");
}

#[tokio::test]
async fn nothing_reaches_the_upstream_before_the_admission() {
    let (world, mut heads) = guarded(Carrier::Tcp).await;
    let mut refused: Peer = world.peer("/talk").await;
    refused.event().await;
    refused.json(json!({ "action": "auth", "kind": "jwt", "token": "x.y.z" })).await;
    assert_eq!(refused.event().await["code"], 4401);
    assert_eq!(refused.closes().await, [4401]);
    let mut peer = world.peer("/talk").await;
    peer.climbs(&world.token("7", json!({}))).await;
    peer.say("first").await;
    assert_eq!(peer.hear().await, Heard::Text("first".into()));
    assert_eq!(all(&heads.recv().await.unwrap(), "x-doorward-subject"), ["member:7"]);
    assert!(heads.try_recv().is_err(), "it was asked once, for the admitted one");
    // An ending cuts the relay too.
    assert_eq!(world.end("gate=talk").await["ended"], 1);
    assert_eq!(peer.closes().await, [4410]);
    world.empties().await;
}

#[tokio::test]
async fn an_upstream_hears_of_nobody_for_whom_there_is_no_room() {
    let limits = "[limits]\nsockets_per_subject = 1\nsockets_per_node = 2\n";
    let (world, mut heads) = guarded_within(Carrier::Tcp, limits).await;
    let knock = async |pk: &str| {
        let token = world.token(pk, json!({}));
        world.knock("/app", &format!("Authorization: Bearer {token}\r\n")).await
    };
    let peer = knock("7").await.unwrap();
    assert_eq!(all(&heads.recv().await.unwrap(), "x-doorward-subject"), ["member:7"]);
    assert_eq!(knock("7").await.err().unwrap().status, 429);
    let other = knock("8").await.unwrap();
    assert_eq!(all(&heads.recv().await.unwrap(), "x-doorward-subject"), ["member:8"]);
    assert_eq!(knock("9").await.err().unwrap().status, 503);
    assert!(heads.try_recv().is_err(), "it was asked for those who were let in alone");
    let refused = ["4429 server: register the socket", "1013 server: room for a socket"];
    let verdicts = world.verdicts().await;
    assert!(refused.iter().all(|refused| verdicts.iter().any(|verdict| verdict == refused)), "{verdicts:?}");
    // Whoever was refused has taken nobody's place.
    drop((peer, other));
    world.empties().await;
    knock("7").await.unwrap();
}

#[tokio::test]
async fn an_upstream_that_is_down_is_told_before_the_101_and_lets_nobody_in() {
    let (world, _heads) = guarded(Carrier::Tcp).await;
    let token = world.token("7", json!({}));
    let refused = world.knock("/nowhere", &format!("Authorization: Bearer {token}\r\n")).await.err().unwrap();
    assert_eq!(refused.status, 503);
    assert_eq!(world.verdicts().await, ["1013 upstream: dial"]);
    world.empties().await;
}
