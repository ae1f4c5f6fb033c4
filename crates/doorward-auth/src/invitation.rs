//! Invitations to make an account, or to set another password: how one is drawn, and what it is kept under.

use doorward_types::{KeyText, Secret, UnreadableKey};

use crate::{crypto::sha256, ports::Rng};

/// An invitation as it is made: its text for the link, and the hash under which it is kept.
#[derive(Debug)]
pub struct NewInvitation {
    /// `dwi_...`: shown once, stored nowhere.
    pub text: Secret,
    /// What [`Accounts::invite`](crate::ports::Accounts::invite) and
    /// [`Accounts::offer_reset`](crate::ports::Accounts::offer_reset) take.
    pub hash: [u8; 32],
}

impl NewInvitation {
    /// Draws one.
    pub fn draw(rng: &dyn Rng) -> Self {
        let text = KeyText::Invitation.write(&rng.bytes32());
        let hash = sha256(&[text.reveal("to hash it")]);
        Self { text, hash }
    }

    /// The link by which it is used at the site of that address. The text stands behind `#`, so that no server, log or `Referer`
    /// sees it on its way.
    pub fn link(&self, url: &str) -> Secret {
        self.at(url, "register")
    }

    /// The same, for who is to set another password.
    pub fn reset_link(&self, url: &str) -> Secret {
        self.at(url, "reset")
    }

    fn at(&self, url: &str, page: &str) -> Secret {
        let text = self.text.reveal_text("it is shown to whoever hands it out, once").unwrap_or_default();
        Secret::from_text(format!("{url}/{page}#{text}"))
    }
}

/// The hash under which an invitation is looked for.
///
/// # Errors
/// The text cannot be one.
pub fn hash_of_invitation(text: &str) -> Result<[u8; 32], UnreadableKey> {
    KeyText::Invitation.read(text).map(|_| sha256(&[text.as_bytes()]))
}
