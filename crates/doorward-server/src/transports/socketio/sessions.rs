use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use doorward_auth::{ports::Rng, throttle::network_of};
use doorward_types::{GateName, OwnerId, Secret};
use doorward_wire::engineio::Revision;

use super::session::Session;
use crate::{edge::Head, gates::Gate};

/// The sessions of Engine.IO that have begun with long-polling, by their ids.
///
/// Each is held by its socket's connection alone, and forgotten with it; how many there may be is said by the caps of whoever
/// climbs and of sockets.
#[derive(Default)]
pub(crate) struct Sessions {
    by_sid: Mutex<HashMap<String, Weak<Session>>>,
}

/// What every request of a session has to have in common with the first: an id that was overheard is of no use elsewhere.
#[derive(Debug)]
pub(super) struct Binding {
    gate: (OwnerId, GateName),
    source: IpAddr,
    host: String,
    /// The page, where the request says it: a browser does so at every POST, and of a GET to the page's own host never.
    origin: Option<Vec<u8>>,
    /// Whether that page is one that the gate takes nothing from.
    is_foreign: bool,
    /// The cookie of a login and the bearer token, as they were shown.
    shown: [Option<Secret>; 2],
}

impl Binding {
    pub(super) fn of(gate: &Gate, source: IpAddr, head: &Head) -> Self {
        Self {
            gate: (gate.owner.clone(), gate.name.clone()),
            source: network_of(source),
            host: head.host.clone(),
            origin: head.origin.clone(),
            is_foreign: is_foreign(gate, head),
            shown: [head.shown.session.clone(), head.bearer.clone()],
        }
    }

    /// Whether a later request may be of the same client.
    fn goes_with(&self, later: &Self) -> bool {
        let same_page = self.origin.is_none() || later.origin.is_none() || self.origin == later.origin;
        same_page
            && !later.is_foreign
            && (&self.gate, self.source, &self.host, &self.shown)
                == (&later.gate, later.source, &later.host, &later.shown)
    }
}

/// A session that begins without a page, as a program's does, goes on with none of another site.
fn is_foreign(gate: &Gate, head: &Head) -> bool {
    let (Some(wire), Some(origin)) = (&gate.socketio, &head.origin) else { return false };
    let named = std::str::from_utf8(origin).unwrap_or("null");
    wire.origins.admit(Some(named), head.host_name(), head.host_port()).is_err()
}

impl Sessions {
    /// Begins a session with an id that nobody can guess.
    pub(super) fn begin(
        self: &Arc<Self>,
        rng: &dyn Rng,
        revision: Revision,
        takes_bytes: bool,
        binding: Binding,
        longest: [usize; 2],
    ) -> Arc<Session> {
        let sid = BASE64_URL_SAFE_NO_PAD.encode(rng.bytes16());
        let session =
            Arc::new(Session::new(sid.clone(), revision, takes_bytes, binding, longest, Arc::downgrade(self)));
        self.lock().insert(sid, Arc::downgrade(&session));
        session
    }

    /// The session of that id, where the request has in common with it what it has to. To another one there is no such session.
    pub(super) fn find(&self, sid: &str, revision: Revision, binding: &Binding) -> Option<Arc<Session>> {
        let session = self.lock().get(sid)?.upgrade()?;
        (session.revision == revision && session.binding.goes_with(binding)).then_some(session)
    }

    /// The session is over.
    pub(super) fn forget(&self, sid: &str) {
        self.lock().remove(sid);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Weak<Session>>> {
        self.by_sid.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
