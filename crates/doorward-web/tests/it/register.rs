//! Making an account.

use std::time::Duration;

use doorward_auth::ports::{Invitation, Role};
use doorward_types::{KeyText, OwnerId};
use http::StatusCode;

use crate::world::{NOW, PASSWORD, World};

impl World {
    /// An invitation, as the text of its link.
    pub(crate) async fn invited(&self, owner: &str, role: Role) -> String {
        let text = KeyText::Invitation.write(&self.rng.bytes32());
        let text = text.reveal_text("test").unwrap().to_owned();
        let mut hash = [0; 32];
        hash.copy_from_slice(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes()).as_ref());
        let invitation = Invitation {
            owner: OwnerId::new(owner),
            role,
            expires_at: NOW.plus(Duration::from_secs(3600)),
            first: false,
        };
        self.ports.accounts.invite(hash, invitation).await.unwrap();
        text
    }
}

#[tokio::test]
async fn whoever_makes_an_account_is_logged_in_and_welcome() {
    let world = World::new();
    let browser = world.browser();
    let page = browser.post("/register", &[("username", "Bob"), ("new_password", PASSWORD)]).await;
    assert_eq!(page.to(), "/account?done=register");
    assert!(browser.get("/account?done=register").await.says("Welcome."));
    let account = world.account("bob").await;
    assert_eq!((account.username.as_str(), account.role), ("Bob", Role::User));
    let kept = account.password.reveal_text("test").unwrap().to_owned();
    assert!(kept.starts_with("$argon2id$") && !kept.contains(PASSWORD));
}

#[tokio::test]
async fn a_name_that_is_taken_says_so_at_its_field_and_what_can_be_done() {
    let world = World::new();
    world.registered("Bob").await;
    let page = world.browser().post("/register", &[("username", "ＢＯＢ"), ("new_password", PASSWORD)]).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(page.says(r#"id="username-error">“BOB” is taken. Choose another name, or log in if it is yours.</p>"#));
    assert!(page.says(r##"<a href="#username">"##), "the summary leads there");
    assert!(page.says(r#"value="ＢＯＢ""#), "what was typed is not lost");
    assert!(!page.says(PASSWORD), "but the password is not sent back");
}

#[tokio::test]
async fn all_that_is_wrong_is_said_at_once_each_at_its_field() {
    let world = World::by_invitation();
    let fields = [("username", "a/b"), ("new_password", "short"), ("invitation", "dwi_nonsense")];
    let page = world.browser().post("/register", &fields).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.says(r#"id="username-error">The username has a `/`"#), "{}", page.text);
    assert!(page.says(r#"id="new_password-error">It has 5 characters and needs 15"#), "{}", page.text);
    assert!(page.says(r#"id="invitation-error">This is no whole invitation"#), "{}", page.text);
}

#[tokio::test]
async fn c44_common_passwords_are_refused_long_ones_are_taken_as_they_are_and_a_megabyte_is_too_much_before_it_is_hashed()
 {
    let world = World::new();
    for weak in ["passwordpassword", "acmeshopacmeshop", "doorwarddoorward", "qwertyuiopasdfgh"] {
        let page = world.browser().post("/register", &[("username", "bob"), ("new_password", weak)]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{weak}");
        assert!(page.says("new_password-error"));
    }
    let long = "ünïcödé wörds, 字 and 🦀 ".repeat(3);
    let page = world.browser().post("/register", &[("username", "bob"), ("new_password", &long)]).await;
    assert_eq!(page.to(), "/account?done=register");
    let page = world.browser().post("/login", &[("username", "bob"), ("password", &long)]).await;
    assert_eq!(page.to(), "/account");
    let cut = &long[..long.len() - 1];
    let page = world.browser().post("/login", &[("username", "bob"), ("password", cut)]).await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED, "nothing was cut off");

    // All places are taken: who were to be hashed would be told to come again.
    let places: Vec<_> = std::iter::from_fn(|| world.hashing.place().ok()).collect();
    let megabyte = "x".repeat(1 << 20);
    for path in ["/register", "/login", "/api/token"] {
        let page = world.browser().post(path, &[("username", "eve"), ("password", &megabyte)]).await;
        assert_eq!(page.status, StatusCode::PAYLOAD_TOO_LARGE, "{path}");
    }
    drop(places);
}

#[tokio::test]
async fn where_the_site_is_not_open_only_an_invitation_makes_an_account_and_only_once() {
    let world = World::by_invitation();
    let fields = [("username", "bob"), ("new_password", PASSWORD)];
    let page = world.browser().post("/register", &fields).await;
    assert!(page.says("Accounts here are by invitation"), "{}", page.text);

    let text = world.invited("acme", Role::Owner).await;
    // The whole link does as well as what is in it.
    let link = format!("https://shop.example/register#{text}");
    let with = |name: &'static str| [("username", name), ("new_password", PASSWORD), ("invitation", link.as_str())];
    assert_eq!(world.browser().post("/register", &with("bob")).await.to(), "/account?done=register");
    assert_eq!(world.account("bob").await.role, Role::Owner, "the invitation says what the account may do");
    let again = world.browser().post("/register", &with("eve")).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(again.says("This invitation is used up, expired, or was never given."));
}

#[tokio::test]
async fn an_invitation_of_another_owner_or_one_that_is_over_makes_no_account() {
    let world = World::by_invitation();
    let elsewhere = world.invited("umbrella", Role::Owner).await;
    let late = world.invited("acme", Role::User).await;
    world.clock.advance(Duration::from_secs(3600));
    for invitation in [elsewhere, late] {
        let fields = [("username", "bob"), ("new_password", PASSWORD), ("invitation", &invitation)];
        let page = world.browser().post("/register", &fields).await;
        assert!(page.says("used up, expired, or was never given"), "{}", page.text);
    }
}

#[tokio::test]
async fn an_invitation_is_never_sent_in_an_address() {
    let world = World::by_invitation();
    let page = world.browser().get("/register").await;
    assert!(page.says(r#"<form method="post" action="/register">"#) && page.says(r#"name="invitation""#));
    assert_eq!(page.header("referrer-policy"), "no-referrer");
}

#[tokio::test]
async fn who_tries_one_name_after_another_is_made_to_wait() {
    let world = World::new();
    world.registered("bob").await;
    let browser = world.browser();
    let mut last = browser.post("/register", &[("username", "bob"), ("new_password", PASSWORD)]).await;
    for _ in 0..10 {
        last = browser.post("/register", &[("username", "bob"), ("new_password", PASSWORD)]).await;
    }
    assert_eq!(last.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(!last.header("retry-after").is_empty());
}
