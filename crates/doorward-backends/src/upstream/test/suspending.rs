//! Pairs of suspended sockets.

use std::{sync::Arc, time::Duration};

use doorward_session::{AnyStream, Transport};
use doorward_types::CloseReason;
use doorward_wire::websocket::frame::{self, Opcode};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, duplex},
    time::timeout,
};

use super::pipes::{MASK, Noted, masked, pair, read_all};
use crate::upstream::relay::{ANSWER_CLOSE_WITHIN, Admitted as _, FINISH_WITHIN, Pair, READ_ON};

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
async fn who_was_closing_when_the_socket_was_suspended_still_has_to_be_done_in_time() {
    let noted = Noted::pinging();
    let (pair, mut client, mut server) = pair(&noted, 1000, (b"", b""));
    let running = tokio::spawn(pair.run(MASK));
    let close = masked(Opcode::Close, &1000_u16.to_be_bytes());
    client.write_all(&close).await.unwrap();
    server.read_exact(&mut vec![0; close.len()]).await.unwrap();
    tokio::task::yield_now().await;
    noted.suspend_from_outside(true);
    // The upstream never answers it.
    let in_time = ANSWER_CLOSE_WITHIN + FINISH_WITHIN + READ_ON;
    timeout(in_time, running).await.unwrap().unwrap();
    assert_eq!(noted.ended(), Some(CloseReason::GoingAway));
}

#[tokio::test(start_paused = true)]
async fn what_was_held_for_a_slow_user_does_not_come_after_a_suspension_that_ends_the_socket() {
    let frames: Vec<u8> = [b"1", b"2", b"3"].into_iter().flat_map(|text| frame::text(text).to_vec()).collect();
    let frame = frames.len() / 3;
    // The user has room for a part of the first frame, or for all of it.
    for (room, reason) in [1, frame].into_iter().flat_map(|room| {
        [CloseReason::TryLater, CloseReason::SessionEnded, CloseReason::Restart].map(|reason| (room, reason))
    }) {
        for (suspended, come) in [(true, 1), (false, if reason == CloseReason::Restart { 3 } else { 1 })] {
            let noted = Noted::default();
            let (mut client, client_side) = duplex(room);
            let (_server, server_side) = duplex(100);
            let side = |stream| Arc::new(AnyStream::new(stream)) as Arc<dyn Transport>;
            let pair = Pair::new(noted.clone(), (side(client_side), b""), (side(server_side), &frames), 100);
            tokio::spawn(pair.run(MASK));
            tokio::task::yield_now().await;
            noted.suspend_from_outside(suspended);
            tokio::task::yield_now().await;
            noted.end_from_outside(reason);
            let expected = [&frames[..come * frame], &*frame::close(reason)].concat();
            assert_eq!(read_all(&mut client).await, expected, "{reason}, room for {room}, suspended: {suspended}");
        }
    }
}
