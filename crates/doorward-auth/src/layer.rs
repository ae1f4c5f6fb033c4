use std::{future::Future, pin::Pin};

use crate::{Claimant, Conversation, Handshake, Refusal};

/// A boxed future, as the object-safe traits of this crate return it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A layer that is answered from the HTTP upgrade request alone.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a handshake layer",
    note = "a layer that talks over the open socket implements `Layer`"
)]
pub trait HandshakeLayer: Send + Sync {
    /// The name in configuration, log and evidence.
    fn name(&self) -> &'static str;

    /// The one step of its script that the socket takes: `socket checks ticket`.
    fn step(&self) -> &'static str;

    /// Whether it proves a subject.
    fn gives_identity(&self) -> bool {
        false
    }

    /// Looks at the request. Proves something to the claimant, or refuses.
    fn verify<'a>(&'a self, handshake: &'a Handshake, claimant: &'a mut Claimant)
    -> BoxFuture<'a, Result<(), Refusal>>;
}

/// A layer that talks with the user over the open socket.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a conversation layer",
    note = "a layer that needs the upgrade request alone implements `HandshakeLayer`"
)]
pub trait Layer: Send + Sync {
    /// The name in configuration, log and evidence, and the `kind` of the answers that are for it.
    fn name(&self) -> &'static str;

    /// Whether it proves a subject.
    fn gives_identity(&self) -> bool {
        false
    }

    /// Whether it needs a subject that a layer above has proven.
    fn needs_identity(&self) -> bool {
        false
    }

    /// For a layer that can be satisfied without being shown anything first: in how many answers. `None` for all others.
    fn unprompted_answers(&self) -> Option<usize> {
        None
    }

    /// Talks, top to bottom as in the script at the head of its file. Proves something to the claimant, or refuses.
    fn verify<'a>(
        &'a self,
        conversation: &'a mut Conversation,
        claimant: &'a mut Claimant,
    ) -> BoxFuture<'a, Result<(), Refusal>>;
}
