use std::collections::BTreeSet;

use doorward_auth::account::PasswordRules;
use doorward_types::OwnerId;
use http::Uri;

use super::owner_of;
use crate::config::{Config, Host, Owner};

/// The owners of a configuration, whose a host name is, and of the pages of each: where they are, and what a password there may be.
pub(crate) struct Owners {
    by_host: Vec<(Host, OwnerId)>,
    all: BTreeSet<OwnerId>,
    otherwise: OwnerId,
    /// What the site is called.
    name: String,
    /// The public address of the site: `https://shop.example`.
    url: Option<String>,
}

impl Owners {
    pub(crate) fn of(config: &Config) -> Self {
        let id = |owner: &Owner| OwnerId::new(owner.name.as_str());
        Self {
            by_host: config.owners.iter().filter_map(|owner| Some((owner.host.clone()?, id(owner)))).collect(),
            all: config.owners.iter().map(id).collect(),
            otherwise: owner_of(config, config.site.owner.as_deref()),
            name: config.site.name.clone(),
            url: config.site.url.clone(),
        }
    }

    /// Whose site a request to that host (without port) is at: who has the host, otherwise the owner of the site.
    pub(crate) fn at(&self, host: &str) -> &OwnerId {
        let named = self.by_host.iter().find(|(name, _)| name.as_str().eq_ignore_ascii_case(host));
        named.map_or(&self.otherwise, |(_, owner)| owner)
    }

    /// The public address of an owner's site, without a slash at its end: that of the site where it is this owner's, otherwise the
    /// same at the owner's own host. `None` where the configuration names no address, or the owner has no pages.
    pub(crate) fn address_of(&self, owner: &OwnerId) -> Option<String> {
        let url = self.url.as_deref()?;
        let uri: Uri = url.parse().ok()?;
        if self.at(uri.host()?) == owner {
            return Some(url.trim_end_matches('/').to_owned());
        }
        let port = uri.port().map(|port| format!(":{port}")).unwrap_or_default();
        Some(format!("{}://{}{port}", uri.scheme_str()?, self.host_of(owner)?))
    }

    /// What a password at the owner's site must not be made of: the name of the site, and the hosts that it is at, whoever asks.
    pub(crate) fn rules_of(&self, owner: &OwnerId) -> PasswordRules {
        let uri = self.url.as_deref().and_then(|url| url.parse::<Uri>().ok());
        let public = uri.as_ref().and_then(Uri::host).filter(|host| self.at(host) == owner);
        PasswordRules::of_site(&self.name, public.into_iter().chain(self.host_of(owner)))
    }

    /// The owner's own host.
    pub(crate) fn host_of(&self, owner: &OwnerId) -> Option<&str> {
        self.by_host.iter().find(|(_, of)| of == owner).map(|(host, _)| host.as_str())
    }

    /// All of them, by name.
    pub(crate) fn all(&self) -> impl Iterator<Item = &OwnerId> {
        self.all.iter()
    }
}
