use std::{net::IpAddr, time::Duration};

use doorward_auth::ports::{
    Account, Accounts, Attempt, Created, Ending, Invitation, KeyEntries, KeyEntry, NewAccount, NewSession, Refresh,
    Refreshes, Reserved, Revocations, Role, Session, Sessions, Throttle, What, Why,
};
use doorward_testkit::{beginning, login_of};
use doorward_types::{Cursor, Rest, Secret, SessionId};

use super::{
    super::tests::{NOW, acme, beside, count, leave_room_for, store},
    *,
};

fn new_account(name: &str, invitation: Option<[u8; 32]>) -> NewAccount {
    NewAccount {
        owner: acme(),
        username: name.to_owned(),
        unique: name.to_owned(),
        role: Role::User,
        password: Secret::from_text("hash"),
        invitation,
        at: NOW,
    }
}

async fn account(store: &Store) -> Account {
    match store.create(new_account("bob", None)).await.unwrap() {
        Created::Account(account) => account,
        other => panic!("{other:?}"),
    }
}

fn login(store: &Store, account: &Account, number: u8) -> NewSession {
    let days = Duration::from_hours(24 * 1000);
    let session = Session {
        browser: Some([number; 32]),
        agent: "x".repeat(2000),
        idle: days,
        expires_at: NOW.plus(days),
        ..login_of(account, SessionId::from_bytes([number; 16]), NOW)
    };
    beginning(session, Some([number; 32]), *store.appended().borrow())
}

fn ending(name: &str, at: Timestamp) -> Ending {
    let what = What::Rest(Rest::on("jti", name));
    Ending { owner: Some(acme()), what, why: Why::Revoked, change: None, at }
}

#[tokio::test]
async fn c76_on_a_full_disk_no_login_begins_nobody_is_half_registered_and_nothing_is_told() {
    let (folder, store) = store();
    let bob = account(&store).await;
    let invitation =
        Invitation { owner: acme(), role: Role::User, expires_at: NOW.plus(Duration::from_hours(1)), first: false };
    store.invite([1; 32], invitation).await.unwrap();
    leave_room_for(&store, 2).await;
    let mut number = 0;
    while Sessions::open(&store, login(&store, &bob, number)).await.is_ok() {
        number += 1;
    }
    let told = store.appended();
    assert_eq!(told.borrow().0, u64::from(number), "a login was told of that did not begin");
    let mut names = (0..).map(|number| format!("{number}{}", "y".repeat(2000)));
    while store.create(new_account(&names.next().unwrap(), None)).await.is_ok() {}
    let long = names.next().unwrap();
    assert!(store.create(new_account(&long, Some([1; 32]))).await.is_err());
    assert_eq!(store.find_by_name(&acme(), &long).await, Ok(None), "somebody is half registered");

    leave_room_for(&store, 1_000_000).await;
    let page = store.read_after(Cursor(0), 1000).await.unwrap();
    assert_eq!(
        (page.entries.len(), page.newest),
        (usize::from(number), *told.borrow()),
        "the log and its counter differ"
    );
    assert_eq!(count(&beside(&folder), "sessions"), i64::from(number));
    assert!(Sessions::open(&store, login(&store, &bob, number)).await.unwrap().is_some());
    assert_eq!(told.borrow().0, u64::from(number) + 1);
    let created = store.create(new_account(&long, Some([1; 32]))).await;
    assert!(matches!(created, Ok(Created::Account(_))), "an invitation was used up on a full disk");
}

#[tokio::test]
async fn an_ending_is_told_of_also_where_nobody_waits_for_its_answer() {
    let (_folder, store) = store();
    let mut appended = store.appended();
    let release = super::super::tests::hold_the_writer(&store).await;
    {
        let mut nobody_waits = Revocations::end(&store, ending("left alone", NOW));
        let sent = std::future::poll_fn(|context| std::task::Poll::Ready(nobody_waits.as_mut().poll(context))).await;
        assert!(sent.is_pending());
    }
    drop(release);
    let told = async { appended.wait_for(|newest| newest.0 == 1).await.map(|newest| newest.0) };
    let told = tokio::time::timeout(Duration::from_secs(10), told).await;
    assert!(matches!(told, Ok(Ok(1))), "nobody was told");
    assert_eq!(store.read_after(Cursor(0), 9).await.unwrap().entries.len(), 1);
}

#[tokio::test]
async fn the_sweep_forgets_what_a_site_need_not_know_any_more() {
    let (folder, store) = store();
    let (beside, bob) = (beside(&folder), account(&store).await);
    let opened = login(&store, &bob, 1);
    let sid = opened.session.sid;
    Sessions::open(&store, opened).await.unwrap().unwrap();
    let minutes = |minutes: u64| NOW.plus(Duration::from_secs(60 * minutes));
    let invitation = Invitation { owner: acme(), role: Role::User, expires_at: minutes(2), first: false };
    store.invite([1; 32], invitation).await.unwrap();
    let (id, username, account) = ("KEY".to_owned(), "bob".to_owned(), bob.id);
    let key = KeyEntry { owner: acme(), id, account, username, sid, expires_at: minutes(2) };
    assert_eq!(store.put([1; 32], key).await, Ok(true));
    store.issue([1; 32], Refresh { owner: acme(), account, sid, expires_at: minutes(2) }).await.unwrap();
    let attempt = Attempt {
        owner: acme(),
        factor: "password",
        subject: [7; 32],
        device: None,
        source: IpAddr::from([127, 0, 0, 1]),
        at: NOW,
    };
    assert!(matches!(store.reserve(attempt).await, Ok(Reserved::Go(_))));
    let tables = [
        ("invitations", minutes(2)),
        ("key_entries", minutes(2)),
        ("refreshes", minutes(2)),
        ("penalties", minutes(1)),
        ("attempts", minutes(24 * 60)),
        ("failures", minutes(30 * 24 * 60)),
        ("revocations", minutes(30 * 24 * 60 + 1)),
        ("browsers", minutes(400 * 24 * 60)),
    ];
    let mut times: Vec<_> = tables.iter().map(|(_, time)| *time).collect();
    times.sort_unstable();
    times.insert(0, NOW);
    for now in times {
        store.seen(vec![(sid, now)]).await.unwrap();
        for (table, until) in tables {
            assert_eq!(count(&beside, table), i64::from(now < until), "{table} at {now}");
        }
    }
    assert_eq!(count(&beside, "sessions"), 1, "a login is ended by an entry in the log, not by forgetting it");
    assert_eq!(store.end(ending("next", NOW)).await, Ok(Cursor(2)), "the counter was forgotten with the log");
}

#[tokio::test]
async fn a_clock_that_went_back_leaves_no_gap_in_the_log() {
    let (_folder, store) = store();
    let days = |days: u64| NOW.plus(Duration::from_hours(24 * days));
    for (name, at) in [("a", days(0)), ("b", days(20)), ("c", days(0)), ("d", days(40))] {
        store.end(ending(name, at)).await.unwrap();
    }
    let left = store.read_after(Cursor(0), 9).await.unwrap().entries;
    assert_eq!(left.iter().map(|entry| entry.cursor.0).collect::<Vec<_>>(), [2, 3, 4]);
}
