//! Users of a hub, and how they get in.

use std::sync::Arc;

use doorward_auth::Proof;
use doorward_backends::hub::Hub;
use doorward_session::{Backend, Limits, Line, Socket, SocketPolicy};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::support::{Heard, Over, Peer, World, climb_at, quiet};

/// A user of a hub.
pub(crate) struct User {
    pub(crate) peer: Peer,
    pub(crate) socket: Arc<Socket>,
    pub(crate) over: JoinHandle<()>,
}

/// Lets somebody into a backend, at a gate of an owner.
pub(crate) async fn enter(
    world: &World,
    backend: &Arc<impl Backend + 'static>,
    owner: &str,
    gate: &str,
    proof: Proof,
) -> User {
    enter_with(world, backend, (owner, gate), proof, quiet()).await
}

pub(crate) async fn enter_with(
    world: &World,
    backend: &Arc<impl Backend + 'static>,
    (owner, gate): (&str, &str),
    proof: Proof,
    policy: SocketPolicy,
) -> User {
    let (transport, peer) = world.stream(64 * 1024).await;
    let line = Line::new(Arc::clone(&transport), Vec::new(), 4096);
    let admission = climb_at(owner, gate, proof, world.sockets.cursor());
    let socket = world.sockets.register(admission, transport, policy).unwrap();
    let over = tokio::spawn(Arc::clone(backend).serve(Arc::clone(&socket), line));
    User { peer, socket, over }
}

impl User {
    pub(crate) async fn says(&mut self, message: Value) {
        self.peer.say(&message.to_string()).await;
    }

    /// Hears an event; of an error its code alone, since its sentence is for people.
    pub(crate) async fn hears(&mut self, event: Value) {
        assert_eq!(self.hears_something().await, event);
    }

    pub(crate) async fn hears_something(&mut self) -> Value {
        let Heard::Text(text) = self.peer.hear().await else { panic!("no text") };
        let mut heard: Value = serde_json::from_str(&text).unwrap();
        if heard["event"] == "error" {
            assert!(heard.as_object_mut().unwrap().remove("message").is_some_and(|message| message.is_string()));
        }
        heard
    }

    pub(crate) async fn is_denied(&mut self, message: Value) {
        self.says(message).await;
        self.hears(json!({"event": "error", "code": "permission_denied"})).await;
    }

    pub(crate) async fn subscribes(&mut self, channel: &str, pk: Option<&str>) {
        let (mut request, mut answer) =
            (json!({"action": "subscribe", "channel": channel}), json!({"event": "subscribed", "channel": channel}));
        if let Some(pk) = pk {
            request["pk"] = pk.into();
            answer["pk"] = pk.into();
        }
        self.says(request).await;
        self.hears(answer).await;
    }
}

/// A hub with the channels of a configuration.
pub(crate) fn hub(channels: Value) -> Arc<Hub> {
    Arc::new(Hub::new(serde_json::from_value(json!({ "channels": channels })).unwrap()))
}

pub(crate) fn over_a_pipe() -> World {
    World::over(Over::Pipe)
}

/// A policy under which nobody is slow.
pub(crate) fn roomy() -> SocketPolicy {
    let limits = Limits { outbox_messages: usize::MAX, outbox_bytes: usize::MAX, ..quiet().limits };
    SocketPolicy { limits, ..quiet() }
}
