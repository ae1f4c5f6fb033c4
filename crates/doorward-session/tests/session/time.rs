//! What time does to a socket. The clock of these tests moves when nothing else does.

use std::time::Duration;

use doorward_auth::{OnExpiry, Proof};
use doorward_session::{Ended, SocketPolicy};
use doorward_types::{CloseReason, Timestamp};
use doorward_wire::websocket::frame::Opcode;
use tokio::time::{Instant, sleep_until};

use crate::support::{Heard, Over, Served, World, climb, echo, quiet, somebody};

fn pinged() -> SocketPolicy {
    SocketPolicy { ping_every: Some(Duration::from_secs(25)), pong_within: Duration::from_secs(10), ..quiet() }
}

fn until(seconds: u64, on_expiry: OnExpiry) -> Proof {
    // The wall clock of the tests begins at 1000 s.
    Proof { expires_at: Some(Timestamp::from_secs(1000 + seconds)), on_expiry, ..somebody("bob") }
}

/// Moves the wall clock along with the other one, and tells when the socket was closed.
async fn closed_after(world: &World, served: &mut Served, reason: CloseReason) -> Duration {
    let began = Instant::now();
    let walking = async {
        for step in 1.. {
            sleep_until(began + Duration::from_millis(50 * step)).await;
            world.wall.forward(Duration::from_millis(50));
        }
    };
    tokio::select! {
        () = walking => unreachable!("it walks for ever"),
        () = served.peer.hears_close(reason) => began.elapsed(),
    }
}

#[tokio::test(start_paused = true)]
async fn c8_expiry_closes_within_a_second() {
    let world = World::over(Over::Pipe);
    let mut served = world.serve(until(3, OnExpiry::Close), quiet(), echo()).await;
    let after = closed_after(&world, &mut served, CloseReason::Expired).await;
    assert!((Duration::from_secs(3)..=Duration::from_secs(4)).contains(&after), "{after:?}");
}

#[tokio::test(start_paused = true)]
async fn c8_a_kept_socket_outlives_its_proof_up_to_the_longest_session() {
    let world = World::over(Over::Pipe);
    let policy = SocketPolicy { max_session: Some(Duration::from_secs(10)), ..quiet() };
    let mut served = world.serve(until(3, OnExpiry::Keep), policy, echo()).await;
    let after = closed_after(&world, &mut served, CloseReason::Expired).await;
    assert!((Duration::from_secs(10)..=Duration::from_secs(11)).contains(&after), "{after:?}");
}

#[tokio::test(start_paused = true)]
async fn an_expiry_that_is_far_is_still_met() {
    let world = World::over(Over::Pipe);
    let mut served = world.serve(until(3600, OnExpiry::Close), quiet(), echo()).await;
    let after = closed_after(&world, &mut served, CloseReason::Expired).await;
    assert!((Duration::from_secs(3600)..=Duration::from_secs(3601)).contains(&after), "{after:?}");
}

#[tokio::test(start_paused = true)]
async fn an_expiry_that_passed_while_the_machine_slept_is_noticed_when_it_wakes() {
    let world = World::over(Over::Pipe);
    let mut served = world.serve(until(3600, OnExpiry::Close), quiet(), echo()).await;
    served.peer.say("hello").await;
    served.peer.hears("hello").await;
    let began = Instant::now();
    world.wall.forward(Duration::from_secs(7200));
    served.peer.hears_close(CloseReason::Expired).await;
    assert!(began.elapsed() <= Duration::from_secs(1), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn c80_a_peer_that_vanished_is_noticed_by_its_silence() {
    let world = World::over(Over::Pipe);
    let mut served = world.serve(somebody("bob"), pinged(), echo()).await;
    let began = Instant::now();
    assert_eq!(served.peer.hear().await, Heard::Ping);
    assert!((Duration::from_secs(25)..=Duration::from_secs(26)).contains(&began.elapsed()), "{:?}", began.elapsed());
    // It neither answers nor closes.
    assert_eq!(served.over.await.unwrap(), Ended::For(CloseReason::PingTimeout));
    let freed = began.elapsed();
    assert!((Duration::from_secs(35)..=Duration::from_secs(37)).contains(&freed), "{freed:?}");
    assert!(world.sockets.is_empty());
}

#[tokio::test(start_paused = true)]
async fn whoever_answers_pings_stays_and_pings_are_no_traffic() {
    let world = World::over(Over::Pipe);
    let mut served = world.serve(somebody("bob"), pinged(), echo()).await;
    served.peer.say("hello").await;
    served.peer.hears("hello").await;
    let last_seen = world.sockets.list(None, 1)[0].last_seen;
    let began = Instant::now();
    for _ in 0..20 {
        assert_eq!(served.peer.hear().await, Heard::Ping);
        served.peer.frame(Opcode::Pong, b"").await;
        served.peer.frame(Opcode::Ping, b"my own").await;
        assert_eq!(served.peer.hear().await, Heard::Pong("my own".into()));
    }
    assert!(began.elapsed() >= Duration::from_secs(500) && served.socket.is_open());
    assert_eq!(world.sockets.list(None, 1)[0].last_seen, last_seen);
    served.peer.say("hello").await;
    served.peer.hears("hello").await;
    assert!(world.sockets.list(None, 1)[0].last_seen > last_seen);
}

#[tokio::test(start_paused = true)]
async fn behind_a_relay_too_only_messages_are_traffic() {
    let world = World::over(Over::Pipe);
    let served = world.serve(somebody("bob"), quiet(), echo()).await;
    let last_seen = || world.sockets.list(None, 1)[0].last_seen;
    let before = last_seen();
    sleep_until(Instant::now() + Duration::from_secs(10)).await;
    served.socket.heard_frames(1, false).unwrap();
    assert_eq!(last_seen(), before, "a ping or a pong");
    served.socket.heard_frames(1, true).unwrap();
    assert_eq!(last_seen().since(before), Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn whoever_talks_is_not_pinged() {
    let world = World::over(Over::Pipe);
    let mut served = world.serve(somebody("bob"), pinged(), echo()).await;
    let began = Instant::now();
    for step in 1..=20 {
        sleep_until(began + Duration::from_secs(20 * step)).await;
        served.peer.say("hello").await;
        served.peer.hears("hello").await;
    }
}

#[tokio::test(start_paused = true)]
async fn c7_pings_do_not_prolong_a_session() {
    let world = World::over(Over::Pipe);
    let policy = SocketPolicy { max_session: Some(Duration::from_secs(60)), ..pinged() };
    let mut served = world.serve(somebody("bob"), policy, echo()).await;
    let began = Instant::now();
    while let Heard::Ping = served.peer.hear().await {
        served.peer.frame(Opcode::Pong, b"").await;
    }
    assert!((Duration::from_secs(60)..=Duration::from_secs(61)).contains(&began.elapsed()), "{:?}", began.elapsed());
    assert_eq!(served.socket.ended(), Some(CloseReason::Expired));
}

#[tokio::test(start_paused = true)]
async fn c85_a_clock_that_is_set_back_lets_no_socket_live_longer() {
    for back in [900, 5] {
        let world = World::over(Over::Pipe);
        let began = Instant::now();
        let mut served = world.serve(until(60, OnExpiry::Close), quiet(), echo()).await;
        sleep_until(began + Duration::from_secs(10)).await;
        world.wall.forward(Duration::from_secs(10));
        world.wall.back(Duration::from_secs(back));
        let after = closed_after(&world, &mut served, CloseReason::Expired).await;
        assert!((50..=51).contains(&after.as_secs()), "{after:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn c85_a_clock_that_is_set_by_a_few_seconds_ends_nobody_and_one_that_is_set_ahead_ends_what_has_expired() {
    let world = World::over(Over::Pipe);
    let mut soon = world.serve(until(60, OnExpiry::Close), quiet(), echo()).await;
    let mut later = world.serve(until(7200, OnExpiry::Close), quiet(), echo()).await;
    let mut never = world.serve(somebody("eve"), quiet(), echo()).await;
    for step in 0..4 {
        if step % 2 == 0 {
            world.wall.forward(Duration::from_secs(5))
        } else {
            world.wall.back(Duration::from_secs(5))
        }
        sleep_until(Instant::now() + Duration::from_secs(1)).await;
        for peer in [&mut soon.peer, &mut later.peer, &mut never.peer] {
            peer.say("still here").await;
            peer.hears("still here").await;
        }
    }
    world.wall.forward(Duration::from_secs(3600));
    soon.peer.hears_close(CloseReason::Expired).await;
    for peer in [&mut later.peer, &mut never.peer] {
        peer.say("still here").await;
        peer.hears("still here").await;
    }
}

#[tokio::test(start_paused = true)]
async fn c85_a_proof_that_is_renewed_after_the_clock_was_set_counts_from_there() {
    let world = World::over(Over::Pipe);
    let mut served = world.serve(until(60, OnExpiry::Close), quiet(), echo()).await;
    world.wall.back(Duration::from_secs(500));
    // By the clock as it is now.
    let renewed = Proof { expires_at: Some(Timestamp::from_secs(500 + 30)), ..until(0, OnExpiry::Close) };
    world.sockets.readmit(&served.socket, climb(renewed, world.sockets.cursor()), vec![]).unwrap();
    let after = closed_after(&world, &mut served, CloseReason::Expired).await;
    assert!((30..=31).contains(&after.as_secs()), "{after:?}");
}
