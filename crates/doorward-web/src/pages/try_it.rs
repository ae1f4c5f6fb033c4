//! Try it: a person opens a gate from a page, and sees each question of its ladder.
//!
//! user -> site   get /try?gate=/chat
//! user -> site   post GATE/ticket       where they are logged in and want to
//! user -> gate   the socket, from the page's script
//!
//! The page's middle, its script and its style are the JavaScript client's (`clients/js/try`), which has no other dependency.

use std::sync::Arc;

use askama::Template;
use axum::{Router, extract::State, response::Response, routing::get};
use doorward_auth::ports::Role;
use http::StatusCode;

use crate::{
    GateInfo,
    desk::Desk,
    page::{Frame, page},
    sorry::Sorry,
    visit::Visit,
};

/// The middle of the page, as the client has it.
const MIDDLE: &str = include_str!("../../../../clients/js/try/try.html");
/// Where its list of gates ends.
const GATES_END: &str = "</datalist>";
/// What says that tickets can be fetched, and where that goes.
const TICKETS: (&str, &str) = (r#"id="try""#, r#"id="try" data-tickets"#);

#[derive(Template)]
#[template(path = "try.html")]
struct TryIt {
    frame: Frame,
    before: String,
    /// The paths of the gates that are offered. The page begins with the first.
    gates: Vec<String>,
    after: &'static str,
}

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new().route("/try", get(show))
}

async fn show(State(desk): State<Arc<Desk>>, visit: Visit) -> Result<Response, Sorry> {
    let (before, after) = MIDDLE.split_once(GATES_END).unwrap_or((MIDDLE, ""));
    let before = match visit.session {
        Some(_) => before.replacen(TICKETS.0, TICKETS.1, 1),
        None => before.to_owned(),
    };
    // Which gates there are is for owners to see: others type the path that they were told.
    let is_keeper = visit.session.as_ref().is_some_and(|session| session.role >= Role::Owner);
    let mut gates = if is_keeper { desk.parts.gates.list(Some(&visit.owner)) } else { Vec::new() };
    gates.retain(GateInfo::can_be_tried);
    // What can be opened as it stands comes first, and of that what the page can talk with.
    gates.sort_by_key(|gate| (!gate.is_one_address(), gate.backend != "hub"));
    let gates = gates.iter().filter_map(|gate| gate.to_open().map(str::to_owned)).collect();
    page(StatusCode::OK, &TryIt { frame: Frame::of(&desk, &visit), before, gates, after })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clients_page_has_the_places_where_the_site_puts_its_own() {
        assert_eq!(MIDDLE.matches(GATES_END).count(), 1);
        assert_eq!(MIDDLE.matches(TICKETS.0).count(), 1);
        assert!(!MIDDLE.contains("<script") && !MIDDLE.contains("style="));
    }
}
