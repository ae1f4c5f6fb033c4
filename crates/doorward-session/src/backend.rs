use std::{sync::Arc, task::Context};

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

    /// Takes a message of a suspended socket. Nothing of the application may come of it, and what is [sent](Socket::send) is not
    /// taken: it is for a backend that can be [told](Socket::tell) what brings the socket back. The others drop it.
    fn suspended(&mut self, socket: &Arc<Socket>, message: Message<'_>) -> Result<(), CloseReason> {
        let _dropped = (socket, message);
        Ok(())
    }

    /// Does what is to be done on the backend's own account, at each turn of the connection: after a read, and whenever the
    /// waker of `context` was woken. An `Err` ends the socket.
    fn turn(&mut self, socket: &Arc<Socket>, context: &mut Context<'_>) -> Result<(), CloseReason> {
        let _nothing = (socket, context);
        Ok(())
    }

    /// The socket has ended, for whatever reason. Called exactly once.
    fn gone(&mut self, socket: &Arc<Socket>);
}
