//! What a node does for its logins from time to time: notes that they are used, and ends those whose time is over.
//!
//! ```text
//! every second          Sessions::sweep ── over ──▶ revocation log ──▶ (every node) sockets end
//!                                       └───────▶ audit log, a row for each login, by the node whose sweep it was
//! a twentieth of idle   live sockets ── when was the last message? ──▶ Sessions::seen
//! ```
//!
//! A login is noted at most once in a twentieth of its idle time (a second at the least), which is long before a message since then
//! could be overlooked.

use std::{collections::HashMap, sync::Arc, time::Duration};

use doorward_auth::ports::{Clock, PortError, Session, Sessions};
use doorward_session::Sockets;
use doorward_types::{SessionId, Timestamp};
use doorward_web::{Event, Journal};
use tokio::time::Instant;

/// How often is looked.
const EVERY: Duration = Duration::from_secs(1);

/// How many logins are ended at once.
const AT_ONCE: usize = 1000;

/// Looks after the logins of a node.
pub(crate) struct Upkeep {
    pub(crate) sockets: Arc<Sockets>,
    pub(crate) sessions: Arc<dyn Sessions>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Where it is written down that a login has ended by itself.
    pub(crate) journal: Journal,
    /// How long a login lasts without use.
    pub(crate) idle: Duration,
}

impl Upkeep {
    /// For ever.
    pub(crate) async fn run(self) {
        let (mut noted, mut looked) = (HashMap::new(), Instant::now());
        let mut is_down = false;
        loop {
            tokio::time::sleep(EVERY).await;
            let is_time = looked.elapsed() >= self.idle / Session::NOTED_ONCE_IN;
            if is_time {
                looked = Instant::now();
            }
            let done = self.once(is_time, &mut noted).await;
            match (&done, is_down) {
                (Err(error), false) => tracing::error!(%error, "logins cannot be looked after"),
                (Ok(()), true) => tracing::info!("logins are looked after again"),
                _ => {}
            }
            is_down = done.is_err();
        }
    }

    async fn once(&self, is_time: bool, noted: &mut HashMap<SessionId, Timestamp>) -> Result<(), PortError> {
        if is_time {
            let used = self.used().await;
            let is_new = |(sid, last): &(&SessionId, &Timestamp)| noted.get(*sid) < Some(*last);
            let seen: Vec<_> = used.iter().filter(is_new).map(|(sid, last)| (*sid, *last)).collect();
            if !seen.is_empty() {
                self.sessions.seen(seen).await?;
            }
            *noted = used;
        }
        let now = self.clock.now();
        loop {
            let over = self.sessions.sweep(now, AT_ONCE).await?;
            over.iter().for_each(|session| self.journal.done(Event::expired(session, now)));
            if over.len() < AT_ONCE {
                return Ok(());
            }
        }
    }

    /// When the last message came on a socket of each login.
    async fn used(&self) -> HashMap<SessionId, Timestamp> {
        let sockets = Arc::clone(&self.sockets);
        let look = move || {
            let mut used: HashMap<SessionId, Timestamp> = HashMap::new();
            sockets.each_open(|socket| {
                if let Some((sid, at)) = socket.last_use(|sid| sid.parse().ok()) {
                    let last = used.entry(sid).or_default();
                    *last = (*last).max(at);
                }
            });
            used
        };
        tokio::task::spawn_blocking(look).await.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use doorward_auth::{
        memory::MemoryAudit,
        ports::{Audit, AuditQuery, Outcome, Revocations, What, Why},
    };
    use doorward_testkit::{Live, LiveSocket};
    use doorward_types::{CloseReason, Cursor};

    use super::*;

    /// The layer that a browser is let in by.
    const BY: &str = "session";

    const GATE: &str = "news";

    /// Of the idle time of these logins.
    const A_TWENTIETH: Duration = Duration::from_secs(3);

    /// A world whose logins are looked after, and what is written down of that.
    async fn written_down() -> (Live, Arc<MemoryAudit>) {
        let (live, audit) = (Live::new().await, Arc::new(MemoryAudit::keeping(10_000)));
        let clock: Arc<dyn Clock> = live.world.clock.clone();
        let upkeep = Upkeep {
            sockets: Arc::clone(&live.sockets),
            sessions: live.world.site.clone(),
            journal: Journal::new(audit.clone(), Arc::clone(&clock), live.world.rng.clone()),
            clock,
            idle: Live::IDLE,
        };
        tokio::spawn(upkeep.run());
        (live, audit)
    }

    /// A world whose logins are looked after, and a login in it with a socket.
    async fn looked_after() -> (Live, Session, LiveSocket) {
        let (live, _) = written_down().await;
        let bob = live.account("acme", "bob").await;
        let session = live.log_in(&bob, 7).await;
        let socket = live.socket(BY, &session, GATE).await;
        (live, session, socket)
    }

    /// Whether the log says that the time of a login was over.
    async fn expired(live: &Live, session: &Session) -> bool {
        let page = live.world.site.read_after(Cursor(0), usize::MAX).await.unwrap();
        page.entries.iter().any(|entry| entry.what == What::Rest(session.rest()) && entry.why == Why::Expired)
    }

    #[tokio::test(start_paused = true)]
    async fn c7_a_login_that_nobody_uses_ends_with_its_sockets_however_often_they_ping() {
        let (live, session, mut socket) = looked_after().await;
        for _ in 1..60 {
            live.pass(Duration::from_secs(1)).await;
            socket.ping().await;
        }
        assert!(socket.socket.is_open() && !expired(&live, &session).await);
        live.pass(Duration::from_secs(2)).await;
        assert!(expired(&live, &session).await);
        assert_eq!(socket.socket.ended(), Some(CloseReason::Expired));
    }

    #[tokio::test(start_paused = true)]
    async fn c7_a_login_that_is_too_old_ends_with_its_sockets_however_much_it_is_used() {
        let (live, session, mut socket) = looked_after().await;
        for _ in 0..59 {
            live.pass(Duration::from_secs(10)).await;
            socket.say("still here").await;
        }
        assert!(socket.socket.is_open() && live.kept(&session).await.is_some());
        live.pass(Duration::from_secs(11)).await;
        assert!(expired(&live, &session).await);
        assert_eq!(socket.socket.ended(), Some(CloseReason::Expired));
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_on_a_socket_is_use_of_its_login_and_of_no_other() {
        let (live, session, mut socket) = looked_after().await;
        let another = live.log_in(&live.account("acme", "eve").await, 8).await;
        let silent = live.socket(BY, &another, GATE).await;
        live.pass(Duration::from_secs(50)).await;
        let said = live.world.clock.now();
        socket.say("here").await;
        live.pass(A_TWENTIETH + Duration::from_secs(1)).await;
        let used = live.kept(&session).await.unwrap().last_seen;
        assert!(used.since(said) <= Duration::from_secs(1) && used >= said, "{used}");
        assert_eq!(live.kept(&another).await.unwrap().last_seen, another.created_at);
        live.pass(Duration::from_secs(40)).await;
        assert_eq!((socket.socket.ended(), silent.socket.ended()), (None, Some(CloseReason::Expired)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_login_is_noted_once_in_a_twentieth_of_its_idle_time() {
        let (live, session, mut socket) = looked_after().await;
        let mut noted = vec![session.last_seen];
        for _ in 0..30 {
            socket.say("here").await;
            live.pass(Duration::from_secs(1)).await;
            noted.push(live.kept(&session).await.unwrap().last_seen);
        }
        noted.dedup();
        assert!((9..=11).contains(&noted.len()), "{noted:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_socket_that_was_used_last_counts_whichever_it_is() {
        let (live, session, first) = looked_after().await;
        let mut sockets = [first, live.socket(BY, &session, GATE).await];
        for last in [0, 1] {
            sockets[1 - last].say("before").await;
            live.pass(Duration::from_secs(10)).await;
            let said = live.world.clock.now();
            sockets[last].say("last").await;
            live.pass(A_TWENTIETH + Duration::from_secs(1)).await;
            assert!(live.kept(&session).await.unwrap().last_seen >= said);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_login_that_ends_by_itself_is_written_down_once_with_whose_it_was_and_why_however_many_sockets_it_had() {
        let (live, audit) = written_down().await;
        let [bob, eve] = [live.account("acme", "bob").await, live.account("acme", "eve").await];
        let (unused, old) = (live.log_in(&bob, 1).await, live.log_in(&eve, 2).await);
        let _sockets = [live.socket(BY, &unused, GATE).await, live.socket(BY, &unused, GATE).await];
        let mut used = live.socket(BY, &old, GATE).await;
        for _ in 0..=Live::LONGEST.as_secs() / 10 {
            used.say("here").await;
            live.pass(Duration::from_secs(10)).await;
        }
        for (session, why) in [(unused, "was not used for too long"), (old, "was too old")] {
            let (owner, subject) = (Some(session.owner.clone()), Some(session.subject()));
            let query = AuditQuery { owner, subject, at_most: 9, ..AuditQuery::default() };
            let [row] = audit.search(query).await.unwrap().try_into().unwrap();
            let expected = Outcome::Happened {
                event: "session_expired".to_owned(),
                by: "the server".to_owned(),
                detail: format!("login {}, which {why}", session.sid),
            };
            assert_eq!((row.outcome, row.source), (expected, None));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn as_many_logins_end_at_once_as_there_are_to_end() {
        let (live, _session, _socket) = looked_after().await;
        let bob = live.account("acme", "another").await;
        for _ in 0..2 * AT_ONCE + 1 {
            live.log_in(&bob, 9).await;
        }
        live.pass(Live::IDLE + Duration::from_secs(1)).await;
        let page = live.world.site.read_after(Cursor(0), usize::MAX).await.unwrap();
        let expired = page.entries.iter().filter(|entry| entry.why == Why::Expired).count();
        assert_eq!(expired, 2 * AT_ONCE + 2);
    }
}
