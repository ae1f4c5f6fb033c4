use std::sync::Arc;

use crate::{
    Claimant, Fault, Level, OnExpiry, Proof, Refusal,
    account::{Checks, Hashing, KeyEncryptionKey, NotRight, Trier},
    ports::{Ports, Session},
};

/// What the layers of the built-in site are built with, beside the ports. Cheap to clone.
#[derive(Clone)]
pub struct SiteTools {
    /// Hashes passwords; the site's own login takes its places too.
    pub hashing: Arc<Hashing>,
    /// The server's key, under which secrets are sealed.
    pub sealing: KeyEncryptionKey,
}

impl SiteTools {
    /// What checks passwords and codes, for layers and pages alike.
    pub fn checks(&self, ports: &Ports) -> Checks {
        Checks::new(ports, Arc::clone(&self.hashing), self.sealing.clone())
    }
}

/// Whoever stands before the ladder, as a try of a secret is counted.
pub(crate) fn trier(claimant: &Claimant) -> Trier {
    Trier { owner: claimant.owner().clone(), source: claimant.source(), browser: claimant.came().browser }
}

/// What a login proves, to whatever layer it is shown.
pub(crate) fn proof_of(session: Session) -> Proof {
    let has = |factor: &str| session.factors.iter().any(|known| known == factor);
    let (amr, level): (&'static [&'static str], _) = match (has("pwd"), has("otp"), has("recovery")) {
        (true, true, _) => (&["pwd", "otp"], Level::Substantial),
        (true, false, true) => (&["pwd", "recovery"], Level::Substantial),
        (true, false, false) => (&["pwd"], Level::Low),
        (false, true, _) => (&["otp"], Level::Low),
        (false, false, true) => (&["recovery"], Level::Low),
        (false, false, false) => (&[], Level::Low),
    };
    Proof {
        subject: Some(session.subject()),
        amr,
        level,
        rests_on: vec![session.rest()],
        issued_at: Some(session.created_at),
        expires_at: Some(session.expires_at),
        newer_than: session.opened,
        browser: session.browser,
        on_expiry: OnExpiry::Close,
        ..Proof::default()
    }
}

impl NotRight {
    /// The refusal at that step of a layer.
    pub(crate) fn refuse(self, step: &'static str) -> Refusal {
        let fault = match &self {
            Self::Wrong { .. } | Self::Unreadable | Self::Locked { .. } => Fault::Credential,
            Self::Busy(_) | Self::Down(_) => Fault::Dependency,
            Self::Unusable(_) => Fault::Internal,
        };
        Refusal::new(fault, step, self)
    }
}
