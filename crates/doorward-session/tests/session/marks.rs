//! What ended long ago, and what is too old: a good signature brings nothing of it back.

use std::{sync::Arc, time::Duration};

use doorward_auth::{
    Proof,
    ports::{LogEntry, What, Why},
};
use doorward_session::{Socket, Target};
use doorward_types::{CloseReason, Cursor, OwnerId, Rest, SessionId, Subject, Timestamp};

use crate::support::{Heard, Over, World, climb, climb_at, echo, login, quiet, somebody};

fn issued(secs: u64, proof: Proof) -> Proof {
    Proof { issued_at: Some(Timestamp::from_secs(secs)), ..proof }
}

fn bob() -> Subject {
    Subject { kind: "member".into(), pk: "bob".into(), uuid: "somebody else".into() }
}

async fn register_at(world: &World, owner: &str, proof: Proof) -> Result<Arc<Socket>, CloseReason> {
    let (transport, _) = world.stream(1).await;
    world.sockets.register(climb_at(owner, "fancy", proof, world.sockets.cursor()), transport, quiet())
}

async fn register(world: &World, proof: Proof) -> Result<Arc<Socket>, CloseReason> {
    register_at(world, "acme", proof).await
}

fn entry(what: What, why: Why, at: u64) -> LogEntry {
    LogEntry { cursor: Cursor(1), at: Timestamp::from_secs(at), owner: Some(OwnerId::new("acme")), what, why }
}

#[tokio::test(start_paused = true)]
async fn c1_a_login_that_ended_lets_nobody_in_however_long_ago_that_was() {
    let world = World::over(Over::Pipe);
    let acme = OwnerId::new("acme");
    world.sockets.end(Some(&acme), &Target::Rest(Rest::on("sid", "s1")), CloseReason::SessionEnded).await;
    world.sockets.end(Some(&acme), &Target::Rest(Rest::on("jti", "t1")), CloseReason::SessionEnded).await;
    // The tail has forgotten them.
    for _ in 0..20_000 {
        drop(world.sockets.end(Some(&acme), &Target::Rest(Rest::on("gate", "other")), CloseReason::GateClosed));
    }
    assert_eq!(register(&world, login("bob", "s1")).await.unwrap_err(), CloseReason::SessionEnded);
    let token = Proof { rests_on: vec![Rest::on("jti", "t1")], ..somebody("bob") };
    assert_eq!(register(&world, token).await.unwrap_err(), CloseReason::SessionEnded);
    assert!(register(&world, login("bob", "s2")).await.is_ok());
    assert!(register_at(&world, "other", login("bob", "s1")).await.is_ok(), "nothing crosses between owners");
}

#[tokio::test(start_paused = true)]
async fn a_key_is_revoked_for_ever_and_a_subject_may_come_again() {
    let world = World::over(Over::Pipe);
    let by_key = || Proof { rests_on: vec![Rest::on("key", "k1")], ..somebody("bob") };
    world.sockets.remember(&entry(What::Rest(Rest::on("key", "k1")), Why::Revoked, 0));
    world.sockets.remember(&entry(What::Rest(Rest::on("subject", "member:bob")), Why::LoggedOut, 0));
    assert_eq!(register(&world, by_key()).await.unwrap_err(), CloseReason::SessionEnded);
    assert!(register(&world, somebody("bob")).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn c3_what_was_issued_before_a_time_ends_and_is_refused_and_what_is_newer_is_not() {
    let world = World::over(Over::Pipe);
    let acme = OwnerId::new("acme");
    let mut old = world.serve(issued(100, somebody("bob")), quiet(), echo()).await;
    let new = world.serve(issued(300, somebody("bob")), quiet(), echo()).await;
    let eve = world.serve(issued(100, somebody("eve")), quiet(), echo()).await;
    let not_before = |subject| Target::NotBefore { subject, at: Timestamp::from_secs(200) };
    let receipt = world.sockets.end(Some(&acme), &not_before(Some(bob())), CloseReason::SessionEnded).await;
    assert_eq!(receipt.sockets, [old.socket.id()]);
    old.peer.hears_close(CloseReason::SessionEnded).await;
    assert!(new.socket.is_open() && eve.socket.is_open());
    assert_eq!(register(&world, issued(199, somebody("bob"))).await.unwrap_err(), CloseReason::SessionEnded);
    assert!(register(&world, issued(200, somebody("bob"))).await.is_ok());
    assert!(register(&world, issued(199, somebody("eve"))).await.is_ok());
    assert!(register_at(&world, "other", issued(199, somebody("bob"))).await.is_ok());

    let everybody = world.sockets.end(Some(&acme), &not_before(None), CloseReason::SessionEnded).await;
    assert!(everybody.sockets.contains(&eve.socket.id()) && !everybody.sockets.contains(&new.socket.id()));
    assert_eq!(register(&world, issued(199, somebody("eve"))).await.unwrap_err(), CloseReason::SessionEnded);
    assert!(register_at(&world, "other", issued(199, somebody("eve"))).await.is_ok());
    drop(world.sockets.end(None, &not_before(None), CloseReason::SessionEnded));
    assert_eq!(
        register_at(&world, "other", issued(199, somebody("eve"))).await.unwrap_err(),
        CloseReason::SessionEnded,
        "the operator means everybody"
    );
}

/// Nobody knows when it was let in: the clock that says so was ahead.
#[tokio::test(start_paused = true)]
async fn c3_what_was_let_in_while_the_clock_was_ahead_counts_as_before_any_time() {
    let world = World::over(Over::Pipe);
    let ahead = world.serve(issued(900, somebody("bob")), quiet(), echo()).await;
    let since = world.serve(issued(450, somebody("bob")), quiet(), echo()).await;
    let eve = world.serve(issued(900, somebody("eve")), quiet(), echo()).await;
    world.wall.back(Duration::from_secs(500));
    let target = Target::NotBefore { subject: Some(bob()), at: Timestamp::from_secs(400) };
    let receipt = world.sockets.end(Some(&OwnerId::new("acme")), &target, CloseReason::SessionEnded).await;
    assert_eq!(receipt.sockets, [ahead.socket.id()]);
    assert!(since.socket.is_open() && eve.socket.is_open());
    let target = Target::NotBefore { subject: None, at: Timestamp::from_secs(400) };
    let receipt = world.sockets.end(Some(&OwnerId::new("other")), &target, CloseReason::SessionEnded).await;
    assert_eq!(receipt.sockets, [], "nothing crosses between owners");
    let receipt = world.sockets.end(None, &target, CloseReason::SessionEnded).await;
    assert_eq!(receipt.sockets, [eve.socket.id()]);
}

#[tokio::test(start_paused = true)]
async fn c9_to_end_all_others_leaves_the_login_that_says_so_and_lets_no_older_one_in() {
    let world = World::over(Over::Pipe);
    let (mine, others) = (SessionId::from_bytes([1; 16]), SessionId::from_bytes([2; 16]));
    let of = |sid: SessionId| issued(100, login("bob", &sid.to_string()));
    let mut kept = world.serve(of(mine), quiet(), echo()).await;
    let mut other = world.serve(of(others), quiet(), echo()).await;
    let eve = world.serve(issued(100, somebody("eve")), quiet(), echo()).await;
    let receipt =
        world.sockets.apply(&entry(What::Others { subject: bob(), keep: mine }, Why::CredentialChanged, 200)).await;
    assert_eq!(receipt.sockets, [other.socket.id()]);
    other.peer.hears_close(CloseReason::SessionEnded).await;
    assert_eq!(other.peer.hear().await, Heard::End);
    kept.peer.say("still here").await;
    kept.peer.hears("still here").await;
    assert!(eve.socket.is_open());
    assert!(register(&world, of(mine)).await.is_ok());
    assert_eq!(register(&world, of(others)).await.unwrap_err(), CloseReason::SessionEnded);
    let since = login("bob", &SessionId::from_bytes([3; 16]).to_string());
    assert!(register(&world, issued(200, since)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_climb_that_had_begun_is_refused_by_an_ending_of_all_others_whatever_the_clocks_say() {
    let world = World::over(Over::Pipe);
    let (transport, _) = world.stream(1).await;
    let begun = climb(issued(1_000_000, login("bob", "s2")), world.sockets.cursor());
    let keep = SessionId::from_bytes([1; 16]);
    drop(world.sockets.apply(&entry(What::Others { subject: bob(), keep }, Why::CredentialChanged, 200)));
    assert_eq!(world.sockets.register(begun, transport, quiet()).unwrap_err(), CloseReason::SessionEnded);
}
