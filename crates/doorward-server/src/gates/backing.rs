use std::sync::Arc;

use doorward_backends::{
    echo::Echo,
    hub::Hub,
    ninep::Ninep,
    upstream::{self, BadTail, DialError, Dialled, Upstream, Visitor},
};
use doorward_session::{Backend, Socket};

/// What stands behind a gate.
#[derive(Clone)]
pub enum Backing {
    /// Channels; it speaks `doorward.v1` after the admission.
    Hub(Arc<Hub>),
    /// An unchanged WebSocket server.
    Upstream(Arc<Upstream>),
    /// Every message comes back.
    Echo(Arc<Echo>),
    /// A tree of files, and the hub whose channels are in it.
    Ninep(Arc<Ninep>, Arc<Hub>),
}

impl Backing {
    /// The backend's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Hub(hub) => hub.name(),
            Self::Upstream(_) => upstream::NAME,
            Self::Echo(echo) => echo.name(),
            Self::Ninep(ninep, _) => ninep.name(),
        }
    }

    /// What a request leads to when its climb is done.
    ///
    /// # Errors
    /// The path leads out of the upstream's own.
    pub fn ahead(&self, visitor: &Visitor<'_>) -> Result<Ahead, BadTail> {
        Ok(match self {
            Self::Hub(hub) => Ahead::Backend(Arc::clone(hub) as Arc<dyn Backend>),
            Self::Echo(echo) => Ahead::Backend(Arc::clone(echo) as Arc<dyn Backend>),
            Self::Ninep(ninep, _) => Ahead::Backend(Arc::clone(ninep) as Arc<dyn Backend>),
            Self::Upstream(upstream) => {
                let visit = upstream.receive(visitor)?;
                Ahead::Upstream(Passing { upstream: Arc::clone(upstream), visit })
            }
        })
    }
}

/// What a request leads to when its climb is done.
pub enum Ahead {
    /// A backend of this node.
    Backend(Arc<dyn Backend>),
    /// A server that has yet to be asked.
    Upstream(Passing),
}

impl Ahead {
    /// As a backend: an upstream is then asked when the socket is served.
    pub fn into_backend(self) -> Arc<dyn Backend> {
        match self {
            Self::Backend(backend) => backend,
            Self::Upstream(Passing { upstream, visit }) => upstream.visited(visit),
        }
    }
}

/// A request on its way to an upstream.
pub struct Passing {
    upstream: Arc<Upstream>,
    visit: upstream::Visit,
}

impl Passing {
    /// The subprotocol for the 101 of a gate with conversation layers.
    pub fn choose(&self) -> Option<&str> {
        self.upstream.choose(&self.visit)
    }

    /// Asks the upstream, before the 101 of a gate that is decided at the handshake.
    pub async fn dial(&self, socket: &Socket) -> Result<Dialled, DialError> {
        self.upstream.dial(socket, &self.visit).await
    }
}
