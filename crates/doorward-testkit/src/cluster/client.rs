//! A browser: it comes to some node with the cookie of its login, and comes again as it is advised.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use doorward_types::{KeyText, SessionId};
use tokio::{
    sync::Notify,
    time::{interval, sleep},
};

use super::{Cluster, dice::Dice, layer::hash_of, lock, log::Connection, node::Visitor, pipe::Pipe, schedule::Shape};

/// How often a client says something.
const SAYS_EVERY: Duration = Duration::from_secs(1);

/// One browser of one user.
pub(super) struct Client {
    pub(super) number: usize,
    pub(super) user: usize,
    /// The hash of its own cookie.
    pub(super) browser: [u8; 32],
    waits: bool,
    dice: Dice,
    holds: Mutex<Holds>,
    /// Tells each tab of a new cookie.
    has_cookie: Vec<Notify>,
}

#[derive(Default)]
struct Holds {
    login: Option<Cookie>,
    pipe: Option<Arc<Pipe>>,
}

/// The cookie of a login.
#[derive(Clone, Copy)]
pub(super) struct Cookie {
    pub(super) sid: SessionId,
    pub(super) key: [u8; 32],
}

impl Client {
    pub(super) fn new(shape: &Shape, number: usize, user: usize) -> Arc<Self> {
        let dice = Dice::of(shape.seed, &[0xc1, number as u64]);
        let (browser, waits) = (hash_of(KeyText::Browser, &dice.bytes()), dice.percent(shape.waits));
        let (holds, has_cookie) = (Mutex::default(), (0..shape.tabs).map(|_| Notify::new()).collect());
        Arc::new(Self { number, user, browser, waits, dice, holds, has_cookie })
    }

    pub(super) fn cookie(&self) -> Option<Cookie> {
        lock(&self.holds).login
    }

    pub(super) fn takes(&self, cookie: Cookie) {
        lock(&self.holds).login = Some(cookie);
        self.has_cookie.iter().for_each(Notify::notify_one);
    }

    /// Drops its cookie, where it is still that one.
    pub(super) fn drops(&self, sid: SessionId) {
        lock(&self.holds).login.take_if(|cookie| cookie.sid == sid);
    }

    pub(super) fn pipe(&self) -> Option<Arc<Pipe>> {
        lock(&self.holds).pipe.clone()
    }

    /// A tab comes, stays and comes again, for ever.
    pub(super) async fn run(self: Arc<Self>, tab: usize, cluster: Arc<Cluster>) {
        let Some(has_cookie) = self.has_cookie.get(tab) else { return };
        for number in (tab..).step_by(self.has_cookie.len()) {
            let Some(cookie) = self.cookie() else {
                has_cookie.notified().await;
                continue;
            };
            let node = if self.has_cookie.len() > 1 { cluster.node(tab) } else { cluster.some_node(&self.dice) };
            let Some(node) = node else {
                sleep(Duration::from_millis(500)).await;
                continue;
            };
            let connection = Connection { client: self.number, number };
            let visitor = Visitor { connection, user: self.user, key: cookie.key, waits: self.waits };
            let pipe = node.attend(visitor);
            drop(node);
            lock(&self.holds).pipe = Some(Arc::clone(&pipe));
            self.stay(&pipe).await;
            // Not at once, and not all at the same time; a new cookie is tried sooner.
            let pause = self.dice.millis(50, 1500);
            tokio::select! {
                biased;
                () = has_cookie.notified() => {}
                () = sleep(pause) => {}
            }
        }
    }

    async fn stay(&self, pipe: &Pipe) {
        let mut ticks = interval(SAYS_EVERY);
        loop {
            tokio::select! {
                biased;
                () = pipe.until_over() => return,
                _ = ticks.tick() => pipe.say(),
            }
        }
    }
}
