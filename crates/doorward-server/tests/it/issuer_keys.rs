//! Gates whose tokens are verified with keys that their issuer publishes.

use std::time::Duration;

use doorward_testkit::tokens::TestKey;
use serde_json::{Value, json};

use crate::{
    carrier::Carrier,
    peer::{Heard, auth},
    world::World,
};

/// An issuer whose keys are fetched, and two gates for its tokens.
pub(crate) const FETCHED: &str = r#"
[[issuer]]
name = "idp"
issuer = "https://login.example/realms/shop"
audience = "doorward"
algorithms = ["EdDSA"]
profile = "keycloak"
discover = true

[[gate]]
name = "talk"
path = "/talk"
backend = { hub = {} }
ladder = [{ jwt = { issuer = "idp" } }]

[[gate]]
name = "plain"
path = "/plain"
backend = { echo = {} }
ladder = [{ bearer = { issuer = "idp" } }]
"#;

/// A token as Keycloak makes them.
pub(crate) fn token(key: &TestKey, kid: &str, typ: &str) -> String {
    let now = World::NOW.as_secs();
    let claims: Value = json!({
        "iss": "https://login.example/realms/shop", "aud": ["doorward", "account"], "azp": "shop", "typ": typ,
        "sub": "7", "iat": now - 5, "exp": now + 300,
    });
    key.sign(&json!({ "alg": key.alg(), "typ": "JWT", "kid": kid }), &claims)
}

/// What a gate with a ladder that talks says last to whoever shows that token.
async fn last_word(world: &World, token: &str) -> Heard {
    let mut peer = world.peer("/talk").await;
    peer.json(auth("jwt", "token", token)).await;
    peer.rest().await.pop().unwrap()
}

async fn half_a_minute(world: &World) {
    world.clock.advance(Duration::from_secs(30));
    tokio::time::advance(Duration::from_secs(30)).await;
}

#[tokio::test(start_paused = true)]
async fn an_issuer_that_is_down_is_no_fault_of_the_users_and_is_asked_again() {
    let world = World::of(Carrier::Memory, FETCHED).await;
    let (key, kid) = (TestKey::ed25519(), "2026-11");
    let good = token(&key, kid, "Bearer");
    assert_eq!(last_word(&world, &good).await, Heard::Close(1013, "try_later".to_owned()));
    let bearer = format!("Authorization: Bearer {good}\r\n");
    assert_eq!(world.knock("/plain", &bearer).await.err().unwrap().status, 503);
    assert_eq!(world.publisher.asked().len(), 1);
    assert_eq!(world.verdicts().await, ["1013 jwt: socket requires token", "1013 bearer: socket checks token"]);
    world.publisher.publish(&[(kid, &key)]);
    half_a_minute(&world).await;
    assert!(world.knock("/plain", &bearer).await.is_ok());
    let _stays = world.admitted("/talk", &good).await;
    for wrong in [token(&key, kid, "Refresh"), token(&key, kid, "ID"), token(&TestKey::ed25519(), kid, "Bearer")] {
        assert_eq!(last_word(&world, &wrong).await, Heard::Close(4401, "not_authenticated".to_owned()));
    }
    let text = world.door.metrics().text(&world.door);
    for line in [
        r#"doorward_issuer_keys{owner="acme",issuer="idp"} 1"#,
        r#"doorward_issuer_key_fetches_total{owner="acme",issuer="idp",outcome="failed"} 1"#,
        r#"doorward_issuer_key_fetches_total{owner="acme",issuer="idp",outcome="fetched"} 1"#,
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_user_who_has_shown_the_token_in_time_is_let_in_however_long_the_keys_take() {
    let gates = FETCHED.replace("discover = true", "discover = true\nfetch_timeout = \"20s\"");
    let world = World::of(Carrier::Memory, &gates).await;
    let key = TestKey::ed25519();
    world.publisher.publish(&[("1", &key)]);
    world.publisher.take(Duration::from_secs(15));
    let began = tokio::time::Instant::now();
    let _stays = world.admitted("/talk", &token(&key, "1", "Bearer")).await;
    assert_eq!(began.elapsed(), Duration::from_secs(15), "three times as long as the layer waits for a token");
}

#[tokio::test(start_paused = true)]
async fn a_reload_keeps_the_keys_that_are_there() {
    let world = World::of(Carrier::Memory, FETCHED).await;
    let key = TestKey::ed25519();
    world.publisher.publish(&[("1", &key)]);
    let _before = world.admitted("/talk", &token(&key, "1", "Bearer")).await;
    world.publisher.stop();
    world.reload(&FETCHED.replace("path = \"/plain\"", "path = \"/other\""), Duration::ZERO);
    let _after = world.admitted("/talk", &token(&key, "1", "Bearer")).await;
    assert_eq!(world.publisher.asked().len(), 1);
    // Another place is another issuer, of which nothing is known.
    world.reload(&FETCHED.replace("discover = true", "jwks_url = \"https://login.example/keys\""), Duration::ZERO);
    let verdict = last_word(&world, &token(&key, "1", "Bearer")).await;
    assert_eq!(verdict, Heard::Close(1013, "try_later".to_owned()));
}
