//! A disk that takes nothing: every write to a file is an I/O error, as of a device that fails, and later it is not.
//!
//! The size of files that the process may write is limited to nothing, which the system tells by `EFBIG` where the signal is
//! ignored. A test that does so runs in a process of its own.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test tells by a panic that something does not hold")]

use std::{net::IpAddr, process::Command, time::Duration};

use doorward_auth::ports::{
    Accounts, Audit, AuditRecord, Created, NewAccount, NewSession, Outcome, Revocations, Role, Sessions, Ticket,
    TicketBinding, Tickets,
};
use doorward_store::Store;
use doorward_testkit::{beginning, login_of};
use doorward_types::{GateName, OwnerId, Secret, SessionId, Subject, Timestamp, TraceId};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

const NOW: Timestamp = Timestamp::from_secs(1_000_000);

/// Tells the test below that it is the process on whose disk nothing can be written: on which store it works.
const VICTIM: &str = "DOORWARD_TEST_BROKEN_DISK";

fn acme() -> OwnerId {
    OwnerId::new("acme")
}

fn ticket() -> Ticket {
    Ticket {
        owner: acme(),
        binding: TicketBinding::AnyGateOfOwner,
        origin: None,
        subject: Subject { kind: "member".into(), pk: "7".into(), uuid: "bob".into() },
        rests_on: vec![],
        issued_at: NOW,
        expires_at: NOW.plus(Duration::from_secs(30)),
    }
}

fn row(number: u8) -> AuditRecord {
    AuditRecord {
        trace: TraceId::from_bytes([number; 16]),
        at: NOW,
        took_ms: 1,
        owner: Some(acme()),
        gate: Some(GateName::new("fancy")),
        source: Some(IpAddr::from([127, 0, 0, 1])),
        subject: None,
        outcome: Outcome::HungUp,
        trail: vec![],
    }
}

async fn login(store: &Store, name: &str) -> NewSession {
    let new = NewAccount {
        owner: acme(),
        username: name.into(),
        unique: name.into(),
        role: Role::User,
        password: Secret::from_text("hash"),
        invitation: None,
        at: NOW,
    };
    let Created::Account(account) = store.create(new).await.unwrap() else { panic!("{name} was there before") };
    let session = login_of(&account, SessionId::from_bytes([1; 16]), NOW);
    beginning(session, Some([1; 32]), *store.appended().borrow())
}

/// Whether anything can be written to a file.
fn disk(works: bool) {
    let Rlimit { maximum, .. } = getrlimit(Resource::Fsize);
    let current = if works { maximum } else { Some(0) };
    setrlimit(Resource::Fsize, Rlimit { current, maximum }).unwrap();
}

fn is_an_error_of_the_disk<T: std::fmt::Debug, E: std::fmt::Display>(answer: Result<T, E>) {
    let error = answer.map_err(|error| error.to_string()).unwrap_err();
    assert!(error.contains("disk I/O error"), "{error}");
}

async fn on_a_disk_that_fails_and_heals(path: &str) {
    let store = Store::open(path).unwrap();
    let login = login(&store, "bob").await;
    store.mint([1; 32], ticket()).await.unwrap();
    store.record(row(1)).unwrap();
    store.flush().await.unwrap();

    disk(false);
    is_an_error_of_the_disk(store.consume(&acme(), [1; 32], NOW).await);
    is_an_error_of_the_disk(Sessions::open(&store, login.clone()).await);
    store.record(row(2)).unwrap();
    is_an_error_of_the_disk(store.flush().await);
    assert!(store.is_taking().is_err() && store.record(row(3)).is_err(), "nobody is let in who cannot be written down");
    assert_eq!(store.appended().borrow().0, 0, "a login was told of that did not begin");
    assert_eq!(Sessions::find(&store, &acme(), [1; 32], NOW).await, Ok(None), "what is there can be read");

    disk(true);
    assert_eq!(store.consume(&acme(), [1; 32], NOW).await, Ok(Some(ticket())));
    assert_eq!(store.consume(&acme(), [1; 32], NOW).await, Ok(None));
    assert!(Sessions::open(&store, login).await.unwrap().is_some());
    assert_eq!((store.flush().await, store.record(row(4)).is_ok()), (Ok(()), true));
    assert_eq!(Audit::find(&store, row(2).trace).await, Ok(Some(row(2))), "a row that could not be written is lost");
}

#[tokio::test]
async fn c76_where_nothing_can_be_written_all_is_refused_and_nothing_used_up_and_it_goes_on_when_it_can() {
    if let Ok(path) = std::env::var(VICTIM) {
        return on_a_disk_that_fails_and_heals(&path).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let name = "c76_where_nothing_can_be_written_all_is_refused_and_nothing_used_up_and_it_goes_on_when_it_can";
    let ignoring = "trap '' XFSZ; exec \"$0\" \"$@\"";
    let victim = Command::new("sh")
        .args(["-c", ignoring])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(VICTIM, folder.path().join("store.db"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&victim.stderr);
    assert!(victim.status.success(), "{said}\n{}", String::from_utf8_lossy(&victim.stdout));
}
