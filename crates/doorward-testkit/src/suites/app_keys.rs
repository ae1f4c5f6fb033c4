use doorward_auth::ports::{AppKey, AppKeys};
use doorward_types::{KeyId, Timestamp};

use super::{acme, all, globex, member};

/// Everything that [`AppKeys`] promises.
pub async fn app_keys(port: &dyn AppKeys) {
    a_key_is_found_as_it_was_added(port).await;
    an_id_that_is_taken_is_not_taken_over(port).await;
    a_key_of_one_owner_is_unknown_to_another(port).await;
    keys_are_listed_oldest_first(port).await;
    a_key_is_revoked_once_and_is_still_found(port).await;
    of_many_revocations_at_once_exactly_one_revokes(port).await;
}

fn key(id: &str) -> AppKey {
    AppKey {
        owner: acme(),
        id: KeyId::new(id),
        public: [7; 32],
        subject: member("bob"),
        created_at: Timestamp::from_secs(50),
        revoked_at: None,
    }
}

async fn a_key_is_found_as_it_was_added(port: &dyn AppKeys) {
    assert_eq!(port.find(&acme(), &KeyId::new("found")).await, Ok(None));
    assert_eq!(port.add(key("found")).await, Ok(true));
    assert_eq!(port.find(&acme(), &KeyId::new("found")).await, Ok(Some(key("found"))));
}

async fn an_id_that_is_taken_is_not_taken_over(port: &dyn AppKeys) {
    assert_eq!(port.add(key("taken")).await, Ok(true));
    assert_eq!(port.add(AppKey { public: [8; 32], ..key("taken") }).await, Ok(false));
    assert_eq!(port.find(&acme(), &KeyId::new("taken")).await, Ok(Some(key("taken"))), "a key was replaced");
}

async fn a_key_of_one_owner_is_unknown_to_another(port: &dyn AppKeys) {
    let id = KeyId::new("crossing");
    assert_eq!(port.add(key("crossing")).await, Ok(true));
    assert_eq!(port.find(&globex(), &id).await, Ok(None), "a key crossed to another owner");
    assert_eq!(port.revoke(&globex(), &id, Timestamp::from_secs(60)).await, Ok(false), "another owner revoked a key");
    assert_eq!(port.list(&globex()).await, Ok(vec![]), "a list crossed to another owner");
    assert_eq!(port.add(AppKey { owner: globex(), ..key("crossing") }).await, Ok(true), "an id is the owner's own");
    assert_eq!(port.find(&acme(), &id).await, Ok(Some(key("crossing"))));
}

async fn keys_are_listed_oldest_first(port: &dyn AppKeys) {
    for (id, secs) in [("list b", 20), ("list c", 30), ("list a", 10)] {
        let added = port.add(AppKey { created_at: Timestamp::from_secs(secs), ..key(id) }).await;
        assert_eq!(added, Ok(true));
    }
    let listed = port.list(&acme()).await.unwrap();
    let ids: Vec<_> = listed.iter().map(|key| key.id.as_str()).filter(|id| id.starts_with("list ")).collect();
    assert_eq!(ids, ["list a", "list b", "list c"]);
}

async fn a_key_is_revoked_once_and_is_still_found(port: &dyn AppKeys) {
    let (id, first, second) = (KeyId::new("revoked"), Timestamp::from_secs(60), Timestamp::from_secs(70));
    assert_eq!(port.revoke(&acme(), &id, first).await, Ok(false), "a key that is not there was revoked");
    assert_eq!(port.add(key("revoked")).await, Ok(true));
    assert_eq!(port.revoke(&acme(), &id, first).await, Ok(true));
    assert_eq!(port.revoke(&acme(), &id, second).await, Ok(false));
    let found = port.find(&acme(), &id).await.unwrap();
    assert_eq!(found.map(|key| key.revoked_at), Some(Some(first)), "the first revocation counts");
}

async fn of_many_revocations_at_once_exactly_one_revokes(port: &dyn AppKeys) {
    let (owner, id) = (acme(), KeyId::new("revoked at once"));
    assert_eq!(port.add(key("revoked at once")).await, Ok(true));
    let revoked = all((0..50).map(|_| port.revoke(&owner, &id, Timestamp::from_secs(60)))).await;
    assert_eq!(revoked.into_iter().filter(|revoked| *revoked == Ok(true)).count(), 1);
}
