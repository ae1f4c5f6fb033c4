//! What passes through a gate, between a foreign client and a foreign server.

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_websockets::{CloseCode, Config, Message};

use super::{Gate, Layers, Server, WebSocket, through, through_raw};
use doorward_types::CloseReason;
use doorward_wire::websocket::frame::{self, Opcode};

fn echo(mut server: WebSocket) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        while let Some(Ok(message)) = server.next().await {
            if message.is_text() || message.is_binary() {
                server.send(message).await.unwrap();
            }
        }
    })
}

fn code(message: &Message) -> (u16, &str) {
    let (code, reason) = message.as_close().unwrap();
    (code.into(), reason)
}

#[tokio::test]
async fn messages_of_every_sort_and_size_come_back_as_they_went() {
    let server = Server::new().await;
    let gate = Gate::before(server.config()).await;
    let (mut client, server, admitted) = through(&gate, &server).await;
    let server = echo(server);
    for length in [0, 1, 125, 126, 65_535, 65_536, 1 << 20] {
        let binary = Message::binary((0..length).map(|at| at as u8).collect::<Vec<u8>>());
        let text = Message::text("ü".repeat(length / 2));
        for message in [binary, text] {
            let payload = message.as_payload().to_vec();
            client.send(message).await.unwrap();
            let back = client.next().await.unwrap().unwrap();
            assert!(back.as_payload()[..] == payload[..], "{length} bytes");
        }
    }
    client.close().await.unwrap();
    while client.next().await.is_some() {}
    server.await.unwrap();
    admitted.serving.await.unwrap();
    assert!(!admitted.socket.is_open());
}

#[tokio::test]
async fn fragments_pass_as_they_are() {
    let server = Server::new().await;
    let gate = Gate::before(server.config()).await;
    let (client, mut server_ws, _admitted) = through_raw(&gate, &server).await;
    let mut client =
        tokio_websockets::ClientBuilder::new().config(Config::default().frame_size(1000)).take_over(client);
    client.send(Message::binary(vec![7; 10_500])).await.unwrap();
    let mut headers = Vec::new();
    for _ in 0..11 {
        let mut header = [0; 8];
        server_ws.read_exact(&mut header).await.unwrap();
        headers.push(header[0]);
        let length = u16::from_be_bytes([header[2], header[3]]);
        server_ws.read_exact(&mut vec![0; length.into()]).await.unwrap();
    }
    assert_eq!(headers[0], 0x02, "binary, not the last");
    assert!(headers[1..10].iter().all(|first| *first == 0x00));
    assert_eq!(headers[10], 0x80, "a continuation, the last");
}

#[tokio::test]
async fn a_ping_is_answered_by_the_other_end() {
    let server = Server::new().await;
    let gate = Gate::before(server.config()).await;
    let (mut client, server, _admitted) = through(&gate, &server).await;
    echo(server);
    client.send(Message::ping("who is there")).await.unwrap();
    let pong = client.next().await.unwrap().unwrap();
    assert!(pong.is_pong());
    assert_eq!(&pong.as_payload()[..], b"who is there");
}

#[tokio::test]
async fn what_the_server_says_right_behind_its_answer_is_the_first_that_the_user_hears() {
    let server = Server::new().await;
    let gate = Gate::before(server.config()).await;
    let client = super::connect(&gate, &[]);
    let server = async {
        let mut server = server.raw().await;
        let (headers, _) = super::read_request(&mut server).await;
        let accept = super::accept_key(headers["sec-websocket-key"].as_bytes()).unwrap();
        let head = format!(
            "HTTP/1.1 101 x\r\nupgrade: WebSocket\r\nconnection: keep-alive, Upgrade\r\nsec-websocket-accept: {}\r\n\r\n",
            std::str::from_utf8(&accept).unwrap()
        );
        server.write_all(&[head.as_bytes(), &frame::text(b"welcome")].concat()).await.unwrap();
        server
    };
    let (client, _server, admitted) = tokio::join!(client, server, gate.admit());
    let welcome = client.unwrap().next().await.unwrap().unwrap();
    assert_eq!(welcome.as_text(), Some("welcome"));
    drop(admitted);
}

#[tokio::test]
async fn the_close_of_a_user_passes_with_its_code() {
    let server = Server::new().await;
    let gate = Gate::before(server.config()).await;
    let (mut client, mut server, admitted) = through(&gate, &server).await;
    let close = Message::close(Some(CloseCode::try_from(4001).unwrap()), "done");
    client.send(close).await.unwrap();
    assert_eq!(code(&server.next().await.unwrap().unwrap()), (4001, "done"));
    while server.next().await.is_some() {}
    assert_eq!(code(&client.next().await.unwrap().unwrap()).0, 4001, "as the server echoes it");
    assert!(client.next().await.is_none());
    admitted.serving.await.unwrap();
    assert_eq!(admitted.socket.ended(), Some(CloseReason::Normal));
}

#[tokio::test]
async fn the_close_of_a_server_passes_with_its_code() {
    let server = Server::new().await;
    let gate = Gate::before(server.config()).await;
    let (mut client, mut server, admitted) = through(&gate, &server).await;
    let close = Message::close(Some(CloseCode::try_from(3007).unwrap()), "full");
    let (said, heard) = tokio::join!(server.send(close), client.next());
    said.unwrap();
    assert_eq!(code(&heard.unwrap().unwrap()), (3007, "full"));
    // Each drives its own end of the handshake.
    tokio::join!(async { while client.next().await.is_some() {} }, async { while server.next().await.is_some() {} });
    admitted.serving.await.unwrap();
    assert_eq!(admitted.socket.ended(), Some(CloseReason::Normal));
}

#[tokio::test]
async fn a_server_that_is_gone_without_a_word_is_told_to_the_user() {
    let server = Server::new().await;
    let gate = Gate::before(server.config()).await;
    let (mut client, server, admitted) = through(&gate, &server).await;
    drop(server);
    assert_eq!(code(&client.next().await.unwrap().unwrap()), (1013, "upstream_down"));
    assert_eq!(admitted.socket.ended(), Some(CloseReason::UpstreamDown));
}

#[tokio::test]
async fn a_server_that_is_gone_in_the_middle_of_a_frame_is_a_reset_for_the_user() {
    let server = Server::new().await;
    let gate = Gate::before(server.config()).await;
    let (mut client, mut server, _) = through_raw(&gate, &server).await;
    server.write_all(b"\x82\x7etorn").await.unwrap();
    let mut came = [0; 6];
    client.read_exact(&mut came).await.unwrap();
    drop(server);
    let error = client.read(&mut came).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_user_who_hangs_up_is_hung_up_and_one_who_is_reset_is_reset() {
    let server = Server::new().await;
    let gate = Gate::before(server.config()).await;
    let (client, mut server_side, admitted) = through_raw(&gate, &server).await;
    drop(client);
    assert_eq!(server_side.read(&mut [0; 8]).await.unwrap(), 0);
    drop(server_side);
    admitted.serving.await.unwrap();

    let (client, mut server_side, admitted) = through_raw(&gate, &server).await;
    client.set_zero_linger().unwrap();
    drop(client);
    let error = server_side.read(&mut [0; 8]).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    admitted.serving.await.unwrap();
    assert!(!admitted.socket.is_open());
}

#[tokio::test]
async fn a_user_who_sends_more_frames_than_the_gate_allows_is_too_fast() {
    let server = Server::new().await;
    let mut gate = Gate::before(server.config()).await;
    gate.policy.limits.messages_per_second = 20;
    gate.policy.limits.burst = 5;
    let (mut client, mut server, _admitted) = through_raw(&gate, &server).await;
    let mut flood = Vec::new();
    for _ in 0..6 {
        frame::write(Opcode::Text, b"hi", Some([1, 2, 3, 4]), &mut flood);
    }
    client.write_all(&flood).await.unwrap();
    let mut came = Vec::new();
    client.read_to_end(&mut came).await.unwrap();
    assert_eq!(came, frame::close(CloseReason::TooFast));
    drop(client);
    came.clear();
    server.read_to_end(&mut came).await.unwrap();
    assert_eq!(came[..2], [0x88, 0x80 | 12], "nothing but a Close frame: {}", came.escape_ascii());
}

#[tokio::test]
async fn a_user_of_a_conversation_is_relayed_after_it() {
    let server = Server::new().await;
    let mut gate = Gate::before(server.config()).await;
    gate.layers = Layers::Conversation;
    let (mut client, server, admitted) = through(&gate, &server).await;
    echo(server);
    client.send(Message::text("hello")).await.unwrap();
    assert_eq!(client.next().await.unwrap().unwrap().as_text(), Some("hello"));
    drop(client);
    admitted.serving.await.unwrap();
}

#[tokio::test]
async fn last_seen_moves_with_what_a_user_sends() {
    let server = Server::new().await;
    let gate = Gate::before(server.config()).await;
    let (mut client, server, admitted) = through(&gate, &server).await;
    echo(server);
    let seen = || gate.sockets.list(None, 1)[0].last_seen;
    let before = seen();
    while seen() == before {
        client.send(Message::text("here")).await.unwrap();
        client.next().await.unwrap().unwrap();
    }
    drop(admitted);
}
