//! Account: this account's logins and live sockets, each with a button that ends it.
//!
//! user -> site   get /account                     the page; GET /account/live its lists alone, every few seconds
//! user -> site   post /account/sessions/end       one login, by its public id
//! user -> site   post /account/sessions/end-others
//! user -> site   post /account/sockets/end        one socket, by its id
//! site           end it                           durably; sockets follow the revocation log

use std::sync::Arc;

use askama::{Template, filters::HtmlSafe};
use axum::{
    Router,
    extract::State,
    response::Response,
    routing::{get, post},
};
use doorward_auth::ports::{Ending, What, Why};
use doorward_types::{OwnerId, SessionId, SocketId, Subject};
use http::StatusCode;

use crate::{
    Happening,
    cookies::Cookie,
    desk::Desk,
    live::{self, SocketQuery, SocketView},
    page::{Frame, go, page, with_cookies},
    rows::{LoginRows, Shown, SocketRows},
    sorry::Sorry,
    visit::Member,
};

/// More live sockets of one account than anybody looks through.
const MOST: usize = 200;

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    frame: Frame,
    username: String,
    role: &'static str,
    done: Option<&'static str>,
    totp: bool,
    recovery_codes: usize,
    live: Live,
}

/// The two lists, which are fetched again alone.
#[derive(Template)]
#[template(path = "live.html")]
struct Live {
    sockets: SocketRows,
    logins: LoginRows,
}

impl HtmlSafe for Live {}

/// The newest sockets of an account.
pub(crate) async fn sockets_of(desk: &Desk, owner: &OwnerId, subject: Subject) -> Result<Vec<SocketView>, Sorry> {
    let (owner, subject) = (Some(owner.clone()), Some(subject));
    let query = SocketQuery { owner, subject, newest_first: true, at_most: MOST, ..SocketQuery::default() };
    Ok(desk.parts.node.sockets(query).await?)
}

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .route("/account", get(show))
        .route("/account/live", get(show_live))
        .route("/account/sessions/end", post(end_session))
        .route("/account/sessions/end-others", post(end_others))
        .route("/account/sockets/end", post(end_socket))
}

async fn show(State(desk): State<Arc<Desk>>, member: Member) -> Result<Response, Sorry> {
    let session = &member.session;
    let totp = desk.confirmed_totp(&session.owner, session.account).await?.is_some();
    let recovery_codes =
        if totp { desk.ports().factors.recovery_codes_left(&session.owner, session.account).await? } else { 0 };
    let account = AccountPage {
        frame: Frame::of(&desk, &member.visit),
        username: session.username.clone(),
        role: session.role.as_str(),
        done: member.visit.word("done").and_then(done),
        totp,
        recovery_codes,
        live: live(&desk, &member).await?,
    };
    page(StatusCode::OK, &account)
}

async fn show_live(State(desk): State<Arc<Desk>>, member: Member) -> Result<Response, Sorry> {
    page(StatusCode::OK, &live(&desk, &member).await?)
}

async fn live(desk: &Desk, member: &Member) -> Result<Live, Sorry> {
    let (session, visit) = (&member.session, &member.visit);
    let sessions = desk.ports().sessions.of_account(&session.owner, session.account, visit.now).await?;
    let sockets = sockets_of(desk, &session.owner, session.subject()).await?;
    Ok(Live {
        sockets: SocketRows::new(sockets, Shown::Own, visit),
        logins: LoginRows::new(sessions, Some(session.sid), visit),
    })
}

async fn end_session(State(desk): State<Arc<Desk>>, member: Member) -> Result<Response, Sorry> {
    let session = &member.session;
    let sid = member.visit.form()?.text("id").parse::<SessionId>().map_err(|_| Sorry::NotFound)?;
    // Of this account alone: an id is public, and opens nothing.
    let own = desk.ports().sessions.of_account(&session.owner, session.account, member.visit.now).await?;
    let Some(ended) = own.into_iter().find(|own| own.sid == sid) else { return answer(&desk, &member, "gone").await };
    let is_this = ended.sid == session.sid;
    let why = if is_this { Why::LoggedOut } else { Why::Revoked };
    end(&desk, &member, What::Rest(ended.rest()), why).await?;
    let what = if is_this { Happening::LoggedOut(sid) } else { Happening::SessionEnded(sid) };
    desk.done(member.event(what));
    if is_this {
        return Ok(with_cookies(go("/?done=logout"), &desk, &[(Cookie::Session, None)]));
    }
    answer(&desk, &member, "session").await
}

async fn end_others(State(desk): State<Arc<Desk>>, member: Member) -> Result<Response, Sorry> {
    let what = What::Others { subject: member.session.subject(), keep: member.sid() };
    end(&desk, &member, what, Why::Revoked).await?;
    desk.done(member.event(Happening::OtherSessionsEnded(member.sid())));
    answer(&desk, &member, "others").await
}

async fn end_socket(State(desk): State<Arc<Desk>>, member: Member) -> Result<Response, Sorry> {
    let session = &member.session;
    let id = member.visit.form()?.text("id").parse::<SocketId>().map_err(|_| Sorry::NotFound)?;
    let (node, owner) = (&desk.parts.node, Some(&session.owner));
    let found = node.socket(owner, id).await?.and_then(|socket| socket.subject);
    let is_own = found.is_some_and(|subject| subject.same_as(&session.subject()));
    if !is_own || node.end_live(owner, live::Live::Socket(id)).await?.ended.is_empty() {
        return answer(&desk, &member, "gone").await;
    }
    desk.done(member.event(Happening::SocketEnded(id)));
    answer(&desk, &member, "socket").await
}

async fn end(desk: &Desk, member: &Member, what: What, why: Why) -> Result<(), Sorry> {
    let owner = Some(member.session.owner.clone());
    desk.ports().revocations.end(Ending { owner, what, why, change: None, at: member.visit.now }).await?;
    Ok(())
}

/// The lists anew, where only they were asked for; otherwise the page.
async fn answer(desk: &Desk, member: &Member, done: &str) -> Result<Response, Sorry> {
    if member.visit.wants_part() {
        return page(StatusCode::OK, &live(desk, member).await?);
    }
    Ok(go(&format!("/account?done={done}")))
}

/// What has just been done. The address says which, so that it is a word of this list or nothing.
fn done(word: &str) -> Option<&'static str> {
    Some(match word {
        "register" => "Welcome. Your account is ready, and you are logged in.",
        "password" => "Your password is changed, and every other login has ended.",
        "totp" => "Your authenticator app is off. From now on the password alone logs you in.",
        "session" => "That login has ended.",
        "others" => "Every other login has ended.",
        "socket" => "That socket has ended.",
        "gone" => "That had ended already.",
        _ => return None,
    })
}
