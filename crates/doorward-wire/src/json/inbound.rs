use std::{borrow::Cow, fmt};

use serde_json::value::RawValue;

use super::{Malformed, object};
use crate::raw;

/// The most fields of a message.
const FIELDS: usize = 64;
/// How deep the values of fields can be nested that this crate does not know.
const DEPTH: usize = 32;
/// How deep a payload can be nested. With the message around it that is 64, which the parsers of all common languages take.
const PAYLOAD_DEPTH: usize = 63;
/// The most bytes of an `id`, as JSON.
const ID: usize = 64;
/// The most bytes of a channel's name and of a primary key.
const NAME: usize = 255;

const ACTION_IS: &str = "a word, such as `subscribe`";
const NAME_IS: &str = "a text of 1 to 255 bytes without control characters and without any of `*?[]:`";
const PK_IS: &str =
    "an integer of 64 bits, or a text of 1 to 255 bytes without control characters and without any of `*?[]:`";
const ID_IS: &str = "a number or a text of at most 64 bytes";

/// What an admitted user says: the fields that the protocol knows, borrowed from the message.
#[derive(Clone)]
pub struct Inbound<'a> {
    /// What to do: `subscribe`, `publish` or a custom word; not empty.
    pub action: Cow<'a, str>,
    /// Which way of doing it.
    pub kind: Option<Cow<'a, str>>,
    /// The channel; [`may_name_a_channel`] holds for it.
    pub channel: Option<Cow<'a, str>>,
    /// Which object of the channel.
    pub pk: Option<Pk<'a>>,
    /// To be echoed in the answer as it was written.
    pub id: Option<&'a RawValue>,
    /// The payload, as it was written, its texts Unicode: nested 63 deep at most. Of an event of Socket.IO it is the list of its
    /// arguments, nested 64 deep at most.
    pub message: Option<&'a RawValue>,
    /// Bytes that came beside the payload, on a wire that has such: number 0 first.
    pub attachments: &'a [Vec<u8>],
    /// The whole message, for custom actions that have fields of their own. Its names are unique. An event of Socket.IO has no
    /// fields: of that it is the list of its arguments.
    pub raw: &'a str,
}

impl<'a> Inbound<'a> {
    /// Reads a message.
    ///
    /// # Errors
    /// [`Malformed`]: not one JSON object, a field twice, no `action`, or a field that is not what it has to be.
    ///
    /// ```
    /// use doorward_wire::json::Inbound;
    /// let inbound = Inbound::parse(br#"{"action":"subscribe","channel":"group","pk":3,"id":1}"#)?;
    /// assert_eq!((&*inbound.action, inbound.channel.as_deref()), ("subscribe", Some("group")));
    /// assert_eq!(inbound.pk.as_deref(), Some("3"));
    /// # Ok::<(), doorward_wire::json::Malformed>(())
    /// ```
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        Self::parse_text(object::text(bytes)?)
    }

    /// Reads a message that is known to be text.
    ///
    /// # Errors
    /// As [`Inbound::parse`].
    pub fn parse_text(raw: &'a str) -> Result<Self, Malformed> {
        let [mut action, mut kind, mut channel, mut pk, mut id, mut message] = [None; 6];
        let mut others = Vec::new();
        let mut count = 0;
        object::members(raw, |name, value| {
            count += 1;
            if count > FIELDS {
                return Err(Malformed::TooManyFields { limit: FIELDS });
            }
            let place = match &*name {
                "action" => &mut action,
                "kind" => &mut kind,
                "channel" => &mut channel,
                "pk" => &mut pk,
                "id" => &mut id,
                "message" => &mut message,
                other => {
                    if others.contains(&name) {
                        return Err(Malformed::duplicate(other));
                    }
                    if raw::depth(value) > DEPTH {
                        return Err(Malformed::too_deep(other, DEPTH));
                    }
                    others.push(name);
                    return Ok(());
                }
            };
            match place.replace(value) {
                Some(_) => Err(Malformed::duplicate(&name)),
                None => Ok(()),
            }
        })?;
        let action = action.ok_or(Malformed::Missing { field: "action", expected: ACTION_IS })?;
        Ok(Self {
            action: word("action", action, ACTION_IS)?,
            kind: kind.map(|kind| word("kind", kind, "a word")).transpose()?,
            channel: channel.map(channel_name).transpose()?,
            pk: pk.map(Pk::read).transpose()?,
            id: id.map(echoed).transpose()?,
            message: message.map(payload).transpose()?,
            attachments: &[],
            raw,
        })
    }
}

impl fmt::Debug for Inbound<'_> {
    /// Without the payload.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbound")
            .field("action", &self.action)
            .field("channel", &self.channel)
            .field("pk", &self.pk)
            .field("bytes", &self.raw.len())
            .finish_non_exhaustive()
    }
}

/// A primary key in its one canonical form, a text: the JSON `3` and `"3"` are the same key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pk<'a>(Cow<'a, str>);

impl<'a> Pk<'a> {
    /// The key as text that outlives the message.
    pub fn into_owned(self) -> String {
        self.0.into_owned()
    }

    fn read(value: &'a RawValue) -> Result<Self, Malformed> {
        let text = match raw::integer(value) {
            // How JSON writes an integer is how everybody does, but for a zero with a sign.
            Some("-0") => None,
            Some(digits) if digits.parse::<u64>().is_ok() || digits.parse::<i64>().is_ok() => {
                Some(Cow::Borrowed(digits))
            }
            Some(_) => None,
            None => raw::string(value).filter(|text| may_name_a_channel(text)),
        };
        text.map(Self).ok_or_else(|| Malformed::unfit("pk", PK_IS))
    }
}

impl std::ops::Deref for Pk<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Pk<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether this can be the name of a channel: 1 to 255 bytes, no control characters, and nothing that a broker reads as a
/// pattern or as a separator (`*`, `?`, `[`, `]`, `:`).
pub fn may_name_a_channel(name: &str) -> bool {
    let is_bad = |byte: u8| byte.is_ascii_control() || matches!(byte, b'*' | b'?' | b'[' | b']' | b':');
    (1..=NAME).contains(&name.len())
        && !name.bytes().any(is_bad)
        && (name.is_ascii() || !name.chars().any(char::is_control))
}

fn channel_name(value: &RawValue) -> Result<Cow<'_, str>, Malformed> {
    raw::string(value).filter(|name| may_name_a_channel(name)).ok_or_else(|| Malformed::unfit("channel", NAME_IS))
}

fn word<'a>(field: &str, value: &'a RawValue, expected: &'static str) -> Result<Cow<'a, str>, Malformed> {
    raw::string(value).filter(|word| !word.is_empty()).ok_or_else(|| Malformed::unfit(field, expected))
}

/// A payload goes to others as it was written, so it must be what their parsers take: one that throws at the whole message
/// would be thrown by whoever may publish.
fn payload(value: &RawValue) -> Result<&RawValue, Malformed> {
    const NAME: &str = "message";
    if raw::depth(value) > PAYLOAD_DEPTH {
        return Err(Malformed::too_deep(NAME, PAYLOAD_DEPTH));
    }
    if raw::has_half_a_character(value) {
        return Err(Malformed::HalfACharacter { field: NAME.into() });
    }
    Ok(value)
}

fn echoed(value: &RawValue) -> Result<&RawValue, Malformed> {
    let is_scalar = value.get().starts_with(|first: char| first == '"' || first == '-' || first.is_ascii_digit());
    if is_scalar && value.get().len() <= ID { Ok(value) } else { Err(Malformed::unfit("id", ID_IS)) }
}
