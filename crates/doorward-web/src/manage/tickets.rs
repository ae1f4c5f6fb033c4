//! program -> api      let this subject in, once
//! api -> tickets      keep the hash of the ticket
//! api -> program      the ticket, once

use std::time::Duration;

use doorward_auth::{
    layers::handshake::ticket::NewTicket,
    ports::{Ticket, TicketBinding},
};
use doorward_types::{GateName, Subject};
use serde_json::json;

use super::{Problem, Reply, accounts, fields::needed, route::Call};
use crate::Happening;

/// How long a ticket holds where nobody says, and at the most.
const USUAL: Duration = Duration::from_secs(30);
const LONGEST: u64 = 60 * 60;

pub(super) async fn create(mut call: Call<'_>) -> Result<Reply, Problem> {
    call.query.end()?;
    let owner = call.owner_of_new()?;
    let gate = needed("gate", call.body.text("gate")?.map(GateName::new), "the name of a gate")?;
    let subject = needed("subject", call.body.subject("subject")?, "a subject as `kind:pk`, such as `member:7`")?;
    let name = call.body.text("name")?;
    let origin = call.body.text("origin")?;
    let holds = call.body.seconds("lasts", LONGEST)?.unwrap_or(USUAL);
    call.body.end()?;
    if !call.api.parts.node.has_gate(&owner, &gate) {
        return Err(Problem::of_field("gate", "the name of a gate of this owner"));
    }
    accounts::may_act_as(&call, &owner, &subject).await?;
    let name = name.unwrap_or_else(|| subject.uuid.clone());
    let subject = Subject::read(&subject.kind, &subject.pk, &name)
        .map_err(|_| Problem::of_field("name", "a name of 1 to 255 bytes without control characters"))?;
    let NewTicket { text, hash } = NewTicket::draw(&*call.api.parts.rng, origin.as_deref());
    let expires_at = call.now.plus(holds);
    let shown = json!({
        "ticket": text.reveal_text("it is shown to its maker, once").unwrap_or_default(),
        "owner": owner.as_str(),
        "gate": gate.as_str(),
        "subject": subject.to_string(),
        "origin": origin,
        "expires_at": expires_at.to_string(),
    });
    let minted = Happening::TicketMinted(Some(gate.clone()));
    let minted = call.event(Some(&owner), Some(subject.clone()), minted);
    let ticket = Ticket {
        owner,
        binding: TicketBinding::Gate(gate),
        origin,
        subject,
        rests_on: Vec::new(),
        issued_at: call.now,
        expires_at,
    };
    call.api.parts.tickets.mint(hash, ticket).await?;
    call.given(minted)?;
    Ok(Reply::made(&shown))
}
