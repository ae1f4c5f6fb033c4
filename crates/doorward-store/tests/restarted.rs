//! What a site has counted, used up and ended is so after a restart, and for two processes on one file.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test tells by a panic that something does not hold")]

use std::{net::IpAddr, path::Path, time::Duration};

use doorward_auth::ports::{
    Accounts, Attempt, AttemptId, Change, Created, Ending, Factors, NewAccount, NewSession, Reserved, Revocations,
    Role, Sessions, Throttle, What, Why,
};
use doorward_store::Store;
use doorward_testkit::{beginning, login_of};
use doorward_types::{Cursor, OwnerId, Rest, Secret, SessionId, Timestamp};

const NOW: Timestamp = Timestamp::from_secs(1_000_000);

fn acme() -> OwnerId {
    OwnerId::new("acme")
}

fn open(path: &Path) -> Store {
    Store::open(path.to_str().unwrap()).unwrap()
}

/// A new file, and bob in it.
async fn with_bob() -> (tempfile::TempDir, std::path::PathBuf, doorward_auth::ports::Account) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let new = NewAccount {
        owner: acme(),
        username: "bob".into(),
        unique: "bob".into(),
        role: Role::User,
        password: Secret::from_text("hash"),
        invitation: None,
        at: NOW,
    };
    let Created::Account(bob) = open(&path).create(new).await.unwrap() else { panic!("bob was there before") };
    (folder, path, bob)
}

fn login(bob: &doorward_auth::ports::Account, number: u8, as_of: Cursor) -> NewSession {
    beginning(login_of(bob, SessionId::from_bytes([number; 16]), NOW), Some([number; 32]), as_of)
}

fn ending(what: What, change: Option<Change>) -> Ending {
    Ending { owner: Some(acme()), what, why: Why::Revoked, change, at: NOW }
}

#[tokio::test]
async fn c36_failures_are_counted_over_restarts_until_the_factor_is_disabled() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let mut now = NOW;
    let attempt = |number: u8, at| Attempt {
        owner: acme(),
        factor: "password",
        subject: [7; 32],
        device: None,
        source: IpAddr::from([10, 0, 0, number]),
        at,
    };
    for _ in 0..10 {
        let store = open(&path);
        for number in 0..10 {
            let reserved = store.reserve(attempt(number, now)).await.unwrap();
            assert!(matches!(reserved, Reserved::Go(_)), "{reserved:?}");
            now = now.plus(Duration::from_hours(1));
        }
    }
    let store = open(&path);
    assert_eq!(store.reserve(attempt(1, now)).await, Ok(Reserved::Disabled), "a count was lost with the process");
    store.forgive(&acme(), "password", [7; 32]).await.unwrap();
    drop(store);
    let reserved = open(&path).reserve(attempt(1, now)).await.unwrap();
    assert!(matches!(reserved, Reserved::Go(_)), "{reserved:?}");
}

#[tokio::test]
async fn c33_of_tries_through_two_processes_five_may_be_made_in_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let (one, two) = (open(&path), open(&path));
    let mut may = std::collections::BTreeSet::new();
    for number in 0..50 {
        let attempt = |process| Attempt {
            owner: acme(),
            factor: "password",
            subject: [7; 32],
            device: None,
            source: IpAddr::from([10, 0, process, number]),
            at: NOW,
        };
        let (first, second) = tokio::join!(one.reserve(attempt(1)), two.reserve(attempt(2)));
        for reserved in [first, second] {
            if let Reserved::Go(AttemptId(id)) = reserved.unwrap() {
                assert!(may.insert(id), "two tries have one number");
            }
        }
    }
    assert_eq!(may.len(), 5);
}

#[tokio::test]
async fn c37_a_step_that_was_used_stays_used_and_of_two_processes_one_uses_the_next() {
    let (_folder, path, bob) = with_bob().await;
    let owner = acme();
    let store = open(&path);
    assert_eq!(store.enrol_totp(&owner, bob.id, vec![1], NOW).await, Ok(true));
    assert_eq!(store.confirm_totp(&owner, bob.id, vec![1], 100, vec![[9; 32]], NOW).await, Ok(true));
    assert_eq!(store.use_totp_step(&owner, bob.id, 101).await, Ok(true));
    drop(store);
    let (one, two) = (open(&path), open(&path));
    for step in 100..150 {
        let (first, second) =
            tokio::join!(one.use_totp_step(&owner, bob.id, step), two.use_totp_step(&owner, bob.id, step));
        let used = usize::from(first.unwrap()) + usize::from(second.unwrap());
        assert_eq!(used, usize::from(step > 101), "step {step}");
    }
    let code = |store| Factors::use_recovery_code(store, &owner, bob.id, [9; 32], NOW);
    let (first, second) = tokio::join!(code(&one), code(&two));
    assert_ne!(first.unwrap(), second.unwrap(), "a recovery code was used twice or not at all");
}

#[tokio::test]
async fn c84_what_has_ended_has_ended_after_a_restart() {
    let (_folder, path, bob) = with_bob().await;
    let store = open(&path);
    for number in [1, 2] {
        let as_of = *store.appended().borrow();
        assert!(Sessions::open(&store, login(&bob, number, as_of)).await.unwrap().is_some());
    }
    let rest = Rest::on("sid", SessionId::from_bytes([1; 16]).to_string());
    store.end(ending(What::Rest(rest), None)).await.unwrap();
    drop(store);

    let store = open(&path);
    assert_eq!(store.appended().borrow().0, 3, "the signal begins where the log stands");
    assert_eq!(Sessions::find(&store, &acme(), [1; 32], NOW).await, Ok(None), "a logout was lost with the process");
    assert!(Sessions::find(&store, &acme(), [2; 32], NOW).await.unwrap().is_some());
    let disable = ending(What::Rest(bob.subject().rest()), Some(Change::Disable(bob.id)));
    store.end(disable).await.unwrap();
    drop(store);

    let store = open(&path);
    assert_eq!(Sessions::find(&store, &acme(), [2; 32], NOW).await, Ok(None));
    let as_of = *store.appended().borrow();
    assert_eq!(Sessions::open(&store, login(&bob, 3, as_of)).await, Ok(None), "a locked account logged in");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_of_two_processes_have_one_order_in_which_a_third_steps_over_none() {
    const EACH: u64 = 150;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let follower = open(&path);
    let mut writers = tokio::task::JoinSet::new();
    for writer in ["one", "two"] {
        let store = open(&path);
        for number in 0..EACH {
            let store = store.clone();
            let what = What::Rest(Rest::on("jti", format!("{writer} {number}")));
            writers.spawn(async move { store.end(ending(what, None)).await.unwrap() });
        }
    }
    let mut read = Cursor(0);
    while read.0 < 2 * EACH {
        let page = follower.read_after(read, 9).await.unwrap();
        for entry in page.entries {
            assert_eq!(entry.cursor.0, read.0 + 1, "an entry was stepped over");
            read = entry.cursor;
        }
        tokio::task::yield_now().await;
    }
    let told: std::collections::BTreeSet<_> = writers.join_all().await.into_iter().collect();
    assert_eq!(told.len() as u64, 2 * EACH, "two endings were told the same place");
    assert_eq!(*follower.appended().borrow(), read, "who reads what others have written tells of it too");
}
