//! Invitations: a link by which somebody makes one account. The store keeps its hash, so that it is shown once.

use std::time::Duration;

use doorward_auth::{
    NewInvitation,
    ports::{Accounts, Invitation, PortError, Rng, Role},
};
use doorward_types::{OwnerId, Secret, Timestamp};

/// What is to be invited to.
pub(crate) struct Invite<'a> {
    /// To whose site.
    pub(crate) owner: &'a OwnerId,
    /// What the account will be able to do.
    pub(crate) role: Role,
    /// From when on.
    pub(crate) now: Timestamp,
    /// For how long.
    pub(crate) lasts: Duration,
    /// The address of the site.
    pub(crate) url: &'a str,
    /// Whether it is to the site's first account.
    pub(crate) first: bool,
}

impl Invite<'_> {
    /// Keeps an invitation, and gives its link.
    pub(crate) async fn link(&self, accounts: &dyn Accounts, rng: &dyn Rng) -> Result<Secret, PortError> {
        let new = NewInvitation::draw(rng);
        let expires_at = self.now.plus(self.lasts);
        let invitation = Invitation { owner: self.owner.clone(), role: self.role, expires_at, first: self.first };
        accounts.invite(new.hash, invitation).await?;
        Ok(new.link(self.url))
    }
}
