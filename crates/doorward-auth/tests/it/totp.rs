use std::time::Duration;

use doorward_auth::{
    Ladder, LadderError,
    account::{TotpStep, totp_row},
    ports::SystemRng,
};
use doorward_testkit::{Peer, World, script};
use doorward_types::{AccountId, CloseReason, Timestamp};
use serde_json::json;

use crate::{
    site::{PASSWORD, SiteWorld},
    support::{Word, rungs},
};

const SOURCE: &str = include_str!("../../src/layers/conversation/totp.rs");
const ASK: &str = "< ask totp: user sends code";

/// Bob, as far as the password has proven him.
async fn bob(world: &SiteWorld) -> Peer {
    let ladder = rungs(vec![world.rung(json!({ "password": {} })), world.rung(json!({ "totp": {} }))]);
    let mut peer = world.knock(&ladder, World::handshake()).await.unwrap();
    let said = json!({ "username": "bob", "password": PASSWORD });
    peer.play(&format!("< ask password: user sends username and password\n> {said}\n{ASK}")).await;
    peer
}

/// What bob's phone shows so many steps from now.
fn code(world: &SiteWorld, off: i64) -> String {
    let TotpStep(now) = TotpStep::at(World::NOW);
    let code = world.seed.code(TotpStep(now.saturating_add_signed(off)));
    code.reveal_text("test").unwrap().to_owned()
}

async fn send(world: &SiteWorld, code: &str) -> Result<Vec<&'static [&'static str]>, (CloseReason, String)> {
    let mut peer = bob(world).await;
    peer.play(&format!("> {}", json!({ "kind": "totp", "code": code }))).await;
    let heard = peer.hear().await;
    let expected = script::steps_of(SOURCE);
    assert_eq!(peer.steps()[2..], expected);
    match heard.refusal {
        Some(refusal) => Err((refusal.close_reason(), refusal.detail)),
        None => Ok(heard.admission.unwrap().evidence().iter().map(|evidence| evidence.amr).collect()),
    }
}

fn wrong(why: &str) -> Result<Vec<&'static [&'static str]>, (CloseReason, String)> {
    Err((CloseReason::NotAuthenticated, why.to_owned()))
}

#[tokio::test(start_paused = true)]
async fn the_code_of_the_phone_is_the_second_factor() {
    let world = SiteWorld::new().await;
    world.enrol(true).await;
    assert_eq!(send(&world, &code(&world, 0)).await, Ok(vec![&["pwd"][..], &["otp"]]));
}

#[tokio::test(start_paused = true)]
async fn c37_a_code_is_taken_once_also_of_two_at_the_same_time() {
    let world = SiteWorld::new().await;
    world.enrol(true).await;
    let mut both = [bob(&world).await, bob(&world).await];
    for peer in &mut both {
        peer.play(&format!("> {}", json!({ "code": code(&world, 0) }))).await;
    }
    let mut admitted = 0;
    for peer in &mut both {
        admitted += usize::from(peer.hear().await.admission.is_some());
    }
    assert_eq!(admitted, 1);
    assert_eq!(send(&world, &code(&world, 0)).await, wrong("the code, or a later one, was used before"));
}

#[tokio::test(start_paused = true)]
async fn c38_a_step_before_or_after_is_taken_but_none_before_one_that_was() {
    for (off, right) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
        let world = SiteWorld::new().await;
        world.enrol(true).await;
        assert_eq!(send(&world, &code(&world, off)).await.is_ok(), right, "{off}");
    }
    let world = SiteWorld::new().await;
    world.enrol(true).await;
    assert!(send(&world, &code(&world, 0)).await.is_ok());
    assert_eq!(send(&world, &code(&world, -1)).await, wrong("the code, or a later one, was used before"));
    assert!(send(&world, &code(&world, 1)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn c85_no_clock_that_is_set_makes_a_code_good_twice() {
    let world = SiteWorld::new().await;
    world.enrol(true).await;
    let (clock, used) = (&world.world.clock, "the code, or a later one, was used before");
    let hour = 120;
    assert!(send(&world, &code(&world, 0)).await.is_ok());
    clock.advance(Duration::from_secs(3600));
    assert!(send(&world, &code(&world, hour)).await.is_ok());
    for back in [Duration::from_secs(300), Duration::from_secs(3600)] {
        let steps = i64::try_from(back.as_secs() / 30).unwrap();
        clock.set(Timestamp::from_millis(
            World::NOW.plus(Duration::from_secs(3600)).as_millis() - back.as_millis() as u64,
        ));
        assert_eq!(send(&world, &code(&world, hour - steps)).await, wrong(used), "{back:?} back");
    }
    clock.set(World::NOW.plus(Duration::from_secs(3600)));
    assert_eq!(send(&world, &code(&world, hour)).await, wrong(used), "and when it is that time again");
    assert!(send(&world, &code(&world, hour + 1)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_recovery_code_stands_in_for_the_phone_once() {
    let world = SiteWorld::new().await;
    let codes = world.enrol(true).await;
    let [first, second] = [0, 1].map(|at: usize| codes[at].shown().reveal_text("test").unwrap().to_lowercase());
    assert_eq!(send(&world, &first).await, Ok(vec![&["pwd"][..], &["recovery"]]));
    assert_eq!(send(&world, &first).await, wrong("it is none of the account's recovery codes, or was used before"));
    assert!(send(&world, &second.replace('-', " ")).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn without_a_phone_that_counts_any_code_is_wrong() {
    let world = SiteWorld::new().await;
    let no_app = "the account has no authenticator app that counts";
    assert_eq!(send(&world, "287082").await, wrong(no_app));
    let codes = world.enrol(false).await;
    assert_eq!(send(&world, &code(&world, 0)).await, wrong(no_app));
    let recovery = codes[0].shown();
    assert_eq!(send(&world, recovery.reveal_text("test").unwrap()).await, wrong(no_app));
}

#[tokio::test(start_paused = true)]
async fn what_is_no_code_is_a_wrong_one() {
    let world = SiteWorld::new().await;
    world.enrol(true).await;
    for code in ["", "28708", "abcdef"] {
        let neither = "it can be neither a code of an app nor a recovery code";
        assert_eq!(send(&world, code).await, wrong(neither), "{code}");
    }
    let mut peer = bob(&world).await;
    peer.play("> {\"kind\":\"totp\",\"token\":\"1\"}\n< refused not_authenticated").await;
}

#[tokio::test(start_paused = true)]
async fn c35_a_right_password_does_not_give_a_code_more_tries() {
    let world = SiteWorld::new().await;
    world.enrol(true).await;
    for _ in 0..5 {
        assert_eq!(send(&world, "000000").await, wrong("the code is none of this moment"));
    }
    let (reason, detail) = send(&world, &code(&world, 0)).await.unwrap_err();
    assert_eq!(reason, CloseReason::NotAuthenticated);
    assert!(detail.starts_with("locked: totp may be tried again at"), "{detail}");
}

#[tokio::test(start_paused = true)]
async fn a_recovery_code_gets_in_where_wrong_codes_have_locked_the_phone_and_ends_the_lock() {
    let world = SiteWorld::new().await;
    let codes = world.enrol(true).await;
    for _ in 0..5 {
        send(&world, "000000").await.unwrap_err();
    }
    assert!(send(&world, &code(&world, 0)).await.unwrap_err().1.starts_with("locked: totp"));
    let recovery = codes[0].shown();
    let shown = send(&world, recovery.reveal_text("test").unwrap()).await;
    assert_eq!(shown, Ok(vec![&["pwd"][..], &["recovery"]]));
    assert!(send(&world, &code(&world, 0)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn what_can_be_no_code_is_not_looked_at_and_uses_up_no_try() {
    let world = SiteWorld::new().await;
    world.enrol(true).await;
    for _ in 0..9 {
        send(&world, "12345").await.unwrap_err();
    }
    assert!(send(&world, &code(&world, 0)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_does_not_open_is_our_own_fault_and_lets_nobody_in() {
    let world = SiteWorld::new().await;
    let row = totp_row(&World::owner(), AccountId(99));
    let sealed = world.tools.sealing.seal(world.seed.secret(), &row, &SystemRng).into_bytes();
    world.enrol_as(sealed, true, &[]).await;
    let (reason, detail) = send(&world, &code(&world, 0)).await.unwrap_err();
    assert_eq!(reason, CloseReason::InternalError);
    assert!(detail.contains("was changed since it was sealed"), "{detail}");
}

#[tokio::test(start_paused = true)]
async fn somebody_who_is_no_account_of_the_site_has_no_phone_here() {
    let world = SiteWorld::new().await;
    world.enrol(true).await;
    let ladder = rungs(vec![Word::of("terminal", "a7").rung(), world.rung(json!({ "totp": {} }))]);
    let mut peer = world.knock(&ladder, World::handshake()).await.unwrap();
    let said = json!({ "code": code(&world, 0) });
    let talk = format!(
        "< ask terminal: user sends word\n> {{\"word\":\"right\"}}\n{ASK}\n> {said}\n< refused not_authenticated"
    );
    peer.play(&talk).await;
}

#[tokio::test]
async fn it_stands_below_a_layer_that_says_who_it_is() {
    let world = SiteWorld::new().await;
    let alone = Ladder::new(vec![world.rung(json!({ "totp": {} }))]);
    assert_eq!(alone.unwrap_err(), LadderError::NeedsIdentity { rung: 0, layer: "totp" });
    let offered = |of| Ladder::new(vec![world.rung(json!({ "offer": { "of": of } }))]);
    assert!(offered(json!([{ "password": {} }, { "totp": {} }])).is_ok());
    let totp_first = offered(json!([{ "totp": {} }, { "password": {} }]));
    assert_eq!(totp_first.unwrap_err(), LadderError::NeedsIdentity { rung: 0, layer: "offer" });
}
