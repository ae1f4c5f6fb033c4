use std::sync::Arc;

use doorward_auth::{
    account::{CodeKey, Hashing, KeyEncryptionKey, PasswordRules},
    ports::{Clock, Rng, SitePorts, Tickets},
};

use crate::{Gates, LiveSockets, PeerInfo, SiteConfig, TokenSigner, assets::Assets, cookies::Cookies, half::Halves};

/// What a [`Site`](crate::Site) is made of.
pub struct SiteParts {
    /// What the operator says of it.
    pub config: SiteConfig,
    /// What it keeps.
    pub ports: SitePorts,
    /// Where tickets are kept.
    pub tickets: Arc<dyn Tickets>,
    /// The wall clock.
    pub clock: Arc<dyn Clock>,
    /// Random numbers for all secrets.
    pub rng: Arc<dyn Rng>,
    /// Hashes passwords.
    pub hashing: Arc<Hashing>,
    /// Seals the secrets of authenticator apps.
    pub sealing: KeyEncryptionKey,
    /// The live sockets.
    pub sockets: Arc<dyn LiveSockets>,
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
}

impl Desk {
    pub(crate) fn new(parts: SiteParts) -> Self {
        Self {
            assets: Assets::new(),
            cookies: Cookies::new(parts.config.cookie_domain.clone()),
            halves: Halves::default(),
            code_key: parts.sealing.code_key(),
            parts,
        }
    }

    pub(crate) fn ports(&self) -> &SitePorts {
        &self.parts.ports
    }

    pub(crate) fn rng(&self) -> &dyn Rng {
        &*self.parts.rng
    }

    /// What a password here must not be made of.
    pub(crate) fn password_rules(&self, peer: &PeerInfo) -> PasswordRules {
        PasswordRules::of_site(&self.parts.config.name, peer.host_name())
    }

    /// The address that links begin with.
    pub(crate) fn address(&self, peer: &PeerInfo) -> String {
        let url = self.parts.config.url.as_deref().map(|url| url.trim_end_matches('/').to_owned());
        url.unwrap_or_else(|| peer.origin())
    }
}
