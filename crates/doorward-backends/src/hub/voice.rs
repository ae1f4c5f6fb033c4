//! How a hub speaks: with all who are subscribed at once, in the dialect of its gate; and with one of them, where that one listens.

use std::sync::Arc;

use bytes::Bytes;
use doorward_session::Socket;
use doorward_types::{CloseReason, Timestamp};
use doorward_wire::{
    json,
    socketio::{KeptNamespace, Namespace, dialect},
    websocket::frame,
};
use serde_json::value::RawValue;

/// The event of a message that was published in the words of `doorward.v1` to those who listen for events.
const MESSAGE: &str = "message";

/// How a hub speaks with the users of a gate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `doorward.v1`: a JSON text each.
    #[default]
    Json,
    /// Events of Socket.IO, in namespaces.
    Events,
}

impl Dialect {
    /// A message on a channel, as everybody gets it who is subscribed. A channel of events is a namespace; of one that is none whoever
    /// listens to it hears in `/`, in the words of `doorward.v1`.
    pub(super) fn message(self, channel: &str, pk: Option<&str>, payload: &RawValue) -> Bytes {
        let (before, after) = json::message_parts(channel, pk);
        match (self, Namespace::new(channel)) {
            (Self::Json, _) => frame::text_parts(&[before.as_bytes(), payload.get().as_bytes(), after.as_bytes()]),
            (Self::Events, Ok(namespace)) => dialect::framed_event(namespace, MESSAGE, payload.get()),
            (Self::Events, Err(_)) => dialect::says(Namespace::ROOT, &[&before, payload.get(), after].concat()),
        }
    }
}

/// How one user is spoken to.
#[derive(Clone, Debug)]
pub(super) enum Voice {
    /// In the words of `doorward.v1`.
    Json,
    /// By events in the namespace that the user spoke in last.
    Events(KeptNamespace),
}

impl Voice {
    /// Says something of `doorward.v1`.
    pub(super) fn say(&self, socket: &Arc<Socket>, text: &str) {
        socket.tell(match self.namespace() {
            None => frame::text(text.as_bytes()),
            Some(namespace) => dialect::says(namespace, text),
        });
    }

    /// Answers in the application's name: one JSON object, in parts.
    pub(super) fn answer(&self, socket: &Arc<Socket>, parts: &[&str]) {
        socket.send(match self.namespace() {
            None => {
                let parts: Vec<_> = parts.iter().map(|part| part.as_bytes()).collect();
                frame::text_parts(&parts)
            }
            Some(namespace) => dialect::says(namespace, &parts.concat()),
        });
    }

    /// Says that the user is let in, with what lets it in by now.
    pub(super) fn say_admitted(&self, socket: &Arc<Socket>, expires_at: Option<Timestamp>) {
        if let Some(namespace) = self.namespace() {
            socket.tell(dialect::authenticated(namespace));
        }
        let admission = socket.admission();
        self.say(socket, &json::admitted(socket.id(), admission.subject(), socket.policy().backend, expires_at));
    }

    /// Says that what the user has shown on the open socket was not enough. It stays what it was.
    pub(super) fn say_refused(&self, socket: &Arc<Socket>, reason: CloseReason) {
        match self.namespace() {
            None => self.say(socket, &json::error(None, reason.name(), reason.sentence())),
            Some(namespace) => {
                socket.tell(dialect::unauthorized(namespace, reason, None));
            }
        }
    }

    fn namespace(&self) -> Option<Namespace<'_>> {
        match self {
            Self::Json => None,
            Self::Events(namespace) => Some(namespace.name()),
        }
    }
}
