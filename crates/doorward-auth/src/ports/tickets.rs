use doorward_types::{GateName, OwnerId, Rest, Subject, Timestamp};

use super::PortError;
use crate::BoxFuture;

/// Where a ticket opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TicketBinding {
    /// One gate of the owner.
    Gate(GateName),
    /// Any one of the owner's gates: the owner's own login.
    AnyGateOfOwner,
}

/// A one-time ticket as it is stored: under a hash of its text, which itself is stored nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Whose gates it opens.
    pub owner: OwnerId,
    /// Which of them.
    pub binding: TicketBinding,
    /// The only origin it may be redeemed from; `None` where it was not made for a browser.
    pub origin: Option<String>,
    /// Who redeems it.
    pub subject: Subject,
    /// What it rests on besides itself: the login that minted it.
    pub rests_on: Vec<Rest>,
    /// When it was made: an ending of everything that was issued before some time asks.
    pub issued_at: Timestamp,
    /// From when on it opens nothing.
    pub expires_at: Timestamp,
}

/// One-time tickets. Nothing crosses between owners: a ticket is looked for with its owner.
///
/// An ending of what a ticket rests on, or of its subject, voids it
/// ([`Revocations::end`](super::Revocations::end)): it is then unknown.
pub trait Tickets: Send + Sync {
    /// Keeps a ticket under the hash that it was drawn with
    /// ([`NewTicket`](crate::layers::handshake::ticket::NewTicket)). One that rests on something that has ended for ever (a
    /// login, a token, a key) is void from the beginning.
    fn mint<'a>(&'a self, hash: [u8; 32], ticket: Ticket) -> BoxFuture<'a, Result<(), PortError>>;

    /// Takes the ticket out, durably, before it answers: of any number of callers at most one gets it.
    ///
    /// An expired one is taken out too and does not come back.
    fn consume<'a>(
        &'a self,
        owner: &'a OwnerId,
        hash: [u8; 32],
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Ticket>, PortError>>;
}
