use std::time::Duration;

use doorward_auth::{Handshake, Level, Refusal, trail::RungTrail};
use doorward_testkit::{World, script};
use doorward_types::{AccountId, CloseReason, KeyText, OwnerId, Rest, Secret};
use serde_json::json;

use crate::site::{BOB, PAGE, SiteWorld, secret};

const SOURCE: &str = include_str!("../../src/layers/handshake/session.rs");

async fn refused(world: &SiteWorld, request: Handshake) -> Refusal {
    let ladder = world.ladder(json!({ "session": {} }));
    let (refusal, trail) = world.world.knock(&ladder, request).await.err().unwrap();
    assert_eq!(steps(&trail), script::steps_of(SOURCE));
    refusal
}

fn steps(trail: &[RungTrail]) -> Vec<String> {
    trail.iter().flat_map(|rung| &rung.steps).map(|step| step.step.to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn the_cookie_of_a_login_proves_whose_it_is_before_the_101() {
    let world = SiteWorld::new().await;
    let session = world.site.log_in(BOB, 1, Some(2));
    let ladder = world.ladder(json!({ "session": {} }));
    assert!(ladder.is_decided_at_handshake());
    world.world.clock.advance(Duration::from_secs(60));
    let mut peer = world.world.knock(&ladder, SiteWorld::request(Some(1), Some(2))).await.unwrap();
    let admission = peer.play("< admitted member:7").await.unwrap().admission.unwrap();
    assert_eq!(peer.steps(), script::steps_of(SOURCE));
    assert_eq!(admission.subject(), Some(&session.subject()));
    assert_eq!((admission.evidence()[0].amr, admission.level()), (&["pwd"][..], Level::Low));
    let rests = [Rest::on("gate", "fancy"), Rest::on("subject", "member:7"), session.rest()];
    assert_eq!(admission.rests_on(), rests);
    assert_eq!(admission.expires_at(), Some(session.expires_at));
    let seen = world.site.kept.lock().unwrap().seen.clone();
    assert_eq!(seen, [(session.sid, World::NOW.plus(Duration::from_secs(60)))]);
}

#[tokio::test(start_paused = true)]
async fn a_cookie_that_is_missing_unknown_or_none_of_ours_is_no_login() {
    let world = SiteWorld::new().await;
    world.site.log_in(BOB, 1, Some(2));
    let with = |session| Handshake { session, ..SiteWorld::request(None, Some(2)) };
    for session in [
        None,
        Some(Secret::from_text("")),
        Some(Secret::from_text("dws_")),
        Some(Secret::new([0xFF; 76])),
        Some(secret(KeyText::Session, 9)),
        // The right bytes, as a key of another kind.
        Some(secret(KeyText::Browser, 1)),
    ] {
        assert_eq!(refused(&world, with(session)).await.close_reason(), CloseReason::NotAuthenticated);
    }
    assert!(world.site.kept.lock().unwrap().seen.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_login_that_is_over_too_old_unused_or_of_a_disabled_account_is_none() {
    let cases: [fn(&SiteWorld); 4] = [
        |world| world.site.log_out(),
        |world| world.world.clock.advance(Duration::from_secs(30 * 60)),
        |world| {
            let mut kept = world.site.kept.lock().unwrap();
            kept.sessions[0].1.expires_at = World::NOW;
        },
        |world| world.site.disable(),
    ];
    for (at, case) in cases.into_iter().enumerate() {
        let world = SiteWorld::new().await;
        world.site.log_in(BOB, 1, Some(2));
        case(&world);
        let refusal = refused(&world, SiteWorld::request(Some(1), Some(2))).await;
        assert_eq!(refusal.close_reason(), CloseReason::NotAuthenticated, "case {at}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_at_another_owners_site_is_none_here() {
    let world = SiteWorld::new().await;
    world.site.log_in(BOB, 1, Some(2));
    world.site.kept.lock().unwrap().sessions[0].1.owner = OwnerId::new("globex");
    let refusal = refused(&world, SiteWorld::request(Some(1), Some(2))).await;
    assert_eq!(refusal.close_reason(), CloseReason::NotAuthenticated);
}

#[tokio::test(start_paused = true)]
async fn c15_a_foreign_page_is_forbidden_and_the_login_is_not_seen_to_be_used() {
    let world = SiteWorld::new().await;
    world.site.log_in(BOB, 1, Some(2));
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
    world.site.kept.lock().unwrap().down = true;
    let request = Handshake { origin: Some("null".into()), ..SiteWorld::request(Some(1), None) };
    assert_eq!(refused(&world, request).await.close_reason(), CloseReason::NotAllowed);
    assert!(world.site.kept.lock().unwrap().seen.is_empty());
    let request = Handshake { origin: Some(PAGE.to_uppercase().into()), ..SiteWorld::request(Some(1), None) };
    assert_eq!(refused(&world, request).await.close_reason(), CloseReason::TryLater);
}

#[tokio::test(start_paused = true)]
async fn a_later_layer_that_proves_somebody_else_is_refused() {
    let world = SiteWorld::new().await;
    world.site.log_in(AccountId(8), 1, None);
    let rungs = vec![world.rung(json!({ "session": {} })), world.rung(json!({ "password": {} }))];
    let ladder = crate::support::rungs(rungs);
    let mut peer = world.world.knock(&ladder, SiteWorld::request(Some(1), None)).await.unwrap();
    let said = json!({ "username": "bob", "password": crate::site::PASSWORD });
    peer.play(&format!("< ask password: user sends username and password\n> {said}\n< refused not_authenticated"))
        .await;
}
