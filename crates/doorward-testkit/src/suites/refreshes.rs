use doorward_auth::ports::{Refresh, Rotated, Session, SitePorts};
use doorward_types::{OwnerId, Timestamp};

use super::{
    acme, all, globex,
    site::{NOW, account, after, end, login, new_login, open, unique},
};

/// Everything that [`Refreshes`](doorward_auth::ports::Refreshes) promises; what an ending does to them is among the cases of
/// [`revocations`](super::revocations).
pub async fn refreshes(site: &SitePorts) {
    each_token_of_a_chain_fetches_the_next_one(site).await;
    a_token_that_was_used_before_is_known_again(site).await;
    of_fifty_rotations_at_once_one_is_the_next_and_the_others_are_reuse(site).await;
    a_chain_ends_when_its_first_token_would_have(site).await;
    a_chain_is_worth_nothing_without_its_login(site).await;
    a_token_of_one_owner_is_unknown_to_another_and_is_not_burned_by_it(site).await;
}

fn refresh(session: &Session) -> Refresh {
    Refresh { owner: session.owner.clone(), account: session.account, sid: session.sid, expires_at: after(600) }
}

/// The first token of somebody's login.
async fn first(site: &SitePorts, name: &str) -> (Session, Refresh, [u8; 32]) {
    let session = login(site, &account(site, name).await).await;
    let (refresh, hash) = (refresh(&session), unique());
    site.refreshes.issue(hash, refresh.clone()).await.unwrap();
    (session, refresh, hash)
}

async fn rotate(site: &SitePorts, owner: &OwnerId, hash: [u8; 32], at: Timestamp) -> (Rotated, [u8; 32]) {
    let next = unique();
    (site.refreshes.rotate(owner, hash, next, at).await.unwrap(), next)
}

async fn each_token_of_a_chain_fetches_the_next_one(site: &SitePorts) {
    let (_, refresh, mut hash) = first(site, "fetches tokens").await;
    for _ in 0..5 {
        let (rotated, next) = rotate(site, &acme(), hash, NOW).await;
        assert_eq!(rotated, Rotated::Next(refresh.clone()));
        hash = next;
    }
    assert_eq!(rotate(site, &acme(), unique(), NOW).await.0, Rotated::Unknown);
}

async fn a_token_that_was_used_before_is_known_again(site: &SitePorts) {
    let (session, refresh, hash) = first(site, "was copied").await;
    let (_, second) = rotate(site, &acme(), hash, NOW).await;
    let (_, third) = rotate(site, &acme(), second, NOW).await;
    for used in [hash, second, hash] {
        let (rotated, not_kept) = rotate(site, &acme(), used, NOW).await;
        assert_eq!(rotated, Rotated::Reused(refresh.clone()));
        assert_eq!(rotate(site, &acme(), not_kept, NOW).await.0, Rotated::Unknown, "reuse fetched a token");
    }
    end(site, session.rest()).await;
    for hash in [hash, second, third] {
        assert_eq!(rotate(site, &acme(), hash, NOW).await.0, Rotated::Unknown, "it outlived its login");
    }
}

async fn of_fifty_rotations_at_once_one_is_the_next_and_the_others_are_reuse(site: &SitePorts) {
    let (_, refresh, hash) = first(site, "fetches at once").await;
    let (owner, next) = (acme(), (0..50).map(|_| unique()));
    let rotated = all(next.map(|next| site.refreshes.rotate(&owner, hash, next, NOW))).await;
    assert_eq!(rotated.iter().filter(|rotated| **rotated == Ok(Rotated::Next(refresh.clone()))).count(), 1);
    assert_eq!(rotated.iter().filter(|rotated| **rotated == Ok(Rotated::Reused(refresh.clone()))).count(), 49);
}

async fn a_chain_ends_when_its_first_token_would_have(site: &SitePorts) {
    let (_, _, hash) = first(site, "fetches late").await;
    let (_, second) = rotate(site, &acme(), hash, after(599)).await;
    assert_eq!(rotate(site, &acme(), second, after(600)).await.0, Rotated::Unknown);
    assert_eq!(rotate(site, &acme(), hash, after(600)).await.0, Rotated::Unknown);
}

async fn a_chain_is_worth_nothing_without_its_login(site: &SitePorts) {
    let mut new = new_login(site, &account(site, "fetches idly").await);
    new.session.idle = std::time::Duration::from_secs(60);
    let (session, hash) = (open(site, new).await, unique());
    site.refreshes.issue(hash, refresh(&session)).await.unwrap();
    assert_eq!(rotate(site, &acme(), hash, after(60)).await.0, Rotated::Unknown, "the login was idle for too long");
    site.sessions.seen(vec![(session.sid, after(50))]).await.unwrap();
    assert_eq!(rotate(site, &acme(), hash, after(60)).await.0, Rotated::Next(refresh(&session)));
}

async fn a_token_of_one_owner_is_unknown_to_another_and_is_not_burned_by_it(site: &SitePorts) {
    let (session, refresh, hash) = first(site, "fetches here").await;
    assert_eq!(rotate(site, &globex(), hash, NOW).await.0, Rotated::Unknown, "a token crossed to another owner");
    assert_eq!(rotate(site, &acme(), hash, NOW).await.0, Rotated::Next(refresh.clone()));
    let (as_theirs, hash) = (Refresh { owner: globex(), ..refresh }, unique());
    site.refreshes.issue(hash, as_theirs).await.unwrap();
    assert_eq!(rotate(site, &globex(), hash, NOW).await.0, Rotated::Unknown, "{session:?} is no login of theirs");
}
