use std::{collections::HashMap, future::ready, sync::Mutex};

use doorward_types::{OwnerId, Timestamp};

use super::lock;
use crate::{
    BoxFuture,
    ports::{PortError, Ticket, Tickets},
};

/// [`Tickets`] in memory. Expired ones are forgotten whenever one is looked for.
#[derive(Debug, Default)]
pub struct MemoryTickets(Mutex<HashMap<(OwnerId, [u8; 32]), Ticket>>);

impl MemoryTickets {
    /// Without any ticket.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Tickets for MemoryTickets {
    fn mint<'a>(&'a self, hash: [u8; 32], ticket: Ticket) -> BoxFuture<'a, Result<(), PortError>> {
        lock(&self.0).insert((ticket.owner.clone(), hash), ticket);
        Box::pin(ready(Ok(())))
    }

    fn consume<'a>(
        &'a self,
        owner: &'a OwnerId,
        hash: [u8; 32],
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Ticket>, PortError>> {
        Box::pin(async move {
            let mut tickets = lock(&self.0);
            tickets.retain(|_, ticket| now < ticket.expires_at);
            Ok(tickets.remove(&(owner.clone(), hash)))
        })
    }
}
