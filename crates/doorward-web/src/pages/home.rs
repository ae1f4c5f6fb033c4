//! Home: what this is, and where to go.
//!
//! user -> site   get /

use std::sync::Arc;

use askama::Template;
use axum::{Router, extract::State, response::Response, routing::get};
use http::StatusCode;

use crate::{
    desk::Desk,
    page::{Frame, page},
    sorry::Sorry,
    visit::Visit,
};

#[derive(Template)]
#[template(path = "home.html")]
struct Home {
    frame: Frame,
    may_register: bool,
    logged_out: bool,
}

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new().route("/", get(show))
}

async fn show(State(desk): State<Arc<Desk>>, visit: Visit) -> Result<Response, Sorry> {
    let home = Home {
        frame: Frame::of(&desk, &visit),
        may_register: desk.parts.config.register,
        logged_out: visit.session.is_none() && visit.word("done") == Some("logout"),
    };
    page(StatusCode::OK, &home)
}
