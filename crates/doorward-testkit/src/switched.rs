use std::{
    future::{pending, ready},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use doorward_auth::{
    BoxFuture,
    memory::MemorySite,
    ports::{
        Attempt, AttemptId, Ending, Entered, KeyEntries, KeyEntry, NewSession, Page, PortError, Reserved, Revocations,
        Session, Sessions, Throttle,
    },
};
use doorward_types::{AccountId, Cursor, OwnerId, SessionId, Timestamp};
use tokio::sync::watch;

type Answered<'a, T> = BoxFuture<'a, Result<T, PortError>>;

/// The ports of a site in memory that can be switched off.
pub struct Switched {
    site: Arc<MemorySite>,
    /// Whether it is away.
    pub down: AtomicBool,
    /// Whether it answers nothing at all.
    pub silent: AtomicBool,
    /// Whether it tells nobody of what is written into the log.
    pub mute: AtomicBool,
}

impl Switched {
    /// The ports of that site, which is there.
    pub fn of(site: Arc<MemorySite>) -> Self {
        Self { site, down: AtomicBool::default(), silent: AtomicBool::default(), mute: AtomicBool::default() }
    }

    fn answer<'a, T: Send + 'a>(&self, answer: Answered<'a, T>) -> Answered<'a, T> {
        match self.down.load(Ordering::SeqCst) {
            false if self.silent.load(Ordering::SeqCst) => Box::pin(pending()),
            false => answer,
            true => Box::pin(ready(Err(PortError { port: "site", detail: "the store is away".into() }))),
        }
    }
}

impl Sessions for Switched {
    fn open<'a>(&'a self, session: NewSession) -> Answered<'a, Option<Cursor>> {
        self.answer(self.site.open(session))
    }

    fn find<'a>(&'a self, owner: &'a OwnerId, hash: [u8; 32], now: Timestamp) -> Answered<'a, Option<Session>> {
        self.answer(Sessions::find(&*self.site, owner, hash, now))
    }

    fn find_by_id<'a>(&'a self, owner: &'a OwnerId, sid: SessionId, now: Timestamp) -> Answered<'a, Option<Session>> {
        self.answer(self.site.find_by_id(owner, sid, now))
    }

    fn of_account<'a>(&'a self, owner: &'a OwnerId, account: AccountId, now: Timestamp) -> Answered<'a, Vec<Session>> {
        self.answer(self.site.of_account(owner, account, now))
    }

    fn list<'a>(&'a self, owner: Option<&'a OwnerId>, now: Timestamp, at_most: usize) -> Answered<'a, Vec<Session>> {
        self.answer(Sessions::list(&*self.site, owner, now, at_most))
    }

    fn seen<'a>(&'a self, seen: Vec<(SessionId, Timestamp)>) -> Answered<'a, ()> {
        self.answer(self.site.seen(seen))
    }

    fn knows_browser<'a>(&'a self, owner: &'a OwnerId, account: AccountId, browser: [u8; 32]) -> Answered<'a, bool> {
        self.answer(self.site.knows_browser(owner, account, browser))
    }

    fn sweep<'a>(&'a self, now: Timestamp, at_most: usize) -> Answered<'a, Vec<Session>> {
        self.answer(self.site.sweep(now, at_most))
    }
}

impl Throttle for Switched {
    fn reserve<'a>(&'a self, attempt: Attempt) -> Answered<'a, Reserved> {
        self.answer(self.site.reserve(attempt))
    }

    fn was_right<'a>(&'a self, attempt: AttemptId) -> Answered<'a, ()> {
        self.answer(self.site.was_right(attempt))
    }

    fn forgive<'a>(&'a self, owner: &'a OwnerId, factor: &'static str, subject: [u8; 32]) -> Answered<'a, ()> {
        self.answer(self.site.forgive(owner, factor, subject))
    }
}

impl KeyEntries for Switched {
    fn put<'a>(&'a self, hash: [u8; 32], entry: KeyEntry) -> Answered<'a, bool> {
        self.answer(self.site.put(hash, entry))
    }

    fn enter<'a>(&'a self, owner: &'a OwnerId, id: &'a str, hash: [u8; 32], now: Timestamp) -> Answered<'a, Entered> {
        self.answer(self.site.enter(owner, id, hash, now))
    }
}

impl Revocations for Switched {
    fn end<'a>(&'a self, ending: Ending) -> Answered<'a, Cursor> {
        self.answer(self.site.end(ending))
    }

    fn read_after<'a>(&'a self, cursor: Cursor, at_most: usize) -> Answered<'a, Page> {
        self.answer(self.site.read_after(cursor, at_most))
    }

    fn appended(&self) -> watch::Receiver<Cursor> {
        let known = self.site.appended();
        // A sender that is gone tells of nothing any more.
        if self.mute.load(Ordering::SeqCst) { watch::Sender::new(*known.borrow()).subscribe() } else { known }
    }
}
