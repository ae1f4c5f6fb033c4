use std::collections::BTreeSet;

use doorward_types::OwnerId;

use super::owner_of;
use crate::config::{Config, Host, Owner};

/// The owners of a configuration, and whose a host name is.
pub(crate) struct Owners {
    by_host: Vec<(Host, OwnerId)>,
    all: BTreeSet<OwnerId>,
    otherwise: OwnerId,
}

impl Owners {
    pub(super) fn of(config: &Config) -> Self {
        let id = |owner: &Owner| OwnerId::new(owner.name.as_str());
        Self {
            by_host: config.owners.iter().filter_map(|owner| Some((owner.host.clone()?, id(owner)))).collect(),
            all: config.owners.iter().map(id).collect(),
            otherwise: owner_of(config, config.site.owner.as_deref()),
        }
    }

    /// Whose site a request to that host (without port) is at: who has the host, otherwise the owner of the site.
    pub(crate) fn at(&self, host: &str) -> &OwnerId {
        let named = self.by_host.iter().find(|(name, _)| name.as_str().eq_ignore_ascii_case(host));
        named.map_or(&self.otherwise, |(_, owner)| owner)
    }

    /// All of them, by name.
    pub(crate) fn all(&self) -> impl Iterator<Item = &OwnerId> {
        self.all.iter()
    }
}
