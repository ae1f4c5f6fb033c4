//! What a refusal costs: time tells nothing where the stores are asked the same, whatever was wrong.

use std::sync::{Arc, Mutex};

use doorward_auth::{
    BoxFuture, Handshake, Ladder, PresentedTicket, TicketVia,
    layers::{conversation::app_key::NewAppKey, handshake::ticket::NewTicket},
    memory::{MemoryAppKeys, MemoryTickets},
    ports::{AppKey, AppKeys, PortError, Ports, Ticket, TicketBinding, Tickets},
};
use doorward_testkit::World;
use doorward_types::{Answer, KeyId, OwnerId, Secret, Timestamp};
use serde_json::json;

use crate::support::{key, later, rung, token};

/// Stores that note what they are asked.
#[derive(Default)]
struct Counted {
    asked: Mutex<Vec<&'static str>>,
    app_keys: Arc<MemoryAppKeys>,
    tickets: Arc<MemoryTickets>,
}

impl Counted {
    fn of(world: &World) -> Arc<Self> {
        let (app_keys, tickets) = (world.app_keys.clone(), world.tickets.clone());
        Arc::new(Self { asked: Mutex::default(), app_keys, tickets })
    }

    fn ladder(self: &Arc<Self>, world: &World, config: serde_json::Value) -> Ladder {
        let ports = Ports { app_keys: self.clone(), tickets: self.clone(), ..world.ports() };
        Ladder::new(vec![rung(&ports, config)]).unwrap()
    }

    /// What was asked since this was asked last.
    fn take(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

impl AppKeys for Counted {
    fn add<'a>(&'a self, key: AppKey) -> BoxFuture<'a, Result<bool, PortError>> {
        self.app_keys.add(key)
    }

    fn find<'a>(&'a self, owner: &'a OwnerId, id: &'a KeyId) -> BoxFuture<'a, Result<Option<AppKey>, PortError>> {
        self.asked.lock().unwrap().push("find");
        self.app_keys.find(owner, id)
    }

    fn list<'a>(&'a self, owner: &'a OwnerId) -> BoxFuture<'a, Result<Vec<AppKey>, PortError>> {
        self.app_keys.list(owner)
    }

    fn revoke<'a>(
        &'a self,
        owner: &'a OwnerId,
        id: &'a KeyId,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<bool, PortError>> {
        self.app_keys.revoke(owner, id, now)
    }
}

impl Tickets for Counted {
    fn mint<'a>(&'a self, hash: [u8; 32], ticket: Ticket) -> BoxFuture<'a, Result<(), PortError>> {
        self.tickets.mint(hash, ticket)
    }

    fn consume<'a>(
        &'a self,
        owner: &'a OwnerId,
        hash: [u8; 32],
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Ticket>, PortError>> {
        self.asked.lock().unwrap().push("consume");
        self.tickets.consume(owner, hash, now)
    }
}

/// A key that the owner knows.
async fn known(world: &World) -> NewAppKey {
    let key = NewAppKey::draw(world.rng.as_ref());
    let (owner, id, public) = (World::owner(), key.id.clone(), key.public);
    let subject = World::member("7");
    world.app_keys.add(AppKey { owner, id, public, subject, created_at: World::NOW, revoked_at: None }).await.unwrap();
    key
}

fn text(secret: &Secret) -> String {
    secret.reveal_text("a test").unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn c32_a_key_is_looked_up_once_whatever_is_wrong_with_it() {
    let world = World::new();
    let (good, revoked, unknown) = (known(&world).await, known(&world).await, NewAppKey::draw(world.rng.as_ref()));
    world.app_keys.revoke(&World::owner(), &revoked.id, World::NOW).await.unwrap();
    let stores = Counted::of(&world);
    let by_proof = stores.ladder(&world, json!({ "app_key": {} }));
    let wrong_proof = "A".repeat(86);
    for id in [good.id.as_str(), revoked.id.as_str(), unknown.id.as_str(), "no id"] {
        for proof in [wrong_proof.as_str(), "", "A"] {
            let mut peer = world.knock(&by_proof, World::handshake()).await.unwrap();
            peer.hear().await;
            peer.say(Answer::new().with_text("key", id));
            peer.hear().await;
            peer.say(Answer::new().with_text("proof", proof));
            peer.play("< refused not_authenticated").await;
            assert_eq!(stores.take(), ["find"], "{id} {proof}");
        }
    }
    let whole = stores.ladder(&world, json!({ "app_key": { "plain": true } }));
    for key in [text(&revoked.text), text(&unknown.text), "dwk_00".to_owned()] {
        let mut peer = world.knock(&whole, World::handshake()).await.unwrap();
        peer.hear().await;
        peer.say(Answer::new().with_text("key", key.as_str()));
        peer.play("< refused not_authenticated").await;
        assert_eq!(stores.take(), ["find"], "{key}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_used_ticket_is_looked_for_as_often_as_an_unknown_one() {
    let world = World::new();
    let stores = Counted::of(&world);
    let ladder = stores.ladder(&world, json!({ "ticket": { "via": ["header"] } }));
    let page = "https://app.example";
    let shown = |text: &Secret, origin: Option<&str>| Handshake {
        ticket: Some(PresentedTicket { via: TicketVia::Header, text: text.clone() }),
        origin: origin.map(|origin| origin.as_bytes().to_vec()),
        ..World::handshake()
    };
    for (from, lookups) in [(None, 1), (Some(page), 2)] {
        for bound in [None, Some(page)] {
            let used = NewTicket::draw(world.rng.as_ref(), bound);
            let unknown = NewTicket::draw(world.rng.as_ref(), bound).text;
            let ticket = Ticket {
                owner: World::owner(),
                binding: TicketBinding::Gate(World::gate()),
                origin: bound.map(str::to_owned),
                subject: World::member("7"),
                rests_on: vec![],
                issued_at: World::NOW,
                expires_at: later(30),
            };
            world.tickets.mint(used.hash, ticket).await.unwrap();
            assert!(world.knock(&ladder, shown(&used.text, bound)).await.is_ok());
            stores.take();
            for text in [&used.text, &unknown] {
                assert!(world.knock(&ladder, shown(text, from)).await.is_err());
                assert_eq!(stores.take(), vec!["consume"; lookups], "bound to {bound:?}, shown from {from:?}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn c99_a_wrong_offer_costs_the_same_whichever_part_order_or_form_is_wrong() {
    let world = World::new();
    let good = text(&known(&world).await.text);
    let stores = Counted::of(&world);
    let ladder = stores.ladder(&world, json!({ "offer": { "of": [{ "jwt": {} }, { "app_key": { "plain": true } }] } }));
    let jwt = |text: String| Answer::to_layer("jwt").with_text("token", text);
    let app_key = |text: &str| Answer::to_layer("app_key").with_text("key", text);
    let token = || token(&key());
    let rows = [
        ("the first wrong", [jwt(token() + "A"), app_key(&good)]),
        ("the second wrong", [jwt(token()), app_key("dwk_00")]),
        ("the second of another form", [jwt(token()), app_key("a word")]),
        ("an id without its proof", [jwt(token()), app_key(&"0".repeat(32))]),
        ("the other order", [app_key(&good), jwt(token())]),
        ("the first twice", [jwt(token()), jwt(token())]),
        ("the second twice", [app_key(&good), app_key(&good)]),
        ("empty answers", [Answer::new(), Answer::new()]),
        ("a field more", [jwt(token()), app_key(&good).with_text("more", "x")]),
        ("named for another layer", [jwt(token()), Answer::to_layer("jwt").with_text("key", good.as_str())]),
    ];
    for (what, answers) in rows {
        let mut peer = world.knock(&ladder, World::handshake()).await.unwrap();
        for answer in answers {
            assert!(peer.hears_nothing().await);
            peer.say(answer);
        }
        peer.play("< refused not_authenticated").await;
        assert_eq!(stores.take(), ["find"], "{what}");
    }
}
