use std::{sync::atomic::Ordering, time::Duration};

use doorward_auth::{Handshake, Ladder, LadderError};
use doorward_testkit::{Peer, World, script};
use doorward_types::{CloseReason, Rest};
use serde_json::{Value, json};

use crate::{
    site::SiteWorld,
    support::{Word, rungs},
};

const SOURCE: &str = include_str!("../../src/layers/conversation/assert_login.rs");
const WAIT: &str = "< wait assert_login: socket waits for login";
const CHECK: &str = "> {\"kind\":\"assert_login\",\"check\":\"true\"}";
const NOT_YET: &str = "< tell assert_login: socket answers not yet";

/// Somebody whom a word has proven to be that account.
async fn proven(world: &SiteWorld, account: &'static str, config: Value, request: Handshake) -> Peer {
    let ladder = rungs(vec![Word::of("word", account).rung(), world.rung(json!({ "assert_login": config }))]);
    let mut peer = world.knock(&ladder, request).await.unwrap();
    peer.play("< ask word: user sends word\n> {\"word\":\"right\"}").await;
    peer
}

async fn bob(world: &SiteWorld, request: Handshake) -> Peer {
    proven(world, "1", json!({}), request).await
}

/// Whoever has that page open.
async fn in_browser(world: &SiteWorld, request: Handshake) -> Peer {
    world.knock(&world.ladder(json!({ "assert_login": { "who": "browser" } })), request).await.unwrap()
}

fn script(at: usize) -> Vec<String> {
    script::scripts_of(SOURCE)[at].clone()
}

#[tokio::test(start_paused = true)]
async fn whoever_is_logged_in_goes_on_at_once() {
    let world = SiteWorld::new().await;
    let session = world.log_in(world.bob, 1, None).await;
    let mut peer = bob(&world, World::handshake()).await;
    let admission = peer.play("< admitted member:1").await.unwrap().admission.unwrap();
    assert_eq!(peer.steps()[2..], script(0));
    assert_eq!(admission.rests_on(), [Rest::on("gate", "fancy"), Rest::on("subject", "member:1"), session.rest()]);
    assert_eq!(admission.expires_at(), Some(session.expires_at));
}

#[tokio::test(start_paused = true)]
async fn the_socket_waits_until_its_user_logs_in() {
    let world = SiteWorld::new().await;
    let mut peer = bob(&world, World::handshake()).await;
    let told = peer.play(WAIT).await.unwrap();
    assert_eq!((told.shown("for"), told.expires_in), ("login", Some(Duration::from_secs(300))));
    assert!(peer.hears_nothing().await);
    // Somebody else's login is not bob's.
    world.log_in(world.another().await, 8, None).await;
    assert!(peer.hears_nothing().await);
    world.log_in(world.bob, 1, None).await;
    let since = tokio::time::Instant::now();
    peer.play("< admitted member:1").await;
    assert_eq!(since.elapsed(), Duration::ZERO, "it is told of, and not only looked for");
    assert_eq!(peer.steps()[2..], script(1));
}

#[tokio::test(start_paused = true)]
async fn a_login_that_nothing_tells_of_is_found_all_the_same() {
    let world = SiteWorld::new().await;
    world.port.mute.store(true, Ordering::SeqCst);
    let mut peer = bob(&world, World::handshake()).await;
    peer.play(WAIT).await;
    assert!(peer.hears_nothing().await);
    world.log_in(world.bob, 1, None).await;
    assert!(peer.hears_nothing().await);
    peer.play("< admitted member:1").await;
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_ever() {
    let world = SiteWorld::new().await;
    let since = tokio::time::Instant::now();
    let mut peer = bob(&world, World::handshake()).await;
    peer.play(&format!("{WAIT}\n< refused too_slow")).await;
    assert_eq!(since.elapsed(), Duration::from_secs(300));
    assert_eq!(peer.trail()[1].steps[0].step, "socket waits for login");
}

#[tokio::test(start_paused = true)]
async fn the_user_may_have_it_look_at_any_time() {
    let world = SiteWorld::new().await;
    let mut peer = bob(&world, World::handshake()).await;
    peer.play(&format!("{WAIT}\n{CHECK}\n{NOT_YET}")).await;
    assert!(peer.hears_nothing().await, "one answer for one check");
    world.log_in(world.bob, 1, None).await;
    peer.play("< admitted member:1").await;
    assert_eq!(peer.steps()[2..], script(2));
}

#[tokio::test(start_paused = true)]
async fn a_check_finds_what_nothing_tells_of() {
    let world = SiteWorld::new().await;
    world.port.mute.store(true, Ordering::SeqCst);
    let mut peer = bob(&world, World::handshake()).await;
    peer.play(WAIT).await;
    assert!(peer.hears_nothing().await);
    world.log_in(world.bob, 1, None).await;
    let since = tokio::time::Instant::now();
    peer.play(&format!("{CHECK}\n< admitted member:1")).await;
    assert_eq!(since.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn whoever_says_something_else_or_checks_without_end_is_refused() {
    let world = SiteWorld::new().await;
    for said in ["{}", "{\"kind\":\"assert_login\",\"username\":\"bob\"}"] {
        let mut peer = bob(&world, World::handshake()).await;
        peer.play(&format!("{WAIT}\n> {said}\n< refused malformed")).await;
    }
    let mut peer = bob(&world, World::handshake()).await;
    peer.play(&format!("{WAIT}\n> {{\"kind\":\"jwt\",\"check\":\"true\"}}\n< refused not_authenticated")).await;
    let mut peer = bob(&world, World::handshake()).await;
    peer.play(WAIT).await;
    for left in (0..20).rev() {
        let told = peer.play(&format!("{CHECK}\n{NOT_YET}")).await.unwrap();
        assert_eq!(told.shown("checks"), left.to_string());
    }
    peer.play(&format!("{CHECK}\n< refused too_fast")).await;
}

#[tokio::test(start_paused = true)]
async fn a_login_in_another_browser_does_not_count_unless_the_owner_says_so() {
    let world = SiteWorld::new().await;
    world.log_in(world.bob, 1, Some(1)).await;
    let mut peer = bob(&world, SiteWorld::request(None, Some(2))).await;
    peer.play(WAIT).await;
    assert!(peer.hears_nothing().await);
    let mut elsewhere = proven(&world, "1", json!({ "same_browser": false }), SiteWorld::request(None, Some(2))).await;
    elsewhere.play("< admitted member:1").await;
    bob(&world, SiteWorld::request(None, Some(1))).await.play("< admitted member:1").await;
    world.log_in(world.bob, 2, Some(2)).await;
    peer.play("< admitted member:1").await;
}

#[tokio::test(start_paused = true)]
async fn whoever_is_logged_in_in_the_browser_goes_on() {
    let world = SiteWorld::new().await;
    world.log_in(world.bob, 1, Some(2)).await;
    let mut peer = in_browser(&world, SiteWorld::request(Some(1), Some(2))).await;
    peer.play("< admitted member:1").await;
    assert_eq!(peer.steps(), script(0));
}

#[tokio::test(start_paused = true)]
async fn whoever_logs_in_in_the_browser_is_waited_for() {
    let world = SiteWorld::new().await;
    // A login of before is not one that is waited for, and one in another browser neither.
    let before = world.log_in(world.bob, 1, Some(2)).await;
    world.log_out(&before).await;
    let mut peer = in_browser(&world, SiteWorld::request(Some(1), Some(2))).await;
    peer.play(WAIT).await;
    assert!(peer.hears_nothing().await);
    let eve = world.another().await;
    world.log_in(eve, 8, Some(3)).await;
    world.log_in(eve, 9, None).await;
    assert!(peer.hears_nothing().await);
    world.log_in(world.bob, 4, Some(2)).await;
    peer.play("< admitted member:1").await;
    assert_eq!(peer.steps(), script(1));
}

#[tokio::test(start_paused = true)]
async fn a_login_that_is_over_before_it_is_seen_lets_nobody_in() {
    let world = SiteWorld::new().await;
    let mut peer = in_browser(&world, SiteWorld::request(None, Some(2))).await;
    peer.play(WAIT).await;
    let short = world.log_in(world.bob, 4, Some(2)).await;
    world.log_out(&short).await;
    assert!(peer.hears_nothing().await);
    peer.play("< refused too_slow").await;
}

#[tokio::test(start_paused = true)]
async fn a_foreign_page_and_a_program_have_no_browser() {
    let world = SiteWorld::new().await;
    world.log_in(world.bob, 1, Some(2)).await;
    for origin in [None, Some("null"), Some("https://evil.example")] {
        let request = Handshake { origin: origin.map(Into::into), ..SiteWorld::request(Some(1), Some(2)) };
        let mut peer = in_browser(&world, request).await;
        assert_eq!(peer.hear().await.refusal.unwrap().close_reason(), CloseReason::NotAllowed, "{origin:?}");
    }
    let mut peer = in_browser(&world, SiteWorld::request(Some(1), None)).await;
    peer.play("< refused not_authenticated").await;
}

#[tokio::test(start_paused = true)]
async fn c100_to_name_somebody_and_wait_for_their_login_gets_nobody_in() {
    let world = SiteWorld::new().await;
    // Named in the path, not proven: such a ladder is none.
    let named = Ladder::new(vec![Word::named("word").rung(), world.rung(json!({ "assert_login": {} }))]);
    assert_eq!(named.unwrap_err(), LadderError::NeedsIdentity { rung: 1, layer: "assert_login" });
    // Somebody who is no account of the site, whatever their number.
    let mut peer = proven(&world, "bob", json!({}), World::handshake()).await;
    peer.play("< refused not_authenticated").await;
    // In the browser of the attacker the victim does not log in.
    let mut peer = in_browser(&world, SiteWorld::request(None, Some(6))).await;
    peer.play(WAIT).await;
    world.log_in(world.bob, 1, Some(2)).await;
    peer.play("< refused too_slow").await;
}

#[tokio::test(start_paused = true)]
async fn a_site_that_goes_away_meanwhile_says_to_come_later() {
    let world = SiteWorld::new().await;
    let mut peer = bob(&world, World::handshake()).await;
    peer.play(WAIT).await;
    world.port.down.store(true, Ordering::SeqCst);
    peer.play("< refused try_later").await;
}
