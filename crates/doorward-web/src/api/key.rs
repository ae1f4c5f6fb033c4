//! Key for a socket, for a program: what the page of the account shows a person.
//!
//! program -> site     post /api/key     with an access token, or the cookie of a login
//! site                draw key          longer than a person's; kept as a hash, with the login that it is void without
//! site -> program     key               two minutes, once
//! program -> socket   key

use std::sync::Arc;

use axum::{Router, extract::State, response::Response, routing::post};
use doorward_auth::account::EntryKey;
use serde::Serialize;

use super::{json, logged_in, unauthorized};
use crate::{
    desk::Desk,
    pages::key::{LASTS, draw},
    sorry::Sorry,
    visit::Visit,
};

#[derive(Serialize)]
struct Drawn<'a> {
    key: &'a str,
    expires_in: u64,
}

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new().route("/api/key", post(make))
}

async fn make(State(desk): State<Arc<Desk>>, visit: Visit) -> Result<Response, Sorry> {
    let Some(session) = logged_in(&desk, &visit).await? else { return Ok(unauthorized("an access token")) };
    let key = draw(&desk, &visit, &session, EntryKey::draw_for_machine).await?;
    let Some(key) = key else { return Ok(unauthorized("an access token")) };
    let key = key.reveal_text("handed to who asked for it").unwrap_or_default();
    json(&Drawn { key, expires_in: LASTS.as_secs() })
}
