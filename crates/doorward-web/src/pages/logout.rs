//! Log out.
//!
//! user -> site   post /logout
//! site           end the login      durably, before the answer; what rests on it ends with it
//! site -> user   cookie cleared     by the attributes that it was set with
//!
//! The cookie of the browser itself stays: a socket that waits for the next login waits for one in the same browser.

use std::sync::Arc;

use axum::{Router, extract::State, response::Response, routing::post};
use doorward_auth::ports::{Ending, What, Why};

use crate::{
    By, Happening,
    cookies::Cookie,
    desk::Desk,
    page::{go, with_cookies},
    sorry::Sorry,
    visit::Visit,
};

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new().route("/logout", post(leave))
}

async fn leave(State(desk): State<Arc<Desk>>, visit: Visit) -> Result<Response, Sorry> {
    if let Some(session) = &visit.session {
        let ending = Ending {
            owner: Some(session.owner.clone()),
            what: What::Rest(session.rest()),
            why: Why::LoggedOut,
            change: None,
            at: visit.now,
        };
        desk.ports().revocations.end(ending).await?;
        desk.done(visit.event(Some(session.subject()), By::Holder, Happening::LoggedOut(session.sid)));
    }
    Ok(with_cookies(go("/?done=logout"), &desk, &[(Cookie::Session, None), (Cookie::Half, None)]))
}
