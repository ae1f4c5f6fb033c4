//! A site whose process is killed in the middle of its work: nobody is half registered, what has ended stays ended, and the
//! log has no gaps.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test tells by a panic that something does not hold")]
#![expect(clippy::print_stdout, reason = "the process that is killed says what it has done")]

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use doorward_auth::ports::{
    Accounts, Created, Ending, Invitation, NewAccount, Refresh, Refreshes, Revocations, Role, Rotated, Session,
    Sessions, What, Why,
};
use doorward_store::Store;
use doorward_testkit::{beginning, login_of};
use doorward_types::{AccountId, Cursor, OwnerId, Rest, Secret, SessionId, Timestamp};
use tokio::task::JoinSet;

const NOW: Timestamp = Timestamp::from_secs(1_000_000);
const LATER: Timestamp = Timestamp::from_secs(2_000_000);

/// Tells the tests below that they are the process that will be killed: on which store it works, and from which number on.
const VICTIM: &str = "DOORWARD_TEST_SITE_VICTIM";
const FIRST: &str = "DOORWARD_TEST_SITE_FIRST";

fn acme() -> OwnerId {
    OwnerId::new("acme")
}

fn hash(sort: u8, number: u64) -> [u8; 32] {
    let mut hash = [sort; 32];
    hash[..8].copy_from_slice(&number.to_be_bytes());
    hash
}

fn sid(number: u64) -> SessionId {
    SessionId::from_bytes(u128::from(number).to_be_bytes())
}

/// What a person does: is invited, registers, logs in, fetches a token; and every third one logs out.
async fn comes_and_goes(store: &Store, number: u64) {
    let invitation = Invitation { owner: acme(), role: Role::User, expires_at: LATER, first: false };
    store.invite(hash(b'i', number), invitation).await.unwrap();
    println!("told invited {number}");
    let account = NewAccount {
        owner: acme(),
        username: format!("user {number}"),
        unique: format!("user {number}"),
        role: Role::User,
        password: Secret::from_text("hash"),
        invitation: Some(hash(b'i', number)),
        at: NOW,
    };
    let Created::Account(account) = store.create(account).await.unwrap() else { panic!("{number} was there before") };
    println!("told registered {number}");
    let session =
        Session { idle: Duration::from_hours(1000), expires_at: LATER, ..login_of(&account, sid(number), NOW) };
    let as_of = *store.appended().borrow();
    assert!(store.open(beginning(session, Some(hash(b's', number)), as_of)).await.unwrap().is_some());
    println!("told opened {number}");
    let refresh = Refresh { owner: acme(), account: account.id, sid: sid(number), expires_at: LATER };
    store.issue(hash(b'1', number), refresh).await.unwrap();
    store.rotate(&acme(), hash(b'1', number), hash(b'2', number), NOW).await.unwrap();
    println!("told rotated {number}");
    if number.is_multiple_of(3) {
        let what = What::Rest(Rest::on("sid", sid(number).to_string()));
        let ending = Ending { owner: Some(acme()), what, why: Why::LoggedOut, change: None, at: NOW };
        store.end(ending).await.unwrap();
        println!("told ended {number}");
    }
}

/// The process that will be killed: so many people, sixteen at a time.
async fn work(path: &str, people: u64) {
    let store = Arc::new(Store::open(path).unwrap());
    let first: u64 = std::env::var(FIRST).unwrap().parse().unwrap();
    let mut running = JoinSet::new();
    for number in first..first + people {
        if running.len() >= 16 {
            running.join_next().await.unwrap().unwrap();
        }
        let store = Arc::clone(&store);
        running.spawn(async move { comes_and_goes(&store, number).await });
    }
    while let Some(done) = running.join_next().await {
        done.unwrap();
    }
}

/// What the killed processes were told, by number.
type Told = BTreeMap<u64, BTreeSet<String>>;

/// Runs this test's own program as the process, and kills it after so many lines. Adds what it was told.
fn kill(test: &str, path: &str, first: u64, after: usize, told: &mut Told) {
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(VICTIM, path)
        .env(FIRST, first.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = 0;
    for line in BufReader::new(victim.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        let Some((_, said)) = line.split_once("told ") else { continue };
        let (what, number) = said.split_once(' ').unwrap();
        told.entry(number.parse().unwrap()).or_default().insert(what.to_owned());
        lines += 1;
        if lines == after {
            // On Unix this is SIGKILL: nothing of the process runs any more.
            victim.kill().unwrap();
        }
    }
    assert!(!victim.wait().unwrap().success(), "the process was not killed");
}

async fn whole_log(store: &Store) -> Vec<What> {
    let (mut read, mut whats) = (Cursor(0), vec![]);
    loop {
        let page = store.read_after(read, 500).await.unwrap();
        for entry in page.entries {
            assert_eq!(entry.cursor.0, read.0 + 1, "the log has a gap");
            read = entry.cursor;
            whats.push(entry.what);
        }
        if read == page.newest {
            return whats;
        }
    }
}

/// Holds everything that was told, and everything that was not, against what is on the disk.
async fn look_over(path: &str, told: &Told) {
    let store = Store::open(path).unwrap();
    let mut begun = BTreeSet::new();
    let mut ended = BTreeSet::new();
    for what in whole_log(&store).await {
        let is_new = match what {
            What::LoggedIn { sid, .. } => begun.insert(sid.to_string()),
            What::Rest(rest) => ended.insert(rest.value.to_string()),
            other => panic!("nobody said {other:?}"),
        };
        assert!(is_new, "something is in the log twice");
    }
    let mut numbers: BTreeSet<AccountId> = BTreeSet::new();
    for (&number, told) in told {
        let was_told = |what: &str| told.contains(what);
        let account = store.find_by_name(&acme(), &format!("user {number}")).await.unwrap();
        let is_invited = store.invitation(&acme(), hash(b'i', number), NOW).await.unwrap().is_some();
        assert_ne!(account.is_some(), is_invited, "{number} is half registered");
        assert!(account.is_some() || !was_told("registered"), "{number} is not registered any more");
        assert!(account.is_none_or(|account| numbers.insert(account.id)), "two accounts have one number");

        let name = sid(number).to_string();
        let by_id = store.find_by_id(&acme(), sid(number), NOW).await.unwrap();
        let by_cookie = Sessions::find(&store, &acme(), hash(b's', number), NOW).await.unwrap();
        assert_eq!(by_id, by_cookie);
        assert_eq!(
            by_id.is_some(),
            begun.contains(&name) && !ended.contains(&name),
            "{number}: the log says otherwise"
        );
        assert!(begun.contains(&name) || !was_told("opened"), "the login of {number} is lost");
        assert!(ended.contains(&name) || !was_told("ended"), "the login of {number} came back");

        let again = store.rotate(&acme(), hash(b'1', number), hash(b'3', number), NOW).await.unwrap();
        let used = matches!(again, Rotated::Reused(_) | Rotated::Unknown);
        assert!(used || !was_told("rotated"), "a token of {number} was used twice");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c82_killed_during_a_thousand_registrations_and_logins_the_store_opens_and_nobody_is_half_there() {
    let test = "c82_killed_during_a_thousand_registrations_and_logins_the_store_opens_and_nobody_is_half_there";
    if let Ok(path) = std::env::var(VICTIM) {
        return work(&path, 1000).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let mut told = Told::new();
    kill(test, path.to_str().unwrap(), 0, 1200, &mut told);
    assert!(told.len() > 250, "{} people came before the kill", told.len());
    look_over(path.to_str().unwrap(), &told).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c83_no_invariant_breaks_however_often_and_whenever_the_process_is_killed() {
    let test = "c83_no_invariant_breaks_however_often_and_whenever_the_process_is_killed";
    if let Ok(path) = std::env::var(VICTIM) {
        return work(&path, 1000).await;
    }
    const KILLS: u64 = 100;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let mut told = Told::new();
    // A generator of Lehmer's: the kills come after 1 to 61 lines, in the same places in every run.
    let mut drawn: u64 = 1;
    for round in 0..KILLS {
        drawn = drawn * 48_271 % 0x7FFF_FFFF;
        let after = usize::try_from(1 + drawn % 61).unwrap();
        kill(test, path.to_str().unwrap(), round * 10_000, after, &mut told);
    }
    look_over(path.to_str().unwrap(), &told).await;
}
