//! What the layers and the site keep: in the store of the configuration, or in memory.

use std::{path::Path, sync::Arc};

use doorward_auth::{
    memory::{MemoryAppKeys, MemoryAudit, MemoryCarts, MemorySite, MemoryTickets, MemoryUsedTokens},
    ports::{AppKeys, Audit, Carts, Clock, Ports, Rng, SitePorts, Tickets, UsedTokens},
};
use doorward_store::{Options, Store, StoreError};

use crate::{
    config::{Config, in_memory},
    node::store_path,
};

/// The ports, the audit log, and the carts.
type Opened = (Ports, Arc<dyn Audit>, Arc<dyn Carts>);

/// Opens them: the store that the configuration names, or what is kept in memory.
pub(crate) fn open(
    config: &Config,
    base: &Path,
    clock: &Arc<dyn Clock>,
    rng: &Arc<dyn Rng>,
) -> Result<Opened, StoreError> {
    let (clock, rng) = (Arc::clone(clock), Arc::clone(rng));
    let answer_within = config.limits.dependency_timeout.duration();
    Ok(match store_path(config, base) {
        Some(path) => {
            let audit_rows = config.audit.keep.into();
            let store = Store::open_with(&path.display().to_string(), Options { audit_rows, ..Options::default() })?;
            let store = Arc::new(store);
            let ports = Ports {
                clock,
                rng,
                tickets: Arc::clone(&store) as Arc<dyn Tickets>,
                app_keys: Arc::clone(&store) as Arc<dyn AppKeys>,
                used_tokens: Arc::clone(&store) as Arc<dyn UsedTokens>,
                site: SitePorts::of(&store),
                answer_within,
            };
            (ports, Arc::clone(&store) as _, store)
        }
        None => {
            let (tickets, app_keys) = (Arc::new(MemoryTickets::new()), Arc::new(MemoryAppKeys::new()));
            let site = MemorySite::new(Some(Arc::clone(&tickets)), Some(Arc::clone(&app_keys)));
            let ports = Ports {
                tickets,
                app_keys,
                site: SitePorts::of(&Arc::new(site)),
                used_tokens: Arc::new(MemoryUsedTokens::new(Arc::clone(&clock))),
                clock,
                rng,
                answer_within,
            };
            let audit = MemoryAudit::keeping(in_memory(config.audit.keep));
            (ports, Arc::new(audit), Arc::new(MemoryCarts::new()))
        }
    })
}
