use doorward_auth::{
    Scope,
    ports::{Change, Role, What, Why},
};
use doorward_types::{KeyId, OwnerId, Rest};
use serde_json::json;

use super::{World, world::NOW};

#[tokio::test]
async fn an_ending_stands_in_the_log_before_the_receipt_is_given() {
    let world = World::new();
    let key = world.master(Some("acme")).await;
    world.node.admit("acme", 2, "member:7");
    world.node.admit("acme", 4, "member:8");
    world.node.admit("globex", 6, "member:7");
    world.node.silent.lock().unwrap().push("far away".into());
    let receipt = world.post(&key, "/end", json!({ "subject": "member:7" })).await.json;
    assert_eq!((&receipt["ended"], &receipt["nodes_not_answering"]), (&1.into(), &json!(["far away"])));
    let log = world.ports.revocations.read_after(doorward_types::Cursor(0), 9).await.unwrap().entries;
    let [entry] = log.as_slice() else { panic!("{log:?}") };
    assert_eq!(entry.what, What::Rest(Rest::on("subject", "member:7")));
    assert_eq!((entry.owner.as_ref(), entry.why), (Some(&OwnerId::new("acme")), Why::Revoked));
    assert_eq!(world.node.live.lock().unwrap().len(), 2, "neither another's nor another owner's");
    let again = world.post(&key, "/end", json!({ "subject": "member:7" })).await;
    assert_eq!((again.status.as_u16(), &again.json["ended"]), (200, &0.into()), "an empty receipt");
}

#[tokio::test]
async fn exactly_one_thing_is_ended_at_a_time() {
    let world = World::new();
    let key = world.master(Some("acme")).await;
    for body in [json!({}), json!({ "sid": "1", "jti": "2" }), json!({ "owner": "acme" })] {
        assert_eq!(world.post(&key, "/end", body.clone()).await.problem(), ("bad-input", vec!["subject"]), "{body}");
    }
    assert!(world.node.landed.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_gate_goes_on_when_those_at_it_are_ended_and_a_key_does_not() {
    let world = World::new();
    let key = world.master(None).await;
    world.node.admit("acme", 2, "member:7");
    world.node.admit("globex", 4, "member:7");
    let receipt = world.post(&key, "/end", json!({ "gate": "chat", "owner": "acme" })).await.json;
    assert_eq!(receipt["ended"], 1);
    let newest = *world.ports.revocations.appended().borrow();
    assert_eq!(newest, doorward_types::Cursor(0), "what stands in the log has ended for ever");

    assert_eq!(world.post(&key, "/end", json!({ "key": "k" })).await.problem(), ("bad-input", vec!["owner"]));
    world.post(&key, "/end", json!({ "key": "k", "owner": "acme" })).await;
    let landed = world.node.landed.lock().unwrap();
    assert_eq!(landed[0].change, Some(Change::RevokeAppKey(KeyId::new("k"))));
}

#[tokio::test]
async fn what_was_issued_before_a_time_is_ended_for_those_whom_the_key_sees() {
    let world = World::new();
    let (own, all) = (world.master(Some("acme")).await, world.master(None).await);
    let at = NOW.to_string();
    world.post(&own, "/not-before", json!({ "at": at })).await;
    world.post(&all, "/not-before", json!({ "subject": "member:7" })).await;
    let later = NOW.plus(std::time::Duration::from_secs(1)).to_string();
    let answer = world.post(&all, "/not-before", json!({ "at": later })).await;
    assert_eq!(answer.problem(), ("bad-input", vec!["at"]), "nobody is kept out until a time to come");
    let landed = world.node.landed.lock().unwrap();
    assert_eq!(landed.len(), 2);
    assert_eq!(landed[0].owner, Some(OwnerId::new("acme")), "a key of an owner's says nothing of others");
    assert_eq!(landed[0].what, What::NotBefore { subject: None, at: NOW });
    assert!(matches!(&landed[1].what, What::NotBefore { subject: Some(of), at } if of.pk == "7" && *at == NOW));
    assert_eq!(landed[1].owner, None);
}

#[tokio::test]
async fn a_key_of_an_owner_s_ends_nothing_of_another_by_naming_it() {
    let world = World::new();
    let key = world.master(Some("globex")).await;
    world.node.admit("acme", 2, "member:7");
    for (path, body) in [
        ("/end", json!({ "subject": "member:7", "owner": "acme" })),
        ("/end", json!({ "gate": "chat", "owner": "acme" })),
        ("/not-before", json!({ "owner": "acme" })),
    ] {
        assert_eq!(world.post(&key, path, body).await.problem().0, "not-found", "{path}");
    }
    assert_eq!(world.post(&key, "/end", json!({ "gate": "chat" })).await.json["ended"], 0);
    assert_eq!(world.node.live.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_named_says_which_scope_it_takes_to_end_it() {
    let world = World::new();
    let named = [
        (json!({ "subject": "member:7" }), Scope::SessionsEnd),
        (json!({ "sid": "1" }), Scope::SessionsEnd),
        (json!({ "jti": "1" }), Scope::SessionsEnd),
        (json!({ "key": "k" }), Scope::KeysWrite),
        (json!({ "ticket": "t" }), Scope::TicketsWrite),
        (json!({ "issuer": "site" }), Scope::SocketsEnd),
        (json!({ "gate": "chat" }), Scope::SocketsEnd),
    ];
    for (body, scope) in named {
        let others: Vec<_> = Scope::ALL.iter().copied().filter(|other| *other != scope).collect();
        let others = world.key(Some("acme"), &others).await;
        let refused = world.post(&others, "/end", body.clone()).await;
        assert_eq!(refused.problem().0, "not-allowed", "{body}");
        assert!(refused.json["detail"].as_str().unwrap().contains(scope.as_str()), "{body}: {}", refused.text);
        let key = world.key(Some("acme"), &[scope]).await;
        assert_eq!(world.post(&key, "/end", body.clone()).await.status, 200, "{body}");
    }
}

#[tokio::test]
async fn a_key_of_an_owner_s_ends_no_login_of_an_operator_s_on_any_road() {
    let world = World::new();
    let (own, all) = (world.master(Some("acme")).await, world.master(None).await);
    let root = world.account("acme", "root", Role::Operator).await;
    let session = world.login(&root, 1).await;
    let (subject, sid) = (root.subject().to_string(), session.sid.to_string());
    let roads = [
        ("/end", json!({ "subject": subject })),
        ("/end", json!({ "sid": sid })),
        ("/not-before", json!({ "subject": subject })),
    ];
    for (path, body) in &roads {
        assert_eq!(world.post(&own, path, body.clone()).await.problem().0, "not-allowed", "{path} {body}");
    }
    assert_eq!(world.delete(&own, &format!("/sessions/{sid}")).await.problem().0, "not-allowed");
    assert!(world.node.landed.lock().unwrap().is_empty());
    assert_eq!(world.get(&own, "/sessions").await.ids("sid"), [sid.as_str()], "it holds still");

    assert_eq!(world.delete(&all, &format!("/sessions/{sid}")).await.status, 200);
    for (path, body) in roads {
        assert_eq!(world.post(&all, path, body.clone()).await.status, 200, "{path} {body}");
    }
    let elsewhere = world.master(Some("globex")).await;
    let theirs = world.post(&elsewhere, "/end", json!({ "subject": subject })).await;
    assert_eq!(theirs.status, 200, "that number is nobody of theirs, and they learn of nobody else");
}
