//! How the command line talks to a running server: one JSON object each way over a Unix socket beside the store.
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
    /// One decision, step by step.
    Why {
        /// The trace id.
        trace: String,
    },
}

/// What a running server answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Reply {
    /// What was asked for.
    Ok(serde_json::Value),
    /// Why it cannot be had.
    Error(String),
}

/// The longest request or reply, in bytes. A list of sockets is the longest there is.
const LONGEST: u64 = 64 << 20;

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
