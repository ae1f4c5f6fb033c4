//! Ticket: the user shows a one-time ticket that a website made for them.
//!
//! user   -> website   get ticket
//! user   -> edge      show ticket in the upgrade request
//! socket              check ticket

use serde::Deserialize;

use crate::{TicketVia, layers::MACHINE, settings::Span};

/// `{ ticket = { ... } }`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TicketConfig {
    /// The ways that are taken: `header`, `subprotocol`, `message`. With `message` the ticket may also come over the socket.
    pub via: Vec<TicketVia>,
    /// How long a ticket is waited for once the socket is open; only with `message`.
    pub timeout: Span,
}

impl Default for TicketConfig {
    fn default() -> Self {
        Self { via: vec![TicketVia::Header, TicketVia::Subprotocol, TicketVia::Message], timeout: MACHINE }
    }
}
