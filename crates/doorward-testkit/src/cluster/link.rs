//! What lies between a node and the store: its ports, over a network that can fail in every way.
//!
//! ```text
//!   node ──question──▶ delay ──▶ lost?  ──▶ the act takes place ──▶ delay ──▶ lost? ──▶ node ──▶ bus: a signal to the others
//!                                  │                                            │
//!                                  └────────── silence, or an error ────────────┘
//! ```
//!
//! A question is on its way by itself: it arrives whether its node still waits, or lives.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use doorward_auth::{
    BoxFuture,
    memory::MemorySite,
    ports::{Ending, NewSession, Page, PortError, Revocations, Session, Sessions},
};
use doorward_types::{AccountId, Cursor, OwnerId, SessionId, Timestamp};
use tokio::{
    sync::{oneshot, watch},
    time::sleep,
};

use super::{
    bus::Bus,
    dice::Dice,
    lock,
    log::{Actor, Event, Log},
    machine::Machine,
    schedule::{Misdeed, Shape},
    store::Store,
};

/// How long a question and its answer are each on their way, where nothing is wrong, in milliseconds.
pub(super) const ONE_WAY: (u64, u64) = (1, 60);

/// The ports of one node.
pub(super) struct Link(Arc<Way>);

/// The way to the store and back.
struct Way {
    node: usize,
    shape: Shape,
    store: Arc<Store>,
    machine: Arc<Machine>,
    bus: Arc<Bus>,
    log: Arc<Log>,
    cut_until: Mutex<Duration>,
    lags_until: Mutex<Duration>,
}

/// What is asked. Questions of the same millisecond are told apart by it, and by what they are about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    End,
    Read,
    Open,
    Find,
    Note,
    Sweep,
}

/// How a question and its answer fare.
struct Fate {
    there: Duration,
    back: Duration,
    lost: Option<Lost>,
    /// Whoever asks is told of the loss by an error.
    is_told: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Lost {
    There,
    Back,
}

impl Link {
    pub(super) fn new(
        node: usize,
        shape: Shape,
        store: Arc<Store>,
        machine: Arc<Machine>,
        bus: Arc<Bus>,
        log: Arc<Log>,
    ) -> Arc<Self> {
        let (cut_until, lags_until) = (Mutex::default(), Mutex::default());
        Arc::new(Self(Arc::new(Way { node, shape, store, machine, bus, log, cut_until, lags_until })))
    }

    /// Nothing passes until then.
    pub(super) fn cut(&self, until: Duration) {
        let mut cut_until = lock(&self.0.cut_until);
        *cut_until = until.max(*cut_until);
        drop(cut_until);
        self.not_well(until, false);
    }

    /// Answers are late until then.
    pub(super) fn lag(&self, until: Duration) {
        let mut lags_until = lock(&self.0.lags_until);
        *lags_until = until.max(*lags_until);
    }

    /// Notes that the node cannot be expected to know what has ended.
    pub(super) fn not_well(&self, until: Duration, asleep: bool) {
        self.0.log.note(Actor::Node(self.0.node), Event::NotWell { until, asleep });
    }

    fn ask<'a, T: Send + 'static>(
        &'a self,
        verb: Verb,
        about: u64,
        act: impl FnOnce(Arc<MemorySite>) -> BoxFuture<'static, Result<T, PortError>> + Send + 'static,
    ) -> BoxFuture<'a, Result<T, PortError>> {
        let (answer, heard) = oneshot::channel();
        let (fate, way) = (self.0.fate(verb, about), Arc::clone(&self.0));
        tokio::spawn(async move {
            if let Some(done) = way.carry(&fate, act).await {
                // Whoever asked may have gone.
                let _heard = answer.send(done);
            }
        });
        Box::pin(async move {
            match heard.await {
                Ok(answer) => answer,
                Err(_silence) => std::future::pending().await,
            }
        })
    }
}

impl Way {
    /// Brings the question there and the answer back; `None` is silence.
    async fn carry<T>(
        &self,
        fate: &Fate,
        act: impl FnOnce(Arc<MemorySite>) -> BoxFuture<'static, Result<T, PortError>>,
    ) -> Option<Result<T, PortError>> {
        let nobody = || fate.is_told.then(|| Err(PortError { port: "store", detail: "nobody answers".to_owned() }));
        self.machine.until_awake().await;
        sleep(fate.there).await;
        if fate.lost == Some(Lost::There) || self.is_cut() {
            return nobody();
        }
        let done = self.store.act(act).await;
        sleep(fate.back).await;
        self.machine.until_awake().await;
        if fate.lost == Some(Lost::Back) || self.is_cut() {
            return nobody();
        }
        Some(done)
    }

    fn is_cut(&self) -> bool {
        self.log.time().now() < *lock(&self.cut_until)
    }

    fn dice(&self, verb: Verb, about: u64) -> Dice {
        let now = self.log.time().now().as_millis() as u64;
        Dice::of(self.shape.seed, &[0x11, self.node as u64, verb as u64, about, now])
    }

    fn fate(&self, verb: Verb, about: u64) -> Fate {
        let (now, shape, dice) = (self.log.time().now(), &self.shape, self.dice(verb, about));
        let is_faulty = shape.is_faulty(now);
        let way = || match is_faulty && dice.percent(shape.link_slow) {
            // Up to shortly before nobody waits for it any more.
            true => dice.millis(ONE_WAY.1, millis(shape.answer_within) * 6 / 10),
            false => dice.millis(ONE_WAY.0, ONE_WAY.1),
        };
        let (there, mut back) = (way(), way());
        if now < *lock(&self.lags_until) {
            back = dice.millis(millis(shape.answer_within) / 2, millis(shape.answer_within) * 8 / 10);
        }
        let lost = (is_faulty && dice.percent(shape.link_loses))
            .then(|| if dice.percent(50) { Lost::There } else { Lost::Back });
        let usual = Duration::from_millis(ONE_WAY.1);
        if lost.is_some() || there > usual || back > usual {
            let until = now + shape.answer_within + usual * 2;
            self.log.note(Actor::Node(self.node), Event::NotWell { until, asleep: false });
        }
        Fate { there, back, lost, is_told: dice.percent(50) }
    }

    /// What the node is given of a page of the log: all of it, but where something is wrong.
    fn shown(&self, cursor: Cursor, mut page: Page) -> Page {
        let (now, dice) = (self.log.time().now(), self.dice(Verb::Read, cursor.0));
        if self.shape.misdeed == Some(Misdeed::HidesWhatIsNew) && cursor > Cursor(0) && page.newest > cursor {
            return Page { entries: Vec::new(), newest: cursor };
        }
        if page.entries.len() > 1 && self.shape.is_faulty(now) && dice.percent(self.shape.log_lacks) {
            let lacking = page.entries.remove(dice.below(page.entries.len()));
            let text = format!("node {} is not shown entry {}", self.node, lacking.cursor.0);
            self.log.note(Actor::World, Event::Fault(text));
            let until = now + self.shape.lasts;
            self.log.note(Actor::Node(self.node), Event::NotWell { until, asleep: false });
        }
        page
    }

    /// What the node is told of a login.
    fn told(&self, found: Option<Session>) -> Option<Session> {
        let is_hidden = self.shape.misdeed == Some(Misdeed::HidesWhatIsNewer);
        found.map(|session| if is_hidden { Session { opened: Cursor(0), ..session } } else { session })
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The first eight bytes, to tell questions apart by.
fn about(bytes: &[u8]) -> u64 {
    bytes.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

impl Revocations for Link {
    fn end<'a>(&'a self, ending: Ending) -> BoxFuture<'a, Result<Cursor, PortError>> {
        let asked = self.ask(Verb::End, ending.at.as_millis(), |site| Box::pin(async move { site.end(ending).await }));
        Box::pin(async move {
            let cursor = asked.await?;
            self.0.bus.tell(self.0.node, cursor);
            Ok(cursor)
        })
    }

    fn read_after<'a>(&'a self, cursor: Cursor, at_most: usize) -> BoxFuture<'a, Result<Page, PortError>> {
        let asked =
            self.ask(Verb::Read, cursor.0, move |site| Box::pin(async move { site.read_after(cursor, at_most).await }));
        Box::pin(async move { asked.await.map(|page| self.0.shown(cursor, page)) })
    }

    fn appended(&self) -> watch::Receiver<Cursor> {
        self.0.bus.ear(self.0.node)
    }
}

impl Sessions for Link {
    fn open<'a>(&'a self, session: NewSession) -> BoxFuture<'a, Result<Option<Cursor>, PortError>> {
        let asked = self.ask(Verb::Open, about(session.session.sid.as_bytes()), |site| {
            Box::pin(async move { site.open(session).await })
        });
        Box::pin(async move {
            let opened = asked.await?;
            if let Some(cursor) = opened {
                self.0.bus.tell(self.0.node, cursor);
            }
            Ok(opened)
        })
    }

    fn find<'a>(
        &'a self,
        owner: &'a OwnerId,
        hash: [u8; 32],
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Session>, PortError>> {
        let owner = owner.clone();
        let asked =
            self.ask(Verb::Find, about(&hash), move |site| Box::pin(async move { site.find(&owner, hash, now).await }));
        Box::pin(async move { asked.await.map(|found| self.0.told(found)) })
    }

    fn find_by_id<'a>(
        &'a self,
        owner: &'a OwnerId,
        sid: SessionId,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Session>, PortError>> {
        let owner = owner.clone();
        let asked = self.ask(Verb::Find, about(sid.as_bytes()), move |site| {
            Box::pin(async move { site.find_by_id(&owner, sid, now).await })
        });
        Box::pin(async move { asked.await.map(|found| self.0.told(found)) })
    }

    fn of_account<'a>(
        &'a self,
        owner: &'a OwnerId,
        account: AccountId,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Session>, PortError>> {
        let owner = owner.clone();
        self.ask(Verb::Find, account.0, move |site| {
            Box::pin(async move { site.of_account(&owner, account, now).await })
        })
    }

    fn list<'a>(
        &'a self,
        owner: Option<&'a OwnerId>,
        now: Timestamp,
        at_most: usize,
    ) -> BoxFuture<'a, Result<Vec<Session>, PortError>> {
        let owner = owner.cloned();
        self.ask(Verb::Find, 0, move |site| {
            Box::pin(async move { Sessions::list(&*site, owner.as_ref(), now, at_most).await })
        })
    }

    fn seen<'a>(&'a self, seen: Vec<(SessionId, Timestamp)>) -> BoxFuture<'a, Result<(), PortError>> {
        self.ask(Verb::Note, 0, |site| Box::pin(async move { site.seen(seen).await }))
    }

    fn knows_browser<'a>(
        &'a self,
        owner: &'a OwnerId,
        account: AccountId,
        browser: [u8; 32],
    ) -> BoxFuture<'a, Result<bool, PortError>> {
        let owner = owner.clone();
        self.ask(Verb::Find, about(&browser), move |site| {
            Box::pin(async move { site.knows_browser(&owner, account, browser).await })
        })
    }

    fn sweep<'a>(&'a self, now: Timestamp, at_most: usize) -> BoxFuture<'a, Result<Vec<Session>, PortError>> {
        let asked = self.ask(Verb::Sweep, 0, move |site| Box::pin(async move { site.sweep(now, at_most).await }));
        Box::pin(async move {
            let over = asked.await?;
            if !over.is_empty() {
                self.0.bus.tell(self.0.node, Cursor(0));
            }
            Ok(over)
        })
    }
}
