//! The upgrade of the upstream: what it hears, and what becomes of its answer.

use std::time::Duration;

use doorward_auth::settings::Span;
use doorward_types::CloseReason;
use futures_util::StreamExt as _;
use http::header;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::{Gate, Layers, Server, connect, read_request};
use crate::upstream::{DialError, UpstreamConfig};

/// What comes of an upstream that answers like this. `KEY` stands for the right `Sec-WebSocket-Accept`.
async fn answered_by(answer: &str, protocols: Option<&str>) -> Result<(), DialError> {
    let server = Server::new().await;
    let gate = Gate::before(server.config()).await;
    let offered: Vec<_> = protocols.map(|offered| (header::SEC_WEBSOCKET_PROTOCOL, offered)).into_iter().collect();
    let serve = async {
        let mut server = server.raw().await;
        let (headers, _) = read_request(&mut server).await;
        let accept = super::accept_key(headers[header::SEC_WEBSOCKET_KEY].as_bytes()).unwrap();
        let answer = answer.replace("KEY", std::str::from_utf8(&accept).unwrap());
        server.write_all(answer.as_bytes()).await.unwrap();
        server.shutdown().await.unwrap();
        // Whoever dials hangs up first, so that nothing is lost to a reset.
        let _ = server.read_to_end(&mut Vec::new()).await;
    };
    let dial = async { gate.admit().await.map(|admitted| admitted.serving.abort()) };
    tokio::select! {
        ((), admitted) = async { tokio::join!(serve, dial) } => admitted,
        _ = async { drop(connect(&gate, &offered).await); std::future::pending::<()>().await } => unreachable!(),
    }
}

const GOOD: &str =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: KEY\r\n";

#[tokio::test]
async fn an_answer_that_is_no_upgrade_is_told_precisely() {
    let cases = [
        ("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_owned(), "refused the upgrade with status 200"),
        ("HTTP/1.1 302 Found\r\nlocation: ws://127.0.0.1:1/\r\n\r\n".into(), "with status 302"),
        ("HTTP/1.1 503 x\r\n\r\n".into(), "with status 503"),
        ("SSH-2.0-OpenSSH_9.2\r\n".into(), "not HTTP/1.1"),
        (String::new(), "hung up before it answered"),
        ("HTTP/1.1 101 x\r\nUpgrade: websocket\r\n".into(), "hung up before it answered"),
        (format!("{GOOD}x: {}", "y".repeat(20_000)), "over 16384 bytes"),
        (format!("{GOOD}{}\r\n", "x: y\r\n".repeat(100)), "over 64 headers"),
        (format!("{}\r\n", GOOD.replace("HTTP/1.1", "HTTP/1.0")), "`HTTP/1.1` is missing or wrong"),
        (format!("{}\r\n", GOOD.replace("Upgrade: websocket", "Upgrade: h2c")), "`Upgrade` is missing or wrong"),
        (format!("{}\r\n", GOOD.replace("Connection: Upgrade", "Connection: close")), "`Connection` is missing"),
        (format!("{}\r\n", GOOD.replace("KEY", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")), "`Sec-WebSocket-Accept`"),
        (format!("{GOOD}Sec-WebSocket-Accept: KEY\r\n\r\n"), "`Sec-WebSocket-Accept`"),
        (format!("{GOOD}Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"), "`Sec-WebSocket-Extensions`"),
        (format!("{GOOD}Sec-WebSocket-Protocol: soap\r\n\r\n"), "`soap`, which was not offered"),
        (format!("{GOOD}Sec-WebSocket-Protocol: chat, chat\r\n\r\n"), "which was not offered"),
    ];
    for (answer, says) in cases {
        let error = answered_by(&answer, Some("chat")).await.unwrap_err();
        assert!(error.to_string().contains(says), "{answer:?}: {error}");
        assert_eq!(error.reason(), CloseReason::UpstreamDown, "{error}");
    }
    answered_by(&format!("{GOOD}Sec-WebSocket-Protocol: chat\r\n\r\n"), Some("chat")).await.unwrap();
}

#[tokio::test]
async fn an_upstream_where_nobody_listens_is_down() {
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let gate = Gate::before(UpstreamConfig::at(format!("ws://{address}").parse().unwrap())).await;
    let (_, admitted) = tokio::join!(
        async {
            tokio::net::TcpStream::connect(gate.address()).await.unwrap().write_all(b"GET / HTTP/1.1\r\n\r\n").await
        },
        gate.admit()
    );
    let error = admitted.map(|_| ()).unwrap_err();
    assert!(matches!(&error, DialError::Connect(error) if error.kind() == std::io::ErrorKind::ConnectionRefused));
    assert_eq!(error.reason(), CloseReason::UpstreamDown);
}

#[tokio::test]
async fn an_upstream_that_never_answers_is_given_up() {
    let server = Server::new().await;
    let within = Span::from_millis(20);
    let gate = Gate::before(UpstreamConfig { connect_timeout: within, ..server.config() }).await;
    let (_, admitted) = tokio::join!(
        async {
            tokio::net::TcpStream::connect(gate.address()).await.unwrap().write_all(b"GET / HTTP/1.1\r\n\r\n").await
        },
        gate.admit()
    );
    let error = admitted.map(|_| ()).unwrap_err();
    assert!(matches!(error, DialError::TimedOut(time) if time == Duration::from_millis(20)), "{error}");
}

#[tokio::test]
async fn a_name_is_looked_up() {
    let server = Server::new().await;
    let port = server.0.local_addr().unwrap().port();
    let gate = Gate::before(UpstreamConfig::at(format!("ws://localhost:{port}").parse().unwrap())).await;
    let (client, _server, admitted) = tokio::join!(connect(&gate, &[]), server.accept(None), gate.admit());
    assert!(client.is_ok() && admitted.is_ok());
}

#[tokio::test]
async fn the_choice_of_the_upstream_is_what_the_user_gets() {
    let server = Server::new().await;
    let gate = Gate::before(server.config()).await;
    let offered = [(header::SEC_WEBSOCKET_PROTOCOL, "chat.v1, ticket.doorward.dwt_secret, chat.v2, doorward.v1")];
    let (client, (request, _server), admitted) =
        tokio::join!(connect(&gate, &offered), server.accept(Some("chat.v2")), gate.admit());
    assert_eq!(request.headers()[header::SEC_WEBSOCKET_PROTOCOL], "chat.v1, chat.v2");
    drop((client.unwrap(), admitted.unwrap()));
}

#[tokio::test]
async fn c31_the_upstream_hears_who_it_is_once_and_from_the_gate_alone() {
    let server = Server::new().await;
    let gate = Gate::before(server.config()).await;
    let headers = [
        ("x-doorward-subject", "member:1"),
        ("x_doorward_subject", "member:1"),
        ("x-auth-user", "eve"),
        ("authorization", "Bearer secret"),
        ("doorward-ticket", "dwt_secret"),
        ("cookie", "__Host-doorward-session=dws_1; theme=dark; __Host-doorward-browser=dwb_1"),
        ("origin", "https://app.example"),
        ("x-forwarded-for", "203.0.113.9"),
    ];
    let headers = headers.map(|(name, value)| (name.parse().unwrap(), value));
    let (client, (request, _server), admitted) =
        tokio::join!(connect(&gate, &headers), server.accept(None), gate.admit());
    drop((client.unwrap(), admitted.unwrap()));
    let values =
        |name: &str| request.headers().get_all(name).iter().map(|value| value.to_str().unwrap()).collect::<Vec<_>>();
    assert_eq!(request.uri(), "/chat/room/5?a=1");
    assert_eq!(values("host"), [gate.address().to_string()]);
    assert_eq!(values("x-doorward-subject"), ["member:7"]);
    assert_eq!(values("x-doorward-uuid"), ["bob"]);
    assert_eq!(values("x-doorward-amr"), ["pop"]);
    assert_eq!(values("x-doorward-path-room"), ["5"]);
    assert_eq!(values("x-doorward-assertion").len(), 1);
    assert_eq!(values("cookie"), ["theme=dark"]);
    assert_eq!(values("origin"), ["https://app.example"]);
    assert_eq!(values("x-forwarded-for"), ["192.0.2.7"]);
    for name in ["authorization", "doorward-ticket", "x-auth-user", "x_doorward_subject", "sec-websocket-extensions"] {
        assert_eq!(values(name), [""; 0], "{name}");
    }
    let said = format!("{:?}", request.headers());
    assert!(!said.contains("secret"), "{said}");
}

#[tokio::test]
async fn an_upstream_that_is_not_to_know_is_told_nothing() {
    let server = Server::new().await;
    let gate = Gate::before(UpstreamConfig { identity: false, ..server.config() }).await;
    let (client, (request, _server), admitted) = tokio::join!(connect(&gate, &[]), server.accept(None), gate.admit());
    drop((client.unwrap(), admitted.unwrap()));
    assert!(request.headers().keys().all(|name| !name.as_str().starts_with("x-doorward")));
}

#[tokio::test]
async fn with_a_conversation_the_upstream_has_to_take_what_the_user_was_given() {
    let server = Server::new().await;
    let protocols = vec!["chat.v2".to_owned(), "chat.v1".to_owned()];
    let mut gate = Gate::before(UpstreamConfig { protocols, ..server.config() }).await;
    gate.layers = Layers::Conversation;
    let offered = [(header::SEC_WEBSOCKET_PROTOCOL, "chat.v1, chat.v2")];
    for (chooses, expected) in [(Some("chat.v2"), None), (None, Some((1011, "upstream_mismatch")))] {
        let (client, (request, server), admitted) =
            tokio::join!(connect(&gate, &offered), server.accept(chooses), gate.admit());
        assert_eq!(request.headers()[header::SEC_WEBSOCKET_PROTOCOL], "chat.v2", "the gate's order counts");
        let (mut client, admitted) = (client.unwrap(), admitted.unwrap());
        assert_eq!(request.headers()["x-doorward-socket"], admitted.socket.id().to_string());
        if expected.is_none() {
            drop(server);
        }
        let close = client.next().await.unwrap().unwrap();
        let close = close.as_close().map(|(code, name)| (code.into(), name.to_owned())).unwrap();
        let (code, name) = expected.unwrap_or((1013, "upstream_down"));
        assert_eq!(close, (code, name.to_owned()));
    }
}

#[tokio::test]
async fn with_a_conversation_an_upstream_that_is_down_is_told_in_a_close_frame() {
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut gate = Gate::before(UpstreamConfig::at(format!("ws://{address}").parse().unwrap())).await;
    gate.layers = Layers::Conversation;
    let (client, admitted) = tokio::join!(connect(&gate, &[]), gate.admit());
    let (mut client, admitted) = (client.unwrap(), admitted.unwrap());
    let close = client.next().await.unwrap().unwrap();
    assert_eq!(close.as_close(), Some((1013.try_into().unwrap(), "upstream_down")));
    assert!(client.next().await.is_none());
    admitted.serving.await.unwrap();
    assert_eq!(admitted.socket.ended(), Some(CloseReason::UpstreamDown));
}
