//! Ticket: whoever is logged in gets a one-time ticket for one gate, and opens the socket with it.
//!
//! page, program -> site   post GATE/ticket    with the cookie of a login, an access token or an API key
//! site                    who is it           before the gate is looked for: a stranger learns of no path
//! site                    mint ticket         bound to the gate, and to the page's origin
//! site                    look at login       once more: it may have ended meanwhile
//! site -> page, program   ticket              thirty seconds, once, void when the login ends
//! page, program -> gate   ticket

use std::{sync::Arc, time::Duration};

use axum::{extract::State, response::Response};
use doorward_auth::{
    Scope, hash_of_api_key,
    layers::handshake::ticket::NewTicket,
    ports::{Session, Ticket, TicketBinding},
};
use doorward_types::{OwnerId, Rest, SessionId, Subject};
use http::{HeaderMap, Method, StatusCode, header::ORIGIN};
use serde::{Deserialize, Serialize};

use super::{ApiError, json, of_access_token, unauthorized};
use crate::{By, Event, Happening, bearer, desk::Desk, operators::is_operator, sorry::Sorry, visit::Visit};

/// How long a ticket holds.
const LASTS: Duration = Duration::from_secs(30);

/// Whom a ticket is for, and what it rests on.
struct Holder {
    owner: OwnerId,
    subject: Subject,
    by: By,
    rests_on: Vec<Rest>,
    /// The login that asks.
    login: Option<SessionId>,
    /// The only origin it opens a gate from.
    origin: Option<String>,
}

/// Whom a program with an API key asks for: one of its own users.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct For {
    kind: String,
    pk: String,
    uuid: String,
    origin: Option<String>,
}

#[derive(Serialize)]
struct Minted<'a> {
    ticket: &'a str,
    expires_in: u64,
}

/// Whether an address is one where tickets are made.
pub(crate) fn is_ticket(path: &str) -> bool {
    path.ends_with("/ticket")
}

pub(super) async fn make(State(desk): State<Arc<Desk>>, method: Method, visit: Visit) -> Result<Response, Sorry> {
    let gate_path = visit.path.strip_suffix("/ticket").filter(|_| method == Method::POST).ok_or(Sorry::NotFound)?;
    let holder = match holder(&desk, &visit).await? {
        Ok(holder) => holder,
        Err(response) => return Ok(response),
    };
    let path = if gate_path.is_empty() { "/" } else { gate_path };
    let gate = desk.parts.gates.find(visit.peer.host_name(), path);
    // A gate of another owner is not there.
    let gate = gate.filter(|gate| gate.owner == holder.owner).ok_or(Sorry::NotFound)?;
    let minted = Happening::TicketMinted(Some(gate.name.clone()));
    let minted = visit.event(Some(holder.subject.clone()), holder.by, minted);
    let minted = Event { owner: Some(gate.owner.clone()), ..minted };
    let new = NewTicket::draw(desk.rng(), holder.origin.as_deref());
    let (owner, login) = (holder.owner, holder.login);
    let ticket = Ticket {
        owner: gate.owner,
        binding: TicketBinding::Gate(gate.name),
        origin: holder.origin,
        subject: holder.subject,
        rests_on: holder.rests_on,
        issued_at: visit.now,
        expires_at: visit.now.plus(LASTS),
    };
    desk.parts.ports.tickets.mint(new.hash, ticket).await?;
    // An ending from here on voids the ticket. After one that came before, nobody is told it.
    if let Some(login) = login
        && desk.ports().sessions.find_by_id(&owner, login, visit.now).await?.is_none()
    {
        return Ok(nobody());
    }
    desk.given(minted)?;
    let ticket = new.text.reveal_text("handed to who asked for it").unwrap_or_default();
    json(&Minted { ticket, expires_in: LASTS.as_secs() })
}

/// Who asks: by the header where there is one, otherwise by the cookie.
async fn holder(desk: &Desk, visit: &Visit) -> Result<Result<Holder, Response>, Sorry> {
    let origin = origin(&visit.headers);
    let Ok(shown) = bearer(&visit.headers) else { return Ok(Err(nobody())) };
    match shown {
        Some(shown) => match shown.reveal_text("to see what it is").and_then(hash_of_api_key) {
            Some(hash) => by_key(desk, visit, hash).await,
            None => {
                let session = of_access_token(desk, visit, &shown).await?;
                Ok(session.map(|session| of_login(&session, origin)).ok_or_else(nobody))
            }
        },
        None => Ok(visit.session.as_ref().map(|session| of_login(session, origin)).ok_or_else(nobody)),
    }
}

fn nobody() -> Response {
    unauthorized("an access token or an API key")
}

/// Whoever is logged in.
fn of_login(session: &Session, origin: Option<String>) -> Holder {
    Holder {
        owner: session.owner.clone(),
        subject: session.subject(),
        by: By::Holder,
        rests_on: vec![session.rest()],
        login: Some(session.sid),
        origin,
    }
}

/// An API key of the owner, who says for whom the ticket is.
async fn by_key(desk: &Desk, visit: &Visit, key: [u8; 32]) -> Result<Result<Holder, Response>, Sorry> {
    let found = desk.ports().api_keys.find(key, visit.now).await?;
    let Some(found) = found else { return Ok(Err(nobody())) };
    let refused = |error, error_description, status| Ok(Err(ApiError { error, error_description }.with(status)));
    if !found.scopes.iter().any(|scope| Scope::read(scope) == Some(Scope::TicketsWrite)) {
        let why = "the API key lacks the scope `tickets:write`";
        return refused("insufficient_scope", why, StatusCode::FORBIDDEN);
    }
    let wanted = serde_json::from_slice::<For>(&visit.body).ok();
    let subject = wanted.as_ref().and_then(|wanted| Subject::read(&wanted.kind, &wanted.pk, &wanted.uuid).ok());
    let (Some(wanted), Some(subject)) = (wanted, subject) else {
        let why = "say for whom the ticket is: a JSON object with `kind`, `pk` and `uuid` (and `origin`), each a text of 1 to 255 \
                   bytes without control characters, the kind without `:`";
        return refused("invalid_request", why, StatusCode::BAD_REQUEST);
    };
    // The operator's key means every owner, so that it is the one of the site where the request is.
    let owner = match found.owner {
        Some(owner) if is_operator(&*desk.ports().accounts, &owner, &subject).await? => {
            let why = "only a key of the operator's lets anybody in as an operator";
            return refused("access_denied", why, StatusCode::FORBIDDEN);
        }
        Some(owner) => owner,
        None => visit.owner.clone(),
    };
    Ok(Ok(Holder {
        owner,
        subject,
        by: By::ApiKey(found.id),
        rests_on: Vec::new(),
        login: None,
        origin: wanted.origin,
    }))
}

/// The page that asks, where it is one: its origin has passed the check of every `POST`.
fn origin(headers: &HeaderMap) -> Option<String> {
    headers.get(ORIGIN).and_then(|origin| origin.to_str().ok()).map(str::to_ascii_lowercase)
}
