//! Socket.IO: the ladder in events, over a WebSocket or over HTTP long-polling, with the change from one to the other.
//!
//! ```text
//! user   -> socket   GET ?EIO=4&transport=polling            handshake layers: 401 or 403; otherwise a session, and its id
//! socket -> user     0{"sid":"...","upgrades":["websocket"], ...}
//! user   -> socket   40/default,{"token":"..."}              a namespace; the token may come here
//! socket -> user     40/default,{"sid":"..."}
//! user   -> socket   42/default,["authentication",{"token":"..."}]
//! socket -> user     42/default,["authenticated",true]       or  0["unauthorized",{"message":"TOKEN_REJECTED"}]
//! user   -> socket   43/default,0[]                          it was heard: the session ends
//! ```
//!
//! Whatever else a user says before the admission is dropped, not kept: no event, no acknowledgement and no room of that time is
//! ever heard of. What other layers ask and are told goes through the event `doorward`, in the words of `doorward.v1`.
//!
//! The machine is Doorward's own down to the frames: a library that owns its WebSockets would write to them past the lease, the
//! outbox and the bound of an ending.

mod exchange;
mod frames;
mod framing;
mod query;
mod session;
mod sessions;
mod talk;
mod upgrade;

pub(crate) use exchange::exchange;
pub(crate) use framing::SocketIoFraming;
pub(crate) use query::{Query, Way};
pub(crate) use session::Answering;
pub(crate) use sessions::Sessions;
pub(crate) use talk::Talk;
pub(crate) use upgrade::{Probe, take_over};
