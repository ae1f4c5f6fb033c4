//! One ladder behind several wires: what a credential is worth does not hang on how it is shown.

use doorward_auth::ports::{AuditRecord, Outcome};
use doorward_testkit::tokens::TestKey;
use doorward_types::CloseReason;
use serde_json::{Value, json};

use crate::{
    peer::auth,
    polls::Polls,
    world::{World, both},
};

const GATES: &str = r#"
    [[gate]]
    name = "json"
    path = "/json"
    backend = { hub = {} }
    ladder = [{ jwt = {} }]
    [[gate]]
    name = "ui"
    path = "/socket.io/"
    backend = { hub = {} }
    transport = { socketio = {} }
    ladder = [{ jwt = {} }]
    [[gate.channel]]
    name = "/"
    subscribe = "any"
"#;

/// What somebody hears who is not let in: the close code and the name of the reason.
type Told = Option<(u64, String)>;

fn told(of: &Value) -> Told {
    Some((of["code"].as_u64().unwrap(), of["reason"].as_str().unwrap().to_owned()))
}

async fn over_json(world: &World, token: &str) -> Told {
    let mut peer = world.peer("/json").await;
    peer.event().await;
    peer.json(auth("jwt", "token", token)).await;
    let verdict = peer.event().await;
    match verdict["event"].as_str().unwrap() {
        "admitted" => None,
        _ => {
            let told = told(&verdict);
            let code = told.as_ref().and_then(|(code, _)| u16::try_from(*code).ok());
            assert_eq!(peer.closes().await, Vec::from_iter(code), "the Close frame says the same");
            told
        }
    }
}

/// What an answer in events says: `42["authenticated",true]` or `420["unauthorized",{...}]`.
fn verdict(packet: &str) -> Told {
    let list: Value = serde_json::from_str(packet.trim_start_matches(|digit: char| digit.is_ascii_digit())).unwrap();
    match list[0].as_str().unwrap() {
        "authenticated" => None,
        "unauthorized" => told(&list[1]),
        other => panic!("{other}"),
    }
}

async fn over_websocket(world: &World, token: &str) -> Told {
    let mut peer = world.knock("/socket.io/?EIO=4&transport=websocket", "").await.unwrap();
    peer.hears_of("0").await;
    peer.say("40").await;
    peer.hears_of("40").await;
    peer.say(&json!(["authentication", { "token": token }]).to_string().replacen('[', "42[", 1)).await;
    verdict(&peer.hears_of("42").await)
}

async fn over_polling(world: &World, token: &str) -> Told {
    let polls = Polls::begins(world, "/socket.io/", "").await;
    polls.says("40").await;
    polls.hears_of("40").await;
    polls.says(&format!(r#"42["authentication",{{"token":"{token}"}}]"#)).await;
    verdict(&polls.hears_of("42").await)
}

/// What the audit log keeps of a decision, but for whom and where it was.
fn kept(row: &AuditRecord) -> String {
    match &row.outcome {
        Outcome::Admitted(_) => "admitted".to_owned(),
        refused => format!("{refused:?}"),
    }
}

both! {
    async fn c29_a_credential_gets_the_same_verdict_on_every_wire(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        let now = World::NOW.as_secs();
        let good = || world.token("bob", json!({}));
        let ended = world.token("eve", json!({ "jti": "ended" }));
        world.end("jti=ended").await;
        let forged = TestKey::secret(b"another secret, which nobody here has ever heard of").sign(
            &json!({ "alg": "HS256", "typ": "at+jwt" }),
            &json!({ "iss": "https://site.example", "aud": "doorward", "sub": "bob", "iat": now, "exp": now + 600 }),
        );
        let refused = Some((u64::from(CloseReason::NotAuthenticated.code()), CloseReason::NotAuthenticated.name().to_owned()));
        for (what, token, expected) in [
            ("good", good(), None),
            ("signed by nobody", forged, refused.clone()),
            ("expired", world.token("bob", json!({ "iat": now - 700, "exp": now - 100 })), refused.clone()),
            ("for another audience", world.token("bob", json!({ "aud": "another" })), refused.clone()),
            ("a refresh token", world.token("bob", json!({ "typ": "Refresh" })), refused.clone()),
            ("no token", "nonsense".to_owned(), refused.clone()),
            ("ended", ended, Some((u64::from(CloseReason::SessionEnded.code()), CloseReason::SessionEnded.name().to_owned()))),
        ] {
            let before = world.rows().await.len();
            let heard = [
                over_json(&world, &token).await,
                over_websocket(&world, &token).await,
                over_polling(&world, &token).await,
            ];
            assert_eq!(heard, [expected.clone(), expected.clone(), expected], "{what}");
            let rows = world.rows().await;
            let kept: Vec<_> = rows.get(before..).unwrap().iter().map(kept).collect();
            let [json, websocket, polling] = kept.as_slice() else { panic!("{what}: {kept:?}") };
            assert!(json == websocket && json == polling, "{what}: {kept:?}");
        }
    }
}
