use std::{
    collections::{HashMap, hash_map::Entry},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use doorward_auth::{ports::Rng, throttle::network_of};
use doorward_session::OnLogout;
use doorward_types::{GateName, OwnerId, Secret};
use doorward_wire::engineio::Revision;

use super::{frames::Reads, session::Session};
use crate::{edge::Head, gates::Gate};

/// The sessions of Engine.IO that have begun with long-polling, by their ids.
///
/// Each is held by its socket's connection alone, and forgotten with it; how many there may be is said by the caps of whoever
/// climbs and of sockets.
#[derive(Default)]
pub(crate) struct Sessions {
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    by_sid: HashMap<String, Weak<Session>>,
    /// How many there are of each network.
    of_source: HashMap<IpAddr, usize>,
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
    /// The bearer token, as it was shown.
    bearer: Option<Secret>,
    /// The cookie of a login, likewise.
    login: Option<Secret>,
    /// The cookie of the browser, at a gate whose sockets wait for a login to come back: what comes back is another cookie of a
    /// login, in the same browser.
    browser: Option<Secret>,
}

impl Binding {
    pub(super) fn of(gate: &Gate, source: IpAddr, head: &Head) -> Self {
        let may_return = gate.policy().on_logout == OnLogout::Suspend;
        Self {
            gate: (gate.owner.clone(), gate.name.clone()),
            source: network_of(source),
            host: head.host.clone(),
            origin: head.origin.clone(),
            is_foreign: is_foreign(gate, head),
            bearer: head.bearer.clone(),
            login: head.shown.session.clone(),
            browser: head.shown.browser.clone().filter(|_| may_return),
        }
    }

    /// Whether a later request may be of the same client.
    fn goes_with(&self, later: &Self) -> bool {
        let same_page = self.origin.is_none() || later.origin.is_none() || self.origin == later.origin;
        let same_browser = self.browser.is_some() && self.browser == later.browser;
        same_page
            && !later.is_foreign
            && (self.login == later.login || same_browser)
            && (&self.gate, self.source, &self.host, &self.bearer)
                == (&later.gate, later.source, &later.host, &later.bearer)
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
        reads: Reads,
        binding: Binding,
        longest: [usize; 2],
    ) -> Arc<Session> {
        let (sid, source) = (BASE64_URL_SAFE_NO_PAD.encode(rng.bytes16()), binding.source);
        let session = Arc::new(Session::new(sid.clone(), reads, binding, longest, Arc::downgrade(self)));
        let mut held = self.lock();
        held.by_sid.insert(sid, Arc::downgrade(&session));
        *held.of_source.entry(source).or_default() += 1;
        session
    }

    /// The session of that id, where the request has in common with it what it has to. To another one there is no such session.
    pub(super) fn find(&self, sid: &str, revision: Revision, binding: &Binding) -> Option<Arc<Session>> {
        let session = self.lock().by_sid.get(sid)?.upgrade()?;
        (session.revision() == revision && session.binding.goes_with(binding)).then_some(session)
    }

    /// Whether there is a session of that source.
    pub(crate) fn is_known(&self, source: IpAddr) -> bool {
        self.lock().of_source.contains_key(&network_of(source))
    }

    /// The session is over.
    pub(super) fn forget(&self, session: &Session) {
        let mut held = self.lock();
        held.by_sid.remove(&session.sid);
        if let Entry::Occupied(mut count) = held.of_source.entry(session.binding.source) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use doorward_testkit::SeededRng;

    use super::*;

    const SOURCE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    /// What a client has in common with itself that shows nothing.
    pub(in super::super) fn binding() -> Binding {
        Binding {
            gate: (OwnerId::new("acme"), GateName::new("ui")),
            source: SOURCE,
            host: "gate.example".to_owned(),
            origin: None,
            is_foreign: false,
            bearer: None,
            login: None,
            browser: None,
        }
    }

    fn shown(text: &str) -> Option<Secret> {
        Some(Secret::from_text(text))
    }

    #[test]
    fn c58_whatever_differs_makes_a_request_somebody_else_s() {
        let origin = |text: &str| Some(text.as_bytes().to_vec());
        let first = Binding { origin: origin("https://a.example"), bearer: shown("b"), login: shown("l"), ..binding() };
        let same = || Binding { origin: None, bearer: shown("b"), login: shown("l"), ..binding() };
        assert!(first.goes_with(&same()), "of a GET a browser does not name the page");
        for later in [
            Binding { gate: (OwnerId::new("globex"), GateName::new("ui")), ..same() },
            Binding { gate: (OwnerId::new("acme"), GateName::new("other")), ..same() },
            Binding { source: IpAddr::from([127, 0, 0, 2]), ..same() },
            Binding { host: "other.example".to_owned(), ..same() },
            Binding { origin: origin("https://b.example"), ..same() },
            Binding { bearer: None, ..same() },
            Binding { bearer: shown("other"), ..same() },
            Binding { login: None, ..same() },
            Binding { login: shown("other"), ..same() },
            Binding { login: shown("other"), browser: shown("w"), ..same() },
        ] {
            assert!(!first.goes_with(&later), "{later:?}");
        }
    }

    #[test]
    fn c58_where_a_login_may_come_back_its_browser_is_enough() {
        let first = Binding { login: shown("l"), browser: shown("w"), ..binding() };
        assert!(first.goes_with(&Binding { login: shown("other"), browser: shown("w"), ..binding() }));
        assert!(first.goes_with(&Binding { browser: shown("w"), ..binding() }));
        assert!(!first.goes_with(&Binding { login: shown("other"), browser: shown("v"), ..binding() }));
        assert!(!first.goes_with(&Binding { browser: shown("w"), bearer: shown("b"), ..binding() }));
        let nowhere = Binding { login: shown("l"), ..binding() };
        assert!(!nowhere.goes_with(&Binding { login: shown("other"), ..binding() }), "no browser is none in common");
    }

    #[test]
    fn a_session_is_forgotten_with_its_connection() {
        let sessions = Arc::new(Sessions::default());
        let reads = Reads { revision: Revision::Four, bytes: true };
        let begin = |seed| sessions.begin(&SeededRng::new(seed), reads, binding(), [1, 1]);
        let (one, other) = (begin(1), begin(2));
        assert!(sessions.find(&one.sid, Revision::Four, &binding()).is_some());
        assert!(sessions.find(&one.sid, Revision::Three, &binding()).is_none());
        drop(one);
        assert!(sessions.is_known(SOURCE) && !sessions.is_known(IpAddr::from([127, 0, 1, 1])));
        drop(other);
        assert!(!sessions.is_known(SOURCE));
        assert!(sessions.lock().by_sid.is_empty());
    }
}
