//! How a client of the cluster is let in: by the cookie of its login, and again by a login that came back.
//!
//! client -> node     show cookie in the upgrade request
//! node   -> store    look the login up, over its link

use std::{sync::Arc, time::Duration};

use doorward_auth::{
    Again, BoxFuture, Claimant, Climb, Conversation, Handshake, Ladder, Layer, Proof, Refusal, Resume, Rung, Step,
    layers::handshake::{origin::Origins, session::SessionInRequest},
    ports::{Clock, PortError, Ports, Session, Sessions, SitePorts},
};
use doorward_session::{Comeback, Login, Socket};
use doorward_types::{KeyText, TraceId};
use tokio::time::timeout;

use super::{link::Link, machine::Machine, node::as_of, schedule::Misdeed};
use crate::World;

const NAME: &str = "session";
const STEP: &str = "node looks the login up";

/// How long a node waits for the store when a login comes back.
const WITHIN: Duration = Duration::from_secs(3);

/// The ladder of a node: `session`, which asks the store over the link.
pub(super) fn ladder(link: &Arc<Link>, machine: &Arc<Machine>) -> Option<Arc<Ladder>> {
    let ports = World::new().ports();
    let site = SitePorts { sessions: Arc::clone(link) as _, ..ports.site.clone() };
    let ports = Ports { clock: Arc::clone(machine) as _, site, ..ports };
    let step = Step::handshake(SessionInRequest::new(Origins::SameHost, &ports));
    Ladder::new(vec![Rung::One(step)]).ok().map(Arc::new)
}

/// A request that shows the cookie of a login.
pub(super) fn request(key: &[u8; 32]) -> Handshake {
    let handshake = World::handshake();
    let page = format!("https://{}", handshake.host);
    Handshake { origin: Some(page.into_bytes()), session: Some(KeyText::Session.write(key)), ..handshake }
}

/// The hash of a cookie.
pub(super) fn hash_of(kind: KeyText, key: &[u8; 32]) -> [u8; 32] {
    World::kept_as(&kind.write(key))
}

/// Asks the store for the login that the revocation log has told of.
struct ByLogin {
    login: Login,
    link: Arc<Link>,
    machine: Arc<Machine>,
}

impl Layer for ByLogin {
    fn name(&self) -> &'static str {
        NAME
    }

    fn verify<'a>(&'a self, _: &'a mut Conversation, claimant: &'a mut Claimant) -> BoxFuture<'a, Result<(), Refusal>> {
        Box::pin(async move {
            let found = self.link.find_by_id(&self.login.owner, self.login.sid, self.machine.now());
            let found = bounded(found).await?;
            prove(claimant, found.filter(|session| session.browser == Some(self.login.browser)), &self.machine)
        })
    }
}

/// Lets suspended sockets in again.
pub(super) struct Returns {
    pub(super) link: Arc<Link>,
    pub(super) machine: Arc<Machine>,
    pub(super) misdeed: Option<Misdeed>,
}

impl Comeback for Returns {
    fn climb(&self, socket: &Arc<Socket>, login: &Login) -> Option<Climb> {
        let by = ByLogin { login: login.clone(), link: Arc::clone(&self.link), machine: Arc::clone(&self.machine) };
        let resume = Resume {
            trace: TraceId::from_bytes([2; 16]),
            again: vec![Again { of: NAME, by: Arc::new(by) }],
            as_of: as_of(socket.sockets(), self.misdeed),
            clock: Arc::clone(&self.machine) as _,
        };
        Some(Climb::resume(&socket.admission(), resume))
    }
}

async fn bounded<T>(answer: impl Future<Output = Result<T, PortError>>) -> Result<T, Refusal> {
    let silent = |_| Err(PortError { port: "store", detail: "nobody answers".to_owned() });
    timeout(WITHIN, answer).await.unwrap_or_else(silent).map_err(|error| error.refuse(STEP))
}

fn prove(claimant: &mut Claimant, found: Option<Session>, machine: &Machine) -> Result<(), Refusal> {
    let Some(session) = found else { return Err(Refusal::credential(STEP, "there is no such login")) };
    let proof = Proof {
        subject: Some(session.subject()),
        rests_on: vec![session.rest()],
        issued_at: Some(session.created_at),
        newer_than: session.opened,
        expires_at: Some(session.expires_at),
        browser: session.browser,
        ..Proof::default()
    };
    claimant.prove(NAME, machine.now(), proof)
}
