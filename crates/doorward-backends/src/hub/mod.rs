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
//! ```
//!
//! What is not allowed is denied, in the same words whether there is such a channel or not. Any other action that names a
//! channel is custom: it goes to the channel's [`ChannelModel`].

mod channel;
mod member;
mod model;
mod rules;
mod topics;

use std::{collections::HashMap, fmt, sync::Arc};

use doorward_auth::BoxFuture;
use doorward_session::{Backend, Line, Socket, Sockets};
use doorward_types::{GateName, OwnerId};
use serde::Deserialize;
use serde_json::value::RawValue;

pub use self::{
    channel::{ChannelName, UnfitName},
    model::{ChannelModel, Permitted},
    rules::{ChannelRules, Rule},
};
use self::{member::Member, topics::Topics};

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
    channels: HashMap<ChannelName, Arc<dyn ChannelModel>>,
    topics: Topics,
}

impl Hub {
    /// A hub with the channels of a configuration.
    pub fn new(config: HubConfig) -> Self {
        let add = |hub: Self, (name, rules)| hub.with_channel(name, rules);
        config.channels.into_iter().fold(Self::default(), add)
    }

    /// Adds a channel, or puts another model in its place.
    #[must_use]
    pub fn with_channel(mut self, name: ChannelName, model: impl ChannelModel + 'static) -> Self {
        self.channels.insert(name, Arc::new(model));
        self
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
        self.topics.publish(sockets, (owner, gate), (channel.as_str(), pk), message)
    }

    /// The model of a channel; `None` where everything is denied.
    fn model(&self, channel: &str) -> Option<&dyn ChannelModel> {
        self.channels.get(channel).map(|model| &**model)
    }
}

impl Backend for Hub {
    fn name(&self) -> &'static str {
        "hub"
    }

    fn serve(self: Arc<Self>, socket: Arc<Socket>, line: Line) -> BoxFuture<'static, ()> {
        crate::run(line, socket, Box::new(Member::of(self)))
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("channels", &self.channels.keys()).finish_non_exhaustive()
    }
}
