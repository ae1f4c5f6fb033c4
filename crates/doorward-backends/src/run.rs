use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use doorward_auth::BoxFuture;
use doorward_session::{Connection, Incoming, Line, Socket};

/// Runs a connection to its end; nobody asks how that was.
pub(crate) fn run(line: Line, socket: Arc<Socket>, incoming: Box<dyn Incoming>) -> BoxFuture<'static, ()> {
    Box::pin(ToItsEnd(line.run(socket, incoming)))
}

/// An `async` block would hold the connection twice: as what it took in, and as what it awaits.
struct ToItsEnd(Connection);

impl Future for ToItsEnd {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(context).map(drop)
    }
}
