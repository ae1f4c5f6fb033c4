//! What stands behind a gate.
//!
//! **What it is:** backends, each of which takes an admitted [`Socket`](doorward_session::Socket) and its
//! [`Line`](doorward_session::Line): [`hub`], channels to subscribe and to publish to; [`upstream`], an unchanged WebSocket
//! server; [`ninep`], a file tree over 9P2000; [`echo`], which says everything back.
//!
//! **What it is not:** a judge of who may enter. An admission was needed to get here; what it may do in a channel, the hub asks
//! of the channel's rules. Stores, cookies and ladders are never seen here.
//!
//! ```text
//!                      ┌── hub ────── channels of this gate ──▶ the sockets subscribed to them
//!   Socket + Line ─────┼── upstream ─ bytes, as they are ──────▶ a WebSocket server, which is told who came
//!                      ├── ninep ──── files of this login ───────▶ a tree of its own, and back
//!                      └── echo ───── back to where it came from
//! ```
//!
//! ```
//! use doorward_backends::hub::{ChannelRules, Hub, Rule};
//!
//! let rules = ChannelRules { subscribe: Rule::Any, publish: Rule::Authenticated, ..ChannelRules::default() };
//! let hub = Hub::default().with_channel("news".parse()?, rules);
//! # Ok::<(), doorward_backends::hub::UnfitName>(())
//! ```

pub mod echo;
pub mod hub;
pub mod ninep;
pub mod upstream;

mod run;

use run::run;
