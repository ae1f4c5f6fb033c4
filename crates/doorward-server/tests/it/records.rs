//! What is written down of a decision: everything that happened, and no secret.

use std::{
    cell::RefCell,
    io::{self, Write},
    sync::Once,
    time::Duration,
};

use doorward_auth::{layers::conversation::app_key::NewAppKey, ports::Clock, trail::Outcome};
use doorward_client::{Credentials, Options};
use doorward_server::control::Request;
use doorward_testkit::SeededRng;
use doorward_types::{Secret, Timestamp};
use serde_json::json;
use tokio::time::sleep;

use crate::world::{Carrier, SECRET, World, both};

/// 128 bits in hexadecimal digits.
const CHALLENGE: &str = "c0ffee11c0ffee22c0ffee33c0ffee44";

const GATES: &str = r#"
    [[gate]]
    name = "fancy"
    path = "/fancy"
    backend = { hub = {} }
    ladder = [
        { jwt = {} },
        { challenge = { secret = "c0ffee11c0ffee22c0ffee33c0ffee44" } },
        { ident = { glyph = "☂", question = "Which day?", answers = ["Tuesday-the-word"] } },
    ]
    [[gate]]
    name = "tickets"
    path = "/tickets"
    backend = { hub = {} }
    ladder = [{ ticket = { via = ["header", "subprotocol"] } }]
    [[gate]]
    name = "robots"
    path = "/robots"
    backend = { hub = {} }
    ladder = [{ offer = { of = [{ app_key = { plain = true } }] } }]
    [[gate]]
    name = "pages"
    path = "/pages"
    backend = { echo = {} }
    ladder = [{ bearer = {} }]
"#;

/// Goes through every gate with right and wrong credentials, and gives all of these.
async fn go_everywhere(world: &World) -> Vec<String> {
    let token = world.token("7", json!({ "note": "n07e-0f-7he-70ken" }));
    let wrong = world.token("7", json!({ "aud": "another" }));
    let (ticket, unused) = (world.ticket("tickets", None).await, world.ticket("pages", None).await);
    let key = NewAppKey::draw(&SeededRng::new(77)).text;
    let key = key.reveal_text("a test").unwrap().to_owned();

    for (token, challenge) in [(&token, CHALLENGE), (&token, "deadbeefdeadbeefdeadbeefdeadbeef"), (&wrong, CHALLENGE)] {
        let mut client = world.client("/fancy", Options::default()).await.unwrap();
        let mut credentials = Credentials::new().jwt(Secret::from_text(token.as_str())).challenge(challenge).unwrap();
        let _verdict = client.climb(&mut credentials).await;
    }
    // A person who types a secret into the wrong field.
    let mut peer = world.peer("/fancy").await;
    peer.event().await;
    peer.json(json!({ "action": "auth", "kind": "jwt", "token": token, "password": "hun7er2-hun7er2" })).await;
    drop(peer);
    let mut peer = world.peer("/fancy").await;
    peer.event().await;
    peer.json(json!({ "action": "auth", "kind": "hun7er2-kind", "token": token })).await;
    peer.closes().await;
    for header in [
        format!("Doorward-Ticket: {ticket}\r\n"),
        format!("Doorward-Ticket: {ticket}\r\n"),
        format!("Doorward-Ticket: {unused}\r\n"),
        format!("Sec-WebSocket-Protocol: doorward.v1, ticket.doorward.{ticket}\r\n"),
        format!("Sec-WebSocket-Protocol: ticket.doorward.{ticket}\r\n"),
    ] {
        let _verdict = world.knock("/tickets", &header).await;
    }
    let mut peer = world.peer("/robots").await;
    peer.json(json!({ "action": "auth", "kind": "app_key", "key": key })).await;
    peer.closes().await;
    for bearer in [&token, &wrong] {
        let cookies =
            "Cookie: __Host-doorward-session=dws_c00k1e; x=c00k1e-of-another; __Host-doorward-browser=dwb_c00k1e";
        let _verdict = world.knock("/pages", &format!("Authorization: Bearer {bearer}\r\n{cookies}\r\n")).await;
        let _query = world.knock(&format!("/pages?ticket={ticket}"), "").await;
    }
    let secrets = [&token, &wrong, &ticket, &unused, &key];
    let mut secrets: Vec<String> = secrets.into_iter().cloned().collect();
    // A part of a token or a key is as bad as the whole.
    secrets.extend(
        secrets.clone().iter().flat_map(|secret| secret.split('.').skip(1).map(str::to_owned)).collect::<Vec<_>>(),
    );
    secrets.push(key[4..].to_owned());
    secrets.extend(
        [SECRET, CHALLENGE, "n07e-0f-7he-70ken", "hun7er2-hun7er2", "Tuesday-the-word", "c00k1e"].map(str::to_owned),
    );
    secrets
}

both! {
    async fn every_decision_has_a_row_and_no_row_a_secret(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        let secrets = go_everywhere(&world).await;
        world.empties().await;
        let rows = world.rows().await;
        // 5 climbs at `fancy`, 4 tickets (the fifth is no proper request), 1 robot, 4 pages.
        assert_eq!(rows.len(), 14, "{:#?}", world.verdicts().await);
        for row in &rows {
            let text = format!("{row:?}{}", serde_json::to_string(&row.trail).unwrap());
            let told = world.operate(Request::Why { owner: None, trace: row.trace.to_string() }).await.to_string();
            for secret in &secrets {
                assert!(!text.contains(secret.as_str()) && !told.contains(secret.as_str()), "{secret}: {text}{told}");
            }
        }
    }

    async fn a_refusal_tells_what_was_hit_missed_and_not_reached_and_who_had_been_proven(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        let token = world.token("7", json!({}));
        let mut client = world.client("/fancy", Options::default()).await.unwrap();
        let wrong = "deadbeefdeadbeefdeadbeefdeadbeef";
        let mut credentials = Credentials::new().jwt(Secret::from_text(token)).challenge(wrong).unwrap();
        assert!(client.climb(&mut credentials).await.is_err());
        let rows = world.rows().await;
        let row = &rows[0];
        assert_eq!(row.subject.as_ref().unwrap().to_string(), "member:7", "proven before it was refused");
        let rungs: Vec<_> = row.trail.iter().map(|rung| (rung.rung.as_str(), rung.outcome)).collect();
        let expected = [
            ("origin", Outcome::Hit),
            ("jwt", Outcome::Hit),
            ("challenge", Outcome::Miss),
            ("ident", Outcome::NotReached),
        ];
        assert_eq!(rungs, expected);
        let why = world.operate(Request::Why { owner: None, trace: row.trace.to_string() }).await;
        let text = why["text"].as_str().unwrap();
        for line in ["gate     fancy of acme, from 127.0.0.1", "subject  member:7 (7)", "verdict  refused: ", "by challenge, at `",
            "the peer was told 4401 not_authenticated", "  hit          jwt", "  miss         challenge", "  not reached  ident"]
        {
            assert!(text.contains(line), "`{line}` is not in\n{text}");
        }
        assert_eq!(why["json"]["outcome"]["code"], 4401);
        let unknown = world.door.operate(Request::Why { owner: None, trace: "0".repeat(32) }).await.unwrap_err();
        assert!(unknown.contains("no decision with the trace id"), "{unknown}");
        assert!(world.door.operate(Request::Why { owner: None, trace: "nonsense".into() }).await.is_err());
    }

    async fn a_handshake_refusal_tells_the_trace_id_of_its_row(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        let refused = world.knock("/pages", "Origin: https://evil.example\r\n").await.err().unwrap();
        let why = world.operate(Request::Why { owner: None, trace: refused.trace.unwrap() }).await;
        assert_eq!(why["json"]["outcome"]["layer"], "origin");
        assert!(why["text"].as_str().unwrap().contains("not reached  bearer"), "{why}");
    }
}

thread_local! {
    /// What this thread logs, while a test listens. The test's runtime has no other thread.
    static LINES: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// Writes what a thread logs into its own lines.
struct Lines;

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LINES.with_borrow_mut(|lines| lines.as_mut().map(|lines| lines.extend_from_slice(bytes)));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Has this thread's log kept from here on.
fn listen() {
    static ONCE: Once = Once::new();
    // For all threads: with a subscriber for one alone, the others would decide which lines are logged at all.
    ONCE.call_once(|| tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(|| Lines).init());
    LINES.set(Some(Vec::new()));
}

/// What this thread has logged since it listened.
fn logged() -> String {
    String::from_utf8(LINES.take().unwrap()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn c85_the_log_says_when_the_clock_was_set_and_by_how_much() {
    listen();
    let world = World::of(Carrier::Memory, GATES).await;
    sleep(Duration::from_secs(1)).await;
    for seconds in [3600, -3600, -300] {
        world.clock.set(Timestamp::from_secs(world.clock.now().as_secs().saturating_add_signed(seconds)));
        sleep(Duration::from_secs(1)).await;
    }
    let log = logged();
    let said: Vec<_> = log.lines().filter_map(|line| line.split_once("the wall clock was set ")).collect();
    let words: Vec<_> = said.iter().map(|(_, how)| how.split(':').next().unwrap_or_default()).collect();
    assert_eq!(words, ["ahead", "back", "back"], "{log}");
    for ((_, how), by) in said.iter().zip(["3599.", "3600.", "300."]) {
        assert!(how.contains(by), "{how}");
    }
}

#[tokio::test(start_paused = true)]
async fn c18_no_line_of_the_log_has_a_secret_at_any_level() {
    listen();
    let world = World::of(Carrier::Memory, GATES).await;
    let secrets = go_everywhere(&world).await;
    world.empties().await;
    let log = logged();
    assert!(log.matches("refused").count() >= 5, "something was logged\n{log}");
    for secret in secrets {
        let at = log.find(secret.as_str());
        assert!(at.is_none(), "{secret} is in the log: {}", log.lines().find(|line| line.contains(&secret)).unwrap());
    }
}
