use std::sync::Arc;

use doorward_auth::BoxFuture;
use doorward_types::CloseReason;
use doorward_wire::websocket::Message;

use crate::{Line, Socket};

/// What stands behind a gate. It takes a socket and a line and never asks who may enter: an admission was needed to get here.
pub trait Backend: Send + Sync {
    /// The name in configuration and lists.
    fn name(&self) -> &'static str;

    /// Serves one socket until it has ended. The future is spawned as it is: keep it small.
    fn serve(self: Arc<Self>, socket: Arc<Socket>, line: Line) -> BoxFuture<'static, ()>;
}

/// What a backend does with the messages of one socket.
///
/// It is called in the connection's own turn, one message after the other, and must not block. What it sends to its own
/// socket goes out in one write when the read is worked through.
pub trait Incoming: Send {
    /// Takes a message, in place out of the read buffer. An `Err` ends the socket with that reason, after what was sent to it
    /// so far; a panic ends it with `internal_error`, and no other.
    fn message(&mut self, socket: &Arc<Socket>, message: Message<'_>) -> Result<(), CloseReason>;

    /// The socket has ended, for whatever reason. Called exactly once.
    fn gone(&mut self, socket: &Arc<Socket>);
}
