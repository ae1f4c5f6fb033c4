//! Invite: a link by which somebody makes one account.
//!
//! owner -> site    get /console/invite
//! owner -> site    post role
//! site             draw invitation      kept as a hash, for three days
//! site -> owner    link                 shown this once
//! owner -> guest   link

use std::sync::Arc;

use askama::Template;
use axum::{Router, extract::State, response::Response, routing::get};
use doorward_auth::{
    NewInvitation,
    ports::{Invitation, Role},
};
use http::StatusCode;

use crate::{
    By, Happening,
    desk::Desk,
    page::{Frame, page},
    sorry::Sorry,
    visit::Keeper,
};

#[derive(Template)]
#[template(path = "console_invite.html")]
struct Invite {
    frame: Frame,
    /// What an account may be: the word, and what it means.
    roles: Vec<(&'static str, &'static str)>,
    link: Option<String>,
    role: &'static str,
}

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new().route("/console/invite", get(ask).post(make))
}

async fn ask(State(desk): State<Arc<Desk>>, keeper: Keeper) -> Result<Response, Sorry> {
    show(&desk, &keeper, None, Role::User)
}

async fn make(State(desk): State<Arc<Desk>>, keeper: Keeper) -> Result<Response, Sorry> {
    let visit = &keeper.0.visit;
    let role = Role::read(visit.form()?.text("role")).ok_or(Sorry::Malformed("the role is unknown".into()))?;
    if !keeper.outranks(role) {
        return Err(Sorry::NotYours);
    }
    let (owner, expires_at) = (visit.owner.clone(), visit.now.plus(Invitation::LASTS));
    let invitation = Invitation { owner, role, expires_at, first: false };
    let new = NewInvitation::to_register(&*desk.ports().accounts, desk.rng(), invitation).await?;
    let by = By::Account(keeper.0.session.subject());
    desk.given(visit.event(None, by, Happening::Invited(role)))?;
    let link = new.link(&desk.address(&visit.owner, &visit.peer));
    let link = link.reveal_text("shown once to who invites").unwrap_or_default();
    show(&desk, &keeper, Some(link.to_owned()), role)
}

fn show(desk: &Desk, keeper: &Keeper, link: Option<String>, role: Role) -> Result<Response, Sorry> {
    let roles = Role::ALL.into_iter().filter(|role| keeper.outranks(*role)).map(|role| (role.as_str(), meaning(role)));
    let frame = Frame::of(desk, &keeper.0.visit);
    page(StatusCode::OK, &Invite { frame, roles: roles.collect(), link, role: role.as_str() })
}

fn meaning(role: Role) -> &'static str {
    match role {
        Role::User => "Logs in, and sees their own logins and sockets.",
        Role::Owner => "Sees this console too: all accounts and sockets here.",
        Role::Operator => "Sees the accounts and sockets of every owner on this server.",
    }
}
