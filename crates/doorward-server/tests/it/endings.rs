//! After the admission: what is ended, drained, silent, too fast, denied or panics; and that nobody hears what was for another.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use doorward_auth::{Admission, ports::Rng};
use doorward_backends::hub::{ChannelModel, Permitted};
use doorward_server::{Extensions, control::Request};
use doorward_testkit::SeededRng;
use doorward_wire::json::Inbound;
use doorward_wire::websocket::frame::Opcode;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::{
    peer::{Heard, Peer},
    world::{CHAT, Carrier, SITE, World, both},
};

const ROOMY: &str = "[limits]\nclimbing_per_source = 500\nclimbing_per_node = 2000\nsockets_per_source = 1000\n\
                     sockets_per_subject = 1000\n";

async fn subscribe(peer: &mut Peer, channel: &str, pk: &str) {
    peer.json(json!({ "action": "subscribe", "channel": channel, "pk": pk })).await;
    assert_eq!(peer.event().await["event"], "subscribed");
}

/// A number below `below`.
fn drawn(rng: &SeededRng, below: u64) -> u64 {
    let mut bytes = [0; 8];
    rng.fill(&mut bytes);
    u64::from_be_bytes(bytes) % below
}

both! {
    async fn c1_an_ended_subject_is_closed_and_hears_nothing_after_it(carrier: Carrier) {
        let world = World::of(carrier, CHAT).await;
        let rooms = json!({ "rooms": ["1"] });
        let mut one = world.admitted("/chat", &world.token("7", rooms.clone())).await;
        let mut other = world.admitted("/chat", &world.token("8", rooms)).await;
        subscribe(&mut one, "room", "1").await;
        subscribe(&mut other, "room", "1").await;
        let receipt = world.end("subject=member:7").await;
        assert_eq!(receipt["ended"], 1, "{receipt}");
        assert!(receipt["within_ms"].as_u64().unwrap() <= 1000, "{receipt}");
        other.json(json!({ "action": "publish", "channel": "room", "pk": "1", "message": "after" })).await;
        assert_eq!(other.event().await["event"], "message");
        let heard = one.rest().await;
        assert_eq!(heard, [Heard::Close(4410, "session_ended".into())]);
        assert_eq!(world.door.sockets().len(), 1);
        let listed = world.operate(Request::ListSockets { owner: Some("acme".into()), at_most: 10 }).await;
        assert_eq!(listed["sockets"][0]["subject"], "member:8");
        let elsewhere = world.operate(Request::ListSockets { owner: Some("other".into()), at_most: 10 }).await;
        assert_eq!(elsewhere["sockets"], json!([]), "nothing crosses between owners");
    }

    async fn c4_ending_one_login_leaves_the_other_and_ending_the_subject_ends_both(carrier: Carrier) {
        let world = World::of(carrier, CHAT).await;
        let mut first = world.admitted("/chat", &world.token("7", json!({ "jti": "one" }))).await;
        let mut second = world.admitted("/chat", &world.token("7", json!({ "jti": "two" }))).await;
        assert_eq!(world.end("jti=one").await["ended"], 1);
        assert_eq!(first.closes().await, [4410]);
        subscribe(&mut second, "news", "1").await;
        let third = world.admitted("/chat", &world.token("7", json!({ "jti": "three" }))).await;
        assert_eq!(world.end("subject=member:7").await["ended"], 2);
        for mut peer in [second, third] {
            assert_eq!(peer.closes().await, [4410]);
        }
        world.empties().await;
    }

    async fn c60_what_no_rule_allows_is_denied_in_the_words_of_what_does_not_exist(carrier: Carrier) {
        let world = World::of(carrier, CHAT).await;
        let mut peer = world.admitted("/chat", &world.token("7", json!({ "rooms": ["1"] }))).await;
        let mut words = Vec::new();
        for (action, channel, pk) in [
            ("subscribe", "nowhere", "1"),
            ("subscribe", "room", "2"),
            ("publish", "room", "2"),
            ("publish", "news", "1"),
            ("publish", "nowhere", "1"),
            ("roll", "room", "1"),
            ("roll", "nowhere", "1"),
        ] {
            peer.json(json!({ "action": action, "channel": channel, "pk": pk, "message": 1, "id": 5 })).await;
            words.push(peer.event().await);
        }
        assert!(words.iter().all(|one| *one == words[0]), "{words:#?}");
        assert_eq!((&words[0]["event"], &words[0]["code"]), (&json!("error"), &json!("permission_denied")));
        subscribe(&mut peer, "room", "1").await;
    }

    async fn c6_climbs_that_race_an_ending_leave_no_socket_behind(carrier: Carrier) {
        let rng = SeededRng::new(6);
        for round in 0..4_u64 {
            let world = Arc::new(World::of(carrier, &format!("{ROOMY}{CHAT}")).await);
            let mut before = Vec::new();
            for _ in 0..50 {
                let mut peer = world.peer("/chat").await;
                assert_eq!(peer.event().await["event"], "ask");
                before.push(peer);
            }
            let climbs: Vec<_> = before
                .into_iter()
                .map(|mut peer| {
                    let token = world.token("7", json!({}));
                    let turns = drawn(&rng, 60);
                    tokio::spawn(async move {
                        for _ in 0..turns {
                            tokio::task::yield_now().await;
                        }
                        peer.json(json!({ "action": "auth", "kind": "jwt", "token": token })).await;
                        peer.closes().await
                    })
                })
                .collect();
            for _ in 0..drawn(&rng, 60) + round {
                tokio::task::yield_now().await;
            }
            world.end("subject=member:7").await;
            for climb in climbs {
                assert_eq!(climb.await.unwrap(), [4410], "every climb that had begun ends with the login");
            }
            let listed = world.operate(Request::ListSockets { owner: None, at_most: 100 }).await;
            assert_eq!(listed["sockets"], json!([]));
            // Whoever comes after the ending with a new proof is somebody new.
            world.admitted("/chat", &world.token("7", json!({}))).await;
        }
    }

    async fn c66_nobody_ever_hears_what_was_for_another(carrier: Carrier) {
        let world = Arc::new(World::of(carrier, &format!("{ROOMY}{CHAT}")).await);
        let rng = SeededRng::new(66);
        let mut tasks = Vec::new();
        for number in 0..200_u64 {
            let world = Arc::clone(&world);
            let cancelled_after = drawn(&rng, 8);
            tasks.push(tokio::spawn(async move {
                let own = number.to_string();
                let mut peer = world.admitted("/chat", &world.token(&own, json!({ "rooms": [own] }))).await;
                subscribe(&mut peer, "room", &own).await;
                let mut heard = 0;
                for round in 0..6 {
                    if round == cancelled_after {
                        return heard;
                    }
                    let canary = format!("canary of {own}, {round}");
                    peer.json(json!({ "action": "publish", "channel": "room", "pk": own, "message": canary, "id": 1 })).await;
                    loop {
                        let event = peer.event().await;
                        if event["event"] == "published" {
                            break;
                        }
                        assert_eq!(event["pk"], own.as_str());
                        assert_eq!(event["message"], canary.as_str());
                        heard += 1;
                    }
                    tokio::task::yield_now().await;
                }
                heard
            }));
        }
        let mut heard = 0;
        for task in tasks {
            heard += task.await.unwrap();
        }
        assert!(heard > 400, "{heard} canaries came home");
        world.empties().await;
    }
}

#[tokio::test(start_paused = true)]
async fn c80_a_peer_that_vanished_is_noticed_by_its_silence_and_one_that_answers_stays() {
    let world = World::of(Carrier::Memory, CHAT).await;
    let token = |subject: &str| world.token(subject, json!({}));
    let mut silent = world.admitted("/chat", &token("1")).await;
    let mut alive = world.admitted("/chat", &token("2")).await;
    let began = Instant::now();
    let answering = tokio::spawn(async move {
        while began.elapsed() < Duration::from_secs(120) {
            match alive.hear().await {
                Heard::Ping => alive.frame(Opcode::Pong, b"").await,
                heard => panic!("{heard:?}"),
            }
        }
        alive
    });
    let mut heard = Vec::new();
    while !matches!(heard.last(), Some(Heard::End)) {
        heard.push(silent.hear().await);
    }
    let seconds = began.elapsed().as_secs();
    assert!((35..=38).contains(&seconds), "pinged after 25 s, given up 10 s later: {seconds} s");
    assert!(heard.contains(&Heard::Close(1001, "ping_timeout".into())), "{heard:?}");
    let _alive = answering.await.unwrap();
    assert_eq!(world.door.sockets().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn c81_a_drain_lets_nobody_in_spreads_its_closes_and_loses_nothing_that_was_accepted() {
    let world = World::of(Carrier::Memory, &format!("{ROOMY}{CHAT}")).await;
    let mut peers = Vec::new();
    for number in 0..60 {
        let token = world.token(&number.to_string(), json!({ "rooms": ["1"] }));
        let mut peer = world.admitted("/chat", &token).await;
        subscribe(&mut peer, "room", "1").await;
        peers.push(peer);
    }
    let mut climbing = world.peer("/chat").await;
    climbing.event().await;
    let mut publisher = peers.pop().unwrap();
    publisher.json(json!({ "action": "publish", "channel": "room", "pk": "1", "message": "the last", "id": 1 })).await;
    loop {
        if publisher.event().await["event"] == "published" {
            break;
        }
    }
    let began = Instant::now();
    let door = Arc::clone(&world.door);
    let draining = tokio::spawn(async move { door.drain(Duration::from_secs(20)).await });
    assert_eq!(climbing.closes().await, [1012], "a climb has nothing to lose");
    assert_eq!(began.elapsed().as_secs(), 0);
    assert_eq!(world.knock("/chat", "").await.err().unwrap().status, 503);
    // An ending still lands at once on one that waits for its turn.
    assert_eq!(world.end("subject=member:59").await["ended"], 1);
    assert_eq!(publisher.closes().await, [4410]);
    assert!(began.elapsed() < Duration::from_secs(1));
    let leaving: Vec<_> = peers
        .into_iter()
        .map(|mut peer| {
            tokio::spawn(async move {
                let heard = peer.rest().await;
                (heard, began.elapsed())
            })
        })
        .collect();
    let mut times = Vec::new();
    for one in leaving {
        let (heard, after) = one.await.unwrap();
        assert!(matches!(&heard[0], Heard::Text(text) if text.contains("the last")), "{heard:?}");
        assert_eq!(heard[1..], [Heard::Close(1012, "restart".into())]);
        assert!(after <= Duration::from_secs(21), "{after:?}");
        times.push(after.as_secs());
    }
    times.sort_unstable();
    times.dedup();
    assert!(times.len() > 10, "spread over {times:?}");
    draining.await.unwrap();
    assert!(began.elapsed() <= Duration::from_secs(22));
    world.empties().await;
}

#[tokio::test(start_paused = true)]
async fn c87_one_that_sends_too_fast_is_ended_and_its_neighbour_is_not() {
    let world = World::of(Carrier::Memory, CHAT).await;
    let mut fast = world.admitted("/chat", &world.token("1", json!({}))).await;
    let mut neighbour = world.admitted("/chat", &world.token("2", json!({}))).await;
    for number in 0..200 {
        fast.json(json!({ "action": "subscribe", "channel": "news", "id": number })).await;
    }
    let heard = fast.rest().await;
    assert_eq!(heard.last(), Some(&Heard::Close(4429, "too_fast".into())));
    let answered = heard.iter().filter(|heard| matches!(heard, Heard::Text(_))).count();
    assert!((1..=61).contains(&answered), "{answered} of 200 were answered");
    for number in 0..100 {
        neighbour.json(json!({ "action": "subscribe", "channel": "news", "id": number })).await;
        assert_eq!(neighbour.event().await["event"], "subscribed");
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn c8_a_socket_ends_when_its_token_does() {
    let world = World::of(Carrier::Memory, CHAT).await;
    let now = World::NOW.as_secs();
    let mut peer = world.admitted("/chat", &world.token("7", json!({ "exp": now + 3 }))).await;
    let began = Instant::now();
    let clock = Arc::clone(&world.clock);
    let ticking = tokio::spawn(async move {
        loop {
            sleep(Duration::from_millis(100)).await;
            clock.advance(Duration::from_millis(100));
        }
    });
    assert_eq!(peer.closes().await, [4410]);
    let after = began.elapsed();
    assert!(after >= Duration::from_millis(2900) && after <= Duration::from_secs(4), "{after:?}");
    ticking.abort();
}

#[tokio::test(start_paused = true)]
async fn c8_a_socket_whose_token_expires_goes_on_with_another_one() {
    let config = CHAT.replace("{ jwt = {} }", "{ jwt = { on_expiry = \"reauth\" } }");
    assert_ne!(config, CHAT);
    let world = World::of(Carrier::Memory, &config).await;
    let now = World::NOW.as_secs();
    let mut peer = world.admitted("/chat", &world.token("7", json!({ "exp": now + 3 }))).await;
    sleep(Duration::from_millis(100)).await;
    world.clock.advance(Duration::from_secs(3));
    let asked = peer.event().await;
    assert_eq!((&asked["event"], &asked["layer"]), (&json!("ask"), &json!("jwt")));
    peer.json(json!({ "action": "auth", "kind": "jwt", "token": world.token("8", json!({ "exp": now + 60 })) })).await;
    assert_eq!(peer.event().await["code"], "not_authenticated", "of somebody else");
    peer.json(json!({ "action": "auth", "kind": "jwt", "token": world.token("7", json!({ "exp": now + 60 })) })).await;
    assert_eq!(peer.event().await["event"], "ask");
    assert_eq!(peer.event().await["event"], "admitted");
    world.clock.advance(Duration::from_secs(40));
    peer.json(json!({ "action": "unsubscribe", "channel": "news", "id": 1 })).await;
    assert_eq!(peer.event().await["event"], "unsubscribed");
    world.clock.advance(Duration::from_secs(20));
    assert_eq!(peer.event().await["event"], "ask");
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(peer.closes().await, [4410]);
}

/// A model with a mistake in it.
struct Mistaken(AtomicBool);

impl ChannelModel for Mistaken {
    fn can_subscribe(&self, _: &Admission, message: &Inbound<'_>) -> Permitted {
        if message.pk.as_deref() == Some("13") {
            self.0.store(true, Ordering::SeqCst);
            panic!("nobody thought of thirteen");
        }
        Permitted::WhatWasAskedFor
    }
}

#[tokio::test(start_paused = true)]
async fn c68_a_model_that_panics_ends_its_own_socket_with_1011_and_no_other() {
    let model = Arc::new(Mistaken(AtomicBool::new(false)));
    let extensions = Extensions::default().channel("seats", Arc::clone(&model));
    let text = format!("{SITE}{CHAT}[[gate.channel]]\nname = \"seats\"\n");
    let world = World::with(Carrier::Memory, &text, extensions).await;
    let token = |subject: &str| world.token(subject, json!({}));
    let mut one = world.admitted("/chat", &token("1")).await;
    let mut other = world.admitted("/chat", &token("2")).await;
    subscribe(&mut other, "seats", "12").await;
    one.json(json!({ "action": "subscribe", "channel": "seats", "pk": "13" })).await;
    assert_eq!(one.closes().await, [1011]);
    assert!(model.0.load(Ordering::SeqCst));
    subscribe(&mut other, "seats", "14").await;
    assert_eq!(world.door.sockets().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_audit_log_that_takes_nothing_lets_nobody_in() {
    let gates = r#"
        [[gate]]
        name = "pages"
        path = "/pages"
        backend = { echo = {} }
        ladder = [{ bearer = {} }]
    "#;
    let world = World::of(Carrier::Memory, &format!("{CHAT}{gates}")).await;
    assert_eq!(world.operate(Request::Health {}).await["status"], "ok");
    world.log.fill();
    assert_eq!(world.operate(Request::Health {}).await["status"], "failing");
    let mut peer = world.peer("/chat").await;
    peer.event().await;
    let token = world.token("7", json!({}));
    peer.json(json!({ "action": "auth", "kind": "jwt", "token": token })).await;
    assert_eq!(peer.closes().await, [1013]);
    let bearer = format!("Authorization: Bearer {token}\r\n");
    match world.knock("/pages", &bearer).await {
        Ok(mut peer) => {
            peer.say("is anybody there?").await;
            assert_eq!(peer.rest().await, [Heard::Close(1013, "try_later".into())]);
        }
        Err(refused) => assert_eq!(refused.status, 503),
    }
    world.empties().await;
}

#[tokio::test(start_paused = true)]
async fn the_operator_is_told_what_the_door_holds() {
    let world = World::of(Carrier::Memory, CHAT).await;
    let _peer = world.admitted("/chat", &world.token("7", json!({}))).await;
    let _climbing = world.peer("/chat").await;
    let health: Value = world.operate(Request::Health {}).await;
    assert_eq!((&health["sockets"], &health["climbing"], &health["gates"]), (&json!(1), &json!(1), &json!(1)));
    for nonsense in ["", "subject", "member:7"] {
        let request = Request::EndSockets { owner: None, what: nonsense.into() };
        let error = world.door.operate(request).await.unwrap_err();
        assert!(!error.contains('\n') && error.starts_with(&format!("`{nonsense}` is neither")), "{error}");
    }
}
