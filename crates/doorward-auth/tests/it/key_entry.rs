use std::{sync::atomic::Ordering, time::Duration};

use doorward_auth::{
    Level,
    account::EntryKey,
    ports::{KeyEntries as _, KeyEntry, Session, SystemRng},
};
use doorward_testkit::{Peer, World, script};
use doorward_types::{CloseReason, Rest, Secret};
use serde_json::json;

use crate::{
    site::SiteWorld,
    support::{Word, rungs},
};

const SOURCE: &str = include_str!("../../src/layers/conversation/key_entry.rs");
const ASK: &str = "< ask key_entry: user sends key";

/// Bob is logged in, and the site shows him a key.
async fn shown() -> (SiteWorld, String, Session) {
    let world = SiteWorld::new().await;
    let login = world.log_in(world.bob, 1, None).await;
    let key = EntryKey::draw_for_person(&SystemRng);
    let entry = KeyEntry {
        owner: World::owner(),
        id: key.id().to_owned(),
        account: world.bob,
        username: "Bob".into(),
        sid: login.sid,
        expires_at: World::NOW.plus(Duration::from_secs(120)),
    };
    assert!(world.world.site.put(key.hash(&world.tools.sealing.code_key()), entry).await.unwrap());
    let shown = key.shown().reveal_text("test").unwrap().to_owned();
    (world, shown, login)
}

/// Another key with the same public part.
fn wrong(key: &str) -> String {
    let last = if key.ends_with('A') { "B" } else { "A" };
    format!("{}{last}", &key[..key.len() - 1])
}

async fn knock(world: &SiteWorld) -> Peer {
    world.knock(&world.ladder(json!({ "key_entry": {} })), World::handshake()).await.unwrap()
}

fn say(key: &str) -> String {
    format!("> {}", json!({ "kind": "key_entry", "key": key }))
}

#[tokio::test(start_paused = true)]
async fn the_key_from_the_website_proves_who_took_it() {
    let (world, key, _) = shown().await;
    let mut peer = knock(&world).await;
    let asked = peer.play(ASK).await.unwrap();
    assert_eq!((asked.shown("tries"), asked.expires_in), ("5", Some(Duration::from_secs(120))));
    let typed = key.to_lowercase().replace('-', " ");
    let admission = peer.play(&format!("{}\n< admitted member:1", say(&typed))).await.unwrap().admission.unwrap();
    assert_eq!(peer.steps(), script::steps_of(SOURCE));
    assert_eq!((admission.evidence()[0].amr, admission.level()), (&["key_entry"][..], Level::Low));
    let sid = Rest::on("sid", "01".repeat(16));
    assert_eq!(admission.rests_on(), [Rest::on("gate", "fancy"), Rest::on("subject", "member:1"), sid]);
}

#[tokio::test(start_paused = true)]
async fn c93_a_socket_has_five_tries() {
    let (world, key, _) = shown().await;
    let mut peer = knock(&world).await;
    let wrong = say(&wrong(&key));
    for left in ["5", "4", "3", "2", "1"] {
        let asked = peer.play(ASK).await.unwrap();
        assert_eq!(asked.shown("tries"), left);
        peer.play(&wrong).await;
    }
    let refusal = peer.hear().await.refusal.unwrap();
    assert_eq!(refusal.close_reason(), CloseReason::NotAuthenticated);
    assert_eq!(refusal.detail, "the key is wrong, for the 5. time");
    assert_eq!(peer.steps(), vec![script::steps_of(SOURCE); 5].concat());
    // The account's key has tries left on another socket.
    knock(&world).await.play(&format!("{ASK}\n{}\n< admitted member:1", say(&key))).await;
}

#[tokio::test(start_paused = true)]
async fn c93_ten_wrong_tries_on_whatever_sockets_void_the_key() {
    let (world, key, _) = shown().await;
    for _ in 0..10 {
        knock(&world).await.play(&format!("{ASK}\n{}\n{ASK}", say(&wrong(&key)))).await;
    }
    let mut peer = knock(&world).await;
    peer.play(&format!("{ASK}\n{}\n{ASK}", say(&key))).await;
    let missed = peer.trail()[0].steps.last().unwrap().detail.clone();
    assert_eq!(missed.as_deref(), Some("there is no such key, or not any more"));
}

#[tokio::test(start_paused = true)]
async fn c93_a_key_opens_one_socket() {
    let (world, key, _) = shown().await;
    let mut peers = [knock(&world).await, knock(&world).await];
    for peer in &mut peers {
        peer.play(&format!("{ASK}\n{}", say(&key))).await;
    }
    let mut heard = Vec::new();
    for peer in &mut peers {
        heard.push(peer.hear().await.line);
    }
    assert_eq!(heard, ["admitted member:1", "ask key_entry: user sends key"]);
}

#[tokio::test(start_paused = true)]
async fn c93_a_key_is_void_after_the_logout_and_after_two_minutes() {
    let (world, key, login) = shown().await;
    world.log_out(&login).await;
    knock(&world).await.play(&format!("{ASK}\n{}\n{ASK}", say(&key))).await;
    let (world, key, _) = shown().await;
    world.world.clock.advance(Duration::from_secs(120));
    knock(&world).await.play(&format!("{ASK}\n{}\n{ASK}", say(&key))).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_no_key_is_a_wrong_one() {
    let (world, key, _) = shown().await;
    for typed in ["", "hello", "0000-0000-0000", &key[..9], &format!("{key}{key}")] {
        knock(&world).await.play(&format!("{ASK}\n{}\n{ASK}", say(typed))).await;
    }
    let mut peer = knock(&world).await;
    peer.play(&format!("{ASK}\n> {{}}\n{ASK}\n< refused too_slow")).await;
    // A machine's key has another length, and is one.
    let machine = EntryKey::draw_for_machine(&SystemRng).shown();
    assert!(EntryKey::read(&Secret::from_text(machine.reveal_text("test").unwrap())).is_some());
}

#[tokio::test(start_paused = true)]
async fn a_key_of_somebody_else_than_was_proven_before_opens_nothing() {
    let (world, key, _) = shown().await;
    let ladder = rungs(vec![Word::of("word", "8").rung(), world.rung(json!({ "key_entry": {} }))]);
    let mut peer = world.knock(&ladder, World::handshake()).await.unwrap();
    peer.play(&format!("< ask word: user sends word\n> {{\"word\":\"right\"}}\n{ASK}\n{}\n{ASK}", say(&key))).await;
}

#[tokio::test(start_paused = true)]
async fn a_site_that_is_away_is_no_wrong_try() {
    let (world, key, _) = shown().await;
    world.port.down.store(true, Ordering::SeqCst);
    knock(&world).await.play(&format!("{ASK}\n{}\n< refused try_later", say(&key))).await;
}
