use std::time::Duration;

use doorward_auth::{
    Scope,
    ports::{Change, Tickets},
};
use doorward_types::OwnerId;
use serde_json::json;

use super::{World, world::NOW};

#[tokio::test]
async fn a_ticket_opens_the_gate_that_it_was_made_for_once() {
    let world = World::new();
    let key = world.master(Some("acme")).await;
    let body = json!({ "gate": "chat", "subject": "member:7", "name": "bob", "lasts": 60 });
    let made = world.post(&key, "/tickets", body).await;
    assert_eq!(made.status, 201);
    let hash = crate::cookies::hash(made.json["ticket"].as_str().unwrap().as_bytes());
    let ticket = world.tickets.consume(&OwnerId::new("acme"), hash, NOW).await.unwrap().unwrap();
    assert_eq!((ticket.subject.uuid.as_str(), ticket.expires_at), ("bob", NOW.plus(Duration::from_secs(60))));
    for (body, field) in [
        (json!({ "gate": "other", "subject": "member:7" }), "gate"),
        (json!({ "gate": "chat" }), "subject"),
        (json!({ "gate": "chat", "subject": "member:7", "lasts": 3601 }), "lasts"),
        (json!({ "gate": "chat", "subject": "member:7", "name": "a\nb" }), "name"),
        (json!({ "gate": "chat", "subject": format!("member:{}", "7".repeat(256)) }), "subject"),
    ] {
        assert_eq!(world.post(&key, "/tickets", body).await.problem(), ("bad-input", vec![field]));
    }
}

#[tokio::test]
async fn an_app_key_is_shown_once_listed_and_revoked_with_its_sockets() {
    let world = World::new();
    let (key, other) = (world.master(Some("acme")).await, world.master(Some("globex")).await);
    let made = world.post(&key, "/keys", json!({ "subject": "terminal:7" })).await;
    assert_eq!(made.status, 201);
    let (id, secret) = (made.json["id"].as_str().unwrap(), made.json["secret"].as_str().unwrap());
    let second = world.post(&key, "/keys", json!({ "subject": "terminal:8" })).await;
    let page = world.get(&key, "/keys?limit=1").await;
    assert_eq!(page.ids("id"), [id]);
    assert!(!page.text.contains(secret));
    let rest = world.get(&key, &format!("/keys?after={id}")).await;
    assert_eq!(rest.ids("id"), [second.json["id"].as_str().unwrap()]);
    let path = format!("/keys/{id}");
    assert_eq!(world.delete(&other, &path).await.problem().0, "not-found");
    for _ in 0..2 {
        assert_eq!(world.delete(&key, &path).await.status, 200, "and it is revoked still");
    }
    assert!(matches!(world.node.landed.lock().unwrap()[0].change, Some(Change::RevokeAppKey(_))));
    assert!(world.get(&key, "/keys").await.json["items"][0]["revoked_at"].is_string());
}

#[tokio::test]
async fn a_key_gives_no_scope_that_it_does_not_have_and_no_owner_but_its_own() {
    let world = World::new();
    let key = world.key(Some("acme"), &[Scope::ApiKeysWrite, Scope::SocketsRead]).await;
    let more = json!({ "name": "more", "scopes": ["sockets:read", "sockets:end"] });
    assert_eq!(world.post(&key, "/api-keys", more).await.problem().0, "not-allowed");
    let theirs = json!({ "name": "theirs", "scopes": ["sockets:read"], "owner": "globex" });
    assert_eq!(world.post(&key, "/api-keys", theirs).await.problem().0, "not-found");
    let made = world.post(&key, "/api-keys", json!({ "name": "less", "scopes": ["sockets:read"] })).await;
    assert_eq!((made.status.as_u16(), &made.json["owner"]), (201, &"acme".into()));
    let all = world.master(None).await;
    let made = world.post(&all, "/api-keys", json!({ "name": "for all", "scopes": ["audit:read"] })).await;
    assert!(made.json["owner"].is_null());
}

#[tokio::test]
async fn keys_to_the_api_are_listed_without_their_secrets_and_revoked_by_their_owner_alone() {
    let world = World::new();
    let (key, other) = (world.master(Some("acme")).await, world.master(Some("globex")).await);
    let made = world.post(&key, "/api-keys", json!({ "name": "ci", "scopes": ["sockets:read"] })).await.json;
    let (id, secret) = (made["id"].as_str().unwrap(), made["secret"].as_str().unwrap());
    let listed = world.get(&key, "/api-keys").await;
    assert!(listed.ids("id").contains(&id) && !listed.text.contains(secret));
    assert!(!world.get(&other, "/api-keys").await.ids("id").contains(&id));
    assert_eq!(world.delete(&other, &format!("/api-keys/{id}")).await.problem().0, "not-found");
    assert_eq!(world.get(secret, "/sockets").await.status, 200, "it holds still");
    for (body, field) in [
        (json!({ "name": "ci", "scopes": [] }), "scopes"),
        (json!({ "name": "ci", "scopes": ["sockets:*"] }), "scopes"),
        (json!({ "name": "ci", "scopes": "sockets:read" }), "scopes"),
        (json!({ "scopes": ["sockets:read"] }), "name"),
        (json!({ "name": "x".repeat(201), "scopes": ["sockets:read"] }), "name"),
        (json!({ "name": "ci", "scopes": ["sockets:read"], "expires_at": NOW.to_string() }), "expires_at"),
    ] {
        assert_eq!(world.post(&key, "/api-keys", body).await.problem(), ("bad-input", vec![field]));
    }
}
