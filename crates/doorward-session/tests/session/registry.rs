//! Finding and ending sockets by what they rest on, and how many there may be.

use std::{sync::Arc, time::Duration};

use doorward_auth::{OnlyOne, Proof};
use doorward_session::{Line, SocketPolicy, Sockets, Target};
use doorward_types::{CloseReason, Cursor, GateName, OwnerId, Rest};
use tokio::time::Instant;

use crate::support::{Dice, Heard, Over, World, climb, climb_at, echo, login, over_both, quiet, somebody, tcp};

over_both!(
    c4_a_logout_of_one_session_leaves_the_other_and_one_of_the_subject_ends_both,
    c61_of_twenty_at_once_the_newest_survives_alone,
    c61_of_twenty_at_once_the_oldest_survives_alone,
    c81_a_drain_spreads_the_closes_and_a_logout_still_lands,
);

async fn c4_a_logout_of_one_session_leaves_the_other_and_one_of_the_subject_ends_both(over: Over) {
    let world = World::over(over);
    let end = |rest| world.sockets.end(Some(&OwnerId::new("acme")), &Target::Rest(rest), CloseReason::SessionEnded);
    let a = world.serve(login("bob", "a"), quiet(), echo()).await;
    let b = world.serve(login("bob", "b"), quiet(), echo()).await;
    let eve = world.serve(login("eve", "e"), quiet(), echo()).await;
    assert_eq!(end(Rest::on("sid", "a")).await.sockets, [a.socket.id()]);
    assert!(b.socket.is_open() && eve.socket.is_open());
    let c = world.serve(login("bob", "c"), quiet(), echo()).await;
    let mut ended = end(Rest::on("subject", "member:bob")).await.sockets;
    let mut expected = vec![b.socket.id(), c.socket.id()];
    ended.sort();
    expected.sort();
    assert_eq!(ended, expected);
    assert!(eve.socket.is_open());
    assert_eq!(end(Rest::on("gate", "fancy")).await.sockets, [eve.socket.id()]);
}

fn only(name: &str, only_one: OnlyOne) -> Proof {
    Proof { only_one: Some(only_one), ..somebody(name) }
}

async fn c61_of_twenty_at_once_the_newest_survives_alone(over: Over) {
    let world = Arc::new(World::over(over));
    let connecting: Vec<_> = (0..20)
        .map(|_| {
            let world = Arc::clone(&world);
            tokio::spawn(async move { world.serve(only("bob", OnlyOne::Newest), quiet(), echo()).await })
        })
        .collect();
    let mut replaced = 0;
    let mut survivors = Vec::new();
    for connecting in connecting {
        let mut served = connecting.await.unwrap();
        if served.socket.is_open() {
            survivors.push(served);
        } else {
            served.peer.hears_close(CloseReason::Replaced).await;
            replaced += 1;
        }
    }
    // Whoever looked open may have been replaced by one that came later.
    let mut last = survivors.pop().unwrap();
    for mut served in survivors {
        if last.socket.is_open() && !served.socket.is_open() {
            served.peer.hears_close(CloseReason::Replaced).await;
        } else {
            last.peer.hears_close(CloseReason::Replaced).await;
            last = served;
        }
        replaced += 1;
    }
    assert_eq!((replaced, world.sockets.len()), (19, 1));
    last.peer.say("still here").await;
    last.peer.hears("still here").await;
}

async fn c61_of_twenty_at_once_the_oldest_survives_alone(over: Over) {
    let world = Arc::new(World::over(over));
    let mut first = world.serve(only("bob", OnlyOne::Oldest), quiet(), echo()).await;
    for _ in 0..19 {
        let (transport, _peer) = world.stream(100).await;
        let admission = climb(only("bob", OnlyOne::Oldest), world.sockets.cursor());
        assert_eq!(world.sockets.register(admission, transport, quiet()).unwrap_err(), CloseReason::Replaced);
    }
    first.peer.say("still here").await;
    first.peer.hears("still here").await;
    first.socket.end(CloseReason::Normal);
    world.serve(only("bob", OnlyOne::Oldest), quiet(), echo()).await;
}

async fn c81_a_drain_spreads_the_closes_and_a_logout_still_lands(over: Over) {
    let world = World::over(over);
    let mut all = Vec::new();
    for number in 0..30 {
        all.push(world.serve(login(&format!("{number}"), &format!("s{number}")), quiet(), echo()).await);
    }
    let over_time = Duration::from_millis(300);
    let began = Instant::now();
    let draining = tokio::spawn({
        let sockets = Arc::clone(&world.sockets);
        async move { sockets.drain(over_time).await }
    });
    tokio::task::yield_now().await;
    let (transport, _peer) = world.stream(100).await;
    let late = climb(somebody("late"), world.sockets.cursor());
    assert_eq!(world.sockets.register(late, transport, quiet()).unwrap_err(), CloseReason::Restart);

    let staying = all.iter().position(|served| served.socket.is_open()).unwrap();
    let logout = Target::Rest(Rest::on("sid", format!("s{staying}")));
    assert_eq!(world.sockets.end(None, &logout, CloseReason::SessionEnded).sockets().len(), 1);
    let mut closes = Vec::new();
    for (number, served) in all.iter_mut().enumerate() {
        let reason = if number == staying { CloseReason::SessionEnded } else { CloseReason::Restart };
        served.peer.hears_close(reason).await;
        closes.push(began.elapsed());
    }
    draining.await.unwrap();
    assert!(world.sockets.is_empty());
    assert!(closes.iter().max().unwrap() > &Duration::from_millis(150), "they did not all close at once");
}

#[tokio::test(start_paused = true)]
async fn what_restarts_leaves_spread_over_the_time_with_the_climbs_that_have_begun_and_the_rest_stays() {
    let world = World::over(Over::Pipe);
    let mut leaving = Vec::new();
    for number in 0..30 {
        leaving.push(world.serve(login(&format!("{number}"), "old"), quiet(), echo()).await);
    }
    let stays = world.serve(login("bob", "new"), quiet(), echo()).await;
    let begun = world.sockets.cursor();
    let began = Instant::now();
    let restart = |owner| world.sockets.restart(&OwnerId::new(owner), Rest::on("sid", "old"), Duration::from_secs(20));
    assert_eq!(restart("other").0, 0);
    let (count, work) = restart("acme");
    assert_eq!(count, 30);
    let work = tokio::spawn(work);
    let (transport, _peer) = world.stream(100).await;
    let late = |as_of| world.sockets.register(climb(login("late", "old"), as_of), Arc::clone(&transport), quiet());
    assert_eq!(late(begun).unwrap_err(), CloseReason::Restart);
    let after = late(world.sockets.cursor()).unwrap();
    let closes: Vec<_> = leaving
        .into_iter()
        .map(|mut served| {
            tokio::spawn(async move {
                served.peer.hears_close(CloseReason::Restart).await;
                began.elapsed().as_secs()
            })
        })
        .collect();
    let mut times = std::collections::BTreeSet::new();
    for close in closes {
        times.insert(close.await.unwrap());
    }
    assert!(times.len() > 8, "spread over {times:?}");
    work.await.unwrap();
    assert!(began.elapsed() <= Duration::from_secs(21), "{:?}", began.elapsed());
    assert!(stays.socket.is_open() && after.is_open());
}

/// A registry that does not run: enough for what is decided at once.
fn registry() -> Arc<Sockets> {
    World::over(Over::Pipe).sockets.clone()
}

#[tokio::test]
async fn what_has_ended_since_the_climb_began_is_refused_with_its_reason() {
    let (sockets, (stream, _peer)) = (registry(), tcp().await);
    let before = sockets.cursor();
    let rest = Target::Rest(Rest::on("sid", "a"));
    assert_eq!(sockets.end(None, &rest, CloseReason::SessionEnded).sockets(), []);
    let stream = Arc::new(stream);
    let refused = |proof, as_of| sockets.register(climb(proof, as_of), Arc::clone(&stream) as _, quiet()).err();
    assert_eq!(refused(login("bob", "a"), before), Some(CloseReason::SessionEnded));
    assert_eq!(refused(login("bob", "b"), before), None);
    assert_eq!(
        refused(login("bob", "a"), sockets.cursor()),
        Some(CloseReason::SessionEnded),
        "a login does not come back"
    );
    let subject = Target::Rest(Rest::on("subject", "member:bob"));
    drop(sockets.end(None, &subject, CloseReason::SessionEnded));
    assert_eq!(refused(login("bob", "b"), before), Some(CloseReason::SessionEnded));
    assert_eq!(refused(login("bob", "c"), sockets.cursor()), None, "a climb that began after it has looked itself");
}

#[tokio::test]
async fn a_climb_that_outlasts_the_memory_of_endings_is_asked_to_come_again() {
    let (sockets, (stream, _peer)) = (registry(), tcp().await);
    let before = sockets.cursor();
    let stream = Arc::new(stream);
    let mut endings = 0;
    while sockets.register(climb(login("bob", "a"), before), Arc::clone(&stream) as _, quiet()).is_ok() {
        assert!(endings < 1_000_000, "nothing is unbounded");
        for _ in 0..4096 {
            sockets.end(None, &Target::Rest(Rest::on("sid", "other")), CloseReason::SessionEnded);
            endings += 1;
        }
    }
    let refused = sockets.register(climb(login("bob", "a"), before), Arc::clone(&stream) as _, quiet()).unwrap_err();
    assert_eq!(refused, CloseReason::GoingAway);
    assert_eq!(refused.reconnect(), doorward_types::Reconnect::Now);
    assert!(sockets.register(climb(login("bob", "a"), sockets.cursor()), stream, quiet()).is_ok());
}

#[tokio::test]
async fn nothing_crosses_between_owners() {
    let sockets = registry();
    let mut peers = Vec::new();
    let mut admit = async |owner: &str, proof: Proof| {
        let (stream, peer) = tcp().await;
        peers.push(peer);
        sockets.register(climb_at(owner, "fancy", proof, Cursor(0)), Arc::new(stream), quiet()).unwrap()
    };
    let ours = admit("acme", only("bob", OnlyOne::Newest)).await;
    let theirs = admit("other", only("bob", OnlyOne::Newest)).await;
    assert!(ours.is_open(), "the newest of another owner replaces nobody here");
    let mut others = Vec::new();
    for number in 0..40 {
        others.push(admit(&format!("owner {number}"), only("bob", OnlyOne::Newest)).await);
    }
    assert!(
        ours.is_open() && theirs.is_open() && others.iter().all(|socket| socket.is_open()),
        "wherever they are kept"
    );
    let acme = OwnerId::new("acme");
    for what in [
        Target::Rest(Rest::on("gate", "fancy")),
        Target::Rest(Rest::on("subject", "member:bob")),
        Target::Socket(theirs.id()),
        Target::Everything,
    ] {
        sockets.end(Some(&acme), &what, CloseReason::SessionEnded);
        assert!(theirs.is_open(), "{what:?}");
    }
    assert!(!ours.is_open());
    assert_eq!(sockets.list(Some(&OwnerId::new("other")), 10).len(), 1);
    assert!(sockets.list(Some(&acme), 10).is_empty());
    drop(others);
    assert_eq!(sockets.count_by_gate(), [((OwnerId::new("other"), GateName::new("fancy")), 1)].into());
}

#[tokio::test]
async fn a_subject_has_so_many_sockets_and_no_more() {
    let sockets = registry();
    let policy = SocketPolicy { per_subject: Some(3), ..quiet() };
    let mut peers = Vec::new();
    let mut admit = async |name: &str| {
        let (stream, peer) = tcp().await;
        peers.push(peer);
        sockets.register(climb(somebody(name), Cursor(0)), Arc::new(stream), policy.clone())
    };
    let bobs = [admit("bob").await.unwrap(), admit("bob").await.unwrap(), admit("bob").await.unwrap()];
    assert_eq!(admit("bob").await.unwrap_err(), CloseReason::TooFast);
    assert!(admit("eve").await.is_ok());
    bobs[1].end(CloseReason::Normal);
    assert!(admit("bob").await.is_ok());
}

#[tokio::test]
async fn an_expired_admission_becomes_no_socket() {
    let world = World::over(Over::Tcp);
    let (stream, _peer) = tcp().await;
    let proof = Proof { expires_at: Some(doorward_auth::ports::Clock::now(&*world.wall)), ..somebody("bob") };
    let refused = world.sockets.register(climb(proof, Cursor(0)), Arc::new(stream), quiet());
    assert_eq!(refused.unwrap_err(), CloseReason::Expired);
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_sockets_are_listed_while_one_of_them_talks() {
    let world = World::over(Over::Pipe);
    let mut others = Vec::new();
    for number in 0..9_999 {
        let (transport, peer) = world.stream(10).await;
        let admission = climb(somebody(&format!("{number}")), Cursor(0));
        others.push((world.sockets.register(admission, transport, quiet()).unwrap(), peer));
    }
    let mut talking = world.serve(somebody("talking"), quiet(), echo()).await;
    for _ in 0..3 {
        talking.peer.say("hello").await;
        let listed = world.sockets.list(None, 20_000);
        assert_eq!(listed.len(), 10_000);
        assert_eq!(world.sockets.list(None, 5).len(), 5);
        talking.peer.hears("hello").await;
    }
    others.truncate(1);
    assert_eq!(world.sockets.len(), 2);
    assert_eq!(world.sockets.list(None, 20_000).len(), 2, "what is gone is forgotten");
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_sockets_end_with_one_word() {
    let world = World::over(Over::Pipe);
    let mut all = Vec::new();
    for number in 0..10_000 {
        let (transport, peer) = world.stream(100).await;
        let line = Line::new(Arc::clone(&transport), Vec::new(), 100);
        let socket =
            world.sockets.register(climb(somebody(&format!("{number}")), Cursor(0)), transport, quiet()).unwrap();
        tokio::spawn(line.run(socket, Box::new(echo())));
        all.push(peer);
    }
    let receipt = world.sockets.end(None, &Target::Everything, CloseReason::Restart).await;
    assert_eq!((receipt.sockets.len(), receipt.reset), (10_000, 0));
    for peer in &mut all {
        peer.hears_close(CloseReason::Restart).await;
        assert_eq!(peer.hear().await, Heard::End);
    }
}

#[test]
fn dice_of_one_seed_roll_the_same() {
    assert_eq!(Dice::of(3).roll(), Dice::of(3).roll());
    assert_ne!(Dice::of(3).roll(), Dice::of(4).roll());
}
