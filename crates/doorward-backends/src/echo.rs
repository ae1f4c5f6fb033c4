//! A backend that says everything back: for conformance tests, benchmarks and a first look.

use std::sync::Arc;

use doorward_auth::BoxFuture;
use doorward_session::{Backend, Incoming, Line, Socket};
use doorward_types::CloseReason;
use doorward_wire::websocket::{Message, MessageKind, frame};

/// Sends each message back as it came, text as text and binary as binary. The answers to one read go out with one write.
#[derive(Clone, Copy, Debug, Default)]
pub struct Echo;

impl Backend for Echo {
    fn name(&self) -> &'static str {
        "echo"
    }

    fn serve(self: Arc<Self>, socket: Arc<Socket>, line: Line) -> BoxFuture<'static, ()> {
        crate::run(line, socket, Box::new(Self))
    }
}

impl Incoming for Echo {
    fn message(&mut self, socket: &Arc<Socket>, message: Message<'_>) -> Result<(), CloseReason> {
        socket.send(match message.kind {
            MessageKind::Text => frame::text(message.payload),
            MessageKind::Binary => frame::binary(message.payload),
        });
        Ok(())
    }

    fn gone(&mut self, _socket: &Arc<Socket>) {}
}
