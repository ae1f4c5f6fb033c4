use std::sync::Arc;

use doorward_auth::{
    account::{Checks, CodeKey},
    layers::SiteTools,
    ports::{PortError, Ports, Rng, SitePorts},
};
use doorward_types::{OwnerId, Timestamp};

use crate::{
    Event, Gates, Journal, PeerInfo, SiteConfig, TokenSigner, assets::Assets, cookies::Cookies, half::Halves,
    live::Node,
};

/// What a [`Site`](crate::Site) is made of.
pub struct SiteParts {
    /// What the operator says of it.
    pub config: SiteConfig,
    /// What it keeps, the clock, and random numbers for all secrets.
    pub ports: Ports,
    /// What hashes passwords, and seals the secrets of authenticator apps. The layers of the gates have the same.
    pub tools: SiteTools,
    /// What happens is written down there.
    pub journal: Journal,
    /// The live sockets.
    pub node: Arc<dyn Node>,
    /// The gates.
    pub gates: Arc<dyn Gates>,
    /// Signs access tokens.
    pub signer: Arc<dyn TokenSigner>,
}

/// Where visitors are attended: the parts, and what follows from them. Every page gets it.
pub(crate) struct Desk {
    pub(crate) parts: SiteParts,
    pub(crate) assets: Assets,
    pub(crate) cookies: Cookies,
    pub(crate) halves: Halves,
    pub(crate) code_key: CodeKey,
    pub(crate) checks: Checks,
}

impl Desk {
    pub(crate) fn new(parts: SiteParts) -> Self {
        Self {
            assets: Assets::new(),
            cookies: Cookies::new(parts.config.cookie_domain.clone()),
            halves: Halves::default(),
            code_key: parts.tools.sealing.code_key(),
            checks: parts.tools.checks(&parts.ports),
            parts,
        }
    }

    pub(crate) fn ports(&self) -> &SitePorts {
        &self.parts.ports.site
    }

    pub(crate) fn rng(&self) -> &dyn Rng {
        &*self.parts.ports.rng
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.parts.ports.clock.now()
    }

    /// Writes down that something was given out; where that cannot be, it is not handed out.
    pub(crate) fn given(&self, event: Event) -> Result<(), PortError> {
        self.parts.journal.given(event)
    }

    /// Writes down what was done, or refused.
    pub(crate) fn done(&self, event: Event) {
        self.parts.journal.done(event);
    }

    /// The address that links to the site of that owner begin with: where the configuration names none, this one's.
    pub(crate) fn address(&self, owner: &OwnerId, peer: &PeerInfo) -> String {
        self.parts.gates.address_of(owner).unwrap_or_else(|| peer.origin())
    }

    /// The origin that the operator says is the site's, for who comes through something that names another host.
    pub(crate) fn public_origin(&self) -> Option<&str> {
        self.parts.config.url.as_deref().map(|url| url.trim_end_matches('/'))
    }
}
