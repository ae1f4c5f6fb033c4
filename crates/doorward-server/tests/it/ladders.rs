//! Before the admission: what is sent too large, too late, too early or wrong.

use std::{sync::Arc, time::Duration};

use doorward_auth::{
    layers::conversation::app_key::NewAppKey,
    ports::{AppKey, AppKeys},
    trail::Step,
};
use doorward_client::{Credentials, Options};
use doorward_testkit::SeededRng;
use doorward_types::{KeyId, OwnerId, Subject, Timestamp};
use doorward_wire::websocket::frame::{self, Opcode};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::{
    peer::{Heard, Peer, auth, masked},
    world::{CHAT, Carrier, SECRET, World, both},
};

const ROBOTS: &str = r#"
    [[gate]]
    name = "robots"
    path = "/robots"
    backend = { echo = {} }
    ladder = [{ app_key = {} }]
    [[gate]]
    name = "offer"
    path = "/offer"
    backend = { echo = {} }
    ladder = [{ offer = { of = [{ app_key = { plain = true } }, { jwt = {} }] } }]
"#;

/// Frames as text, with what differs by chance blotted out.
fn blotted(heard: &[Heard]) -> Vec<String> {
    let blot = |text: &String| {
        let mut value: Value = serde_json::from_str(text).unwrap();
        for name in ["trace", "nonce"] {
            if let Some(text) = value.get(name).and_then(Value::as_str) {
                value[name] = "x".repeat(text.len()).into();
            }
        }
        value.to_string()
    };
    let line = |heard: &Heard| match heard {
        Heard::Text(text) => blot(text),
        other => format!("{other:?}"),
    };
    heard.iter().map(line).collect()
}

/// The steps of the newest decision, without their times and reasons.
async fn newest_steps(world: &World) -> Vec<String> {
    let line = |step: &Step| format!("{} {} {:?} {:?}", step.layer, step.step, step.verb, step.outcome);
    let rows = world.rows().await;
    rows.last().unwrap().trail.iter().flat_map(|rung| &rung.steps).map(line).collect()
}

/// Puts a key into the store and gives its text.
async fn robot(world: &World, seed: u64, revoked_at: Option<Timestamp>) -> (String, KeyId) {
    let NewAppKey { text, id, public } = NewAppKey::draw(&SeededRng::new(seed));
    let key = AppKey {
        owner: OwnerId::new("acme"),
        id: id.clone(),
        public,
        subject: Subject { kind: "key".into(), pk: "3".into(), uuid: "robot".into() },
        created_at: World::NOW,
        revoked_at,
    };
    assert_eq!(world.app_keys.add(key).await, Ok(true));
    (text.reveal_text("a test").unwrap().to_owned(), id)
}

/// The header of a frame, masked, that announces so many bytes.
fn announced(opcode: Opcode, fin: bool, length: u64) -> Vec<u8> {
    let first = (u8::from(fin) << 7) | opcode as u8;
    [&[first, 0xFF][..], &length.to_be_bytes(), &[1, 2, 3, 4]].concat()
}

both! {
    async fn c24_a_message_that_is_announced_too_large_is_refused_by_its_header(carrier: Carrier) {
        let world = World::of(carrier, CHAT).await;
        for (length, code) in [(1 << 16, 1009), (16 << 20, 1009), (1 << 31, 1009), ((1 << 63) - 1, 1009), (1 << 63, 1002)] {
            for opcode in [Opcode::Text, Opcode::Binary] {
                let mut peer = world.peer("/chat").await;
                assert_eq!(peer.event().await["event"], "ask");
                peer.bytes(&announced(opcode, true, length)).await;
                assert_eq!(peer.closes().await, [code], "{length}");
            }
        }
        world.empties().await;
        let verdicts = world.verdicts().await;
        assert_eq!(verdicts[0], "1009 server: read a message");
        assert_eq!(verdicts.last().unwrap(), "1002 server: read a message");
    }

    async fn c32_an_unknown_a_revoked_and_a_wrong_key_get_the_same_frames_after_the_same_steps(carrier: Carrier) {
        let world = World::of(carrier, ROBOTS).await;
        let (text, known) = robot(&world, 11, None).await;
        let (_, revoked) = robot(&world, 12, Some(World::NOW)).await;
        let unknown = NewAppKey::draw(&SeededRng::new(13)).id;
        let mut client = world.client("/robots", Options::default()).await.unwrap();
        let climbed = client.climb(&mut Credentials::new().app_key(&text).unwrap()).await.unwrap();
        assert_eq!(climbed.subject.unwrap().to_string(), "key:3");
        let hit = newest_steps(&world).await;

        let mut all = Vec::new();
        let proofs = ["A".repeat(86), "not base64url!".to_owned(), String::new()];
        for id in [&known, &revoked, &unknown, &KeyId::new("no id at all")] {
            for proof in &proofs {
                let mut peer = world.peer("/robots").await;
                let mut heard = vec![peer.hear().await];
                peer.json(auth("app_key", "key", id.as_str())).await;
                heard.push(peer.hear().await);
                peer.json(auth("app_key", "proof", proof)).await;
                heard.extend(peer.rest().await);
                all.push((blotted(&heard), newest_steps(&world).await, peer.head));
            }
        }
        assert!(all.iter().all(|one| *one == all[0]), "{all:#?}");
        let (frames, missed, _) = &all[0];
        assert_eq!(frames.last().unwrap(), "Close(4401, \"not_authenticated\")");
        let names = |steps: &[String]| steps.iter().map(|step| step.rsplit_once(' ').unwrap().0.to_owned()).collect();
        let (of_hit, of_missed): (Vec<String>, Vec<String>) = (names(&hit), names(missed));
        assert_eq!(of_missed, of_hit, "the refused took all the steps that the admitted took");
    }

    async fn c51_every_wrong_token_gets_the_same_frames(carrier: Carrier) {
        let world = World::of(carrier, CHAT).await;
        let good = world.token("7", json!({}));
        let (signed, signature) = good.rsplit_once('.').unwrap();
        let secret = doorward_testkit::tokens::TestKey::secret(SECRET.as_bytes());
        let now = World::NOW.as_secs();
        let claims = json!({ "iss": "https://site.example", "aud": "doorward", "sub": "7", "iat": now, "exp": now + 600 });
        let with = |name: &str, value: Value| {
            let mut claims = claims.clone();
            claims[name] = value;
            claims
        };
        let typed = |typ: &str| secret.sign(&json!({ "alg": "HS256", "typ": typ }), &claims);
        let none = doorward_testkit::tokens::TestKey::None;
        let wrong = [
            String::new(),
            "x.y.z".to_owned(),
            format!("{signed}.{}", signature.chars().rev().collect::<String>()),
            none.sign(&json!({ "alg": "none" }), &claims),
            typed("refresh+jwt"),
            typed("logout+jwt"),
            typed("id_token+jwt"),
            world.token("7", json!({ "aud": "another" })),
            world.token("7", json!({ "iss": "https://other.example" })),
            world.token("7", json!({ "iat": now - 900, "exp": now - 300 })),
            secret.sign(&json!({ "alg": "HS256", "typ": "JWT" }), &with("nonce", json!("of an ID token"))),
            secret.sign(&json!({ "alg": "HS256" }), &with("at_hash", json!("of an ID token"))),
            world.token("7", json!({ "events": { "http://schemas.openid.net/event/backchannel-logout": {} } })),
        ];
        let mut all = Vec::new();
        for token in &wrong {
            let mut peer = world.peer("/chat").await;
            let mut heard = vec![peer.hear().await];
            peer.json(auth("jwt", "token", token)).await;
            heard.extend(peer.rest().await);
            all.push((blotted(&heard), newest_steps(&world).await));
            assert_eq!(all.last(), all.first(), "{token}");
        }
        assert_eq!(all[0].0.last().unwrap(), "Close(4401, \"not_authenticated\")");
        world.admitted("/chat", &good).await;
    }

    async fn c99_every_wrong_offer_gets_one_verdict_at_the_end(carrier: Carrier) {
        let world = World::of(carrier, ROBOTS).await;
        let (key, _) = robot(&world, 11, None).await;
        let token = world.token("3", json!({}));
        let (right_key, right_token) = (auth("app_key", "key", &key), auth("jwt", "token", &token));
        let (wrong_key, wrong_token) = (auth("app_key", "key", "dwk_0"), auth("jwt", "token", "x.y.z"));
        let mut all = Vec::new();
        for offer in [
            [&right_token, &right_key],
            [&wrong_key, &right_token],
            [&right_key, &wrong_token],
            [&wrong_key, &wrong_token],
            [&right_key, &right_key],
            [&right_token, &right_token],
        ] {
            let mut peer = world.peer("/offer").await;
            for answer in offer {
                peer.json(answer.clone()).await;
            }
            all.push(blotted(&peer.rest().await));
        }
        assert!(all.iter().all(|one| *one == all[0]), "{all:#?}");
        assert_eq!(all[0].len(), 2, "a verdict and a Close, nothing before");
    }

    async fn a_message_that_is_no_answer_is_malformed_before_the_admission(carrier: Carrier) {
        let world = World::of(carrier, CHAT).await;
        for message in [
            r#"{"action":"subscribe","channel":"news"}"#,
            r#"{"action":"auth","kind":"jwt","token":{"nested":1}}"#,
            r#"{"action":"auth","action":"auth"}"#,
            "[]",
            "junk",
            "",
        ] {
            let mut peer = world.peer("/chat").await;
            peer.event().await;
            peer.say(message).await;
            assert_eq!(peer.event().await["reason"], "malformed", "{message}");
            assert_eq!(peer.closes().await, [4400], "{message}");
        }
        let mut peer = world.peer("/chat").await;
        peer.event().await;
        peer.frame(Opcode::Binary, b"{}").await;
        assert_eq!(peer.closes().await, [4400]);
        assert!(world.verdicts().await.iter().all(|verdict| verdict == "4400 server: read a message"));
        world.empties().await;
    }
}

#[tokio::test(start_paused = true)]
async fn c25_a_message_in_fragments_without_end_is_cut_at_the_limit_before_the_admission() {
    let mut world = World::of(Carrier::Memory, CHAT).await;
    world.pipe = 512;
    for size in [0, 1, 500] {
        let mut peer = world.peer("/chat").await;
        peer.event().await;
        let mut sent = 0;
        let mut opcode = Opcode::Text;
        while peer.hears_nothing().await {
            let mut fragment = Vec::new();
            frame::write_fragment(opcode, false, &vec![b'x'; size], Some([1, 2, 3, 4]), &mut fragment);
            opcode = Opcode::Continuation;
            sent += fragment.len();
            assert!(sent < 16 * 1024, "{sent} bytes of a message of at most 4 KiB were taken in fragments of {size}");
            peer.bytes(&fragment).await;
        }
        assert_eq!(peer.closes().await, [1009], "fragments of {size}");
    }
    world.empties().await;
}

#[tokio::test(start_paused = true)]
async fn c25_a_thousand_who_begin_a_message_of_sixteen_mebibytes_are_cut_and_a_good_one_climbs_between_them() {
    let world = Arc::new(
        World::of(
            Carrier::Memory,
            &format!("[limits]\nclimbing_per_source = 2000\nclimbing_early_drop = 2000\n{CHAT}"),
        )
        .await,
    );
    let flood = |world: Arc<World>| async move {
        let mut peer = world.peer("/chat").await;
        peer.event().await;
        peer.bytes(&announced(Opcode::Text, true, 16 << 20)).await;
        let chunk = vec![b'x'; 64 * 1024];
        for _ in 0..4 {
            peer.bytes(&chunk).await;
        }
        peer.closes().await
    };
    let floods: Vec<_> = (0..1000).map(|_| tokio::spawn(flood(Arc::clone(&world)))).collect();
    let token = world.token("7", json!({}));
    let mut good = world.admitted("/chat", &token).await;
    for one in floods {
        assert_eq!(one.await.unwrap(), [1009]);
    }
    good.json(json!({ "action": "subscribe", "channel": "news", "id": 1 })).await;
    assert_eq!(good.event().await["event"], "subscribed");
}

#[tokio::test(start_paused = true)]
async fn c28_one_that_pings_and_never_answers_is_closed_at_the_deadline_once() {
    let world = World::of(Carrier::Memory, CHAT).await;
    let mut peer = world.peer("/chat").await;
    peer.event().await;
    let began = Instant::now();
    for second in 1..=8 {
        peer.frame(Opcode::Ping, b"still here").await;
        peer.frame(Opcode::Pong, b"unasked").await;
        if peer.closes_by(began + Duration::from_secs(second)).await {
            break;
        }
    }
    assert_eq!(began.elapsed().as_secs(), 5);
    assert_eq!(peer.closes().await, [4408]);
    assert_eq!(world.verdicts().await, ["4408 jwt: user sends token"]);
    world.empties().await;
}

#[tokio::test(start_paused = true)]
async fn c28_an_answer_at_the_deadline_is_admitted_or_refused_and_never_half() {
    let world = World::of(Carrier::Memory, CHAT).await;
    for round in 0..300 {
        let after = 4999 + round % 3;
        let mut peer = world.peer("/chat").await;
        peer.event().await;
        sleep(Duration::from_millis(after)).await;
        let token = world.token(&round.to_string(), json!({}));
        peer.json(auth("jwt", "token", &token)).await;
        let verdict = peer.event().await;
        let admitted = verdict["event"] == "admitted";
        match after {
            4999 => assert!(admitted, "{verdict}"),
            5001 => assert!(!admitted, "{verdict}"),
            _ => {}
        }
        let last = world.verdicts().await;
        assert_eq!(last.len(), round as usize + 1, "one decision each");
        if admitted {
            assert_eq!(last.last().unwrap(), "admitted");
            assert!(peer.hears_nothing().await);
            assert_eq!(world.door.sockets().len(), 1);
            peer.json(json!({ "action": "logout" })).await;
            assert_eq!(peer.closes().await, [1000]);
        } else {
            assert_eq!(verdict["code"], 4408);
            assert_eq!(last.last().unwrap(), "4408 jwt: user sends token");
            assert_eq!(peer.closes().await, [4408]);
        }
        world.empties().await;
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_sends_its_answer_with_the_upgrade_is_heard() {
    let world = World::of(Carrier::Memory, CHAT).await;
    let token = world.token("7", json!({}));
    let mut stream = world.dial().await;
    let answer = masked(Opcode::Text, auth("jwt", "token", &token).to_string().as_bytes());
    let bytes = [crate::peer::head("/chat", "").as_bytes(), &answer].concat();
    tokio::io::AsyncWriteExt::write_all(&mut stream, &bytes).await.unwrap();
    let mut peer = Peer::upgraded(stream).await;
    assert_eq!(peer.event().await["event"], "ask");
    assert_eq!(peer.event().await["event"], "admitted");
}
