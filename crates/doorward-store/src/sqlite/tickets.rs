use doorward_auth::{
    BoxFuture,
    ports::{Ending, PortError, Ticket, TicketBinding, Tickets, What},
};
use doorward_types::{GateName, OwnerId, Rest, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{Store, site, subject_at, time_at, to_column, unreadable};
use crate::StoreError;

const PORT: &str = "tickets";

impl Tickets for Store {
    fn mint<'a>(&'a self, hash: [u8; 32], ticket: Ticket) -> BoxFuture<'a, Result<(), PortError>> {
        Box::pin(async move {
            let written = self.write(None, move |connection| insert(connection, &hash, &ticket)).await;
            written.map_err(|error| error.of_port(PORT))
        })
    }

    fn consume<'a>(
        &'a self,
        owner: &'a OwnerId,
        hash: [u8; 32],
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Ticket>, PortError>> {
        Box::pin(async move {
            let taken = self.take_ticket(owner, hash, now).await.map_err(|error| error.of_port(PORT))?;
            Ok(taken.filter(|ticket| now < ticket.expires_at))
        })
    }
}

impl Store {
    async fn take_ticket(&self, owner: &OwnerId, hash: [u8; 32], now: Timestamp) -> Result<Option<Ticket>, StoreError> {
        // Looked for first: whoever guesses must not be able to keep the writer busy.
        let looked_for = owner.clone();
        if !self.read(move |connection| exists(connection, &looked_for, &hash)).await? {
            return Ok(None);
        }
        let owner = owner.clone();
        self.write(Some(now), move |connection| remove(connection, &owner, &hash)).await
    }
}

/// Keeps a ticket, and what it rests on beside it. One that rests on something that has ended for ever is not kept.
fn insert(connection: &Connection, hash: &[u8; 32], ticket: &Ticket) -> rusqlite::Result<()> {
    for rest in &ticket.rests_on {
        if rest.kind != "subject" && site::has_ended(connection, &ticket.owner, rest)? {
            return Ok(());
        }
    }
    let gate = match &ticket.binding {
        TicketBinding::Gate(gate) => Some(gate.as_str()),
        TicketBinding::AnyGateOfOwner => None,
    };
    let rests_on: Vec<_> = ticket.rests_on.iter().map(|rest| (&*rest.kind, &*rest.value)).collect();
    let rests_on = serde_json::to_string(&rests_on).map_err(unreadable)?;
    connection
        .prepare_cached(
            "INSERT INTO tickets (owner, hash, gate, origin, subject_kind, subject_pk, subject_uuid, rests_on,
              issued_at, expires_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            ticket.owner.as_str(),
            hash,
            gate,
            ticket.origin,
            ticket.subject.kind,
            ticket.subject.pk,
            ticket.subject.uuid,
            rests_on,
            to_column(ticket.issued_at),
            to_column(ticket.expires_at),
        ])?;
    let mut insert =
        connection.prepare_cached("INSERT OR IGNORE INTO ticket_rests (rest, owner, hash) VALUES (?1, ?2, ?3)")?;
    for rest in ticket.rests_on.iter().chain([&ticket.subject.rest()]) {
        insert.execute(params![rest.to_string(), ticket.owner.as_str(), hash])?;
    }
    Ok(())
}

/// Removes the tickets that an ending ends.
pub(super) fn void(connection: &Connection, ending: &Ending) -> rusqlite::Result<()> {
    let owner = ending.owner.as_ref().map(OwnerId::as_str);
    let by_rest = "DELETE FROM tickets WHERE (owner, hash) IN
                   (SELECT owner, hash FROM ticket_rests WHERE rest = ?1 AND (?2 IS NULL OR owner = ?2))";
    match &ending.what {
        What::Rest(rest) => connection.prepare_cached(by_rest)?.execute(params![rest.to_string(), owner]),
        What::Others { subject, keep } => connection
            .prepare_cached(&format!(
                "{by_rest} AND NOT EXISTS (SELECT 1 FROM ticket_rests AS kept
                  WHERE kept.rest = ?3 AND kept.owner = tickets.owner AND kept.hash = tickets.hash)"
            ))?
            .execute(params![subject.rest().to_string(), owner, Rest::on("sid", keep.to_string()).to_string()]),
        What::NotBefore { subject: Some(subject), at } => connection
            .prepare_cached(&format!("{by_rest} AND (issued_at < ?3 OR issued_at > ?4)"))?
            .execute(params![subject.rest().to_string(), owner, to_column(*at), to_column(ending.at)]),
        What::NotBefore { subject: None, at } => connection
            .prepare_cached(
                "DELETE FROM tickets WHERE (issued_at < ?1 OR issued_at > ?3) AND (?2 IS NULL OR owner = ?2)",
            )?
            .execute(params![to_column(*at), owner, to_column(ending.at)]),
        What::LoggedIn { .. } => Ok(0),
    }
    .map(|_| ())
}

fn exists(connection: &Connection, owner: &OwnerId, hash: &[u8; 32]) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM tickets WHERE owner = ?1 AND hash = ?2")?
        .exists(params![owner.as_str(), hash])
}

fn remove(connection: &Connection, owner: &OwnerId, hash: &[u8; 32]) -> rusqlite::Result<Option<Ticket>> {
    connection
        .prepare_cached("DELETE FROM tickets WHERE owner = ?1 AND hash = ?2 RETURNING *")?
        .query_row(params![owner.as_str(), hash], read)
        .optional()
}

fn read(row: &Row<'_>) -> rusqlite::Result<Ticket> {
    let gate: Option<String> = row.get("gate")?;
    let rests_on: Vec<(String, String)> =
        serde_json::from_str(&row.get::<_, String>("rests_on")?).map_err(unreadable)?;
    Ok(Ticket {
        owner: OwnerId::new(row.get::<_, String>("owner")?),
        binding: gate.map_or(TicketBinding::AnyGateOfOwner, |gate| TicketBinding::Gate(GateName::new(gate))),
        origin: row.get("origin")?,
        subject: subject_at(row)?,
        rests_on: rests_on.into_iter().map(|(kind, value)| Rest { kind: kind.into(), value: value.into() }).collect(),
        issued_at: time_at(row, "issued_at")?,
        expires_at: time_at(row, "expires_at")?,
    })
}
