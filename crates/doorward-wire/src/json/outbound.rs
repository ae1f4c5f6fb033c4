//! What a gate and its hub say. Everything is compact JSON, its members in the order of the protocol.

use std::time::Duration;

use doorward_types::{CloseReason, Prompt, Shown, SocketId, Subject, Timestamp, TraceId};
use serde_json::value::RawValue;

use crate::write::Object;

/// What a ladder says while it is climbed: `ask`, `choose`, `tell` or `wait`. What is shown stands among the other members, so a
/// layer must not show anything by a name that the protocol has; times are whole seconds, rounded down.
pub fn prompt(prompt: &Prompt) -> String {
    match prompt {
        Prompt::Ask { layer, step, fields, shows, expires_in } => {
            let object = Object::new("event", "ask").text("layer", layer).text("step", step).list("fields", fields);
            show(object, shows).integer("expires_in", expires_in.as_secs())
        }
        Prompt::Choose { of, optional, expires_in } => Object::new("event", "choose")
            .list("of", of)
            .flag("optional", *optional)
            .integer("expires_in", expires_in.as_secs()),
        Prompt::Tell { layer, step, shows } => {
            show(Object::new("event", "tell").text("layer", layer).text("step", step), shows)
        }
        Prompt::Wait { layer, step, shows, expires_in } => {
            show(Object::new("event", "wait").text("layer", layer).text("step", step), shows)
                .integer("expires_in", expires_in.as_secs())
        }
    }
    .end()
}

/// The ladder is climbed. `expires_at` is written as RFC 3339 in UTC.
pub fn admitted(socket: SocketId, subject: Option<&Subject>, backend: &str, expires_at: Option<Timestamp>) -> String {
    let mut object = Object::new("event", "admitted").text("socket", &socket.to_string());
    if let Some(Subject { kind, pk, uuid }) = subject {
        object = object.object("subject", Object::new("kind", kind).text("pk", pk).text("uuid", uuid));
    }
    let expires_at = expires_at.map(|time| time.to_string());
    object.text("backend", backend).text_if("expires_at", expires_at.as_deref()).end()
}

/// The last message before a Close frame: why, whether to come back, and not before `after` has passed.
pub fn refused(reason: CloseReason, after: Duration, trace: TraceId) -> String {
    Object::new("event", "refused")
        .integer("code", reason.code().into())
        .text("reason", reason.name())
        .text("reconnect", reason.reconnect().as_str())
        .integer("after_ms", u64::try_from(after.as_millis()).unwrap_or(u64::MAX))
        .text("trace", &trace.to_string())
        .end()
}

/// The last word to an admitted one: why, and whether to come back. On a wire whose Close frame nobody reads.
pub fn ended(reason: CloseReason) -> String {
    Object::new("event", "ended")
        .integer("code", reason.code().into())
        .text("reason", reason.name())
        .text("reconnect", reason.reconnect().as_str())
        .end()
}

/// A subscription was made.
pub fn subscribed(channel: &str, pk: Option<&str>, id: Option<&RawValue>) -> String {
    Object::new("event", "subscribed").text("channel", channel).text_if("pk", pk).raw_if("id", id).end()
}

/// A subscription was ended.
pub fn unsubscribed(channel: &str, pk: Option<&str>, id: Option<&RawValue>) -> String {
    Object::new("event", "unsubscribed").text("channel", channel).text_if("pk", pk).raw_if("id", id).end()
}

/// A message was published. Whoever gave no id wants no answer.
pub fn published(id: &RawValue) -> String {
    Object::new("event", "published").raw_if("id", Some(id)).end()
}

/// Nothing of the application goes in or out from here on, until it is [resumed]; `reason` is a word: `logged_out`,
/// `unconfirmed`.
pub fn suspended(reason: &str) -> String {
    Object::new("event", "suspended").text("reason", reason).end()
}

/// It goes on. `gap` says that something was not delivered meanwhile.
pub fn resumed(gap: bool) -> String {
    Object::new("event", "resumed").flag("gap", gap).end()
}

/// Something could not be done; the socket goes on.
pub fn error(id: Option<&RawValue>, code: &str, message: &str) -> String {
    Object::new("event", "error").raw_if("id", id).text("code", code).text("message", message).end()
}

/// What stands before and after the payload of a message on a channel, so that the payload need not be touched and the frame is
/// encoded once for all subscribers.
///
/// ```
/// use doorward_wire::{json, websocket::frame};
/// let (before, after) = json::message_parts("group", Some("3"));
/// let frame = frame::text_parts(&[before.as_bytes(), b"[1, 2]", after.as_bytes()]);
/// assert_eq!(&frame[2..], br#"{"event":"message","channel":"group","pk":"3","message":[1, 2]}"#);
/// ```
pub fn message_parts(channel: &str, pk: Option<&str>) -> (String, &'static str) {
    let before = Object::new("event", "message").text("channel", channel).text_if("pk", pk).before_value_of("message");
    (before, "}")
}

fn show(object: Object, shows: &Shown) -> Object {
    shows.iter().fold(object, |object, (name, value)| object.text(name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> &RawValue {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn prompts_are_written_as_the_protocol_has_them() {
        let ask = Prompt::Ask {
            layer: "totp",
            step: "user sends code",
            fields: &["code"],
            shows: vec![("nonce", "a\"b".into())],
            expires_in: Duration::from_millis(30_900),
        };
        assert_eq!(
            prompt(&ask),
            r#"{"event":"ask","layer":"totp","step":"user sends code","fields":["code"],"nonce":"a\"b","expires_in":30}"#
        );
        let choose =
            |optional| Prompt::Choose { of: vec!["totp", "sms"], optional, expires_in: Duration::from_secs(60) };
        assert_eq!(prompt(&choose(false)), r#"{"event":"choose","of":["totp","sms"],"expires_in":60}"#);
        assert_eq!(prompt(&choose(true)), r#"{"event":"choose","of":["totp","sms"],"optional":true,"expires_in":60}"#);
        let tell = Prompt::Tell { layer: "ident", step: "socket shows glyph", shows: vec![("glyph", "🚪\n".into())] };
        assert_eq!(prompt(&tell), r#"{"event":"tell","layer":"ident","step":"socket shows glyph","glyph":"🚪\n"}"#);
        let wait = Prompt::Wait {
            layer: "out_of_band",
            step: "user approves",
            shows: vec![("for", "approval".into()), ("via", "mail".into())],
            expires_in: Duration::from_secs(300),
        };
        assert_eq!(
            prompt(&wait),
            r#"{"event":"wait","layer":"out_of_band","step":"user approves","for":"approval","via":"mail","expires_in":300}"#
        );
    }

    #[test]
    fn an_admission_tells_the_subject_and_its_end_where_there_are_such() {
        let socket = SocketId::from_bytes([0xab; 16]);
        let subject = Subject { kind: "member".into(), pk: "7".into(), uuid: "bob".into() };
        assert_eq!(
            admitted(socket, Some(&subject), "hub", Some(Timestamp::from_secs(0))),
            r#"{"event":"admitted","socket":"abababababababababababababababab","subject":{"kind":"member","pk":"7","uuid":"bob"},"backend":"hub","expires_at":"1970-01-01T00:00:00.000Z"}"#
        );
        assert_eq!(
            admitted(socket, None, "echo", None),
            r#"{"event":"admitted","socket":"abababababababababababababababab","backend":"echo"}"#
        );
    }

    #[test]
    fn a_refusal_tells_the_number_the_name_and_whether_to_come_back() {
        assert_eq!(
            refused(CloseReason::TooFast, Duration::from_secs(2), TraceId::from_bytes([1; 16])),
            r#"{"event":"refused","code":4429,"reason":"too_fast","reconnect":"later","after_ms":2000,"trace":"01010101010101010101010101010101"}"#
        );
    }

    #[test]
    fn a_suspension_tells_why_and_its_end_whether_something_was_missed() {
        assert_eq!(suspended("logged_out"), r#"{"event":"suspended","reason":"logged_out"}"#);
        assert_eq!(resumed(false), r#"{"event":"resumed"}"#);
        assert_eq!(resumed(true), r#"{"event":"resumed","gap":true}"#);
    }

    #[test]
    fn an_id_is_echoed_as_it_was_written() {
        assert_eq!(
            subscribed("group", Some("3"), Some(raw("1"))),
            r#"{"event":"subscribed","channel":"group","pk":"3","id":1}"#
        );
        assert_eq!(unsubscribed("news", None, None), r#"{"event":"unsubscribed","channel":"news"}"#);
        assert_eq!(published(raw("1.50")), r#"{"event":"published","id":1.50}"#);
        assert_eq!(
            error(Some(raw(r#""\u0061""#)), "permission_denied", "no"),
            r#"{"event":"error","id":"\u0061","code":"permission_denied","message":"no"}"#
        );
    }
}
