//! How the command line talks to a running server: over a Unix socket beside the store, one JSON object a line.
//!
//! ```text
//! C  {"list_sockets":{"owner":null,"at_most":100}}              then no more is sent
//! S  {"part":{"of":"sockets","items":[{"socket":"..."}, ...]}}  as many of these as it takes, none of them long
//! S  {"ok":{"sockets":[],"total":2}}                            or {"error":"one clear line"}
//! ```
//!
//! The socket has mode 0600: who may open it is the operator. A file lock beside it keeps a second server off the store.

mod bind;
mod client;
mod lock;
mod server;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use bind::Unbound;
pub use client::{Unreachable, ask};
pub use lock::{InUse, StoreLock};
pub use server::serve;

/// What the command line asks of a running server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Whether it works, and what it holds.
    Health {},
    /// Live sockets.
    ListSockets {
        /// Of this owner; of all for `None`.
        owner: Option<String>,
        /// At most so many.
        at_most: usize,
    },
    /// Ends live sockets and says which.
    EndSockets {
        /// Of this owner; of all for `None`.
        owner: Option<String>,
        /// A socket id, or what they rest on: `subject=member:7`, `jti=...`, `key=...`, `gate=fancy`.
        what: String,
    },
    /// What came of an entry of the revocation log, which whoever asks has just written.
    Receipt {
        /// Its cursor.
        entry: u64,
    },
    /// One decision, step by step.
    Why {
        /// At a gate of this owner; at any for `None`.
        owner: Option<String>,
        /// The trace id.
        trace: String,
    },
    /// What there is about an account, a subject or a socket, newest first, a line each.
    History {
        /// Of this owner; of all for `None`.
        owner: Option<String>,
        /// Of this subject: `kind:pk`.
        subject: Option<String>,
        /// That let this socket in, or let it in once more.
        socket: Option<String>,
        /// At most so many.
        at_most: usize,
    },
}

/// A line of what a running server answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Reply {
    /// Some of a long list, before what it belongs to.
    Part {
        /// The name of the list.
        of: String,
        /// What is in it next.
        items: Vec<serde_json::Value>,
    },
    /// What was asked for; the last line.
    Ok(serde_json::Value),
    /// Why it cannot be had.
    Error(String),
}

/// The longest line, in bytes.
const LONGEST: u64 = 1 << 20;

/// How many items of a list stand in one line.
const ITEMS: usize = 256;

/// Where the socket of a store's server is.
pub fn socket_path(store: &Path) -> PathBuf {
    beside(store, ".sock")
}

/// A file beside the store, by what its name has more at the end.
pub(crate) fn beside(store: &Path, suffix: &str) -> PathBuf {
    let mut path = store.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}
