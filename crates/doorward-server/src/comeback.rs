//! How a suspended socket comes back: its user has logged in again in the same browser, at any node.
//!
//! ```text
//! user   -> website   log in
//! log    -> node      logged in: subject, sid, browser
//! socket -> store     look login up
//! socket              require login holds
//! ```

use std::sync::Arc;

use doorward_auth::{
    Again, Climb, Resume,
    layers::LoginReturned,
    ports::{Ports, Rng},
};
use doorward_session::{Comeback, Login, Socket};
use doorward_types::TraceId;

/// The layers whose proof is the login of a browser.
const BY_LOGIN: [&str; 3] = ["session", "assert_login", "key_entry"];

/// Has sockets let in again by the login that has come back.
///
/// A [`Node`](crate::Node) follows the log with one; whoever puts a [`Door`](crate::Door) together from its parts gives its
/// [`Follower`](doorward_session::Follower) one, where gates may suspend.
pub struct ByLogin {
    ports: Ports,
}

impl ByLogin {
    /// Looks logins up in those ports.
    pub fn new(ports: Ports) -> Self {
        Self { ports }
    }
}

impl Comeback for ByLogin {
    fn climb(&self, socket: &Arc<Socket>, login: &Login) -> Option<Climb> {
        let admission = socket.admission();
        let of = BY_LOGIN.into_iter().find(|layer| admission.evidence().iter().any(|proof| proof.layer == *layer))?;
        let by = Arc::new(LoginReturned::new(of, login.sid, &self.ports));
        let rng: &dyn Rng = &*self.ports.rng;
        let (trace, as_of) = (TraceId::from_bytes(rng.bytes16()), socket.sockets().cursor());
        let again = vec![Again { of, by }];
        Some(Climb::resume(&admission, Resume { trace, again, as_of, clock: Arc::clone(&self.ports.clock) }))
    }
}
