use doorward_auth::Scope;
use serde_json::{Value, json};

use super::World;

fn event() -> Value {
    json!({ "gate": "chat", "namespace": "/", "event": "projectChanged" })
}

fn with(field: &str, value: Value) -> Value {
    let mut event = event();
    event[field] = value;
    event
}

#[tokio::test]
async fn an_event_goes_out_once_with_what_it_carries_and_nothing_is_written_down() {
    let world = World::new();
    let key = world.key(Some("acme"), &[Scope::EventsEmit]).await;
    world.node.admit("acme", 2, "member:7");
    world.node.admit("globex", 4, "member:7");
    for (body, carried) in [
        (event(), json!([])),
        (with("data", json!({ "id": 7 })), json!([{ "id": 7 }])),
        (with("data", json!([1, 2])), json!([[1, 2]])),
        (with("data", Value::Null), json!([null])),
        (with("args", json!([1, null, "x"])), json!([1, null, "x"])),
        (with("room", json!("red")), json!([])),
    ] {
        let answer = world.post(&key, "/emit", body.clone()).await;
        assert_eq!((answer.status.as_u16(), &answer.json), (200, &json!({ "sockets": 1 })), "{body}");
        let emitted = world.node.emitted.lock().unwrap().pop().unwrap();
        assert_eq!((emitted.owner.as_str(), emitted.gate.as_str()), ("acme", "chat"));
        assert_eq!((&*emitted.namespace, &*emitted.event), ("/", "projectChanged"));
        assert_eq!(json!(emitted.arguments), carried, "{body}");
        assert_eq!(json!(emitted.room), body["room"], "{body}");
    }
    let reader = world.master(None).await;
    assert_eq!(world.get(&reader, "/audit").await.json["items"], json!([]), "a message is no decision");
}

#[tokio::test]
async fn what_cannot_be_emitted_is_refused_by_the_field_that_is_wrong() {
    let world = World::new();
    let key = world.key(Some("acme"), &[Scope::EventsEmit]).await;
    let without = |field: &str| {
        let mut event = event();
        event.as_object_mut().unwrap().remove(field);
        event
    };
    let both = |mut event: Value| {
        event["args"] = json!([]);
        event
    };
    for (body, field) in [
        (without("gate"), "gate"),
        (without("namespace"), "namespace"),
        (without("event"), "event"),
        (with("gate", json!("news")), "gate"),
        (with("namespace", json!("/default")), "namespace"),
        (with("event", json!("connect")), "event"),
        (with("event", json!("")), "event"),
        (with("room", json!(7)), "room"),
        (with("data", json!("bad")), "data"),
        (with("args", json!(["bad"])), "args"),
        (with("args", json!({})), "args"),
        (with("args", Value::Null), "args"),
        (both(with("data", Value::Null)), "args"),
        (with("message", json!(1)), "message"),
    ] {
        let answer = world.post(&key, "/emit", body.clone()).await;
        assert_eq!((answer.status.as_u16(), answer.problem()), (400, ("bad-input", vec![field])), "{body}");
    }
    let large = with("data", json!("x".repeat(70_000)));
    assert_eq!(world.post(&key, "/emit", large).await.problem().0, "too-big");
}

#[tokio::test]
async fn an_event_is_emitted_by_a_key_that_may_at_gates_of_its_own_owner() {
    let world = World::new();
    let others: Vec<_> = Scope::ALL.iter().copied().filter(|scope| *scope != Scope::EventsEmit).collect();
    let (key, other) = (world.key(Some("acme"), &[Scope::EventsEmit]).await, world.key(Some("acme"), &others).await);
    assert_eq!(world.post(&other, "/emit", event()).await.problem(), ("not-allowed", vec![]));
    assert_eq!(world.post(&key, "/emit", with("owner", json!("globex"))).await.problem(), ("not-found", vec![]));
    assert_eq!(world.post(&key, "/emit", with("owner", json!("nobody"))).await.problem(), ("not-found", vec![]));
    let all = world.key(None, &[Scope::EventsEmit]).await;
    assert_eq!(world.post(&all, "/emit", event()).await.problem(), ("bad-input", vec!["owner"]), "there are two");
    assert!(world.node.emitted.lock().unwrap().is_empty());
    assert_eq!(world.post(&all, "/emit", with("owner", json!("globex"))).await.status, 200);
    assert_eq!(world.node.emitted.lock().unwrap()[0].owner.as_str(), "globex");
}
