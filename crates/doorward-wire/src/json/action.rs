//! What a client says.

use serde_json::value::RawValue;

use crate::write::Object;

/// An answer to a ladder; `kind` is the layer that it is for, `None` for an offer that nobody asked for.
///
/// ```
/// let message = doorward_wire::json::auth("jwt", &[("token", "eyJ...")]);
/// assert_eq!(message, r#"{"action":"auth","kind":"jwt","token":"eyJ..."}"#);
/// ```
pub fn auth<'a>(kind: impl Into<Option<&'a str>>, fields: &[(&str, &str)]) -> String {
    let object = Object::new("action", "auth").text_if("kind", kind.into());
    fields.iter().fold(object, |object, (name, value)| object.text(name, value)).end()
}

/// Asks for the messages of a channel; the answer carries the `id`.
pub fn subscribe(channel: &str, pk: Option<&str>, id: Option<u64>) -> String {
    custom("subscribe", Some(channel), pk, id, None)
}

/// Asks for no more messages of a channel.
pub fn unsubscribe(channel: &str, pk: Option<&str>, id: Option<u64>) -> String {
    custom("unsubscribe", Some(channel), pk, id, None)
}

/// Sends a message to a channel.
pub fn publish(channel: &str, pk: Option<&str>, id: Option<u64>, message: &RawValue) -> String {
    custom("publish", Some(channel), pk, id, Some(message))
}

/// Any action, with the fields that the protocol knows.
pub fn custom(
    action: &str,
    channel: Option<&str>,
    pk: Option<&str>,
    id: Option<u64>,
    message: Option<&RawValue>,
) -> String {
    let mut object = Object::new("action", action).text_if("channel", channel).text_if("pk", pk);
    if let Some(id) = id {
        object = object.integer("id", id);
    }
    object.raw_if("message", message).end()
}
