//! Pairs over pipes in memory, whose capacity and clock are known.

use std::{sync::Arc, time::Duration};

use doorward_session::{AnyStream, Transport};
use doorward_types::CloseReason;
use doorward_wire::websocket::frame::{self, Opcode};
use proptest::prelude::*;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex, split},
    time::Instant,
};

use super::pipes::{MASK, Noted, close_1001, masked, pair, read_all};
use crate::upstream::{
    flow,
    relay::{ANSWER_CLOSE_WITHIN, Admitted as _, FINISH_WITHIN, Pair, READ_ON, Side},
};

/// Frames of these payload lengths, the last of them a Close frame.
fn frames(lengths: &[usize], mask: Option<[u8; 4]>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (number, length) in lengths.iter().enumerate() {
        // Messages of three frames, the last of one or two.
        let fin = number % 3 == 2 || number + 1 == lengths.len();
        let opcode = if number % 3 == 0 { Opcode::Binary } else { Opcode::Continuation };
        frame::write_fragment(opcode, fin, &vec![number as u8; *length], mask, &mut bytes);
    }
    frame::write(Opcode::Close, &[3, 232], mask, &mut bytes);
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_comes_out_is_what_went_in_whatever_the_splits(
        up in prop::collection::vec(0_usize..3000, 0..20),
        down in prop::collection::vec(0_usize..200_000, 0..5),
        splits in prop::collection::vec(1_usize..5000, 1..20),
        capacity in 1_usize..10_000,
        ahead in (0_usize..200, 0_usize..200),
    ) {
        let (up, down) = (frames(&up, Some(MASK)), frames(&down, None));
        let (up_ahead, up_later) = up.split_at(ahead.0.min(up.len()));
        let (down_ahead, down_later) = down.split_at(ahead.1.min(down.len()));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let (came_up, came_down) = runtime.block_on(async {
            let (pair, client, server) = pair(&Noted::default(), capacity, (up_ahead, down_ahead));
            let (mut client_reads, mut client_writes) = split(client);
            let (mut server_reads, mut server_writes) = split(server);
            let write = async |to: &mut tokio::io::WriteHalf<DuplexStream>, mut bytes: &[u8]| {
                let mut splits = splits.iter().cycle();
                while !bytes.is_empty() {
                    let (now, later) = bytes.split_at(bytes.len().min(*splits.next().unwrap()));
                    to.write_all(now).await.unwrap();
                    bytes = later;
                }
                to.shutdown().await.unwrap();
            };
            let (mut came_up, mut came_down) = (Vec::new(), Vec::new());
            tokio::join!(
                pair.run(MASK),
                write(&mut client_writes, up_later),
                write(&mut server_writes, down_later),
                async { server_reads.read_to_end(&mut came_up).await.unwrap() },
                async { client_reads.read_to_end(&mut came_down).await.unwrap() },
            );
            (came_up, came_down)
        });
        prop_assert!(came_up == up, "up: {} bytes of {}", came_up.len(), up.len());
        prop_assert!(came_down == down, "down: {} bytes of {}", came_down.len(), down.len());
    }
}

#[tokio::test(start_paused = true)]
async fn frames_are_counted_once_each_however_they_are_split() {
    let noted = Noted::default();
    let (pair, mut client, mut server) = pair(&noted, 100_000, (b"", b""));
    tokio::spawn(pair.run(MASK));
    let mut sent = Vec::new();
    for length in [0, 5, 125, 126, 3000, 0, 1] {
        sent.extend(masked(Opcode::Binary, &vec![9; length]));
    }
    let mut came = vec![0; sent.len()];
    for split in sent.chunks(7) {
        client.write_all(split).await.unwrap();
        tokio::task::yield_now().await;
    }
    server.read_exact(&mut came).await.unwrap();
    assert_eq!(came, sent);
    assert_eq!(noted.counted(), (7, true));
}

#[tokio::test(start_paused = true)]
async fn a_user_who_does_not_read_holds_the_upstream_back_and_costs_a_bounded_memory() {
    let (pair, mut client, mut server) = pair(&Noted::default(), 1000, (b"", b""));
    tokio::spawn(pair.run(MASK));
    let message = frame::binary(&vec![7; 200_000]);
    let mut sent = 0;
    // With the clock paused, a second passes as soon as nothing else can happen.
    while let Ok(written) = tokio::time::timeout(Duration::from_secs(1), server.write(&message[sent..])).await {
        sent += written.unwrap();
    }
    assert!(sent <= 1000 + flow::READ + 1000, "{sent} bytes are under way");

    let mut came = vec![0; message.len()];
    let (read, wrote) = tokio::join!(client.read_exact(&mut came), server.write_all(&message[sent..]));
    assert!(read.is_ok() && wrote.is_ok() && came == message);
}

#[tokio::test(start_paused = true)]
async fn an_ended_user_who_does_not_read_is_cut_within_the_bound() {
    let noted = Noted::default();
    let (pair, mut client, mut server) = pair(&noted, 1000, (b"", b""));
    let relay = tokio::spawn(pair.run(MASK));
    let flood = frame::binary(&vec![7; 100_000]);
    let flooding = server.write_all(&flood);
    let ending = async {
        // Some of it has come, so the relay is at work; the rest is never read.
        client.read_exact(&mut [0; 500]).await.unwrap();
        tokio::task::yield_now().await;
        noted.end_from_outside(CloseReason::SessionEnded);
        let began = Instant::now();
        relay.await.unwrap();
        began.elapsed()
    };
    let (_, took) = tokio::join!(flooding, ending);
    assert!(took <= FINISH_WITHIN + READ_ON, "{took:?}");
    assert!(!noted.close_was_accepted(), "a user who was cut did not get a Close frame");
}

#[tokio::test(start_paused = true)]
async fn an_ended_pair_says_so_to_both_sides_and_waits_a_second_for_them_at_the_most() {
    let noted = Noted::default();
    let (pair, mut client, mut server) = pair(&noted, 1000, (b"", b""));
    let relay = tokio::spawn(pair.run(MASK));
    client.write_all(&masked(Opcode::Text, b"up")).await.unwrap();
    server.read_exact(&mut [0; 8]).await.unwrap();
    noted.end_from_outside(CloseReason::SessionEnded);
    let began = Instant::now();
    assert_eq!(read_all(&mut client).await, frame::close(CloseReason::SessionEnded));
    assert_eq!(read_all(&mut server).await, close_1001());
    assert!(noted.close_was_accepted());
    assert_eq!(began.elapsed(), Duration::ZERO, "neither waits for the other");
    relay.await.unwrap();
    assert_eq!(began.elapsed(), READ_ON);
}

#[tokio::test(start_paused = true)]
async fn the_frame_under_way_is_finished_and_the_next_one_is_not_begun() {
    let noted = Noted::default();
    let (pair, mut client, mut server) = pair(&noted, 100_000, (b"", b""));
    tokio::spawn(pair.run(MASK));
    let (down, up) = (frame::binary(&[7; 50_000]), masked(Opcode::Binary, &[8; 50_000]));
    server.write_all(&down[..20_000]).await.unwrap();
    client.write_all(&up[..20_000]).await.unwrap();
    let (mut came_down, mut came_up) = (vec![0; 20_000], vec![0; 20_000]);
    client.read_exact(&mut came_down).await.unwrap();
    server.read_exact(&mut came_up).await.unwrap();

    noted.end_from_outside(CloseReason::SessionEnded);
    for piece in [&down[20_000..], &frame::binary(b"too late")] {
        server.write_all(piece).await.unwrap();
    }
    for piece in [&up[20_000..], &masked(Opcode::Binary, b"too late")] {
        client.write_all(piece).await.unwrap();
    }
    came_down.extend(read_all(&mut client).await);
    came_up.extend(read_all(&mut server).await);
    assert!(came_down == [&down[..], &frame::close(CloseReason::SessionEnded)].concat());
    assert!(came_up == [up, close_1001()].concat());
}

#[tokio::test(start_paused = true)]
async fn c81_a_restart_lets_whole_frames_go_that_were_read_and_a_logout_does_not() {
    let up: Vec<_> = [b"1", b"2", b"3"].into_iter().flat_map(|text| masked(Opcode::Text, text)).collect();
    let fourth = &masked(Opcode::Text, b"4")[..3];
    // The server has room for a part of the first frame, or for all of it.
    for (room, reason, frames) in [4, 7].into_iter().flat_map(|room| {
        [(CloseReason::Restart, 3), (CloseReason::SessionEnded, 1)].map(|(reason, frames)| (room, reason, frames))
    }) {
        let noted = Noted::default();
        let (_client, client_side) = duplex(100);
        let (mut server, server_side) = duplex(room);
        let side = |stream| Arc::new(AnyStream::new(stream)) as Arc<dyn Transport>;
        let read_ahead = [&up, fourth].concat();
        let pair = Pair::new(noted.clone(), (side(client_side), &read_ahead), (side(server_side), b""), 100);
        tokio::spawn(pair.run(MASK));
        tokio::task::yield_now().await;
        noted.end_from_outside(reason);
        let expected = [&up[..frames * 7], &close_1001()].concat();
        assert_eq!(read_all(&mut server).await, expected, "{reason} with room for {room}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_side_that_never_finishes_its_frame_is_waited_for_half_a_second_while_the_other_is_not() {
    let noted = Noted::default();
    let (pair, mut client, mut server) = pair(&noted, 100_000, (b"", b""));
    tokio::spawn(pair.run(MASK));
    let half = masked(Opcode::Binary, &[8; 50_000])[..20_000].to_vec();
    client.write_all(&half).await.unwrap();
    let mut came_up = vec![0; 20_000];
    server.read_exact(&mut came_up).await.unwrap();

    noted.end_from_outside(CloseReason::SessionEnded);
    let began = Instant::now();
    assert_eq!(read_all(&mut client).await, frame::close(CloseReason::SessionEnded));
    assert_eq!(began.elapsed(), Duration::ZERO);
    assert_eq!(read_all(&mut server).await, b"", "no Close frame in the middle of a frame");
    assert_eq!(began.elapsed(), FINISH_WITHIN);
}

#[tokio::test(start_paused = true)]
async fn a_close_that_is_never_answered_ends_the_pair() {
    let noted = Noted::default();
    let (pair, mut client, mut server) = pair(&noted, 1000, (b"", b""));
    tokio::spawn(pair.run(MASK));
    let close = masked(Opcode::Close, &[3, 232]);
    client.write_all(&close).await.unwrap();
    let began = Instant::now();
    assert_eq!(read_all(&mut client).await, frame::close(CloseReason::GoingAway));
    assert_eq!(began.elapsed(), ANSWER_CLOSE_WITHIN);
    assert_eq!(read_all(&mut server).await, close, "it has got a Close frame, and gets no second one");
    assert_eq!(noted.ended(), Some(CloseReason::GoingAway));

    let noted = Noted::default();
    let (pair, mut client, mut server) = self::pair(&noted, 1000, (b"", b""));
    tokio::spawn(pair.run(MASK));
    server.write_all(&frame::close(CloseReason::Normal)).await.unwrap();
    let began = Instant::now();
    assert_eq!(read_all(&mut server).await, close_1001());
    assert_eq!(began.elapsed(), ANSWER_CLOSE_WITHIN);
    assert_eq!(read_all(&mut client).await, frame::close(CloseReason::Normal), "and no second one");
}

#[tokio::test(start_paused = true)]
async fn pings_and_pongs_are_counted_and_are_no_messages() {
    let noted = Noted::default();
    let (pair, mut client, mut server) = pair(&noted, 1000, (&masked(Opcode::Pong, b""), b""));
    tokio::spawn(pair.run(MASK));
    let sent = [masked(Opcode::Ping, b"who is there"), masked(Opcode::Pong, b"")].concat();
    client.write_all(&sent).await.unwrap();
    server.read_exact(&mut vec![0; sent.len() + 6]).await.unwrap();
    assert_eq!(noted.counted(), (3, false));
    let fragment = b"\x01\x80\0\0\0\0";
    client.write_all(fragment).await.unwrap();
    server.read_exact(&mut [0; 6]).await.unwrap();
    assert_eq!(noted.counted(), (4, true));
}

#[tokio::test(start_paused = true)]
async fn a_user_who_vanishes_is_not_an_upstream_that_is_down() {
    // Whoever hangs up is hung up on by most servers, and some wait for more.
    for server_waits in [false, true] {
        let noted = Noted::default();
        let (pair, client, mut server) = pair(&noted, 1000, (b"", b""));
        let relay = tokio::spawn(pair.run(MASK));
        drop(client);
        assert_eq!(server.read(&mut [0; 8]).await.unwrap(), 0);
        if !server_waits {
            drop(server);
        }
        relay.await.unwrap();
        assert_eq!(noted.ended(), Some(CloseReason::Normal), "waits: {server_waits}");
        assert_eq!(noted.logged(), [(Side::User, "hung up without a Close frame".to_owned())]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_is_gone_between_frames_is_down_and_in_a_frame_cuts_it() {
    let noted = Noted::default();
    let (pair, mut client, mut server) = pair(&noted, 1000, (b"", b""));
    tokio::spawn(pair.run(MASK));
    server.write_all(&frame::text(b"whole")).await.unwrap();
    drop(server);
    let expected = [frame::text(b"whole"), frame::close(CloseReason::UpstreamDown)].concat();
    assert_eq!(read_all(&mut client).await, expected);
    assert_eq!(noted.logged(), [(Side::Upstream, "is gone without a Close frame".to_owned())]);

    let noted = Noted::default();
    let (pair, mut client, mut server) = self::pair(&noted, 1000, (b"", b""));
    tokio::spawn(pair.run(MASK));
    server.write_all(&frame::text(b"torn")[..4]).await.unwrap();
    drop(server);
    assert_eq!(read_all(&mut client).await, frame::text(b"torn")[..4]);
    assert!(!noted.close_was_accepted());
}

#[test]
fn an_idle_pair_owns_little() {
    let (pair, ..) = pair(&Noted::default(), 1, (b"", b""));
    let size = size_of_val(&pair.run(MASK));
    // The timer is 16 bytes larger where the runtime of several threads is built in, as it is in the server. With the hundred
    // of its task a pair stays at 400 bytes.
    assert!(size <= 296, "{size} bytes");
}
