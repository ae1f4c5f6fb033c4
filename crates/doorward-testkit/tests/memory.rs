//! The ports in memory pass the suites that every implementation must pass.

use std::sync::Arc;

use doorward_auth::memory::{
    ManualClock, MemoryAppKeys, MemoryAudit, MemoryCarts, MemorySite, MemoryTickets, MemoryUsedTokens,
};
use doorward_auth::ports::SitePorts;
use doorward_testkit::suites;
use doorward_types::Timestamp;

#[tokio::test]
async fn the_ports_in_memory_pass_all_suites() {
    let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_000_000)));
    suites::tickets(&MemoryTickets::new()).await;
    suites::app_keys(&MemoryAppKeys::new()).await;
    suites::carts(&MemoryCarts::new()).await;
    suites::used_tokens(&MemoryUsedTokens::new(clock)).await;
    suites::audit(&MemoryAudit::keeping(100)).await;
}

#[tokio::test]
async fn a_site_in_memory_passes_all_suites() {
    let (tickets, app_keys) = (Arc::new(MemoryTickets::new()), Arc::new(MemoryAppKeys::new()));
    let memory = MemorySite::new(Some(tickets.clone()), Some(app_keys.clone()));
    let site = SitePorts::of(&Arc::new(memory));
    suites::accounts(&site).await;
    suites::sessions(&site).await;
    suites::revocations(&site, &*tickets, &*app_keys).await;
    suites::throttle(&*site.throttle).await;
    suites::factors(&site).await;
    suites::key_entries(&site).await;
    suites::refreshes(&site).await;
    suites::api_keys(&*site.api_keys).await;
}
