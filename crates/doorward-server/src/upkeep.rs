//! What a node does for its logins from time to time: notes that they are used, and ends those whose time is over.
//!
//! ```text
//! every second   live sockets   ── when was the last message? ──▶  Sessions::seen, for those who have not been noted for a while
//!                Sessions::sweep ── over ──▶ revocation log ──▶ (every node) sockets end
//! ```
//!
//! A login is noted at most once in a twentieth of its idle time, and always before it would be over: what was noted last is never
//! so long ago that a message since then could be overlooked.

use std::{collections::HashMap, sync::Arc, time::Duration};

use doorward_auth::ports::{Clock, Sessions};
use doorward_session::Sockets;
use doorward_types::{SessionId, Timestamp};

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
        let mut noted = HashMap::new();
        let mut is_down = false;
        loop {
            tokio::time::sleep(EVERY).await;
            let done = self.once(&mut noted).await;
            match (&done, is_down) {
                (Err(error), false) => tracing::error!(%error, "logins cannot be looked after"),
                (Ok(()), true) => tracing::info!("logins are looked after again"),
                _ => {}
            }
            is_down = done.is_err();
        }
    }

    async fn once(&self, noted: &mut HashMap<SessionId, Timestamp>) -> Result<(), doorward_auth::ports::PortError> {
        let now = self.clock.now();
        let used = self.used().await;
        noted.retain(|sid, _| used.contains_key(sid));
        let due = |(sid, last): (&SessionId, &Timestamp)| {
            let before = noted.get(sid).copied().unwrap_or_default();
            (*last > before && now.since(before) >= self.idle / 20).then_some((*sid, *last))
        };
        let seen: Vec<_> = used.iter().filter_map(due).collect();
        if !seen.is_empty() {
            self.sessions.seen(seen.clone()).await?;
            noted.extend(seen);
        }
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
