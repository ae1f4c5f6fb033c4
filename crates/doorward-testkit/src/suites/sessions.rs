use std::time::Duration;

use doorward_auth::ports::{Change, Ending, NewSession, Role, Session, SitePorts, What, Why};
use doorward_types::{Cursor, OwnerId, Secret, Timestamp};

use super::{
    acme, all, globex,
    site::{NOW, account, account_of, after, end, ending, holds, logged, login, new_login, newest, open, said},
};

/// Everything that [`Sessions`](doorward_auth::ports::Sessions) promises.
pub async fn sessions(site: &SitePorts) {
    a_login_is_found_as_it_began_by_its_cookie_and_by_its_id(site).await;
    a_login_of_one_owner_is_unknown_to_another(site).await;
    what_a_login_says_of_name_and_role_is_the_accounts(site).await;
    a_login_is_written_into_the_log(site).await;
    a_login_ends_the_one_that_it_takes_the_place_of_in_the_same_act(site).await;
    of_logins_that_replace_the_same_one_it_ends_once(site).await;
    of_too_many_logins_the_oldest_gives_way_in_the_same_act(site).await;
    nobody_logs_in_as_an_account_that_is_not_there_or_disabled(site).await;
    c9_a_login_that_an_ending_overtook_does_not_begin(site).await;
    c7_a_login_is_over_when_it_was_idle_for_too_long_or_is_too_old(site).await;
    c85_a_login_that_has_yet_to_begin_does_not_hold_and_is_not_ended_for_that(site).await;
    being_seen_goes_forward_only_and_brings_nothing_back(site).await;
    logins_are_listed_newest_first_without_those_that_are_over(site).await;
    a_browser_is_known_to_the_account_that_logged_in_with_it_also_when_that_is_over(site).await;
    a_sweep_ends_what_is_over_with_an_entry_each(site).await;
    of_sweeps_at_once_each_login_is_ended_by_one(site).await;
}

async fn a_login_is_found_as_it_began_by_its_cookie_and_by_its_id(site: &SitePorts) {
    let account = account(site, "logs in").await;
    let of_browser = new_login(site, &account);
    let mut of_program = new_login(site, &account);
    (of_program.hash, of_program.session.browser) = (None, None);
    of_program.session.source = "2001:db8::7".parse().unwrap();
    for new in [of_browser, of_program] {
        let (hash, session) = (new.hash, open(site, new).await);
        assert_eq!(site.sessions.find_by_id(&acme(), session.sid, NOW).await, Ok(Some(session.clone())));
        if let Some(hash) = hash {
            assert_eq!(site.sessions.find(&acme(), hash, NOW).await, Ok(Some(session)));
        }
    }
    assert_eq!(site.sessions.find(&acme(), [0; 32], NOW).await, Ok(None));
}

async fn a_login_of_one_owner_is_unknown_to_another(site: &SitePorts) {
    let account = account(site, "does not cross").await;
    let new = new_login(site, &account);
    let (hash, session) = (new.hash.unwrap(), open(site, new).await);
    assert_eq!(site.sessions.find(&globex(), hash, NOW).await, Ok(None), "a cookie opened another owner's site");
    assert_eq!(site.sessions.find_by_id(&globex(), session.sid, NOW).await, Ok(None));
    assert_eq!(site.sessions.of_account(&globex(), account.id, NOW).await, Ok(vec![]));
    let as_theirs = Session { owner: globex(), ..session.clone() };
    let theirs = NewSession { session: as_theirs, ..new_login(site, &account) };
    assert_eq!(site.sessions.open(theirs).await, Ok(None), "somebody logged in as an account of another owner");
    let elsewhere = account_of(site, globex(), "does not cross").await;
    open(site, NewSession { replaces: Some(session.sid), ..new_login(site, &elsewhere) }).await;
    assert!(holds(site, &session).await, "a login was replaced at another owner's site");
}

async fn what_a_login_says_of_name_and_role_is_the_accounts(site: &SitePorts) {
    let account = account(site, "Of The Account").await;
    let mut new = new_login(site, &account);
    (new.session.username, new.session.role) = ("root".to_owned(), Role::Operator);
    let session = open(site, new).await;
    let found = site.sessions.find_by_id(&acme(), session.sid, NOW).await.unwrap().unwrap();
    assert_eq!((found.username.as_str(), found.role), ("Of The Account", Role::User));
}

async fn a_login_is_written_into_the_log(site: &SitePorts) {
    let account = account(site, "is logged").await;
    let (before, new) = (newest(site), new_login(site, &account));
    let session = new.session.clone();
    let cursor = site.sessions.open(new).await.unwrap().unwrap();
    let entries = logged(site, before).await;
    assert_eq!(entries.first().map(|entry| (entry.cursor, entry.owner.clone())), Some((cursor, Some(acme()))));
    let kept = site.sessions.find_by_id(&acme(), session.sid, NOW).await.unwrap().unwrap();
    assert_eq!(kept.opened, cursor, "a login does not know where it stands in the log");
    let what = What::LoggedIn { subject: account.subject(), sid: session.sid, browser: session.browser };
    assert_eq!(said(entries), [(what, Why::LoggedIn)]);
}

async fn a_login_ends_the_one_that_it_takes_the_place_of_in_the_same_act(site: &SitePorts) {
    let account = account(site, "logs in again").await;
    let new = new_login(site, &account);
    let (hash, first) = (new.hash.unwrap(), open(site, new).await);
    let before = newest(site);
    let second = open(site, NewSession { replaces: Some(first.sid), ..new_login(site, &account) }).await;
    assert_eq!(site.sessions.find(&acme(), hash, NOW).await, Ok(None), "the old cookie still opens");
    assert!(!holds(site, &first).await);
    assert!(holds(site, &second).await);
    let entries = said(logged(site, before).await);
    assert_eq!(entries.first(), Some(&(What::Rest(first.rest()), Why::Replaced)));
    assert_eq!(entries.len(), 2);
}

async fn of_logins_that_replace_the_same_one_it_ends_once(site: &SitePorts) {
    let account = account(site, "rotates at once").await;
    let first = login(site, &account).await;
    let before = newest(site);
    let again = || NewSession { replaces: Some(first.sid), ..new_login(site, &account) };
    let opened = all((0..20).map(|_| site.sessions.open(again()))).await;
    assert!(opened.into_iter().all(|opened| opened.unwrap().is_some()));
    let ended = said(logged(site, before).await).into_iter().filter(|(_, why)| *why == Why::Replaced).count();
    assert_eq!(ended, 1, "it was ended {ended} times");
}

async fn of_too_many_logins_the_oldest_gives_way_in_the_same_act(site: &SitePorts) {
    let [one, other] = [account(site, "logs in often").await, account(site, "logs in seldom").await];
    let bystander = login(site, &other).await;
    let login_at = async |secs, at_most| {
        let mut new = NewSession { at_most, ..new_login(site, &one) };
        new.session.created_at = after(secs);
        open(site, new).await
    };
    let [third, first, second] = [login_at(3, 3).await, login_at(1, 3).await, login_at(2, 3).await];
    let before = newest(site);
    // It began before the others, and is the new one.
    let newest = login_at(0, 3).await;
    assert_eq!(said(logged(site, before).await)[0], (What::Rest(first.rest()), Why::Replaced));
    assert!(!holds(site, &first).await);
    for session in [&second, &third, &newest, &bystander] {
        assert!(holds(site, session).await, "{session:?}");
    }
    let alone = login_at(5, 1).await;
    assert_eq!(site.sessions.of_account(&acme(), one.id, NOW).await.unwrap(), [alone]);
    assert!(holds(site, &bystander).await);
}

async fn nobody_logs_in_as_an_account_that_is_not_there_or_disabled(site: &SitePorts) {
    let account = account(site, "is disabled").await;
    let session = login(site, &account).await;
    let (mut gone, before) = (new_login(site, &account), newest(site));
    gone.session.account.0 += 1_000_000;
    assert_eq!(site.sessions.open(gone).await, Ok(None));
    assert_eq!(logged(site, before).await, [], "a login that did not begin is in the log");
    // Said of this one login alone, it ends all of them: nobody may go on as a disabled account.
    let other = login(site, &account).await;
    let disable = Ending { change: Some(Change::Disable(account.id)), ..ending(What::Rest(session.rest())) };
    site.revocations.end(disable).await.unwrap();
    assert!(!holds(site, &session).await && !holds(site, &other).await, "a disabled account is logged in");
    assert_eq!(site.sessions.open(new_login(site, &account)).await, Ok(None), "a disabled account logged in");
    assert_eq!(site.accounts.enable(&acme(), account.id).await, Ok(true));
    assert!(!holds(site, &other).await, "a login came back with its account");
    assert!(site.sessions.open(new_login(site, &account)).await.unwrap().is_some());
}

async fn c9_a_login_that_an_ending_overtook_does_not_begin(site: &SitePorts) {
    let account = account(site, "is overtaken").await;
    let kept = login(site, &account).await;
    let (subject, owner) = (account.subject(), Some(acme()));
    let password = Some(Change::Password(account.id, Secret::from_text("new")));
    let endings = [
        Ending { change: password, ..ending(What::Others { subject: subject.clone(), keep: kept.sid }) },
        ending(What::Rest(subject.rest())),
        ending(What::NotBefore { subject: Some(subject.clone()), at: after(1) }),
        Ending { owner: None, ..ending(What::NotBefore { subject: None, at: after(1) }) },
    ];
    for ending in endings {
        let overtaken = new_login(site, &account);
        site.revocations.end(ending.clone()).await.unwrap();
        assert_eq!(site.sessions.open(overtaken).await, Ok(None), "overtaken by {ending:?}");
        assert!(site.sessions.open(new_login(site, &account)).await.unwrap().is_some(), "after {ending:?}");
    }
    let mut not_overtaken = new_login(site, &account);
    not_overtaken.session.created_at = after(1);
    let bystanders = [
        What::Rest(account_of(site, acme(), "is a bystander").await.subject().rest()),
        What::NotBefore { subject: Some(subject.clone()), at: after(1) },
        What::Others { subject: subject.clone(), keep: not_overtaken.session.sid },
    ];
    for what in bystanders {
        site.revocations.end(Ending { owner: owner.clone(), at: after(1), ..ending(what) }).await.unwrap();
    }
    site.revocations.end(Ending { owner: Some(globex()), ..ending(What::Rest(subject.rest())) }).await.unwrap();
    assert!(site.sessions.open(not_overtaken).await.unwrap().is_some(), "what others end overtook it");
}

async fn c7_a_login_is_over_when_it_was_idle_for_too_long_or_is_too_old(site: &SitePorts) {
    let account = account(site, "is idle").await;
    let new = new_login(site, &account);
    let (hash, session) = (new.hash.unwrap(), open(site, new).await);
    let at = async |time: Timestamp| {
        let by_cookie = site.sessions.find(&acme(), hash, time).await.unwrap().is_some();
        let by_id = site.sessions.find_by_id(&acme(), session.sid, time).await.unwrap().is_some();
        let listed = site.sessions.of_account(&acme(), account.id, time).await.unwrap().len();
        assert_eq!((by_cookie, listed), (by_id, usize::from(by_id)));
        by_id
    };
    let a_moment = Duration::from_millis(1);
    let (half_an_hour, twelve_hours) = (after(30 * 60), after(12 * 3600));
    assert!(at(after(30 * 60 - 1)).await);
    assert!(!at(half_an_hour).await, "it was idle for half an hour");
    let mut used = NOW;
    while used < twelve_hours {
        site.sessions.seen(vec![(session.sid, used)]).await.unwrap();
        used = used.plus(Duration::from_mins(29));
    }
    assert!(at(Timestamp::from_millis(twelve_hours.as_millis() - 1)).await);
    assert!(!at(twelve_hours).await, "it was used, and is twelve hours old");
    assert!(!at(twelve_hours.plus(a_moment)).await);
}

/// A clock that is set back makes no login last, and one that was wrong for a moment ends none.
async fn c85_a_login_that_has_yet_to_begin_does_not_hold_and_is_not_ended_for_that(site: &SitePorts) {
    let account = account(site, "is of tomorrow").await;
    let new = new_login(site, &account);
    let (hash, session) = (new.hash.unwrap(), open(site, new).await);
    let before = |by: Duration| Timestamp::from_millis(NOW.as_millis() - u64::try_from(by.as_millis()).unwrap());
    let a_moment = Duration::from_millis(1);
    for (now, is_found) in [
        (before(Duration::from_hours(4 * 24)), false),
        (before(Session::AHEAD + a_moment), false),
        (before(Session::AHEAD), true),
        (NOW, true),
    ] {
        site.sessions.sweep(now, usize::MAX).await.unwrap();
        assert_eq!(site.sessions.find(&acme(), hash, now).await.unwrap().is_some(), is_found);
        assert_eq!(site.sessions.find_by_id(&acme(), session.sid, now).await.unwrap().is_some(), is_found);
        assert_eq!(site.sessions.of_account(&acme(), account.id, now).await.unwrap().len(), usize::from(is_found));
    }
}

async fn being_seen_goes_forward_only_and_brings_nothing_back(site: &SitePorts) {
    let account = account(site, "is seen").await;
    let [one, two, ended] = [login(site, &account).await, login(site, &account).await, login(site, &account).await];
    end(site, ended.rest()).await;
    let seen = vec![(one.sid, after(100)), (one.sid, after(50)), (ended.sid, after(100)), (two.sid, after(1800))];
    site.sessions.seen(seen).await.unwrap();
    let last_seen = async |session: &Session| {
        let found = site.sessions.find_by_id(&acme(), session.sid, after(10)).await.unwrap();
        found.map(|session| session.last_seen)
    };
    assert_eq!(last_seen(&one).await, Some(after(100)));
    assert_eq!(last_seen(&two).await, Some(NOW), "a login that was over was seen");
    assert_eq!(last_seen(&ended).await, None, "a login came back by being seen");
    site.sessions.seen(vec![]).await.unwrap();
}

async fn logins_are_listed_newest_first_without_those_that_are_over(site: &SitePorts) {
    let initech = OwnerId::new("initech");
    let account = account_of(site, initech.clone(), "is listed").await;
    let mut sids = vec![];
    for secs in [20, 30, 10] {
        let mut new = new_login(site, &account);
        new.session.created_at = after(secs);
        sids.push(open(site, new).await.sid);
    }
    let over = login(site, &account).await;
    site.revocations.end(Ending { owner: Some(initech.clone()), ..ending(What::Rest(over.rest())) }).await.unwrap();
    let newest_first = [sids[1], sids[0], sids[2]];
    let ids = |sessions: Vec<Session>| sessions.iter().map(|session| session.sid).collect::<Vec<_>>();
    assert_eq!(ids(site.sessions.of_account(&initech, account.id, NOW).await.unwrap()), newest_first);
    assert_eq!(ids(site.sessions.list(Some(&initech), NOW, 9).await.unwrap()), newest_first);
    assert_eq!(ids(site.sessions.list(Some(&initech), NOW, 2).await.unwrap()), newest_first[..2]);
    let everybodys = ids(site.sessions.list(None, NOW, 1000).await.unwrap());
    assert!(everybodys.len() > 3 && newest_first.iter().all(|sid| everybodys.contains(sid)));
}

async fn a_browser_is_known_to_the_account_that_logged_in_with_it_also_when_that_is_over(site: &SitePorts) {
    let [one, other] = [account(site, "has a browser").await, account(site, "has another").await];
    let session = login(site, &one).await;
    let browser = session.browser.unwrap();
    end(site, session.rest()).await;
    let knows =
        async |owner: OwnerId, account, browser| site.sessions.knows_browser(&owner, account, browser).await.unwrap();
    assert!(knows(acme(), one.id, browser).await);
    assert!(!knows(acme(), one.id, [0; 32]).await);
    assert!(!knows(acme(), other.id, browser).await, "it is known to an account that never had it");
    assert!(!knows(globex(), one.id, browser).await);
}

/// When everything that other cases have left is over too.
fn next_day() -> Timestamp {
    after(24 * 3600)
}

/// A login that is over on the next day, and one that is not, of which each is one of two of its sort.
async fn over_and_not(site: &SitePorts, name: &str) -> [Vec<Session>; 2] {
    site.sessions.sweep(next_day(), 1000).await.unwrap();
    let account = account(site, name).await;
    let (mut over, mut live) = (vec![], vec![]);
    for _ in 0..2 {
        over.push(login(site, &account).await);
        let mut new = new_login(site, &account);
        (new.session.last_seen, new.session.expires_at) = (next_day(), next_day().plus(Duration::from_hours(1)));
        live.push(open(site, new).await);
    }
    [over, live]
}

async fn ended_since(site: &SitePorts, before: Cursor) -> Vec<String> {
    let rests = said(logged(site, before).await).into_iter().map(|said| match said {
        (What::Rest(rest), Why::Expired) => rest.to_string(),
        other => panic!("a sweep wrote {other:?}"),
    });
    let mut rests: Vec<_> = rests.collect();
    rests.sort();
    rests
}

async fn a_sweep_ends_what_is_over_with_an_entry_each(site: &SitePorts) {
    let [over, live] = over_and_not(site, "is swept").await;
    let before = newest(site);
    let mut swept = site.sessions.sweep(next_day(), 1).await.unwrap();
    assert_eq!(swept.len(), 1, "a sweep is bounded");
    swept.extend(site.sessions.sweep(next_day(), 9).await.unwrap());
    assert_eq!(site.sessions.sweep(next_day(), 9).await, Ok(vec![]));
    swept.sort_by_key(|session| session.sid);
    assert_eq!(swept, over, "what was swept is given as it was");
    let mut expected: Vec<_> = over.iter().map(|session| session.rest().to_string()).collect();
    expected.sort();
    assert_eq!(ended_since(site, before).await, expected);
    for session in &over {
        assert!(!holds(site, session).await, "a login that was swept came back with an earlier clock");
    }
    for session in &live {
        assert!(site.sessions.find_by_id(&acme(), session.sid, next_day()).await.unwrap().is_some());
    }
}

async fn of_sweeps_at_once_each_login_is_ended_by_one(site: &SitePorts) {
    let [over, _] = over_and_not(site, "is swept at once").await;
    let before = newest(site);
    let swept = all((0..10).map(|_| site.sessions.sweep(next_day(), 9))).await;
    assert_eq!(swept.into_iter().map(|swept| swept.unwrap().len()).sum::<usize>(), over.len());
    assert_eq!(ended_since(site, before).await.len(), over.len());
}
