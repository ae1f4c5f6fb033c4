use doorward_auth::{
    BoxFuture,
    ports::{
        Account, AppKey, AppKeys, Change, Ending, KeyEntry, LogEntry, PortError, Refresh, Rotated, Session, SitePorts,
        Ticket, TicketBinding, Tickets, What, Why,
    },
};
use doorward_types::{Cursor, KeyId, OwnerId, Rest, Secret, Subject, Timestamp};

use super::{
    acme, all, globex, others_first,
    site::{NOW, account, account_of, after, changing, end, ending, holds, logged, login, newest, said, unique},
};

/// Everything that [`Revocations`](doorward_auth::ports::Revocations) promises, with the tickets and app keys that its endings
/// void.
pub async fn revocations(site: &SitePorts, tickets: &dyn Tickets, app_keys: &dyn AppKeys) {
    an_ending_is_read_back_as_it_was_said(site).await;
    the_log_is_read_after_a_cursor_in_pages(site).await;
    c4_an_ending_of_a_login_ends_that_one_and_an_ending_of_a_subject_all_of_its(site).await;
    c9_all_others_end_and_the_kept_one_does_not(site).await;
    c3_what_was_issued_before_a_time_ends_for_a_subject_for_an_owner_and_for_everybody(site).await;
    c3_what_a_clock_that_was_ahead_has_issued_counts_as_before_any_time(site, tickets).await;
    an_ending_of_one_owner_does_not_reach_anothers(site).await;
    an_account_is_disabled_and_its_logins_end_in_one_act(site).await;
    a_password_is_changed_and_the_other_logins_end_in_one_act(site).await;
    an_app_key_is_revoked_with_its_ending(site, app_keys).await;
    c13_a_ticket_is_void_when_what_it_rests_on_has_ended(site, tickets).await;
    a_ticket_that_rests_on_something_that_ended_is_void_from_the_beginning(site, tickets).await;
    what_a_login_was_given_is_void_when_it_has_ended(site).await;
    a_login_is_no_ending(site).await;
    the_signal_follows_the_log(site).await;
    under_many_writers_a_follower_reads_every_entry_once_in_order(site).await;
    the_numbers_go_on_when_the_whole_log_was_forgotten(site).await;
}

async fn an_ending_is_read_back_as_it_was_said(site: &SitePorts) {
    let subject = Subject { kind: "terminal".into(), pk: "7=\"☂\"".into(), uuid: "till".into() };
    let keep = login(site, &account(site, "is read back").await).await.sid;
    let whats = [
        What::Rest(Rest::on("jti", "a=b ☂")),
        What::Others { subject: subject.clone(), keep },
        What::NotBefore { subject: Some(subject), at: after(5) },
        What::NotBefore { subject: None, at: Timestamp::from_secs(1) },
    ];
    for (number, what) in whats.into_iter().enumerate() {
        let why = Why::ALL[number];
        let owner = (number % 2 == 0).then(acme);
        let cursor = site.revocations.end(Ending { owner: owner.clone(), why, ..ending(what.clone()) }).await.unwrap();
        let page = site.revocations.read_after(Cursor(cursor.0 - 1), 9).await.unwrap();
        assert_eq!(page.entries, [LogEntry { cursor, at: NOW, owner, what, why }]);
        assert_eq!(page.newest, cursor);
    }
}

async fn the_log_is_read_after_a_cursor_in_pages(site: &SitePorts) {
    let before = newest(site);
    for number in 0..5 {
        end(site, Rest::on("jti", number.to_string())).await;
    }
    let read = async |after, at_most| {
        let page = site.revocations.read_after(Cursor(before.0 + after), at_most).await.unwrap();
        assert_eq!(page.newest.0, before.0 + 5);
        page.entries.iter().map(|entry| entry.cursor.0 - before.0).collect::<Vec<_>>()
    };
    assert_eq!(read(0, 2).await, [1, 2]);
    assert_eq!(read(2, 9).await, [3, 4, 5]);
    assert_eq!(read(5, 9).await, [0; 0]);
    assert_eq!(read(50, 9).await, [0; 0], "after a cursor that is not there yet there is nothing");
    assert_eq!(read(0, 0).await, [0; 0]);
}

async fn c4_an_ending_of_a_login_ends_that_one_and_an_ending_of_a_subject_all_of_its(site: &SitePorts) {
    let [account, bystander] = [account(site, "is ended").await, account(site, "is not ended").await];
    let [one, two, three] = [login(site, &account).await, login(site, &account).await, login(site, &bystander).await];
    end(site, one.rest()).await;
    assert_eq!([holds(site, &one).await, holds(site, &two).await, holds(site, &three).await], [false, true, true]);
    let before = newest(site);
    end(site, account.subject().rest()).await;
    assert_eq!([holds(site, &two).await, holds(site, &three).await], [false, true]);
    assert_eq!(logged(site, before).await.len(), 1, "one ending is one entry, however much it ends");
    assert!(holds(site, &login(site, &account).await).await, "a subject may come again");
}

async fn c9_all_others_end_and_the_kept_one_does_not(site: &SitePorts) {
    let account = account(site, "keeps one").await;
    let [one, kept, two] = [login(site, &account).await, login(site, &account).await, login(site, &account).await];
    let bystander = login(site, &account_of(site, acme(), "keeps all").await).await;
    let others = What::Others { subject: account.subject(), keep: kept.sid };
    site.revocations.end(ending(others)).await.unwrap();
    let held = [holds(site, &one).await, holds(site, &kept).await, holds(site, &two).await];
    assert_eq!(held, [false, true, false]);
    assert!(holds(site, &bystander).await);
}

async fn c3_what_was_issued_before_a_time_ends_for_a_subject_for_an_owner_and_for_everybody(site: &SitePorts) {
    let [one, other] = [account(site, "is old").await, account(site, "is old too").await];
    let theirs = account_of(site, globex(), "is old elsewhere").await;
    let login_at = async |account: &Account, secs| {
        let mut new = super::site::new_login(site, account);
        new.session.created_at = after(secs);
        super::site::open(site, new).await
    };
    let old = [login_at(&one, 9).await, login_at(&other, 9).await, login_at(&theirs, 9).await];
    let young = [login_at(&one, 10).await, login_at(&other, 10).await, login_at(&theirs, 10).await];
    let not_before = |owner: Option<OwnerId>, subject| Ending {
        owner,
        at: after(11),
        ..ending(What::NotBefore { subject, at: after(10) })
    };
    let held = async |sessions: &[Session; 3]| {
        let [one, two, three] = sessions;
        [holds(site, one).await, holds(site, two).await, holds(site, three).await]
    };
    site.revocations.end(not_before(Some(acme()), Some(one.subject()))).await.unwrap();
    assert_eq!(held(&old).await, [false, true, true]);
    site.revocations.end(not_before(Some(acme()), None)).await.unwrap();
    assert_eq!(held(&old).await, [false, false, true]);
    site.revocations.end(not_before(None, None)).await.unwrap();
    assert_eq!(held(&old).await, [false, false, false]);
    assert_eq!(held(&young).await, [true, true, true], "what was issued at the time itself goes on");
}

async fn c3_what_a_clock_that_was_ahead_has_issued_counts_as_before_any_time(site: &SitePorts, tickets: &dyn Tickets) {
    let ahead = after(7200);
    for of_one in [true, false] {
        let account = account(site, &format!("is ahead, {of_one}")).await;
        let login_at = async |at| {
            let mut new = super::site::new_login(site, &account);
            (new.session.created_at, new.session.last_seen) = (at, at);
            super::site::open(site, new).await
        };
        let [since, of_then] = [login_at(after(11)).await, login_at(ahead).await];
        let subject = account.subject();
        let [good, void] = [unique(), unique()];
        for (hash, issued_at) in [(good, after(11)), (void, ahead)] {
            let ticket = ticket(acme(), subject.clone(), vec![subject.rest()]);
            let ticket = Ticket { issued_at, expires_at: after(9000), ..ticket };
            tickets.mint(hash, ticket).await.unwrap();
        }
        let what = What::NotBefore { subject: of_one.then_some(subject), at: after(10) };
        let before = newest(site);
        site.revocations.end(Ending { at: after(11), ..ending(what.clone()) }).await.unwrap();
        let told = [(What::Rest(of_then.rest()), Why::Revoked), (what, Why::Revoked)];
        assert_eq!(said(logged(site, before).await), told, "no time tells its sockets");
        let found = async |sid, now| site.sessions.find_by_id(&acme(), sid, now).await.unwrap().is_some();
        assert!(found(since.sid, after(60)).await);
        assert!(!found(of_then.sid, ahead).await, "it is found when its time has come");
        assert_eq!(tickets.consume(&acme(), void, after(12)).await, Ok(None), "a ticket of then");
        assert!(tickets.consume(&acme(), good, after(12)).await.unwrap().is_some());
    }
}

async fn an_ending_of_one_owner_does_not_reach_anothers(site: &SitePorts) {
    let account = account(site, "is out of reach").await;
    let session = login(site, &account).await;
    let theirs = |what, change| Ending { owner: Some(globex()), change, ..ending(what) };
    let (subject, at) = (account.subject(), after(1000));
    let kept = super::site::new_login(site, &account).session.sid;
    let endings = [
        theirs(What::Rest(session.rest()), Some(Change::Disable(account.id))),
        theirs(What::Rest(subject.rest()), Some(Change::Password(account.id, Secret::from_text("theirs")))),
        theirs(What::Others { subject: subject.clone(), keep: kept }, Some(Change::RemoveTotp(account.id))),
        theirs(What::NotBefore { subject: Some(subject), at }, None),
        theirs(What::NotBefore { subject: None, at }, None),
    ];
    for ending in endings {
        site.revocations.end(ending.clone()).await.unwrap();
        assert!(holds(site, &session).await, "{ending:?}");
    }
    assert_eq!(site.accounts.find(&acme(), account.id).await, Ok(Some(account)), "another owner changed an account");
}

async fn an_account_is_disabled_and_its_logins_end_in_one_act(site: &SitePorts) {
    let account = account(site, "is locked").await;
    let (session, before) = (login(site, &account).await, newest(site));
    site.revocations.end(changing(&account, Why::Disabled, Change::Disable(account.id))).await.unwrap();
    assert!(!holds(site, &session).await);
    let found = site.accounts.find(&acme(), account.id).await.unwrap().unwrap();
    assert_eq!((found.disabled_at, found.is_enabled()), (Some(NOW), false));
    assert_eq!(said(logged(site, before).await), [(What::Rest(account.subject().rest()), Why::Disabled)]);
    let again = Ending { at: after(9), ..changing(&account, Why::Disabled, Change::Disable(account.id)) };
    site.revocations.end(again).await.unwrap();
    let found = site.accounts.find(&acme(), account.id).await.unwrap().unwrap();
    assert_eq!(found.disabled_at, Some(NOW), "the first time counts");
}

async fn a_password_is_changed_and_the_other_logins_end_in_one_act(site: &SitePorts) {
    let account = account(site, "changes").await;
    let [kept, other] = [login(site, &account).await, login(site, &account).await];
    let password = Secret::from_text("$argon2id$of the second");
    let what = What::Others { subject: account.subject(), keep: kept.sid };
    let change = Some(Change::Password(account.id, password.clone()));
    site.revocations.end(Ending { why: Why::CredentialChanged, change, ..ending(what) }).await.unwrap();
    assert_eq!([holds(site, &kept).await, holds(site, &other).await], [true, false]);
    assert_eq!(site.accounts.find(&acme(), account.id).await.unwrap().map(|account| account.password), Some(password));
}

async fn an_app_key_is_revoked_with_its_ending(site: &SitePorts, app_keys: &dyn AppKeys) {
    let id = KeyId::new("ended with its sockets");
    for owner in [acme(), globex()] {
        let (id, subject) = (id.clone(), super::member("bob"));
        let key = AppKey { owner, id, public: [7; 32], subject, created_at: NOW, revoked_at: None };
        assert_eq!(app_keys.add(key).await, Ok(true));
    }
    let what = What::Rest(Rest::on("key", id.as_str()));
    let change = Some(Change::RevokeAppKey(id.clone()));
    site.revocations.end(Ending { change, ..ending(what) }).await.unwrap();
    let revoked_at = async |owner| app_keys.find(&owner, &id).await.unwrap().unwrap().revoked_at;
    assert_eq!([revoked_at(acme()).await, revoked_at(globex()).await], [Some(NOW), None]);
}

fn ticket(owner: OwnerId, subject: Subject, rests_on: Vec<Rest>) -> Ticket {
    let (binding, expires_at) = (TicketBinding::AnyGateOfOwner, after(30));
    Ticket { owner, binding, origin: None, subject, rests_on, issued_at: NOW, expires_at }
}

async fn c13_a_ticket_is_void_when_what_it_rests_on_has_ended(site: &SitePorts, tickets: &dyn Tickets) {
    let account = account(site, "has tickets").await;
    let [session, other] = [login(site, &account).await, login(site, &account).await];
    let (subject, rest) = (account.subject(), session.rest());
    let key = Rest::on("key", "k=1");
    let others = What::Others { subject: subject.clone(), keep: other.sid };
    let ends = [
        ending(What::Rest(rest.clone())),
        ending(What::Rest(key.clone())),
        ending(What::Rest(subject.rest())),
        ending(others),
        ending(What::NotBefore { subject: Some(subject.clone()), at: after(1) }),
        ending(What::NotBefore { subject: None, at: after(1) }),
        Ending { owner: None, ..ending(What::NotBefore { subject: None, at: after(1) }) },
        Ending { owner: None, ..ending(What::Rest(subject.rest())) },
    ];
    for (number, end) in ends.into_iter().enumerate() {
        // What ended for ever does not come again, so every case has names of its own.
        let of_case = |rest: &Rest| Rest { value: format!("{}/{number}", rest.value).into(), ..rest.clone() };
        let rests_on = vec![of_case(&rest), of_case(&key)];
        let what = match end.what {
            What::Rest(rest) if rest.kind != "subject" => What::Rest(of_case(&rest)),
            what => what,
        };
        let (hash, theirs) = (unique(), unique());
        tickets.mint(hash, ticket(acme(), subject.clone(), rests_on.clone())).await.unwrap();
        tickets.mint(theirs, ticket(globex(), subject.clone(), rests_on)).await.unwrap();
        let end = Ending { what, ..end };
        site.revocations.end(end.clone()).await.unwrap();
        assert_eq!(tickets.consume(&acme(), hash, NOW).await, Ok(None), "it outlived {end:?}");
        let theirs = tickets.consume(&globex(), theirs, NOW).await.unwrap();
        assert_eq!(theirs.is_some(), end.owner.is_some(), "another owner's, after {end:?}");
    }

    let hash = unique();
    tickets.mint(hash, ticket(acme(), subject.clone(), vec![other.rest()])).await.unwrap();
    let bystanders = [
        What::Rest(Rest::on("sid", "another")),
        What::Others { subject: subject.clone(), keep: other.sid },
        What::NotBefore { subject: Some(subject), at: NOW },
        What::Rest(Rest::on("subject", "member:0")),
    ];
    for what in bystanders {
        site.revocations.end(ending(what)).await.unwrap();
    }
    assert!(tickets.consume(&acme(), hash, NOW).await.unwrap().is_some(), "an ending of something else voided it");
}

async fn a_ticket_that_rests_on_something_that_ended_is_void_from_the_beginning(
    site: &SitePorts,
    tickets: &dyn Tickets,
) {
    let account = account(site, "is too late").await;
    let session = login(site, &account).await;
    end(site, session.rest()).await;
    end(site, account.subject().rest()).await;
    let [late, in_time, elsewhere] = [unique(), unique(), unique()];
    tickets.mint(late, ticket(acme(), account.subject(), vec![session.rest()])).await.unwrap();
    tickets.mint(elsewhere, ticket(globex(), account.subject(), vec![session.rest()])).await.unwrap();
    tickets.mint(in_time, ticket(acme(), account.subject(), vec![])).await.unwrap();
    assert_eq!(tickets.consume(&acme(), late, NOW).await, Ok(None), "it was minted after its login had ended");
    assert!(tickets.consume(&globex(), elsewhere, NOW).await.unwrap().is_some(), "what ended is another owner's");
    assert!(tickets.consume(&acme(), in_time, NOW).await.unwrap().is_some(), "a subject may come again");
}

async fn what_a_login_was_given_is_void_when_it_has_ended(site: &SitePorts) {
    let account = account(site, "was given").await;
    let session = login(site, &account).await;
    let Session { owner, sid, username, .. } = session.clone();
    let key = KeyEntry { owner, id: "GIVEN".into(), account: account.id, username, sid, expires_at: after(60) };
    let refresh = Refresh { owner: acme(), account: account.id, sid, expires_at: after(60) };
    let [key_hash, hash] = [unique(), unique()];
    assert_eq!(site.key_entries.put(key_hash, key.clone()).await, Ok(true));
    site.refreshes.issue(hash, refresh.clone()).await.unwrap();
    end(site, account.subject().rest()).await;
    assert_eq!(site.refreshes.rotate(&acme(), hash, unique(), NOW).await, Ok(Rotated::Unknown));
    let entered = site.key_entries.enter(&acme(), "GIVEN", key_hash, NOW).await;
    assert_eq!(entered, Ok(doorward_auth::ports::Entered::Unknown));
    // Nor is anything given to it afterwards.
    assert_eq!(site.key_entries.put(key_hash, key).await, Ok(false));
    site.refreshes.issue(hash, refresh).await.unwrap();
    assert_eq!(site.refreshes.rotate(&acme(), hash, unique(), NOW).await, Ok(Rotated::Unknown));
}

async fn a_login_is_no_ending(site: &SitePorts) {
    let session = login(site, &account(site, "is no ending").await).await;
    let (subject, before) = (session.subject(), newest(site));
    let what = What::LoggedIn { subject, sid: session.sid, browser: session.browser };
    assert!(site.revocations.end(ending(what)).await.is_err());
    assert_eq!(logged(site, before).await, []);
}

async fn the_signal_follows_the_log(site: &SitePorts) {
    let mut appended = site.revocations.appended();
    appended.mark_unchanged();
    let account = account(site, "is told of").await;
    assert!(!appended.has_changed().unwrap(), "an account is no entry");
    let session = login(site, &account).await;
    assert!(appended.has_changed().unwrap(), "a login was not told");
    appended.mark_unchanged();
    let cursor = end(site, session.rest()).await;
    assert_eq!(*appended.borrow_and_update(), cursor, "the signal comes before the answer");
}

/// The follower counts what it reads: an entry that was committed after one with a higher number would be stepped over.
async fn under_many_writers_a_follower_reads_every_entry_once_in_order(site: &SitePorts) {
    const WRITERS: u64 = 200;
    let account = &account(site, "is written about").await;
    let before = newest(site);
    let follow = async {
        let mut read = before;
        while read.0 < before.0 + WRITERS {
            let page = site.revocations.read_after(read, 7).await?;
            for entry in page.entries {
                assert_eq!(entry.cursor.0, read.0 + 1, "an entry was stepped over");
                read = entry.cursor;
            }
            assert!(page.newest >= read);
            others_first().await;
        }
        Ok(())
    };
    let write = |number: u64| -> BoxFuture<'_, Result<(), PortError>> {
        Box::pin(async move {
            if number.is_multiple_of(4) {
                site.sessions.open(super::site::new_login(site, account)).await.map(|_| ())
            } else {
                let what = What::Rest(Rest::on("jti", format!("written {number}")));
                site.revocations.end(ending(what)).await.map(|_| ())
            }
        })
    };
    let mut running: Vec<BoxFuture<'_, Result<(), PortError>>> = vec![Box::pin(follow)];
    running.extend((0..WRITERS).map(write));
    assert!(all(running).await.into_iter().all(|done| done == Ok(())));
    assert_eq!(newest(site).0, before.0 + WRITERS);
}

async fn the_numbers_go_on_when_the_whole_log_was_forgotten(site: &SitePorts) {
    let last = end(site, Rest::on("jti", "the last")).await;
    let much_later = after(40 * 24 * 3600);
    site.sessions.sweep(much_later, 0).await.unwrap();
    let page = site.revocations.read_after(Cursor(0), 9).await.unwrap();
    assert_eq!((page.entries, page.newest), (vec![], last), "what is older than thirty days is forgotten");
    let next = site.revocations.end(Ending { at: much_later, ..ending(What::Rest(Rest::on("jti", "the next"))) });
    let next = next.await.unwrap();
    assert_eq!(next.0, last.0 + 1, "a number came twice");
    let first = site.revocations.read_after(Cursor(0), 9).await.unwrap().entries;
    assert_eq!(first.iter().map(|entry| entry.cursor).collect::<Vec<_>>(), [next]);
    // Who has missed what is forgotten may not begin a login on the strength of it.
    let account = account(site, "comes late").await;
    let late = doorward_auth::ports::NewSession { as_of: Cursor(0), ..super::site::new_login(site, &account) };
    assert_eq!(site.sessions.open(late).await, Ok(None));
}
