use doorward_auth::ports::{Account, Entered, KeyEntry, Session, SitePorts, WRONG_TRIES};
use doorward_types::SessionId;

use super::{
    acme, all, globex,
    site::{NOW, account, after, login, new_login, open, unique},
};

/// Everything that [`KeyEntries`](doorward_auth::ports::KeyEntries) promises; what an ending does to them is among the cases of
/// [`revocations`](super::revocations).
pub async fn key_entries(site: &SitePorts) {
    c93_a_key_opens_once(site).await;
    of_fifty_entries_at_once_exactly_one_is_right(site).await;
    c93_the_tenth_wrong_try_voids_a_key(site).await;
    of_fifty_wrong_tries_at_once_ten_are_counted(site).await;
    a_new_key_voids_the_one_before(site).await;
    a_public_part_that_anothers_key_has_is_not_taken_over(site).await;
    a_key_is_worth_nothing_after_its_time_or_its_logins(site).await;
    a_key_of_one_owner_is_unknown_to_another_and_is_not_burned_by_it(site).await;
}

fn entry(session: &Session, id: &str) -> KeyEntry {
    let Session { owner, account, username, sid, .. } = session.clone();
    KeyEntry { owner, id: id.to_owned(), account, username, sid, expires_at: after(120) }
}

/// Somebody who is logged in, and a key that the site shows them.
async fn with_key(site: &SitePorts, name: &str) -> (Account, KeyEntry, [u8; 32]) {
    let account = account(site, name).await;
    let (entry, hash) = (entry(&login(site, &account).await, name), unique());
    assert_eq!(site.key_entries.put(hash, entry.clone()).await, Ok(true));
    (account, entry, hash)
}

async fn enter(site: &SitePorts, entry: &KeyEntry, hash: [u8; 32]) -> Entered {
    site.key_entries.enter(&entry.owner, &entry.id, hash, NOW).await.unwrap()
}

async fn c93_a_key_opens_once(site: &SitePorts) {
    let (_, entry, hash) = with_key(site, "Types A Key").await;
    assert_eq!(site.key_entries.enter(&acme(), "unknown", hash, NOW).await, Ok(Entered::Unknown));
    assert_eq!(enter(site, &entry, hash).await, Entered::Right(entry.clone()));
    assert_eq!(enter(site, &entry, hash).await, Entered::Unknown, "a key opened twice");
}

async fn of_fifty_entries_at_once_exactly_one_is_right(site: &SitePorts) {
    let (_, entry, hash) = with_key(site, "types at once").await;
    let entered = all((0..50).map(|_| site.key_entries.enter(&entry.owner, &entry.id, hash, NOW))).await;
    assert_eq!(entered.into_iter().filter(|entered| matches!(entered, Ok(Entered::Right(_)))).count(), 1);
}

async fn c93_the_tenth_wrong_try_voids_a_key(site: &SitePorts) {
    let (_, entry, hash) = with_key(site, "mistypes").await;
    for wrong in 1..=WRONG_TRIES {
        assert_eq!(enter(site, &entry, unique()).await, Entered::Wrong(wrong));
    }
    assert_eq!(enter(site, &entry, hash).await, Entered::Unknown, "a void key opened");
}

async fn of_fifty_wrong_tries_at_once_ten_are_counted(site: &SitePorts) {
    let (_, entry, _) = with_key(site, "mistypes at once").await;
    let entered = all((0..50).map(|_| site.key_entries.enter(&entry.owner, &entry.id, [0; 32], NOW))).await;
    let mut counts: Vec<_> = entered
        .into_iter()
        .filter_map(|entered| match entered.unwrap() {
            Entered::Wrong(count) => Some(count),
            Entered::Right(_) | Entered::Unknown => None,
        })
        .collect();
    counts.sort_unstable();
    assert_eq!(counts, (1..=WRONG_TRIES).collect::<Vec<_>>());
}

async fn a_new_key_voids_the_one_before(site: &SitePorts) {
    let (account, first, hash) = with_key(site, "asks for another").await;
    let (second, second_hash) = (entry(&login(site, &account).await, "the second"), unique());
    assert_eq!(site.key_entries.put(second_hash, second.clone()).await, Ok(true));
    assert_eq!(enter(site, &first, hash).await, Entered::Unknown, "an account has two keys");
    let same_name = KeyEntry { expires_at: after(60), ..second.clone() };
    assert_eq!(site.key_entries.put(hash, same_name.clone()).await, Ok(true), "the name was its own");
    assert_eq!(enter(site, &second, second_hash).await, Entered::Wrong(1));
    assert_eq!(enter(site, &second, hash).await, Entered::Right(same_name));
}

async fn a_public_part_that_anothers_key_has_is_not_taken_over(site: &SitePorts) {
    let (_, first, hash) = with_key(site, "has the name").await;
    let other = login(site, &account(site, "wants the name").await).await;
    assert_eq!(site.key_entries.put(unique(), entry(&other, &first.id)).await, Ok(false));
    assert_eq!(enter(site, &first, hash).await, Entered::Right(first));
}

async fn a_key_is_worth_nothing_after_its_time_or_its_logins(site: &SitePorts) {
    let (_, late, hash) = with_key(site, "types late").await;
    assert_eq!(site.key_entries.enter(&acme(), &late.id, hash, after(120)).await, Ok(Entered::Unknown));
    assert_eq!(enter(site, &late, hash).await, Entered::Unknown, "it came back with an earlier clock");

    let account = account(site, "types idly").await;
    let mut new = new_login(site, &account);
    new.session.idle = std::time::Duration::from_secs(60);
    let (idle, hash) = (entry(&open(site, new).await, "of an idle login"), unique());
    assert_eq!(site.key_entries.put(hash, idle.clone()).await, Ok(true));
    assert_eq!(site.key_entries.enter(&acme(), &idle.id, hash, after(60)).await, Ok(Entered::Unknown));

    let no_login = KeyEntry { sid: SessionId::from_bytes([0xEE; 16]), ..idle };
    assert_eq!(site.key_entries.put(hash, no_login.clone()).await, Ok(false));
    assert_eq!(enter(site, &no_login, hash).await, Entered::Unknown);
}

async fn a_key_of_one_owner_is_unknown_to_another_and_is_not_burned_by_it(site: &SitePorts) {
    let (_, entry, hash) = with_key(site, "types here").await;
    for _ in 0..20 {
        assert_eq!(site.key_entries.enter(&globex(), &entry.id, [0; 32], NOW).await, Ok(Entered::Unknown));
    }
    assert_eq!(site.key_entries.enter(&globex(), &entry.id, hash, NOW).await, Ok(Entered::Unknown));
    assert_eq!(enter(site, &entry, hash).await, Entered::Right(entry));
}
