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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use doorward_auth::ports::{Account, Session};
    use doorward_session::Suspension;
    use doorward_testkit::{Live, LiveSocket};

    use super::*;

    const BROWSER: u8 = 7;

    async fn world() -> (Live, Account) {
        let live = Live::with_comeback(|world| Arc::new(ByLogin { ports: world.ports() })).await;
        let bob = live.account("acme", "bob").await;
        (live, bob)
    }

    /// A socket of that account that waits for its login, which was made in that browser.
    async fn waits(live: &Live, layer: &'static str, account: &Account, browser: u8) -> (LiveSocket, Session) {
        let session = live.log_in(account, browser).await;
        let socket = live.waiting_socket(layer, &session, "news").await;
        assert_eq!(live.log_out(&session).await.suspended, [socket.socket.id()]);
        (socket, session)
    }

    /// Everybody has done what there was to do.
    async fn settle() {
        tokio::time::sleep(Duration::from_secs(5)).await;
    }

    fn still_waits(socket: &LiveSocket) -> bool {
        socket.socket.suspension() == Some(Suspension::LoggedOut)
    }

    #[tokio::test(start_paused = true)]
    async fn a_socket_goes_on_by_the_login_that_its_user_makes_in_the_same_browser_and_ends_with_that() {
        for layer in BY_LOGIN {
            let (live, bob) = world().await;
            let (socket, before) = waits(&live, layer, &bob, BROWSER).await;
            let again = live.log_in(&bob, BROWSER).await;
            settle().await;
            assert_eq!((socket.socket.suspension(), socket.socket.is_open()), (None, true), "{layer}");
            assert!(socket.rests_on(&again) && !socket.rests_on(&before), "{layer}");
            assert_eq!(socket.socket.admission().evidence()[0].layer, layer);
            assert_eq!(live.log_out(&again).await.suspended, [socket.socket.id()]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_login_in_another_browser_or_of_another_account_or_at_another_site_brings_nobody_back() {
        let (live, bob) = world().await;
        let (socket, _) = waits(&live, "session", &bob, BROWSER).await;
        live.log_in(&bob, BROWSER + 1).await;
        live.log_in(&live.account("acme", "eve").await, BROWSER).await;
        live.log_in(&live.account("globex", "bob").await, BROWSER).await;
        settle().await;
        assert!(still_waits(&socket));
        live.log_in(&bob, BROWSER).await;
        settle().await;
        assert!(!still_waits(&socket));
    }

    #[tokio::test(start_paused = true)]
    async fn each_socket_comes_back_at_the_gate_that_it_came_through() {
        let (live, bob) = world().await;
        let session = live.log_in(&bob, BROWSER).await;
        let news = live.waiting_socket("session", &session, "news").await;
        let chat = live.waiting_socket("session", &session, "chat").await;
        live.log_out(&session).await;
        live.log_in(&bob, BROWSER).await;
        settle().await;
        for (socket, gate) in [(&news, "news"), (&chat, "chat")] {
            let admission = socket.socket.admission();
            assert_eq!((socket.socket.suspension(), admission.gate().as_str()), (None, gate));
            assert_eq!(admission.owner().as_str(), "acme");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_login_that_has_ended_again_brings_nobody_back() {
        let (live, bob) = world().await;
        let (socket, _) = waits(&live, "session", &bob, BROWSER).await;
        let by = ByLogin { ports: live.world.ports() };
        let session = live.log_in(&bob, BROWSER + 1).await;
        let login = Login {
            owner: bob.owner.clone(),
            subject: bob.subject(),
            sid: session.sid,
            browser: [BROWSER; 32],
            at: session.created_at,
        };
        live.log_out(&session).await;
        let mut climb = by.climb(&socket.socket, &login).unwrap();
        match climb.next().await {
            doorward_auth::ClimbEvent::Refused(refusal) => assert_eq!(refusal.step, "socket looks login up"),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_was_let_in_by_something_else_than_a_login_is_not_brought_back_by_one() {
        let (live, bob) = world().await;
        let (socket, _) = waits(&live, "password", &bob, BROWSER).await;
        live.log_in(&bob, BROWSER).await;
        settle().await;
        assert!(still_waits(&socket));
    }
}
