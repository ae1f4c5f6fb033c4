//! Ticket: the user shows a one-time ticket that a website made for them.
//!
//! user   -> website   get ticket
//! user   -> edge      show ticket in the upgrade request
//! socket              check ticket

use std::sync::Arc;

use doorward_types::{Cursor, GateName, KeyText, OwnerId, Rest, Secret, Timestamp};
use serde::Deserialize;

use crate::{
    BoxFuture, Claimant, Fault, Handshake, HandshakeLayer, Level, OnExpiry, Proof, Refusal, TicketVia,
    crypto::{hex, sha256},
    layers::MACHINE,
    ports::{Bounded, Clock, Ports, Rng, Sessions, Ticket, TicketBinding, Tickets},
    settings::Span,
};

const STEP: &str = "socket checks ticket";

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

/// A ticket as it is made: its text for the user, and the hash under which it is kept.
#[derive(Debug)]
pub struct NewTicket {
    /// `dwt_...`: shown once, stored nowhere.
    pub text: Secret,
    /// What [`Tickets::mint`] takes.
    pub hash: [u8; 32],
}

impl NewTicket {
    /// Draws a ticket that can be redeemed from that origin only, or from anywhere for `None`.
    ///
    /// The origin has to be the one of the [`Ticket`] that is kept under the hash.
    pub fn draw(rng: &dyn Rng, origin: Option<&str>) -> Self {
        let text = KeyText::Ticket.write(&rng.bytes32());
        let hash = hash_of(&text, origin);
        Self { text, hash }
    }
}

/// The hash under which a ticket is kept.
///
/// The origin is part of it: a page of another origin does not find the ticket, and so cannot burn it either.
fn hash_of(text: &Secret, origin: Option<&str>) -> [u8; 32] {
    let text = text.reveal("to hash it");
    match origin {
        None => sha256(&[text]),
        Some(origin) => sha256(&[text, b"\0origin ", origin.to_ascii_lowercase().as_bytes()]),
    }
}

/// Redeems tickets of one gate, from wherever they come in.
#[derive(Clone)]
pub(crate) struct Redeemer {
    tickets: Bounded<dyn Tickets>,
    /// Where the logins are that tickets were made by.
    sessions: Bounded<dyn Sessions>,
    clock: Arc<dyn Clock>,
}

impl Redeemer {
    pub(crate) fn new(ports: &Ports) -> Self {
        Self {
            tickets: ports.bounded("tickets", &ports.tickets),
            sessions: ports.bounded("sessions", &ports.site.sessions),
            clock: Arc::clone(&ports.clock),
        }
    }

    /// Takes the ticket out and proves its subject. A ticket for another gate is gone after this.
    pub(crate) async fn redeem(
        &self,
        layer: &'static str,
        step: &'static str,
        text: Option<&Secret>,
        claimant: &mut Claimant,
    ) -> Result<(), Refusal> {
        let Some(text) = text else {
            return Err(Refusal::credential(step, "there is no ticket"));
        };
        if let Err(unreadable) = KeyText::Ticket.read(text.reveal_text("to check its form").unwrap_or_default()) {
            return Err(Refusal::credential(step, unreadable));
        }
        let now = self.clock.now();
        let (ticket, hash) = self.consume(claimant.owner(), claimant.origin(), text, now, step).await?;
        let proof = check(ticket, &hash, claimant.gate(), claimant.origin(), now)
            .map_err(|detail| Refusal::credential(step, detail))?;
        let newer_than = self.newer_than(claimant.owner(), &proof, now, step).await?;
        claimant.prove(layer, now, Proof { newer_than, ..proof })
    }

    /// Where it stands in the log that the logins began that the ticket rests on: it is as new as the oldest of them. Of logins at
    /// another site nobody here knows.
    async fn newer_than(
        &self,
        owner: &OwnerId,
        proof: &Proof,
        now: Timestamp,
        step: &'static str,
    ) -> Result<Cursor, Refusal> {
        let mut newer_than = None;
        for sid in proof.rests_on.iter().filter(|rest| rest.kind == "sid") {
            let opened = match sid.value.parse() {
                Ok(sid) => self.sessions.ask(step, |sessions| sessions.find_by_id(owner, sid, now)).await?,
                Err(_) => None,
            };
            let opened = opened.map_or_else(Cursor::default, |session| session.opened);
            newer_than = Some(newer_than.map_or(opened, |before: Cursor| before.min(opened)));
        }
        Ok(newer_than.unwrap_or_default())
    }

    async fn consume(
        &self,
        owner: &OwnerId,
        origin: Option<&str>,
        text: &Secret,
        now: Timestamp,
        step: &'static str,
    ) -> Result<(Ticket, [u8; 32]), Refusal> {
        let bound = origin.map(|origin| hash_of(text, Some(origin)));
        for hash in bound.into_iter().chain([hash_of(text, None)]) {
            if let Some(ticket) = self.tickets.ask(step, |tickets| tickets.consume(owner, hash, now)).await? {
                return Ok((ticket, hash));
            }
        }
        Err(Refusal::credential(step, "the ticket is unknown, used, expired, or bound to another origin"))
    }
}

fn check(
    ticket: Ticket,
    hash: &[u8; 32],
    gate: &GateName,
    origin: Option<&str>,
    now: Timestamp,
) -> Result<Proof, &'static str> {
    if let TicketBinding::Gate(bound) = &ticket.binding
        && bound != gate
    {
        return Err("the ticket was for another gate, and is used up now");
    }
    let same = |bound: &str| origin.is_some_and(|origin| origin.eq_ignore_ascii_case(bound));
    if ticket.origin.as_deref().is_some_and(|bound| !same(bound)) {
        return Err("the ticket was for another origin, and is used up now");
    }
    if now >= ticket.expires_at {
        return Err("the ticket has expired");
    }
    let mut rests_on = ticket.rests_on;
    rests_on.push(Rest::on("ticket", hex(&hash[..8])));
    Ok(Proof {
        subject: Some(ticket.subject),
        amr: &["ticket"],
        level: Level::Low,
        rests_on,
        // A ticket is used up when it opens; what it rests on is what ends the socket.
        expires_at: None,
        on_expiry: OnExpiry::Keep,
        issued_at: Some(ticket.issued_at),
        ..Proof::default()
    })
}

/// The layer that looks for a ticket in the upgrade request.
pub struct TicketInRequest {
    redeemer: Redeemer,
    via: Vec<TicketVia>,
}

impl TicketInRequest {
    /// Takes tickets that come in by one of these ways.
    pub fn new(ports: &Ports, via: Vec<TicketVia>) -> Self {
        Self { redeemer: Redeemer::new(ports), via }
    }
}

impl HandshakeLayer for TicketInRequest {
    fn name(&self) -> &'static str {
        "ticket"
    }

    fn step(&self) -> &'static str {
        STEP
    }

    fn gives_identity(&self) -> bool {
        true
    }

    fn verify<'a>(
        &'a self,
        handshake: &'a Handshake,
        claimant: &'a mut Claimant,
    ) -> BoxFuture<'a, Result<(), Refusal>> {
        Box::pin(async move {
            let text = match &handshake.ticket {
                None => None,
                Some(presented) if self.via.contains(&presented.via) => Some(&presented.text),
                Some(presented) => {
                    let detail = format!("a ticket by {:?} is not taken here", presented.via);
                    return Err(Refusal::new(Fault::Credential, STEP, detail));
                }
            };
            self.redeemer.redeem(self.name(), STEP, text, claimant).await
        })
    }
}
