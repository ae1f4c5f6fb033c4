use std::{sync::atomic::Ordering, time::Duration};

use doorward_auth::{Claimant, Climb, Handshake, Level, Refusal, trail::RungTrail};
use doorward_testkit::{World, script};
use doorward_types::{CloseReason, KeyText, OwnerId, Rest, Secret};
use serde_json::json;

use crate::site::{PAGE, SiteWorld, cookie};

const SOURCE: &str = include_str!("../../src/layers/handshake/session.rs");

async fn refused(world: &SiteWorld, request: Handshake) -> Refusal {
    let ladder = world.ladder(json!({ "session": {} }));
    let (refusal, trail) = world.knock(&ladder, request).await.err().unwrap();
    assert_eq!(steps(&trail), script::steps_of(SOURCE));
    refusal
}

fn steps(trail: &[RungTrail]) -> Vec<String> {
    trail.iter().flat_map(|rung| &rung.steps).map(|step| step.step.to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn the_cookie_of_a_login_proves_whose_it_is_before_the_101() {
    let world = SiteWorld::new().await;
    let session = world.log_in(world.bob, 1, Some(2)).await;
    let ladder = world.ladder(json!({ "session": {} }));
    assert!(ladder.is_decided_at_handshake());
    world.world.clock.advance(Duration::from_secs(60));
    let mut peer = world.knock(&ladder, SiteWorld::request(Some(1), Some(2))).await.unwrap();
    let admission = peer.play("< admitted member:1").await.unwrap().admission.unwrap();
    assert_eq!(peer.steps(), script::steps_of(SOURCE));
    assert_eq!(admission.subject(), Some(&session.subject()));
    assert_eq!((admission.evidence()[0].amr, admission.level()), (&["pwd"][..], Level::Low));
    let rests = [Rest::on("gate", "fancy"), Rest::on("subject", "member:1"), session.rest()];
    assert_eq!(admission.rests_on(), rests);
    assert_eq!(admission.expires_at(), Some(session.expires_at));
    assert_eq!((admission.issued_at(), admission.browser().copied()), (session.created_at, session.browser));
    assert_eq!(world.kept(&session).await.last_seen, World::NOW.plus(Duration::from_secs(60)));
}

#[tokio::test(start_paused = true)]
async fn a_login_is_worth_more_with_a_second_factor_and_says_when_that_was_a_recovery_code() {
    let world = SiteWorld::new().await;
    let ladder = world.ladder(json!({ "session": {} }));
    for (login, amr, level) in [
        (1, &["pwd"][..], Level::Low),
        (2, &["pwd", "otp"], Level::Substantial),
        (3, &["pwd", "recovery"], Level::Substantial),
    ] {
        world.log_in_by(amr, world.bob, login, Some(2)).await;
        let mut peer = world.knock(&ladder, SiteWorld::request(Some(login), Some(2))).await.unwrap();
        let admission = peer.play("< admitted member:1").await.unwrap().admission.unwrap();
        assert_eq!((admission.evidence()[0].amr, admission.level()), (amr, level));
    }
}

#[tokio::test(start_paused = true)]
async fn a_cookie_that_is_missing_unknown_or_none_of_ours_is_no_login() {
    let world = SiteWorld::new().await;
    world.log_in(world.bob, 1, Some(2)).await;
    let with = |session| Handshake { session, ..SiteWorld::request(None, Some(2)) };
    for session in [
        None,
        Some(Secret::from_text("")),
        Some(Secret::from_text("dws_")),
        Some(Secret::new([0xFF; 76])),
        Some(cookie(KeyText::Session, 9)),
        // The right bytes, as a key of another kind.
        Some(cookie(KeyText::Browser, 1)),
    ] {
        assert_eq!(refused(&world, with(session)).await.close_reason(), CloseReason::NotAuthenticated);
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_that_is_over_unused_or_of_a_disabled_account_is_none() {
    let knocked = async |world: &SiteWorld| refused(world, SiteWorld::request(Some(1), Some(2))).await.close_reason();
    let world = SiteWorld::new().await;
    let session = world.log_in(world.bob, 1, Some(2)).await;
    world.log_out(&session).await;
    assert_eq!(knocked(&world).await, CloseReason::NotAuthenticated, "over");
    let world = SiteWorld::new().await;
    world.log_in(world.bob, 1, Some(2)).await;
    world.world.clock.advance(Duration::from_secs(30 * 60));
    assert_eq!(knocked(&world).await, CloseReason::NotAuthenticated, "not used for too long");
    let world = SiteWorld::new().await;
    world.log_in(world.bob, 1, Some(2)).await;
    world.disable().await;
    assert_eq!(knocked(&world).await, CloseReason::NotAuthenticated, "disabled");
}

#[tokio::test(start_paused = true)]
async fn a_login_is_too_old_however_much_it_is_used() {
    let world = SiteWorld::new().await;
    world.log_in(world.bob, 1, Some(2)).await;
    let ladder = world.ladder(json!({ "session": {} }));
    // Every 29 minutes, for twelve hours.
    for _ in 0..24 {
        world.world.clock.advance(Duration::from_secs(29 * 60));
        assert!(world.knock(&ladder, SiteWorld::request(Some(1), Some(2))).await.is_ok());
    }
    world.world.clock.advance(Duration::from_secs(29 * 60));
    refused(&world, SiteWorld::request(Some(1), Some(2))).await;
}

#[tokio::test(start_paused = true)]
async fn a_login_at_another_owners_site_is_none_here() {
    let world = SiteWorld::new().await;
    world.log_in(world.bob, 1, Some(2)).await;
    let mut start = world.world.start(SiteWorld::request(Some(1), Some(2)), World::gate());
    let (gate, source) = (World::gate(), [10, 0, 0, 1].into());
    start.claimant = Claimant::new(OwnerId::new("globex"), gate, source, true, Default::default());
    let refusal = Climb::begin(world.ladder(json!({ "session": {} })).into(), start).await.err().unwrap();
    assert_eq!(refusal.close_reason(), CloseReason::NotAuthenticated);
}

#[tokio::test(start_paused = true)]
async fn c15_a_foreign_page_is_forbidden_and_the_login_is_not_seen_to_be_used() {
    let world = SiteWorld::new().await;
    let session = world.log_in(world.bob, 1, Some(2)).await;
    world.world.clock.advance(Duration::from_secs(60));
    for origin in [
        None,
        Some("null"),
        Some("https://evil.example"),
        Some("https://shop.app.example"),
        Some("https://app.example.evil.example"),
        Some("http://app.example"),
        Some("https://app.example:444"),
    ] {
        let request = Handshake { origin: origin.map(Into::into), ..SiteWorld::request(Some(1), Some(2)) };
        let refusal = refused(&world, request).await;
        assert_eq!(refusal.close_reason(), CloseReason::NotAllowed, "{origin:?}");
    }
    // What is down is not asked before the page is looked at.
    world.port.down.store(true, Ordering::SeqCst);
    let request = Handshake { origin: Some("null".into()), ..SiteWorld::request(Some(1), None) };
    assert_eq!(refused(&world, request).await.close_reason(), CloseReason::NotAllowed);
    assert_eq!(world.kept(&session).await.last_seen, World::NOW);
    let request = Handshake { origin: Some(PAGE.to_uppercase().into()), ..SiteWorld::request(Some(1), None) };
    assert_eq!(refused(&world, request).await.close_reason(), CloseReason::TryLater);
}

#[tokio::test(start_paused = true)]
async fn a_later_layer_that_proves_somebody_else_is_refused() {
    let world = SiteWorld::new().await;
    world.log_in(world.another().await, 1, None).await;
    let rungs = vec![world.rung(json!({ "session": {} })), world.rung(json!({ "password": {} }))];
    let ladder = crate::support::rungs(rungs);
    let mut peer = world.knock(&ladder, SiteWorld::request(Some(1), None)).await.unwrap();
    let said = json!({ "username": "bob", "password": crate::site::PASSWORD });
    peer.play(&format!("< ask password: user sends username and password\n> {said}\n< refused not_authenticated"))
        .await;
}
