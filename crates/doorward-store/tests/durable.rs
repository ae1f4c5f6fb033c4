//! What was used once stays used: after a restart, and after the process was killed in the middle of its work.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use doorward_auth::ports::{AppKey, AppKeys, Ticket, TicketBinding, Tickets, UsedTokens};
use doorward_store::Store;
use doorward_types::{KeyId, OwnerId, Subject, Timestamp};

const NOW: Timestamp = Timestamp::from_secs(1_000_000);
const LATER: Timestamp = Timestamp::from_secs(2_000_000);

/// Tells the test below that it is the process that will be killed, and which store it works on.
const VICTIM: &str = "DOORWARD_TEST_VICTIM";

fn acme() -> OwnerId {
    OwnerId::new("acme")
}

fn bob() -> Subject {
    Subject { kind: "member".into(), pk: "7".into(), uuid: "bob".into() }
}

fn ticket() -> Ticket {
    let binding = TicketBinding::AnyGateOfOwner;
    Ticket { owner: acme(), binding, origin: None, subject: bob(), rests_on: vec![], issued_at: NOW, expires_at: LATER }
}

fn hash(number: u16) -> [u8; 32] {
    let mut hash = [0; 32];
    hash[..2].copy_from_slice(&number.to_be_bytes());
    hash
}

#[tokio::test]
async fn c84_after_a_restart_each_replay_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let open = || Store::open(path.to_str().unwrap()).unwrap();
    let key = AppKey {
        owner: acme(),
        id: KeyId::new("k"),
        public: [1; 32],
        subject: bob(),
        created_at: NOW,
        revoked_at: None,
    };

    let store = open();
    store.mint(hash(1), ticket()).await.unwrap();
    store.mint(hash(2), ticket()).await.unwrap();
    store.add(key).await.unwrap();
    assert!(store.consume(&acme(), hash(1), NOW).await.unwrap().is_some());
    assert!(store.use_once(&acme(), "issuer", "jti", LATER).await.unwrap());
    assert!(store.revoke(&acme(), &KeyId::new("k"), NOW).await.unwrap());
    drop(store);

    let store = open();
    assert_eq!(store.consume(&acme(), hash(1), NOW).await, Ok(None), "a used ticket opened after a restart");
    assert_eq!(store.consume(&acme(), hash(2), NOW).await, Ok(Some(ticket())), "an unused ticket is lost");
    assert_eq!(store.use_once(&acme(), "issuer", "jti", LATER).await, Ok(false), "a used token id was new again");
    let key = AppKeys::find(&store, &acme(), &KeyId::new("k")).await.unwrap().unwrap();
    assert_eq!(key.revoked_at, Some(NOW), "a revoked key opened after a restart");
}

#[tokio::test]
async fn c82_what_was_consumed_before_a_kill_stays_consumed_and_the_rest_stays_whole() {
    const TICKETS: u16 = 400;
    if let Ok(path) = std::env::var(VICTIM) {
        let store = Store::open(&path).unwrap();
        for number in 0..TICKETS {
            store.mint(hash(number), ticket()).await.unwrap();
        }
        for number in 0..TICKETS {
            assert!(store.consume(&acme(), hash(number), NOW).await.unwrap().is_some());
            println!("consumed {number}");
        }
        return;
    }

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let name = "c82_what_was_consumed_before_a_kill_stays_consumed_and_the_rest_stays_whole";
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(VICTIM, &path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut consumed = 0;
    for line in BufReader::new(victim.stdout.take().unwrap()).lines() {
        if line.unwrap().contains("consumed ") {
            consumed += 1;
        }
        if consumed == 60 {
            // On Unix this is SIGKILL: nothing of the process runs any more.
            victim.kill().unwrap();
        }
    }
    assert!(!victim.wait().unwrap().success(), "the process was not killed");
    assert!((60..TICKETS).contains(&consumed), "killed after {consumed} of {TICKETS}");

    let store = Store::open(path.to_str().unwrap()).unwrap();
    let mut left = 0;
    for number in 0..TICKETS {
        let ticket = store.consume(&acme(), hash(number), NOW).await.unwrap();
        assert!(
            number >= consumed || ticket.is_none(),
            "ticket {number} was consumed before the kill and opened again"
        );
        left += u16::from(ticket.is_some());
    }
    // One may have been on its way: consumed on disk, and not yet told.
    assert!(TICKETS - consumed - left <= 1, "{consumed} consumed, {left} left of {TICKETS}");
}
