//! What a gate and a client say of the ladder by events of Socket.IO.
//!
//! ```text
//! client -> gate   2/default,["authentication",{"token":"..."}]                        the answer to `jwt`
//! gate -> client   2/default,["authenticated",true]
//! gate -> client   2/default,0["unauthorized",{"message":"TOKEN_REJECTED", ...}]       the client's acknowledgement ends it
//! gate -> client   2/default,["doorward",{"event":"ask", ...}]                         all else, as `doorward.v1` has it
//! client -> gate   2/default,["doorward",{"action":"auth", ...}]
//! ```
//!
//! The first three are those of Eclipse Codewind, whose clients go on to work.

use std::collections::BTreeMap;

use bytes::Bytes;
use doorward_types::{Answer, CloseReason, Secret, TraceId};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;

use super::{Namespace, outbound::head};
use crate::{websocket::frame, write::Object};

/// The event by which a client sends its token.
pub const AUTHENTICATION: &str = "authentication";

/// The event in which `doorward.v1` is spoken, in both directions.
pub const DOORWARD: &str = "doorward";

/// The id of the acknowledgement that is asked for with `unauthorized`.
pub const UNAUTHORIZED_ID: u64 = 0;

/// The events by which a client is told the verdict.
const AUTHENTICATED: &str = "authenticated";
const UNAUTHORIZED: &str = "unauthorized";

/// Whether an event of that name is the gate's own, in either direction.
pub(super) fn is_the_gates_own(name: &str) -> bool {
    [AUTHENTICATION, AUTHENTICATED, UNAUTHORIZED, DOORWARD].contains(&name)
}

/// What a message of Engine.IO begins with.
const MESSAGE: &[u8] = b"4";

/// A packet of Socket.IO as a WebSocket frame: the same for everybody whom it goes to.
pub fn framed(packet: &str) -> Bytes {
    frame::text_parts(&[MESSAGE, packet.as_bytes()])
}

/// An event as a WebSocket frame. Its arguments are JSON, with commas between where they are several; they may be none.
///
/// ```
/// use doorward_wire::socketio::{Namespace, dialect};
/// assert_eq!(&dialect::framed_event(Namespace::ROOT, "log-update", "[1, 2],3")[2..], br#"42["log-update",[1, 2],3]"#);
/// assert_eq!(&dialect::framed_event(Namespace::ROOT, "log-end", "")[2..], br#"42["log-end"]"#);
/// ```
pub fn framed_event(namespace: Namespace<'_>, name: &str, arguments: &str) -> Bytes {
    if arguments.is_empty() {
        return framed(&super::event(namespace, None, name, &[], 0));
    }
    let (before, after) = super::event_parts(namespace, name);
    frame::text_parts(&[MESSAGE, before.as_bytes(), arguments.as_bytes(), after.as_bytes()])
}

/// What `doorward.v1` says, as an event.
pub fn says(namespace: Namespace<'_>, json: &str) -> Bytes {
    framed_event(namespace, DOORWARD, json)
}

/// The client is let in.
pub fn authenticated(namespace: Namespace<'_>) -> Bytes {
    framed_event(namespace, AUTHENTICATED, "true")
}

/// The client is not. The sentence is the one that its clients know: the token is not good, whatever is wrong with it, or nobody
/// could tell. What `doorward.v1` says of a refusal stands beside it.
pub fn unauthorized(namespace: Namespace<'_>, reason: CloseReason, trace: Option<TraceId>) -> Bytes {
    let after = reason.reconnect().after();
    let message = match reason {
        CloseReason::TryLater => "KEYCLOAK_PUBLIC_KEY_MISSING",
        _ => "TOKEN_REJECTED",
    };
    let trace = trace.map(|trace| trace.to_string());
    let object = Object::new("message", message)
        .integer("code", reason.code().into())
        .text("reason", reason.name())
        .text("reconnect", reason.reconnect().as_str())
        .integer("after_ms", u64::try_from(after.as_millis()).unwrap_or(u64::MAX))
        .text_if("trace", trace.as_deref())
        .end();
    let head = head('2', 0, namespace, Some(UNAUTHORIZED_ID));
    framed(&[&head, r#"[""#, UNAUTHORIZED, r#"","#, &object, "]"].concat())
}

/// Whether what came with a CONNECT is meant to show a token.
pub fn names_token(object: &RawValue) -> bool {
    let members = serde_json::from_str::<BTreeMap<String, IgnoredAny>>(object.get());
    members.is_ok_and(|members| members.contains_key("token"))
}

/// What a client shows by an `authentication` event, or with its CONNECT: `{"token":"..."}`, in which other members do not count.
/// One without a token shows an empty one, which is as wrong as any other.
pub fn shown(object: Option<&RawValue>) -> Answer {
    #[derive(Deserialize)]
    struct Shown {
        token: String,
    }
    // Also a list would be read as one.
    let object = object.filter(|object| object.get().starts_with('{'));
    let token = object.and_then(|object| serde_json::from_str::<Shown>(object.get()).ok());
    Answer::to_layer("jwt").with("token", Secret::from_text(token.map(|shown| shown.token).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_events_have_the_bytes_that_clients_know() {
        let default = Namespace::new("/default").unwrap();
        assert_eq!(&authenticated(default)[2..], br#"42/default,["authenticated",true]"#);
        let refused = unauthorized(Namespace::ROOT, CloseReason::NotAuthenticated, None);
        let text = std::str::from_utf8(&refused[2..]).unwrap();
        assert!(text.starts_with(r#"420["unauthorized",{"message":"TOKEN_REJECTED","#), "{text}");
        assert_eq!(&says(default, r#"{"event":"ask"}"#)[2..], br#"42/default,["doorward",{"event":"ask"}]"#);
    }

    #[test]
    fn a_token_is_named_by_a_member_of_the_object_itself() {
        let names = |text: &str| names_token(serde_json::from_str(text).unwrap());
        for named in [r#"{"token":"a.b.c"}"#, r#"{"a":[],"token":1}"#, r#"{"\u0074oken":""}"#] {
            assert!(names(named), "{named}");
        }
        for not in [r#"{"user":{"token":1}}"#, r#"{"a":"\"token\""}"#, "{}", r#"["token"]"#, r#""token""#] {
            assert!(!names(not), "{not}");
        }
    }

    #[test]
    fn what_is_no_token_is_an_empty_one() {
        let raw = |text: &str| shown(Some(serde_json::from_str(text).unwrap()));
        let is =
            |answer: Answer, token: &str| answer.field("token").is_some_and(|shown| shown.same_as(token.as_bytes()));
        assert!(is(raw(r#"{"token":"a.b.c","more":1}"#), "a.b.c"));
        for nothing in ["null", "{}", r#"{"token":1}"#, r#""a.b.c""#, r#"{"token":"a","token":"b"}"#, "[\"a\"]"] {
            assert!(is(raw(nothing), ""), "{nothing}");
        }
        assert!(is(shown(None), ""));
    }
}
