//! The ports in memory pass the suites that every implementation must pass.

use std::sync::Arc;

use doorward_auth::memory::{ManualClock, MemoryAppKeys, MemoryAudit, MemoryTickets, MemoryUsedTokens};
use doorward_testkit::suites;
use doorward_types::Timestamp;

#[tokio::test]
async fn the_ports_in_memory_pass_all_suites() {
    let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_000_000)));
    suites::tickets(&MemoryTickets::new()).await;
    suites::app_keys(&MemoryAppKeys::new()).await;
    suites::used_tokens(&MemoryUsedTokens::new(clock)).await;
    suites::audit(&MemoryAudit::keeping(100)).await;
}
