//! Ticket, over the open socket: for whoever cannot put one into the upgrade request.
//!
//! user   -> website   get ticket
//! user   -> socket    send ticket
//! socket              require ticket

use std::time::Duration;

use crate::{
    Ask, BoxFuture, Claimant, Conversation, Layer, Refusal, layers::handshake::ticket::Redeemer, ports::Ports,
};

/// The layer that waits for a ticket in a message.
pub struct TicketInMessage {
    redeemer: Redeemer,
    timeout: Duration,
}

impl TicketInMessage {
    /// Waits so long for a ticket.
    pub fn new(ports: &Ports, timeout: Duration) -> Self {
        Self { redeemer: Redeemer::new(ports), timeout }
    }
}

impl Layer for TicketInMessage {
    fn name(&self) -> &'static str {
        "ticket"
    }

    fn gives_identity(&self) -> bool {
        true
    }

    fn verify<'a>(
        &'a self,
        conversation: &'a mut Conversation,
        claimant: &'a mut Claimant,
    ) -> BoxFuture<'a, Result<(), Refusal>> {
        const REQUIRE: &str = "socket requires ticket";
        Box::pin(async move {
            let answer = conversation.ask("user sends ticket", Ask::for_fields(&["ticket"], self.timeout)).await?;
            let redeemed = self.redeemer.redeem(self.name(), REQUIRE, answer.field("ticket"), claimant).await;
            conversation.hold(REQUIRE, redeemed)
        })
    }
}
