//! What programs ask for: tokens and tickets.

use std::{sync::Arc, time::Duration};

use doorward_auth::{
    BoxFuture, Scope,
    account::EntryKey,
    layers::handshake::ticket::NewTicket,
    memory::MemoryTickets,
    ports::{
        ApiKey, Clock, Created, Ending, Entered, NewAccount, PortError, Revocations, Role, SitePorts, Ticket, Tickets,
        What, Why,
    },
};
use doorward_types::{GateName, KeyText, OwnerId, Secret, Timestamp};
use http::StatusCode;
use serde_json::json;

use crate::{
    totp::enrol,
    world::{Browser, PASSWORD, Page, With, World},
};

const ORIGIN: &str = "https://shop.example";

impl World {
    /// Takes a ticket out, as the gate does that it is shown to from that origin.
    async fn redeem(&self, page: &Page, origin: Option<&str>) -> Option<Ticket> {
        let text = page.json()["ticket"].as_str().unwrap_or_else(|| panic!("{}", page.text)).to_owned();
        let hash = hash_of(&text, origin);
        self.tickets.consume(&Self::owner(), hash, self.clock.now()).await.unwrap()
    }

    async fn tokens(&self, name: &str) -> serde_json::Value {
        let page = self.program().post_json("/api/token", &json!({"username": name, "password": PASSWORD}), &[]).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        page.json()
    }

    async fn api_key(&self, owner: Option<&str>, scopes: &[Scope]) -> String {
        let text = KeyText::Api.write(&self.rng.bytes32()).reveal_text("test").unwrap().to_owned();
        let key = ApiKey {
            owner: owner.map(OwnerId::new),
            id: text[4..20].to_owned(),
            name: "shop".into(),
            scopes: scopes.iter().map(|scope| scope.as_str().to_owned()).collect(),
            created_at: self.clock.now(),
            expires_at: None,
            revoked_at: None,
        };
        self.ports.api_keys.add(hash_of(&text, None), key).await.unwrap();
        text
    }
}

/// The hash that a ticket is kept under, by the rule of the layer that redeems it.
fn hash_of(text: &str, origin: Option<&str>) -> [u8; 32] {
    let bound = origin.map(|origin| format!("\0origin {origin}")).unwrap_or_default();
    let mut hash = [0; 32];
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, format!("{text}{bound}").as_bytes());
    hash.copy_from_slice(digest.as_ref());
    hash
}

#[tokio::test]
async fn c93_a_program_that_is_logged_in_gets_a_key_for_a_socket_which_is_void_with_its_login() {
    let world = World::new();
    let browser = world.registered("bob").await;
    let tokens = world.tokens("bob").await;
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let with_token = [("authorization", bearer.as_str())];
    let code_key = world.sealing.code_key();
    let read = |page: &Page| EntryKey::read(&Secret::from_text(page.json()["key"].as_str().unwrap())).unwrap();
    let take = async |key: &EntryKey| {
        let (owner, hash, now) = (World::owner(), key.hash(&code_key), world.clock.now());
        matches!(world.ports.key_entries.enter(&owner, key.id(), hash, now).await.unwrap(), Entered::Right(_))
    };
    let by_token = world.program().post_json("/api/key", &json!({}), &with_token).await;
    assert_eq!((by_token.status, &by_token.json()["expires_in"]), (StatusCode::OK, &json!(120)), "{}", by_token.text);
    let first = read(&by_token);
    assert!(take(&first).await && !take(&first).await, "a key is used once");
    let second = read(&browser.post_json("/api/key", &json!({}), &[]).await);
    browser.post("/logout", &[]).await;
    assert!(!take(&second).await, "its login has ended");
    let gone = browser.post_json("/api/key", &json!({}), &[]).await;
    assert_eq!((gone.status, &gone.json()["error"]), (StatusCode::UNAUTHORIZED, &json!("login_required")));
}

async fn refresh(program: &Browser, token: &serde_json::Value) -> Page {
    program.post_json("/api/token", &json!({"grant_type": "refresh_token", "refresh_token": token}), &[]).await
}

async fn with_bearer(program: &Browser, path: &str, token: &str) -> Page {
    program.post_json(path, &json!({}), &[("authorization", &format!("Bearer {token}"))]).await
}

#[tokio::test]
async fn a_name_and_a_password_fetch_tokens_in_json_and_as_a_form() {
    let world = World::new();
    world.registered("bob").await;
    let tokens = world.tokens("bob").await;
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("Bearer"), &json!(600)));
    assert!(tokens["refresh_token"].as_str().unwrap().starts_with("dwr_"));
    let session = &world.sessions("bob").await[0];
    assert_eq!((session.browser, session.factors.as_slice()), (None, ["pwd".to_owned()].as_slice()));
    let page = world
        .program()
        .post("/api/token", &[("grant_type", "password"), ("username", "bob"), ("password", PASSWORD)])
        .await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(page.header("cache-control"), "no-store");
    assert!(page.sets().is_empty());
}

#[tokio::test]
async fn c32_unknown_and_wrong_are_one_error() {
    let world = World::new();
    world.registered("bob").await;
    let ask = async |name: &str, password: &str| {
        world.program().post_json("/api/token", &json!({"username": name, "password": password}), &[]).await
    };
    let (wrong, unknown) = (ask("bob", "some other password").await, ask("nobody", PASSWORD).await);
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    assert_eq!(wrong.json()["error"], "invalid_grant");
    assert_eq!((unknown.status, unknown.text), (wrong.status, wrong.text));
}

#[tokio::test]
async fn with_an_app_a_code_is_needed_and_is_used_up() {
    let world = World::new();
    let (phone, _) = enrol(&world, &world.registered("bob").await).await;
    let ask = async |document: serde_json::Value| world.program().post_json("/api/token", &document, &[]).await;
    let without = ask(json!({"username": "bob", "password": PASSWORD})).await;
    assert_eq!((without.status, &without.json()["error"]), (StatusCode::BAD_REQUEST, &json!("mfa_required")));
    let with = json!({"username": "bob", "password": PASSWORD, "code": phone.code(&world)});
    assert_eq!(ask(with.clone()).await.status, StatusCode::OK);
    assert_eq!(ask(with).await.json()["error"], "invalid_grant", "a code is used once");
}

#[tokio::test]
async fn what_cannot_be_read_says_what_would_be_right() {
    let world = World::new();
    for document in
        [json!({}), json!([]), json!({"username": "bob"}), json!({"username": "a", "password": "b", "more": 1})]
    {
        let page = world.program().post_json("/api/token", &document, &[]).await;
        assert_eq!(
            (page.status, &page.json()["error"]),
            (StatusCode::BAD_REQUEST, &json!("invalid_request")),
            "{document}"
        );
    }
    let twice = r#"{"username":"a","username":"b","password":"c"}"#;
    let lines = [("content-type", "application/json")];
    let page = world.program().send(http::Method::POST, "/api/token", &lines, twice).await;
    assert_eq!(page.json()["error"], "invalid_request");
    let other = json!({"grant_type": "client_credentials"});
    assert_eq!(world.program().post_json("/api/token", &other, &[]).await.json()["error"], "unsupported_grant_type");
}

#[tokio::test]
async fn a_throttled_program_is_told_when_to_come_again() {
    let world = World::new();
    world.registered("bob").await;
    let mut last = None;
    for number in 0..6 {
        let program = Browser { source: [198, 51, number, 7].into(), ..world.program() };
        last = Some(program.post("/api/token", &[("username", "bob"), ("password", "some other password")]).await);
    }
    let page = last.unwrap();
    assert_eq!((page.status, page.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "30"));
}

#[tokio::test]
async fn a_refresh_token_is_used_once_and_one_that_comes_again_ends_its_login() {
    let world = World::new();
    world.registered("bob").await;
    let program = world.program();
    let first = world.tokens("bob").await;
    let second = refresh(&program, &first["refresh_token"]).await;
    assert_eq!(second.status, StatusCode::OK, "{}", second.text);
    let second = second.json();
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    assert_eq!(world.sessions("bob").await.len(), 2);

    let reused = refresh(&program, &first["refresh_token"]).await;
    assert_eq!((reused.status, &reused.json()["error"]), (StatusCode::BAD_REQUEST, &json!("invalid_grant")));
    assert_eq!(world.sessions("bob").await.len(), 1, "the browser's own goes on");
    assert_eq!(refresh(&program, &second["refresh_token"]).await.json()["error"], "invalid_grant");
    let token = second["access_token"].as_str().unwrap();
    assert_eq!(with_bearer(&program, "/chat/ticket", token).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_refresh_token_opens_nothing_and_is_void_after_twelve_hours() {
    let world = World::new();
    world.registered("bob").await;
    let program = world.program();
    let mut token = world.tokens("bob").await["refresh_token"].clone();
    let opens = with_bearer(&program, "/chat/ticket", token.as_str().unwrap()).await;
    assert_eq!(opens.status, StatusCode::UNAUTHORIZED);
    for _ in 0..(12 * 60 / 20 - 1) {
        world.clock.advance(Duration::from_secs(20 * 60));
        let page = refresh(&program, &token).await;
        assert_eq!(page.status, StatusCode::OK, "each use counts as use of the login");
        token = page.json()["refresh_token"].clone();
    }
    world.clock.advance(Duration::from_secs(20 * 60));
    assert_eq!(refresh(&program, &token).await.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn a_page_fetches_a_ticket_that_is_bound_to_gate_and_origin_and_rests_on_its_login() {
    let world = World::new();
    let browser = world.registered("bob").await;
    let page = browser.post("/chat/ticket", &[]).await;
    assert_eq!((page.status, &page.json()["expires_in"]), (StatusCode::OK, &json!(30)), "{}", page.text);
    assert!(world.redeem(&page, None).await.is_none(), "not without the origin");
    let ticket = world.redeem(&page, Some(ORIGIN)).await.unwrap();
    let session = &world.sessions("bob").await[0];
    assert_eq!(ticket.binding, doorward_auth::ports::TicketBinding::Gate(GateName::new("chat")));
    assert_eq!((ticket.subject, ticket.rests_on), (session.subject(), vec![session.rest()]));
    assert_eq!(ticket.expires_at, world.clock.now().plus(Duration::from_secs(30)));
    assert!(world.redeem(&page, Some(ORIGIN)).await.is_none(), "once");
}

#[tokio::test]
async fn c13_a_ticket_is_void_after_the_logout_of_the_login_that_made_it() {
    let world = World::new();
    let browser = world.registered("bob").await;
    let page = browser.post("/chat/ticket", &[]).await;
    browser.post("/logout", &[]).await;
    assert!(world.redeem(&page, Some(ORIGIN)).await.is_none());
    assert_eq!(browser.post("/chat/ticket", &[]).await.status, StatusCode::UNAUTHORIZED);
}

/// Tickets that are made when all that their user has has just ended.
struct Overtaken(Arc<MemoryTickets>, Arc<dyn Revocations>);

impl Tickets for Overtaken {
    fn mint<'a>(&'a self, hash: [u8; 32], ticket: Ticket) -> BoxFuture<'a, Result<(), PortError>> {
        Box::pin(async move {
            let (owner, what) = (Some(ticket.owner.clone()), What::Rest(ticket.subject.rest()));
            self.1.end(Ending { owner, what, why: Why::Revoked, change: None, at: ticket.issued_at }).await?;
            self.0.mint(hash, ticket).await
        })
    }

    fn consume<'a>(
        &'a self,
        owner: &'a OwnerId,
        hash: [u8; 32],
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Ticket>, PortError>> {
        self.0.consume(owner, hash, now)
    }
}

#[tokio::test]
async fn c13_nobody_is_told_a_ticket_whose_login_has_ended_while_it_was_made() {
    let tickets = |tickets: &Arc<MemoryTickets>, site: &SitePorts| -> Arc<dyn Tickets> {
        Arc::new(Overtaken(tickets.clone(), site.revocations.clone()))
    };
    let world = World::with(With { tickets, ..With::default() });
    let browser = world.registered("bob").await;
    let page = browser.post("/chat/ticket", &[]).await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED, "{}", page.text);
    assert!(!page.text.contains("dwt_"), "{}", page.text);
}

#[tokio::test]
async fn an_access_token_fetches_a_ticket_as_long_as_it_holds_and_its_login_does() {
    let world = World::new();
    world.registered("bob").await;
    let program = world.program();
    let token = world.tokens("bob").await["access_token"].as_str().unwrap().to_owned();
    let page = with_bearer(&program, "/chat/ticket", &token).await;
    assert!(world.redeem(&page, None).await.is_some(), "no page, no origin");
    world.clock.advance(Duration::from_secs(600));
    assert_eq!(with_bearer(&program, "/chat/ticket", &token).await.status, StatusCode::UNAUTHORIZED);

    let token = world.tokens("bob").await["access_token"].as_str().unwrap().to_owned();
    let browser = world.logged_in("bob").await;
    browser.post("/account/sessions/end-others", &[]).await;
    assert_eq!(with_bearer(&program, "/chat/ticket", &token).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn an_api_key_fetches_tickets_for_the_users_of_its_owner_where_its_scope_says_so() {
    let world = World::new();
    let program = world.program();
    let ask = async |key: &str, document: serde_json::Value| {
        program.post_json("/chat/ticket", &document, &[("authorization", &format!("Bearer {key}"))]).await
    };
    let whom = json!({"kind": "member", "pk": "7", "uuid": "bob", "origin": ORIGIN});
    let key = world.api_key(Some("acme"), &[Scope::TicketsWrite]).await;
    let page = ask(&key, whom.clone()).await;
    let ticket = world.redeem(&page, Some(ORIGIN)).await.unwrap();
    assert_eq!((ticket.subject.to_string(), ticket.rests_on), ("member:7".to_owned(), vec![]));
    assert_eq!(ask(&key, json!({})).await.json()["error"], "invalid_request");

    let other_scopes: Vec<_> = Scope::ALL.iter().copied().filter(|scope| *scope != Scope::TicketsWrite).collect();
    let other = world.api_key(Some("acme"), &other_scopes).await;
    assert_eq!(ask(&other, whom.clone()).await.status, StatusCode::FORBIDDEN);
    let elsewhere = world.api_key(Some("umbrella"), &[Scope::TicketsWrite]).await;
    assert_eq!(ask(&elsewhere, whom.clone()).await.status, StatusCode::NOT_FOUND, "another owner's gate is not there");
    let operator = world.api_key(None, &[Scope::TicketsWrite]).await;
    assert_eq!(ask(&operator, whom.clone()).await.status, StatusCode::OK);
    let unknown = KeyText::Api.write(&[9; 32]).reveal_text("test").unwrap().to_owned();
    assert_eq!(ask(&unknown, whom).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_ticket_is_for_a_subject_that_can_be_one_and_by_an_owner_s_key_for_no_operator() {
    let world = World::new();
    let program = world.program();
    let ask = async |key: &str, document: serde_json::Value| {
        program.post_json("/chat/ticket", &document, &[("authorization", &format!("Bearer {key}"))]).await
    };
    let key = world.api_key(Some("acme"), &[Scope::TicketsWrite]).await;
    for (field, bad) in [("kind", "a:b"), ("kind", ""), ("pk", "7\n8"), ("uuid", ""), ("uuid", &"x".repeat(256))] {
        let mut whom = json!({"kind": "member", "pk": "7", "uuid": "bob"});
        whom[field] = bad.into();
        assert_eq!(ask(&key, whom).await.json()["error"], "invalid_request", "{field}: {bad:?}");
    }
    let root = NewAccount {
        owner: World::owner(),
        username: "root".into(),
        unique: "root".into(),
        role: Role::Operator,
        password: Secret::from_text("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$aGFzaA"),
        invitation: None,
        at: world.clock.now(),
    };
    let Created::Account(root) = world.ports.accounts.create(root).await.unwrap() else { panic!("root") };
    let whom = json!({"kind": "member", "pk": root.id.to_string(), "uuid": "root"});
    assert_eq!(ask(&key, whom.clone()).await.json()["error"], "access_denied");
    let operator = world.api_key(None, &[Scope::TicketsWrite]).await;
    assert_eq!(ask(&operator, whom).await.status, StatusCode::OK);
}

#[tokio::test]
async fn c97_a_stranger_learns_of_no_gate_by_asking_for_a_ticket() {
    let world = World::new();
    let browser = world.browser();
    let answers: Vec<_> = {
        let mut answers = Vec::new();
        for path in ["/chat/ticket", "/nothing/ticket", "/ticket"] {
            let page = browser.post(path, &[]).await;
            answers.push((page.status, page.headers, page.text));
        }
        answers
    };
    assert_eq!(answers[0].0, StatusCode::UNAUTHORIZED);
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    let bob = world.registered("bob").await;
    assert_eq!(bob.post("/nothing/ticket", &[]).await.status, StatusCode::NOT_FOUND);
}

#[test]
fn the_rule_by_which_these_tests_hash_a_ticket_is_the_layers() {
    let rng = doorward_testkit::SeededRng::new(3);
    for origin in [None, Some(ORIGIN)] {
        let new = NewTicket::draw(&rng, origin);
        assert_eq!(hash_of(new.text.reveal_text("test").unwrap(), origin), new.hash);
    }
}
