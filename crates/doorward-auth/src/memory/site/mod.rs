//! The ports of a site in memory: one type, one mutex, so that every verb is one act.

mod accounts;
mod api_keys;
mod factors;
mod key_entries;
mod log;
mod refreshes;
mod revocations;
mod sessions;
mod throttle;

use std::sync::{Arc, Mutex};

use doorward_types::Cursor;
use tokio::sync::watch;

use super::{MemoryAppKeys, MemoryTickets, lock};
use crate::{BoxFuture, ports::PortError};
use accounts::Directory;
use api_keys::KeyRing;
use factors::Authenticators;
use key_entries::Keys;
use log::Log;
use refreshes::Chains;
use sessions::Logins;
use throttle::Counts;

/// Everything that a site keeps ([`SitePorts`](crate::ports::SitePorts)), in memory.
///
/// It is told of the tickets and app keys beside it, so that an ending voids those too in the same act.
///
/// ```
/// use std::sync::Arc;
///
/// use doorward_auth::{
///     memory::{MemoryAppKeys, MemorySite, MemoryTickets},
///     ports::SitePorts,
/// };
///
/// let (tickets, app_keys) = (Arc::new(MemoryTickets::new()), Arc::new(MemoryAppKeys::new()));
/// let site = SitePorts::of(&Arc::new(MemorySite::new(Some(tickets), Some(app_keys))));
/// ```
#[derive(Debug)]
pub struct MemorySite {
    state: Mutex<State>,
    tickets: Option<Arc<MemoryTickets>>,
    app_keys: Option<Arc<MemoryAppKeys>>,
    appended: watch::Sender<Cursor>,
}

#[derive(Debug, Default)]
struct State {
    accounts: Directory,
    logins: Logins,
    log: Log,
    counts: Counts,
    authenticators: Authenticators,
    keys: Keys,
    chains: Chains,
    api_keys: KeyRing,
}

impl Default for MemorySite {
    fn default() -> Self {
        Self::new(None, None)
    }
}

impl MemorySite {
    /// A site without accounts, beside these tickets and app keys.
    pub fn new(tickets: Option<Arc<MemoryTickets>>, app_keys: Option<Arc<MemoryAppKeys>>) -> Self {
        Self { state: Mutex::default(), tickets, app_keys, appended: watch::Sender::default() }
    }

    /// Does one act, and tells whoever follows the log where it stands now.
    fn act<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        let mut state = lock(&self.state);
        let done = act(&mut state);
        let newest = state.log.newest();
        self.appended.send_if_modified(|known| std::mem::replace(known, newest) != newest);
        done
    }

    /// An act as a port answers it: it is done when it is polled, and memory does not fail.
    fn answer<'a, T: Send + 'a>(
        &'a self,
        act: impl FnOnce(&mut State) -> T + Send + 'a,
    ) -> BoxFuture<'a, Result<T, PortError>> {
        Box::pin(async move { Ok(self.act(act)) })
    }
}
