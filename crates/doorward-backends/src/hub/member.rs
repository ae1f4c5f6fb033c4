use std::{sync::Arc, task::Context};

use doorward_auth::Admission;
use doorward_session::{Incoming, Socket};
use doorward_types::{Answer, CloseReason};
use doorward_wire::{
    json::{self, Inbound, may_name_a_channel},
    websocket::Message,
};
use serde_json::value::RawValue;

use super::{
    ChannelModel, Hub, Permitted, may_stay,
    renewal::{NotTaken, Renewal},
    topics::{Subscription, gate_of},
    voice::Voice,
};

/// After so many malformed messages in a row the socket ends.
const MOST_MALFORMED: u8 = 3;

/// In these words everything that is denied is, whether there is such a channel or not.
const PERMISSION_DENIED: (&str, &str) = ("permission_denied", "you may not do that there");

/// What is wrong with bytes.
const NOT_TEXT: &str = "a message here is a text";

/// One socket in a hub.
pub(super) struct Member {
    hub: Arc<Hub>,
    subscriptions: Vec<Subscription>,
    /// How many messages in a row were malformed.
    malformed: u8,
    renewal: Renewal,
    pub(super) voice: Voice,
}

/// Why a request is not done. What is said to the user is the same for everything that is denied.
enum Denied {
    Permission,
    Missing(&'static str),
    NotSupported,
    TooMany,
}

impl Member {
    pub(super) fn of(hub: Arc<Hub>, voice: Voice) -> Self {
        Self { hub, subscriptions: Vec::new(), malformed: 0, renewal: Renewal::default(), voice }
    }

    fn act(&mut self, socket: &Arc<Socket>, inbound: &Inbound<'_>) -> Result<(), Denied> {
        match &*inbound.action {
            "presence" | "history" => Err(Denied::NotSupported),
            action => {
                let channel = inbound.channel.as_deref().ok_or(Denied::Missing("channel"))?;
                match action {
                    "subscribe" => self.subscribe(socket, channel, inbound),
                    "unsubscribe" => {
                        self.unsubscribe(socket, channel, inbound);
                        Ok(())
                    }
                    "publish" => self.publish(socket, channel, inbound),
                    _ => self.custom(socket, channel, inbound),
                }
            }
        }
    }

    fn subscribe(&mut self, socket: &Arc<Socket>, channel: &str, inbound: &Inbound<'_>) -> Result<(), Denied> {
        let rules = self.hub.rules();
        let model = rules.model(channel).ok_or(Denied::Permission)?;
        let asked = inbound.pk.as_deref();
        let pks: Vec<Option<String>> = match model.can_subscribe(&socket.admission(), inbound) {
            Permitted::WhatWasAskedFor => vec![asked.map(str::to_owned)],
            Permitted::Only(permitted) => {
                let meant = |pk: &String| asked.is_none_or(|asked| asked == pk) && may_name_a_channel(pk);
                permitted.into_iter().filter(meant).map(Some).collect()
            }
        };
        if pks.is_empty() {
            return Err(Denied::Permission);
        }
        let new = pks.iter().filter(|pk| !self.is_subscribed(socket, channel, pk.as_deref())).count();
        if new > 0 && self.subscriptions.len() + new > rules.most_subscriptions {
            return Err(Denied::TooMany);
        }
        for pk in pks.iter().map(Option::as_deref) {
            // Said before the first message can come.
            self.voice.say(socket, &json::subscribed(channel, pk, inbound.id));
            if !self.is_subscribed(socket, channel, pk) {
                self.subscriptions.push(self.hub.topics.join(socket, channel, pk));
            }
        }
        Ok(())
    }

    fn model(&self, channel: &str) -> Result<Arc<dyn ChannelModel>, Denied> {
        self.hub.rules().model(channel).cloned().ok_or(Denied::Permission)
    }

    fn is_subscribed(&self, socket: &Socket, channel: &str, pk: Option<&str>) -> bool {
        self.subscriptions.iter().any(|one| one.is_to(socket, channel, pk))
    }

    fn unsubscribe(&mut self, socket: &Arc<Socket>, channel: &str, inbound: &Inbound<'_>) {
        let asked = inbound.pk.as_deref();
        let leaving = self.subscriptions.extract_if(.., |one| match asked {
            Some(pk) => one.is_to(socket, channel, Some(pk)),
            None => one.is_in(socket, channel),
        });
        leaving.for_each(|subscription| self.hub.topics.leave(subscription));
        self.voice.say(socket, &json::unsubscribed(channel, asked, inbound.id));
    }

    fn publish(&mut self, socket: &Arc<Socket>, channel: &str, inbound: &Inbound<'_>) -> Result<(), Denied> {
        let model = self.model(channel)?;
        if !model.can_publish(&socket.admission(), inbound) {
            return Err(Denied::Permission);
        }
        let message = inbound.message.ok_or(Denied::Missing("message"))?;
        let topic = (channel, inbound.pk.as_deref());
        let frame = || self.hub.dialect.message(topic.0, topic.1, message);
        self.hub.topics.publish(socket.sockets(), gate_of(&socket.admission()), topic, message.get(), frame);
        if let Some(id) = inbound.id {
            self.voice.say(socket, &json::published(id));
        }
        Ok(())
    }

    fn custom(&mut self, socket: &Arc<Socket>, channel: &str, inbound: &Inbound<'_>) -> Result<(), Denied> {
        if let Some(answer) = self.asked(socket, channel, inbound).ok_or(Denied::Permission)? {
            let (before, after) = json::message_parts(channel, inbound.pk.as_deref());
            let (id_name, id) = inbound.id.map_or(("", ""), |id| (r#","id":"#, id.get()));
            self.voice.answer(socket, &[&before, &answer, id_name, id, after]);
        }
        Ok(())
    }

    /// Takes what the user says in the words of `doorward.v1`.
    pub(super) fn hear(&mut self, socket: &Arc<Socket>, text: &str) -> Result<(), CloseReason> {
        let Some(inbound) = self.read(socket, text)? else { return Ok(()) };
        let (code, sentence) = match self.act(socket, &inbound) {
            Ok(()) => {
                self.malformed = 0;
                return Ok(());
            }
            Err(Denied::Missing(field)) => {
                return self.is_malformed(socket, inbound.id, &format!("`{field}` is missing"));
            }
            Err(Denied::Permission) => PERMISSION_DENIED,
            Err(Denied::NotSupported) => ("not_supported", "this hub does not do that"),
            Err(Denied::TooMany) => ("too_many_subscriptions", "a socket has no more subscriptions than that"),
        };
        self.malformed = 0;
        self.voice.say(socket, &json::error(inbound.id, code, sentence));
        Ok(())
    }

    /// The same while the socket is suspended: nothing is done but what brings it back, or ends it.
    pub(super) fn hear_suspended(&mut self, socket: &Arc<Socket>, text: &str) -> Result<(), CloseReason> {
        let Some(inbound) = self.read(socket, text)? else { return Ok(()) };
        self.malformed = 0;
        self.say_suspended(socket, inbound.id);
        Ok(())
    }

    /// Says that nothing comes of what the user has said.
    pub(super) fn say_suspended(&self, socket: &Arc<Socket>, id: Option<&RawValue>) {
        self.voice.say(socket, &json::error(id, "suspended", "nothing is done while this socket is suspended"));
    }

    /// Reads what the user says, and does what can be done in any state; `None` where that was all. An `Err` ends the socket.
    fn read<'t>(&mut self, socket: &Arc<Socket>, text: &'t str) -> Result<Option<Inbound<'t>>, CloseReason> {
        let inbound = match Inbound::parse_text(text) {
            Ok(inbound) => inbound,
            Err(malformed) => return self.is_malformed(socket, None, &malformed.to_string()).map(|()| None),
        };
        match &*inbound.action {
            "logout" => Err(CloseReason::Normal),
            "auth" => self.authenticate(socket, &inbound).map(|()| None),
            _ => Ok(Some(inbound)),
        }
    }

    /// Says that something may not be done.
    pub(super) fn deny(&self, socket: &Arc<Socket>) {
        let (code, sentence) = PERMISSION_DENIED;
        self.voice.say(socket, &json::error(None, code, sentence));
    }

    /// Takes a seat in a channel as a whole, unasked, where the user may have one.
    pub(super) fn sit_in(&mut self, socket: &Arc<Socket>, channel: &str) {
        let rules = self.hub.rules();
        let may =
            rules.model(channel).is_some_and(|model| may_stay(model.as_ref(), &socket.admission(), channel, None));
        if may && !self.is_subscribed(socket, channel, None) {
            self.subscriptions.push(self.hub.topics.join(socket, channel, None));
        }
    }

    /// Gives back all seats in a channel.
    pub(super) fn leave(&mut self, socket: &Arc<Socket>, channel: &str) {
        let leaving = self.subscriptions.extract_if(.., |one| one.is_in(socket, channel));
        leaving.for_each(|subscription| self.hub.topics.leave(subscription));
    }

    /// Brings a custom action to its channel: what comes of it, or `None` where it is denied.
    pub(super) fn asked(&self, socket: &Arc<Socket>, channel: &str, inbound: &Inbound<'_>) -> Option<Option<String>> {
        let model = self.model(channel).ok()?;
        let admission = socket.admission();
        model.can_send(&admission, inbound).then(|| model.on_message(&admission, inbound))
    }

    /// Takes what the user proves, asked or unasked. What comes of it comes at the next turn.
    fn authenticate(&mut self, socket: &Arc<Socket>, inbound: &Inbound<'_>) -> Result<(), CloseReason> {
        match json::answer(inbound.raw.as_bytes()) {
            Ok(answer) => self.show_as(socket, answer, inbound.id),
            Err(malformed) if socket.policy().renewal.is_some() => {
                self.is_malformed(socket, inbound.id, &malformed.to_string())
            }
            Err(_) => self.show_as(socket, Answer::new(), inbound.id),
        }
    }

    /// Takes what the user shows, asked or unasked. What comes of it comes at the next turn.
    pub(super) fn show(&mut self, socket: &Arc<Socket>, answer: Answer) -> Result<(), CloseReason> {
        self.show_as(socket, answer, None)
    }

    fn show_as(&mut self, socket: &Arc<Socket>, answer: Answer, id: Option<&RawValue>) -> Result<(), CloseReason> {
        let taken = match socket.policy().renewal {
            None => Err(NotTaken::NotSupported),
            Some(_) => self.renewal.answer(socket, answer),
        };
        match taken {
            Err(NotTaken::TooEarly) => {
                return self.is_malformed(socket, id, "a second message came before the first was heard");
            }
            Err(NotTaken::NotSupported) => {
                self.voice.say(socket, &json::error(id, "not_supported", "that is not asked here"));
            }
            Ok(()) => {}
        }
        self.malformed = 0;
        Ok(())
    }

    /// Says what is wrong with a message. It may be a slip; three in a row are not.
    fn is_malformed(&mut self, socket: &Arc<Socket>, id: Option<&RawValue>, what: &str) -> Result<(), CloseReason> {
        self.voice.say(socket, &json::error(id, "malformed", what));
        self.malformed += 1;
        if self.malformed < MOST_MALFORMED { Ok(()) } else { Err(CloseReason::Malformed) }
    }
}

impl Incoming for Member {
    fn message(&mut self, socket: &Arc<Socket>, message: Message<'_>) -> Result<(), CloseReason> {
        match message.text() {
            Some(text) => self.hear(socket, text),
            None => self.is_malformed(socket, None, NOT_TEXT),
        }
    }

    fn suspended(&mut self, socket: &Arc<Socket>, message: Message<'_>) -> Result<(), CloseReason> {
        match message.text() {
            Some(text) => self.hear_suspended(socket, text),
            None => self.is_malformed(socket, None, NOT_TEXT),
        }
    }

    fn turn(&mut self, socket: &Arc<Socket>, context: &mut Context<'_>) -> Result<(), CloseReason> {
        let Self { hub, subscriptions, renewal, voice, .. } = self;
        renewal.turn(socket, context, voice, |admission| give_up(hub, subscriptions, voice, socket, admission))
    }

    fn gone(&mut self, _socket: &Arc<Socket>) {
        self.subscriptions.drain(..).for_each(|subscription| self.hub.topics.leave(subscription));
    }
}

/// Leaves what an admission does not allow that the socket will have from now on. The seats are left before it has it, so that
/// nothing comes there on the strength of the old one.
fn give_up(
    hub: &Hub,
    subscriptions: &mut Vec<Subscription>,
    voice: &Voice,
    socket: &Arc<Socket>,
    admission: &Admission,
) {
    let rules = hub.rules();
    let is_lost = |one: &mut Subscription| {
        let (channel, pk) = one.channel();
        !rules.model(&channel).is_some_and(|model| may_stay(model.as_ref(), admission, &channel, pk.as_deref()))
    };
    for lost in subscriptions.extract_if(.., is_lost) {
        let (channel, pk) = lost.channel();
        hub.topics.leave(lost);
        voice.say(socket, &json::unsubscribed(&channel, pk.as_deref(), None));
    }
}
