use std::{collections::HashMap, sync::Mutex, time::Duration};

use doorward_types::{OwnerId, Rest, Timestamp};

use super::lock;
use crate::{
    BoxFuture,
    ports::{Ending, PortError, Ticket, Tickets},
};

/// How long it is remembered what has ended for ever.
const REMEMBERED: Duration = Duration::from_hours(30 * 24);

/// [`Tickets`] in memory. Expired ones are forgotten whenever one is looked for.
#[derive(Debug, Default)]
pub struct MemoryTickets(Mutex<Minted>);

#[derive(Debug, Default)]
struct Minted {
    tickets: HashMap<(OwnerId, [u8; 32]), Ticket>,
    /// What has ended for ever, whose (everybody's for `None`), and when.
    ended: HashMap<(Option<OwnerId>, Rest), Timestamp>,
}

impl Minted {
    fn has_ended(&self, owner: &OwnerId, rest: &Rest) -> bool {
        [Some(owner.clone()), None].into_iter().any(|owner| self.ended.contains_key(&(owner, rest.clone())))
    }
}

impl MemoryTickets {
    /// Without any ticket.
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets the tickets that an ending ends, and those that rest on it and are minted after it.
    pub(super) fn void(&self, ending: &Ending) {
        let mut minted = lock(&self.0);
        minted.ended.retain(|_, at| ending.at.since(*at) < REMEMBERED);
        minted.ended.extend(ending.what.for_ever().map(|rest| ((ending.owner.clone(), rest.clone()), ending.at)));
        minted.tickets.retain(|_, ticket| {
            ending.owner.as_ref().is_some_and(|owner| *owner != ticket.owner)
                || !ending.what.ends(Some(&ticket.subject), &ticket.rests_on, ticket.issued_at, ending.at)
        });
    }
}

impl Tickets for MemoryTickets {
    fn mint<'a>(&'a self, hash: [u8; 32], ticket: Ticket) -> BoxFuture<'a, Result<(), PortError>> {
        Box::pin(async move {
            let mut minted = lock(&self.0);
            if !ticket.rests_on.iter().any(|rest| minted.has_ended(&ticket.owner, rest)) {
                minted.tickets.insert((ticket.owner.clone(), hash), ticket);
            }
            Ok(())
        })
    }

    fn consume<'a>(
        &'a self,
        owner: &'a OwnerId,
        hash: [u8; 32],
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Ticket>, PortError>> {
        Box::pin(async move {
            let tickets = &mut lock(&self.0).tickets;
            tickets.retain(|_, ticket| now < ticket.expires_at);
            Ok(tickets.remove(&(owner.clone(), hash)))
        })
    }
}
