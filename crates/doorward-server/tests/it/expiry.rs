//! Tokens about the time of their expiry: what the layer takes, the registry takes too.

use std::time::Duration;

use doorward_types::Timestamp;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    peer::Heard,
    world::{CHAT, Carrier, World},
};

const PAGES: &str = r#"
    [[gate]]
    name = "pages"
    path = "/pages"
    backend = { hub = {} }
    ladder = [{ bearer = {} }]
"#;

/// How far the clocks of issuer and gate may be apart.
const LEEWAY: Duration = Duration::from_secs(5);

/// The expiry that an admitted user is told.
fn until(admitted: &Value) -> String {
    admitted["expires_at"].as_str().unwrap().to_owned()
}

/// How a token that expires at [`World::NOW`] fares at each of these times, the gate's clock standing still: the expiry that
/// the user is told, or the code of the refusal. Over the socket, and in the upgrade request.
async fn fares(at: Timestamp) -> [Result<String, u64>; 2] {
    let world = World::of(Carrier::Memory, &format!("{CHAT}{PAGES}")).await;
    let expires = World::NOW.as_secs();
    let token = world.token("7", json!({ "iat": expires - 60, "exp": expires }));
    world.clock.set(at);
    let mut peer = world.peer("/chat").await;
    assert_eq!(peer.event().await["event"], "ask");
    peer.json(json!({ "action": "auth", "kind": "jwt", "token": token })).await;
    let said = peer.event().await;
    let over_the_socket = match said["event"].as_str() {
        Some("admitted") => Ok(until(&said)),
        _ => Err(said["code"].as_u64().unwrap()),
    };
    let in_the_request = match world.knock("/pages", &format!("Authorization: Bearer {token}\r\n")).await {
        Ok(mut peer) => Ok(until(&peer.event().await)),
        Err(refused) => Err(u64::from(refused.status)),
    };
    [over_the_socket, in_the_request]
}

#[tokio::test(start_paused = true)]
async fn whoever_the_leeway_lets_in_is_in_until_it_ends() {
    let expiry = World::NOW;
    let before = Timestamp::from_millis(expiry.as_millis() - 1000);
    let last = Timestamp::from_millis(expiry.plus(LEEWAY).as_millis() - 1000);
    let told = |at: Timestamp| [Ok(at.to_string()), Ok(at.to_string())];
    assert_eq!(fares(before).await, told(expiry));
    assert_eq!(fares(expiry).await, told(expiry.plus(LEEWAY)));
    assert_eq!(fares(last).await, told(expiry.plus(LEEWAY)));
    assert_eq!(fares(expiry.plus(LEEWAY)).await, [Err(4401), Err(401)]);
}

#[tokio::test(start_paused = true)]
async fn c8_one_that_came_within_the_leeway_ends_with_it() {
    let world = World::of(Carrier::Memory, CHAT).await;
    let token = world.token("7", json!({ "iat": World::NOW.as_secs() - 60, "exp": World::NOW.as_secs() }));
    let mut peer = world.admitted("/chat", &token).await;
    assert!(peer.hears_nothing().await);
    world.clock.advance(LEEWAY);
    let ends = peer.rest().await;
    assert!(matches!(ends.last(), Some(Heard::Close(4410, _))), "{ends:?}");
}

#[tokio::test(start_paused = true)]
async fn c85_the_time_for_an_answer_does_not_change_with_the_clock() {
    for set in [3600, -3600, 300, -300] {
        let world = World::of(Carrier::Memory, CHAT).await;
        let mut peer = world.peer("/chat").await;
        let ask = peer.event().await;
        let began = Instant::now();
        world.clock.set(Timestamp::from_secs(World::NOW.as_secs().saturating_add_signed(set)));
        assert_eq!(peer.closes().await.len(), 1);
        assert_eq!(Some(began.elapsed().as_secs()), ask["expires_in"].as_u64(), "{set} s");
    }
}
