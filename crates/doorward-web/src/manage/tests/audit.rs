use std::{net::IpAddr, time::Duration};

use doorward_auth::{
    ports::{Audit, AuditRecord, Outcome, Role},
    trail,
};
use doorward_types::{CloseReason, GateName, OwnerId, SocketId, Subject, TraceId};

use serde_json::json;

use super::{World, world::NOW};

fn record(owner: &str, number: u8, outcome: Outcome) -> AuditRecord {
    AuditRecord {
        trace: TraceId::from_bytes([number; 16]),
        at: NOW.plus(Duration::from_secs(number.into())),
        took_ms: 17,
        owner: Some(OwnerId::new(owner)),
        gate: Some(GateName::new("chat")),
        source: Some(IpAddr::from([192, 0, 2, 7])),
        subject: Some(Subject { kind: "member".into(), pk: number.to_string(), uuid: "bob".into() }),
        outcome,
        trail: vec![trail::RungTrail {
            rung: "jwt".into(),
            outcome: trail::Outcome::Miss,
            steps: vec![trail::Step {
                layer: "jwt".into(),
                step: "require signature".into(),
                verb: trail::Verb::Require,
                outcome: trail::Outcome::Miss,
                after_ms: 3,
                detail: Some("it is wrong".into()),
            }],
        }],
    }
}

#[tokio::test]
async fn decisions_are_found_by_what_they_came_to_and_by_their_trace() {
    let world = World::new();
    let key = world.master(Some("acme")).await;
    let refused = Outcome::Refused {
        reason: CloseReason::NotAuthenticated,
        layer: "jwt".into(),
        step: "require signature".into(),
        detail: "it is wrong".into(),
    };
    let admitted = || Outcome::Admitted(SocketId::from_bytes([9; 16]));
    for row in [
        record("acme", 1, admitted()),
        record("acme", 2, refused),
        record("acme", 3, Outcome::HungUp),
        record("globex", 4, admitted()),
    ] {
        world.audit.record(row).unwrap();
    }
    let trace = |number: u8| format!("{number:02x}").repeat(16);
    for (query, found) in [
        ("", vec![3, 2, 1]),
        ("?outcome=refused", vec![2]),
        ("?layer=jwt", vec![2]),
        ("?subject=member:1", vec![1]),
        ("?outcome=admitted&gate=chat", vec![1]),
        ("?gate=other", vec![]),
    ] {
        let answer = world.get(&key, &format!("/audit{query}")).await;
        assert_eq!(answer.ids("trace"), found.into_iter().map(trace).collect::<Vec<_>>(), "{query}");
    }
    let since = NOW.plus(Duration::from_secs(3));
    assert_eq!(world.get(&key, &format!("/audit?since={since}")).await.ids("trace"), [trace(3)]);
    let first = world.get(&key, "/audit?limit=2").await;
    let rest = world.get(&key, &format!("/audit?after={}", first.json["next"].as_str().unwrap())).await;
    assert_eq!(rest.ids("trace"), [trace(1)]);

    let shown = world.get(&key, &format!("/audit/{}", trace(2))).await.json;
    assert_eq!(shown["outcome"]["detail"], "it is wrong");
    assert_eq!(shown["ladder"][0]["steps"][0]["step"], "require signature");
    let (theirs, nobodys) = (
        world.get(&key, &format!("/audit/{}", trace(4))).await,
        world.get(&key, &format!("/audit/{}", trace(5))).await,
    );
    assert_eq!((theirs.status.as_u16(), theirs.text), (404, nobodys.text));
}

#[tokio::test]
async fn what_a_key_does_is_found_by_account_and_by_event_and_what_is_everybodys_by_the_operator_alone() {
    let world = World::new();
    let (key, operator) = (world.master(Some("acme")).await, world.master(None).await);
    let bob = world.account("acme", "bob", Role::User).await;
    for act in ["disable", "enable", "end"] {
        world.post(&key, &format!("/accounts/{}/{act}", bob.id), json!({})).await;
    }
    world.post(&operator, "/not-before", json!({})).await;
    let events = async |key: &str, query: &str| {
        let found = world.get(key, &format!("/audit?{query}")).await;
        let items = found.json["items"].as_array().unwrap().clone();
        items.iter().map(|row| row["outcome"]["event"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let of_bob = format!("subject={}", bob.subject());
    assert_eq!(events(&key, &of_bob).await, ["sessions_ended", "account_enabled", "account_disabled"]);
    assert_eq!(events(&key, "event=account_enabled").await, ["account_enabled"]);
    assert_eq!(events(&operator, "event=not_before").await, ["not_before"]);
    assert!(events(&key, "event=not_before").await.is_empty());
    let row = world.get(&operator, "/audit?event=not_before").await.json["items"][0].clone();
    let by = row["outcome"]["by"].as_str().unwrap();
    assert!(by.starts_with("API key ") && !operator.contains(&by[8..]), "{by}");
    assert!(row["owner"].is_null() && row["gate"].is_null() && row["source"].is_null());
    let trace = row["trace"].as_str().unwrap();
    assert_eq!(world.get(&operator, &format!("/audit/{trace}")).await.status, 200);
    assert_eq!(world.get(&key, &format!("/audit/{trace}")).await.status, 404, "what is everybody's is not an owner's");
}

#[tokio::test]
async fn who_ends_a_login_by_its_id_finds_in_the_audit_log_whose_it_was_on_either_road() {
    let world = World::new();
    let (own, all) = (world.master(Some("acme")).await, world.master(None).await);
    let bob = world.account("acme", "bob", Role::User).await;
    for (number, key) in [(1, &own), (2, &all)] {
        let sid = world.login(&bob, number).await.sid;
        assert_eq!(world.post(key, "/end", json!({ "sid": sid.to_string() })).await.status, 200);
        let found = world.get(&own, &format!("/audit?event=rest_ended&subject={}", bob.subject())).await.json;
        let row = &found["items"][0];
        assert_eq!((&row["owner"], &row["subject"]), (&json!("acme"), &json!(bob.subject().to_string())), "{found}");
        assert_eq!(row["outcome"]["detail"], format!("what rests on sid={sid}"));
    }
    let elsewhere = world.post(&own, "/end", json!({ "sid": "of another site" })).await;
    assert_eq!(elsewhere.status, 200);
    let newest = world.get(&own, "/audit?event=rest_ended&limit=1").await.json["items"][0].clone();
    assert!(newest["subject"].is_null(), "{newest}");
}
