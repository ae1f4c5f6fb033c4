use doorward_auth::ports::{Account, Change, SitePorts, Totp, Why};

use super::{
    acme, all, globex,
    site::{NOW, account, after, changing, unique},
};

/// Everything that [`Factors`](doorward_auth::ports::Factors) promises.
pub async fn factors(site: &SitePorts) {
    c39_a_secret_counts_when_a_code_of_it_was_shown_and_not_before(site).await;
    a_code_of_one_secret_does_not_confirm_another(site).await;
    c37_a_step_is_used_once_and_no_earlier_one_after_it(site).await;
    c37_of_fifty_uses_of_a_step_at_once_exactly_one_is_taken(site).await;
    a_recovery_code_is_used_once(site).await;
    of_fifty_uses_of_a_recovery_code_at_once_exactly_one_is_taken(site).await;
    new_recovery_codes_take_the_place_of_the_old_ones(site).await;
    a_removed_authenticator_app_is_gone_with_its_recovery_codes(site).await;
    factors_of_one_owners_account_are_unknown_to_another(site).await;
}

const SEALED: [u8; 3] = [0, 0xFF, 7];

/// An account with a confirmed authenticator app at step 100, and its recovery codes.
async fn with_totp(site: &SitePorts, name: &str) -> (Account, [[u8; 32]; 3]) {
    let (account, codes) = (account(site, name).await, [unique(), unique(), unique()]);
    assert_eq!(site.factors.enrol_totp(&acme(), account.id, SEALED.to_vec(), NOW).await, Ok(true));
    let confirmed =
        site.factors.confirm_totp(&account.owner, account.id, SEALED.to_vec(), 100, codes.to_vec(), after(5));
    assert_eq!(confirmed.await, Ok(true));
    (account, codes)
}

async fn left(site: &SitePorts, account: &Account) -> usize {
    site.factors.recovery_codes_left(&acme(), account.id).await.unwrap()
}

async fn c39_a_secret_counts_when_a_code_of_it_was_shown_and_not_before(site: &SitePorts) {
    let (factors, account) = (&site.factors, account(site, "enrols").await);
    assert_eq!(factors.totp(&acme(), account.id).await, Ok(None));
    assert_eq!(factors.confirm_totp(&acme(), account.id, SEALED.to_vec(), 1, vec![], NOW).await, Ok(false));
    for sealed in [vec![1; 9], SEALED.to_vec()] {
        assert_eq!(factors.enrol_totp(&acme(), account.id, sealed.clone(), NOW).await, Ok(true));
        let waiting = Totp { sealed, confirmed_at: None, last_step: 0 };
        assert_eq!(factors.totp(&acme(), account.id).await, Ok(Some(waiting)));
    }
    assert_eq!(
        factors.use_totp_step(&acme(), account.id, 101).await,
        Ok(false),
        "a secret that does not count was used"
    );
    let codes = vec![unique(), unique()];
    let confirm =
        |step| factors.confirm_totp(&account.owner, account.id, SEALED.to_vec(), step, codes.clone(), after(5));
    assert_eq!(confirm(100).await, Ok(true));
    assert_eq!(confirm(101).await, Ok(false), "it was confirmed already");
    let confirmed = Totp { sealed: SEALED.to_vec(), confirmed_at: Some(after(5)), last_step: 100 };
    assert_eq!(factors.totp(&acme(), account.id).await, Ok(Some(confirmed.clone())));
    assert_eq!(left(site, &account).await, 2);
    assert_eq!(
        factors.enrol_totp(&acme(), account.id, vec![6], NOW).await,
        Ok(false),
        "a confirmed secret was replaced"
    );
    assert_eq!(factors.totp(&acme(), account.id).await, Ok(Some(confirmed)));
}

async fn a_code_of_one_secret_does_not_confirm_another(site: &SitePorts) {
    let (factors, account) = (&site.factors, account(site, "is given a secret").await);
    assert_eq!(factors.enrol_totp(&acme(), account.id, vec![1], NOW).await, Ok(true));
    assert_eq!(factors.enrol_totp(&acme(), account.id, vec![2], NOW).await, Ok(true));
    assert_eq!(factors.confirm_totp(&acme(), account.id, vec![1], 1, vec![], NOW).await, Ok(false));
    let waiting = Totp { sealed: vec![2], confirmed_at: None, last_step: 0 };
    assert_eq!(factors.totp(&acme(), account.id).await, Ok(Some(waiting)));
}

async fn c37_a_step_is_used_once_and_no_earlier_one_after_it(site: &SitePorts) {
    let (account, _) = with_totp(site, "has codes").await;
    let mut used = vec![];
    for step in [100, 99, 101, 101, 103, 102, 104] {
        used.push(site.factors.use_totp_step(&acme(), account.id, step).await.unwrap());
    }
    assert_eq!(used, [false, false, true, false, true, false, true]);
    assert_eq!(site.factors.totp(&acme(), account.id).await.unwrap().map(|totp| totp.last_step), Some(104));
}

async fn c37_of_fifty_uses_of_a_step_at_once_exactly_one_is_taken(site: &SitePorts) {
    let (account, _) = with_totp(site, "has codes at once").await;
    let owner = acme();
    let used = all((0..50).map(|_| site.factors.use_totp_step(&owner, account.id, 101))).await;
    assert_eq!(used.into_iter().filter(|used| *used == Ok(true)).count(), 1);
}

async fn a_recovery_code_is_used_once(site: &SitePorts) {
    let (account, [code, ..]) = with_totp(site, "recovers").await;
    let take = |code| site.factors.use_recovery_code(&account.owner, account.id, code, NOW);
    assert_eq!(take(unique()).await, Ok(false));
    assert_eq!(take(code).await, Ok(true));
    assert_eq!(take(code).await, Ok(false), "a recovery code was used twice");
    assert_eq!(left(site, &account).await, 2);
}

async fn of_fifty_uses_of_a_recovery_code_at_once_exactly_one_is_taken(site: &SitePorts) {
    let (account, [code, ..]) = with_totp(site, "recovers at once").await;
    let used = all((0..50).map(|_| site.factors.use_recovery_code(&account.owner, account.id, code, NOW))).await;
    assert_eq!(used.into_iter().filter(|used| *used == Ok(true)).count(), 1);
}

async fn new_recovery_codes_take_the_place_of_the_old_ones(site: &SitePorts) {
    let (account, [old, ..]) = with_totp(site, "has new codes").await;
    let new = unique();
    site.factors.renew_recovery_codes(&acme(), account.id, vec![new]).await.unwrap();
    assert_eq!(left(site, &account).await, 1);
    assert_eq!(site.factors.use_recovery_code(&acme(), account.id, old, NOW).await, Ok(false));
    assert_eq!(site.factors.use_recovery_code(&acme(), account.id, new, NOW).await, Ok(true));
}

async fn a_removed_authenticator_app_is_gone_with_its_recovery_codes(site: &SitePorts) {
    let (account, [code, ..]) = with_totp(site, "has lost the phone").await;
    site.revocations.end(changing(&account, Why::CredentialChanged, Change::RemoveTotp(account.id))).await.unwrap();
    assert_eq!(site.factors.totp(&acme(), account.id).await, Ok(None));
    assert_eq!(left(site, &account).await, 0);
    assert_eq!(site.factors.use_recovery_code(&acme(), account.id, code, NOW).await, Ok(false));
    assert_eq!(site.factors.enrol_totp(&acme(), account.id, vec![3], NOW).await, Ok(true), "another phone is enrolled");
}

async fn factors_of_one_owners_account_are_unknown_to_another(site: &SitePorts) {
    let (account, [code, ..]) = with_totp(site, "does not share").await;
    let (factors, theirs) = (&site.factors, globex());
    assert_eq!(factors.totp(&theirs, account.id).await, Ok(None));
    assert_eq!(factors.enrol_totp(&theirs, account.id, vec![4], NOW).await, Ok(false));
    assert_eq!(factors.use_totp_step(&theirs, account.id, 101).await, Ok(false));
    assert_eq!(factors.use_recovery_code(&theirs, account.id, code, NOW).await, Ok(false));
    factors.renew_recovery_codes(&theirs, account.id, vec![]).await.unwrap();
    assert_eq!(factors.recovery_codes_left(&theirs, account.id).await, Ok(0));
    assert_eq!(left(site, &account).await, 3, "another owner took somebody's recovery codes");
}
