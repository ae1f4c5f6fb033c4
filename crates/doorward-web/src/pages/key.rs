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
use doorward_auth::{account::EntryKey, ports::KeyEntry};
use doorward_types::{Secret, Timestamp};
use http::StatusCode;

use crate::{
    Happening,
    desk::Desk,
    page::{Frame, page},
    sorry::Sorry,
    visit::Member,
};

/// How long a key holds.
const LASTS: Duration = Duration::from_secs(2 * 60);
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
    let session = &member.session;
    let expires_at = member.visit.now.plus(LASTS);
    for _ in 0..DRAWS {
        let key = EntryKey::draw_for_person(desk.rng());
        let entry = KeyEntry {
            owner: session.owner.clone(),
            id: key.id().to_owned(),
            account: session.account,
            username: session.username.clone(),
            sid: session.sid,
            expires_at,
        };
        if desk.ports().key_entries.put(key.hash(&desk.code_key), entry).await? {
            desk.given(member.event(Happening::KeyShown(key.id().to_owned())))?;
            return show(&desk, &member, Some((key.shown(), expires_at)));
        }
    }
    // The login has ended since it was looked up.
    Err(Sorry::LogInFirst(None))
}

fn show(desk: &Desk, member: &Member, key: Option<(Secret, Timestamp)>) -> Result<Response, Sorry> {
    page(StatusCode::OK, &Key { frame: Frame::of(desk, &member.visit), key, seconds: LASTS.as_secs() })
}
