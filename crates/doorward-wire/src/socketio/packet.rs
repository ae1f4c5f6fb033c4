use std::borrow::Cow;

use serde_json::value::RawValue;

use super::{ATTACHMENTS, Arguments, HIGHEST_ID, Malformed, NAME, Namespace, arguments::checked, placeholders};
use crate::{engineio::Revision, raw};

/// The names of events that the protocol keeps for itself.
const RESERVED: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

/// What a client says, borrowed from the text that it came in.
#[derive(Clone)]
pub enum Packet<'a> {
    /// Asks for a namespace.
    Connect {
        /// Which.
        namespace: Namespace<'a>,
        /// In protocol 4, what stands behind a `?` in the namespace, as it was written: escaped as in an address.
        query: Option<&'a str>,
        /// In protocol 5, an object with what the client shows.
        auth: Option<&'a RawValue>,
    },
    /// Leaves a namespace.
    Disconnect {
        /// Which.
        namespace: Namespace<'a>,
    },
    /// Something happened.
    Event(Event<'a>),
    /// An event of the gate has arrived.
    Ack(Ack<'a>),
}

/// Something that happened, by its name.
#[derive(Clone, Debug)]
pub struct Event<'a> {
    /// Where.
    pub namespace: Namespace<'a>,
    /// What; [`may_name_an_event`] holds for it.
    pub name: Cow<'a, str>,
    /// With what.
    pub arguments: Arguments<'a>,
    /// The id of the acknowledgement that is asked for; [`HIGHEST_ID`] at most.
    pub id: Option<u64>,
    /// How many attachments follow as binary messages; each has one placeholder in the arguments.
    pub attachments: usize,
}

/// The answer to an event.
#[derive(Clone, Debug)]
pub struct Ack<'a> {
    /// Where.
    pub namespace: Namespace<'a>,
    /// The id that the event had.
    pub id: u64,
    /// With what.
    pub arguments: Arguments<'a>,
    /// How many attachments follow as binary messages; each has one placeholder in the arguments.
    pub attachments: usize,
}

impl<'a> Packet<'a> {
    /// Reads the text of a packet: what stands in a message of Engine.IO.
    ///
    /// # Errors
    /// [`Malformed`].
    ///
    /// ```
    /// use doorward_wire::{engineio::Revision, socketio::Packet};
    /// let packet = Packet::read(Revision::Four, r#"2/default,7["authentication",{"token":"..."}]"#)?;
    /// let Packet::Event(event) = packet else { panic!("an event") };
    /// assert_eq!((event.namespace.as_str(), &*event.name, event.id), ("/default", "authentication", Some(7)));
    /// assert_eq!(event.arguments[0].get(), r#"{"token":"..."}"#);
    /// # Ok::<(), doorward_wire::socketio::Malformed>(())
    /// ```
    pub fn read(revision: Revision, text: &'a str) -> Result<Self, Malformed> {
        let mut rest = text.chars();
        let digit = rest.next().ok_or(Malformed::UnknownType)?;
        let rest = rest.as_str();
        match digit {
            '0' => connect(revision, rest),
            '1' => {
                let head = Head::read(rest)?;
                head.without_id()?.without_data()?;
                Ok(Self::Disconnect { namespace: Namespace::new(head.namespace)? })
            }
            '2' => event(rest, 0),
            '3' => ack(rest, 0),
            '4' => Err(Malformed::NotFromAClient),
            '5' => attachments(rest).and_then(|(attachments, rest)| event(rest, attachments)),
            '6' => attachments(rest).and_then(|(attachments, rest)| ack(rest, attachments)),
            _ => Err(Malformed::UnknownType),
        }
    }

    /// In which namespace it is said.
    pub const fn namespace(&self) -> Namespace<'a> {
        match self {
            Self::Connect { namespace, .. } | Self::Disconnect { namespace } => *namespace,
            Self::Event(event) => event.namespace,
            Self::Ack(ack) => ack.namespace,
        }
    }

    /// How many attachments follow as binary messages.
    pub const fn attachments(&self) -> usize {
        match self {
            Self::Connect { .. } | Self::Disconnect { .. } => 0,
            Self::Event(event) => event.attachments,
            Self::Ack(ack) => ack.attachments,
        }
    }
}

impl std::fmt::Debug for Packet<'_> {
    /// Without what is shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Connect { namespace, .. } => {
                f.debug_struct("Connect").field("namespace", namespace).finish_non_exhaustive()
            }
            Self::Disconnect { namespace } => f.debug_struct("Disconnect").field("namespace", namespace).finish(),
            Self::Event(event) => event.fmt(f),
            Self::Ack(ack) => ack.fmt(f),
        }
    }
}

/// Whether this can be the name of an event: 1 to 255 bytes, and none of those that the protocol keeps for itself.
pub fn may_name_an_event(name: &str) -> bool {
    (1..=NAME).contains(&name.len()) && !RESERVED.contains(&name)
}

/// Why it cannot be, where it cannot.
pub(super) fn check_name(name: &str) -> Result<(), Malformed> {
    match may_name_an_event(name) {
        true => Ok(()),
        false if RESERVED.contains(&name) => Err(Malformed::ReservedEventName),
        false => Err(Malformed::BadEventName),
    }
}

fn connect(revision: Revision, rest: &str) -> Result<Packet<'_>, Malformed> {
    let head = Head::read(rest)?;
    head.without_id()?;
    match revision {
        Revision::Three => {
            head.without_data()?;
            let (namespace, query) = match head.namespace.split_once('?') {
                Some((namespace, query)) => (namespace, Some(query)),
                None => (head.namespace, None),
            };
            Ok(Packet::Connect { namespace: Namespace::new(namespace)?, query, auth: None })
        }
        Revision::Four => {
            let auth = match head.json {
                "" => None,
                json => Some(checked(json)?),
            };
            match auth {
                Some(auth) if !auth.get().starts_with('{') => Err(Malformed::Unfit { expected: "an object" }),
                auth => Ok(Packet::Connect { namespace: Namespace::new(head.namespace)?, query: None, auth }),
            }
        }
    }
}

fn event(rest: &str, attachments: usize) -> Result<Packet<'_>, Malformed> {
    let Head { namespace, id, json } = Head::read(rest)?;
    let namespace = Namespace::new(namespace)?;
    let json = checked(json)?;
    let (name, arguments) = Arguments::read_named(json)?.ok_or(Malformed::BadEventName)?;
    let name = raw::string(name).ok_or(Malformed::BadEventName)?;
    check_name(&name)?;
    placeholders::check(json, attachments)?;
    Ok(Packet::Event(Event { namespace, name, arguments, id, attachments }))
}

fn ack(rest: &str, attachments: usize) -> Result<Packet<'_>, Malformed> {
    let Head { namespace, id, json } = Head::read(rest)?;
    let (namespace, id) = (Namespace::new(namespace)?, id.ok_or(Malformed::MissingId)?);
    let json = checked(json)?;
    let arguments = Arguments::read(json)?;
    placeholders::check(json, attachments)?;
    Ok(Packet::Ack(Ack { namespace, id, arguments, attachments }))
}

/// How many attachments a packet says that it has, and what comes after the `-`.
fn attachments(rest: &str) -> Result<(usize, &str), Malformed> {
    let (digits, rest) = digits(rest);
    let rest = rest.strip_prefix('-').filter(|_| !digits.is_empty()).ok_or(Malformed::BadAttachments)?;
    match digits.parse() {
        _ if digits.starts_with('0') => Err(Malformed::BadAttachments),
        Ok(count) if count <= ATTACHMENTS => Ok((count, rest)),
        _ => Err(Malformed::TooManyAttachments { limit: ATTACHMENTS }),
    }
}

/// What every packet has after its type, the namespace not looked at yet.
#[derive(Clone, Copy)]
struct Head<'a> {
    namespace: &'a str,
    id: Option<u64>,
    /// Empty where there is none.
    json: &'a str,
}

impl<'a> Head<'a> {
    fn read(rest: &'a str) -> Result<Self, Malformed> {
        let (namespace, rest) = match rest.split_once(',') {
            _ if !rest.starts_with('/') => (Namespace::ROOT.as_str(), rest),
            Some(parts) => parts,
            None => (rest, ""),
        };
        let (digits, json) = digits(rest);
        let id = match digits {
            "" => None,
            digits if digits.len() > 1 && digits.starts_with('0') => return Err(Malformed::BadId),
            digits => Some(digits.parse().ok().filter(|id| *id <= HIGHEST_ID).ok_or(Malformed::BadId)?),
        };
        Ok(Self { namespace, id, json })
    }

    fn without_id(&self) -> Result<&Self, Malformed> {
        if self.id.is_none() { Ok(self) } else { Err(Malformed::UnexpectedId) }
    }

    fn without_data(&self) -> Result<&Self, Malformed> {
        if self.json.is_empty() { Ok(self) } else { Err(Malformed::UnexpectedData) }
    }
}

/// The digits at the beginning, and the rest.
fn digits(text: &str) -> (&str, &str) {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}
