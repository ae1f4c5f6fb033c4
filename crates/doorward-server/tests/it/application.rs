//! Code of the embedding application that waits for ever or has a mistake, and how far that reaches.

use std::sync::Arc;

use doorward_auth::{
    BoxFuture,
    ports::{Authenticator, Identity, PortError, Ticket, Tickets},
};
use doorward_server::Extensions;
use doorward_types::{Answer, OwnerId, Timestamp};
use serde_json::json;

use crate::{
    peer::auth,
    world::{CHAT, Carrier, SITE, World},
};

/// Recognises nobody: waits for ever, or panics.
struct Terminal {
    panics: bool,
}

impl Authenticator for Terminal {
    fn kind(&self) -> &'static str {
        if self.panics { "panics" } else { "waits" }
    }

    fn fields(&self) -> &'static [&'static str] {
        &["token"]
    }

    fn authenticate<'a>(&'a self, _: &'a Answer) -> BoxFuture<'a, Result<Option<Identity>, PortError>> {
        assert!(!self.panics, "the application's own code has a mistake");
        Box::pin(std::future::pending())
    }
}

async fn terminals() -> World {
    let gates = r#"
        [[gate]]
        name = "panics"
        path = "/panics"
        backend = { echo = {} }
        ladder = [{ authenticator = { kind = "panics" } }]
        [[gate]]
        name = "waits"
        path = "/waits"
        backend = { echo = {} }
        ladder = [{ authenticator = { kind = "waits" } }]
    "#;
    let extensions =
        Extensions::default().authenticator(Terminal { panics: true }).authenticator(Terminal { panics: false });
    World::with(Carrier::Memory, &format!("{SITE}{CHAT}{gates}"), extensions).await
}

#[tokio::test(start_paused = true)]
async fn c28_a_second_message_before_the_first_was_heard_is_malformed() {
    let world = terminals().await;
    let mut peer = world.peer("/waits").await;
    peer.event().await;
    peer.json(auth("waits", "token", "1")).await;
    assert!(peer.hears_nothing().await);
    peer.json(auth("waits", "token", "2")).await;
    assert!(peer.hears_nothing().await, "one may lie there");
    peer.json(auth("waits", "token", "3")).await;
    assert_eq!(peer.event().await["reason"], "malformed");
    assert_eq!(peer.closes().await, [4400]);
}

#[tokio::test(start_paused = true)]
async fn c68_a_layer_that_panics_ends_its_own_socket_with_1011_and_no_other() {
    let world = terminals().await;
    let token = world.token("7", json!({}));
    let mut bystander = world.admitted("/chat", &token).await;
    let mut climbing = world.peer("/chat").await;
    let mut peer = world.peer("/panics").await;
    peer.event().await;
    peer.json(auth("panics", "token", "1")).await;
    assert_eq!(peer.event().await["code"], 1011);
    assert_eq!(peer.closes().await, [1011]);
    let verdicts = world.verdicts().await;
    assert_eq!(verdicts.last().unwrap(), "1011 server: panic");
    climbing.climbs(&token).await;
    bystander.json(json!({ "action": "subscribe", "channel": "news", "id": 1 })).await;
    assert_eq!(bystander.event().await["event"], "subscribed");
    drop((bystander, climbing));
    world.empties().await;
}

/// A store of tickets with a mistake in it.
struct Broken;

impl Tickets for Broken {
    fn mint<'a>(&'a self, _: [u8; 32], _: Ticket) -> BoxFuture<'a, Result<(), PortError>> {
        Box::pin(async { Ok(()) })
    }

    fn consume<'a>(
        &'a self,
        _: &'a OwnerId,
        _: [u8; 32],
        _: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Ticket>, PortError>> {
        Box::pin(async { panic!("the store has a mistake") })
    }
}

#[tokio::test(start_paused = true)]
async fn c68_a_handshake_layer_that_panics_lets_nobody_in_and_gives_its_place_back() {
    let gate = r#"
        [[gate]]
        name = "tickets"
        path = "/tickets"
        backend = { echo = {} }
        ladder = [{ ticket = {} }]
    "#;
    let text = format!("{SITE}{CHAT}{gate}");
    let world = World::keeping(Carrier::Memory, &text, Extensions::default(), Arc::new(Broken)).await;
    let ticket = world.ticket("tickets", None).await;
    let refused = world.knock("/tickets", &format!("Doorward-Ticket: {ticket}\r\n")).await.err().unwrap();
    assert_ne!(refused.status, 101);
    assert_eq!(world.verdicts().await, ["1011 server: panic"]);
    let token = world.token("7", json!({}));
    drop(world.admitted("/chat", &token).await);
    world.empties().await;
}
