//! A node while it listens: what it is asked, what it takes of another configuration, and how it ends.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use doorward_auth::{
    NewInvitation,
    ports::{Invitation, PortError, Role},
};
use doorward_types::{OwnerId, Secret};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep_until},
};

use super::{ReloadError, tls};
use crate::{
    config::{Config, Waiting},
    control::StoreLock,
    door::Door,
    edge::Tls,
    gates::Tools,
    reload::Reloaded,
};

/// Of the time of a shutdown, what is kept for those who do not take their Close at once.
const STRAGGLERS: Duration = Duration::from_secs(2);

/// A node that listens.
pub struct Running {
    /// What it was started with.
    pub(super) config: Config,
    pub(super) door: Arc<Door>,
    pub(super) tools: Tools,
    pub(super) tls: Option<Arc<Tls>>,
    pub(super) public: SocketAddr,
    pub(super) internal: SocketAddr,
    pub(super) ninep: Option<SocketAddr>,
    pub(super) accept: JoinHandle<()>,
    pub(super) work: JoinHandle<()>,
    pub(super) tasks: Vec<JoinHandle<()>>,
    /// Whose site it is that may lack its first account, and where it is; `None` without a site.
    pub(super) first: Option<FirstAccount>,
    pub(super) _lock: Option<StoreLock>,
}

/// Where the first account of a site is made.
pub(super) struct FirstAccount {
    pub(super) owner: OwnerId,
    pub(super) url: String,
}

impl Running {
    /// Where users connect.
    pub fn public(&self) -> SocketAddr {
        self.public
    }

    /// Where the operator's probes connect.
    pub fn internal(&self) -> SocketAddr {
        self.internal
    }

    /// Where file tools connect; `None` where they do not.
    pub fn ninep(&self) -> Option<SocketAddr> {
        self.ninep
    }

    /// The door.
    pub fn door(&self) -> &Arc<Door> {
        &self.door
    }

    /// The link by which the first account is made, an owner; `None` where there is no site, or an account already. It holds for
    /// three days, until there is an account, or until another start gives another one.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn first_invitation(&self) -> Result<Option<Secret>, PortError> {
        let accounts = &self.tools.ports.site.accounts;
        let Some(site) = &self.first else { return Ok(None) };
        if !accounts.list(Some(&site.owner), None, 1).await?.is_empty() {
            return Ok(None);
        }
        let expires_at = self.door.clock.now().plus(Invitation::LASTS);
        let invitation = Invitation { owner: site.owner.clone(), role: Role::Owner, expires_at, first: true };
        let new = NewInvitation::to_register(&**accounts, &*self.door.rng, invitation).await?;
        Ok(Some(new.link(&site.url)))
    }

    /// What of another configuration a [`reload`](Self::reload) does not take: it takes effect at the next start.
    pub fn waiting(&self, next: &Config) -> Vec<Waiting> {
        self.config.waiting(next)
    }

    /// Takes the gates of another configuration, all at once or none of them (see [`Door::reload`]), and its certificate: who
    /// comes from here on is shown that. All that is [`waiting`](Self::waiting) stays as it is.
    ///
    /// # Errors
    /// Everything that cannot be put together, or served. Then nothing has changed.
    pub fn reload(&self, config: &Config) -> Result<Reloaded, ReloadError> {
        let renewed = config.server.tls.as_ref().map(|files| tls(files, &self.tools.base)).transpose()?;
        let reloaded = self.door.reload(config, &self.tools, config.server.shutdown.duration());
        let reloaded = reloaded.map_err(|errors| match self.tools.site {
            None if config.site.enabled => ReloadError::SiteWaits(errors),
            _ => errors.into(),
        })?;
        if let (Some(tls), Some(renewed)) = (&self.tls, renewed) {
            tls.replace(renewed);
        }
        Ok(reloaded)
    }

    /// Lets nobody in any more, closes every socket with 1012 spread over the time, and ends; it takes that time at the most.
    ///
    /// Until the last socket has left, whoever comes is answered with 503: to a load balancer that has yet to notice, that is
    /// an answer, and a port that is closed is an error.
    pub async fn close(self, within: Duration) {
        self.close_unless_hurried(within, std::future::pending()).await;
    }

    /// As [`close`](Self::close), and at once when `hurry` comes.
    pub async fn close_unless_hurried(self, within: Duration, hurry: impl Future<Output = ()>) {
        let latest = Instant::now() + within;
        let spread = within - STRAGGLERS.min(within / 2);
        tokio::select! {
            biased;
            () = self.door.drain(spread) => {}
            () = sleep_until(latest) => tracing::warn!("some did not leave in time"),
            () = hurry => tracing::warn!("some are left behind"),
        }
        self.accept.abort();
        if let Err(error) = self.door.audit.flush().await {
            tracing::error!(%error, "the last rows of the audit log are lost");
        }
        self.work.abort();
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}
