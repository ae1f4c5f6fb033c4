//! What comes to the channels of a hub by another way than its own protocol: it listens, it says something, and it sees what
//! there is, by the same rules.

use std::{
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use bytes::Bytes;
use doorward_auth::Admission;
use doorward_session::{Admitted, Socket};
use doorward_wire::json::{self, Inbound, Malformed, may_name_a_channel};
use serde_json::value::RawValue;

use super::{
    ChannelModel, Hub, Permitted, may_stay,
    reader::{Lost, Reader, Room},
    topics::{Subscription, gate_of},
};

/// Why nothing is heard of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotHeard {
    /// It may not be heard, or not any more.
    Denied,
    /// The connection listens to as many as it may.
    TooMany,
    /// Something has gone: more came than may wait. What comes next is the oldest that is left.
    Lost,
}

/// Why something is not said to a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotSaid {
    /// It may not be said.
    Denied,
    /// It is not JSON.
    NotJson,
    /// It is JSON that would not be taken of anybody.
    Malformed(Malformed),
}

/// Listens to one object of a channel, or to a channel as a whole, from when it was made until it is dropped.
pub struct Listener {
    hub: Arc<Hub>,
    reader: Arc<Reader>,
    /// Until it is dropped.
    subscription: Option<Subscription>,
    /// By which admission it was last found that it may.
    may: Mutex<Arc<Admitted>>,
    channel: String,
    pk: Option<String>,
}

impl Hub {
    /// Begins to listen, where the rules allow it. What waits for the listeners of one connection shares a [`Room`].
    ///
    /// # Errors
    /// [`NotHeard::Denied`], in the same way whether there is such a channel or not; [`NotHeard::TooMany`].
    pub fn listen(
        self: &Arc<Self>,
        socket: &Arc<Socket>,
        room: &Arc<Room>,
        channel: &str,
        pk: Option<&str>,
    ) -> Result<Listener, NotHeard> {
        let admission = socket.admission();
        let rules = self.rules();
        let model = rules.model(channel).filter(|model| may_stay(model.as_ref(), &admission, channel, pk));
        if model.is_none() {
            return Err(NotHeard::Denied);
        }
        let reader = Reader::enter(socket, room, rules.most_subscriptions).ok_or(NotHeard::TooMany)?;
        let reader = Arc::new(reader);
        let subscription = Some(self.topics.join_to_read(&reader, channel, pk));
        Ok(Listener {
            hub: Arc::clone(self),
            reader,
            subscription,
            may: Mutex::new(admission),
            channel: channel.to_owned(),
            pk: pk.map(str::to_owned),
        })
    }

    /// Whether an admission may listen there.
    pub fn may_listen(&self, admission: &Admission, channel: &str, pk: Option<&str>) -> bool {
        self.rules().model(channel).is_some_and(|model| may_stay(model.as_ref(), admission, channel, pk))
    }

    /// Whether an admission may say something there.
    pub fn may_say(&self, admission: &Admission, channel: &str, pk: Option<&str>) -> bool {
        self.rules().model(channel).is_some_and(|model| may_publish(model.as_ref(), admission, channel, pk))
    }

    /// Says something to everybody who is subscribed. Gives to how many.
    ///
    /// # Errors
    /// [`NotSaid`]; a channel that does not exist is denied in the same way.
    pub fn say(&self, socket: &Socket, channel: &str, pk: Option<&str>, message: &str) -> Result<usize, NotSaid> {
        let message: &RawValue = serde_json::from_str(message).map_err(|_| NotSaid::NotJson)?;
        let asked = json::publish(channel, pk, None, message);
        let asked = Inbound::parse_text(&asked).map_err(NotSaid::Malformed)?;
        let admission = socket.admission();
        let model = self.rules().model(channel).cloned();
        if !model.is_some_and(|model| model.can_publish(&admission, &asked)) {
            return Err(NotSaid::Denied);
        }
        let frame = || self.dialect.message(channel, pk, message);
        Ok(self.topics.publish(socket.sockets(), gate_of(&admission), (channel, pk), message.get(), frame))
    }

    /// The channels of which the rules name something to an admission, by their names.
    pub fn channels(&self, admission: &Admission) -> Vec<String> {
        let mut names: Vec<String> = self.rules().channels.keys().map(|name| name.as_str().to_owned()).collect();
        names.retain(|name| !self.objects(admission, name).is_empty());
        names.sort();
        names
    }

    /// What the rules name to an admission of a channel: its objects by their primary keys, and `None` for the channel as a
    /// whole.
    pub fn objects(&self, admission: &Admission, channel: &str) -> Vec<Option<String>> {
        let asked = json::subscribe(channel, None, None);
        let Ok(asked) = Inbound::parse_text(&asked) else { return Vec::new() };
        let rules = self.rules();
        let Some(model) = rules.model(channel) else { return Vec::new() };
        let mut objects: Vec<Option<String>> = match model.can_subscribe(admission, &asked) {
            Permitted::WhatWasAskedFor => vec![None],
            Permitted::Only(pks) => pks.into_iter().filter(|pk| may_name_a_channel(pk)).map(Some).collect(),
        };
        if !objects.contains(&None) && may_publish(model.as_ref(), admission, channel, None) {
            objects.push(None);
        }
        objects.sort();
        objects.dedup();
        objects
    }
}

impl Listener {
    /// The next message, as it was published, and a newline; or as much of it as `count` says, and the rest of it next.
    ///
    /// # Errors
    /// [`NotHeard::Lost`], once, and then it goes on. [`NotHeard::Denied`], where the admission has become another one that
    /// does not allow it.
    pub fn poll_next(&self, context: &Context<'_>, count: usize) -> Poll<Result<Bytes, NotHeard>> {
        if !self.still_may() {
            self.reader.clear();
            return Poll::Ready(Err(NotHeard::Denied));
        }
        self.reader.poll_next(context, count).map_err(|Lost| NotHeard::Lost)
    }

    /// Drops what waits.
    pub fn clear(&self) {
        self.reader.clear();
    }

    fn still_may(&self) -> bool {
        let now = self.reader.socket().admission();
        let mut before = self.may.lock().unwrap_or_else(PoisonError::into_inner);
        if Arc::ptr_eq(&before, &now) {
            return true;
        }
        let may = self.hub.may_listen(&now, &self.channel, self.pk.as_deref());
        if may {
            *before = now;
        }
        may
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.subscription.take().into_iter().for_each(|subscription| self.hub.topics.leave(subscription));
    }
}

/// Whether a model would allow something to be said there.
fn may_publish(model: &dyn ChannelModel, admission: &Admission, channel: &str, pk: Option<&str>) -> bool {
    let asked = json::publish(channel, pk, None, RawValue::NULL);
    Inbound::parse_text(&asked).is_ok_and(|asked| model.can_publish(admission, &asked))
}
