//! The suites that every implementation of the ports must pass, over a file and over memory.

use std::sync::Arc;

use doorward_auth::ports::SitePorts;
use doorward_store::Store;
use doorward_testkit::suites;

async fn passes_all_suites(store: &Store) {
    suites::tickets(store).await;
    suites::app_keys(store).await;
    suites::used_tokens(store).await;
    suites::audit(store).await;
    suites::carts(store).await;
    let site = SitePorts::of(&Arc::new(store.clone()));
    suites::accounts(&site).await;
    suites::sessions(&site).await;
    suites::revocations(&site, store, store).await;
    suites::throttle(store).await;
    suites::factors(&site).await;
    suites::key_entries(&site).await;
    suites::refreshes(&site).await;
    suites::api_keys(store).await;
}

#[tokio::test]
async fn a_store_in_a_file_passes_all_suites() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("store.db").display());
    passes_all_suites(&Store::open(&url).unwrap()).await;
}

#[tokio::test]
async fn a_store_in_memory_passes_all_suites() {
    passes_all_suites(&Store::open(":memory:").unwrap()).await;
}

#[tokio::test]
async fn two_handles_on_one_file_are_one_store() {
    use doorward_auth::ports::UsedTokens;
    use doorward_types::{OwnerId, Timestamp};

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let (one, two) = (Store::open(path.to_str().unwrap()).unwrap(), Store::open(path.to_str().unwrap()).unwrap());
    let (acme, later) = (OwnerId::new("acme"), Timestamp::from_secs(60));
    for id in 0..50 {
        let id = id.to_string();
        let (first, second) = tokio::join!(one.use_once(&acme, "i", &id, later), two.use_once(&acme, "i", &id, later));
        assert_ne!(first.unwrap(), second.unwrap(), "id {id} was used twice or not at all");
    }
}
