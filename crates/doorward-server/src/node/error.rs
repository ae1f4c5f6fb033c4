use std::{io, net::SocketAddr, path::PathBuf};

use doorward_auth::{account::HashingError, ports::PortError};
use doorward_backends::upstream::UnusableKey;
use doorward_store::StoreError;

use crate::{
    certificate::UnusableTls,
    control::{InUse, Unbound},
    gates::AssembleErrors,
    kek::UnusableKek,
};

/// Why a node cannot start. One clear line each.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Another server has the store.
    #[error(transparent)]
    InUse(#[from] InUse),
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key that signs what upstreams are told cannot be used.
    #[error(transparent)]
    Key(#[from] UnusableKey),
    /// The key that secrets are sealed under cannot be used.
    #[error(transparent)]
    Kek(#[from] UnusableKek),
    /// Passwords cannot be hashed.
    #[error(transparent)]
    Hashing(#[from] HashingError),
    /// The system has no threads to hash on.
    #[error("the threads that hash passwords cannot be started: {0}")]
    Threads(#[source] io::Error),
    /// What has ended cannot be read.
    #[error(transparent)]
    Log(#[from] PortError),
    /// Gates cannot be put together.
    #[error(transparent)]
    Assemble(#[from] AssembleErrors),
    /// TLS cannot be served.
    #[error(transparent)]
    Tls(#[from] UnusableTls),
    /// A port cannot be listened on.
    #[error("cannot listen on {address}: {error}; another is named by {key}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// What names it.
        key: &'static str,
        /// Why.
        error: io::Error,
    },
    /// The socket for the command line cannot be made.
    #[error("cannot listen for the command line at `{path}`: {why}", path = .path.display())]
    Control {
        /// Where.
        path: PathBuf,
        /// Why.
        why: Unbound,
    },
}

/// Why another configuration is not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReloadError {
    /// TLS cannot be served with it.
    #[error(transparent)]
    Tls(#[from] UnusableTls),
    /// Its gates cannot be put together.
    #[error(transparent)]
    Assemble(#[from] AssembleErrors),
    /// They cannot, and it has a site, which this node was started without.
    #[error("{0}\nthe site of the file takes effect at the next start, and gates that need it do")]
    SiteWaits(AssembleErrors),
}
