//! What the client sends to be upgraded, and what it takes for an answer.

use std::time::Duration;

use crate::peer::{Peer, address, answered, connected};
use doorward_client::{Client, ConnectError, Message, Options};
use doorward_types::Secret;
use doorward_wire::websocket::frame;

const SWITCHING: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";

fn wrong(refused: Result<Client<tokio::io::DuplexStream>, ConnectError>) -> String {
    refused.err().map(|error| error.to_string()).unwrap_or_default()
}

#[tokio::test]
async fn the_request_carries_what_the_options_say() {
    let (near, far) = tokio::io::duplex(4096);
    let options = Options {
        bearer: Some(Secret::from_text("eyJ.a.b")),
        ticket: Some(Secret::from_text("dwt_x")),
        origin: Some("https://app.example".into()),
        headers: vec![("Cookie".into(), Secret::from_text("a=b"))],
        subprotocols: vec!["doorward.v1".into(), "chat".into()],
        ..Options::default()
    };
    let address = address();
    let (client, peer) =
        tokio::join!(Client::over(near, &address, options), Peer::accept(far, "Sec-WebSocket-Protocol: chat\r\n"));
    assert_eq!(client.unwrap().subprotocol(), Some("chat"));
    assert!(peer.request.starts_with("GET /fancy?lang=de HTTP/1.1\r\nHost: gate.example\r\n"), "{}", peer.request);
    for (name, value) in [
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Protocol", "doorward.v1, chat"),
        ("Origin", "https://app.example"),
        ("Authorization", "Bearer eyJ.a.b"),
        ("Doorward-Ticket", "dwt_x"),
        ("Cookie", "a=b"),
    ] {
        assert_eq!(peer.header(name), Some(value), "{name}");
    }
}

#[tokio::test]
async fn two_requests_have_different_keys() {
    let (_, one) = connected().await;
    let (_, two) = connected().await;
    assert_ne!(one.header("Sec-WebSocket-Key"), two.header("Sec-WebSocket-Key"));
}

#[tokio::test]
async fn a_header_that_would_break_the_request_is_not_sent() {
    let (near, mut far) = tokio::io::duplex(4096);
    for (name, value) in [("X", "a\r\nY: b"), ("X: a\r\nY", "b"), ("X", "a\0"), ("", "a")] {
        let (mut near, _far) = tokio::io::duplex(4096);
        let options = Options { headers: vec![(name.into(), Secret::from_text(value))], ..Options::default() };
        let error = Client::over(&mut near, &address(), options).await.err();
        assert!(matches!(error, Some(ConnectError::Header { .. })), "{name:?} {value:?}");
    }
    let options = Options { bearer: Some(Secret::from_text("a\nb")), ..Options::default() };
    assert!(Client::over(near, &address(), options).await.is_err());
    let mut sent = Vec::new();
    tokio::io::AsyncReadExt::read_to_end(&mut far, &mut sent).await.unwrap();
    assert!(sent.is_empty(), "something was sent all the same");
}

#[tokio::test]
async fn an_accept_key_for_another_request_is_refused() {
    let another = format!("{SWITCHING}Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
    for answer in [another, format!("{SWITCHING}\r\n")] {
        let said = wrong(answered(&answer, Options::default()).await);
        assert!(said.contains("`Sec-WebSocket-Accept` does not fit"), "{said}");
    }
}

#[tokio::test]
async fn a_101_that_upgrades_to_something_else_is_refused() {
    for head in [
        "HTTP/1.1 101 X\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n",
        "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: close\r\n",
    ] {
        let said =
            wrong(answered(&format!("{head}Sec-WebSocket-Accept: {{accept}}\r\n\r\n"), Options::default()).await);
        assert!(said.contains("101 without"), "{said}");
    }
}

#[tokio::test]
async fn what_was_not_offered_is_refused() {
    for (header, what) in [
        ("Sec-WebSocket-Protocol: chat", "`chat`, which was not offered"),
        ("Sec-WebSocket-Extensions: permessage-deflate", "an extension"),
    ] {
        let answer = format!("{SWITCHING}Sec-WebSocket-Accept: {{accept}}\r\n{header}\r\n\r\n");
        let said = wrong(answered(&answer, Options::default()).await);
        assert!(said.contains(what), "{said}");
    }
}

#[tokio::test]
async fn a_refusal_is_told_with_status_body_and_when_to_come_back() {
    let answer = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7\r\nContent-Length: 9\r\n\r\ntry later";
    let error = answered(answer, Options::default()).await.err();
    let said = error.as_ref().map(ToString::to_string);
    assert_eq!(said.as_deref(), Some("the server refused the upgrade with 503: try later"));
    let Some(ConnectError::Refused { status: 503, retry_after, .. }) = error else { panic!("it is no refusal") };
    assert_eq!(retry_after, Some(Duration::from_secs(7)));
}

#[tokio::test]
async fn a_refusal_tells_the_trace_id_that_the_operator_asks_for() {
    let answer = |trace: &str| format!("HTTP/1.1 401 Unauthorized\r\nDoorward-Trace: {trace}\r\n\r\n");
    let trace = "0af70af70af70af70af70af70af70af7";
    let error = answered(&answer(trace), Options::default()).await.err();
    let said = error.as_ref().map(ToString::to_string);
    assert_eq!(said, Some(format!("the server refused the upgrade with 401 (trace {trace})")));
    let Some(ConnectError::Refused { trace: Some(told), .. }) = error else { panic!("it has no trace id") };
    assert_eq!(told.to_string(), trace);
    // What is none is not repeated: it may come from somebody else than a gate.
    let error = answered(&answer("ask me"), Options::default()).await.err();
    assert_eq!(error.map(|error| error.to_string()).as_deref(), Some("the server refused the upgrade with 401"));
}

#[tokio::test]
async fn a_refusal_without_an_end_is_not_read_to_its_end() {
    let long = format!("HTTP/1.1 403 Forbidden\r\nContent-Length: 999999\r\n\r\n{}", "x".repeat(9000));
    let Err(ConnectError::Refused { body, .. }) = answered(&long, Options::default()).await else {
        panic!("it is no refusal")
    };
    assert_eq!(body.len(), 512);
}

#[tokio::test]
async fn a_head_without_an_end_is_cut() {
    let long = format!("HTTP/1.1 101 X\r\nX: {}", "x".repeat(40_000));
    let said = wrong(answered(&long, Options::default()).await);
    assert!(said.contains("longer than 16384 bytes"), "{said}");
    let many = format!("{SWITCHING}{}\r\n", "X: y\r\n".repeat(100));
    assert!(wrong(answered(&many, Options::default()).await).contains("too many headers"));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_is_left_after_the_timeout() {
    let (near, _far) = tokio::io::duplex(4096);
    let before = tokio::time::Instant::now();
    let options = Options { timeout: Duration::from_secs(3), ..Options::default() };
    let error = Client::over(near, &address(), options).await.err().map(|error| error.to_string());
    assert_eq!(error.as_deref(), Some("gate.example did not answer the upgrade within 3s"));
    assert_eq!(before.elapsed(), Duration::from_secs(3));
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_named() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = Client::connect(&format!("ws://{free}/"), Options::default()).await.err();
    let said = error.map(|error| error.to_string()).unwrap_or_default();
    assert!(said.starts_with(&format!("cannot reach {free}: ")), "{said}");
}

#[tokio::test]
async fn frames_right_behind_the_head_are_read() {
    let (near, far) = tokio::io::duplex(4096);
    let address = address();
    let serving = async {
        let mut peer = Peer::listen(far).await;
        let head = format!("{SWITCHING}Sec-WebSocket-Accept: {}\r\n\r\n", peer.accept_key());
        peer.write(&[head.as_bytes(), &frame::text(b"first"), &frame::text(b"second")].concat()).await;
        peer
    };
    let (client, _peer) = tokio::join!(Client::over(near, &address, Options::default()), serving);
    let mut client = client.unwrap();
    assert_eq!(client.next_message().await.unwrap(), Some(Message::Text("first".into())));
    assert_eq!(client.next_message().await.unwrap(), Some(Message::Text("second".into())));
}
