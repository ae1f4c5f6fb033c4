//! Password forgotten: an owner makes a link by which its holder sets another one.
//!
//! owner -> site   post .../password
//! site            end all logins       and the old password opens nothing any more, in one act
//! site            draw link            kept as a hash, for a day, in the place of an earlier one
//! site -> owner   link                 shown this once
//! owner -> user   link                 see pages/reset.rs

use std::sync::Arc;

use askama::Template;
use axum::{Router, extract::State, response::Response, routing::post};
use doorward_auth::{
    NewInvitation,
    ports::{Change, Reset, Why},
};
use http::StatusCode;

use super::account::{Named, address, end_all, in_hand};
use crate::{
    Happening,
    desk::Desk,
    page::{Frame, page},
    sorry::Sorry,
    visit::Keeper,
};

#[derive(Template)]
#[template(path = "console_reset.html")]
struct ResetLink {
    frame: Frame,
    address: String,
    username: String,
    link: String,
}

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new().route("/console/accounts/{owner}/{id}/password", post(make))
}

async fn make(State(desk): State<Arc<Desk>>, keeper: Keeper, named: Named) -> Result<Response, Sorry> {
    let account = in_hand(&desk, &keeper, named).await?;
    let visit = &keeper.0.visit;
    let expires_at = visit.now.plus(Reset::LASTS);
    let none = desk.parts.tools.hashing.hash_of_no_password(desk.rng()).await?;
    let change = Some(Change::Password(account.id, none.into_secret()));
    end_all(&desk, &keeper, &account, Why::CredentialChanged, change, Happening::SessionsEnded).await?;
    let reset = Reset { owner: account.owner.clone(), account: account.id, expires_at };
    let new = NewInvitation::to_reset(&*desk.ports().accounts, desk.rng(), reset).await?;
    desk.given(keeper.event_of(&account, Happening::ResetLinkMade(expires_at)))?;
    let link = new.link(&desk.address(&account.owner, &visit.peer));
    let link = link.reveal_text("shown once to who hands it out").unwrap_or_default().to_owned();
    let (frame, address) = (Frame::of(&desk, visit), address(&account.owner, account.id));
    page(StatusCode::OK, &ResetLink { frame, address, username: account.username, link })
}
