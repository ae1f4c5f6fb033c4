use std::sync::Arc;

use bytes::Bytes;
use doorward_session::{Ended, Framing, Heartbeat};
use doorward_types::Reconnect;
use doorward_wire::{
    engineio::{Packet, Revision},
    json,
    socketio::{self, Namespaces, dialect},
    websocket::{Message, frame},
};

/// What a socket says on its own account in the words of Engine.IO and Socket.IO.
///
/// A client that is told `disconnect` stays away; one that loses its connection comes back by itself. So the first is said where
/// nobody has to come again, and elsewhere nothing but the end of the connection.
#[derive(Debug)]
pub(crate) struct SocketIoFraming {
    pub(crate) revision: Revision,
    pub(crate) namespaces: Arc<Namespaces>,
}

impl Framing for SocketIoFraming {
    fn ping(&self) -> Bytes {
        match self.revision {
            // Here it is the client who asks, and whose silence counts.
            Revision::Three => Bytes::new(),
            Revision::Four => frame::text(b"2"),
        }
    }

    fn pings_regularly(&self) -> bool {
        self.revision == Revision::Four
    }

    fn farewell(&self, ended: Ended) -> Bytes {
        let mut frames = Vec::new();
        if let Ended::For(reason) = ended {
            let word = json::ended(reason);
            for namespace in self.namespaces.iter() {
                frames.extend_from_slice(&dialect::says(namespace, &word));
                if reason.reconnect() == Reconnect::Never {
                    frames.extend_from_slice(&dialect::framed(&socketio::disconnect(namespace)));
                }
            }
        }
        frames.extend_from_slice(&ended.close_frame());
        frames.into()
    }

    fn heartbeat(&self, message: &Message<'_>) -> Option<Heartbeat> {
        heartbeat(self.revision, message.text()?)
    }
}

/// Whether a text of a client is a sign of life, and what answers it.
pub(super) fn heartbeat(revision: Revision, text: &str) -> Option<Heartbeat> {
    match (revision, Packet::from_text(revision, text)) {
        (Revision::Three, Ok(Packet::Ping(data))) => {
            Some(Heartbeat { answer: Some(frame::text_parts(&[b"3", data.as_bytes()])) })
        }
        (Revision::Four, Ok(Packet::Pong(_))) => Some(Heartbeat { answer: None }),
        _ => None,
    }
}
