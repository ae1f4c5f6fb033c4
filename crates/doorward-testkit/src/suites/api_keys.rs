use doorward_auth::ports::{ApiKey, ApiKeys};
use doorward_types::OwnerId;

use super::{
    acme, all, globex,
    site::{NOW, after, unique},
};

/// Everything that [`ApiKeys`] promises.
pub async fn api_keys(port: &dyn ApiKeys) {
    a_key_is_found_as_it_was_added(port).await;
    a_key_is_worth_nothing_after_its_time(port).await;
    a_key_is_revoked_once_by_its_owner_or_the_operator(port).await;
    of_fifty_revocations_at_once_exactly_one_revokes(port).await;
    keys_are_listed_oldest_first_to_their_owner(port).await;
}

fn key(owner: Option<OwnerId>, id: &str) -> ApiKey {
    ApiKey {
        owner,
        id: id.to_owned(),
        name: "the ☂ shop".to_owned(),
        scopes: vec!["sockets:read".to_owned(), "sessions:end".to_owned()],
        created_at: NOW,
        expires_at: None,
        revoked_at: None,
    }
}

async fn a_key_is_found_as_it_was_added(port: &dyn ApiKeys) {
    let of_owner = ApiKey { expires_at: Some(after(60)), ..key(Some(acme()), "of an owner") };
    let of_operator = ApiKey { scopes: vec![], ..key(None, "of the operator") };
    for added in [of_owner, of_operator] {
        let hash = unique();
        port.add(hash, added.clone()).await.unwrap();
        assert_eq!(port.find(hash, NOW).await, Ok(Some(added)));
    }
    assert_eq!(port.find(unique(), NOW).await, Ok(None));
}

async fn a_key_is_worth_nothing_after_its_time(port: &dyn ApiKeys) {
    let hash = unique();
    port.add(hash, ApiKey { expires_at: Some(after(60)), ..key(Some(acme()), "for a minute") }).await.unwrap();
    assert!(port.find(hash, after(59)).await.unwrap().is_some());
    assert_eq!(port.find(hash, after(60)).await, Ok(None));
}

async fn a_key_is_revoked_once_by_its_owner_or_the_operator(port: &dyn ApiKeys) {
    let [ours, operators] = [unique(), unique()];
    port.add(ours, key(Some(acme()), "ours")).await.unwrap();
    port.add(operators, key(None, "operators")).await.unwrap();
    assert_eq!(port.revoke(Some(&globex()), "ours", NOW).await, Ok(false), "another owner revoked a key");
    assert_eq!(port.revoke(Some(&acme()), "operators", NOW).await, Ok(false), "an owner revoked the operator's");
    assert_eq!(port.revoke(Some(&acme()), "unknown", NOW).await, Ok(false));
    assert!(port.find(ours, NOW).await.unwrap().is_some() && port.find(operators, NOW).await.unwrap().is_some());
    assert_eq!(port.revoke(Some(&acme()), "ours", after(5)).await, Ok(true));
    assert_eq!(port.revoke(None, "ours", after(6)).await, Ok(false), "it was revoked before");
    assert_eq!(port.revoke(None, "operators", NOW).await, Ok(true));
    assert_eq!(port.find(ours, NOW).await, Ok(None), "a revoked key opened");
    assert_eq!(port.find(operators, NOW).await, Ok(None));
    let listed = port.list(Some(&acme())).await.unwrap();
    let revoked = listed.iter().find(|key| key.id == "ours").map(|key| key.revoked_at);
    assert_eq!(revoked, Some(Some(after(5))), "the first time counts, and the key is still listed");
}

async fn of_fifty_revocations_at_once_exactly_one_revokes(port: &dyn ApiKeys) {
    port.add(unique(), key(Some(acme()), "revoked at once")).await.unwrap();
    let revoked = all((0..50).map(|_| port.revoke(None, "revoked at once", NOW))).await;
    assert_eq!(revoked.into_iter().filter(|revoked| *revoked == Ok(true)).count(), 1);
}

async fn keys_are_listed_oldest_first_to_their_owner(port: &dyn ApiKeys) {
    let initech = OwnerId::new("initech");
    for (id, secs) in [("list b", 20), ("list c", 30), ("list a", 10)] {
        port.add(unique(), ApiKey { created_at: after(secs), ..key(Some(initech.clone()), id) }).await.unwrap();
    }
    let ids = async |owner: Option<&OwnerId>| {
        let listed = port.list(owner).await.unwrap();
        listed.into_iter().map(|key| key.id).filter(|id| id.starts_with("list ")).collect::<Vec<_>>()
    };
    assert_eq!(ids(Some(&initech)).await, ["list a", "list b", "list c"]);
    assert_eq!(ids(None).await, ["list a", "list b", "list c"]);
    assert_eq!(ids(Some(&globex())).await, [""; 0], "a list crossed to another owner");
}
