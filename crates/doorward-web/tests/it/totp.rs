//! Authenticator apps: enrolment, the second page of a login, recovery codes.

use std::{sync::Arc, time::Duration};

use doorward_auth::{
    BoxFuture,
    account::{TotpSeed, TotpStep},
    memory::MemorySite,
    ports::{Clock, Ending, Page as LogPage, PortError, Revocations, SitePorts, What, Why},
};
use doorward_types::{Cursor, Secret};
use http::StatusCode;
use tokio::sync::watch;

use crate::world::{Browser, PASSWORD, Page, With, World};

const HALF: &str = "__Host-doorward-login";

/// The phone that has scanned the picture of a page.
pub(crate) struct Phone(TotpSeed);

impl Phone {
    pub(crate) fn scan(page: &Page) -> Self {
        let text = page.between(r#"<code class="secret">"#, "</code>").replace(' ', "");
        let mut bits = 0_u64;
        let mut bytes = Vec::new();
        for (place, letter) in text.bytes().enumerate() {
            let value = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".iter().position(|other| *other == letter).unwrap();
            bits = bits << 5 | value as u64;
            if place % 8 == 7 {
                bytes.extend_from_slice(&bits.to_be_bytes()[3..]);
                bits = 0;
            }
        }
        Self(TotpSeed::from_secret(Secret::new(bytes)).unwrap())
    }

    /// What it shows now.
    pub(crate) fn code(&self, world: &World) -> String {
        self.0.code(TotpStep::at(world.clock.now())).reveal_text("test").unwrap().to_owned()
    }
}

/// Enrols an app in that browser. The phone, and the recovery codes.
pub(crate) async fn enrol(world: &World, browser: &Browser) -> (Phone, Vec<String>) {
    let phone = Phone::scan(&browser.post("/account/totp", &[("password", PASSWORD)]).await);
    let page = browser.post("/account/totp/confirm", &[("code", &phone.code(world))]).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    let codes: Vec<_> =
        page.text.split("<li><code>").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned()).collect();
    assert_eq!(codes.len(), 10);
    world.clock.advance(Duration::from_secs(30));
    (phone, codes)
}

/// A browser that has shown the right password and is asked for a code.
async fn halfway(world: &World) -> Browser {
    let browser = world.browser();
    let page = browser.post("/login", &[("username", "bob"), ("password", PASSWORD)]).await;
    assert_eq!(page.to(), "/login/code");
    browser
}

#[tokio::test]
async fn c39_a_secret_is_shown_once_to_who_is_logged_in_and_does_not_count_before_a_code_of_it_is_right() {
    let world = World::new();
    assert_eq!(world.browser().post("/account/totp", &[]).await.to(), "/login");

    let browser = world.registered("bob").await;
    let page = browser.post("/account/totp", &[("password", "not the password of bob")]).await;
    assert!(page.status == StatusCode::UNPROCESSABLE_ENTITY && page.says("This is not your present password."));
    let page = browser.post("/account/totp", &[("password", PASSWORD)]).await;
    assert_eq!(page.header("cache-control"), "no-store");
    assert!(page.says("<svg xmlns") && page.says(r#"<a href="/account/totp">Authenticator app</a>"#), "and a way back");
    let phone = Phone::scan(&page);
    let shown = page.between(r#"<code class="secret">"#, "</code>").to_owned();

    world.logged_in("bob").await;
    let wrong = browser.post("/account/totp/confirm", &[("code", "000000")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.says("This code is wrong") && !wrong.says(&shown) && !wrong.says("<svg"));
    assert!(!browser.get("/account/totp").await.says(&shown));

    let done = browser.post("/account/totp/confirm", &[("code", &phone.code(&world))]).await;
    assert!(done.says("Keep your recovery codes") && !done.says(&shown));
    assert!(!browser.get("/account/totp").await.says("<li><code>"), "nor are the recovery codes shown again");
    assert_eq!(browser.post("/account/totp", &[]).await.to(), "/account/totp", "there is one already");
    let kept = world.ports.factors.totp(&World::owner(), world.account("bob").await.id).await.unwrap().unwrap();
    assert!(!kept.sealed.windows(20).any(|part| part == phone.0.secret().reveal("test")), "sealed where it is kept");
}

#[tokio::test]
async fn a_login_with_an_app_takes_two_pages_and_nothing_opens_between_them() {
    let world = World::new();
    let (phone, _) = enrol(&world, &world.registered("bob").await).await;
    let browser = halfway(&world).await;
    assert!(browser.cookie("__Host-doorward-session").is_none());
    assert_eq!(browser.get("/account").await.to(), "/login");
    assert!(browser.get("/login/code").await.says("Step 2 of 2"));
    assert_eq!(browser.post("/login/code", &[("code", &phone.code(&world))]).await.to(), "/account");
    assert!(browser.cookie(HALF).is_none());
    assert_eq!(world.sessions("bob").await[0].factors, ["pwd", "otp"]);
}

#[tokio::test]
async fn half_a_login_is_of_one_browser_and_of_five_minutes() {
    let world = World::new();
    let (phone, _) = enrol(&world, &world.registered("bob").await).await;
    let browser = halfway(&world).await;
    let other = world.browser();
    assert_eq!(other.get("/login/code").await.to(), "/login");
    assert_eq!(other.post("/login/code", &[("code", &phone.code(&world))]).await.to(), "/login?again=1");
    world.clock.advance(Duration::from_secs(5 * 60));
    assert_eq!(browser.post("/login/code", &[("code", &phone.code(&world))]).await.to(), "/login?again=1");
    assert!(browser.get("/login?again=1").await.says("Begin again with your password"));
}

#[tokio::test]
async fn c37_a_code_logs_in_once() {
    let world = World::new();
    let (phone, _) = enrol(&world, &world.registered("bob").await).await;
    let (one, two) = (halfway(&world).await, halfway(&world).await);
    let code = phone.code(&world);
    assert_eq!(one.post("/login/code", &[("code", &code)]).await.to(), "/account");
    let again = two.post("/login/code", &[("code", &code)]).await;
    assert_eq!(again.status, StatusCode::UNAUTHORIZED);
    assert!(again.says("wrong, or was used before"));
}

#[tokio::test]
async fn c35_wrong_codes_have_a_count_of_their_own_that_no_right_password_resets() {
    let world = World::new();
    let (phone, _) = enrol(&world, &world.registered("bob").await).await;
    let mut statuses = Vec::new();
    for number in 0..6 {
        let mut browser = halfway(&world).await;
        browser.source = std::net::IpAddr::from([198, 51, number, 7]);
        statuses.push(browser.post("/login/code", &[("code", "000000")]).await.status);
    }
    assert_eq!(statuses[..5], [StatusCode::UNAUTHORIZED; 5]);
    assert_eq!(statuses[5], StatusCode::TOO_MANY_REQUESTS);
    let right = halfway(&world).await.post("/login/code", &[("code", &phone.code(&world))]).await;
    assert_eq!(right.status, StatusCode::TOO_MANY_REQUESTS, "the right one too, until the time is over");
    assert!(right.says("Try again in") && !right.header("retry-after").is_empty());
}

#[tokio::test]
async fn the_fifth_wrong_code_sends_back_to_the_password() {
    let world = World::new();
    enrol(&world, &world.registered("bob").await).await;
    let mut browser = halfway(&world).await;
    for number in 0..4 {
        browser.source = std::net::IpAddr::from([198, 51, number, 7]);
        assert_eq!(browser.post("/login/code", &[("code", "000000")]).await.status, StatusCode::UNAUTHORIZED);
    }
    browser.source = std::net::IpAddr::from([198, 51, 9, 7]);
    assert_eq!(browser.post("/login/code", &[("code", "000000")]).await.to(), "/login?again=1");
    assert!(browser.cookie(HALF).is_none());
}

#[tokio::test]
async fn a_recovery_code_stands_in_for_the_phone_once_and_opens_what_wrong_codes_have_locked() {
    let world = World::new();
    let (_, codes) = enrol(&world, &world.registered("bob").await).await;
    for number in 0..5 {
        let mut browser = halfway(&world).await;
        browser.source = std::net::IpAddr::from([198, 51, number, 7]);
        browser.post("/login/code", &[("code", "000000")]).await;
    }
    let typed = codes[0].to_lowercase().replace('-', " ");
    let browser = halfway(&world).await;
    assert_eq!(browser.post("/login/code", &[("code", &typed)]).await.to(), "/account");
    assert_eq!(world.sessions("bob").await[0].factors, ["pwd", "recovery"]);
    assert!(browser.get("/account").await.says("By password and recovery code"));
    let again = halfway(&world).await.post("/login/code", &[("code", &codes[0])]).await;
    assert_eq!(again.status, StatusCode::UNAUTHORIZED);
    let wrong = halfway(&world).await.post("/login/code", &[("code", "000000")]).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED, "the count of codes begins anew");
    let unreadable = halfway(&world).await.post("/login/code", &[("code", "12345")]).await;
    assert!(unreadable.says("has six digits, and a recovery code has 24"));
}

/// A revocation log whose signal says that it stands further than it does.
struct Forged(Arc<dyn Revocations>);

impl Revocations for Forged {
    fn end<'a>(&'a self, ending: Ending) -> BoxFuture<'a, Result<Cursor, PortError>> {
        self.0.end(ending)
    }

    fn read_after<'a>(&'a self, cursor: Cursor, at_most: usize) -> BoxFuture<'a, Result<LogPage, PortError>> {
        self.0.read_after(cursor, at_most)
    }

    fn appended(&self) -> watch::Receiver<Cursor> {
        watch::Sender::new(Cursor(u64::MAX)).subscribe()
    }
}

#[tokio::test]
async fn what_ends_between_the_two_pages_does_not_begin_whatever_a_signal_says() {
    let store = SitePorts::of(&Arc::new(MemorySite::default()));
    let forged = SitePorts { revocations: Arc::new(Forged(Arc::clone(&store.revocations))), ..store };
    for world in [World::new(), World::with(With { ports: Some(forged), ..With::default() })] {
        let first = world.registered("bob").await;
        let (phone, _) = enrol(&world, &first).await;
        let browser = halfway(&world).await;
        let new = "five other words, all unlike";
        let page = first.post("/account/password", &[("password", PASSWORD), ("new_password", new)]).await;
        assert_eq!(page.to(), "/account?done=password");
        let page = browser.post("/login/code", &[("code", &phone.code(&world))]).await;
        assert_eq!(page.status, StatusCode::UNAUTHORIZED, "the password that was right is not the password any more");
    }
}

/// The password was typed before that time, though its code comes after it.
#[tokio::test]
async fn c3_a_login_whose_password_is_older_than_a_not_before_does_not_begin() {
    let world = World::new();
    let (phone, _) = enrol(&world, &world.registered("bob").await).await;
    let browser = halfway(&world).await;
    world.clock.advance(Duration::from_secs(1));
    let at = world.clock.now();
    let what = What::NotBefore { subject: None, at };
    let ending = Ending { owner: Some(World::owner()), what, why: Why::Revoked, change: None, at };
    world.ports.revocations.end(ending).await.unwrap();
    let page = browser.post("/login/code", &[("code", &phone.code(&world))]).await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_password_that_is_too_short_to_stand_alone_keeps_the_app_on() {
    let world = World::new();
    let browser = world.registered("bob").await;
    enrol(&world, &browser).await;
    let short = "kq7 zebra";
    let page = browser.post("/account/password", &[("password", PASSWORD), ("new_password", short)]).await;
    assert_eq!(page.to(), "/account?done=password");
    let page = browser.post("/account/totp/remove", &[("password", short)]).await;
    assert!(
        page.says("Without the app this password would stand alone.") && page.says("Change it first."),
        "{}",
        page.text
    );
    assert!(browser.get("/account/totp").await.says("Take it off"));
}

#[tokio::test]
async fn c9_taking_the_app_off_needs_the_password_and_ends_all_other_logins() {
    let world = World::new();
    let browser = world.registered("bob").await;
    let other = world.logged_in("bob").await;
    enrol(&world, &browser).await;
    let wrong = browser.post("/account/totp/remove", &[("password", "some other password")]).await;
    assert!(wrong.says("This is not your present password."));
    assert!(browser.get("/account/totp").await.says("Take it off"));
    assert_eq!(browser.post("/account/totp/remove", &[("password", PASSWORD)]).await.to(), "/account?done=totp");
    assert_eq!(other.get("/account").await.to(), "/login");
    assert_eq!(browser.get("/account").await.status, StatusCode::OK);
    world.logged_in("bob").await;
}
