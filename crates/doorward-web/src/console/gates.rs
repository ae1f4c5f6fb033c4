//! Gates, as the configuration has them, each with a link to try it.
//!
//! owner -> site   get /console/gates

use std::sync::Arc;

use askama::Template;
use axum::{Router, extract::State, response::Response, routing::get};
use doorward_types::OwnerId;
use http::StatusCode;

use crate::{
    GateInfo,
    desk::Desk,
    page::{Frame, page},
    sorry::Sorry,
    visit::Keeper,
};

#[derive(Template)]
#[template(path = "console_gates.html")]
struct GatesPage {
    frame: Frame,
    of_all: bool,
    /// Whose site this is: gates of others are tried at theirs.
    here_owner: OwnerId,
    gates: Vec<GateInfo>,
}

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new().route("/console/gates", get(show))
}

async fn show(State(desk): State<Arc<Desk>>, keeper: Keeper) -> Result<Response, Sorry> {
    let gates = desk.parts.gates.list(keeper.scope());
    let of_all = keeper.scope().is_none();
    let here_owner = keeper.0.visit.owner.clone();
    page(StatusCode::OK, &GatesPage { frame: Frame::of(&desk, &keeper.0.visit), of_all, here_owner, gates })
}
