//! Channels: sockets subscribe to them and publish to them, as far as the rules of each channel allow.
//!
//! ```text
//! user -> hub   {"action":"subscribe","channel":"group","pk":3,"id":1}
//! hub -> user   {"event":"subscribed","channel":"group","pk":"3","id":1}
//! user -> hub   {"action":"publish","channel":"group","pk":3,"message":{"any":"json"},"id":2}
//! hub -> all    {"event":"message","channel":"group","pk":"3","message":{"any":"json"}}
//! hub -> user   {"event":"published","id":2}
//! user -> hub   {"action":"unsubscribe","channel":"group","pk":3,"id":3}
//! hub -> user   {"event":"unsubscribed","channel":"group","pk":"3","id":3}
//! user -> hub   {"action":"logout"}
//! hub -> user   Close 1000
//!
//! hub -> user   {"event":"suspended","reason":"logged_out"}
//! user -> hub   {"action":"publish", ...,"id":4}
//! hub -> user   {"event":"error","id":4,"code":"suspended", ...}
//! hub -> user   {"event":"resumed","gap":true}
//! ```
//!
//! Whoever is admitted anew, over the open socket, by something that allows less, loses the subscriptions that it does not allow:
//! `unsubscribed` without an `id`, before anything else.
//!
//! What is not allowed is denied, in the same words whether there is such a channel or not. Any other action that names a
//! channel is custom: it goes to the channel's [`ChannelModel`].

mod channel;
mod events;
mod listener;
mod member;
mod model;
mod reader;
mod renewal;
mod rules;
mod topics;
mod voice;

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
};

use doorward_auth::{Admission, BoxFuture};
use doorward_session::{Backend, Line, Notices, Socket, Sockets, Suspension};
use doorward_types::{CloseReason, GateName, OwnerId};
use doorward_wire::{
    json::{self, Inbound},
    websocket::frame,
};
use serde::Deserialize;
use serde_json::value::RawValue;

pub use self::{
    channel::{ChannelName, UnfitName},
    events::Events,
    listener::{Listener, NotHeard, NotSaid},
    model::{ChannelModel, Permitted},
    reader::Room,
    rules::{ChannelRules, Rule},
};
use self::{
    member::Member,
    topics::Topics,
    voice::{Dialect, Voice},
};

/// What the users of a hub are told of suspensions.
pub fn notices() -> Notices {
    let say = |text: String| frame::text(text.as_bytes());
    Notices {
        logged_out: say(json::suspended(Suspension::LoggedOut.name())),
        unconfirmed: say(json::suspended(Suspension::Unconfirmed.name())),
        resumed: say(json::resumed(false)),
        resumed_with_gap: say(json::resumed(true)),
    }
}

/// The channels of a hub, by name, and what may be done in them.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct HubConfig {
    /// The rules of each channel. A channel that is not here is denied to everybody.
    #[serde(default)]
    pub channels: HashMap<ChannelName, ChannelRules>,
}

/// A backend of channels. One hub may serve many gates: nothing crosses between them, or between owners.
#[derive(Default)]
pub struct Hub {
    /// Held for reading while somebody takes a seat, so that nobody sits down by rules that were changed meanwhile.
    rules: RwLock<Rules>,
    topics: Topics,
    dialect: Dialect,
}

/// What may be done in a hub.
struct Rules {
    channels: HashMap<ChannelName, Arc<dyn ChannelModel>>,
    most_subscriptions: usize,
}

impl Default for Rules {
    /// No channels, and 128 subscriptions a socket.
    fn default() -> Self {
        Self { channels: HashMap::new(), most_subscriptions: 128 }
    }
}

impl Rules {
    /// The model of a channel; `None` where everything is denied.
    fn model(&self, channel: &str) -> Option<&Arc<dyn ChannelModel>> {
        self.channels.get(channel)
    }
}

impl Hub {
    /// A hub with the channels of a configuration.
    pub fn new(config: HubConfig) -> Self {
        let add = |hub: Self, (name, rules)| hub.with_channel(name, rules);
        config.channels.into_iter().fold(Self::default(), add)
    }

    /// Speaks with its users by events of Socket.IO: a channel is a namespace, an object of it a room.
    #[must_use]
    pub fn of_events(mut self) -> Self {
        self.dialect = Dialect::Events;
        self
    }

    /// Whether it speaks with its users by events of Socket.IO.
    pub fn is_of_events(&self) -> bool {
        self.dialect == Dialect::Events
    }

    /// How many subscriptions one socket may have.
    #[must_use]
    pub fn with_at_most(mut self, subscriptions: usize) -> Self {
        self.rules_mut().most_subscriptions = subscriptions;
        self
    }

    /// Adds a channel, or puts another model in its place.
    #[must_use]
    pub fn with_channel(self, name: ChannelName, model: impl ChannelModel + 'static) -> Self {
        self.with_model(name, Arc::new(model))
    }

    /// As [`with_channel`](Self::with_channel), for a model that others hold too.
    #[must_use]
    pub fn with_model(mut self, name: ChannelName, model: Arc<dyn ChannelModel>) -> Self {
        self.rules_mut().channels.insert(name, model);
        self
    }

    /// Takes the channels and the limit of another hub in place of its own; who is subscribed stays so. What is asked from now
    /// on is judged by these.
    ///
    /// A socket that is subscribed to what the new channels would not allow it ends with `restart`: it may come again, and be
    /// judged anew. A model that stays the same is not asked. Gives how many ended.
    pub fn change_to(&self, other: Self) -> usize {
        let other = other.rules.into_inner().unwrap_or_else(PoisonError::into_inner);
        let before = {
            let mut rules = self.rules.write().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *rules, other)
        };
        let mut ended = 0;
        for seat in self.topics.taken() {
            let after = self.rules().model(&seat.channel).cloned();
            let stays = match (before.model(&seat.channel), after) {
                (_, None) => false,
                (Some(before), Some(after)) if Arc::ptr_eq(before, &after) => true,
                (_, Some(after)) => {
                    may_stay(after.as_ref(), &seat.socket.admission(), &seat.channel, seat.pk.as_deref())
                }
            };
            // A socket may have many seats.
            if !stays && seat.socket.is_open() {
                seat.socket.end(CloseReason::Restart);
                ended += 1;
            }
        }
        ended
    }

    /// Sends a message of the application's own to everybody at a gate who is subscribed, without asking any rule. The payload
    /// is written as it is. Gives how many sockets it was put out for.
    pub fn publish(
        &self,
        sockets: &Sockets,
        owner: &OwnerId,
        gate: &GateName,
        channel: &ChannelName,
        pk: Option<&str>,
        message: &RawValue,
    ) -> usize {
        let frame = || self.dialect.message(channel.as_str(), pk, message);
        self.topics.publish(sockets, (owner, gate), (channel.as_str(), pk), message.get(), frame)
    }

    fn rules(&self) -> RwLockReadGuard<'_, Rules> {
        self.rules.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn rules_mut(&mut self) -> &mut Rules {
        self.rules.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a model would allow a subscription that was made by another one, or by another admission.
fn may_stay(model: &dyn ChannelModel, admission: &Admission, channel: &str, pk: Option<&str>) -> bool {
    let asked = json::subscribe(channel, pk, None);
    let Ok(asked) = Inbound::parse_text(&asked) else { return false };
    match model.can_subscribe(admission, &asked) {
        Permitted::WhatWasAskedFor => true,
        Permitted::Only(permitted) => permitted.iter().any(|permitted| Some(permitted.as_str()) == pk),
    }
}

impl Backend for Hub {
    fn name(&self) -> &'static str {
        "hub"
    }

    fn serve(self: Arc<Self>, socket: Arc<Socket>, line: Line) -> BoxFuture<'static, ()> {
        crate::run(line, socket, Box::new(Member::of(self, Voice::Json)))
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("channels", &self.rules().channels.keys()).finish_non_exhaustive()
    }
}
