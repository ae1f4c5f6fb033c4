//! A logout lands on relayed sockets: between two frames, on both sides, within the bound.

use std::time::Duration;

use doorward_session::Target;
use doorward_types::{CloseReason, Rest};
use doorward_wire::websocket::frame;
use futures_util::StreamExt as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};
use tokio_websockets::ClientBuilder;

use super::{Admitted, DialError, Gate, Layers, Server, connect, through, through_raw};

fn logout(gate: &Gate) -> doorward_session::Ending {
    gate.sockets.end(None, &Target::Rest(Rest::on("sid", "s1")), CloseReason::SessionEnded)
}

#[tokio::test]
async fn a_logout_is_said_to_both_sides_and_has_a_receipt() {
    let server = Server::new().await;
    let gate = Gate::before(server.config()).await;
    let (mut client, mut server, admitted) = through(&gate, &server).await;
    let receipt = logout(&gate).await;
    assert_eq!((receipt.sockets, receipt.reset), (vec![admitted.socket.id()], 0));
    let (code, name) = (4410.try_into().unwrap(), "session_ended");
    assert_eq!(client.next().await.unwrap().unwrap().as_close(), Some((code, name)));
    let (code, name) = (1001.try_into().unwrap(), "going_away");
    assert_eq!(server.next().await.unwrap().unwrap().as_close(), Some((code, name)));
    assert!(client.next().await.is_none());
    assert!(server.next().await.is_none());
    admitted.serving.await.unwrap();
}

#[tokio::test]
async fn a_logout_before_the_relay_has_begun_lands_all_the_same() {
    let server = Server::new().await;
    let mut gate = Gate::before(server.config()).await;
    gate.layers = Layers::Conversation;
    // The server behind never answers.
    let (client, admitted) = tokio::join!(connect(&gate, &[]), gate.admit());
    let (mut client, admitted) = (client.unwrap(), admitted.unwrap());
    let receipt = logout(&gate).await;
    assert_eq!(receipt.reset, 0);
    let (code, name) = (4410.try_into().unwrap(), "session_ended");
    assert_eq!(client.next().await.unwrap().unwrap().as_close(), Some((code, name)));
    assert!(client.next().await.is_none());
    admitted.serving.await.unwrap();
}

#[tokio::test]
async fn a_logout_while_the_upstream_is_asked_lets_nobody_in() {
    // The server behind never answers.
    let server = Server::new().await;
    let gate = Gate::before(server.config()).await;
    let logging_out = async {
        while gate.sockets.is_empty() {
            tokio::task::yield_now().await;
        }
        logout(&gate).await
    };
    let (client, admitted, receipt) = tokio::join!(connect(&gate, &[]), gate.admit(), logging_out);
    assert!(client.is_err());
    assert!(matches!(admitted.err(), Some(DialError::Ended(CloseReason::SessionEnded))));
    assert_eq!(receipt.sockets.len(), 1);
}

#[tokio::test]
async fn a_large_frame_to_the_user_is_whole_before_the_close() {
    let server = Server::new().await;
    let gate = Gate::before(server.config()).await;
    let (client, mut server, _admitted) = through_raw(&gate, &server).await;
    let large = frame::binary(&vec![7; 1 << 20]);
    let (begin, rest) = large.split_at(200_000);
    server.write_all(begin).await.unwrap();
    client.peek(&mut [0]).await.unwrap();

    let ending = logout(&gate);
    let next = frame::binary(&vec![8; 1000]);
    let finish = async {
        server.write_all(rest).await.unwrap();
        // What follows is read and dropped, so this may or may not fail.
        let _ = server.write_all(&next).await;
    };
    let mut client = ClientBuilder::new().take_over(client);
    let read = async {
        let message = client.next().await.unwrap().unwrap();
        assert!(message.as_payload()[..] == vec![7; 1 << 20]);
        let close = client.next().await.unwrap().unwrap();
        assert_eq!(close.as_close().map(|(code, _)| u16::from(code)), Some(4410));
        assert!(client.next().await.is_none());
    };
    let ((), (), receipt) = tokio::join!(finish, read, ending);
    assert_eq!(receipt.reset, 0);
}

#[tokio::test]
async fn a_large_frame_to_the_server_is_whole_before_the_close() {
    let server = Server::new().await;
    let gate = Gate::before(server.config()).await;
    let (mut client, server, _admitted) = through_raw(&gate, &server).await;
    let mut large = Vec::new();
    frame::write(frame::Opcode::Binary, &vec![7; 1 << 20], Some([1, 2, 3, 4]), &mut large);
    let (begin, rest) = large.split_at(200_000);
    client.write_all(begin).await.unwrap();
    server.peek(&mut [0]).await.unwrap();

    let receipt = logout(&gate).await;
    assert_eq!(receipt.reset, 0, "the user need not wait for the server");
    let mut close = vec![0; frame::close(CloseReason::SessionEnded).len()];
    client.read_exact(&mut close).await.unwrap();
    assert_eq!(close, frame::close(CloseReason::SessionEnded));

    let mut server = tokio_websockets::ServerBuilder::new().serve(server);
    let (wrote, message) = tokio::join!(client.write_all(rest), server.next());
    wrote.unwrap();
    assert!(message.unwrap().unwrap().as_payload()[..] == vec![7; 1 << 20]);
    let close = server.next().await.unwrap().unwrap();
    assert_eq!(close.as_close().map(|(code, _)| u16::from(code)), Some(1001));
}

#[tokio::test]
async fn a_frame_that_is_never_finished_is_a_reset_and_never_a_torn_message() {
    let server = Server::new().await;
    let gate = Gate::before(server.config()).await;
    let (mut client, mut server, admitted) = through_raw(&gate, &server).await;
    drop(admitted.socket);
    server.write_all(&frame::binary(&[7; 5000])[..2000]).await.unwrap();
    client.peek(&mut [0]).await.unwrap();
    let receipt = logout(&gate).await;
    assert_eq!(receipt.reset, 1);
    let mut came = vec![0; 2000];
    client.read_exact(&mut came).await.unwrap();
    let error = client.read(&mut came).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_user_who_does_not_read_is_reset_within_the_bound() {
    let server = Server::new().await;
    let gate = Gate::before(server.config()).await;
    let (client, mut server, Admitted { socket, serving }) = through_raw(&gate, &server).await;
    // Whoever holds a socket holds its connection until the registry takes it away, so that nobody else does here.
    drop(socket);
    let message = frame::binary(&vec![7; 1 << 20]);
    let mut offset = 0;
    // A server that has to wait has filled every buffer on the way.
    while let Ok(written) = timeout(Duration::from_millis(100), server.write(&message[offset..])).await {
        offset = (offset + written.unwrap()) % message.len();
    }
    let receipt = logout(&gate).await;
    assert_eq!(receipt.reset, 1);
    assert!(receipt.within < Duration::from_secs(1), "{:?}", receipt.within);
    while server.write(&message[offset..]).await.is_ok() {}
    serving.await.unwrap();
    drop(client);
}
