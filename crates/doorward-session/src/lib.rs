//! What a socket is after its admission: a connection that is written to, looked at and ended.
//!
//! **What it is:** the [`Line`] that carries messages to and from a climb and then becomes a [`Connection`]; the [`Socket`]
//! that anybody can send to and end; the registry [`Sockets`] that finds every socket by everything its admission rests on,
//! so that a logout lands; the [`Follower`] of the revocation log, without which a node's lease runs out; the flusher that writes
//! what many were sent with as few system calls as can be; and the wheel that sees to expiry, pings and bounds. A socket can
//! also wait ([`Suspension`]) and come back with another admission ([`Sockets::readmit`]).
//!
//! **What it is not:** a protocol, or a judge. It takes an [`Admission`](doorward_auth::Admission) and never asks what for; it
//! knows no JSON, HTTP, SQL or broker. What messages mean is the business of a [`Backend`].
//!
//! ```text
//!                       Admission ◀── Climb::resume, on the open socket
//!                           │ register, readmit: replay what has ended since the climb began
//!                           ▼
//!   peer ═══ Transport ═══ Socket ◀──── send, fan_out ──── anybody
//!                │      ┌───┴────┐
//!     read, decode      │ outbox │ ◀─── end ───── logout, expiry, ban, slow consumer
//!                │      │        │ ◀─ suspend ─── logout, lease
//!                │      └───┬────┘
//!                ▼          │ what waits goes out with one write:
//!        Incoming::message  └─ by the connection itself, after a read
//!                              by the flusher, when others have sent
//! ```
//!
//! An idle socket owns no buffer: reads go through one buffer a thread, and an empty outbox owns no memory.
//!
//! ```
//! use std::sync::Arc;
//!
//! use doorward_auth::BoxFuture;
//! use doorward_session::{Backend, Incoming, Line, Socket};
//! use doorward_types::CloseReason;
//! use doorward_wire::websocket::{Message, frame};
//!
//! /// Tells everybody their own message.
//! struct Parrot;
//!
//! impl Incoming for Parrot {
//!     fn message(&mut self, socket: &Arc<Socket>, message: Message<'_>) -> Result<(), CloseReason> {
//!         socket.send(frame::binary(message.payload));
//!         Ok(())
//!     }
//!
//!     fn gone(&mut self, _socket: &Arc<Socket>) {}
//! }
//!
//! impl Backend for Parrot {
//!     fn name(&self) -> &'static str {
//!         "parrot"
//!     }
//!
//!     fn serve(self: Arc<Self>, socket: Arc<Socket>, line: Line) -> BoxFuture<'static, ()> {
//!         let connection = line.run(socket, Box::new(Parrot));
//!         Box::pin(async move { drop(connection.await) })
//!     }
//! }
//! ```

#[cfg(test)]
extern crate self as doorward_session;

#[cfg(test)]
#[path = "../tests/session/support.rs"]
#[expect(dead_code, unused_imports, unused_macros, reason = "the suite in `tests/` uses all of it")]
mod support;

mod admitted;
mod any_stream;
mod backend;
mod connection;
mod end;
mod ended;
mod ending;
mod flusher;
mod follow;
mod framing;
mod index;
mod info;
mod lanes;
mod late_stream;
mod lease;
mod line;
mod list;
mod lock;
mod look;
mod marks;
mod moment;
mod observer;
mod outbox;
mod policy;
mod rate;
mod reading;
mod readmit;
mod renewal;
mod restart;
mod revocations;
mod room;
mod scratch;
mod socket;
mod sockets;
mod standing;
mod steady;
mod suspension;
mod target;
mod transport;
mod wall;
mod wheel;

pub use admitted::Admitted;
pub use any_stream::AnyStream;
pub use backend::{Backend, Incoming};
pub use connection::Connection;
pub use ended::Ended;
pub use ending::{Ending, Receipt};
pub use follow::{Comeback, Follower, Following, Login};
pub use framing::{BareBytes, Framing, Heartbeat, PlainFrames};
pub use info::{SocketInfo, SocketState};
pub use late_stream::LateStream;
pub use lease::Asked;
pub use line::{Gone, Line, Received};
pub use list::Selection;
pub use observer::Observer;
pub use policy::{Fail, Limits, OnLogout, SocketPolicy};
pub use renewal::{Renewal, Renews};
pub use revocations::{Revocations, TailGone};
pub use socket::Socket;
pub use sockets::Sockets;
pub use steady::{Steady, TokioTime};
pub use suspension::{Notices, Suspension};
pub use target::Target;
pub use transport::Transport;
