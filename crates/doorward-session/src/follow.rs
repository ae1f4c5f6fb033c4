//! Following the revocation log: what the store knows to have ended ends here, in its order, or this node does not go on.
//!
//! ```text
//!   begin    log ──▶ everything that is kept    marks; nobody was let in before, and who climbs comes again
//!   round    log ──▶ what came after            at a signal, after an ending of our own, and every two seconds in any case
//!                    each entry, in order       applied: sockets close, are suspended, come back
//!                    all that there is          the lease holds anew, from the question on
//!
//!   an error, or silence      no renewal; the next round asks again for the same
//!   entries that are missing  no renewal; whoever is here comes again, and everything is read anew
//! ```

use std::{collections::VecDeque, fmt, future::Future, sync::Arc, time::Duration};

use doorward_auth::{
    Climb,
    ports::{Ending as ToEnd, LogEntry, Page, PortError, Revocations, What},
};
use doorward_types::{Cursor, OwnerId, SessionId, Subject, Timestamp};
use tokio::{
    sync::Mutex,
    time::{sleep, timeout},
};

use crate::{Ending, Receipt, Socket, Sockets};

/// How many entries are asked for at once.
const PAGE: usize = 1000;

/// How many endings are kept for whoever may ask for their receipt.
const RECENT: usize = 1024;

/// How a node follows the log.
#[derive(Clone, Debug)]
pub struct Following {
    /// The name of this node, for receipts.
    pub node: Arc<str>,
    /// How often the log is read when nothing calls for it.
    pub confirm_every: Duration,
    /// How long what was read holds, from the question on.
    pub lasts: Duration,
    /// How long sockets stay suspended after that.
    pub grace: Duration,
    /// How long an answer is waited for.
    pub answer_within: Duration,
}

impl Following {
    /// Every two seconds, for thirty, with fifteen of grace.
    pub fn of_node(node: impl Into<Arc<str>>) -> Self {
        let seconds = Duration::from_secs;
        Self {
            node: node.into(),
            confirm_every: seconds(2),
            lasts: seconds(30),
            grace: seconds(15),
            answer_within: seconds(5),
        }
    }
}

/// A login that sockets may have waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// At whose site.
    pub owner: OwnerId,
    /// Who.
    pub subject: Subject,
    /// The login.
    pub sid: SessionId,
    /// The hash of the cookie of the browser in which it was made.
    pub browser: [u8; 32],
    /// When.
    pub at: Timestamp,
}

/// Knows by what a socket is let in again when its login has come back.
pub trait Comeback: Send + Sync {
    /// The climb of a suspended socket, in which nobody is asked anything; `None` where it may not come back by this.
    fn climb(&self, socket: &Arc<Socket>, login: &Login) -> Option<Climb>;
}

/// Follows the revocation log for the sockets of this node, and is how something is ended so that a receipt comes of it.
pub struct Follower {
    sockets: Arc<Sockets>,
    log: Arc<dyn Revocations>,
    following: Following,
    comeback: Option<Arc<dyn Comeback>>,
    place: Mutex<Place>,
}

/// How far the log has been read.
#[derive(Default)]
struct Place {
    read: Cursor,
    /// What was written before this reader began, up to here; `None` until the first answer tells.
    old: Option<Cursor>,
    recent: VecDeque<(Cursor, Ending)>,
    is_down: bool,
}

/// Why a round came to nothing.
#[derive(Debug, thiserror::Error)]
enum Lost {
    #[error(transparent)]
    Down(#[from] PortError),
    #[error("the revocation log does not go on after entry {}: it has lost some, or is another one", .0.0)]
    Gap(Cursor),
}

impl Follower {
    /// A follower. From here on the sockets need a lease, and get it when the log [was read](Self::begin).
    pub fn new(sockets: Arc<Sockets>, log: Arc<dyn Revocations>, following: Following) -> Self {
        sockets.need_a_lease(following.grace);
        Self { sockets, log, following, comeback: None, place: Mutex::default() }
    }

    /// With somebody who knows how suspended sockets come back. Without, they wait in vain.
    #[must_use]
    pub fn with_comeback(mut self, comeback: Arc<dyn Comeback>) -> Self {
        self.comeback = Some(comeback);
        self
    }

    /// Reads what is kept of the log. After this sockets may be let in.
    ///
    /// # Errors
    /// The log cannot be read. [`run`](Self::run) goes on trying.
    pub async fn begin(&self) -> Result<(), PortError> {
        self.round().await.map_err(|lost| match lost {
            Lost::Down(down) => down,
            Lost::Gap(_) => self.error(lost.to_string()),
        })
    }

    /// Follows for ever. Spawn it once.
    pub fn run(self: &Arc<Self>) -> impl Future<Output = ()> + Send + 'static {
        let follower = Arc::clone(self);
        async move {
            let mut appended = follower.log.appended();
            let mut is_signalled = true;
            loop {
                // What came of it was logged, and the lease says the rest.
                let _lost = follower.round().await;
                tokio::select! {
                    signal = appended.changed(), if is_signalled => is_signalled = signal.is_ok(),
                    () = sleep(follower.following.confirm_every) => {}
                }
            }
        }
    }

    /// Ends something, durably, and then here: what came of it. A node that has not done so names itself in the receipt, and
    /// suspends its sockets when its lease runs out.
    ///
    /// # Errors
    /// The store did not say that it is written down. It may be all the same: to end something twice does no harm.
    pub async fn end(&self, ending: ToEnd) -> Result<Receipt, PortError> {
        let cursor = self.bounded(self.log.end(ending)).await?;
        Ok(self.receipt_of(cursor).await)
    }

    /// What came here of an entry that somebody else has just written, once: the command line ends things in the store itself. A
    /// node that has not carried it out, or began after it was written, names itself in the receipt.
    pub async fn receipt_of(&self, entry: Cursor) -> Receipt {
        let node = Arc::clone(&self.following.node);
        match self.carried_out(entry).await {
            Some(ending) => Receipt { node, ..ending.await },
            None => {
                let silent = vec![Arc::clone(&node)];
                Receipt { node, silent, ..Ending::of_nothing().await }
            }
        }
    }

    /// The ending of that entry, as soon as this node has carried it out.
    async fn carried_out(&self, cursor: Cursor) -> Option<Ending> {
        if let Some(ending) = self.place.lock().await.take(cursor) {
            return Some(ending);
        }
        self.round().await.ok()?;
        self.place.lock().await.take(cursor)
    }

    /// Reads all that there is, does what it says, and renews the lease.
    async fn round(&self) -> Result<(), Lost> {
        let mut place = self.place.lock().await;
        let mut done = self.read_on(&mut place).await;
        if let Err(Lost::Gap(_)) = done {
            self.begin_anew(&mut place);
            done = self.read_on(&mut place).await;
        }
        let was_down = std::mem::replace(&mut place.is_down, done.is_err());
        match &done {
            Err(lost) if !was_down => tracing::error!(error = %lost, "the revocation log cannot be followed"),
            Ok(()) if was_down => tracing::info!("the revocation log is followed again"),
            _ => {}
        }
        done
    }

    async fn read_on(&self, place: &mut Place) -> Result<(), Lost> {
        loop {
            let asked = self.sockets.ask();
            let page = self.bounded(self.log.read_after(place.read, PAGE)).await?;
            let newest = page.newest;
            self.take_in(place, page)?;
            if place.read >= newest {
                self.sockets.confirm(asked, self.following.lasts);
                return Ok(());
            }
        }
    }

    /// Does what the entries say, one after the other.
    fn take_in(&self, place: &mut Place, page: Page) -> Result<(), Lost> {
        let (begins, nothing) = (place.old.is_none(), page.entries.is_empty());
        let old = *place.old.get_or_insert(page.newest);
        if begins {
            // What is old leaves marks and nothing in the tail: whoever began to climb before it was read would miss it.
            self.sockets.turn_back_climbs();
            // Of a log that was kept for a time the beginning is gone.
            let before_first = page.entries.first().map_or(page.newest.0, |entry| entry.cursor.0.saturating_sub(1));
            place.read = Cursor(before_first);
        }
        if page.newest < place.read || (nothing && page.newest > place.read) {
            return Err(Lost::Gap(place.read));
        }
        for entry in page.entries {
            if entry.cursor.0 != place.read.0 + 1 {
                return Err(Lost::Gap(place.read));
            }
            if entry.cursor <= old {
                self.sockets.remember(&entry);
            } else {
                self.apply(place, &entry);
            }
            place.read = entry.cursor;
        }
        Ok(())
    }

    fn apply(&self, place: &mut Place, entry: &LogEntry) {
        let ending = self.sockets.apply(entry);
        if place.recent.len() == RECENT {
            place.recent.pop_front();
        }
        place.recent.push_back((entry.cursor, ending));
        if let Some(login) = Login::of(entry) {
            self.welcome(login);
        }
    }

    /// Has the sockets come back that have waited for this login.
    fn welcome(&self, login: Login) {
        let Some(comeback) = self.comeback.clone() else { return };
        if self.sockets.waiting_for(&login.owner, &login.subject, &login.browser).is_empty() {
            return;
        }
        let sockets = Arc::clone(&self.sockets);
        tokio::spawn(async move {
            let climb = |socket: &Arc<Socket>| comeback.climb(socket, &login);
            sockets.logged_in(&login.owner, &login.subject, &login.browser, climb).await;
        });
    }

    /// Nobody knows what has ended: whoever is here has to come again, and what is kept is read from its beginning.
    fn begin_anew(&self, place: &mut Place) {
        self.sockets.lose_track();
        (place.read, place.old) = (Cursor::default(), None);
    }

    async fn bounded<T>(&self, answer: impl Future<Output = Result<T, PortError>>) -> Result<T, PortError> {
        let within = self.following.answer_within;
        timeout(within, answer)
            .await
            .unwrap_or_else(|_| Err(self.error(format!("it did not answer within {within:?}"))))
    }

    fn error(&self, detail: String) -> PortError {
        PortError { port: "revocation log", detail }
    }
}

impl Place {
    fn take(&mut self, cursor: Cursor) -> Option<Ending> {
        let at = self.recent.iter().position(|(at, _)| *at == cursor)?;
        self.recent.remove(at).map(|(_, ending)| ending)
    }
}

impl Login {
    fn of(entry: &LogEntry) -> Option<Self> {
        let (owner, at) = (entry.owner.clone()?, entry.at);
        match &entry.what {
            What::LoggedIn { subject, sid, browser: Some(browser) } => {
                Some(Self { owner, subject: subject.clone(), sid: *sid, browser: *browser, at })
            }
            _ => None,
        }
    }
}

impl fmt::Debug for Follower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Follower").field("following", &self.following).finish_non_exhaustive()
    }
}
