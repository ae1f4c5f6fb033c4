//! A hub whose users speak Socket.IO: a namespace is a channel, a room is an object of it, and an event is a message there.
//!
//! ```text
//! user -> hub    0/default,                                   connected; from here on what is emitted there comes, where `subscribe` allows
//! hub  -> user   2/default,["projectChanged",{...}]           the application has emitted it
//! user -> hub    2/default,7["project",{...}]                 to the channel's model, where `custom` allows
//! hub  -> user   3/default,7[...]                             what the model has answered, where an acknowledgement was asked for
//! user -> hub    2/default,["doorward",{"action":"subscribe","channel":"/default","pk":"room"}]
//! hub  -> user   2/default,["doorward",{"event":"subscribed", ...}]
//! user -> hub    2/default,["authentication",{"token":"..."}]     another token of the same subject: the socket rests on that
//! hub  -> user   2/default,["authenticated",true]                 or `unauthorized`: it rests on what it did
//!
//! hub  -> user   2/default,["doorward",{"event":"suspended", ...}]    from here on a token and an answer are taken, and nothing else
//! user -> hub    0/other,
//! hub  -> user   4/other,{"message":"suspended"}
//! ```

use std::{sync::Arc, task::Context};

use doorward_auth::BoxFuture;
use doorward_session::{Backend, Incoming, Line, Socket, Sockets};
use doorward_types::{CloseReason, GateName, OwnerId};
use doorward_wire::{
    engineio::{self, Revision},
    json::Inbound,
    socketio::{
        self, Assembler, Emitted, Event, KeptNamespace, Namespace, Namespaces, Packet,
        dialect::{self, AUTHENTICATION, DOORWARD},
    },
    websocket::Message,
};
use serde_json::value::RawValue;

use super::{Hub, member::Member, voice::Voice};

/// What a hub is to one user who speaks Socket.IO.
pub struct Events {
    /// The hub.
    pub hub: Arc<Hub>,
    /// What the user speaks.
    pub revision: Revision,
    /// The namespaces that there are.
    pub namespaces: Arc<Namespaces>,
    /// Those that the user is in already. It has spoken in the last of them last, and was told there that it is let in.
    pub connected: Vec<String>,
}

impl Backend for Events {
    fn name(&self) -> &'static str {
        self.hub.name()
    }

    fn serve(self: Arc<Self>, socket: Arc<Socket>, line: Line) -> BoxFuture<'static, ()> {
        let member = EventMember::of(&self, &socket);
        crate::run(line, socket, Box::new(member))
    }
}

/// One user in it.
struct EventMember {
    member: Member,
    assembler: Assembler,
    revision: Revision,
    namespaces: Arc<Namespaces>,
    /// The namespaces that the user is in. It hears what is emitted in those where it may have a seat.
    connected: Vec<KeptNamespace>,
    /// Whether the user has been told that it is let in.
    told: bool,
}

/// What is done with a packet and its attachments: something else while the socket is suspended.
type Take = fn(&mut EventMember, &Arc<Socket>, Packet<'_>, &[Vec<u8>]) -> Result<(), CloseReason>;

impl EventMember {
    fn of(events: &Events, socket: &Arc<Socket>) -> Self {
        let connected: Vec<_> = events.connected.iter().filter_map(|name| Namespace::new(name).ok()).collect();
        let speaks_in = connected.last().copied().unwrap_or(Namespace::ROOT);
        let mut member = Self {
            member: Member::of(Arc::clone(&events.hub), Voice::Events(speaks_in.into())),
            assembler: Assembler::new(events.revision, socket.policy().limits.message),
            revision: events.revision,
            namespaces: Arc::clone(&events.namespaces),
            connected: Vec::new(),
            told: !connected.is_empty(),
        };
        for namespace in connected {
            member.enter(socket, namespace);
        }
        member
    }

    fn enter(&mut self, socket: &Arc<Socket>, namespace: Namespace<'_>) {
        self.connected.push(namespace.into());
        self.member.sit_in(socket, namespace.as_str());
    }

    /// Turns to the user in that namespace; gives whether it is there.
    fn speaks_in(&mut self, namespace: Namespace<'_>) -> bool {
        let place = self.connected.iter().find(|connected| connected.name() == namespace);
        if let Some(place) = place {
            self.member.voice = Voice::Events(place.clone());
        }
        place.is_some()
    }

    /// Takes what one message of the user says; where that is not whole yet, or nothing for a hub, nothing is done.
    fn hears(&mut self, socket: &Arc<Socket>, message: Message<'_>, take: Take) -> Result<(), CloseReason> {
        let malformed = |what: &dyn std::fmt::Display| {
            tracing::debug!(socket = %socket.id(), %what, "a packet was malformed");
            CloseReason::Malformed
        };
        let packet = match message.text() {
            Some(text) => engineio::Packet::from_text(self.revision, text),
            None => engineio::Packet::from_binary(self.revision, message.payload),
        };
        match packet.map_err(|error| malformed(&error))? {
            engineio::Packet::Message(text) => match self.assembler.text(text).map_err(|error| malformed(&error))? {
                Some(packet) => take(self, socket, packet, &[]),
                None => Ok(()),
            },
            engineio::Packet::Binary(bytes) => {
                match self.assembler.binary(&bytes).map_err(|error| malformed(&error))? {
                    Some(whole) => {
                        let packet = whole.packet().map_err(|error| malformed(&error))?;
                        take(self, socket, packet, whole.attachments())
                    }
                    None => Ok(()),
                }
            }
            engineio::Packet::Close => Err(CloseReason::Normal),
            engineio::Packet::Open(_)
            | engineio::Packet::Ping(_)
            | engineio::Packet::Pong(_)
            | engineio::Packet::Upgrade
            | engineio::Packet::Noop => Ok(()),
        }
    }

    fn take(&mut self, socket: &Arc<Socket>, packet: Packet<'_>, attachments: &[Vec<u8>]) -> Result<(), CloseReason> {
        match packet {
            Packet::Connect { namespace, .. } => self.connect(socket, namespace),
            Packet::Disconnect { namespace } => self.disconnect(socket, namespace),
            // Nothing is emitted that asks for one, but `unauthorized`.
            Packet::Ack(_) => {}
            Packet::Event(event) if self.speaks_in(event.namespace) => match (&*event.name, event.arguments.first()) {
                (AUTHENTICATION, shown) => return self.member.show(socket, dialect::shown(shown.copied())),
                (DOORWARD, Some(spoken)) => return self.member.hear(socket, spoken.get()),
                (DOORWARD, None) => {}
                _ => self.emitted(socket, &event, attachments),
            },
            Packet::Event(_) => {}
        }
        Ok(())
    }

    /// While the socket is suspended nothing is done but what brings it back, or ends it; what is given up is given up.
    fn take_suspended(
        &mut self,
        socket: &Arc<Socket>,
        packet: Packet<'_>,
        _attachments: &[Vec<u8>],
    ) -> Result<(), CloseReason> {
        match packet {
            Packet::Connect { namespace, .. } => self.not_connected(socket, namespace, "Suspended"),
            Packet::Disconnect { namespace } => self.disconnect(socket, namespace),
            Packet::Event(event) if self.speaks_in(event.namespace) => match (&*event.name, event.arguments.first()) {
                (AUTHENTICATION, shown) => return self.member.show(socket, dialect::shown(shown.copied())),
                (DOORWARD, Some(spoken)) => return self.member.hear_suspended(socket, spoken.get()),
                _ => self.member.say_suspended(socket, None),
            },
            Packet::Event(_) | Packet::Ack(_) => {}
        }
        Ok(())
    }

    fn connect(&mut self, socket: &Arc<Socket>, namespace: Namespace<'_>) {
        if self.namespaces.get(namespace).is_none() {
            return self.not_connected(socket, namespace, "Invalid namespace");
        }
        if !self.speaks_in(namespace) {
            // Said before the first event can come.
            let sid = socket.id().to_string();
            socket.tell(dialect::framed(&socketio::connected(self.revision, namespace, &sid)));
            self.enter(socket, namespace);
            self.speaks_in(namespace);
        }
        if !std::mem::replace(&mut self.told, true) {
            self.member.voice.say_admitted(socket, socket.admission().expires_at());
        }
    }

    fn not_connected(&self, socket: &Arc<Socket>, namespace: Namespace<'_>, why: &str) {
        socket.tell(dialect::framed(&socketio::connect_error(self.revision, namespace, why, None)));
    }

    fn disconnect(&mut self, socket: &Arc<Socket>, namespace: Namespace<'_>) {
        self.connected.retain(|connected| connected.name() != namespace);
        self.member.leave(socket, namespace.as_str());
    }

    /// Hands an event of the application's own to the model of its channel. Its payload is the list of its arguments.
    fn emitted(&mut self, socket: &Arc<Socket>, event: &Event<'_>, attachments: &[Vec<u8>]) {
        let list = format!("[{}]", event.arguments.text());
        let Ok(message) = serde_json::from_str::<&RawValue>(&list) else { return };
        let inbound = Inbound {
            action: event.name.clone(),
            kind: None,
            channel: Some(event.namespace.as_str().into()),
            pk: None,
            id: None,
            message: Some(message),
            attachments,
            raw: &list,
        };
        match self.member.asked(socket, event.namespace.as_str(), &inbound) {
            None => self.member.deny(socket),
            Some(answer) => {
                let Some(id) = event.id else { return };
                let answer = answer.as_deref().and_then(|answer| serde_json::from_str::<&RawValue>(answer).ok());
                let text = socketio::ack(event.namespace, id, answer.as_slice(), 0);
                socket.send(dialect::framed(&text));
            }
        }
    }
}

impl Incoming for EventMember {
    fn message(&mut self, socket: &Arc<Socket>, message: Message<'_>) -> Result<(), CloseReason> {
        self.hears(socket, message, Self::take)
    }

    fn suspended(&mut self, socket: &Arc<Socket>, message: Message<'_>) -> Result<(), CloseReason> {
        self.hears(socket, message, Self::take_suspended)
    }

    fn turn(&mut self, socket: &Arc<Socket>, context: &mut Context<'_>) -> Result<(), CloseReason> {
        self.member.turn(socket, context)
    }

    fn gone(&mut self, socket: &Arc<Socket>) {
        self.member.gone(socket);
    }
}

impl Hub {
    /// Emits an event of the application's own to everybody at a gate who is in that namespace and may hear it, or to those in
    /// one room of it, without asking any rule. Gives how many sockets it was put out for.
    pub fn emit(
        &self,
        sockets: &Sockets,
        (owner, gate): (&OwnerId, &GateName),
        (namespace, room): (Namespace<'_>, Option<&str>),
        event: &Emitted<'_>,
    ) -> usize {
        let list = event.arguments().text();
        let frame = || dialect::framed_event(namespace, event.name(), list);
        self.topics.publish(sockets, (owner, gate), (namespace.as_str(), room), list, frame)
    }
}
