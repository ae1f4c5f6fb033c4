//! What a node does for its logins from time to time: notes that they are used, and ends those whose time is over.
//!
//! ```text
//! every second          Sessions::sweep ── over ──▶ revocation log ──▶ (every node) sockets end
//! a twentieth of idle   live sockets ── when was the last message? ──▶ Sessions::seen
//! ```
//!
//! A login is noted at most once in a twentieth of its idle time (a second at the least), which is long before a message since then
//! could be overlooked.

use std::{collections::HashMap, sync::Arc, time::Duration};

use doorward_auth::ports::{Clock, PortError, Sessions};
use doorward_session::Sockets;
use doorward_types::{SessionId, Timestamp};
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
            let is_time = looked.elapsed() >= self.idle / 20;
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
        while self.sessions.sweep(now, AT_ONCE).await? == AT_ONCE {}
        Ok(())
    }

    /// When the last message came on a socket of each login.
    async fn used(&self) -> HashMap<SessionId, Timestamp> {
        let sockets = Arc::clone(&self.sockets);
        let look = move || {
            let mut used: HashMap<SessionId, Timestamp> = HashMap::new();
            for socket in sockets.list(None, usize::MAX) {
                if let Some(sid) = socket.sid.as_deref().and_then(|sid| sid.parse().ok()) {
                    let last = used.entry(sid).or_default();
                    *last = (*last).max(socket.last_seen);
                }
            }
            used
        };
        tokio::task::spawn_blocking(look).await.unwrap_or_default()
    }
}
