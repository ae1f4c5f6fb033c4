//! A site in memory, with one account: bob, who has a browser and a phone.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::ready,
    sync::{Arc, Mutex},
    time::Duration,
};

use doorward_auth::{
    BoxFuture, Handshake, Ladder, Rung,
    account::{
        Hashing, KeyEncryptionKey, Password, PasswordRules, PasswordUse, RecoveryCode, TotpSeed, Username, Work,
        totp_row,
    },
    layers::{RungConfig, SiteTools, handshake::origin::Origins},
    ports::{
        Account, Accounts, ApiKey, ApiKeys, Attempt, AttemptId, Created, Ending, Entered, Factors, Invitation,
        KeyEntries, KeyEntry, LogEntry, NewAccount, NewSession, Page, PortError, Refresh, Refreshes, Reserved,
        Revocations, Role, Rotated, Session, Sessions, SitePorts, SystemRng, Throttle, Totp, WRONG_TRIES, What, Why,
    },
};
use doorward_testkit::World;
use doorward_types::{AccountId, Cursor, KeyText, OwnerId, Secret, SessionId, Timestamp};
use serde_json::Value;
use tokio::sync::watch;

use crate::support::context;

pub(crate) const BOB: AccountId = AccountId(7);
pub(crate) const PASSWORD: &str = "a plum, a teapot, a moth";
pub(crate) const PAGE: &str = "https://app.example";

type Answered<'a, T> = BoxFuture<'a, Result<T, PortError>>;

/// Factor, subject and device of a try.
type Counted = (&'static str, [u8; 32], Option<[u8; 32]>);

/// What the site keeps.
#[derive(Default)]
pub(crate) struct Kept {
    pub(crate) account: Option<Account>,
    pub(crate) sessions: Vec<(Option<[u8; 32]>, Session)>,
    pub(crate) seen: Vec<(SessionId, Timestamp)>,
    log: Vec<LogEntry>,
    /// Failures in a row, by factor, subject and device.
    pub(crate) failures: BTreeMap<Counted, u32>,
    attempts: Vec<Counted>,
    pub(crate) totp: Option<Totp>,
    pub(crate) recovery: BTreeSet<[u8; 32]>,
    key: Option<([u8; 32], KeyEntry, u32)>,
    /// Port calls that fail from now on.
    pub(crate) down: bool,
}

/// The site of `acme`.
pub(crate) struct Site {
    pub(crate) kept: Mutex<Kept>,
    appended: watch::Sender<Cursor>,
}

/// A world with that site.
pub(crate) struct SiteWorld {
    pub(crate) world: World,
    pub(crate) site: Arc<Site>,
    pub(crate) tools: SiteTools,
    pub(crate) seed: TotpSeed,
}

pub(crate) fn secret(kind: KeyText, byte: u8) -> Secret {
    kind.write(&[byte; 32])
}

/// The hash under which the site keeps a cookie.
pub(crate) fn hash(text: &Secret) -> [u8; 32] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.reveal("test"));
    digest.as_ref().try_into().unwrap()
}

impl SiteWorld {
    /// Bob has an account, and nothing else.
    pub(crate) async fn new() -> Self {
        let hashing = Arc::new(Hashing::new(Work::dangerously_cheap_for_tests(), 2).unwrap());
        let bob = Username::parse("Bob").unwrap();
        let password = Password::read(&Secret::from_text(PASSWORD)).unwrap();
        let password =
            PasswordRules::of_site("Shop", "shop.example").check(password, &bob, PasswordUse::Alone).unwrap();
        let account = Account {
            owner: World::owner(),
            id: BOB,
            username: bob.shown().to_owned(),
            unique: bob.unique().to_owned(),
            role: Role::User,
            password: hashing.hash(&password, &SystemRng).await.unwrap().into_secret(),
            created_at: World::NOW,
            disabled_at: None,
        };
        let kept = Kept { account: Some(account), ..Kept::default() };
        let site = Arc::new(Site { kept: Mutex::new(kept), appended: watch::Sender::new(Cursor(0)) });
        let sealing = KeyEncryptionKey::from_secret(Secret::new([9; 32])).unwrap();
        let tools = SiteTools { ports: SitePorts::of(&site), hashing, sealing };
        let seed = TotpSeed::from_secret(Secret::from_text("12345678901234567890")).unwrap();
        Self { world: World::new(), site, tools, seed }
    }

    pub(crate) fn rung(&self, config: Value) -> Rung {
        let config: RungConfig = serde_json::from_value(config).unwrap();
        let (ports, origins) = (self.world.ports(), Origins::Listed(vec![PAGE.to_owned()]));
        context(&ports, &origins, Some(&self.tools), |context| config.build(context)).unwrap()
    }

    pub(crate) fn ladder(&self, config: Value) -> Ladder {
        Ladder::new(vec![self.rung(config)]).unwrap()
    }

    /// A request of bob's page, with the cookies of that login and that browser.
    pub(crate) fn request(session: Option<u8>, browser: Option<u8>) -> Handshake {
        Handshake {
            origin: Some(PAGE.into()),
            session: session.map(|byte| secret(KeyText::Session, byte)),
            browser: browser.map(|byte| secret(KeyText::Browser, byte)),
            ..World::handshake()
        }
    }

    /// Bob's phone is enrolled.
    pub(crate) fn enrol(&self) -> [RecoveryCode; 10] {
        let row = totp_row(&World::owner(), BOB);
        let sealed = self.tools.sealing.seal(self.seed.secret(), &row, &SystemRng).into_bytes();
        let codes = RecoveryCode::draw_all(&SystemRng);
        let mut kept = self.site.kept.lock().unwrap();
        kept.totp = Some(Totp { sealed, confirmed_at: Some(World::NOW), last_step: 0 });
        kept.recovery = codes.iter().map(RecoveryCode::hash).collect();
        codes
    }
}

impl Site {
    /// Somebody logs in.
    pub(crate) fn log_in(&self, account: AccountId, cookie: u8, browser: Option<u8>) -> Session {
        let hash_of = |kind, byte| hash(&secret(kind, byte));
        let session = Session {
            owner: World::owner(),
            sid: SessionId::from_bytes([cookie; 16]),
            account,
            username: "Bob".into(),
            role: Role::User,
            browser: browser.map(|byte| hash_of(KeyText::Browser, byte)),
            factors: vec!["pwd".into()],
            source: [192, 0, 2, 7].into(),
            agent: String::new(),
            created_at: World::NOW,
            last_seen: World::NOW,
            idle: Duration::from_secs(30 * 60),
            expires_at: World::NOW.plus(Duration::from_secs(12 * 3600)),
        };
        let mut kept = self.kept.lock().unwrap();
        kept.sessions.push((Some(hash_of(KeyText::Session, cookie)), session.clone()));
        let (subject, sid, browser) = (session.subject(), session.sid, session.browser);
        let cursor = Cursor(kept.log.len() as u64 + 1);
        let (owner, what) = (Some(World::owner()), What::LoggedIn { subject, sid, browser });
        kept.log.push(LogEntry { cursor, at: World::NOW, owner, what, why: Why::Replaced });
        drop(kept);
        self.appended.send_replace(cursor);
        session
    }

    /// Every login is over.
    pub(crate) fn log_out(&self) {
        self.kept.lock().unwrap().sessions.clear();
    }

    pub(crate) fn disable(&self) {
        self.kept.lock().unwrap().account.as_mut().unwrap().disabled_at = Some(World::NOW);
    }

    /// The site shows a key, made in that login.
    pub(crate) fn show_key(&self, hash: [u8; 32], entry: KeyEntry) {
        self.kept.lock().unwrap().key = Some((hash, entry, 0));
    }

    fn answer<'a, T: Send + 'a>(&'a self, with: impl FnOnce(&mut Kept) -> T) -> Answered<'a, T> {
        let mut kept = self.kept.lock().unwrap();
        let answer = if kept.down { Err(down()) } else { Ok(with(&mut kept)) };
        Box::pin(ready(answer))
    }
}

impl Kept {
    fn is_live(&self, session: &Session, now: Timestamp) -> bool {
        session.is_live(now) && self.account.as_ref().is_some_and(Account::is_enabled)
    }

    fn find(&self, now: Timestamp, is_it: impl Fn(&(Option<[u8; 32]>, Session)) -> bool) -> Option<Session> {
        let found = self.sessions.iter().find(|kept| is_it(kept)).map(|(_, session)| session.clone());
        found.filter(|session| self.is_live(session, now))
    }
}

fn down() -> PortError {
    PortError { port: "site", detail: "the store is away".into() }
}

/// What no layer asks.
fn not_asked<'a, T: Send + 'a>() -> Answered<'a, T> {
    Box::pin(ready(Err(PortError { port: "site", detail: "no layer asks that".into() })))
}

impl Accounts for Site {
    fn create<'a>(&'a self, _: NewAccount) -> Answered<'a, Created> {
        not_asked()
    }

    fn find<'a>(&'a self, _: &'a OwnerId, id: AccountId) -> Answered<'a, Option<Account>> {
        self.answer(|kept| kept.account.clone().filter(|account| account.id == id))
    }

    fn find_by_name<'a>(&'a self, owner: &'a OwnerId, unique: &'a str) -> Answered<'a, Option<Account>> {
        self.answer(|kept| kept.account.clone().filter(|account| account.owner == *owner && account.unique == unique))
    }

    fn list<'a>(&'a self, _: Option<&'a OwnerId>, _: Option<AccountId>, _: usize) -> Answered<'a, Vec<Account>> {
        not_asked()
    }

    fn rehash<'a>(&'a self, _: &'a OwnerId, _: AccountId, before: Secret, after: Secret) -> Answered<'a, ()> {
        self.answer(|kept| {
            let account = kept.account.as_mut().filter(|account| account.password == before);
            account.into_iter().for_each(|account| account.password = after.clone());
        })
    }

    fn enable<'a>(&'a self, _: &'a OwnerId, _: AccountId) -> Answered<'a, bool> {
        not_asked()
    }

    fn invite<'a>(&'a self, _: [u8; 32], _: Invitation) -> Answered<'a, ()> {
        not_asked()
    }

    fn invitation<'a>(&'a self, _: [u8; 32], _: Timestamp) -> Answered<'a, Option<Invitation>> {
        not_asked()
    }
}

impl Sessions for Site {
    fn open<'a>(&'a self, _: NewSession) -> Answered<'a, Option<Cursor>> {
        not_asked()
    }

    fn find<'a>(&'a self, hash: [u8; 32], now: Timestamp) -> Answered<'a, Option<Session>> {
        self.answer(|kept| kept.find(now, |(of, _)| *of == Some(hash)))
    }

    fn find_by_id<'a>(&'a self, _: &'a OwnerId, sid: SessionId, now: Timestamp) -> Answered<'a, Option<Session>> {
        self.answer(|kept| kept.find(now, |(_, session)| session.sid == sid))
    }

    fn of_account<'a>(&'a self, _: &'a OwnerId, account: AccountId, now: Timestamp) -> Answered<'a, Vec<Session>> {
        self.answer(|kept| {
            let all = kept.sessions.iter().map(|(_, session)| session);
            all.filter(|session| session.account == account && kept.is_live(session, now)).cloned().collect()
        })
    }

    fn list<'a>(&'a self, _: Option<&'a OwnerId>, _: Timestamp, _: usize) -> Answered<'a, Vec<Session>> {
        not_asked()
    }

    fn seen<'a>(&'a self, seen: Vec<(SessionId, Timestamp)>) -> Answered<'a, ()> {
        self.answer(|kept| kept.seen.extend(seen))
    }

    fn knows_browser<'a>(&'a self, _: &'a OwnerId, account: AccountId, browser: [u8; 32]) -> Answered<'a, bool> {
        self.answer(|kept| {
            kept.sessions.iter().any(|(_, session)| session.account == account && session.browser == Some(browser))
        })
    }

    fn sweep<'a>(&'a self, _: Timestamp, _: usize) -> Answered<'a, usize> {
        not_asked()
    }
}

impl Revocations for Site {
    fn end<'a>(&'a self, _: Ending) -> Answered<'a, Cursor> {
        not_asked()
    }

    fn read_after<'a>(&'a self, cursor: Cursor, at_most: usize) -> Answered<'a, Page> {
        self.answer(|kept| Page {
            entries: kept.log.iter().filter(|entry| entry.cursor > cursor).take(at_most).cloned().collect(),
            newest: Cursor(kept.log.len() as u64),
        })
    }

    fn appended(&self) -> watch::Receiver<Cursor> {
        self.appended.subscribe()
    }
}

impl Throttle for Site {
    fn reserve<'a>(&'a self, attempt: Attempt) -> Answered<'a, Reserved> {
        self.answer(|kept| {
            let of = (attempt.factor, attempt.subject, attempt.device);
            let failures = kept.failures.entry(of).or_default();
            if *failures >= 5 {
                return Reserved::Wait(attempt.at.plus(Duration::from_secs(30)));
            }
            *failures += 1;
            kept.attempts.push(of);
            Reserved::Go(AttemptId(kept.attempts.len() as u64 - 1))
        })
    }

    fn was_right<'a>(&'a self, attempt: AttemptId) -> Answered<'a, ()> {
        self.answer(|kept| {
            let of = kept.attempts[attempt.0 as usize];
            kept.failures.remove(&of);
        })
    }

    fn forgive<'a>(&'a self, _: &'a OwnerId, _: &'static str, _: [u8; 32]) -> Answered<'a, ()> {
        not_asked()
    }
}

impl Factors for Site {
    fn enrol_totp<'a>(&'a self, _: &'a OwnerId, _: AccountId, _: Vec<u8>, _: Timestamp) -> Answered<'a, bool> {
        not_asked()
    }

    fn totp<'a>(&'a self, _: &'a OwnerId, account: AccountId) -> Answered<'a, Option<Totp>> {
        self.answer(|kept| kept.totp.clone().filter(|_| account == BOB))
    }

    fn confirm_totp<'a>(
        &'a self,
        _: &'a OwnerId,
        _: AccountId,
        _: u64,
        _: Vec<[u8; 32]>,
        _: Timestamp,
    ) -> Answered<'a, bool> {
        not_asked()
    }

    fn use_totp_step<'a>(&'a self, _: &'a OwnerId, _: AccountId, step: u64) -> Answered<'a, bool> {
        self.answer(|kept| {
            let later = kept.totp.as_mut().filter(|totp| totp.last_step < step);
            later.map(|totp| totp.last_step = step).is_some()
        })
    }

    fn use_recovery_code<'a>(
        &'a self,
        _: &'a OwnerId,
        _: AccountId,
        hash: [u8; 32],
        _: Timestamp,
    ) -> Answered<'a, bool> {
        self.answer(|kept| kept.recovery.remove(&hash))
    }

    fn renew_recovery_codes<'a>(&'a self, _: &'a OwnerId, _: AccountId, _: Vec<[u8; 32]>) -> Answered<'a, ()> {
        not_asked()
    }

    fn recovery_codes_left<'a>(&'a self, _: &'a OwnerId, _: AccountId) -> Answered<'a, usize> {
        not_asked()
    }
}

impl KeyEntries for Site {
    fn put<'a>(&'a self, _: [u8; 32], _: KeyEntry) -> Answered<'a, ()> {
        not_asked()
    }

    fn enter<'a>(&'a self, _: &'a OwnerId, id: &'a str, hash: [u8; 32], now: Timestamp) -> Answered<'a, Entered> {
        self.answer(|kept| {
            let alive = kept.key.take().filter(|(_, entry, _)| entry.id == id && now < entry.expires_at);
            let lives = |entry: &KeyEntry| kept.sessions.iter().any(|(_, session)| session.sid == entry.sid);
            match alive.filter(|(_, entry, _)| lives(entry)) {
                None => Entered::Unknown,
                Some((right, entry, _)) if right == hash => Entered::Right(entry),
                Some((right, entry, wrong)) => {
                    let wrong = wrong + 1;
                    kept.key = (wrong < WRONG_TRIES).then_some((right, entry, wrong));
                    Entered::Wrong(wrong)
                }
            }
        })
    }
}

impl Refreshes for Site {
    fn issue<'a>(&'a self, _: [u8; 32], _: Refresh) -> Answered<'a, ()> {
        not_asked()
    }

    fn rotate<'a>(&'a self, _: [u8; 32], _: [u8; 32], _: Timestamp) -> Answered<'a, Rotated> {
        not_asked()
    }
}

impl ApiKeys for Site {
    fn add<'a>(&'a self, _: [u8; 32], _: ApiKey) -> Answered<'a, ()> {
        not_asked()
    }

    fn find<'a>(&'a self, _: [u8; 32], _: Timestamp) -> Answered<'a, Option<ApiKey>> {
        not_asked()
    }

    fn list<'a>(&'a self, _: Option<&'a OwnerId>) -> Answered<'a, Vec<ApiKey>> {
        not_asked()
    }

    fn revoke<'a>(&'a self, _: Option<&'a OwnerId>, _: &'a str, _: Timestamp) -> Answered<'a, bool> {
        not_asked()
    }
}
