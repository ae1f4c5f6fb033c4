//! Key for a socket: the site shows a key, and its user types it into the socket that asks for one (layer `key_entry`).
//!
//! user -> site     get /account/key
//! user -> site     post /account/key     nothing is made before somebody asks for it
//! site             draw key              kept as a hash, with the login that it is void without
//! site -> user     key                   two minutes, once
//! user -> socket   key

use std::{sync::Arc, time::Duration};

use askama::Template;
use axum::{Router, extract::State, response::Response, routing::get};
use doorward_auth::{
    account::EntryKey,
    ports::{KeyEntry, Rng, Session},
};
use doorward_types::{Secret, Timestamp};
use http::StatusCode;

use crate::{
    By, Happening,
    desk::Desk,
    page::{Frame, page},
    sorry::Sorry,
    visit::{Member, Visit},
};

/// How long a key holds.
pub(crate) const LASTS: Duration = Duration::from_secs(2 * 60);
/// How often a key is drawn until its public part, of a million, is one that nobody else has just now.
const DRAWS: usize = 4;

#[derive(Template)]
#[template(path = "key.html")]
struct Key {
    frame: Frame,
    key: Option<(Secret, Timestamp)>,
    seconds: u64,
}

impl Key {
    fn shown<'a>(&self, key: &'a Secret) -> &'a str {
        key.reveal_text("shown once to who asked for it").unwrap_or_default()
    }
}

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new().route("/account/key", get(ask).post(make))
}

async fn ask(State(desk): State<Arc<Desk>>, member: Member) -> Result<Response, Sorry> {
    show(&desk, &member, None)
}

async fn make(State(desk): State<Arc<Desk>>, member: Member) -> Result<Response, Sorry> {
    let (visit, session) = (&member.visit, &member.session);
    match draw(&desk, visit, session, EntryKey::draw_for_person).await? {
        Some(key) => show(&desk, &member, Some((key, visit.now.plus(LASTS)))),
        None => Err(Sorry::LogInFirst(None)),
    }
}

/// A new key of that login, kept as its hash; `None` where the login has ended since it was looked up.
pub(crate) async fn draw(
    desk: &Desk,
    visit: &Visit,
    session: &Session,
    new: impl Fn(&dyn Rng) -> EntryKey,
) -> Result<Option<Secret>, Sorry> {
    for _ in 0..DRAWS {
        let key = new(desk.rng());
        let entry = KeyEntry {
            owner: session.owner.clone(),
            id: key.id().to_owned(),
            account: session.account,
            username: session.username.clone(),
            sid: session.sid,
            expires_at: visit.now.plus(LASTS),
        };
        if desk.ports().key_entries.put(key.hash(&desk.code_key), entry).await? {
            let shown = Happening::KeyShown(key.id().to_owned());
            desk.given(visit.event(Some(session.subject()), By::Holder, shown))?;
            return Ok(Some(key.shown()));
        }
    }
    Ok(None)
}

fn show(desk: &Desk, member: &Member, key: Option<(Secret, Timestamp)>) -> Result<Response, Sorry> {
    page(StatusCode::OK, &Key { frame: Frame::of(desk, &member.visit), key, seconds: LASTS.as_secs() })
}
