//! Pairs of suspended sockets.

use std::time::Duration;

use doorward_types::CloseReason;
use doorward_wire::websocket::frame::{self, Opcode};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};

use super::pipes::{MASK, Noted, masked, pair, read_all};
use crate::upstream::relay::Admitted as _;

#[tokio::test(start_paused = true)]
async fn while_a_socket_is_suspended_no_byte_moves_and_after_it_none_is_missing() {
    let noted = Noted::pinging();
    let (pair, mut client, mut server) = pair(&noted, 1000, (b"", b""));
    tokio::spawn(pair.run(MASK));
    let (up, down) = (masked(Opcode::Text, b"up"), frame::text(b"down"));
    client.write_all(&up).await.unwrap();
    server.read_exact(&mut vec![0; up.len()]).await.unwrap();

    noted.suspend_from_outside(true);
    client.write_all(&up).await.unwrap();
    server.write_all(&down).await.unwrap();
    let (mut from_client, mut from_server) = ([0; 8], [0; 6]);
    let an_hour = Duration::from_secs(3600);
    assert!(timeout(an_hour, server.read_exact(&mut from_client)).await.is_err());
    assert!(timeout(an_hour, client.read_exact(&mut from_server)).await.is_err(), "not even a ping");
    assert_eq!(noted.ended(), None, "who is not read is not silent");

    noted.suspend_from_outside(false);
    server.read_exact(&mut from_client).await.unwrap();
    client.read_exact(&mut from_server).await.unwrap();
    assert_eq!((from_client.as_slice(), from_server.as_slice()), (up.as_slice(), &*down));
    let mut ping = [0; 2];
    let began = tokio::time::Instant::now();
    client.read_exact(&mut ping).await.unwrap();
    // The look after 25 seconds finds what came just now; the next one finds nothing.
    assert_eq!((began.elapsed(), ping.as_slice()), (Duration::from_secs(50), &*frame::ping(b"")));
}

#[tokio::test(start_paused = true)]
async fn what_was_held_for_a_slow_user_does_not_come_after_a_suspension_that_ends_the_socket() {
    for reason in [CloseReason::TryLater, CloseReason::SessionEnded, CloseReason::Restart] {
        let noted = Noted::default();
        let (pair, mut client, mut server) = pair(&noted, 64, (b"", b""));
        tokio::spawn(pair.run(MASK));
        let messages: Vec<u8> = (0..100).flat_map(|_| frame::binary(&[7; 100]).to_vec()).collect();
        let mut came = [0; 10];
        // Much of it is held; the user has taken the beginning of the first frame.
        let _ = timeout(Duration::from_secs(1), server.write_all(&messages)).await;
        client.read_exact(&mut came).await.unwrap();
        noted.suspend_from_outside(true);
        tokio::task::yield_now().await;
        noted.end_from_outside(reason);
        let rest = read_all(&mut client).await;
        let close = frame::close(reason);
        let application = came.len() + rest.len() - close.len();
        assert!(rest.ends_with(&close), "{reason}");
        assert!(application <= 2 * frame::binary(&[7; 100]).len(), "{reason}: {application} bytes");
    }
}
