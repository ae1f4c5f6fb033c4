//! One ladder behind several wires: what a credential is worth does not hang on how it is shown.

use doorward_auth::ports::{AuditRecord, Change, Outcome, What, Why};
use doorward_testkit::tokens::TestKey;
use doorward_types::{CloseReason, Subject, Timestamp};
use serde_json::{Value, json};

use crate::{
    logins::Site,
    ninep::tool::Tool,
    peer::{Heard, auth},
    polls::{Polls, ask},
    world::{Carrier, SECRET, World, both},
};

/// The gates of all wires, before each of them that ladder.
fn gates(name: &str, ladder: &str) -> String {
    format!(
        r#"
        [[gate]]
        name = "{name}-json"
        path = "/{name}/json"
        backend = {{ hub = {{}} }}
        ladder = {ladder}
        [[gate]]
        name = "{name}-files"
        path = "/{name}/files"
        backend = {{ 9p = {{}} }}
        ladder = {ladder}
        [[gate]]
        name = "{name}-ui"
        path = "/{name}/socket.io/"
        backend = {{ hub = {{}} }}
        transport = {{ socketio = {{}} }}
        ladder = {ladder}
        [[gate.channel]]
        name = "/"
        subscribe = "any"
        "#
    )
}

/// What somebody hears who is not let in: the close code, the name of the reason, and whether to come again.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Told {
    code: u16,
    reason: String,
    reconnect: String,
}

impl Told {
    fn of(reason: CloseReason) -> Self {
        Self {
            code: reason.code(),
            reason: reason.name().to_owned(),
            reconnect: reason.reconnect().as_str().to_owned(),
        }
    }

    fn read(said: &Value) -> Self {
        let text = |name: &str| said[name].as_str().unwrap().to_owned();
        let code = said["code"].as_u64().and_then(|code| code.try_into().ok()).unwrap();
        Self { code, reason: text("reason"), reconnect: text("reconnect") }
    }

    /// Whether a client is told to stay away.
    fn stays_away(&self) -> bool {
        self.reconnect == "never"
    }

    fn close(&self) -> Heard {
        Heard::Close(self.code, self.reason.clone())
    }
}

/// The verdict in words of `doorward.v1`.
fn told(said: &Value) -> Option<Told> {
    (said["event"] != "admitted").then(|| Told::read(said))
}

/// What an answer in events says: `42["authenticated",true]` or `420["unauthorized",{...}]`.
fn told_by_event(packet: &str) -> Option<Told> {
    let list: Value = serde_json::from_str(packet.trim_start_matches(|digit: char| digit.is_ascii_digit())).unwrap();
    match list[0].as_str().unwrap() {
        "authenticated" => None,
        "unauthorized" => Some(Told::read(&list[1])),
        other => panic!("{other}"),
    }
}

fn authentication(token: &str) -> String {
    format!("42{}", json!(["authentication", { "token": token }]))
}

/// In JSON over a WebSocket: to a hub, or before the first byte of 9P.
async fn over_json(world: &World, path: &str, token: &str) -> Option<Told> {
    let mut peer = world.peer(path).await;
    peer.event().await;
    peer.json(auth("jwt", "token", token)).await;
    let told = told(&peer.event().await);
    if let Some(told) = &told {
        assert_eq!(peer.rest().await, [told.close()], "the Close frame says the same");
    }
    told
}

async fn over_socketio(world: &World, path: &str, token: &str) -> Option<Told> {
    let mut peer = world.knock(&format!("{path}?EIO=4&transport=websocket"), "").await.unwrap();
    peer.hears_of("0").await;
    peer.say("40").await;
    peer.hears_of("40").await;
    peer.say(&authentication(token)).await;
    let told = told_by_event(&peer.hears_of("42").await);
    if let Some(told) = &told {
        peer.say("430[]").await;
        let disconnect = told.stays_away().then(|| Heard::Text("41".to_owned()));
        assert_eq!(peer.rest().await, disconnect.into_iter().chain([told.close()]).collect::<Vec<_>>());
    }
    told
}

async fn over_polling(world: &World, path: &'static str, token: &str) -> Option<Told> {
    let polls = Polls::begins(world, path, "").await;
    polls.says("40").await;
    polls.hears_of("40").await;
    polls.says(&authentication(token)).await;
    let told = told_by_event(&polls.hears_of("42").await);
    if let Some(told) = &told {
        polls.says("430[]").await;
        if told.stays_away() {
            assert_eq!(polls.hears().await, ["41"]);
        }
        assert_eq!(polls.hears().await, ["1"], "there is no Close frame, and its code has been said");
    }
    told
}

/// In the authentication file of 9P.
async fn over_tcp(world: &World, gate: &str, token: &str) -> Option<Told> {
    let mut tool = Tool::of(world).await;
    assert_eq!(tool.asks(crate::ninep::auth(gate)).await, "Auth");
    assert_eq!(tool.reads().await["event"], "ask");
    tool.writes(&auth("jwt", "token", token)).await;
    let told = told(&tool.reads().await);
    if told.is_some() {
        assert_eq!(tool.hears().await, None, "the end of the stream says it");
    }
    told
}

/// What the audit log keeps of a decision, but for where and how fast it fell.
fn kept(row: &AuditRecord) -> String {
    let outcome = match &row.outcome {
        Outcome::Admitted(_) => "admitted".to_owned(),
        refused => format!("{refused:?}"),
    };
    let steps = row.trail.iter().flat_map(|rung| &rung.steps);
    let steps: Vec<_> = steps.map(|step| format!("{}: {} {:?}", step.layer, step.step, step.outcome)).collect();
    format!("{outcome}, {:?}, {:?}, {steps:#?}", row.subject, row.source)
}

/// Shows a token on every wire: the verdict that all agree on, as do the rows that they leave.
async fn verdict(world: &World, carrier: Carrier, ladder: &str, token: &str, what: &str) -> Option<Told> {
    let before = world.rows().await.len();
    let (json, files) = (format!("/{ladder}/json"), format!("/{ladder}/files"));
    let ui = if ladder == "site" { "/site/socket.io/" } else { "/own/socket.io/" };
    let mut heard = vec![
        ("json", over_json(world, &json, token).await),
        ("9p over a websocket", over_json(world, &files, token).await),
        ("socket.io over a websocket", over_socketio(world, ui, token).await),
        ("socket.io over polling", over_polling(world, ui, token).await),
    ];
    // A file tool is outside of paused time.
    if carrier == Carrier::Tcp {
        heard.push(("9p over tcp", over_tcp(world, &format!("{ladder}-files"), token).await));
    }
    let rows = world.rows().await;
    let rows: Vec<_> = rows.get(before..).unwrap().iter().map(kept).collect();
    assert_eq!(rows.len(), heard.len(), "{what}: {rows:#?}");
    for ((wire, told), row) in heard.iter().zip(&rows) {
        assert_eq!(*told, heard[0].1, "{what}, {wire}");
        assert_eq!(*row, rows[0], "{what}, {wire}");
    }
    heard.swap_remove(0).1
}

both! {
    async fn c29_a_credential_gets_the_same_verdict_on_every_wire(carrier: Carrier) {
        let both = [gates("site", r#"[{ jwt = { issuer = "site" } }]"#), gates("own", r#"[{ jwt = { issuer = "doorward" } }]"#)];
        let roomy = "[limits]\nclimbing_per_source = 100\n[site]\nenabled = true\n";
        let site = Site::with(carrier, &format!("{roomy}{}", both.concat())).await;
        let world = &site.world;
        let now = World::NOW.as_secs();
        let (bob, eve, ann) = (site.account("bob").await, site.account("eve").await, site.account("ann").await);
        let logins = [site.log_in(&bob, 1).await, site.log_in(&eve, 2).await, site.log_in(&ann, 3).await];
        let own = [(&bob, &logins[0]), (&eve, &logins[1]), (&ann, &logins[2])].map(|(account, login)| site.own_token(account, login, "acme"));
        let ended = world.token("eve", json!({ "jti": "ended" }));
        world.end("jti=ended").await;
        let early = world.token("zoe", json!({ "iat": now - 60 }));
        let zoe = Subject { kind: "member".into(), pk: "zoe".into(), uuid: String::new() };
        let at = Timestamp::from_secs(now - 30);
        site.end(What::NotBefore { subject: Some(zoe), at }, Why::Revoked, None).await;
        site.end(What::Rest(eve.subject().rest()), Why::Disabled, Some(Change::Disable(eve.id))).await;
        site.log_out(&logins[2]).await;
        let claims = json!({ "iss": "https://site.example", "aud": "doorward", "sub": "bob", "iat": now, "exp": now + 600 });
        let forged = |key: &[u8]| TestKey::secret(key).sign(&json!({ "alg": "HS256", "typ": "at+jwt" }), &claims);
        let refused = Some(Told::of(CloseReason::NotAuthenticated));
        let over = Some(Told::of(CloseReason::SessionEnded));
        for (what, ladder, token, expected) in [
            ("good", "site", world.token("bob", json!({})), None),
            ("as good, of the same key", "site", forged(SECRET.as_bytes()), None),
            ("signed by nobody", "site", forged(b"another secret, which nobody here has ever heard of"), refused.clone()),
            ("expired", "site", world.token("bob", json!({ "iat": now - 700, "exp": now - 100 })), refused.clone()),
            ("for another audience", "site", world.token("bob", json!({ "aud": "another" })), refused.clone()),
            ("a refresh token", "site", world.token("bob", json!({ "typ": "Refresh" })), refused.clone()),
            ("no token", "site", "nonsense".to_owned(), refused.clone()),
            ("ended", "site", ended, over.clone()),
            ("issued before a not-before", "site", early, over),
            ("issued after it", "site", world.token("zoe", json!({ "iat": now - 10 })), None),
            ("the server's own", "own", own[0].clone(), None),
            ("of an account that is disabled", "own", own[1].clone(), refused.clone()),
            ("of a login that has ended", "own", own[2].clone(), refused.clone()),
            ("of another issuer", "own", world.token("bob", json!({})), refused),
        ] {
            assert_eq!(verdict(world, carrier, ladder, &token, what).await, expected, "{what}");
        }
    }

    async fn c29_what_a_request_shows_gets_the_same_status_and_row_on_every_wire(carrier: Carrier) {
        let world = World::of(carrier, &gates("site", "[{ bearer = {} }]")).await;
        let ended = world.token("eve", json!({ "jti": "ended" }));
        world.end("jti=ended").await;
        let over = CloseReason::SessionEnded.code();
        for (what, token, status, then) in [
            ("good", world.token("bob", json!({})), 101, None),
            ("expired", world.token("bob", json!({ "exp": World::NOW.as_secs() - 100 })), 401, None),
            // It is good as far as the layer goes: what has ended the registry knows.
            ("ended", ended, 101, Some(over)),
            ("no token", "a.b.c".to_owned(), 401, None),
        ] {
            let before = world.rows().await.len();
            let headers = format!("Authorization: Bearer {token}\r\n");
            let polled = ask(&world, "GET", "/site/socket.io/?EIO=4&transport=polling", &headers, "").await;
            assert_eq!(polled.status, if status == 101 { 200 } else { status }, "{what}");
            for path in ["/site/json", "/site/files", "/site/socket.io/?EIO=4&transport=websocket"] {
                match world.knock(path, &headers).await {
                    Err(refused) => assert_eq!(refused.status, status, "{what}, {path}"),
                    Ok(mut peer) => {
                        assert_eq!(status, 101, "{what}, {path}");
                        if let Some(code) = then {
                            assert_eq!(peer.closes().await, [code], "{what}, {path}");
                        }
                    }
                }
            }
            while world.rows().await.len() < before + 4 {
                tokio::task::yield_now().await;
            }
            let rows = world.rows().await;
            let rows: Vec<_> = rows.get(before..).unwrap().iter().map(kept).collect();
            assert!(rows.iter().all(|row| *row == rows[0]), "{what}: {rows:#?}");
        }
    }
}
