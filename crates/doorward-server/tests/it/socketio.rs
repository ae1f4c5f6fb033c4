//! Socket.IO at the edge: long-polling request by request, the change to a WebSocket, and what nobody gets around.

use std::time::Duration;

use doorward_types::{CloseReason, GateName, OwnerId};
use doorward_wire::socketio::{Emitted, Namespace};
use serde_json::json;
use tokio::time::Instant;

use crate::{
    peer::Heard,
    polls::{Polls, ask},
    world::{Carrier, World, both},
};

pub(crate) const GATES: &str = r#"
    [[gate]]
    name = "ui"
    path = "/socket.io/"
    backend = { hub = {} }
    transport = { socketio = { namespaces = ["/default"] } }
    ladder = [{ jwt = {} }]
    [[gate.channel]]
    name = "/default"
    subscribe = "any"
    [[gate]]
    name = "other"
    path = "/other/"
    backend = { hub = {} }
    transport = { socketio = {} }
    origins = ["https://app.example"]
    ladder = [{ jwt = {} }]
"#;

fn hub_of(world: &World, name: &str) -> std::sync::Arc<doorward_backends::hub::Hub> {
    world.door.hub(&OwnerId::new("acme"), &GateName::new(name)).unwrap()
}

pub(crate) fn emit(world: &World, argument: &str) -> usize {
    let arguments = format!("[{argument}]");
    let event = Emitted::new("happened", serde_json::from_str(&arguments).unwrap()).unwrap();
    let place = (Namespace::new("/default").unwrap(), None);
    let gate = (&OwnerId::new("acme"), &GateName::new("ui"));
    hub_of(world, "ui").emit(world.door.sockets(), gate, place, &event)
}

both! {
    async fn a_polling_client_is_let_in_and_hears_what_is_emitted(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        let polls = Polls::begins(&world, "/socket.io/", "").await;
        polls.is_let_in().await;
        assert_eq!(emit(&world, r#"{"at":1}"#), 1);
        assert_eq!(polls.hears_of("42/default,[\"happened\"").await, r#"42/default,["happened",{"at":1}]"#);
        assert_eq!(world.verdicts().await, ["admitted"]);
    }

    async fn c58_nothing_that_was_said_before_the_admission_has_happened(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        let polls = Polls::begins(&world, "/socket.io/", "").await;
        polls.connects("/default").await;
        polls.says("42/default,7[\"join\",\"room\"]\x1e451-/default,8[\"upload\",{\"_placeholder\":true,\"num\":0}]\x1ebAAAA\x1e43/default,1[]").await;
        polls.says(r#"42/default,["doorward2",{"action":"subscribe","channel":"/default"}]"#).await;
        assert_eq!(emit(&world, "1"), 0, "nobody is there yet");
        polls.shows(&world.token("bob", json!({}))).await;
        let mut heard = Vec::new();
        while heard.len() < 2 {
            heard.extend(polls.hears().await);
        }
        assert_eq!(emit(&world, "2"), 1);
        heard.extend(polls.hears().await);
        let names: Vec<_> = heard.iter().map(|packet| packet.split([',', '{']).nth(1).unwrap_or_default()).collect();
        assert_eq!(names, [r#"["authenticated""#, r#"["doorward""#, r#"["happened""#], "{heard:?}");
    }

    async fn c58_the_id_of_a_session_is_of_no_use_to_somebody_else(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        let polls = Polls::begins(&world, "/socket.io/", "Authorization: Bearer x.y.z\r\n").await;
        polls.connects("/default").await;
        for (path, headers) in [
            ("/socket.io/", ""),
            ("/socket.io/", "Authorization: Bearer x.y.other\r\n"),
            ("/socket.io/", "Authorization: Bearer x.y.z\r\nCookie: __Host-doorward-session=dws_1\r\n"),
            ("/other/", "Authorization: Bearer x.y.z\r\n"),
            ("/socket.io/", "Authorization: Bearer x.y.z\r\nOrigin: https://evil.example\r\n"),
        ] {
            let thief = Polls { world: &world, path, sid: polls.sid.clone(), headers: headers.to_owned() };
            for answer in [thief.gets().await, thief.posts("42/default,[\"authentication\",{}]").await] {
                assert_eq!((answer.status, answer.body.as_str()), (400, r#"{"code":1,"message":"Session ID unknown"}"#));
            }
            let target = format!("{path}?EIO=4&transport=websocket&sid={}", polls.sid);
            assert_eq!(world.knock(&target, headers).await.err().unwrap().status, 400);
        }
        polls.shows(&world.token("bob", json!({}))).await;
        polls.hears_of(r#"42/default,["authenticated",true]"#).await;
    }

    async fn a_session_goes_over_to_a_websocket_and_loses_nothing(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        let polls = Polls::begins(&world, "/socket.io/", "").await;
        polls.is_let_in().await;
        let target = format!("/socket.io/?EIO=4&transport=websocket&sid={}", polls.sid);
        let mut peer = world.knock(&target, "").await.unwrap();
        let waiting = polls.hears();
        let probing = async {
            peer.say("2probe").await;
            assert!(matches!(peer.hear().await, Heard::Text(text) if text == "3probe"));
        };
        let (answered, ()) = tokio::join!(waiting, probing);
        assert_eq!(answered, ["6"]);
        emit(&world, "1");
        peer.say("5").await;
        assert_eq!(peer.hears_of("42").await, r#"42/default,["happened",1]"#);
        assert_eq!(polls.gets().await.status, 400, "polling is over");
        assert!(world.knock(&target, "").await.is_err(), "and so is the change");
        world.end("subject=member:bob").await;
        assert_eq!(peer.hears_of("41").await, "41/default,");
        assert_eq!(peer.closes().await, [CloseReason::SessionEnded.code()]);
        world.empties().await;
    }

    async fn an_ending_reaches_a_client_that_polls(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        let polls = Polls::begins(&world, "/socket.io/", "").await;
        polls.is_let_in().await;
        // Whichever of the two comes first: the last words wait for a GET as long as the bound is, and a GET for them.
        let (heard, receipt) = tokio::join!(polls.hears(), world.end("subject=member:bob"));
        assert_eq!(receipt["ended"], 1, "{receipt}");
        let ended = r#"42/default,["doorward",{"event":"ended","code":4410,"reason":"session_ended","reconnect":"never"}]"#;
        assert_eq!(heard, [ended, "41/default,"], "beside the end of the session clients would drop it");
        assert_eq!(polls.gets().await.status, 400);
        world.empties().await;
    }

    async fn a_client_that_polls_no_more_is_ended_within_the_bound(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        let polls = Polls::begins(&world, "/socket.io/", "").await;
        polls.is_let_in().await;
        emit(&world, "\"never delivered\"");
        let began = Instant::now();
        world.end("subject=member:bob").await;
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
        let late = polls.gets().await;
        assert_eq!(late.status, 400, "{late:?}");
        world.empties().await;
    }

    async fn a_refused_client_is_told_so_and_its_session_ends_when_it_has_heard(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        let polls = Polls::begins(&world, "/socket.io/", "").await;
        polls.connects("/default").await;
        polls.shows("no.token.here").await;
        let refused = polls.hears_of("42/default,0[\"unauthorized\"").await;
        assert!(refused.contains(r#""message":"TOKEN_REJECTED","code":4401"#), "{refused}");
        let began = Instant::now();
        polls.says("43/default,0[]").await;
        polls.hears_of("41/default,").await;
        polls.hears_of("1").await;
        assert!(began.elapsed() < Duration::from_millis(900), "it waits for no more than to be heard");
        assert_eq!(world.verdicts().await, ["4401 jwt: socket requires token"]);
        world.empties().await;
    }

    async fn a_page_of_another_origin_gets_no_session(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        let foreign = "Origin: https://evil.example\r\n";
        let refused = ask(&world, "GET", "/socket.io/?EIO=4&transport=polling", foreign, "").await;
        assert_eq!(refused.status, 403, "{refused:?}");
        assert!(!refused.head.contains("access-control-allow-origin"), "{refused:?}");
        let allowed = "Origin: https://app.example\r\n";
        let taken = ask(&world, "GET", "/other/?EIO=4&transport=polling", allowed, "").await;
        assert_eq!(taken.status, 200);
        assert!(taken.head.contains("access-control-allow-origin: https://app.example"), "{taken:?}");
        assert!(taken.head.contains("access-control-allow-credentials: true"), "{taken:?}");
        assert!(taken.head.contains("cache-control: no-store") && taken.head.contains("vary: origin"), "{taken:?}");
        let asked = ask(&world, "OPTIONS", "/other/?EIO=4&transport=polling", foreign, "").await;
        assert!(!asked.head.contains("access-control-allow-origin"), "{asked:?}");
    }

    async fn requests_that_no_client_sends_are_refused_in_words_that_clients_know(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        for (method, query, expected) in [
            ("GET", "EIO=4", r#"{"code":0,"message":"Transport unknown"}"#),
            ("GET", "EIO=4&transport=flash", r#"{"code":0,"message":"Transport unknown"}"#),
            ("GET", "EIO=4&transport=polling&j=0", r#"{"code":0,"message":"Transport unknown"}"#),
            ("GET", "transport=polling", r#"{"code":5,"message":"Unsupported protocol version"}"#),
            ("GET", "EIO=5&transport=polling", r#"{"code":5,"message":"Unsupported protocol version"}"#),
            ("POST", "EIO=4&transport=polling", r#"{"code":2,"message":"Bad handshake method"}"#),
            ("GET", "EIO=4&transport=polling&sid=none", r#"{"code":1,"message":"Session ID unknown"}"#),
            ("PUT", "EIO=4&transport=polling&sid=none", r#"{"code":2,"message":"Bad handshake method"}"#),
        ] {
            let answer = ask(&world, method, &format!("/socket.io/?{query}"), "", "").await;
            assert_eq!((answer.status, answer.body.as_str()), (400, expected), "{query}");
        }
        for query in ["EIO=5&transport=websocket", "EIO=4&transport=polling", "EIO=4"] {
            assert_eq!(world.knock(&format!("/socket.io/?{query}"), "").await.err().unwrap().status, 400, "{query}");
        }
        assert_eq!(ask(&world, "GET", "/nowhere/?EIO=4&transport=polling", "", "").await.status, 404);
    }

    async fn what_is_no_payload_ends_the_session(carrier: Carrier) {
        for (body, status) in [("", 400), ("9", 400), ("42/default,[1]", 200), (&"4".repeat(5_000), 413)] {
            let world = World::of(carrier, GATES).await;
            let polls = Polls::begins(&world, "/socket.io/", "").await;
            polls.connects("/default").await;
            assert_eq!(polls.posts(body).await.status, status, "{} bytes", body.len());
            assert_eq!(world.verdicts().await.len(), 1, "{} bytes", body.len());
            world.empties().await;
        }
    }

    async fn c25_before_the_admission_a_post_brings_no_more_than_a_message_may_have(carrier: Carrier) {
        let long = format!("42/default,[\"x\",\"{}\"]", "x".repeat(5000));
        let world = World::of(carrier, GATES).await;
        let stranger = Polls::begins(&world, "/socket.io/", "").await;
        stranger.connects("/default").await;
        assert_eq!(stranger.posts(&long).await.status, 413);
        let known = Polls::begins(&world, "/socket.io/", "").await;
        known.is_let_in().await;
        assert_eq!(known.posts(&long).await.status, 200);
    }

    async fn two_requests_of_one_session_at_once_end_it(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        let polls = Polls::begins(&world, "/socket.io/", "").await;
        polls.is_let_in().await;
        while !polls.world.door.sockets().is_empty() {
            let (one, other) = tokio::join!(polls.gets(), polls.gets());
            assert!(one.status == 400 || other.status == 400 || one.body == "2" || other.body == "2", "{one:?} {other:?}");
        }
        world.empties().await;
    }

    async fn c25_a_change_to_a_websocket_is_given_up_after_a_few_words(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        let opened = ask(&world, "GET", "/socket.io/?EIO=3&transport=polling", "", "").await;
        let sid = opened.body.split('"').nth(3).unwrap();
        let mut peer = world.knock(&format!("/socket.io/?EIO=3&transport=websocket&sid={sid}"), "").await.unwrap();
        let began = Instant::now();
        for _ in 0..16 {
            peer.say("2").await;
        }
        assert_eq!(peer.closes().await, [CloseReason::Malformed.code()]);
        assert!(began.elapsed() < Duration::from_secs(5), "its time was over: {:?}", began.elapsed());
    }

    async fn c59_another_token_of_somebody_else_changes_nothing(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        let polls = Polls::begins(&world, "/socket.io/", "").await;
        polls.is_let_in().await;
        polls.shows(&world.token("eve", json!({}))).await;
        polls.hears_of("42/default,0[\"unauthorized\"").await;
        let list = world.door.sockets().list(None, 10);
        assert_eq!(list.len(), 1);
        assert_eq!(list[0].subject.as_ref().unwrap().pk, "bob");
        polls.shows(&world.token("bob", json!({}))).await;
        polls.hears_of(r#"42/default,["authenticated",true]"#).await;
    }

    async fn a_websocket_alone_will_do(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        for revision in [3, 4] {
            let mut peer = world.knock(&format!("/socket.io/?EIO={revision}&transport=websocket"), "").await.unwrap();
            let open = peer.hears_of("0").await;
            assert!(open.contains(r#""upgrades":[]"#), "{open}");
            if revision == 3 {
                assert_eq!(peer.hears_of("4").await, "40");
            }
            peer.say("40/default,").await;
            peer.hears_of("40/default,").await;
            let token = world.token("bob", json!({}));
            peer.say(&format!(r#"42/default,["authentication",{{"token":"{token}"}}]"#)).await;
            peer.hears_of(r#"42/default,["authenticated",true]"#).await;
            if revision == 3 {
                peer.say("2").await;
                assert_eq!(peer.hears_of("3").await, "3");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_polling_client_that_answers_no_sign_of_life_is_ended() {
    let world = World::of(Carrier::Memory, GATES).await;
    let polls = Polls::begins(&world, "/socket.io/", "").await;
    polls.is_let_in().await;
    let began = Instant::now();
    world.empties().await;
    assert!((30..50).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn c8_a_socket_outlives_its_token_and_not_the_longest_session() {
    let world = World::of(Carrier::Memory, GATES).await;
    let mut peer = world.knock("/socket.io/?EIO=4&transport=websocket", "").await.unwrap();
    peer.hears_of("0").await;
    peer.say("40/default,").await;
    let token = world.token("bob", json!({ "exp": World::NOW.as_secs() + 60 }));
    peer.say(&format!(r#"42/default,["authentication",{{"token":"{token}"}}]"#)).await;
    peer.hears_of(r#"42/default,["authenticated",true]"#).await;
    let began = Instant::now();
    loop {
        match peer.hear().await {
            Heard::Text(text) if text == "2" => {
                world.clock.advance(Duration::from_secs(25));
                peer.say("3").await;
            }
            Heard::Text(text) if text.contains(r#""reason":"expired""#) => break,
            Heard::Text(_) => {}
            other => panic!("{other:?}"),
        }
    }
    let hours = began.elapsed().as_secs_f64() / 3600.0;
    assert!((11.9..12.1).contains(&hours), "{hours}");
}
