//! Ticket: whoever is logged in gets a one-time ticket for one gate, and opens the socket with it.
//!
//! page, program -> site   post GATE/ticket    with the cookie of a login, an access token or an API key
//! site                    who is it           before the gate is looked for: a stranger learns of no path
//! site                    mint ticket         bound to the gate, and to the page's origin
//! site -> page, program   ticket              thirty seconds, once, void when the login ends
//! page, program -> gate   ticket

use std::{sync::Arc, time::Duration};

use axum::{extract::State, response::Response};
use doorward_auth::{
    layers::handshake::ticket::NewTicket,
    ports::{Ticket, TicketBinding},
};
use doorward_types::{OwnerId, Rest, Secret, Subject};
use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{AUTHORIZATION, ORIGIN, WWW_AUTHENTICATE},
};
use serde::{Deserialize, Serialize};

use super::{ApiError, json};
use crate::{By, Event, Happening, cookies::hash, desk::Desk, sorry::Sorry, visit::Visit};

/// How long a ticket holds.
const LASTS: Duration = Duration::from_secs(30);
/// What an API key needs to be able to do.
const SCOPE: &str = "tickets:mint";

/// Whom a ticket is for, and what it rests on.
struct Bearer {
    owner: OwnerId,
    subject: Subject,
    by: By,
    rests_on: Vec<Rest>,
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
    let bearer = match bearer(&desk, &visit).await? {
        Ok(bearer) => bearer,
        Err(response) => return Ok(response),
    };
    let path = if gate_path.is_empty() { "/" } else { gate_path };
    let gate = desk.parts.gates.find(visit.peer.host_name(), path);
    // A gate of another owner is not there.
    let gate = gate.filter(|gate| gate.enabled && gate.owner == bearer.owner).ok_or(Sorry::NotFound)?;
    let minted = Happening::TicketMinted(Some(gate.name.clone()));
    let minted = visit.event(Some(bearer.subject.clone()), bearer.by, minted);
    let minted = Event { owner: Some(gate.owner.clone()), ..minted };
    let new = NewTicket::draw(desk.rng(), bearer.origin.as_deref());
    let ticket = Ticket {
        owner: gate.owner,
        binding: TicketBinding::Gate(gate.name),
        origin: bearer.origin,
        subject: bearer.subject,
        rests_on: bearer.rests_on,
        issued_at: visit.now,
        expires_at: visit.now.plus(LASTS),
    };
    desk.parts.ports.tickets.mint(new.hash, ticket).await?;
    desk.given(minted)?;
    let ticket = new.text.reveal_text("handed to who asked for it").unwrap_or_default();
    json(&Minted { ticket, expires_in: LASTS.as_secs() })
}

/// Who asks: by the header where there is one, otherwise by the cookie.
async fn bearer(desk: &Desk, visit: &Visit) -> Result<Result<Bearer, Response>, Sorry> {
    let origin = origin(&visit.headers);
    match authorization(&visit.headers) {
        Some(token) if token.reveal("to see what kind it is").starts_with(b"dwa_") => by_key(desk, visit, &token).await,
        Some(token) => Ok(by_access_token(desk, visit, &token, origin).await?.ok_or_else(unauthorized)),
        None => {
            let session = visit.session.as_ref().ok_or_else(unauthorized);
            Ok(session.map(|session| Bearer {
                owner: session.owner.clone(),
                subject: session.subject(),
                by: By::Holder,
                rests_on: vec![session.rest()],
                origin,
            }))
        }
    }
}

/// An access token, as long as its login holds.
async fn by_access_token(
    desk: &Desk,
    visit: &Visit,
    token: &Secret,
    origin: Option<String>,
) -> Result<Option<Bearer>, Sorry> {
    let Some(claims) = desk.parts.signer.verify(token, visit.now) else { return Ok(None) };
    let session = desk.ports().sessions.find_by_id(&claims.owner, claims.sid, visit.now).await?;
    let session = session.filter(|session| session.account == claims.account && session.owner == visit.owner);
    Ok(session.map(|session| Bearer {
        owner: session.owner.clone(),
        subject: session.subject(),
        by: By::Holder,
        rests_on: vec![session.rest()],
        origin,
    }))
}

/// An API key of the owner, who says for whom the ticket is.
async fn by_key(desk: &Desk, visit: &Visit, key: &Secret) -> Result<Result<Bearer, Response>, Sorry> {
    let found = desk.ports().api_keys.find(hash(key.reveal("to look it up")), visit.now).await?;
    let Some(found) = found else { return Ok(Err(unauthorized())) };
    // The operator's key means every owner, so that it is the one of the site where the request is.
    let owner = found.owner.unwrap_or_else(|| visit.owner.clone());
    if !found.scopes.iter().any(|scope| scope == SCOPE) {
        let why = "the API key lacks the scope `tickets:mint`";
        return Ok(Err(ApiError { error: "insufficient_scope", error_description: why }.with(StatusCode::FORBIDDEN)));
    }
    let Ok(wanted) = serde_json::from_slice::<For>(&visit.body) else {
        let why = "say for whom the ticket is: a JSON object with `kind`, `pk` and `uuid` (and `origin`)";
        return Ok(Err(ApiError { error: "invalid_request", error_description: why }.with(StatusCode::BAD_REQUEST)));
    };
    let subject = Subject { kind: wanted.kind, pk: wanted.pk, uuid: wanted.uuid };
    Ok(Ok(Bearer { owner, subject, by: By::ApiKey(found.id), rests_on: Vec::new(), origin: wanted.origin }))
}

/// One answer for no credential, a wrong one and one that has ended.
fn unauthorized() -> Response {
    let why = "log in, or send an access token or an API key as `Authorization: Bearer`";
    let mut response = ApiError { error: "login_required", error_description: why }.with(StatusCode::UNAUTHORIZED);
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

fn authorization(headers: &HeaderMap) -> Option<Secret> {
    let value = headers.get(AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| Secret::new(token.trim_ascii()))
}

/// The page that asks, where it is one: its origin has passed the check of every `POST`.
fn origin(headers: &HeaderMap) -> Option<String> {
    headers.get(ORIGIN).and_then(|origin| origin.to_str().ok()).map(str::to_ascii_lowercase)
}
