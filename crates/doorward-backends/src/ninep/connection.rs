use std::{sync::Arc, task::Context};

use bytes::Bytes;
use doorward_session::{Incoming, Socket};
use doorward_types::CloseReason;
use doorward_wire::{
    ninep::{Decoder, Reply, Request, Tag},
    websocket::{Message, MessageKind},
};

use super::{Trouble, server::Server};

/// The bytes of one connection: what comes in becomes requests, and answers become what goes out.
pub(super) struct Connection {
    decoder: Decoder,
    server: Server,
    /// How many messages in a row were malformed.
    malformed: u8,
    unsent: Vec<(Tag, Bytes)>,
}

/// Where answers go.
pub(super) struct Replies<'c> {
    socket: &'c Arc<Socket>,
    /// Answers of the application that the socket did not take, since it was suspended at that very moment.
    unsent: &'c mut Vec<(Tag, Bytes)>,
    /// Whether nothing of the application may be among them.
    suspended: bool,
}

impl Replies<'_> {
    pub(super) fn say(&mut self, tag: Tag, reply: &Reply<'_>) {
        let mut message = Vec::new();
        reply.write(tag, &mut message);
        let framed = self.socket.policy().framing.binary(&message);
        if self.suspended {
            self.socket.tell(framed);
        } else if !self.socket.send(framed.clone()) && self.socket.is_open() {
            self.unsent.push((tag, framed));
        }
    }

    /// Whether the socket is suspended, and hears what lets go of something alone.
    pub(super) fn are_of_a_suspended(&self) -> bool {
        self.suspended
    }

    pub(super) fn refuse(&mut self, tag: Tag, trouble: &Trouble) {
        self.say(tag, &Reply::Error { text: &trouble.to_string() });
    }
}

impl Connection {
    pub(super) fn of(server: Server) -> Self {
        Self { decoder: Decoder::new(server.msize()), server, malformed: 0, unsent: Vec::new() }
    }

    /// Takes bytes in any split. The first message among them has been counted.
    fn take(&mut self, socket: &Arc<Socket>, mut bytes: &[u8]) -> Result<(), CloseReason> {
        let mut is_first = true;
        loop {
            self.decoder.set_msize(self.server.msize());
            let frame = match self.decoder.next(&mut bytes) {
                Ok(Some(frame)) if socket.is_open() => frame,
                Ok(_) => return Ok(()),
                Err(violation) => {
                    tracing::debug!(socket = %socket.id(), %violation, "no 9P message");
                    return Err(violation.close_reason());
                }
            };
            if !std::mem::take(&mut is_first) {
                socket.heard_frames(1, true)?;
            }
            let suspended = socket.must_wait();
            let mut replies = Replies { socket, unsent: &mut self.unsent, suspended };
            match Request::read(&frame) {
                Ok(request) => {
                    self.malformed = 0;
                    match &request {
                        Request::Version { .. } => replies.unsent.clear(),
                        Request::Flush { old } => replies.unsent.retain(|(tag, _)| tag != old),
                        _ => {}
                    }
                    self.server.take(frame.tag, &request, &mut replies)?;
                }
                Err(malformed) => {
                    replies.refuse(frame.tag, &Trouble::Other(malformed.to_string().into()));
                    self.malformed += 1;
                    if self.malformed >= self.server.limits().malformed {
                        return Err(CloseReason::Malformed);
                    }
                }
            }
        }
    }
}

impl Incoming for Connection {
    fn message(&mut self, socket: &Arc<Socket>, message: Message<'_>) -> Result<(), CloseReason> {
        match message.kind {
            MessageKind::Binary => self.take(socket, message.payload),
            MessageKind::Text => Err(CloseReason::UnsupportedData),
        }
    }

    fn suspended(&mut self, socket: &Arc<Socket>, message: Message<'_>) -> Result<(), CloseReason> {
        self.message(socket, message)
    }

    fn turn(&mut self, socket: &Arc<Socket>, context: &mut Context<'_>) -> Result<(), CloseReason> {
        if socket.must_wait() {
            self.server.is_suspended();
            return Ok(());
        }
        let unsent = std::mem::take(&mut self.unsent);
        let mut replies = Replies { socket, unsent: &mut self.unsent, suspended: false };
        for (tag, framed) in unsent {
            if !socket.send(framed.clone()) {
                replies.unsent.push((tag, framed));
            }
        }
        self.server.turn(&mut replies, context);
        Ok(())
    }

    fn gone(&mut self, _socket: &Arc<Socket>) {
        self.server.reset();
    }
}
