//! A file tree over 9P2000: one connection, one login, one tree of its own.
//!
//! ```text
//! client -> server   Tversion 8192 9P2000             server -> client   Rversion 8192 9P2000
//! client -> server   Tattach fid 0                    server -> client   Rattach    the root, as this login sees it
//! client -> server   Twalk 0 to 1: cart, sku-7        server -> client   Rwalk
//! client -> server   Topen 1 to write                 server -> client   Ropen
//! client -> server   Twrite 1 "3"                     server -> client   Rwrite 1
//! client -> server   Tclunk 1                         server -> client   Rclunk
//! ```
//!
//! Who is there was proven before the first byte came here: `uname` and `aname` are not looked at, and `Tauth` is answered with
//! an error. Messages come in any split; each answer is a message of its own.
//!
//! **What it is not:** a file system. Nothing here touches a path of the host: a [`Tree`] is made of [`Node`]s, and those of
//! what the application has. Its own are in [`trees`].
//!
//! A request is answered at once where that can be done, and otherwise when it is ready: a read may wait for as long as the
//! connection lives. `Tflush` takes back what only looks; what changes something is done, answered, and then the flush is.
//!
//! A suspended socket reads nothing and changes nothing: what it asks is answered with the error `suspended`, but for `Tclunk`,
//! `Tflush` and `Tversion`, which only let go. What waited for it is dropped, and a read that waits goes on when it does.
//!
//! ```
//! use std::sync::Arc;
//!
//! use doorward_auth::memory::MemoryCarts;
//! use doorward_backends::{
//!     hub::Hub,
//!     ninep::{
//!         Ninep,
//!         trees::{Cart, Channels, Root, Session},
//!     },
//! };
//!
//! let tree = Root::default()
//!     .with("session", Session)
//!     .with("cart", Cart::kept_in(Arc::new(MemoryCarts::new())))
//!     .with("channels", Channels::of(Arc::new(Hub::default())));
//! let backend = Ninep::new(tree);
//! ```

mod agreed;
mod connection;
mod fids;
mod limits;
mod listing;
mod pending;
mod place;
mod server;
mod tree;
pub mod trees;
mod trouble;

use std::{fmt, sync::Arc};

use bytes::Bytes;
use doorward_auth::BoxFuture;
use doorward_session::{Backend, Line, Socket};
use doorward_wire::ninep::Fid;

pub use self::{
    agreed::Agreed,
    limits::Limits,
    tree::{Answer, Entry, Node, OpenFile, Tree, path_of},
    trouble::Trouble,
};
use self::{connection::Connection, server::Server};

/// A backend that serves a tree.
pub struct Ninep {
    tree: Box<dyn Tree>,
    limits: Limits,
}

/// How far a session has come before its socket was there: over a plain stream the authentication is part of the protocol.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Begun {
    /// The largest message that was agreed on.
    pub msize: u32,
    /// The authentication file. One attach may name it, and none may do without. Without one nobody has to
    /// authenticate any more.
    pub afid: Option<Fid>,
    /// What is in that file and has not been read.
    pub unread: Bytes,
}

impl Ninep {
    /// Serves that tree.
    pub fn new(tree: impl Tree + 'static) -> Self {
        Self { tree: Box::new(tree), limits: Limits::default() }
    }

    /// With other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// As [`serve`](Backend::serve), where somebody else has agreed on a version and has authenticated.
    pub fn go_on(self: Arc<Self>, socket: Arc<Socket>, line: Line, begun: Begun) -> BoxFuture<'static, ()> {
        let server = Server::begun(self, &socket, Some(begun));
        crate::run(line, socket, Box::new(Connection::of(server)))
    }
}

impl Backend for Ninep {
    fn name(&self) -> &'static str {
        "9p"
    }

    fn serve(self: Arc<Self>, socket: Arc<Socket>, line: Line) -> BoxFuture<'static, ()> {
        let server = Server::begun(self, &socket, None);
        crate::run(line, socket, Box::new(Connection::of(server)))
    }
}

impl fmt::Debug for Ninep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ninep").field("limits", &self.limits).finish_non_exhaustive()
    }
}
