use std::{borrow::Cow, time::Duration};

use doorward_types::{Reconnect, Subject};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Malformed, object};
use crate::raw;

/// What a gate says, as a client reads it. Members that are not known are passed over, except where they are what is shown.
#[derive(Clone, Debug)]
pub enum Event {
    /// An answer is expected.
    Ask {
        /// The layer that asks.
        layer: String,
        /// The step of its script.
        step: String,
        /// The fields that the answer should have.
        fields: Vec<String>,
        /// What is shown with it, by name.
        shows: Vec<(String, String)>,
        /// How long it is waited for.
        expires_in: Duration,
    },
    /// The next answer names, by its kind, which of these layers it is for.
    Choose {
        /// The first layer of each alternative.
        of: Vec<String>,
        /// Whether `skip` is a choice too.
        optional: bool,
        /// How long it is waited for.
        expires_in: Duration,
    },
    /// Something is told, and no answer is expected.
    Tell {
        /// The layer that tells.
        layer: String,
        /// The step of its script.
        step: String,
        /// What is told, by name.
        shows: Vec<(String, String)>,
    },
    /// Something elsewhere has to happen first.
    Wait {
        /// The layer that waits.
        layer: String,
        /// The step of its script.
        step: String,
        /// What is waited for, by name.
        shows: Vec<(String, String)>,
        /// How long it is waited for.
        expires_in: Duration,
    },
    /// The ladder is climbed.
    Admitted {
        /// The id of this socket.
        socket: String,
        /// Who was proven.
        subject: Option<Subject>,
        /// What is behind the gate.
        backend: String,
        /// When the admission ends, in RFC 3339.
        expires_at: Option<String>,
    },
    /// The gate closes after this.
    Refused {
        /// The close code.
        code: u16,
        /// The name of the close reason.
        reason: String,
        /// Whether to come back.
        reconnect: Reconnect,
        /// Not before this has passed.
        after: Duration,
        /// What the operator finds the decision by.
        trace: String,
    },
    /// A subscription was made.
    Subscribed {
        /// The channel.
        channel: String,
        /// Which object of it.
        pk: Option<String>,
        /// The id of the request.
        id: Option<Box<RawValue>>,
    },
    /// A subscription was ended.
    Unsubscribed {
        /// The channel.
        channel: String,
        /// Which object of it.
        pk: Option<String>,
        /// The id of the request.
        id: Option<Box<RawValue>>,
    },
    /// A message was published.
    Published {
        /// The id of the request.
        id: Option<Box<RawValue>>,
    },
    /// A message on a channel.
    Message {
        /// The channel.
        channel: String,
        /// Which object of it.
        pk: Option<String>,
        /// The payload, as it was published.
        message: Box<RawValue>,
    },
    /// Nothing of the application goes in or out, until it is resumed.
    Suspended {
        /// Why, a word: `logged_out`, `unconfirmed`.
        reason: String,
    },
    /// It goes on.
    Resumed {
        /// Whether something was not delivered meanwhile.
        gap: bool,
    },
    /// A request could not be done.
    Error {
        /// The id of the request.
        id: Option<Box<RawValue>>,
        /// What went wrong, as a word.
        code: String,
        /// What went wrong, for a person.
        message: String,
    },
    /// Something that this version does not know.
    Other {
        /// Its name.
        event: String,
        /// The whole message.
        raw: String,
    },
}

impl Event {
    /// Reads a message from a gate.
    ///
    /// # Errors
    /// [`Malformed`]: not one JSON object, no `event`, or a member that is not what it has to be.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let mut members = Members(Vec::new());
        object::members(text, |name, value| {
            members.0.push((name, value));
            Ok(())
        })?;
        let event: String = members.take("event", "a word")?;
        Ok(match &*event {
            "ask" => Self::Ask {
                layer: members.take("layer", "a text")?,
                step: members.take("step", "a text")?,
                fields: members.take("fields", "a list of texts")?,
                expires_in: members.seconds()?,
                shows: members.shows(),
            },
            "choose" => Self::Choose {
                of: members.take("of", "a list of texts")?,
                optional: members.take_if("optional", "a boolean")?.unwrap_or(false),
                expires_in: members.seconds()?,
            },
            "tell" => Self::Tell {
                layer: members.take("layer", "a text")?,
                step: members.take("step", "a text")?,
                shows: members.shows(),
            },
            "wait" => Self::Wait {
                layer: members.take("layer", "a text")?,
                step: members.take("step", "a text")?,
                expires_in: members.seconds()?,
                shows: members.shows(),
            },
            "admitted" => Self::Admitted {
                socket: members.take("socket", "a text")?,
                subject: members
                    .take_if("subject", "an object of `kind`, `pk` and `uuid`")?
                    .map(|SubjectMembers { kind, pk, uuid }| Subject { kind, pk, uuid }),
                backend: members.take("backend", "a text")?,
                expires_at: members.take_if("expires_at", "a time in RFC 3339")?,
            },
            "refused" => Self::Refused {
                code: members.take("code", "a close code")?,
                reason: members.take("reason", "a text")?,
                reconnect: match &*members.take::<String>("reconnect", RECONNECT_IS)? {
                    "never" => Reconnect::Never,
                    "now" => Reconnect::Now,
                    "later" => Reconnect::Later,
                    _ => return Err(Malformed::unfit("reconnect", RECONNECT_IS)),
                },
                after: Duration::from_millis(members.take_if("after_ms", "a number of milliseconds")?.unwrap_or(0)),
                trace: members.take("trace", "a text")?,
            },
            "subscribed" => Self::Subscribed {
                channel: members.take("channel", "a text")?,
                pk: members.take_if("pk", "a text")?,
                id: members.take_if("id", "JSON")?,
            },
            "unsubscribed" => Self::Unsubscribed {
                channel: members.take("channel", "a text")?,
                pk: members.take_if("pk", "a text")?,
                id: members.take_if("id", "JSON")?,
            },
            "published" => Self::Published { id: members.take_if("id", "JSON")? },
            "message" => Self::Message {
                channel: members.take("channel", "a text")?,
                pk: members.take_if("pk", "a text")?,
                message: members.take("message", "JSON")?,
            },
            "suspended" => Self::Suspended { reason: members.take("reason", "a word")? },
            "resumed" => Self::Resumed { gap: members.take_if("gap", "a boolean")?.unwrap_or(false) },
            "error" => Self::Error {
                id: members.take_if("id", "JSON")?,
                code: members.take("code", "a word")?,
                message: members.take("message", "a text")?,
            },
            _ => Self::Other { event, raw: text.to_owned() },
        })
    }
}

const RECONNECT_IS: &str = "`never`, `now` or `later`";

#[derive(Deserialize)]
struct SubjectMembers {
    kind: String,
    pk: String,
    uuid: String,
}

struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl Members<'_> {
    fn take_if<T: for<'de> Deserialize<'de>>(
        &mut self,
        field: &'static str,
        expected: &'static str,
    ) -> Result<Option<T>, Malformed> {
        let Some(place) = self.0.iter().position(|(name, _)| name == field) else { return Ok(None) };
        let (_, value) = self.0.remove(place);
        serde_json::from_str(value.get()).map(Some).map_err(|_| Malformed::unfit(field, expected))
    }

    fn take<T: for<'de> Deserialize<'de>>(
        &mut self,
        field: &'static str,
        expected: &'static str,
    ) -> Result<T, Malformed> {
        self.take_if(field, expected)?.ok_or(Malformed::Missing { field, expected })
    }

    fn seconds(&mut self) -> Result<Duration, Malformed> {
        self.take("expires_in", "a number of seconds").map(Duration::from_secs)
    }

    /// All that is left: what is shown. What is no text is shown as its JSON.
    fn shows(&mut self) -> Vec<(String, String)> {
        let left = self.0.drain(..);
        left.map(|(name, value)| {
            let shown = raw::string(value).unwrap_or(Cow::Borrowed(value.get()));
            (name.into_owned(), shown.into_owned())
        })
        .collect()
    }
}
