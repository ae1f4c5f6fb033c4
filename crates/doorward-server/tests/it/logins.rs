//! Sockets that rest on logins of the built-in site: what lets them in, what ends them, and what happens when nobody can tell.

use std::{sync::atomic::Ordering, time::Duration};

use doorward_auth::{
    account::EntryKey,
    ports::{
        Account, Accounts, AuditRecord, Change, Clock, Created, Ending, KeyEntries, KeyEntry, NewAccount, Outcome,
        Revocations, Role, Session, Sessions, SystemRng, What, Why,
    },
    token::AccessClaims,
};
use doorward_server::own_tokens::OwnTokens;
use doorward_session::Receipt;
use doorward_testkit::{World as Kit, beginning, login_of};
use doorward_types::{KeyText, OwnerId, Secret, SessionId, Subject, Timestamp};
use doorward_wire::websocket::frame::Opcode;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until};

use crate::{
    peer::{Heard, Peer, auth},
    world::{CHAT, Carrier, World, both},
};

const GATES: &str = r#"
    [site]
    enabled = true
    [[gate]]
    name = "mine"
    path = "/mine"
    backend = { hub = {} }
    ladder = [{ session = {} }]
    [[gate.channel]]
    name = "news"
    subscribe = "any"
    publish = "any"
    [[gate]]
    name = "listed"
    path = "/listed"
    origins = ["https://gate.example", "https://shop.gate.example"]
    backend = { hub = {} }
    ladder = [{ session = {} }]
    [[gate]]
    name = "ticketed"
    path = "/ticketed"
    backend = { hub = {} }
    ladder = [{ ticket = { via = ["message"] } }]
    [[gate]]
    name = "typed"
    path = "/typed"
    backend = { hub = {} }
    ladder = [{ key_entry = {} }]
    [[gate]]
    name = "tokened"
    path = "/tokened"
    backend = { hub = {} }
    ladder = [{ jwt = { issuer = "doorward" } }]
    [[gate]]
    name = "named"
    path = "/named"
    backend = { hub = {} }
    ladder = [{ password = {} }]
"#;

/// The page of the gate's own host.
pub(crate) const PAGE: &str = "https://gate.example";

/// A door with a site behind it.
pub(crate) struct Site {
    pub(crate) world: World,
}

/// A login, and the cookie that a browser has of it.
pub(crate) struct Login {
    pub(crate) session: Session,
    cookie: Secret,
}

impl Login {
    /// The lines of a request that a page of `origin` makes.
    fn of_page(&self, origin: &str) -> String {
        format!("Origin: {origin}\r\nCookie: {}\r\n", self.cookie())
    }

    /// The cookie, as a browser sends it.
    pub(crate) fn cookie(&self) -> String {
        format!("__Host-doorward-session={}", self.cookie.reveal_text("a test").unwrap())
    }
}

pub(crate) fn acme() -> OwnerId {
    OwnerId::new("acme")
}

impl Site {
    async fn of(carrier: Carrier) -> Self {
        // What stands in a section of its own comes before the gates.
        Self::with(carrier, &format!("{GATES}{CHAT}")).await
    }

    pub(crate) async fn with(carrier: Carrier, gates: &str) -> Self {
        Self { world: World::of(carrier, gates).await }
    }

    pub(crate) async fn account(&self, name: &str) -> Account {
        let new = NewAccount {
            owner: acme(),
            username: name.to_owned(),
            unique: name.to_owned(),
            role: Role::User,
            password: Secret::from_text(""),
            invitation: None,
            at: World::NOW,
        };
        match self.world.site.create(new).await.unwrap() {
            Created::Account(account) => account,
            other => panic!("{other:?}"),
        }
    }

    /// A login of that number, in a browser of its own.
    pub(crate) async fn log_in(&self, account: &Account, number: u8) -> Login {
        self.log_in_at(account, number, number).await
    }

    /// The same in a browser that may have been there before.
    pub(crate) async fn log_in_at(&self, account: &Account, number: u8, browser: u8) -> Login {
        let (now, cookie) = (self.world.clock.now(), KeyText::Session.write(&[number; 32]));
        let session =
            Session { browser: Some([browser; 32]), ..login_of(account, SessionId::from_bytes([number; 16]), now) };
        let as_of = *self.world.site.appended().borrow();
        let new = beginning(session.clone(), Some(Kit::kept_as(&cookie)), as_of);
        self.world.site.open(new).await.unwrap().unwrap();
        Login { session, cookie }
    }

    async fn knocks(&self, login: &Login, path: &str, origin: &str) -> Result<Peer, u16> {
        let lines = format!("Sec-WebSocket-Protocol: doorward.v1\r\n{}", login.of_page(origin));
        self.world.knock(path, &lines).await.map_err(|refused| refused.status)
    }

    /// Is let in by the cookie, and subscribes.
    async fn socket(&self, login: &Login) -> Peer {
        let mut peer = self.knocks(login, "/mine", PAGE).await.unwrap();
        assert_eq!(peer.event().await["event"], "admitted");
        peer.json(json!({ "action": "subscribe", "channel": "news" })).await;
        assert_eq!(peer.event().await["event"], "subscribed");
        peer
    }

    pub(crate) async fn end(&self, what: What, why: Why, change: Option<Change>) -> Receipt {
        let ending = Ending { owner: Some(acme()), what, why, change, at: self.world.clock.now() };
        self.world.door.follower().end(ending).await.unwrap()
    }

    pub(crate) async fn log_out(&self, login: &Login) -> Receipt {
        self.end(What::Rest(login.session.rest()), Why::LoggedOut, None).await
    }

    /// Shows something to a gate that asks for it, and gives what is said to that.
    async fn shows(&self, path: &str, answer: Value) -> Value {
        let mut peer = self.world.peer(path).await;
        assert_eq!(peer.event().await["event"], "ask");
        peer.json(answer).await;
        peer.event().await
    }

    /// A token of the server's own, for that owner.
    pub(crate) fn own_token(&self, account: &Account, login: &Login, owner: &str) -> String {
        let claims = AccessClaims {
            owner: OwnerId::new(owner),
            account: account.id,
            username: account.username.clone(),
            sid: login.session.sid,
            id: owner.to_owned(),
            factors: vec!["pwd".to_owned()],
            issued_at: World::NOW,
            expires_at: World::NOW.plus(Duration::from_mins(10)),
        };
        let tokens = OwnTokens::new(self.world.tools.signer.key.clone());
        tokens.sign(&claims).reveal_text("a test").unwrap().to_owned()
    }

    async fn last_seen(&self, login: &Login) -> Timestamp {
        let found = self.world.site.find_by_id(&acme(), login.session.sid, self.world.clock.now()).await;
        found.unwrap().unwrap().last_seen
    }

    async fn is_let_in_by(&self, path: &str, token: &str) -> bool {
        let mut peer = self.world.peer(path).await;
        assert_eq!(peer.event().await["event"], "ask");
        peer.json(auth("jwt", "token", token)).await;
        matches!(peer.hear().await, Heard::Text(text) if text.contains("\"admitted\""))
    }
}

async fn publishes(peer: &mut Peer) {
    peer.json(json!({ "action": "publish", "channel": "news", "message": "to all" })).await;
    assert_eq!(peer.event().await["message"], "to all");
}

fn is_closed(heard: &[Heard]) -> bool {
    *heard == [Heard::Close(4410, "session_ended".into())]
}

both! {
    async fn c1_c13_a_logout_closes_the_sockets_of_the_login_and_its_cookie_and_tickets_open_nothing_after_it(carrier: Carrier) {
        let site = Site::of(carrier).await;
        let (bob, eve) = (site.account("bob").await, site.account("eve").await);
        let (bobs, eves) = (site.log_in(&bob, 1).await, site.log_in(&eve, 2).await);
        let mut sockets = [site.socket(&bobs).await, site.socket(&bobs).await];
        let mut other = site.socket(&eves).await;
        let ticket = site.world.ticket_on("ticketed", None, vec![bobs.session.rest()]).await;
        let of_eve = site.world.ticket_on("ticketed", None, vec![eves.session.rest()]).await;

        let receipt = site.log_out(&bobs).await;
        assert_eq!((receipt.sockets.len(), receipt.reset), (2, 0));
        assert!(receipt.within <= Duration::from_secs(1), "{receipt:?}");
        publishes(&mut other).await;
        for socket in &mut sockets {
            socket.json(json!({ "action": "publish", "channel": "news", "message": "too late" })).await;
            let heard = socket.rest().await;
            assert!(is_closed(&heard), "{heard:?}");
        }
        publishes(&mut other).await;
        assert_eq!(site.knocks(&bobs, "/mine", PAGE).await.err(), Some(401));
        let shown = async |ticket: &str| site.shows("/ticketed", auth("ticket", "ticket", ticket)).await;
        assert_eq!(shown(&ticket).await["event"], "refused");
        assert_eq!(shown(&of_eve).await["event"], "admitted");
    }

    async fn c3_tokens_that_were_issued_before_a_time_end_with_their_sockets_and_open_nothing_though_they_have_not_expired(carrier: Carrier) {
        let site = Site::of(carrier).await;
        let at = |secs: u64| json!({ "iat": World::NOW.as_secs() - secs });
        let (old, new) = (site.world.token("7", at(60)), site.world.token("7", at(10)));
        let (of_another, newer) = (site.world.token("8", at(60)), site.world.token("8", at(1)));
        let mut ends = site.world.admitted("/chat", &old).await;
        let mut stays = site.world.admitted("/chat", &new).await;
        let mut another = site.world.admitted("/chat", &of_another).await;
        let before = |secs: u64| Timestamp::from_secs(World::NOW.as_secs() - secs);
        let subject = Subject { kind: "member".into(), pk: "7".into(), uuid: String::new() };

        let receipt = site.end(What::NotBefore { subject: Some(subject), at: before(30) }, Why::Revoked, None).await;
        assert_eq!(receipt.sockets.len(), 1);
        assert_eq!(ends.closes().await, [4410]);
        assert_eq!((site.is_let_in_by("/chat", &old).await, site.is_let_in_by("/chat", &new).await), (false, true));
        assert!(site.is_let_in_by("/chat", &of_another).await);

        site.end(What::NotBefore { subject: None, at: before(5) }, Why::Revoked, None).await;
        assert_eq!((stays.closes().await, another.closes().await), (vec![4410], vec![4410]));
        for token in [&old, &new, &of_another] {
            assert!(!site.is_let_in_by("/chat", token).await);
        }
        assert!(site.is_let_in_by("/chat", &newer).await);
    }

    async fn c4_a_logout_of_one_login_leaves_the_other_and_the_end_of_the_account_ends_both(carrier: Carrier) {
        let site = Site::of(carrier).await;
        let bob = site.account("bob").await;
        let (first, second) = (site.log_in(&bob, 1).await, site.log_in(&bob, 2).await);
        let (mut one, mut two) = (site.socket(&first).await, site.socket(&second).await);
        assert_eq!(site.log_out(&first).await.sockets.len(), 1);
        assert!(is_closed(&one.rest().await));
        publishes(&mut two).await;
        let third = site.log_in(&bob, 3).await;
        let mut three = site.socket(&third).await;
        assert_eq!(site.end(What::Rest(bob.subject().rest()), Why::LoggedOut, None).await.sockets.len(), 2);
        assert!(is_closed(&two.rest().await) && is_closed(&three.rest().await));
    }

    async fn c9_of_three_logins_the_other_two_end_and_a_disabled_account_ends_the_last(carrier: Carrier) {
        let site = Site::of(carrier).await;
        let bob = site.account("bob").await;
        let logins = [site.log_in(&bob, 1).await, site.log_in(&bob, 2).await, site.log_in(&bob, 3).await];
        let [mut kept, mut two, mut three] =
            [site.socket(&logins[0]).await, site.socket(&logins[1]).await, site.socket(&logins[2]).await];
        let others = What::Others { subject: bob.subject(), keep: logins[0].session.sid };
        assert_eq!(site.end(others, Why::CredentialChanged, None).await.sockets.len(), 2);
        assert!(is_closed(&two.rest().await) && is_closed(&three.rest().await));
        publishes(&mut kept).await;
        assert_eq!(site.knocks(&logins[1], "/mine", PAGE).await.err(), Some(401));

        let disable = Some(Change::Disable(bob.id));
        site.end(What::Rest(bob.subject().rest()), Why::Disabled, disable).await;
        assert!(is_closed(&kept.rest().await));
        assert_eq!(site.knocks(&logins[0], "/mine", PAGE).await.err(), Some(401));
    }

    async fn c15_c16_a_foreign_page_or_a_sibling_that_brings_the_cookie_is_forbidden_and_is_no_use_of_the_login(carrier: Carrier) {
        let site = Site::of(carrier).await;
        let login = site.log_in(&site.account("bob").await, 1).await;
        site.world.clock.advance(Duration::from_secs(60));
        for origin in ["https://evil.example", "null", "https://shop.gate.example", "https://gate.example.evil.example"] {
            assert_eq!(site.knocks(&login, "/mine", origin).await.err(), Some(403), "{origin}");
        }
        let no_origin = login.of_page("").replace("Origin: \r\n", "");
        assert_eq!(site.world.knock("/mine", &no_origin).await.err().unwrap().status, 403);
        assert_eq!(site.last_seen(&login).await, World::NOW);
        assert!(site.knocks(&login, "/listed", "https://shop.gate.example").await.is_ok(), "a sibling that is listed");
        assert_eq!(site.knocks(&login, "/listed", "https://other.gate.example").await.err(), Some(403));
        assert_eq!(site.last_seen(&login).await, World::NOW.plus(Duration::from_secs(60)));
    }

    async fn c93_a_key_opens_one_socket_while_its_login_lasts_five_wrong_ones_close_a_socket_and_ten_void_the_key(carrier: Carrier) {
        let site = Site::of(carrier).await;
        let login = site.log_in(&site.account("bob").await, 1).await;
        let code_key = site.world.tools.site.as_ref().unwrap().sealing.code_key();
        let key = async || {
            let key = EntryKey::draw_for_person(&SystemRng);
            let Session { owner, sid, username, account, .. } = login.session.clone();
            let expires_at = World::NOW.plus(Duration::from_secs(120));
            let entry = KeyEntry { owner, id: key.id().to_owned(), account, username, sid, expires_at };
            assert!(site.world.site.put(key.hash(&code_key), entry).await.unwrap());
            key.shown().reveal_text("a test").unwrap().to_owned()
        };
        let says = |key: &str| auth("key_entry", "key", key);
        let wrong = |key: &str| says(&format!("{}{}", &key[..key.len() - 1], if key.ends_with('A') { 'B' } else { 'A' }));
        let first = key().await;
        let mut peer = site.world.peer("/typed").await;
        for _ in 0..5 {
            assert_eq!(peer.event().await["event"], "ask");
            peer.json(wrong(&first)).await;
        }
        assert_eq!(peer.event().await["event"], "refused");
        assert_eq!(peer.closes().await, [4401]);
        assert_eq!(site.shows("/typed", says(&first)).await["event"], "admitted");
        assert_eq!(site.shows("/typed", says(&first)).await["event"], "ask", "the second time");

        let second = key().await;
        for _ in 0..10 {
            assert_eq!(site.shows("/typed", wrong(&second)).await["event"], "ask");
        }
        assert_eq!(site.shows("/typed", says(&second)).await["event"], "ask", "ten wrong tries have voided it");

        let third = key().await;
        site.log_out(&login).await;
        assert_eq!(site.shows("/typed", says(&third)).await["event"], "ask", "its login has ended");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_of_the_server_s_own_opens_the_gates_of_the_owner_that_it_names_while_its_login_lasts() {
    let site = Site::of(Carrier::Memory).await;
    let bob = site.account("bob").await;
    let login = site.log_in(&bob, 1).await;
    let token = |owner: &str| site.own_token(&bob, &login, owner);
    assert!(site.is_let_in_by("/tokened", &token("acme")).await);
    assert!(!site.is_let_in_by("/tokened", &token("globex")).await, "though the same key has signed it");
    assert!(!site.is_let_in_by("/chat", &token("acme")).await, "of another issuer than the gate takes");
    site.log_out(&login).await;
    assert!(!site.is_let_in_by("/tokened", &token("acme")).await, "its login has ended");
}

/// What the audit log says of each refusal.
async fn refusals(world: &World) -> Vec<String> {
    let rows = world.rows().await.into_iter();
    let detail = |row: AuditRecord| match row.outcome {
        Outcome::Refused { detail, .. } => Some(detail),
        _ => None,
    };
    rows.filter_map(detail).collect()
}

#[tokio::test(start_paused = true)]
async fn c33_of_a_hundred_wrong_passwords_in_one_burst_five_at_most_are_looked_at() {
    let limits = "[limits]\nclimbing_per_source = 200\n";
    let world = World::of(Carrier::Memory, &format!("{limits}{GATES}")).await;
    let mut peers = Vec::new();
    for _ in 0..100 {
        let mut peer = world.peer("/named").await;
        assert_eq!(peer.event().await["event"], "ask");
        peers.push(peer);
    }
    let said = json!({ "action": "auth", "kind": "password", "username": "bob", "password": "wrong wrong wrong" });
    for peer in &mut peers {
        peer.json(said.clone()).await;
    }
    for peer in &mut peers {
        assert_eq!(peer.event().await["code"], 4401, "locked looks like wrong");
    }
    drop(peers);
    world.empties().await;
    let looked_at = refusals(&world).await.iter().filter(|detail| detail.contains("no account of that name")).count();
    assert!((1..=5).contains(&looked_at), "{looked_at}");
}

#[tokio::test(start_paused = true)]
async fn c45_who_finds_no_place_to_be_hashed_is_told_to_come_again_later() {
    let site = Site::of(Carrier::Memory).await;
    let hashing = &site.world.tools.site.as_ref().unwrap().hashing;
    let places: Vec<_> = std::iter::from_fn(|| hashing.place().ok()).collect();
    let said = json!({ "action": "auth", "kind": "password", "username": "bob", "password": "whatever it is" });
    let refused = site.shows("/named", said.clone()).await;
    let told = (&refused["code"], &refused["reconnect"], &refused["after_ms"]);
    assert_eq!(told, (&json!(1013), &json!("later"), &json!(5000)), "as the page says by `Retry-After`");
    drop(places);
    assert_eq!(site.shows("/named", said).await["code"], 4401);
}

#[tokio::test(start_paused = true)]
async fn c8_a_kept_socket_outlives_its_token_up_to_the_longest_session() {
    let gate = CHAT
        .replace("{ jwt = {} }", "{ jwt = { on_expiry = \"keep\" } }")
        .replace("backend", "max_session = \"10s\"\n    backend");
    let world = World::of(Carrier::Memory, &gate).await;
    let token = world.token("7", json!({ "exp": World::NOW.as_secs() + 3 }));
    let mut peer = world.admitted("/chat", &token).await;
    let began = Instant::now();
    world.clock.advance(Duration::from_secs(9));
    sleep_until(began + Duration::from_secs(9)).await;
    peer.json(json!({ "action": "subscribe", "channel": "news" })).await;
    assert_eq!(peer.event().await["event"], "subscribed");
    assert_eq!(peer.closes().await, [4410]);
    assert!((10..=11).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
}

/// How the store is away: by an error, or by silence.
#[derive(Clone, Copy, Debug)]
enum Away {
    Down,
    Silent,
}

impl Site {
    fn is(&self, away: Option<Away>) {
        self.world.switched.down.store(matches!(away, Some(Away::Down)), Ordering::SeqCst);
        self.world.switched.silent.store(matches!(away, Some(Away::Silent)), Ordering::SeqCst);
    }
}

/// Answers pings until it hears that nobody knows what has ended.
async fn is_suspended(peer: &mut Peer) {
    loop {
        match peer.hear().await {
            Heard::Ping => peer.frame(Opcode::Pong, b"").await,
            Heard::Text(text) => {
                assert_eq!(text, r#"{"event":"suspended","reason":"unconfirmed"}"#);
                return;
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn c75_while_the_store_cannot_be_reached_nobody_new_is_let_in_and_sockets_live_no_longer_than_lease_and_grace() {
    for away in [Away::Down, Away::Silent] {
        let site = Site::of(Carrier::Memory).await;
        let login = site.log_in(&site.account("bob").await, 1).await;
        let mut by_cookie = site.socket(&login).await;
        let mut by_token = site.world.admitted("/chat", &site.world.token("7", json!({}))).await;
        site.is(Some(away));
        let began = Instant::now();
        assert_eq!(site.knocks(&login, "/mine", PAGE).await.err(), Some(503), "{away:?}");
        let said = json!({ "action": "auth", "kind": "password", "username": "bob", "password": "whatever it is" });
        let refused = site.shows("/named", said).await;
        assert_eq!((&refused["event"], &refused["code"]), (&json!("refused"), &json!(1013)), "{away:?}");

        for peer in [&mut by_cookie, &mut by_token] {
            is_suspended(peer).await;
        }
        let suspended = began.elapsed();
        assert!(suspended <= Duration::from_millis(30_100), "{away:?}: {suspended:?}");
        // A token asks no store; but nobody knows any more what has ended.
        assert!(!site.is_let_in_by("/chat", &site.world.token("8", json!({}))).await, "{away:?}");
        assert_eq!((by_cookie.closes().await, by_token.closes().await), (vec![1013], vec![1013]));
        let closed = began.elapsed();
        assert!(closed <= Duration::from_millis(45_200), "{away:?}: {closed:?}");
        assert!(site.world.door.sockets().is_empty());

        site.is(None);
        sleep(Duration::from_secs(8)).await;
        publishes(&mut site.socket(&login).await).await;
        assert!(site.is_let_in_by("/chat", &site.world.token("8", json!({}))).await, "{away:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn c75_when_the_store_is_back_within_the_grace_sockets_go_on_but_for_those_whose_login_has_ended() {
    let site = Site::of(Carrier::Memory).await;
    let bob = site.account("bob").await;
    let (ends, stays) = (site.log_in(&bob, 1).await, site.log_in(&bob, 2).await);
    let (mut one, mut two) = (site.socket(&ends).await, site.socket(&stays).await);
    site.is(Some(Away::Silent));
    // Another node ends it.
    let (what, at) = (What::Rest(ends.session.rest()), World::NOW);
    let ending = Ending { owner: Some(acme()), what, why: Why::LoggedOut, change: None, at };
    site.world.site.end(ending).await.unwrap();
    for peer in [&mut one, &mut two] {
        is_suspended(peer).await;
    }
    sleep(Duration::from_secs(5)).await;
    site.is(None);
    assert!(is_closed(&one.rest().await));
    assert_eq!(two.event().await["event"], "resumed");
    publishes(&mut two).await;
}

#[tokio::test(start_paused = true)]
async fn c85_a_clock_that_is_set_by_a_few_seconds_logs_nobody_out_and_no_clock_prolongs_what_is_confirmed() {
    let site = Site::of(Carrier::Memory).await;
    let login = site.log_in(&site.account("bob").await, 1).await;
    let mut socket = site.socket(&login).await;
    for seconds in [5, -5, -5, 5] {
        let now = site.world.clock.now();
        site.world.clock.set(Timestamp::from_secs(now.as_secs().saturating_add_signed(seconds)));
        sleep(Duration::from_secs(2)).await;
        publishes(&mut socket).await;
        assert!(site.knocks(&login, "/mine", PAGE).await.is_ok());
    }
    site.is(Some(Away::Down));
    let began = Instant::now();
    site.world.clock.set(Timestamp::from_secs(World::NOW.as_secs() - 3600));
    is_suspended(&mut socket).await;
    assert!(began.elapsed() <= Duration::from_millis(30_100), "{:?}", began.elapsed());
}
