use std::{net::IpAddr, time::Duration};

use doorward_auth::{
    ports::{Audit, AuditRecord, Outcome},
    trail,
};
use doorward_types::{CloseReason, GateName, OwnerId, SocketId, Subject, TraceId};

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
