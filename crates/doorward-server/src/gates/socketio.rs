use std::sync::Arc;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use doorward_auth::layers::handshake::origin::Origins;
use doorward_backends::hub::Hub;
use doorward_session::{Notices, SocketPolicy, Suspension};
use doorward_types::SocketId;
use doorward_wire::{
    engineio::Revision,
    json,
    socketio::{Namespaces, dialect},
};

use crate::{
    answer::Visit,
    transports::socketio::{SocketIoFraming, Talk},
};

/// A gate that speaks Socket.IO.
pub(crate) struct SocketIo {
    pub(crate) hub: Arc<Hub>,
    pub(crate) namespaces: Arc<Namespaces>,
    /// The pages that may read what is answered.
    pub(crate) origins: Origins,
    /// What sockets may do, by the revision that they speak.
    policies: [Arc<SocketPolicy>; 2],
}

impl SocketIo {
    pub(super) fn new(hub: Arc<Hub>, namespaces: Namespaces, origins: Origins, policy: &SocketPolicy) -> Self {
        let namespaces = Arc::new(namespaces);
        let policies = [Revision::Three, Revision::Four].map(|revision| {
            let framing = Arc::new(SocketIoFraming { revision, namespaces: Arc::clone(&namespaces) });
            let notices = notices(&namespaces);
            Arc::new(SocketPolicy { framing, notices, ..policy.clone() })
        });
        Self { hub, namespaces, origins, policies }
    }

    /// What a socket may do that speaks this revision.
    pub(crate) fn policy(&self, revision: Revision) -> Arc<SocketPolicy> {
        let [three, four] = &self.policies;
        Arc::clone(match revision {
            Revision::Three => three,
            Revision::Four => four,
        })
    }

    /// The words for a user whose socket will have that id.
    pub(crate) fn talk(&self, revision: Revision, socket: SocketId, open: Option<String>) -> Talk {
        Talk {
            hub: Arc::clone(&self.hub),
            revision,
            namespaces: Arc::clone(&self.namespaces),
            socket,
            ping_every: self.policy(revision).ping_every.unwrap_or_default(),
            open,
            session: None,
            connected: Vec::new(),
            unsaid: Vec::new(),
            has_shown: false,
        }
    }

    /// The words for a user who has come by a WebSocket at once: no session is kept whose id anybody could use.
    pub(crate) fn talk_over_websocket(&self, revision: Revision, visit: &Visit) -> Talk {
        let policy = self.policy(revision);
        let sid = BASE64_URL_SAFE_NO_PAD.encode(visit.door.rng.bytes16());
        let times = (policy.ping_every.unwrap_or_default(), policy.pong_within);
        let open = Talk::open_packet(revision, &sid, &[], times, policy.limits.message as u64);
        self.talk(revision, visit.socket, Some(open))
    }
}

/// What a user is told of a suspension, in each namespace: those where it is not, it does not hear.
fn notices(namespaces: &Namespaces) -> Option<Notices> {
    let say = |text: String| {
        let frames: Vec<u8> = namespaces.iter().flat_map(|one| dialect::says(one, &text).to_vec()).collect();
        frames.into()
    };
    Some(Notices {
        logged_out: say(json::suspended(Suspension::LoggedOut.name())),
        unconfirmed: say(json::suspended(Suspension::Unconfirmed.name())),
        resumed: say(json::resumed(false)),
        resumed_with_gap: say(json::resumed(true)),
    })
}
