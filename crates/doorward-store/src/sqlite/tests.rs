use std::{net::IpAddr, path::Path, sync::mpsc, time::Duration};

use doorward_auth::ports::{Audit, AuditRecord, Outcome, Ticket, TicketBinding, Tickets, UsedTokens};
use doorward_types::{GateName, OwnerId, Subject, Timestamp, TraceId};
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::*;

pub(super) const NOW: Timestamp = Timestamp::from_secs(1_000_000);

pub(super) fn acme() -> OwnerId {
    OwnerId::new("acme")
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

/// A store in a file that is gone after the test.
fn store_with(options: Options) -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_with(folder.path().join("store.db").to_str().unwrap(), options).unwrap();
    (folder, store)
}

pub(super) fn store() -> (tempfile::TempDir, Store) {
    store_with(Options::default())
}

/// Keeps the writer busy until the sender is dropped, so that all that is sent meanwhile comes in one batch.
pub(super) async fn hold_the_writer(store: &Store) -> mpsc::Sender<()> {
    let (release, released) = mpsc::channel::<()>();
    let (started, has_started) = oneshot::channel();
    let holding = store.clone();
    tokio::spawn(async move {
        let held = holding.write(None, move |_| {
            let _ = started.send(());
            let _ = released.recv();
            Ok(())
        });
        held.await.unwrap();
    });
    has_started.await.unwrap();
    release
}

/// Lets the file grow by so many pages and no more, as if the disk were full then.
pub(super) async fn leave_room_for(store: &Store, pages: i64) {
    let limit = move |connection: &Connection| {
        let used: i64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
        connection.query_row(&format!("PRAGMA max_page_count = {}", used + pages), [], |_| Ok(()))
    };
    store.write(None, limit).await.unwrap();
}

pub(super) fn beside(folder: &tempfile::TempDir) -> Connection {
    Connection::open(folder.path().join("store.db")).unwrap()
}

pub(super) fn count(connection: &Connection, table: &str) -> i64 {
    connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn what_is_answered_is_committed() {
    let (folder, store) = store();
    let beside = beside(&folder);
    for number in 0..20_i64 {
        store.use_once(&acme(), "issuer", &number.to_string(), NOW).await.unwrap();
        assert_eq!(count(&beside, "used_tokens"), number + 1);
    }
}

#[tokio::test]
async fn a_command_that_fails_does_not_fail_those_that_are_committed_with_it() {
    let (folder, store) = store();
    let release = hold_the_writer(&store).await;
    let acme = acme();
    let broken = store.write(None, |connection| {
        connection.execute("INSERT INTO used_tokens VALUES ('acme', 'issuer', 'undone', 1)", [])?;
        connection.execute("INSERT INTO tickets VALUES ('too few')", [])
    });
    let (before, broken, after, ()) = tokio::join!(
        store.use_once(&acme, "issuer", "before", NOW),
        broken,
        store.use_once(&acme, "issuer", "after", NOW),
        async { drop(release) }
    );
    assert_eq!((before, after), (Ok(true), Ok(true)));
    assert!(matches!(broken, Err(StoreError::Failed { .. })), "{broken:?}");
    assert_eq!(count(&beside(&folder), "used_tokens"), 2, "a failed command left something behind");
}

#[tokio::test]
async fn an_unknown_ticket_does_not_wait_for_the_writer() {
    let (_folder, store) = store();
    let release = hold_the_writer(&store).await;
    let acme = acme();
    let consumed = tokio::time::timeout(Duration::from_secs(10), store.consume(&acme, [9; 32], NOW)).await;
    drop(release);
    assert_eq!(consumed, Ok(Ok(None)), "it waited for the writer");
}

#[tokio::test]
async fn c76_a_full_disk_refuses_and_the_store_recovers_when_space_returns() {
    let (folder, store) = store();
    store.mint([1; 32], ticket()).await.unwrap();
    leave_room_for(&store, 2).await;
    let long = "x".repeat(2000);
    let mut number = 0;
    while store.use_once(&acme(), &long, &number.to_string(), NOW).await == Ok(true) {
        number += 1;
    }
    let said = store.use_once(&acme(), &long, &number.to_string(), NOW).await.unwrap_err().to_string();
    let path = folder.path().join("store.db");
    assert_eq!(said, format!("used tokens is unavailable: the disk of the store `{}` is full", path.display()));

    // No row was among what failed, so rows are taken until one fails; then nobody is let in, and no row is lost.
    let mut last = 0;
    store.record(row(last)).unwrap();
    while store.flush().await.is_ok() {
        last += 1;
        store.record(row(last)).unwrap();
    }
    let refused = store.record(row(255)).unwrap_err();
    assert!(refused.detail.ends_with("is full"), "{refused}");

    leave_room_for(&store, 1_000_000).await;
    assert_eq!(store.use_once(&acme(), "issuer", "after", NOW).await, Ok(true));
    assert_eq!(store.flush().await, Ok(()));
    assert_eq!(store.record(row(254)), Ok(()));
    assert_eq!(store.find(row(last).trace).await, Ok(Some(row(last))), "a row that could not be written is lost");
    assert_eq!(store.consume(&acme(), [1; 32], NOW).await, Ok(Some(ticket())));
    assert_eq!(store.consume(&acme(), [1; 32], NOW).await, Ok(None));
}

#[tokio::test]
async fn when_the_writer_has_panicked_no_row_is_taken_any_more() {
    let (_folder, store) = store();
    let (go_on, may_go_on) = mpsc::channel::<()>();
    let (started, has_started) = oneshot::channel();
    let panics = store.write(None, move |_| -> rusqlite::Result<()> {
        let _ = started.send(());
        let _ = may_go_on.recv();
        panic!("as a defect would");
    });
    let (panicked, ()) = tokio::join!(panics, async {
        has_started.await.unwrap();
        // The writer is told of this one, and never looks.
        store.record(row(1)).unwrap();
        drop(go_on);
    });
    assert_eq!(panicked, Err(StoreError::Closed));
    assert!(store.flush().await.is_err());
    assert!(store.record(row(2)).is_err(), "a row was taken that nobody will write");
}

#[tokio::test]
async fn when_a_full_disk_ends_the_transaction_nobody_in_it_is_told_that_all_went_well() {
    let (folder, store) = store();
    leave_room_for(&store, 2).await;
    let release = hold_the_writer(&store).await;
    let mut uses = tokio::task::JoinSet::new();
    for number in 0..40 {
        let store = store.clone();
        uses.spawn(async move { store.use_once(&acme(), &"x".repeat(2000), &number.to_string(), NOW).await });
    }
    // Each of them has been sent when it has been polled once.
    tokio::task::yield_now().await;
    drop(release);
    let used = uses.join_all().await;
    assert!(used.iter().any(Result::is_err), "the disk was never full");
    let told = used.iter().filter(|used| **used == Ok(true)).count();
    assert_eq!(count(&beside(&folder), "used_tokens"), i64::try_from(told).unwrap());
}

#[tokio::test]
async fn while_audit_rows_cannot_be_written_none_is_taken_and_the_first_refused_one_brings_a_new_try() {
    let (folder, store) = store();
    let beside = beside(&folder);
    beside.execute_batch("ALTER TABLE audit RENAME TO away").unwrap();
    store.record(row(1)).unwrap();
    assert!(store.flush().await.is_err());
    assert_eq!(store.use_once(&acme(), "issuer", "id", NOW).await, Ok(true), "the audit log failed something else");
    assert!(store.record(row(2)).is_err());

    beside.execute_batch("ALTER TABLE away RENAME TO audit").unwrap();
    let mut number = 3;
    while store.record(row(number)).is_err() {
        number = 4;
        tokio::task::yield_now().await;
    }
    store.flush().await.unwrap();
    assert!(store.find(row(1).trace).await.unwrap().is_some(), "the row that failed at first is lost");
    assert!(store.find(row(number).trace).await.unwrap().is_some());
}

#[tokio::test]
async fn whoever_asks_whether_rows_are_taken_hears_when_they_are_again_though_nobody_comes() {
    let (folder, store) = store();
    let beside = beside(&folder);
    assert_eq!(store.is_taking(), Ok(()));
    beside.execute_batch("ALTER TABLE audit RENAME TO away").unwrap();
    store.record(row(1)).unwrap();
    assert!(store.flush().await.is_err());
    assert!(store.is_taking().is_err());

    beside.execute_batch("ALTER TABLE away RENAME TO audit").unwrap();
    while store.is_taking().is_err() {
        tokio::task::yield_now().await;
    }
    assert!(store.find(row(1).trace).await.unwrap().is_some());
}

#[tokio::test]
async fn the_audit_queue_is_bounded_and_has_room_again_when_it_was_written() {
    let (_folder, store) = store_with(Options { audit_queue: 3, ..Options::default() });
    let release = hold_the_writer(&store).await;
    assert!((0..3).all(|number| store.record(row(number)).is_ok()));
    let refused = store.record(row(3)).unwrap_err();
    assert_eq!(refused.detail, "the audit log has 3 rows waiting to be written and takes no more");
    drop(release);
    store.flush().await.unwrap();
    assert_eq!(store.record(row(3)), Ok(()));
}

#[tokio::test]
async fn rows_that_wait_are_written_when_the_store_is_closed() {
    let (folder, store) = store();
    store.record(row(1)).unwrap();
    drop(store);
    assert_eq!(count(&beside(&folder), "audit"), 1);
}

#[tokio::test]
async fn expired_tickets_and_marks_go_with_time_and_marks_are_kept_a_day_longer() {
    let (folder, store) = store();
    let beside = beside(&folder);
    store.mint([1; 32], ticket()).await.unwrap();
    store.use_once(&acme(), "issuer", "id", NOW).await.unwrap();
    let clock = |later: Duration| {
        store.record(AuditRecord { at: NOW.plus(later), ..row(1) }).unwrap();
        store.flush()
    };
    clock(Duration::from_secs(29)).await.unwrap();
    assert_eq!((count(&beside, "tickets"), count(&beside, "used_tokens")), (1, 1));
    clock(Duration::from_mins(2)).await.unwrap();
    assert_eq!((count(&beside, "tickets"), count(&beside, "used_tokens")), (0, 1));
    clock(Duration::from_hours(25)).await.unwrap();
    assert_eq!((count(&beside, "tickets"), count(&beside, "used_tokens")), (0, 0));
}

#[tokio::test]
async fn the_sweep_goes_on_after_the_clock_went_back() {
    let (folder, store) = store();
    store.record(AuditRecord { at: NOW.plus(Duration::from_hours(24 * 365)), ..row(1) }).unwrap();
    store.flush().await.unwrap();
    store.mint([1; 32], Ticket { expires_at: Timestamp::from_secs(5), ..ticket() }).await.unwrap();
    store.record(row(2)).unwrap();
    store.flush().await.unwrap();
    assert_eq!(count(&beside(&folder), "tickets"), 0);
}

#[tokio::test]
async fn the_audit_log_keeps_the_newest_rows_up_to_its_length_and_its_age() {
    let options = Options { audit_rows: 3, audit_age: Duration::from_hours(1), ..Options::default() };
    let (_folder, store) = store_with(options);
    let at = |number: u8, later| AuditRecord { at: NOW.plus(Duration::from_mins(later)), ..row(number) };
    for row in [at(1, 0), at(2, 1), at(3, 2), at(4, 3)] {
        store.record(row).unwrap();
        store.flush().await.unwrap();
    }
    let kept = store.newest(None, 9).await.unwrap();
    assert_eq!(kept, [at(4, 3), at(3, 2), at(2, 1)], "by length");
    store.record(at(5, 62)).unwrap();
    store.flush().await.unwrap();
    let kept = store.newest(None, 9).await.unwrap();
    assert_eq!(kept, [at(5, 62), at(4, 3), at(3, 2)], "by age");
}

#[tokio::test]
async fn a_file_that_was_damaged_is_said_to_be_damaged() {
    let (folder, store) = store();
    store.mint([1; 32], ticket()).await.unwrap();
    drop(store);
    let path = folder.path().join("store.db");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[4096..].fill(0xAA);
    std::fs::write(&path, bytes).unwrap();
    let error = Store::open(path.to_str().unwrap()).err().unwrap().to_string();
    assert!(error.starts_with(&format!("the store `{}` is damaged", path.display())), "{error}");
}

#[tokio::test]
async fn a_host_name_belongs_to_one_owner() {
    let (_folder, store) = store();
    let owner = |id: &str, host: &str| Owner {
        id: OwnerId::new(id),
        name: id.to_uppercase(),
        host: Some(host.to_owned()),
        created_at: NOW,
    };
    assert_eq!(store.ensure_owner(owner("globex", "globex.example")).await, Ok(true));
    assert_eq!(store.ensure_owner(owner("acme", "acme.example")).await, Ok(true));
    assert_eq!(store.ensure_owner(owner("acme", "changed.example")).await, Ok(false));
    assert!(store.ensure_owner(owner("third", "acme.example")).await.is_err());
    assert_eq!(store.owners().await, Ok(vec![owner("acme", "acme.example"), owner("globex", "globex.example")]));
}

#[tokio::test]
async fn sqlite_is_set_to_survive_a_power_cut() {
    let (_folder, store) = store();
    let settings = store.write(None, |connection| {
        let journal: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
        let synchronous: i64 = connection.query_row("PRAGMA synchronous", [], |row| row.get(0))?;
        Ok((journal, synchronous))
    });
    assert_eq!(settings.await, Ok(("wal".to_owned(), 2)), "2 is FULL");
    assert!(Path::new(&store.inner.path).exists());
}
