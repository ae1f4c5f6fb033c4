//! A password that was forgotten: an owner hands out a link, and its holder sets another one.

use doorward_auth::ports::Role;
use http::StatusCode;

use crate::{
    totp::enrol,
    world::{Browser, PASSWORD, Page, World},
};

const NEW: &str = "five other words, all new";

/// Olga makes a link for that account.
async fn link(world: &World, olga: &Browser, name: &str) -> String {
    let account = world.account(name).await;
    let page = olga.post(&format!("/console/accounts/{}/{}/password", account.owner, account.id), &[]).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    page.between(r#"<code class="secret" id="link">"#, "</code>").to_owned()
}

async fn set(browser: &Browser, link: &str, password: &str) -> Page {
    browser.post("/reset", &[("invitation", link), ("new_password", password)]).await
}

async fn logs_in(world: &World, password: &str) -> StatusCode {
    world.browser().post("/login", &[("username", "bob"), ("password", password)]).await.status
}

#[tokio::test]
async fn a_form_with_a_mistake_comes_back_with_the_link_in_it() {
    for (open, path) in [(World::new(), "/register"), (World::by_invitation(), "/register"), (World::new(), "/reset")] {
        let link = format!("dwi_{}", "0".repeat(72));
        let fields = [("username", "ann"), ("new_password", "short"), ("invitation", link.as_str())];
        let page = open.browser().post(path, &fields).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
        assert!(page.says(&format!("value=\"{link}\"")), "{path}: {}", page.text);
        assert!(!page.says("data-holds-invitation>\n      <summary>"), "{path}: it is folded away");
    }
}

#[tokio::test]
async fn a_link_ends_all_logins_voids_the_old_password_and_sets_one_new_password_without_a_login() {
    let world = World::new();
    let olga = world.owner_browser().await;
    world.registered("bob").await;
    world.logged_in("bob").await;
    let link = link(&world, &olga, "bob").await;
    assert!(link.starts_with("https://shop.example/reset#dwi_"), "{link}");
    assert_eq!(world.sessions("bob").await, []);
    assert_eq!(logs_in(&world, PASSWORD).await, StatusCode::UNAUTHORIZED, "the old password still logs in");

    let bob = world.browser();
    let weak = set(&bob, &link, "short").await;
    assert_eq!(weak.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(weak.says("15 characters") && !weak.says("used up"), "a weak password uses nothing up");
    assert_eq!(set(&bob, &link, NEW).await.to(), "/login?done=reset");
    assert_eq!(world.sessions("bob").await, [], "a link logs nobody in");
    assert!(bob.get("/login?done=reset").await.says("Your new password is set."));
    assert_eq!(logs_in(&world, NEW).await, StatusCode::SEE_OTHER);
    let again = set(&bob, &link, "yet another good password").await;
    assert!(again.status == StatusCode::UNPROCESSABLE_ENTITY && again.says("This link is used up"));
}

#[tokio::test]
async fn a_link_that_expired_was_replaced_is_anothers_or_for_a_disabled_account_gets_one_sentence() {
    let world = World::new();
    let olga = world.owner_browser().await;
    world.registered("bob").await;
    let first = link(&world, &olga, "bob").await;
    let second = link(&world, &olga, "bob").await;
    let elsewhere = Browser { host: "other.example".into(), ..world.browser() };
    let unknown = format!("dwi_{}", &first[first.len() - 72..]);
    let mut told = vec![set(&world.browser(), &first, NEW).await, set(&elsewhere, &second, NEW).await];
    let bob = world.account("bob").await;
    olga.post(&format!("/console/accounts/acme/{}/disable", bob.id), &[]).await;
    told.push(set(&world.browser(), &second, NEW).await);
    olga.post(&format!("/console/accounts/acme/{}/enable", bob.id), &[]).await;
    world.clock.advance(std::time::Duration::from_secs(24 * 60 * 60));
    told.push(set(&world.browser(), &second, NEW).await);
    told.push(set(&world.browser(), &unknown, NEW).await);
    for page in told {
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.says("This link is used up, expired, or was never given."), "{}", page.text);
    }
    assert!(set(&world.browser(), "dwi_nonsense", NEW).await.says("This is no whole link"));
    assert!(set(&world.browser(), "", NEW).await.says("Paste the link that you were sent."));
}

#[tokio::test]
async fn an_owner_makes_links_for_the_own_accounts_alone_and_for_none_that_may_do_more() {
    let world = World::new();
    let olga = world.owner_browser().await;
    let stranger = world.with_role("xavier", Role::Owner, "umbrella", "other.example").await;
    world.with_role("ada", Role::Operator, "acme", "shop.example").await;
    let bob = world.registered("bob").await;
    let page = async |browser: &Browser, name: &str| {
        let account = world.account(name).await;
        browser.post(&format!("/console/accounts/{}/{}/password", account.owner, account.id), &[]).await.status
    };
    assert_eq!(page(&stranger, "bob").await, StatusCode::NOT_FOUND);
    assert_eq!(page(&bob, "olga").await, StatusCode::FORBIDDEN);
    assert_eq!(page(&olga, "ada").await, StatusCode::FORBIDDEN);
    assert_eq!(page(&olga, "olga").await, StatusCode::FORBIDDEN, "one's own is changed on one's own page");
    assert_eq!(world.sessions("bob").await.len(), 1, "nothing has ended");
}

#[tokio::test]
async fn with_an_app_a_link_takes_a_shorter_password_and_the_code_is_asked_for_all_the_same() {
    let world = World::new();
    let olga = world.owner_browser().await;
    let bob = world.registered("bob").await;
    enrol(&world, &bob).await;
    let link = link(&world, &olga, "bob").await;
    let browser = world.browser();
    assert_eq!(set(&browser, &link, "moth teapot").await.to(), "/login?done=reset");
    let page = browser.post("/login", &[("username", "bob"), ("password", "moth teapot")]).await;
    assert_eq!(page.to(), "/login/code");
}

#[tokio::test]
async fn new_recovery_codes_are_made_for_a_password_or_a_code_and_void_the_old_ones() {
    let world = World::new();
    let bob = world.registered("bob").await;
    let (phone, old) = enrol(&world, &bob).await;
    for wrong in ["not my password at all", "000000", &old[0]] {
        let page = bob.post("/account/totp/codes", &[("proof", wrong)]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.says("neither your present password nor a code"), "{}", page.text);
        // What each wrong try costs its source has passed.
        world.clock.advance(std::time::Duration::from_secs(30));
    }
    let shown = |page: &Page| {
        page.text.split("<li><code>").skip(1).map(|code| code.split('<').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let by_password = bob.post("/account/totp/codes", &[("proof", PASSWORD)]).await;
    assert_eq!((by_password.status, shown(&by_password).len()), (StatusCode::OK, 10));
    world.clock.advance(std::time::Duration::from_secs(60));
    let by_code = bob.post("/account/totp/codes", &[("proof", &phone.code(&world))]).await;
    let (before, now) = (shown(&by_password), shown(&by_code));
    assert_eq!(now.len(), 10, "{}", by_code.text);
    let log_in = async |code: &str| {
        let browser = world.browser();
        browser.post("/login", &[("username", "bob"), ("password", PASSWORD)]).await;
        browser.post("/login/code", &[("code", code)]).await.status
    };
    assert_eq!(log_in(&old[1]).await, StatusCode::UNAUTHORIZED);
    assert_eq!(log_in(&before[0]).await, StatusCode::UNAUTHORIZED);
    assert_eq!(log_in(&now[0]).await, StatusCode::SEE_OTHER);
}
