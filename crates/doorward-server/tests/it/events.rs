//! A ladder in events of Socket.IO: what of a user counts before the admission, what is said, and how it ends.

use std::time::Duration;

use doorward_testkit::tokens::TestKey;
use doorward_types::CloseReason;
use serde_json::json;
use tokio::time::{Instant, timeout_at};

use crate::{
    issuer_keys::{FETCHED, token as keycloak_token},
    logins::Site,
    peer::Heard,
    polls::ask,
    socketio::GATES,
    world::{Carrier, World},
};

/// What a client over a WebSocket hears up to its end, when it has said that.
async fn ends_after(world: &World, revision: u8, said: &[&str]) -> Vec<Heard> {
    let target = format!("/socket.io/?EIO={revision}&transport=websocket");
    let mut peer = world.knock(&target, "").await.unwrap();
    peer.hears_of("0").await;
    for said in said {
        peer.say(said).await;
    }
    peer.rest().await
}

fn texts(heard: &[Heard]) -> Vec<&str> {
    heard.iter().filter_map(|heard| if let Heard::Text(text) = heard { Some(&**text) } else { None }).collect()
}

#[tokio::test(start_paused = true)]
async fn c25_before_the_admission_a_few_dozen_signs_of_life_are_taken() {
    for revision in [3, 4] {
        let world = World::of(Carrier::Memory, GATES).await;
        let mut peer = world.knock(&format!("/socket.io/?EIO={revision}&transport=websocket"), "").await.unwrap();
        peer.hears_of("0").await;
        for _ in 0..65 {
            peer.say(if revision == 3 { "2" } else { "3" }).await;
        }
        assert_eq!(peer.closes().await, [CloseReason::TooFast.code()], "{revision}");
        let token = world.token("bob", json!({}));
        let mut patient = world.knock(&format!("/socket.io/?EIO={revision}&transport=websocket"), "").await.unwrap();
        for _ in 0..64 {
            patient.say(if revision == 3 { "2" } else { "3" }).await;
        }
        patient.say("40/default,").await;
        patient.say(&format!(r#"42/default,["authentication",{{"token":"{token}"}}]"#)).await;
        patient.hears_of(r#"42/default,["authenticated",true]"#).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_comes_with_the_connect_of_each_namespace_is_one_answer() {
    let gate = r#"
        [[gate]]
        name = "ui"
        path = "/socket.io/"
        backend = { hub = {} }
        transport = { socketio = { namespaces = ["/default", "/other", "/third"] } }
        ladder = [{ jwt = { issuer = "idp" } }]
    "#;
    let world = World::of(Carrier::Memory, &format!("{FETCHED}{gate}")).await;
    let key = TestKey::ed25519();
    world.publisher.publish(&[("1", &key)]);
    world.publisher.take(Duration::from_secs(1));
    let shown = json!({ "token": keycloak_token(&key, "1", "Bearer") });
    let mut peer = world.knock("/socket.io/?EIO=4&transport=websocket", "").await.unwrap();
    for namespace in ["/default", "/other", "/third"] {
        peer.say(&format!("40{namespace},{shown}")).await;
    }
    peer.hears_of("40/default,{\"sid\":").await;
    peer.hears_of("40/third,{\"sid\":").await;
    assert_eq!(peer.hears_of("42").await, r#"42/third,["authenticated",true]"#);
    assert_eq!(world.verdicts().await, ["admitted"]);
}

#[tokio::test(start_paused = true)]
async fn whoever_shows_nothing_in_time_is_disconnected_without_a_word() {
    let world = World::of(Carrier::Memory, GATES).await;
    let heard = ends_after(&world, 4, &["40/default,"]).await;
    let [connected, parting] = texts(&heard)[..] else { panic!("{heard:?}") };
    assert!(connected.starts_with("40/default,{\"sid\":"), "nor is it asked: {heard:?}");
    assert_eq!(parting, "41/default,");
    assert_eq!(heard.last(), Some(&Heard::Close(4408, "too_slow".to_owned())));
}

#[tokio::test(start_paused = true)]
async fn c56_what_is_no_packet_is_malformed_before_the_admission_too() {
    let world = World::of(Carrier::Memory, GATES).await;
    for said in [
        "",
        "9",
        "4",
        "42/default",
        "40/default,{",
        r#"42/default,["doorward",{"action":"publish","channel":"/default"}]"#,
    ] {
        let heard = ends_after(&world, 4, &["40/default,", said]).await;
        assert_eq!(heard.last(), Some(&Heard::Close(4400, "malformed".to_owned())), "{said:?}");
    }
    let before = world.verdicts().await.len();
    ends_after(&world, 4, &["40/default,", "1"]).await;
    assert_eq!(world.verdicts().await[before..], ["hung up"], "whoever says that it goes has not been refused");
}

#[tokio::test(start_paused = true)]
async fn c58_a_token_counts_in_a_namespace_that_the_user_is_in_and_nowhere_else() {
    let world = World::of(Carrier::Memory, GATES).await;
    let shown = format!(r#"["authentication",{{"token":"{}"}}]"#, world.token("bob", json!({})));
    let here = format!("42/default,{shown}");
    for said in [
        &[&*here][..],
        &["40/nowhere,", &here.replace("default", "nowhere")],
        &["40/default,", "41/default,", &here],
        &["40/default,", &format!("42{shown}")],
    ] {
        let heard = ends_after(&world, 4, said).await;
        assert_eq!(heard.last(), Some(&Heard::Close(4408, "too_slow".to_owned())), "{said:?}: {heard:?}");
    }
    let heard = ends_after(&world, 4, &["40/nowhere,"]).await;
    assert_eq!(texts(&heard), [r#"44/nowhere,{"message":"Invalid namespace"}"#]);
    let heard = ends_after(&world, 3, &["40", "40/nowhere,"]).await;
    assert_eq!(
        texts(&heard),
        ["40", r#"44/nowhere,"Invalid namespace""#],
        "clients of the older one are in the root unasked"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_no_acknowledgement_of_the_refusal_does_not_hurry_it() {
    let world = World::of(Carrier::Memory, GATES).await;
    let refused = r#"42/default,["authentication",{"token":"no.token.here"}]"#;
    for (said, seconds) in [("43/default,0[]", 0), ("43/default,7[]", 1), (refused, 1), ("nonsense", 1)] {
        let began = Instant::now();
        let heard = ends_after(&world, 4, &["40/default,", refused, said]).await;
        assert_eq!(texts(&heard).len(), 3, "one refusal, and the parting: {heard:?}");
        assert_eq!(began.elapsed().as_secs(), seconds, "{said}");
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_may_come_again_is_not_told_to_stay_away() {
    let gate = r#"
        [[gate]]
        name = "ui"
        path = "/socket.io/"
        backend = { hub = {} }
        transport = { socketio = {} }
        ladder = [{ jwt = { issuer = "idp" } }]
    "#;
    let world = World::of(Carrier::Memory, &format!("{FETCHED}{gate}")).await;
    let shown = json!(["authentication", { "token": keycloak_token(&TestKey::ed25519(), "1", "Bearer") }]);
    let heard = ends_after(&world, 4, &["40", &format!("42{shown}"), "430[]"]).await;
    let [_connected, refused] = texts(&heard)[..] else { panic!("{heard:?}") };
    assert!(refused.contains(r#""message":"KEYCLOAK_PUBLIC_KEY_MISSING","code":1013"#), "{refused}");
    assert_eq!(heard.last(), Some(&Heard::Close(1013, "try_later".to_owned())));

    let world = World::of(Carrier::Memory, GATES).await;
    let mut peer = world.knock("/socket.io/?EIO=4&transport=websocket", "").await.unwrap();
    peer.say(&format!(r#"40/default,{{"token":"{}"}}"#, world.token("bob", json!({})))).await;
    peer.hears_of(r#"42/default,["doorward",{"event":"admitted""#).await;
    let (heard, ()) = tokio::join!(peer.rest(), world.door.drain(Duration::from_secs(1)));
    let ended = r#"42/default,["doorward",{"event":"ended","code":1012,"reason":"restart","#;
    let last: Vec<_> = texts(&heard).into_iter().filter(|text| *text != "2").collect();
    assert!(last.len() == 1 && last[0].starts_with(ended), "{heard:?}");
}

#[tokio::test(start_paused = true)]
async fn what_another_layer_asks_waits_for_a_namespace_and_is_answered_by_the_event_doorward() {
    let gates = r#"
        [site]
        enabled = true
        [[gate]]
        name = "ui"
        path = "/socket.io/"
        backend = { hub = {} }
        transport = { socketio = { namespaces = ["/default"] } }
        ladder = [{ password = {} }]
    "#;
    let world = World::of(Carrier::Memory, gates).await;
    let mut peer = world.knock("/socket.io/?EIO=4&transport=websocket", "").await.unwrap();
    peer.hears_of("0").await;
    assert!(peer.hears_nothing().await, "it is in no namespace");
    peer.say("40/default,").await;
    peer.hears_of("40/default,").await;
    assert!(peer.hears_of("42").await.starts_with(r#"42/default,["doorward",{"event":"ask","layer":"password""#));
    let answer = json!({ "action": "auth", "kind": "password", "username": "bob", "password": "wrong wrong wrong" });
    peer.say(&format!(r#"42/default,["doorward",{answer}]"#)).await;
    assert!(peer.hears_of("42").await.starts_with(r#"42/default,0["unauthorized""#));
    assert_eq!(world.verdicts().await, ["4401 password: socket requires password"]);
}

#[tokio::test(start_paused = true)]
async fn a_client_of_the_older_revision_is_not_asked_for_a_sign_of_life_and_has_to_give_them() {
    let world = World::of(Carrier::Memory, GATES).await;
    let mut peer = world.knock("/socket.io/?EIO=3&transport=websocket", "").await.unwrap();
    peer.say("40/default,").await;
    peer.say(&format!(r#"42/default,["authentication",{{"token":"{}"}}]"#, world.token("bob", json!({})))).await;
    peer.hears_of(r#"42/default,["doorward",{"event":"admitted""#).await;
    let began = Instant::now();
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_secs(25)).await;
        peer.say("2").await;
        assert_eq!(peer.hear().await, Heard::Text("3".to_owned()));
    }
    let heard = peer.rest().await;
    assert!(texts(&heard).iter().all(|text| *text != "2"), "{heard:?}");
    assert_eq!(heard.last(), Some(&Heard::Close(1001, "ping_timeout".to_owned())));
    assert!((100..120).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn c15_a_browser_that_does_not_name_its_page_has_to_say_that_it_is_of_the_same_origin() {
    let gates = r#"
        [site]
        enabled = true
        [[gate]]
        name = "ui"
        path = "/socket.io/"
        backend = { hub = {} }
        transport = { socketio = {} }
        ladder = [{ session = {} }]
    "#;
    let site = Site::with(Carrier::Memory, gates).await;
    let login = site.log_in(&site.account("bob").await, 1).await;
    let cookie = format!("Cookie: {}\r\n", login.cookie());
    for (says, status) in [("", 403), ("cross-site", 403), ("same-site", 403), ("none", 403), ("same-origin", 200)] {
        let headers = format!("{cookie}Sec-Fetch-Site: {says}\r\nX-Forwarded-Proto: https\r\n");
        let answer = ask(&site.world, "GET", "/socket.io/?EIO=4&transport=polling", &headers, "").await;
        assert_eq!(answer.status, status, "{says:?}: {answer:?}");
    }
    let named = format!("{cookie}Sec-Fetch-Site: same-origin\r\nOrigin: https://evil.example\r\n");
    assert_eq!(ask(&site.world, "GET", "/socket.io/?EIO=4&transport=polling", &named, "").await.status, 403);
}

#[tokio::test(start_paused = true)]
async fn a_client_of_the_newer_revision_is_asked_for_a_sign_of_life_at_equal_intervals_however_much_it_talks() {
    let world = World::of(Carrier::Memory, GATES).await;
    let mut peer = world.knock("/socket.io/?EIO=4&transport=websocket", "").await.unwrap();
    peer.say(&format!(r#"40/default,{{"token":"{}"}}"#, world.token("bob", json!({})))).await;
    peer.hears_of("2").await;
    let mut asked = 0;
    for _ in 0..6 {
        let until = Instant::now() + Duration::from_secs(10);
        while let Ok(heard) = timeout_at(until, peer.hear()).await {
            asked += usize::from(heard == Heard::Text("2".to_owned()));
        }
        peer.say(r#"42/default,["talk"]"#).await;
    }
    assert_eq!(asked, 2, "in a minute, beside the one at the beginning");
}
