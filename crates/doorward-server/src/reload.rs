//! What a configuration that is read again does to the gates and to the sockets that are in.
//!
//! ```text
//!  gate        table                  its sockets
//!  kept        the new one            stay as they were admitted
//!  changed     the new one            stay; the rules of a hub are judged anew
//!   its backend                       1012 `restart`, spread over a time
//!  added       the new one
//!  removed     not in it any more     4410 `gate_closed`, at once
//! ```

use std::{fmt, sync::Arc, time::Duration};

use doorward_session::Target;
use doorward_types::{CloseReason, Rest};

use crate::{
    config::Config,
    door::Door,
    gates::{AssembleErrors, Change, Next, Tools},
};

/// What a reload has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reloaded {
    /// Gates that are as they were.
    pub kept: usize,
    /// Gates that were not there.
    pub added: usize,
    /// Gates that are not as they were.
    pub changed: usize,
    /// Gates that are not there any more, or disabled.
    pub removed: usize,
    /// Sockets that ended at once.
    pub closed: usize,
    /// Sockets that leave within the time that they were given.
    pub leaving: usize,
}

impl fmt::Display for Reloaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kept, added, changed, removed, closed, leaving } = self;
        write!(f, "{kept} gates kept, {added} added, {changed} changed, {removed} removed; ")?;
        write!(f, "{closed} sockets closed, {leaving} leaving")
    }
}

impl Door {
    /// Takes the gates of another configuration, all at once or none of them. Sockets whose gate has another backend now leave
    /// within `over`.
    ///
    /// # Errors
    /// Everything that cannot be put together. Then nothing has changed.
    pub fn reload(&self, config: &Config, tools: &Tools, over: Duration) -> Result<Reloaded, AssembleErrors> {
        let before = self.gates.load_full();
        let Next { gates, rules } = before.next(config, tools)?;
        let mut reloaded = Reloaded::default();
        for (hub, rules) in rules {
            reloaded.closed += hub.change_to(rules);
        }
        let after = Arc::new(gates);
        self.gates.store(Arc::clone(&after));
        // From here on a climb begins at the new gates: those that began before are in the list of endings when they end.
        for (gate, change) in after.changes_since(&before) {
            let rest = Rest::on("gate", gate.name.as_str());
            match change {
                Change::None => reloaded.kept += 1,
                Change::Added => reloaded.added += 1,
                Change::Entrance => reloaded.changed += 1,
                Change::Backend => {
                    reloaded.changed += 1;
                    let (leaving, work) = self.sockets.restart(&gate.owner, rest, over);
                    reloaded.leaving += leaving;
                    tokio::spawn(work);
                }
                Change::Removed => {
                    reloaded.removed += 1;
                    let ending = self.sockets.end(Some(&gate.owner), &Target::Rest(rest), CloseReason::GateClosed);
                    reloaded.closed += ending.sockets().len();
                }
            }
        }
        Ok(reloaded)
    }
}
