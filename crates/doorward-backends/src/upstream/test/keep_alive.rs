//! Pings of a pair: whom they are for, and where they may not go.

use std::time::Duration;

use doorward_types::CloseReason;
use doorward_wire::websocket::frame::{self, Opcode};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::Instant,
};

use super::pipes::{MASK, Noted, masked, pair, read_all};
use crate::upstream::relay::Admitted as _;

#[tokio::test(start_paused = true)]
async fn a_silent_user_is_asked_for_a_sign_of_life() {
    let noted = Noted::pinging();
    let (pair, mut client, mut server) = pair(&noted, 1000, (b"", b""));
    tokio::spawn(pair.run(MASK));
    let began = Instant::now();
    let mut ping = [0; 2];
    for _ in 0..3 {
        client.read_exact(&mut ping).await.unwrap();
        assert_eq!(ping, frame::ping(b"")[..]);
        client.write_all(&masked(Opcode::Pong, b"")).await.unwrap();
        server.read_exact(&mut [0; 6]).await.unwrap();
    }
    client.read_exact(&mut ping).await.unwrap();
    let asked = Instant::now();
    assert_eq!(asked - began, Duration::from_secs(25 + 3 * 35));
    assert_eq!(read_all(&mut client).await, frame::close(CloseReason::PingTimeout));
    assert_eq!(asked.elapsed(), Duration::from_secs(10));
    assert_eq!(noted.ended(), Some(CloseReason::PingTimeout));
}

#[tokio::test(start_paused = true)]
async fn no_ping_goes_into_the_middle_of_a_frame() {
    let noted = Noted::pinging();
    let (pair, mut client, mut server) = pair(&noted, 1000, (b"", b""));
    tokio::spawn(pair.run(MASK));
    let message = frame::binary(&[7; 100]);
    let mut came = vec![0; message.len()];
    for (number, byte) in message.iter().enumerate() {
        server.write_all(&[*byte]).await.unwrap();
        // The header comes when it is whole.
        let at = if number == 1 { 0 } else { number };
        if number > 0 {
            client.read_exact(&mut came[at..=number]).await.unwrap();
        }
        if number + 1 < message.len() {
            // Slower than any sign of life is asked for.
            let _ = tokio::time::timeout(Duration::from_secs(100), std::future::pending::<()>()).await;
        }
    }
    assert_eq!(came, message);
    assert_eq!(noted.ended(), None);
}

#[tokio::test(start_paused = true)]
async fn no_ping_goes_behind_a_part_of_a_frame_that_a_slow_user_has_not_taken() {
    let noted = Noted::pinging();
    let (pair, mut client, mut server) = pair(&noted, 1000, (b"", b""));
    tokio::spawn(pair.run(MASK));
    let message = frame::binary(&[7; 10_000]);
    server.write_all(&message[..2500]).await.unwrap();
    // Past the time of the first ping, and before anything is expected of the user.
    let _ = tokio::time::timeout(Duration::from_secs(51), std::future::pending::<()>()).await;
    let mut came = vec![0; message.len()];
    let (read, wrote) = tokio::join!(client.read_exact(&mut came), server.write_all(&message[2500..]));
    assert!(read.is_ok() && wrote.is_ok() && came == message);
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_takes_nothing_for_too_long_is_down() {
    let noted = Noted::pinging();
    let (pair, mut client, server) = pair(&noted, 1000, (b"", b""));
    tokio::spawn(pair.run(MASK));
    let flood = masked(Opcode::Binary, &[7; 10_000]);
    client.write_all(&flood).await.unwrap();
    let mut came = [0; 2];
    client.read_exact(&mut came).await.unwrap();
    assert_eq!(read_all(&mut client).await, frame::close(CloseReason::UpstreamDown));
    drop(server);
}
