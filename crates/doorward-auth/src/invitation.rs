//! Invitations to make an account, and links to set another password: the one place where either is drawn, kept and made a link.
//!
//! ```text
//!   owner, program, operator ──▶ draw ──▶ its hash in the store, until it is used or too old
//!                                 └─────▶ URL/register#dwi_...  or  URL/reset#dwi_...   shown once
//! ```
//!
//! How long one holds stands beside what is kept: [`Invitation::LASTS`], [`Reset::LASTS`].

use doorward_types::{KeyText, Secret, UnreadableKey};

use crate::{
    crypto::sha256,
    ports::{Accounts, Invitation, PortError, Reset, Rng},
};

/// An invitation, or a link to set another password, that was just made.
#[derive(Debug)]
pub struct NewInvitation {
    /// `dwi_...`: shown once, stored nowhere.
    pub text: Secret,
    /// The page of the site where it is used.
    page: &'static str,
}

impl NewInvitation {
    /// Draws an invitation to make an account, and has its hash kept.
    ///
    /// # Errors
    /// It cannot be kept.
    pub async fn to_register(
        accounts: &dyn Accounts,
        rng: &dyn Rng,
        invitation: Invitation,
    ) -> Result<Self, PortError> {
        let (new, hash) = Self::draw(rng, "register");
        accounts.invite(hash, invitation).await?;
        Ok(new)
    }

    /// Draws what sets another password, and has its hash kept, in the place of an earlier one.
    ///
    /// # Errors
    /// It cannot be kept.
    pub async fn to_reset(accounts: &dyn Accounts, rng: &dyn Rng, reset: Reset) -> Result<Self, PortError> {
        let (new, hash) = Self::draw(rng, "reset");
        accounts.offer_reset(hash, reset).await?;
        Ok(new)
    }

    fn draw(rng: &dyn Rng, page: &'static str) -> (Self, [u8; 32]) {
        let text = KeyText::Invitation.write(&rng.bytes32());
        let hash = sha256(&[text.reveal("to hash it")]);
        (Self { text, page }, hash)
    }

    /// The link by which it is used at the site of that address. The text stands behind `#`, so that no server, log or `Referer`
    /// sees it on its way.
    pub fn link(&self, url: &str) -> Secret {
        let text = self.text.reveal_text("it is shown to whoever hands it out, once").unwrap_or_default();
        Secret::from_text(format!("{}/{}#{text}", url.trim_end_matches('/'), self.page))
    }
}

/// The hash under which an invitation is looked for.
///
/// # Errors
/// The text cannot be one.
pub fn hash_of_invitation(text: &str) -> Result<[u8; 32], UnreadableKey> {
    KeyText::Invitation.read(text).map(|_| sha256(&[text.as_bytes()]))
}

#[cfg(test)]
mod tests {
    use doorward_types::{OwnerId, Timestamp};

    use super::*;
    use crate::{
        memory::MemorySite,
        ports::{Role, SystemRng},
    };

    #[tokio::test]
    async fn an_invitation_is_kept_under_the_hash_of_what_its_link_ends_with() {
        let (site, owner, now) = (MemorySite::default(), OwnerId::new("acme"), Timestamp::from_secs(1_000_000));
        let expires_at = now.plus(Invitation::LASTS);
        let invitation = Invitation { owner: owner.clone(), role: Role::Owner, expires_at, first: false };
        let new = NewInvitation::to_register(&site, &SystemRng, invitation.clone()).await.unwrap();
        for url in ["https://shop.example", "https://shop.example/"] {
            let link = new.link(url);
            let text = link.reveal_text("a test").unwrap().strip_prefix("https://shop.example/register#").unwrap();
            let hash = hash_of_invitation(text).unwrap();
            assert_eq!(site.invitation(&owner, hash, now).await, Ok(Some(invitation.clone())));
            assert_eq!(site.invitation(&owner, hash, expires_at).await, Ok(None), "three days later");
        }
    }
}
