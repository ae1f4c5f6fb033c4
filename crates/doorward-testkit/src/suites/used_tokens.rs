use doorward_auth::ports::UsedTokens;
use doorward_types::Timestamp;

use super::{acme, all, globex};

const LATER: Timestamp = Timestamp::from_secs(1_000_030);

/// Everything that [`UsedTokens`] promises.
pub async fn used_tokens(port: &dyn UsedTokens) {
    an_id_is_used_once(port).await;
    of_fifty_uses_at_once_exactly_one_is_the_first(port).await;
    owner_and_issuer_are_part_of_the_key(port).await;
}

async fn an_id_is_used_once(port: &dyn UsedTokens) {
    assert_eq!(port.use_once(&acme(), "issuer", "once", LATER).await, Ok(true));
    assert_eq!(port.use_once(&acme(), "issuer", "once", LATER).await, Ok(false), "an id was used twice");
}

async fn of_fifty_uses_at_once_exactly_one_is_the_first(port: &dyn UsedTokens) {
    let owner = acme();
    let used = all((0..50).map(|_| port.use_once(&owner, "issuer", "at once", LATER))).await;
    let first = used.into_iter().filter(|used| *used == Ok(true)).count();
    assert_eq!(first, 1, "of fifty uses {first} were the first");
}

async fn owner_and_issuer_are_part_of_the_key(port: &dyn UsedTokens) {
    let issuers = ["a", "b", "ab"];
    for owner in [acme(), globex()] {
        for issuer in issuers {
            assert_eq!(port.use_once(&owner, issuer, "c", LATER).await, Ok(true), "{owner} {issuer}");
        }
    }
    assert_eq!(port.use_once(&acme(), "a", "bc", LATER).await, Ok(true), "issuer and id ran together");
}
