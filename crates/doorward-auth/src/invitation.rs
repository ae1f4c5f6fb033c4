//! Invitations to make an account: how one is drawn, and what it is kept under.

use doorward_types::{KeyText, Secret, UnreadableKey};

use crate::{crypto::sha256, ports::Rng};

/// An invitation as it is made: its text for the link, and the hash under which it is kept.
#[derive(Debug)]
pub struct NewInvitation {
    /// `dwi_...`: shown once, stored nowhere.
    pub text: Secret,
    /// What [`Accounts::invite`](crate::ports::Accounts::invite) takes.
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
        let text = self.text.reveal_text("it is shown to whoever invites, once").unwrap_or_default();
        Secret::from_text(format!("{url}/register#{text}"))
    }
}

/// The hash under which an invitation is looked for.
///
/// # Errors
/// The text cannot be one.
pub fn hash_of_invitation(text: &str) -> Result<[u8; 32], UnreadableKey> {
    KeyText::Invitation.read(text).map(|_| sha256(&[text.as_bytes()]))
}
