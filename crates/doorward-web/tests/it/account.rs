//! The account page: logins, sockets, password, key.

use std::time::Duration;

use doorward_auth::{
    account::EntryKey,
    ports::{Entered, KeyEntry},
};
use doorward_types::Secret;
use http::StatusCode;

use crate::{
    totp::enrol,
    world::{Browser, PASSWORD, World},
};

const SESSION: &str = "__Host-doorward-session";
const NEW: &str = "five other words, all unlike";

#[tokio::test]
async fn the_logins_and_sockets_of_the_account_are_listed_and_those_of_others_are_not() {
    let world = World::new();
    let browser = world.registered("bob").await;
    world.registered("eve").await;
    let (bob, eve) = (world.account("bob").await, world.account("eve").await);
    let sid = world.sessions("bob").await[0].sid;
    let own = world.sockets.add(1, bob.id, "bob", Some(sid));
    let others = world.sockets.add(2, eve.id, "eve", None);
    let page = browser.get("/account").await;
    assert_eq!(page.header("cache-control"), "no-store");
    for words in [
        "chat",
        "Passed session, totp, ident",
        "198.51.100.20",
        "Firefox on Linux",
        "192.0.2.7",
        "This one",
        "This login",
    ] {
        assert!(page.says(words), "{words}");
    }
    assert!(page.says(&own.to_string()) && !page.says(&others.to_string()));
}

#[tokio::test]
async fn one_login_can_be_ended_from_another_and_nobody_elses() {
    let world = World::new();
    let browser = world.registered("bob").await;
    let other = world.logged_in("bob").await;
    let eve = world.registered("eve").await;
    let sid = world.sessions("bob").await.iter().find(|session| session.source == browser.source).unwrap().sid;
    let of_other = world.sessions("bob").await.into_iter().find(|session| session.sid != sid).unwrap().sid;
    for sid in [sid, of_other] {
        assert_eq!(eve.post("/account/sessions/end", &[("id", &sid.to_string())]).await.to(), "/account?done=gone");
    }
    assert_eq!(world.sessions("bob").await.len(), 2, "an id is public and opens nothing");
    let ids = [sid, of_other].map(|sid| sid.to_string());
    let here = browser.get("/account").await;
    let ended = ids.iter().find(|id| here.says(&format!(r#"name="id" value="{id}""#))).unwrap();
    assert_eq!(browser.post("/account/sessions/end", &[("id", ended)]).await.to(), "/account?done=session");
    assert_eq!(other.get("/account").await.to(), "/login");
    assert_eq!(browser.get("/account").await.status, StatusCode::OK);
}

#[tokio::test]
async fn all_other_logins_end_at_once_and_this_one_goes_on() {
    let world = World::new();
    let browser = world.registered("bob").await;
    let others = [world.logged_in("bob").await, world.logged_in("bob").await];
    assert_eq!(browser.post("/account/sessions/end-others", &[]).await.to(), "/account?done=others");
    for other in &others {
        assert_eq!(other.get("/account").await.to(), "/login");
    }
    assert!(!browser.get("/account").await.says("End all others"));
}

#[tokio::test]
async fn a_socket_of_ones_own_can_be_ended_and_no_other() {
    let world = World::new();
    let browser = world.registered("bob").await;
    world.registered("eve").await;
    let own = world.sockets.add(1, world.account("bob").await.id, "bob", None);
    let others = world.sockets.add(2, world.account("eve").await.id, "eve", None);
    for id in [own, others] {
        browser.post("/account/sockets/end", &[("id", &id.to_string())]).await;
    }
    assert_eq!(world.sockets.ids(), [others]);
    let page = browser.post("/account/sockets/end", &[("id", &own.to_string())]).await;
    assert_eq!(page.to(), "/account?done=gone");
}

#[tokio::test]
async fn where_only_the_lists_were_asked_for_only_they_come_back() {
    let world = World::new();
    let browser = world.registered("bob").await;
    let own = world.sockets.add(1, world.account("bob").await.id, "bob", None);
    let page = browser.post_with("/account/sockets/end", &[("id", &own.to_string())], &[("hx-request", "true")]).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.says("None of your connections is open") && !page.says("<html"));
}

#[tokio::test]
async fn a_page_whose_login_has_ended_goes_to_the_login_and_does_not_get_it_as_a_part() {
    let world = World::new();
    let page = world.browser().send(http::Method::GET, "/account/live", &[("hx-request", "true")], "").await;
    assert_eq!((page.status, page.header("hx-redirect")), (StatusCode::UNAUTHORIZED, "/login"));
}

#[tokio::test]
async fn c9_a_new_password_ends_all_other_logins_and_gives_this_one_a_new_id() {
    let world = World::new();
    let browser = world.registered("bob").await;
    let others = [world.logged_in("bob").await, world.logged_in("bob").await];
    let before = browser.cookie(SESSION).unwrap();
    let sids: Vec<_> = world.sessions("bob").await.iter().map(|session| session.sid).collect();
    let page = browser.post("/account/password", &[("password", PASSWORD), ("new_password", NEW)]).await;
    assert_eq!(page.to(), "/account?done=password");
    assert_ne!(browser.cookie(SESSION).unwrap(), before);
    assert!(browser.get("/account?done=password").await.says("Your password is changed"));
    for other in &others {
        assert_eq!(other.get("/account").await.to(), "/login");
    }
    let left = world.sessions("bob").await;
    assert!(left.len() == 1 && !sids.contains(&left[0].sid));
    let old = world.browser();
    old.jar.lock().unwrap().insert(SESSION.into(), before);
    assert_eq!(old.get("/account").await.to(), "/login");
    let page = world.browser().post("/login", &[("username", "bob"), ("password", PASSWORD)]).await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED);
    assert!(world.log().await.iter().any(|entry| entry.starts_with("Others") && entry.ends_with("credential_changed")));
}

#[tokio::test]
async fn a_new_password_needs_the_present_one_and_tries_of_it_count() {
    let world = World::new();
    let browser = world.registered("bob").await;
    let change = |password| [("password", password), ("new_password", NEW)];
    let wrong = browser.post("/account/password", &change("some other password")).await;
    assert!(wrong.says(r#"id="password-error">This is not your present password."#), "{}", wrong.text);
    let weak = browser.post("/account/password", &[("password", PASSWORD), ("new_password", "short")]).await;
    assert!(weak.says(r#"id="new_password-error">It has 5 characters and needs 15"#));
    for _ in 0..10 {
        browser.post("/account/password", &change("some other password")).await;
    }
    let held = browser.post("/account/password", &change(PASSWORD)).await;
    assert_eq!(held.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(!held.header("retry-after").is_empty());
}

#[tokio::test]
async fn with_an_app_a_password_may_be_shorter() {
    let world = World::new();
    let browser = world.registered("bob").await;
    enrol(&world, &browser).await;
    assert!(browser.get("/account/password").await.says("At least 8 characters"));
    let page = browser.post("/account/password", &[("password", PASSWORD), ("new_password", "Kq7-vexing")]).await;
    assert_eq!(page.to(), "/account?done=password");
}

/// The key that a page shows.
async fn key(browser: &Browser) -> EntryKey {
    let page = browser.post("/account/key", &[]).await;
    assert!(page.says(r#"data-seconds="120""#) && page.header("cache-control") == "no-store");
    EntryKey::read(&Secret::from_text(page.between(r#"<code id="key">"#, "</code>"))).unwrap()
}

impl World {
    async fn enter(&self, key: &EntryKey) -> Entered {
        let hash = key.hash(&self.sealing.code_key());
        let now = doorward_auth::ports::Clock::now(&*self.clock);
        self.ports.key_entries.enter(&Self::owner(), key.id(), hash, now).await.unwrap()
    }
}

#[tokio::test]
async fn a_key_for_a_socket_is_made_on_demand_and_holds_two_minutes_once() {
    let world = World::new();
    let browser = world.registered("bob").await;
    assert!(!browser.get("/account/key").await.says(r#"id="key""#), "none before somebody asks");
    let first = key(&browser).await;
    let sid = world.sessions("bob").await[0].sid;
    let Entered::Right(KeyEntry { sid: rests_on, username, .. }) = world.enter(&first).await else {
        panic!("it is right")
    };
    assert_eq!((rests_on, username.as_str()), (sid, "bob"));
    assert_eq!(world.enter(&first).await, Entered::Unknown);
    let late = key(&browser).await;
    world.clock.advance(Duration::from_secs(120));
    assert_eq!(world.enter(&late).await, Entered::Unknown);
}

#[tokio::test]
async fn a_key_for_a_socket_is_void_after_the_logout() {
    let world = World::new();
    let browser = world.registered("bob").await;
    let key = key(&browser).await;
    browser.post("/logout", &[]).await;
    assert_eq!(world.enter(&key).await, Entered::Unknown);
}
