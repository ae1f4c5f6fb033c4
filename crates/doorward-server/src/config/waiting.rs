use std::fmt;

use super::{Config, GateLimits, Site, Table};

/// Keys that a reload takes although they stand in sections that otherwise wait: whose the site is goes with the owners, how long
/// the others have is read where it is needed.
const TAKEN: [(&str, &str); 3] = [("site", "owner"), ("server", "shutdown"), ("limits", "end_within")];

/// What of a section has changed and takes effect at the next start alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    section: &'static str,
    /// Empty where the section comes or goes as a whole.
    keys: Vec<&'static str>,
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { section, keys } = self;
        match keys.as_slice() {
            [] => write!(f, "`[{section}]` takes effect at the next start"),
            [only] => write!(f, "`[{section}] {only}` takes effect at the next start"),
            keys => write!(f, "`[{section}]` takes effect at the next start: `{}`", keys.join("`, `")),
        }
    }
}

impl Config {
    /// What a server that runs with this configuration does not take of `next` when that is read, section by section.
    pub fn waiting(&self, next: &Self) -> Vec<Waiting> {
        let mut waiting = vec![
            changed(&self.server, &next.server),
            changed(&self.internal, &next.internal),
            changed(&self.ninep, &next.ninep),
            changed(&self.store, &next.store),
            changed(&self.log, &next.log),
            changed(&self.limits, &next.limits),
            changed(&self.audit, &next.audit),
            changed(&self.site, &next.site),
            changed(&self.lease, &next.lease),
        ];
        // The certificate is read again; what waits is whether there is one.
        if self.server.tls.is_some() == next.server.tls.is_some() {
            waiting[0].keys.retain(|key| *key != "tls");
        }
        waiting.retain(|section| !section.keys.is_empty());
        let comes_or_goes = self.site.enabled != next.site.enabled;
        if let Some(site) = waiting.iter_mut().find(|waits| comes_or_goes && waits.section == Site::NAME) {
            site.keys.clear();
        }
        waiting
    }
}

fn changed<T: Table>(now: &T, next: &T) -> Waiting {
    let of_gates: Vec<_> = GateLimits::keys().into_iter().map(|key| key.name).collect();
    let is_taken = |key: &str| TAKEN.contains(&(T::NAME, key)) || (T::NAME == "limits" && of_gates.contains(&key));
    let mut keys = now.changed(next);
    keys.retain(|key| !is_taken(key));
    Waiting { section: T::NAME, keys }
}
