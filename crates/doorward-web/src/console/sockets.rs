//! Live sockets, the newest first.
//!
//! owner -> site   get /console/sockets         the page; /console/sockets/live its list alone, every few seconds
//! owner -> site   post /console/sockets/end

use std::sync::Arc;

use askama::{Template, filters::HtmlSafe};
use axum::{
    Router,
    extract::State,
    response::Response,
    routing::{get, post},
};
use doorward_types::{OwnerId, SocketId};
use http::StatusCode;

use crate::{
    By, Event, Happening,
    desk::Desk,
    live::{Live, SocketQuery},
    page::{Frame, go, page},
    rows::{Shown, SocketRows},
    sorry::Sorry,
    visit::Keeper,
};

/// No more are shown; the API lists them all.
const MOST: usize = 200;

#[derive(Template)]
#[template(path = "console_sockets.html")]
struct Sockets {
    frame: Frame,
    done: bool,
    list: List,
}

#[derive(Template)]
#[template(path = "console_sockets_list.html")]
struct List {
    /// There may be more than are shown.
    most: bool,
    sockets: SocketRows,
}

impl HtmlSafe for List {}

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .route("/console/sockets", get(show))
        .route("/console/sockets/live", get(show_list))
        .route("/console/sockets/end", post(end))
}

async fn show(State(desk): State<Arc<Desk>>, keeper: Keeper) -> Result<Response, Sorry> {
    let done = keeper.0.visit.word("done").is_some();
    let list = list(&desk, &keeper).await?;
    page(StatusCode::OK, &Sockets { frame: Frame::of(&desk, &keeper.0.visit), done, list })
}

async fn show_list(State(desk): State<Arc<Desk>>, keeper: Keeper) -> Result<Response, Sorry> {
    page(StatusCode::OK, &list(&desk, &keeper).await?)
}

async fn end(State(desk): State<Arc<Desk>>, keeper: Keeper) -> Result<Response, Sorry> {
    let form = keeper.0.visit.form()?;
    let id = form.text("id").parse::<SocketId>().map_err(|_| Sorry::NotFound)?;
    let owner = OwnerId::new(form.text("owner"));
    if !keeper.sees(&owner) {
        return Err(Sorry::NotFound);
    }
    let socket = desk.parts.node.socket(Some(&owner), id).await?;
    if !desk.parts.node.end_live(Some(&owner), Live::Socket(id)).await?.ended.is_empty() {
        let (by, source) = (By::Account(keeper.0.session.subject()), Some(keeper.0.visit.peer.source));
        let whose = socket.and_then(|socket| socket.subject);
        desk.done(Event { owner: Some(owner), whose, source, by, what: Happening::SocketEnded(id) });
    }
    if keeper.0.visit.wants_part() {
        return page(StatusCode::OK, &list(&desk, &keeper).await?);
    }
    Ok(go("/console/sockets?done=1"))
}

async fn list(desk: &Desk, keeper: &Keeper) -> Result<List, Sorry> {
    let query =
        SocketQuery { owner: keeper.scope().cloned(), newest_first: true, at_most: MOST, ..SocketQuery::default() };
    let sockets = desk.parts.node.sockets(query).await?;
    let shown = if keeper.scope().is_none() { Shown::All } else { Shown::OfOwner };
    Ok(List { most: sockets.len() == MOST, sockets: SocketRows::new(sockets, shown, &keeper.0.visit) })
}
