//! What a gate says: the text of a packet, for a message of Engine.IO.

use std::fmt::Write as _;

use serde_json::value::RawValue;

use super::Namespace;
use crate::{
    engineio::Revision,
    write::{Object, push_text},
};

/// The client is in a namespace; in protocol 5 it is told its id there, which is no secret.
///
/// ```
/// use doorward_wire::{engineio::Revision, socketio::{self, Namespace}};
/// let default = Namespace::new("/default")?;
/// assert_eq!(socketio::connected(Revision::Four, default, "x"), r#"0/default,{"sid":"x"}"#);
/// assert_eq!(socketio::connected(Revision::Three, default, "x"), "0/default,");
/// # Ok::<(), socketio::Malformed>(())
/// ```
pub fn connected(revision: Revision, namespace: Namespace<'_>, sid: &str) -> String {
    let mut out = head('0', 0, namespace, None);
    if revision == Revision::Four {
        out.push_str(&Object::new("sid", sid).end());
    }
    out
}

/// The client is not in a namespace. `data` is what a program reads in it, beside the sentence; protocol 4 has but one of the two,
/// and a program's comes first.
pub fn connect_error(revision: Revision, namespace: Namespace<'_>, message: &str, data: Option<&RawValue>) -> String {
    let mut out = head('4', 0, namespace, None);
    match (revision, data) {
        (Revision::Four, data) => out.push_str(&Object::new("message", message).raw_if("data", data).end()),
        (Revision::Three, Some(data)) => out.push_str(data.get()),
        (Revision::Three, None) => push_text(&mut out, message),
    }
    out
}

/// The client is in a namespace no more, and does not come back by itself.
pub fn disconnect(namespace: Namespace<'_>) -> String {
    head('1', 0, namespace, None)
}

/// Something happened. `id` asks for an acknowledgement; of so many `attachments` each has one placeholder in the arguments, and they
/// have to follow at once, as binary messages.
///
/// ```
/// use doorward_wire::socketio::{self, Namespace};
/// let yes = serde_json::from_str("true").unwrap();
/// let text = socketio::event(Namespace::ROOT, None, "authenticated", &[yes], 0);
/// assert_eq!(text, r#"2["authenticated",true]"#);
/// ```
pub fn event(
    namespace: Namespace<'_>,
    id: Option<u64>,
    name: &str,
    arguments: &[&RawValue],
    attachments: usize,
) -> String {
    let mut out = head(if attachments == 0 { '2' } else { '5' }, attachments, namespace, id);
    out.push('[');
    push_text(&mut out, name);
    for argument in arguments {
        out.push(',');
        out.push_str(argument.get());
    }
    out.push(']');
    out
}

/// What stands before and after the one argument of an event, or several with commas between, so that they need not be touched and
/// the frame is encoded once for all who get it.
///
/// ```
/// use doorward_wire::{socketio::{self, Namespace}, websocket::frame};
/// let (before, after) = socketio::event_parts(Namespace::ROOT, "log-update");
/// let frame = frame::text_parts(&[b"4", before.as_bytes(), b"[1, 2]", after.as_bytes()]);
/// assert_eq!(&frame[2..], br#"42["log-update",[1, 2]]"#);
/// ```
pub fn event_parts(namespace: Namespace<'_>, name: &str) -> (String, &'static str) {
    let mut before = head('2', 0, namespace, None);
    before.push('[');
    push_text(&mut before, name);
    before.push(',');
    (before, "]")
}

/// An event of the client has arrived. Attachments as with [`event`].
pub fn ack(namespace: Namespace<'_>, id: u64, arguments: &[&RawValue], attachments: usize) -> String {
    let mut out = head(if attachments == 0 { '3' } else { '6' }, attachments, namespace, Some(id));
    out.push('[');
    for (place, argument) in arguments.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        out.push_str(argument.get());
    }
    out.push(']');
    out
}

pub(super) fn head(digit: char, attachments: usize, namespace: Namespace<'_>, id: Option<u64>) -> String {
    let mut out = String::with_capacity(128);
    out.push(digit);
    // Writing to a string cannot fail.
    if attachments > 0 {
        let _ = write!(out, "{attachments}-");
    }
    if namespace != Namespace::ROOT {
        let _ = write!(out, "{namespace},");
    }
    if let Some(id) = id {
        let _ = write!(out, "{id}");
    }
    out
}
