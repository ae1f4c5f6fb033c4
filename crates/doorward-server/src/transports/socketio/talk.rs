use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use doorward_auth::Refusal;
use doorward_backends::hub::{Events, Hub};
use doorward_session::{Backend, Received, Socket};
use doorward_types::{CloseReason, Prompt, Reconnect, SocketId, TraceId};
use doorward_wire::{
    engineio::{self, Open, Revision},
    json,
    socketio::{
        self, Namespace, Namespaces, Packet,
        dialect::{self, AUTHENTICATION, DOORWARD, UNAUTHORIZED_ID},
    },
    websocket::frame,
};

use super::{framing::heartbeat, session::Session};
use crate::transports::{Heard, Voice, malformed};

/// How long a client that was refused may take to say that it has heard so.
const HEARD_WITHIN: Duration = Duration::from_secs(1);

/// The layer whose question is not put: its answer is the `authentication` event.
const JWT: &str = "jwt";

/// A climb in events of Socket.IO.
pub(crate) struct Talk {
    pub(crate) hub: Arc<Hub>,
    pub(crate) revision: Revision,
    pub(crate) namespaces: Arc<Namespaces>,
    /// The public id that the user will have.
    pub(crate) socket: SocketId,
    /// How often a sign of life is asked for.
    pub(crate) ping_every: Duration,
    /// What is said before anything else: the open packet, where no answer to a GET has said it.
    pub(crate) open: Option<String>,
    /// Where it polls: that it is let in has to be known there.
    pub(crate) session: Option<Arc<Session>>,
    /// The namespaces that the user is in; the last is where it spoke last.
    pub(crate) connected: Vec<String>,
    /// What the ladder has said while nobody could hear it.
    pub(crate) unsaid: Vec<String>,
    /// Whether a token has come with a CONNECT: the same comes with that of each namespace.
    pub(crate) has_shown: bool,
}

impl Talk {
    /// The open packet of a session.
    pub(crate) fn open_packet(
        revision: Revision,
        sid: &str,
        upgrades: &[&str],
        (ping_interval, ping_timeout): (Duration, Duration),
        max_payload: u64,
    ) -> String {
        let mut text = String::new();
        let open = Open { sid, upgrades, ping_interval, ping_timeout, max_payload }.json(revision);
        engineio::Packet::Open(&open).write_text(revision, &mut text);
        text
    }

    fn spoke_in(&self) -> Option<Namespace<'_>> {
        self.connected.last().and_then(|name| Namespace::new(name).ok())
    }

    /// The user speaks in that namespace.
    fn listens(&mut self, namespace: Namespace<'_>) {
        if let Some(place) = self.connected.iter().position(|name| name == namespace.as_str()) {
            let name = self.connected.remove(place);
            self.connected.push(name);
        }
    }

    fn connect(&mut self, packet: &Packet<'_>) -> Heard {
        let Packet::Connect { namespace, auth, .. } = packet else { return Heard::Said(Vec::new()) };
        if self.namespaces.get(*namespace).is_none() {
            // Clients of the older revision are in `/` before they say anything, whether the gate has it or not.
            let is_root = self.revision == Revision::Three && *namespace == Namespace::ROOT;
            let error = socketio::connect_error(self.revision, *namespace, "Invalid namespace", None);
            return Heard::Said(if is_root { Vec::new() } else { dialect::framed(&error).to_vec() });
        }
        let mut says =
            dialect::framed(&socketio::connected(self.revision, *namespace, &self.socket.to_string())).to_vec();
        if !self.connected.iter().any(|name| name == namespace.as_str()) {
            self.connected.push(namespace.as_str().to_owned());
        }
        self.listens(*namespace);
        for unsaid in std::mem::take(&mut self.unsaid) {
            says.extend_from_slice(&dialect::says(*namespace, &unsaid));
        }
        match auth {
            Some(auth) if dialect::names_token(auth) && !std::mem::replace(&mut self.has_shown, true) => {
                Heard::Answered(dialect::shown(Some(auth)), says)
            }
            _ => Heard::Said(says),
        }
    }

    /// Whether a message says that `unauthorized` was heard.
    fn is_its_acknowledgement(&self, received: &Received) -> bool {
        let Received::Text(text) = received else { return false };
        let text = text.reveal_text("an acknowledgement is looked for").unwrap_or_default();
        let Ok(engineio::Packet::Message(text)) = engineio::Packet::from_text(self.revision, text) else {
            return false;
        };
        matches!(Packet::read(self.revision, text), Ok(Packet::Ack(ack)) if ack.id == UNAUTHORIZED_ID)
    }

    fn hear_packet(&mut self, text: &str) -> Result<Heard, Refusal> {
        let packet = Packet::read(self.revision, text).map_err(malformed)?;
        match &packet {
            Packet::Connect { .. } => Ok(self.connect(&packet)),
            Packet::Disconnect { namespace } => {
                self.connected.retain(|name| name != namespace.as_str());
                Ok(Heard::Said(Vec::new()))
            }
            Packet::Event(event) if self.connected.iter().any(|name| name == event.namespace.as_str()) => {
                self.listens(event.namespace);
                let shown = event.arguments.first().copied();
                match (&*event.name, shown) {
                    (AUTHENTICATION, shown) => Ok(Heard::Answered(dialect::shown(shown), Vec::new())),
                    (DOORWARD, Some(spoken)) => {
                        let answer = json::answer(spoken.get().as_bytes()).map_err(malformed)?;
                        Ok(Heard::Answered(answer, Vec::new()))
                    }
                    // Whatever else happens before the admission has not happened.
                    _ => Ok(Heard::Said(Vec::new())),
                }
            }
            Packet::Event(_) | Packet::Ack(_) => Ok(Heard::Said(Vec::new())),
        }
    }
}

impl Voice for Talk {
    fn greeting(&mut self) -> Vec<u8> {
        let mut says = Vec::new();
        if let Some(open) = self.open.take() {
            says.extend_from_slice(&frame::text(open.as_bytes()));
        }
        if self.revision == Revision::Three {
            says.extend_from_slice(&dialect::framed(&socketio::connected(self.revision, Namespace::ROOT, "")));
            if self.namespaces.get(Namespace::ROOT).is_some() {
                self.connected.push(Namespace::ROOT.as_str().to_owned());
            }
        }
        says
    }

    fn prompt(&mut self, prompt: &Prompt) -> Vec<u8> {
        if matches!(prompt, Prompt::Ask { layer, .. } if *layer == JWT) {
            return Vec::new();
        }
        let text = json::prompt(prompt);
        match self.spoke_in() {
            Some(namespace) => dialect::says(namespace, &text).to_vec(),
            None => {
                self.unsaid.push(text);
                Vec::new()
            }
        }
    }

    fn hear(&mut self, received: &Received) -> Result<Heard, Refusal> {
        let text = match received {
            Received::Text(text) => {
                text.reveal_text("a packet is read out of it").ok_or_else(|| malformed("no UTF-8"))?
            }
            // An attachment of something that has not happened.
            _ => return Ok(Heard::Said(Vec::new())),
        };
        if let Some(beat) = heartbeat(self.revision, text) {
            return Ok(Heard::Alive(beat.answer.map(|answer| answer.to_vec()).unwrap_or_default()));
        }
        match engineio::Packet::from_text(self.revision, text).map_err(malformed)? {
            engineio::Packet::Message(text) => self.hear_packet(text),
            engineio::Packet::Close => Ok(Heard::Left),
            _ => Ok(Heard::Said(Vec::new())),
        }
    }

    fn admitted(&mut self, socket: &Arc<Socket>, backend: &str) -> Vec<u8> {
        let Some(namespace) = self.spoke_in() else { return Vec::new() };
        let admission = socket.admission();
        let admitted = json::admitted(socket.id(), admission.subject(), backend, admission.expires_at());
        let mut says = dialect::authenticated(namespace).to_vec();
        says.extend_from_slice(&dialect::says(namespace, &admitted));
        if let Some((_, ping)) = self.ping() {
            // The client counts from the last one, and the socket from its beginning.
            says.extend_from_slice(&ping);
        }
        // Not at once, but when it sits in its namespaces: whoever has heard this misses nothing from there on.
        socket.tell(says.into());
        Vec::new()
    }

    fn refused(&mut self, reason: CloseReason, trace: TraceId) -> (Vec<u8>, Option<Duration>) {
        match self.spoke_in() {
            // Whoever has said nothing in time is not told what it lacked.
            Some(namespace) if reason != CloseReason::TooSlow => {
                let refused = dialect::unauthorized(namespace, reason, Some(trace));
                (refused.to_vec(), Some(HEARD_WITHIN))
            }
            _ => (Vec::new(), None),
        }
    }

    fn has_heard(&mut self, received: &Received) -> (Vec<u8>, bool) {
        (Vec::new(), self.is_its_acknowledgement(received))
    }

    fn parting(&mut self, reason: CloseReason) -> Vec<u8> {
        // A client that is told `disconnect` does not come back by itself.
        let stays_away = reason.reconnect() == Reconnect::Never || reason == CloseReason::TooSlow;
        let namespaces = self.connected.iter().filter_map(|name| Namespace::new(name).ok());
        let partings = namespaces.map(|namespace| dialect::framed(&socketio::disconnect(namespace)));
        if stays_away { partings.flat_map(|parting| parting.to_vec()).collect() } else { Vec::new() }
    }

    fn ping(&self) -> Option<(Duration, Bytes)> {
        match self.revision {
            Revision::Three => None,
            Revision::Four => Some((self.ping_every, frame::text(b"2"))),
        }
    }

    fn backend(&mut self, _plain: Arc<dyn Backend>) -> Arc<dyn Backend> {
        if let Some(session) = &self.session {
            session.note_admitted();
        }
        Arc::new(Events {
            hub: Arc::clone(&self.hub),
            revision: self.revision,
            namespaces: Arc::clone(&self.namespaces),
            connected: std::mem::take(&mut self.connected),
        })
    }
}
