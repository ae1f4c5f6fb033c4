use std::time::Duration;

use doorward_auth::{Scope, ports::Role};
use serde_json::{Value, json};

use super::{World, world::NOW};

const PASSWORD: &str = "four words, none related";

#[tokio::test]
async fn an_account_is_made_once_and_its_password_is_never_shown() {
    let world = World::new();
    let key = world.master(Some("acme")).await;
    let body = json!({ "username": "Bob", "password": PASSWORD, "role": "owner" });
    let made = world.post(&key, "/accounts", body.clone()).await;
    assert_eq!((made.status.as_u16(), &made.json["username"]), (201, &"Bob".into()));
    assert!(!made.text.contains("argon2") && !made.text.contains(PASSWORD));
    assert_eq!(world.post(&key, "/accounts", body).await.problem().0, "taken");
    let folded = json!({ "username": "BOB", "password": PASSWORD });
    assert_eq!(world.post(&key, "/accounts", folded).await.problem().0, "taken");
    let shown = world.get(&key, &format!("/accounts/{}", made.json["id"].as_str().unwrap())).await;
    assert_eq!(shown.json, made.json);
}

#[tokio::test]
async fn a_disabled_account_has_no_logins_and_may_come_again_when_it_is_enabled() {
    let world = World::new();
    let key = world.master(Some("acme")).await;
    let bob = world.account("acme", "bob", Role::User).await;
    world.login(&bob, 1).await;
    world.node.admit("acme", 2, &bob.subject().to_string());
    let path = format!("/accounts/{}", bob.id);
    let receipt = world.post(&key, &format!("{path}/disable"), json!({})).await.json;
    assert_eq!(receipt["ended"], 1);
    assert!(world.get(&key, "/sessions").await.ids("sid").is_empty());
    assert!(world.get(&key, &path).await.json["disabled_at"].is_string());
    assert_eq!(world.post(&key, &format!("{path}/disable"), json!({})).await.status, 200, "it is disabled still");
    for _ in 0..2 {
        let enabled = world.post(&key, &format!("{path}/enable"), json!({})).await;
        assert!(enabled.status == 200 && enabled.json["disabled_at"].is_null());
    }
}

#[tokio::test]
async fn a_password_must_not_be_made_of_what_the_site_of_its_owner_is_called() {
    let world = World::new();
    let made_of = json!({ "username": "bob", "password": "globex, plum, globex" });
    let key = world.master(Some("globex")).await;
    assert_eq!(world.post(&key, "/accounts", made_of.clone()).await.problem(), ("bad-input", vec!["password"]));
    let key = world.master(Some("acme")).await;
    assert_eq!(world.post(&key, "/accounts", made_of).await.status, 201);
}

#[tokio::test]
async fn all_logins_of_an_account_are_ended_at_once_and_those_before_a_time() {
    let world = World::new();
    let key = world.master(Some("acme")).await;
    let bob = world.account("acme", "bob", Role::User).await;
    for number in [1, 2] {
        world.login(&bob, number).await;
    }
    world.post(&key, &format!("/accounts/{}/end", bob.id), json!({})).await;
    assert!(world.get(&key, "/sessions").await.ids("sid").is_empty());
    world.clock.advance(std::time::Duration::from_secs(60));
    world.login(&bob, 3).await;
    world.post(&key, &format!("/accounts/{}/not-before", bob.id), json!({})).await;
    assert!(world.get(&key, "/sessions").await.ids("sid").is_empty());
}

#[tokio::test]
async fn accounts_of_another_owner_are_not_there() {
    let world = World::new();
    let key = world.master(Some("globex")).await;
    let bob = world.account("acme", "bob", Role::User).await;
    let own = world.account("globex", "bob", Role::User).await;
    let path = format!("/accounts/{}", bob.id);
    assert_eq!(world.get(&key, &path).await.problem().0, "not-found");
    for act in ["disable", "enable", "end", "not-before"] {
        assert_eq!(world.post(&key, &format!("{path}/{act}"), json!({})).await.problem().0, "not-found", "{act}");
    }
    assert_eq!(world.get(&key, "/accounts").await.ids("id"), [own.id.to_string()]);
    let body = json!({ "owner": "acme", "username": "eve", "password": PASSWORD });
    assert_eq!(world.post(&key, "/accounts", body).await.problem().0, "not-found");
    let all = world.master(None).await;
    let first = world.get(&all, "/accounts?limit=1").await;
    let second = world.get(&all, &format!("/accounts?after={}", first.json["next"].as_str().unwrap())).await;
    assert_eq!([first.ids("id"), second.ids("id")].concat(), [bob.id.to_string(), own.id.to_string()]);
}

#[tokio::test]
async fn a_key_of_an_owner_s_makes_no_operator_changes_none_and_lets_nobody_in_as_one() {
    let world = World::new();
    let (own, all) = (world.master(Some("acme")).await, world.master(None).await);
    let body = json!({ "owner": "acme", "username": "root", "password": PASSWORD, "role": "operator" });
    assert_eq!(world.post(&own, "/accounts", body.clone()).await.problem().0, "not-allowed");
    assert_eq!(world.post(&own, "/invitations", json!({ "role": "operator" })).await.problem().0, "not-allowed");
    let made = world.post(&all, "/accounts", body).await;
    let subject = made.json["subject"].as_str().unwrap();
    for (path, body) in [
        ("/tickets", json!({ "owner": "acme", "gate": "chat", "subject": subject })),
        ("/keys", json!({ "owner": "acme", "subject": subject })),
    ] {
        assert_eq!(world.post(&own, path, body.clone()).await.problem().0, "not-allowed", "{path}");
        assert_eq!(world.post(&all, path, body).await.status, 201, "{path}");
    }
    let path = format!("/accounts/{}", made.json["id"].as_str().unwrap());
    for act in ["disable", "enable", "end", "not-before"] {
        assert_eq!(world.post(&own, &format!("{path}/{act}"), json!({})).await.problem().0, "not-allowed", "{act}");
        assert_eq!(world.post(&all, &format!("{path}/{act}"), json!({})).await.status, 200, "{act}");
    }
}

#[tokio::test]
async fn who_lacks_a_scope_makes_enables_and_takes_over_nobody_who_has_them_all() {
    let world = World::new();
    for (number, missing) in Scope::ALL.iter().enumerate().filter(|(_, scope)| **scope != Scope::AccountsWrite) {
        let scopes: Vec<_> = Scope::ALL.iter().copied().filter(|scope| scope != missing).collect();
        for (role, owner) in [("owner", Some("acme")), ("owner", None), ("operator", None)] {
            let key = world.key(owner, &scopes).await;
            let body =
                json!({ "owner": "acme", "username": format!("eve{number}"), "password": PASSWORD, "role": role });
            let refused = world.post(&key, "/accounts", body).await;
            assert_eq!(refused.problem().0, "not-allowed", "{role} without {}", missing.as_str());
            assert!(refused.json["detail"].as_str().unwrap().contains(missing.as_str()), "{}", refused.text);
            let body = json!({ "owner": "acme", "role": role });
            assert_eq!(world.post(&key, "/invitations", body).await.problem().0, "not-allowed");
        }
    }
    let key = world.key(Some("acme"), &[Scope::AccountsWrite]).await;
    let body = json!({ "username": "bob", "password": PASSWORD });
    assert_eq!(world.post(&key, "/accounts", body).await.status, 201, "a user has none of them");
    assert_eq!(world.post(&key, "/invitations", json!({})).await.status, 201);
    let boss = world.account("acme", "boss", Role::Owner).await;
    let act = async |act: &str| world.post(&key, &format!("/accounts/{}/{act}", boss.id), json!({})).await;
    assert_eq!(act("disable").await.status, 200, "to take is not to give");
    assert_eq!(act("enable").await.problem().0, "not-allowed");
    assert_eq!(act("reset").await.problem().0, "not-allowed");
    let path = format!("/accounts/{}/password", boss.id);
    assert_eq!(world.post(&key, &path, json!({ "password": PASSWORD })).await.problem().0, "not-allowed");
    assert_eq!(world.account_of(&boss).await.password, boss.password);
}

#[tokio::test]
async fn an_invitation_is_shown_once_with_its_link_and_kept_as_a_hash() {
    let world = World::new();
    let key = world.master(Some("acme")).await;
    let made = world.post(&key, "/invitations", json!({ "role": "owner", "lasts": 60 })).await;
    assert_eq!((made.status.as_u16(), &made.json["role"]), (201, &"owner".into()));
    let text = made.json["invitation"].as_str().unwrap();
    let hash = crate::cookies::hash(text.as_bytes());
    let owner = doorward_types::OwnerId::new("acme");
    let kept = world.ports.accounts.invitation(&owner, hash, super::world::NOW).await.unwrap().unwrap();
    assert_eq!(kept.expires_at.to_string(), made.json["expires_at"]);
    assert_eq!(made.json["url"], format!("https://shop.example/register#{text}"));
    let usual = world.post(&key, "/invitations", json!({})).await;
    assert_eq!(usual.json["expires_at"], NOW.plus(Duration::from_hours(3 * 24)).to_string());
    let other = world.master(Some("globex")).await;
    let made = world.post(&other, "/invitations", json!({})).await;
    assert_eq!((made.status.as_u16(), &made.json["url"]), (201, &Value::Null), "nobody knows where its site is");
    let answer = world.post(&key, "/invitations", json!({ "lasts": 0 })).await;
    assert_eq!(answer.problem(), ("bad-input", vec!["lasts"]));
}

#[tokio::test]
async fn another_password_ends_all_logins_and_has_to_keep_the_rules() {
    let world = World::new();
    let key = world.master(Some("acme")).await;
    let bob = world.account("acme", "bob", Role::User).await;
    world.login(&bob, 1).await;
    let path = format!("/accounts/{}/password", bob.id);
    let weak = world.post(&key, &path, json!({ "password": "short" })).await;
    assert_eq!(weak.problem(), ("bad-input", vec!["password"]));
    assert_eq!(world.get(&key, "/sessions").await.ids("sid").len(), 1);
    assert_eq!(world.post(&key, &path, json!({ "password": PASSWORD })).await.status, 200);
    assert!(world.get(&key, "/sessions").await.ids("sid").is_empty());
    let now = world.ports.accounts.find(&bob.owner, bob.id).await.unwrap().unwrap();
    assert_ne!(now.password, bob.password);
}

#[tokio::test]
async fn a_link_to_set_a_password_is_shown_once_and_voids_the_old_one_and_is_for_the_own_accounts_alone() {
    let world = World::new();
    let (key, other) = (world.master(Some("acme")).await, world.master(Some("globex")).await);
    let bob = world.account("acme", "bob", Role::User).await;
    let ada = world.account("acme", "ada", Role::Operator).await;
    world.login(&bob, 1).await;
    let path = format!("/accounts/{}/reset", bob.id);
    assert_eq!(world.post(&other, &path, json!({})).await.status, 404);
    assert_eq!(world.post(&key, &format!("/accounts/{}/reset", ada.id), json!({})).await.status, 403);
    let made = world.post(&key, &path, json!({})).await;
    assert_eq!(made.status, 201);
    assert!(world.get(&key, "/sessions").await.ids("sid").is_empty());
    let text = made.json["reset"].as_str().unwrap();
    assert_eq!(made.json["url"], format!("https://shop.example/reset#{text}"));
    let hash = doorward_auth::hash_of_invitation(text).unwrap();
    let reset = world.ports.accounts.take_reset(&bob.owner, hash, NOW).await.unwrap().unwrap();
    assert_eq!(reset.account, bob.id);
    let now = world.ports.accounts.find(&bob.owner, bob.id).await.unwrap().unwrap();
    assert_ne!(now.password, bob.password, "the old password still opens the account");
}
