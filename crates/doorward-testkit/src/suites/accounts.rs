use doorward_auth::ports::{Account, Change, Created, Invitation, NewAccount, Reset, Role, SitePorts, Why};
use doorward_types::{AccountId, OwnerId, Secret};

use super::{
    acme, all, globex,
    site::{NOW, account, account_of, after, changing, new_account, unique},
};

/// Everything that [`Accounts`](doorward_auth::ports::Accounts) promises.
pub async fn accounts(site: &SitePorts) {
    an_account_is_found_as_it_was_made(site).await;
    no_two_accounts_of_an_owner_have_the_same_name(site).await;
    of_fifty_makings_of_one_name_at_once_exactly_one_makes_it(site).await;
    an_account_of_one_owner_is_unknown_to_another(site).await;
    accounts_are_listed_by_their_numbers(site).await;
    an_invitation_makes_one_account_with_its_own_role(site).await;
    an_invitation_to_the_first_account_is_void_when_there_is_one_or_a_newer_invitation(site).await;
    of_fifty_uses_of_an_invitation_at_once_exactly_one_makes_an_account(site).await;
    an_invitation_is_not_used_up_where_the_name_is_taken(site).await;
    an_invitation_that_expired_or_is_anothers_makes_no_account(site).await;
    a_link_to_set_a_password_is_good_once_and_the_newest_alone(site).await;
    a_link_to_set_a_password_is_void_after_its_time_for_others_and_once_there_is_another_password(site).await;
    a_newer_hash_takes_the_place_of_the_one_that_it_was_made_from_and_of_no_other(site).await;
    a_disabled_account_is_enabled_once(site).await;
}

fn reset_of(account: &Account) -> Reset {
    Reset { owner: account.owner.clone(), account: account.id, expires_at: after(60) }
}

async fn a_link_to_set_a_password_is_good_once_and_the_newest_alone(site: &SitePorts) {
    let bob = account(site, "reset").await;
    let (first, second) = (unique(), unique());
    site.accounts.offer_reset(first, reset_of(&bob)).await.unwrap();
    site.accounts.offer_reset(second, reset_of(&bob)).await.unwrap();
    assert_eq!(site.accounts.reset(&acme(), first, NOW).await, Ok(None), "an earlier link holds");
    assert_eq!(site.accounts.reset(&acme(), second, NOW).await, Ok(Some(reset_of(&bob))));
    let acme = acme();
    let taken = all((0..20).map(|_| site.accounts.take_reset(&acme, second, NOW))).await;
    let taken: Vec<_> = taken.into_iter().flatten().flatten().collect();
    assert_eq!(taken, [reset_of(&bob)], "of twenty uses at once exactly one is taken");
    assert_eq!(site.accounts.reset(&acme, second, NOW).await, Ok(None));
}

async fn a_link_to_set_a_password_is_void_after_its_time_for_others_and_once_there_is_another_password(
    site: &SitePorts,
) {
    let (bob, hash) = (account(site, "reset late").await, unique());
    site.accounts.offer_reset(hash, reset_of(&bob)).await.unwrap();
    assert_eq!(site.accounts.take_reset(&acme(), hash, after(60)).await, Ok(None), "an expired link was taken");
    assert_eq!(site.accounts.take_reset(&globex(), hash, NOW).await, Ok(None), "a link crossed to another owner");
    assert_eq!(site.accounts.take_reset(&acme(), unique(), NOW).await, Ok(None));
    let change = Change::Password(bob.id, Secret::from_text("another"));
    site.revocations.end(changing(&bob, Why::CredentialChanged, change)).await.unwrap();
    assert_eq!(site.accounts.take_reset(&acme(), hash, NOW).await, Ok(None), "the password has changed since");
}

fn made(created: &Created) -> Option<&Account> {
    match created {
        Created::Account(account) => Some(account),
        Created::Taken | Created::NotInvited => None,
    }
}

async fn find(site: &SitePorts, account: &Account) -> Account {
    site.accounts.find(&account.owner, account.id).await.unwrap().unwrap()
}

async fn an_account_is_found_as_it_was_made(site: &SitePorts) {
    let new = NewAccount { role: Role::Owner, ..new_account(acme(), "Zoë ☂") };
    let created = site.accounts.create(new.clone()).await.unwrap();
    let account = made(&created).unwrap().clone();
    let expected = Account {
        owner: acme(),
        id: account.id,
        username: "Zoë ☂".to_owned(),
        unique: "zoë ☂".to_owned(),
        role: Role::Owner,
        password: new.password,
        created_at: NOW,
        disabled_at: None,
    };
    assert_eq!(account, expected);
    assert_eq!(site.accounts.find(&acme(), account.id).await, Ok(Some(expected.clone())));
    assert_eq!(site.accounts.find_by_name(&acme(), "zoë ☂").await, Ok(Some(expected)));
    assert_eq!(site.accounts.find_by_name(&acme(), "Zoë ☂").await, Ok(None), "names are compared as they are given");
    assert_eq!(site.accounts.find(&acme(), AccountId(u64::MAX)).await, Ok(None));
}

async fn no_two_accounts_of_an_owner_have_the_same_name(site: &SitePorts) {
    let first = account(site, "taken").await;
    let second = NewAccount { password: Secret::from_text("another"), ..new_account(acme(), "TAKEN") };
    assert_eq!(site.accounts.create(second).await, Ok(Created::Taken));
    assert_eq!(site.accounts.find_by_name(&acme(), "taken").await, Ok(Some(first)), "an account was replaced");
}

async fn of_fifty_makings_of_one_name_at_once_exactly_one_makes_it(site: &SitePorts) {
    let created = all((0..50).map(|_| site.accounts.create(new_account(acme(), "made at once")))).await;
    let made: Vec<_> = created.iter().flatten().filter_map(made).collect();
    assert_eq!(made.len(), 1);
    assert_eq!(site.accounts.find_by_name(&acme(), "made at once").await.unwrap().as_ref(), made.first().copied());
}

async fn an_account_of_one_owner_is_unknown_to_another(site: &SitePorts) {
    let ours = account(site, "crossing").await;
    assert_eq!(site.accounts.find(&globex(), ours.id).await, Ok(None), "an account crossed to another owner");
    assert_eq!(site.accounts.find_by_name(&globex(), "crossing").await, Ok(None));
    let theirs = account_of(site, globex(), "crossing").await;
    assert_ne!(ours.id, theirs.id, "a number is one account's among all owners");
    let [before, changed] = ["$argon2id$of the first", "changed"].map(Secret::from_text);
    site.accounts.rehash(&globex(), ours.id, before, changed).await.unwrap();
    assert_eq!(find(site, &ours).await, ours, "another owner changed an account");
}

async fn accounts_are_listed_by_their_numbers(site: &SitePorts) {
    let (initech, first) = (OwnerId::new("initech"), account(site, "list before").await);
    let mut ids = vec![];
    for name in ["list c", "list a", "list b"] {
        ids.push(account_of(site, initech.clone(), name).await.id);
    }
    let list = async |owner: Option<&OwnerId>, after, at_most| {
        let listed = site.accounts.list(owner, after, at_most).await.unwrap();
        listed.into_iter().map(|account| account.id).collect::<Vec<_>>()
    };
    assert!(ids.is_sorted());
    assert_eq!(list(Some(&initech), None, 9).await, ids);
    assert_eq!(list(Some(&initech), Some(ids[0]), 1).await, ids[1..2]);
    assert_eq!(list(None, Some(first.id), 9).await, ids, "the operator sees everybody's");
    assert_eq!(list(Some(&OwnerId::new("nobody")), None, 9).await, []);
}

/// The hash of an invitation to `acme` as an owner.
async fn invitation(site: &SitePorts) -> [u8; 32] {
    let hash = unique();
    let invitation = Invitation { owner: acme(), role: Role::Owner, expires_at: after(60), first: false };
    site.accounts.invite(hash, invitation).await.unwrap();
    hash
}

async fn holds(site: &SitePorts, hash: [u8; 32]) -> bool {
    site.accounts.invitation(&acme(), hash, NOW).await.unwrap().is_some()
}

fn invited(name: &str, hash: [u8; 32]) -> NewAccount {
    NewAccount { invitation: Some(hash), ..new_account(acme(), name) }
}

async fn an_invitation_makes_one_account_with_its_own_role(site: &SitePorts) {
    let hash = invitation(site).await;
    let expected = Invitation { owner: acme(), role: Role::Owner, expires_at: after(60), first: false };
    assert_eq!(site.accounts.invitation(&acme(), hash, NOW).await, Ok(Some(expected)));
    let created = site.accounts.create(invited("invited", hash)).await.unwrap();
    assert_eq!(made(&created).map(|account| account.role), Some(Role::Owner));
    assert!(!holds(site, hash).await, "a used invitation holds");
    assert_eq!(site.accounts.create(invited("invited twice", hash)).await, Ok(Created::NotInvited));
    assert_eq!(site.accounts.find_by_name(&acme(), "invited twice").await, Ok(None));
}

/// Each start of a server that has no account yet gives one; they end up in logs.
async fn an_invitation_to_the_first_account_is_void_when_there_is_one_or_a_newer_invitation(site: &SitePorts) {
    let owner = OwnerId::new("begins");
    let first = async |owner: &OwnerId| {
        let hash = unique();
        let invitation = Invitation { owner: owner.clone(), role: Role::Owner, expires_at: after(60), first: true };
        site.accounts.invite(hash, invitation).await.unwrap();
        hash
    };
    let holds = async |hash| site.accounts.invitation(&owner, hash, NOW).await.unwrap().is_some();
    let (elsewhere, older, newer) = (first(&OwnerId::new("elsewhere")).await, first(&owner).await, first(&owner).await);
    assert!(!holds(older).await && holds(newer).await, "an older link holds beside the newer one");
    let takes = |name, hash| NewAccount { invitation: Some(hash), ..new_account(owner.clone(), name) };
    assert_eq!(site.accounts.create(takes("older", older)).await, Ok(Created::NotInvited));
    assert!(made(&site.accounts.create(new_account(owner.clone(), "root")).await.unwrap()).is_some());
    assert!(!holds(newer).await, "it holds although there is an account");
    assert_eq!(site.accounts.create(takes("newer", newer)).await, Ok(Created::NotInvited));
    let other = NewAccount { invitation: Some(elsewhere), ..new_account(OwnerId::new("elsewhere"), "its first") };
    assert!(made(&site.accounts.create(other).await.unwrap()).is_some(), "another owner's holds");
}

async fn of_fifty_uses_of_an_invitation_at_once_exactly_one_makes_an_account(site: &SitePorts) {
    let hash = invitation(site).await;
    let names: Vec<_> = (0..50).map(|number| format!("invited at once {number}")).collect();
    let created = all(names.iter().map(|name| site.accounts.create(invited(name, hash)))).await;
    assert_eq!(created.iter().flatten().filter_map(made).count(), 1);
}

async fn an_invitation_is_not_used_up_where_the_name_is_taken(site: &SitePorts) {
    let hash = invitation(site).await;
    account(site, "was there first").await;
    assert_eq!(site.accounts.create(invited("was there first", hash)).await, Ok(Created::Taken));
    assert!(holds(site, hash).await, "an invitation was used up for nothing");
    let created = site.accounts.create(invited("came second", hash)).await.unwrap();
    assert!(made(&created).is_some());
}

async fn an_invitation_that_expired_or_is_anothers_makes_no_account(site: &SitePorts) {
    let hash = invitation(site).await;
    let refused = Ok(Created::NotInvited);
    assert_eq!(site.accounts.create(invited("unknown", unique())).await, refused);
    let theirs = NewAccount { owner: globex(), ..invited("theirs", hash) };
    assert_eq!(site.accounts.create(theirs).await, refused, "an invitation crossed to another owner");
    assert_eq!(site.accounts.invitation(&globex(), hash, NOW).await, Ok(None));
    let late = NewAccount { at: after(60), ..invited("late", hash) };
    assert_eq!(site.accounts.create(late).await, refused, "an expired invitation made an account");
    assert_eq!(site.accounts.invitation(&acme(), hash, after(60)).await, Ok(None));
}

async fn a_newer_hash_takes_the_place_of_the_one_that_it_was_made_from_and_of_no_other(site: &SitePorts) {
    let account = account(site, "rehashed").await;
    let [newer, stale] = ["newer", "stale"].map(Secret::from_text);
    site.accounts.rehash(&acme(), account.id, stale.clone(), newer.clone()).await.unwrap();
    assert_eq!(find(site, &account).await.password, account.password, "a password came back that was changed");
    site.accounts.rehash(&acme(), account.id, account.password.clone(), newer.clone()).await.unwrap();
    assert_eq!(find(site, &account).await.password, newer);
}

async fn a_disabled_account_is_enabled_once(site: &SitePorts) {
    let account = account(site, "disabled").await;
    assert_eq!(site.accounts.enable(&acme(), account.id).await, Ok(false), "it was not disabled");
    site.revocations.end(changing(&account, Why::Disabled, Change::Disable(account.id))).await.unwrap();
    assert_eq!(find(site, &account).await.disabled_at, Some(NOW));
    assert_eq!(site.accounts.enable(&globex(), account.id).await, Ok(false), "another owner enabled an account");
    assert_eq!(site.accounts.enable(&acme(), account.id).await, Ok(true));
    assert_eq!(site.accounts.enable(&acme(), account.id).await, Ok(false));
    assert_eq!(find(site, &account).await.disabled_at, None);
}
