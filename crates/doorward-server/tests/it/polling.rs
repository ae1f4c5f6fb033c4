//! What a client that polls cannot get around: how many requests it may have, what of an answer is cut, and how it goes over to a
//! WebSocket.

use std::{future::pending, pin::pin, time::Duration};

use doorward_types::CloseReason;
use doorward_wire::websocket::frame::Opcode;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::{Instant, sleep, timeout},
};

use crate::{
    peer::{Heard, Peer, masked},
    polls::{Answer, Polls, ask},
    socketio::{GATES, emit},
    world::{Carried, Carrier, World, both},
};

const UNKNOWN: (u16, &str) = (400, r#"{"code":1,"message":"Session ID unknown"}"#);

/// More than what carries an answer takes of it while nobody reads: a pipe holds little, and what lies between two TCP sockets some
/// MiB.
fn much(carrier: Carrier) -> usize {
    match carrier {
        Carrier::Memory => 400 * 1024,
        Carrier::Tcp => 16 * 1024 * 1024,
    }
}

/// So much as an argument of an event.
fn large(carrier: Carrier) -> String {
    format!("\"{}\"", "x".repeat(much(carrier)))
}

/// A world in which two of them may wait.
async fn roomy(carrier: Carrier) -> World {
    World::of(carrier, &format!("[limits]\noutbox_bytes = {}\n{GATES}", much(carrier) * 5 / 2)).await
}

/// Whether a future is still not ready after a moment, in which everybody else has done what there was to do.
async fn waits(future: impl Future) -> bool {
    timeout(Duration::from_millis(1), future).await.is_err()
}

impl Polls<'_> {
    /// The head of a request of the session.
    fn head(&self, method: &str, more: &str) -> String {
        format!("{method} {} HTTP/1.1\r\nHost: gate.example\r\n{}{more}\r\n", self.target(), self.headers)
    }

    /// Gets something large over a connection that holds little, and takes no more than its beginning.
    async fn begins_to_take(&self, what: &str) -> Carried {
        let mut stream = self.world.dial_narrow(4096).await;
        stream.write_all(self.head("GET", "").as_bytes()).await.unwrap();
        assert_eq!(emit(self.world, what), 1);
        stream.read_exact(&mut [0; 1024]).await.unwrap();
        stream
    }

    fn upgrade_target(&self) -> String {
        self.target().replace("transport=polling", "transport=websocket")
    }

    async fn upgrades(&self) -> Peer {
        self.world.knock(&self.upgrade_target(), &self.headers).await.unwrap()
    }
}

both! {
    async fn c1_an_answer_that_is_half_taken_is_cut_with_its_session_and_nothing_of_it_comes_after(carrier: Carrier) {
        let world = roomy(carrier).await;
        let polls = Polls::begins(&world, "/socket.io/", "").await;
        polls.is_let_in().await;
        let mut slow = polls.begins_to_take(&large(carrier)).await;
        let began = Instant::now();
        assert_eq!(world.end("subject=member:bob").await["ended"], 1);
        let mut rest = Vec::new();
        let _reset = timeout(Duration::from_secs(30), slow.read_to_end(&mut rest)).await.unwrap();
        let within = if carrier == Carrier::Memory { Duration::from_millis(1200) } else { Duration::from_secs(10) };
        assert!(began.elapsed() < within, "{:?}", began.elapsed());
        assert!(rest.len() < much(carrier) - 1024, "{} bytes of it came", rest.len());
        assert!(rest.iter().all(|byte| *byte == b'x'), "and of nothing else");
        assert_eq!(polls.gets().await.says(), UNKNOWN);
        assert_eq!(polls.posts("42/default,[\"x\"]").await.says(), UNKNOWN);
        assert_eq!(emit(&world, "1"), 0);
        world.empties().await;
    }

    async fn c86_whoever_takes_no_answer_gets_no_other_and_is_slow(carrier: Carrier) {
        let world = roomy(carrier).await;
        let polls = Polls::begins(&world, "/socket.io/", "").await;
        polls.is_let_in().await;
        let mut first = polls.begins_to_take(&large(carrier)).await;
        emit(&world, "2");
        let mut next = pin!(polls.hears());
        assert!(waits(&mut next).await, "there is something, but the answer before it is not taken");
        let mut rest = Vec::new();
        let (taken, next) = tokio::join!(first.read_to_end(&mut rest), next);
        assert!(taken.is_ok() && rest.ends_with(b"x\"]"));
        assert_eq!(next, [r#"42/default,["happened",2]"#]);
        let _never_taken = polls.begins_to_take(&large(carrier)).await;
        for _ in 0..3 {
            emit(&world, &large(carrier));
        }
        world.empties().await;
    }

    async fn c25_a_second_post_while_the_body_of_the_first_comes_ends_the_session(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        let polls = Polls::begins(&world, "/socket.io/", "").await;
        polls.is_let_in().await;
        let mut first = world.dial().await;
        first.write_all(polls.head("POST", "Content-Length: 1000\r\n").as_bytes()).await.unwrap();
        first.write_all(b"42/default,").await.unwrap();
        assert!(waits(first.read_u8()).await);
        let began = Instant::now();
        assert_eq!(polls.posts("42/default,[\"x\"]").await.says(), UNKNOWN);
        assert_eq!(Answer::read(first).await.says(), UNKNOWN);
        assert!(began.elapsed() < Duration::from_secs(5), "a body is not waited for when its session is over");
        world.empties().await;
    }

    async fn two_gets_at_once_end_the_session_of_both(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        let polls = Polls::begins(&world, "/socket.io/", "").await;
        polls.is_let_in().await;
        let mut first = pin!(polls.gets());
        while !waits(&mut first).await {
            // A sign of life was due.
            first.set(polls.gets());
        }
        assert_eq!(polls.gets().await.says(), UNKNOWN);
        assert_eq!(first.await.says(), UNKNOWN);
        world.empties().await;
    }

    async fn a_get_that_waits_when_a_websocket_takes_over_is_answered_with_nothing(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        let polls = Polls::begins(&world, "/socket.io/", "").await;
        polls.is_let_in().await;
        let (mut one, mut other) = (polls.upgrades().await, polls.upgrades().await);
        one.say("2probe").await;
        one.hears_of("3probe").await;
        assert_eq!(polls.hears().await, ["6"], "at once, since a WebSocket has said that it comes");
        assert_eq!(world.door.caps().counts(), (1, 2), "until they have it they are as any who climb");
        other.say("no").await;
        assert_eq!(other.closes().await, [CloseReason::Malformed.code()]);
        let mut waiting = pin!(polls.hears());
        assert!(waits(&mut waiting).await, "one has not come");
        one.say("5").await;
        assert_eq!(waiting.await, ["6"]);
        assert_eq!(world.door.caps().counts(), (1, 0));
        emit(&world, "1");
        assert_eq!(one.hears_of("42").await, r#"42/default,["happened",1]"#);
        assert_eq!(polls.gets().await.says(), UNKNOWN);
    }

    async fn a_websocket_that_says_the_wrong_words_takes_nothing_over(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        let polls = Polls::begins(&world, "/socket.io/", "").await;
        polls.is_let_in().await;
        let long = "2".repeat(600);
        for words in [&["5"][..], &["2"], &["3probe"], &["2probe", "2probe"], &["2probe", "4hello"], &["2probe", "2"], &[&long]] {
            let mut peer = polls.upgrades().await;
            let began = Instant::now();
            for word in words {
                peer.say(word).await;
            }
            let heard = peer.rest().await;
            let is_malformed = |heard: &Heard| matches!(heard, Heard::Close(code, _) if *code == CloseReason::Malformed.code());
            assert!(heard.last().is_some_and(is_malformed), "{words:?}: {heard:?}");
            assert!(began.elapsed() < Duration::from_secs(5), "{words:?}: it is not waited for more");
        }
        let mut peer = polls.upgrades().await;
        peer.frame(Opcode::Binary, b"2probe").await;
        assert_eq!(peer.closes().await, [CloseReason::Malformed.code()]);
        let mut waiting = pin!(polls.hears());
        assert!(waits(&mut waiting).await, "it polls on, and its GETs wait again");
        emit(&world, "1");
        assert_eq!(waiting.await, [r#"42/default,["happened",1]"#]);
    }

    async fn of_two_websockets_one_takes_a_session_over(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        let polls = Polls::begins(&world, "/socket.io/", "").await;
        polls.is_let_in().await;
        let (mut one, mut other) = (polls.upgrades().await, polls.upgrades().await);
        one.say("2probe").await;
        one.hears_of("3probe").await;
        let late = world.knock(&polls.upgrade_target(), "").await;
        assert_eq!(late.err().unwrap().status, 400, "somebody is about to take it over");
        other.say("2probe").await;
        other.hears_of("3probe").await;
        one.say("5").await;
        emit(&world, "1");
        one.hears_of("42").await;
        // The packet after the word would end the session.
        other.bytes(&[masked(Opcode::Text, b"5"), masked(Opcode::Text, b"1")].concat()).await;
        assert_eq!(other.hear().await, Heard::End);
        emit(&world, "2");
        assert_eq!(one.hears_of("42").await, r#"42/default,["happened",2]"#);
    }

    async fn the_id_of_a_session_is_of_no_use_in_another_revision_or_over_another_transport(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        let polls = Polls::begins(&world, "/socket.io/", "").await;
        polls.connects("/default").await;
        for (from, to) in [("EIO=4", "EIO=3"), ("EIO=4", "EIO=5"), ("EIO=4&", "")] {
            assert_eq!(ask(&world, "GET", &polls.target().replace(from, to), "", "").await.says(), UNKNOWN, "{to}");
            let upgrade = polls.upgrade_target().replace(from, to);
            assert_eq!(world.knock(&upgrade, "").await.err().unwrap().status, 400, "{to}");
        }
        assert_eq!(world.knock(&polls.target(), "").await.err().unwrap().status, 400, "a WebSocket that says to poll");
        polls.is_let_in().await;
    }

    async fn c86_a_source_that_has_all_its_sockets_goes_on_polling_and_gets_no_more(carrier: Carrier) {
        let world = World::of(carrier, &format!("[limits]\nsockets_per_source = 1\n{GATES}")).await;
        let polls = Polls::begins(&world, "/socket.io/", "").await;
        polls.is_let_in().await;
        emit(&world, "1");
        assert_eq!(polls.hears_of("42/default,[\"happened\"").await, r#"42/default,["happened",1]"#);
        let another = ask(&world, "GET", "/socket.io/?EIO=4&transport=polling", "", "").await;
        assert_eq!(another.status, 503, "{another:?}");
        world.end("subject=member:bob").await;
        world.empties().await;
        Polls::begins(&world, "/socket.io/", "").await;
    }

    async fn c86_a_session_that_nobody_is_let_in_by_has_a_place_among_those_who_climb_and_its_requests_have_none(carrier: Carrier) {
        let world = World::of(carrier, &format!("[limits]\nclimbing_per_source = 2\n{GATES}")).await;
        let polls = Polls::begins(&world, "/socket.io/", "").await;
        polls.connects("/default").await;
        let mut waiting = pin!(polls.gets());
        assert!(waits(&mut waiting).await);
        let _second = Polls::begins(&world, "/socket.io/", "").await;
        assert_eq!(world.door.caps().counts(), (0, 2));
        let mut third = world.dial().await;
        let mut nothing = Vec::new();
        let _reset = third.read_to_end(&mut nothing).await;
        assert_eq!(nothing, b"");
    }
}

#[tokio::test(start_paused = true)]
async fn c1_an_answer_that_tells_of_the_end_has_a_second_to_be_taken() {
    for (after, is_whole) in [(900, true), (1100, false)] {
        let world = World::of(Carrier::Memory, GATES).await;
        let polls = Polls::begins(&world, "/socket.io/", "").await;
        polls.is_let_in().await;
        let mut slow = world.dial_narrow(64).await;
        slow.write_all(polls.head("GET", "").as_bytes()).await.unwrap();
        assert!(waits(slow.read_u8()).await);
        world.end("subject=member:bob").await;
        sleep(Duration::from_millis(after)).await;
        let told = Answer::read(slow).await;
        assert_eq!(told.body.ends_with("\x1e41/default,"), is_whole, "{told:?}");
        assert_eq!(polls.gets().await.says(), UNKNOWN);
        world.empties().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_get_that_has_hung_up_is_no_first_one() {
    let world = World::of(Carrier::Memory, GATES).await;
    let polls = Polls::begins(&world, "/socket.io/", "").await;
    polls.is_let_in().await;
    for _ in 0..3 {
        let mut gone = world.dial().await;
        gone.write_all(polls.head("GET", "").as_bytes()).await.unwrap();
        assert!(waits(gone.read_u8()).await);
        drop(gone);
        // A moment of paused time, in which it is noticed.
        assert!(waits(pending::<()>()).await);
    }
    emit(&world, "1");
    assert_eq!(polls.hears_of("42").await, r#"42/default,["happened",1]"#);
}

#[tokio::test(start_paused = true)]
async fn a_post_whose_body_does_not_come_ends_the_session_after_ten_seconds() {
    let world = World::of(Carrier::Memory, GATES).await;
    let polls = Polls::begins(&world, "/socket.io/", "").await;
    polls.is_let_in().await;
    let mut slow = world.dial().await;
    slow.write_all(polls.head("POST", "Content-Length: 20\r\n").as_bytes()).await.unwrap();
    slow.write_all(b"42/default,[").await.unwrap();
    let began = Instant::now();
    let answer = Answer::read(slow).await;
    assert_eq!(answer.says(), (400, r#"{"code":3,"message":"Bad request"}"#));
    assert_eq!(began.elapsed().as_secs(), 10);
    world.empties().await;
    assert!(began.elapsed() < Duration::from_secs(12), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_websocket_that_says_nothing_takes_nothing_over_and_goes_after_ten_seconds() {
    let world = World::of(Carrier::Memory, GATES).await;
    let polls = Polls::begins(&world, "/socket.io/", "").await;
    polls.is_let_in().await;
    let began = Instant::now();
    let mut peer = polls.upgrades().await;
    assert_eq!(peer.closes().await, [CloseReason::Malformed.code()]);
    assert_eq!(began.elapsed().as_secs(), 10);
    emit(&world, "1");
    assert_eq!(polls.hears_of("42").await, r#"42/default,["happened",1]"#);
}

#[tokio::test(start_paused = true)]
async fn while_the_server_stops_nobody_begins_to_poll_and_whoever_climbs_is_told() {
    let world = World::of(Carrier::Memory, GATES).await;
    let polls = Polls::begins(&world, "/socket.io/", "").await;
    polls.connects("/default").await;
    let waiting = polls.gets();
    let (told, ()) = tokio::join!(waiting, world.door.drain(Duration::from_secs(1)));
    assert_eq!(
        (told.status, told.body.as_str()),
        (200, "1"),
        "the transport closes, and the client comes again by itself"
    );
    assert_eq!(ask(&world, "GET", "/socket.io/?EIO=4&transport=polling", "", "").await.status, 503);
    assert_eq!(world.verdicts().await, ["hung up"]);
}

#[tokio::test(start_paused = true)]
async fn a_websocket_that_comes_for_a_session_that_has_ended_takes_nothing_over() {
    let world = World::of(Carrier::Memory, GATES).await;
    let polls = Polls::begins(&world, "/socket.io/", "").await;
    polls.is_let_in().await;
    let mut peer = polls.upgrades().await;
    peer.say("2probe").await;
    peer.hears_of("3probe").await;
    world.end("subject=member:bob").await;
    peer.say("5").await;
    assert_eq!(peer.hear().await, Heard::End);
    world.empties().await;
}

#[tokio::test(start_paused = true)]
async fn c24_before_its_last_word_a_websocket_that_announces_much_is_closed_at_once() {
    let world = World::of(Carrier::Memory, GATES).await;
    let polls = Polls::begins(&world, "/socket.io/", "").await;
    polls.is_let_in().await;
    let mut peer = polls.upgrades().await;
    let began = Instant::now();
    // A text of 1 KiB, of which nothing follows.
    peer.bytes(&[0x81, 0xFE, 0x04, 0x00, 0, 0, 0, 0]).await;
    assert_eq!(peer.closes().await, [CloseReason::Malformed.code()]);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn c25_a_post_is_not_taken_while_another_has_not_been_read() {
    let world = World::of(Carrier::Memory, GATES).await;
    let polls = Polls::begins(&world, "/socket.io/", "").await;
    // What is said to this waits for a GET, and nothing more is read meanwhile.
    polls.says("40/default,").await;
    let mut gone = world.dial().await;
    gone.write_all(polls.head("POST", "Content-Length: 20\r\n").as_bytes()).await.unwrap();
    gone.write_all(br#"42/default,["x",123]"#).await.unwrap();
    assert!(waits(gone.read_u8()).await, "it is answered when it was read");
    drop(gone);
    assert!(waits(pending::<()>()).await);
    assert_eq!(polls.posts("42/default,[\"y\"]").await.says(), UNKNOWN);
    world.empties().await;
}
