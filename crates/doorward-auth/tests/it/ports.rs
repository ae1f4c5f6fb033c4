//! Ports that never answer: whoever waits for one is told to try later, and not that they were slow.

use std::{sync::Arc, time::Duration};

use doorward_auth::{
    Handshake, Ladder, PresentedTicket, Refusal, Rung, Step, TicketVia,
    layers::{
        conversation::{app_key::NewAppKey, authenticator::Authenticated},
        handshake::ticket::NewTicket,
    },
    ports::{ANSWER_WITHIN, Ports},
};
use doorward_testkit::World;
use doorward_types::{Answer, CloseReason, Secret};
use serde_json::json;
use tokio::time::Instant;

use crate::{
    support::{key, rung, token},
    unwell::Unwell,
};

fn silent(world: &World) -> Ports {
    let silent = Arc::new(Unwell::Silent);
    Ports { tickets: silent.clone(), app_keys: silent.clone(), used_tokens: silent, ..world.ports() }
}

/// What somebody is refused with who waits for nothing but a port, for a minute at the most.
async fn refused_in_time(refused: impl Future<Output = Refusal>, step: &str, port: &str) {
    let since = Instant::now();
    let refusal = tokio::time::timeout(Duration::from_secs(60), refused).await.unwrap();
    assert_eq!(refusal.close_reason(), CloseReason::TryLater, "{refusal}");
    assert_eq!(refusal.step, step);
    assert_eq!(refusal.detail, format!("{port} is unavailable: it did not answer within 3s"));
    assert_eq!(since.elapsed().as_secs(), ANSWER_WITHIN.duration().as_secs());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_never_answers_a_handshake_layer_is_down_and_the_user_not_slow() {
    let world = World::new();
    let ladder = Ladder::new(vec![rung(&silent(&world), json!({ "ticket": { "via": ["header"] } }))]).unwrap();
    let text = NewTicket::draw(world.rng.as_ref(), None).text;
    let ticket = Some(PresentedTicket { via: TicketVia::Header, text });
    let handshake = Handshake { ticket, ..World::handshake() };
    let refused = async { world.knock(&ladder, handshake).await.err().unwrap().0 };
    refused_in_time(refused, "socket checks ticket", "tickets").await;
}

#[tokio::test(start_paused = true)]
async fn a_port_that_never_answers_a_layer_that_talks_is_down_and_the_user_not_slow() {
    let world = World::new();
    let ports = silent(&world);
    let built = |config| rung(&ports, config);
    let drawn = |secret: Secret| secret.reveal_text("a test").unwrap().to_owned();
    let ticket = drawn(NewTicket::draw(world.rng.as_ref(), None).text);
    let whole = drawn(NewAppKey::draw(world.rng.as_ref()).text);
    let asked = Authenticated::new(Arc::new(Unwell::Silent), Duration::from_secs(5), &ports);
    let send_key = Answer::new().with_text("key", "0".repeat(32));
    let rows = [
        (
            built(json!({ "ticket": { "via": ["message"] } })),
            vec![Answer::new().with_text("ticket", ticket)],
            "socket requires ticket",
            "tickets",
        ),
        (
            built(json!({ "jwt": { "single_use": true } })),
            vec![Answer::new().with_text("token", token(&key()))],
            "socket requires token",
            "used tokens",
        ),
        (
            built(json!({ "app_key": {} })),
            vec![send_key, Answer::new().with_text("proof", "AAAA")],
            "socket requires proof",
            "app keys",
        ),
        (
            built(json!({ "app_key": { "plain": true } })),
            vec![Answer::new().with_text("key", whole.clone())],
            "socket requires proof",
            "app keys",
        ),
        (
            Rung::One(Step::conversation(asked)),
            vec![Answer::new().with_text("token", "good")],
            "socket requires identity",
            "terminal",
        ),
        (
            built(json!({ "offer": { "of": [{ "app_key": { "plain": true } }] } })),
            vec![Answer::new().with_text("key", whole)],
            "socket requires every part",
            "app_key: app keys",
        ),
    ];
    for (rung, answers, step, port) in rows {
        let prompted = !rung.to_string().starts_with("offer");
        let mut peer = world.knock(&Ladder::new(vec![rung]).unwrap(), World::handshake()).await.unwrap();
        for answer in answers {
            if prompted {
                peer.hear().await;
            } else {
                assert!(peer.hears_nothing().await);
            }
            peer.say(answer);
        }
        refused_in_time(async { peer.hear().await.refusal.unwrap() }, step, port).await;
        assert!(peer.steps().iter().any(|taken| taken == step), "{:?}", peer.steps());
    }
}
