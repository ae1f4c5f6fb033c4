use std::{sync::atomic::Ordering, time::Duration};

use doorward_auth::{
    Handshake, Level,
    account::{Hashing, Work},
    ports::Accounts,
};
use doorward_testkit::{Peer, World, script};
use doorward_types::{CloseReason, Rest, Timestamp};
use serde_json::json;

use crate::site::{PASSWORD, SiteWorld};

const SOURCE: &str = include_str!("../../src/layers/conversation/password.rs");
const ASK: &str = "< ask password: user sends username and password";

async fn knock(world: &SiteWorld, request: Handshake) -> Peer {
    world.knock(&world.ladder(json!({ "password": {} })), request).await.unwrap()
}

/// What somebody who says that is told, and what the log knows.
async fn told(world: &SiteWorld, request: Handshake, username: &str, password: &str) -> (CloseReason, String) {
    let mut peer = knock(world, request).await;
    peer.play(ASK).await;
    peer.play(&format!("> {}", json!({ "kind": "password", "username": username, "password": password }))).await;
    let refusal = peer.hear().await.refusal.unwrap();
    assert_eq!((refusal.layer, refusal.step), ("password", "socket requires password"));
    assert_eq!(peer.steps(), script::steps_of(SOURCE), "{username}");
    // A name that nobody has is told by a hash behind these words.
    let detail = refusal.detail.split(" (").next().unwrap_or_default().to_owned();
    (refusal.close_reason(), detail)
}

#[tokio::test(start_paused = true)]
async fn name_and_password_prove_the_account() {
    let world = SiteWorld::new().await;
    for username in ["Bob", "bob", "ＢＯＢ"] {
        let mut peer = knock(&world, World::handshake()).await;
        let said = json!({ "kind": "password", "username": username, "password": PASSWORD });
        let heard = peer.play(&format!("{ASK}\n> {said}\n< admitted member:1")).await.unwrap();
        let admission = heard.admission.unwrap();
        assert_eq!(admission.subject().map(|subject| subject.uuid.as_str()), Some("Bob"));
        assert_eq!(admission.evidence()[0].amr, ["pwd"]);
        assert_eq!(admission.level(), Level::Low);
        assert_eq!(admission.rests_on(), [Rest::on("gate", "fancy"), Rest::on("subject", "member:1")]);
        assert_eq!(peer.steps(), script::steps_of(SOURCE));
    }
}

#[tokio::test(start_paused = true)]
async fn c32_an_unknown_name_a_disabled_account_and_a_wrong_password_take_the_same_steps_and_get_the_same_words() {
    let world = SiteWorld::new().await;
    let long = "x".repeat(1025);
    for (username, password, detail) in [
        ("rob", PASSWORD, "there is no account of that name"),
        ("../bob", PASSWORD, "there is no account of that name"),
        ("", "", "there is no account of that name"),
        (&long, PASSWORD, "there is no account of that name"),
        ("bob", "a plum, a teapot, a mot", "the password of account 1 is another"),
        ("bob", "", "the password of account 1 is another"),
        ("bob", &long, "no password is so long"),
    ] {
        let told = told(&world, World::handshake(), username, password).await;
        assert_eq!(told, (CloseReason::NotAuthenticated, detail.to_owned()), "{username:.9}");
    }
    world.disable().await;
    let told = told(&world, World::handshake(), "rob", PASSWORD).await;
    assert_eq!(told.1, "there is no account of that name");
    let told = self::told(&world, World::handshake(), "Bob", PASSWORD).await;
    assert_eq!(told, (CloseReason::NotAuthenticated, "account 1 is disabled".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn answers_without_the_fields_are_wrong_and_nothing_worse() {
    let world = SiteWorld::new().await;
    for said in ["{}", "{\"username\":\"bob\"}", "{\"password\":\"x\"}", "{\"kind\":\"password\",\"name\":\"bob\"}"] {
        let mut peer = knock(&world, World::handshake()).await;
        peer.play(&format!("{ASK}\n> {said}\n< refused not_authenticated")).await;
    }
    let mut peer = knock(&world, World::handshake()).await;
    peer.play(&format!("{ASK}\n< refused too_slow")).await;
}

#[tokio::test(start_paused = true)]
async fn c33_of_a_hundred_tries_at_once_no_more_are_looked_at_than_may_be_made() {
    let world = SiteWorld::new().await;
    let mut peers = Vec::new();
    for _ in 0..100 {
        let mut peer = knock(&world, World::handshake()).await;
        peer.play(&format!("{ASK}\n> {}", json!({ "username": "bob", "password": "wrong wrong wrong" }))).await;
        peers.push(peer);
    }
    let mut looked_at = 0;
    for mut peer in peers {
        let refusal = peer.hear().await.refusal.unwrap();
        // Some find no place to be hashed, and have then tried nothing.
        looked_at += usize::from(refusal.detail.contains("is another"));
        assert_eq!(refusal.close_reason(), CloseReason::NotAuthenticated, "locked looks like wrong");
    }
    assert_eq!(looked_at, 5);
    let (reason, detail) = told(&world, World::handshake(), "bob", PASSWORD).await;
    assert_eq!(reason, CloseReason::NotAuthenticated, "not even the right one");
    assert!(detail.starts_with("locked: password may be tried again at"), "{detail}");
    // Nobody counts for another.
    assert_eq!(told(&world, World::handshake(), "rob", PASSWORD).await.1, "there is no account of that name");
}

#[tokio::test(start_paused = true)]
async fn a_try_counts_from_before_it_is_looked_at_until_it_was_right() {
    let mut world = SiteWorld::new().await;
    for _ in 0..4 {
        told(&world, World::handshake(), "BOB", "wrong").await;
    }
    let said = json!({ "username": "bob", "password": PASSWORD });
    let right = format!("{ASK}\n> {said}\n< admitted member:1");
    // Was right: four are free again.
    knock(&world, World::handshake()).await.play(&right).await;
    for _ in 0..4 {
        told(&world, World::handshake(), "bob", "wrong").await;
    }
    // One who hangs up while the password is hashed, which takes its time, has failed.
    let slow = Hashing::new(Work::new(1024, 100).unwrap(), 1).unwrap().into();
    let cheap = std::mem::replace(&mut world.tools.hashing, slow);
    let mut peer = knock(&world, World::handshake()).await;
    peer.play(&format!("{ASK}\n> {said}")).await;
    assert!(peer.hears_nothing().await);
    drop(peer);
    world.tools.hashing = cheap;
    assert!(told(&world, World::handshake(), "bob", PASSWORD).await.1.starts_with("locked"));
    world.world.clock.advance(std::time::Duration::from_secs(30));
    knock(&world, World::handshake()).await.play(&right).await;
}

#[tokio::test(start_paused = true)]
async fn c34_a_browser_that_bob_has_logged_in_with_has_a_count_of_its_own() {
    let world = SiteWorld::new().await;
    world.log_in(world.bob, 1, Some(2)).await;
    for _ in 0..6 {
        told(&world, World::handshake(), "bob", "wrong").await;
    }
    assert!(told(&world, SiteWorld::request(None, Some(3)), "bob", PASSWORD).await.1.starts_with("locked"));
    let mut peer = knock(&world, SiteWorld::request(None, Some(2))).await;
    let said = json!({ "username": "bob", "password": PASSWORD });
    peer.play(&format!("{ASK}\n> {said}\n< admitted member:1")).await;
}

#[tokio::test(start_paused = true)]
async fn c85_a_clock_that_is_set_back_neither_gives_tries_back_nor_locks_for_longer_than_the_wait() {
    let world = SiteWorld::new().await;
    for _ in 0..5 {
        told(&world, World::handshake(), "bob", "wrong").await;
    }
    assert!(told(&world, World::handshake(), "bob", PASSWORD).await.1.starts_with("locked"));
    world.world.clock.set(Timestamp::from_secs(World::NOW.as_secs() - 3600));
    assert!(told(&world, World::handshake(), "bob", PASSWORD).await.1.starts_with("locked"), "an hour back");
    world.world.clock.advance(Duration::from_secs(31));
    let said = json!({ "username": "bob", "password": PASSWORD });
    knock(&world, World::handshake()).await.play(&format!("{ASK}\n> {said}\n< admitted member:1")).await;
}

#[tokio::test(start_paused = true)]
async fn c45_one_too_many_is_told_to_come_later_and_has_not_failed() {
    let world = SiteWorld::new().await;
    // Two cores: six are at work or wait.
    let places: Vec<_> = (0..6).map(|_| world.tools.hashing.place().unwrap()).collect();
    let said = format!("{ASK}\n> {}", json!({ "username": "bob", "password": PASSWORD }));
    for _ in 0..9 {
        let mut peer = knock(&world, World::handshake()).await;
        peer.play(&format!("{said}\n< refused try_later")).await;
    }
    drop(places);
    let mut peer = knock(&world, World::handshake()).await;
    peer.play(&format!("{said}\n< admitted member:1")).await;
}

#[tokio::test(start_paused = true)]
async fn c45_where_strangers_have_all_places_a_browser_that_the_account_knows_is_hashed_and_no_other() {
    let world = SiteWorld::new().await;
    let eve = world.another().await;
    world.log_in(world.bob, 1, Some(2)).await;
    world.log_in(eve, 3, Some(4)).await;
    let strangers: Vec<_> = std::iter::from_fn(|| world.tools.hashing.place().ok()).collect();
    assert_eq!(strangers.len(), 6);
    let said = format!("{ASK}\n> {}", json!({ "username": "bob", "password": PASSWORD }));
    let hears = async |browser, heard: &str| {
        let mut peer = knock(&world, SiteWorld::request(None, browser)).await;
        peer.play(&format!("{said}\n< {heard}")).await;
    };
    for browser in [None, Some(4), Some(5)] {
        hears(browser, "refused try_later").await;
    }
    hears(Some(2), "admitted member:1").await;
    assert_eq!(told(&world, SiteWorld::request(None, Some(2)), "bob", "wrong").await.0, CloseReason::NotAuthenticated);
    // Nobody is known to an account that is not there.
    assert_eq!(told(&world, SiteWorld::request(None, Some(2)), "nob", PASSWORD).await.0, CloseReason::TryLater);
    // What is kept is taken once, and whoever comes then has not failed either.
    let kept = world.tools.hashing.kept_place().unwrap();
    for _ in 0..9 {
        hears(Some(2), "refused try_later").await;
    }
    drop(kept);
    hears(Some(2), "admitted member:1").await;
}

#[tokio::test(start_paused = true)]
async fn a_site_that_is_away_lets_nobody_in_and_says_to_come_later() {
    let world = SiteWorld::new().await;
    world.port.down.store(true, Ordering::SeqCst);
    let mut peer = knock(&world, World::handshake()).await;
    peer.play(&format!("{ASK}\n> {}\n< refused try_later", json!({ "username": "bob", "password": PASSWORD }))).await;
}

#[tokio::test(start_paused = true)]
async fn a_password_of_less_work_is_kept_better_after_the_login() {
    let mut world = SiteWorld::new().await;
    world.tools.hashing = Hashing::new(Work::new(64, 2).unwrap(), 1).unwrap().into();
    let kept = async || {
        let found = Accounts::find(&*world.world.site, &World::owner(), world.bob).await;
        found.unwrap().unwrap().password
    };
    let before = kept().await;
    let said = format!("{ASK}\n> {}\n< admitted member:1", json!({ "username": "bob", "password": PASSWORD }));
    knock(&world, World::handshake()).await.play(&said).await;
    assert_ne!(kept().await, before);
    assert!(kept().await.reveal_text("test").unwrap().contains("m=64,t=2"));
    knock(&world, World::handshake()).await.play(&said).await;
}
