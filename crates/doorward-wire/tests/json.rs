//! What a user may say, and that each side of `doorward.v1` reads what the other writes.
#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::time::Duration;

use doorward_types::{CloseReason, Prompt, Reconnect, SocketId, Subject, Timestamp, TraceId};
use doorward_wire::json::{self, Event, Inbound, Malformed};
use proptest::prelude::*;
use serde_json::value::RawValue;

fn raw(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}

fn refusal(text: &str) -> Malformed {
    Inbound::parse(text.as_bytes()).unwrap_err()
}

fn unfit(text: &str) -> String {
    match refusal(text) {
        Malformed::Unfit { field, .. } => field,
        other => format!("{other:?}"),
    }
}

#[test]
fn a_message_is_read_in_any_order_of_its_fields() {
    let text = r#" { "id" : 1.5 , "message" : { "a" : [ 1 ] } , "pk" : "x" , "kind":"k","channel" : "group" , "action" : "publish" } "#;
    let inbound = Inbound::parse(text.as_bytes()).unwrap();
    assert_eq!(
        (&*inbound.action, inbound.kind.as_deref(), inbound.channel.as_deref()),
        ("publish", Some("k"), Some("group"))
    );
    assert_eq!(inbound.pk.as_deref(), Some("x"));
    assert_eq!(inbound.id.unwrap().get(), "1.5");
    assert_eq!(inbound.message.unwrap().get(), r#"{ "a" : [ 1 ] }"#, "the payload is untouched");
    assert_eq!(inbound.raw, text);
}

#[test]
fn escaped_names_and_values_mean_what_they_spell() {
    let inbound = Inbound::parse(br#"{"acti\u006fn":"sub\u0073cribe","channel":"gr\u00fcn"}"#).unwrap();
    assert_eq!((&*inbound.action, inbound.channel.as_deref()), ("subscribe", Some("grün")));
    assert_eq!(
        refusal(r#"{"action":"a","acti\u006fn":"b"}"#),
        Malformed::Duplicate { field: "action".into() },
        "an escape does not hide a double"
    );
}

#[test]
fn a_primary_key_has_one_form_whatever_json_it_came_in() {
    let pk = |json: &str| {
        Inbound::parse(format!(r#"{{"action":"a","pk":{json}}}"#).as_bytes()).map(|i| i.pk.unwrap().to_string())
    };
    for (json, text) in [
        ("3", "3"),
        ("\"3\"", "3"),
        ("-7", "-7"),
        ("0", "0"),
        ("18446744073709551615", "18446744073709551615"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("\"0b\\u0037\"", "0b7"),
    ] {
        assert_eq!(pk(json).as_deref(), Ok(text), "{json}");
    }
    for json in [
        "3.0",
        "3e0",
        "-0",
        "18446744073709551616",
        "-9223372036854775809",
        "null",
        "true",
        "[3]",
        "{\"a\":3}",
        "\"\"",
        "\"a*\"",
        "\"a:b\"",
        "\"a\\n\"",
        "\"\\ud800\"",
    ] {
        assert_eq!(unfit(&format!(r#"{{"action":"a","pk":{json}}}"#)), "pk", "{json}");
    }
}

#[test]
fn c62_a_channel_name_holds_nothing_that_a_broker_reads_as_more() {
    let long = "x".repeat(256);
    for name in ["", "a*", "?", "[ab]", "a]", "a:b", r"a\r\nb", r"\u0000", r"\u007f", r"\u0085", r"\ud800", &long] {
        assert_eq!(unfit(&format!(r#"{{"action":"subscribe","channel":"{name}"}}"#)), "channel", "{name}");
    }
    for json in ["3", "null", "[]", "{}"] {
        assert_eq!(unfit(&format!(r#"{{"action":"subscribe","channel":{json}}}"#)), "channel", "{json}");
    }
    let longest = "x".repeat(255);
    for name in ["a", "grün und blau", "a/b.c-d_e", &longest] {
        let message = format!(r#"{{"action":"subscribe","channel":"{name}"}}"#);
        assert_eq!(Inbound::parse(message.as_bytes()).unwrap().channel.as_deref(), Some(name));
    }
}

#[test]
fn an_id_is_a_number_or_a_text_of_64_bytes() {
    let longest = format!("\"{}\"", "x".repeat(62));
    for json in ["1", "-1", "1e3", "\"a\"", "\"\"", &longest] {
        let message = format!(r#"{{"action":"a","id":{json}}}"#);
        assert_eq!(Inbound::parse(message.as_bytes()).unwrap().id.unwrap().get(), json);
    }
    let long = format!("\"{}\"", "x".repeat(63));
    for json in ["null", "true", "[1]", "{}", &long] {
        assert_eq!(unfit(&format!(r#"{{"action":"a","id":{json}}}"#)), "id", "{json}");
    }
}

#[test]
fn what_is_not_one_object_is_refused_by_what_it_is() {
    assert_eq!(Inbound::parse(b"{\"action\":\"\xff\"}").unwrap_err(), Malformed::NotText { at: 11 });
    for text in [
        "",
        " ",
        "{",
        r#"{"action":"a""#,
        r#"{"action":"a"}{}"#,
        r#"{"action":"a"} x"#,
        r#"{"action":"a",}"#,
        "{'a':1}",
        "[1",
        "1 2",
        "nul",
    ] {
        assert!(matches!(refusal(text), Malformed::NotJson { .. }), "{text}: {:?}", refusal(text));
    }
    for text in ["1", "null", "\"action\"", "[{\"action\":\"a\"}]", "true"] {
        assert_eq!(refusal(text), Malformed::NotAnObject, "{text}");
    }
    assert!(matches!(refusal("{}"), Malformed::Missing { field: "action", .. }));
    for text in [r#"{"action":""}"#, r#"{"action":null}"#, r#"{"action":1}"#, r#"{"action":["a"]}"#] {
        assert_eq!(unfit(text), "action", "{text}");
    }
}

#[test]
fn a_field_that_is_there_twice_is_refused_whichever_it_is() {
    for field in ["action", "kind", "channel", "pk", "id", "message", "other"] {
        let message = format!(r#"{{"{field}":"a","x":1,"{field}":"a"}}"#);
        assert_eq!(refusal(&message), Malformed::Duplicate { field: field.into() });
    }
}

#[test]
fn deep_nesting_is_refused_in_the_payload_and_in_fields_that_are_not_known() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let with = |field: &str, depth| format!(r#"{{"{field}":{},"action":"a"}}"#, nested(depth));
    assert!(Inbound::parse(with("x", 32).as_bytes()).is_ok());
    assert_eq!(refusal(&with("x", 33)), Malformed::TooDeep { field: "x".into(), limit: 32 });
    assert!(matches!(refusal(&with("pk", 100_000)), Malformed::Unfit { .. }), "no stack to overflow");
    assert_eq!(Inbound::parse(with("message", 63).as_bytes()).unwrap().message.unwrap().get(), nested(63));
    for depth in [64, 1_000, 100_000] {
        assert_eq!(refusal(&with("message", depth)), Malformed::TooDeep { field: "message".into(), limit: 63 });
    }
}

#[test]
fn more_than_64_fields_are_refused() {
    let fields =
        |count| (1..count).fold(String::from(r#"{"action":"a""#), |all, i| format!(r#"{all},"f{i}":{i}"#)) + "}";
    assert!(Inbound::parse(fields(64).as_bytes()).is_ok());
    assert_eq!(refusal(&fields(65)), Malformed::TooManyFields { limit: 64 });
}

#[test]
fn a_refusal_says_what_is_wrong_and_what_would_be_right_and_shows_no_value() {
    let shown = |text: &str| json::answer(text.as_bytes()).unwrap_err().to_string();
    assert_eq!(shown(r#"{"action":"auth","token":["s3cret"]}"#), "`token` is not a text, an integer or a boolean");
    assert_eq!(shown("\"s3cret\""), "the message is JSON but not an object; send one like `{\"action\": ...}`");
    assert_eq!(shown(r#"{"kind":"jwt"}"#), "`action` is missing; send it as `auth`");
    assert!(shown(r#"{"token":"s3cret" "#).contains("line 1 column"));
    let named = shown(&format!(r#"{{"action":"auth","\n{}":[]}}"#, "n".repeat(500)));
    assert!(named.len() < 150 && !named.contains('\n'), "{named}");
    for text in [
        r#"{"token":"s3cret""#,
        r#"{"token":"s3cret"} {}"#,
        r#"{"action":"s3cret"}"#,
        r#"{"action":"auth","kind":["s3cret"]}"#,
    ] {
        assert!(!shown(text).contains("s3cret"), "{text}");
    }
}

#[test]
fn an_answer_keeps_texts_integers_and_booleans_as_their_text() {
    let answer = json::answer(
        br#"{"token":"e\u0079J","action":"auth","n":-12,"big":123456789012345678901234567890,"yes":true,"kind":"jwt"}"#,
    )
    .unwrap();
    assert_eq!(answer.kind(), Some("jwt"));
    assert_eq!(answer.names().collect::<Vec<_>>(), ["token", "n", "big", "yes"]);
    for (name, text) in [("token", "eyJ"), ("n", "-12"), ("big", "123456789012345678901234567890"), ("yes", "true")] {
        assert_eq!(answer.text(name, "test"), Some(text));
    }
    assert_eq!(json::answer(br#"{"action":"auth"}"#).unwrap().kind(), None);
}

#[test]
fn an_answer_holds_nothing_nested_nothing_doubled_and_nothing_too_much() {
    for value in ["null", "1.5", "1e3", "[]", "{}", "[\"a\"]", "\"\\ud800\""] {
        let text = format!(r#"{{"action":"auth","code":{value}}}"#);
        assert!(
            matches!(json::answer(text.as_bytes()), Err(Malformed::Unfit { field, .. }) if field == "code"),
            "{value}"
        );
    }
    for field in ["action", "kind", "code"] {
        let text = format!(r#"{{"{field}":"auth","{field}":"auth"}}"#);
        assert_eq!(json::answer(text.as_bytes()).unwrap_err(), Malformed::Duplicate { field: field.into() });
    }
    let fields = |count| {
        (0..count).fold(String::from(r#"{"action":"auth","kind":"k""#), |all, i| format!(r#"{all},"f{i}":{i}"#)) + "}"
    };
    assert!(json::answer(fields(16).as_bytes()).is_ok());
    assert_eq!(json::answer(fields(17).as_bytes()).unwrap_err(), Malformed::TooManyFields { limit: 16 });
}

#[test]
fn c58_nothing_but_auth_is_taken_before_admission() {
    for action in ["\"subscribe\"", "\"Auth\"", "\"\"", "null", "[\"auth\"]"] {
        assert_eq!(
            json::answer(format!(r#"{{"action":{action}}}"#).as_bytes()).unwrap_err(),
            Malformed::NotAuth,
            "{action}"
        );
    }
    for kind in ["\"\"", "null", "7"] {
        let text = format!(r#"{{"action":"auth","kind":{kind}}}"#);
        assert!(
            matches!(json::answer(text.as_bytes()), Err(Malformed::Unfit { field, .. }) if field == "kind"),
            "{kind}"
        );
    }
}

#[test]
fn a_client_reads_every_event_that_a_gate_writes() {
    let seconds = Duration::from_secs;
    let ask = Prompt::Ask {
        layer: "l",
        step: "s",
        fields: &["a", "b"],
        shows: vec![("nonce", "\"n\"".into())],
        expires_in: seconds(5),
    };
    let Event::Ask { layer, step, fields, shows, expires_in } = Event::parse(&json::prompt(&ask)).unwrap() else {
        unreachable!()
    };
    assert_eq!((&*layer, &*step, fields.join(" "), expires_in), ("l", "s", "a b".into(), seconds(5)));
    assert_eq!(shows, [("nonce".into(), "\"n\"".into())]);

    let choose = Prompt::Choose { of: vec!["x", "y"], optional: true, expires_in: seconds(6) };
    let Event::Choose { of, optional, expires_in } = Event::parse(&json::prompt(&choose)).unwrap() else {
        unreachable!()
    };
    assert_eq!((of.join(" "), optional, expires_in), ("x y".into(), true, seconds(6)));

    let tell = Prompt::Tell { layer: "l", step: "s", shows: vec![("glyph", "🚪".into())] };
    let Event::Tell { shows, .. } = Event::parse(&json::prompt(&tell)).unwrap() else { unreachable!() };
    assert_eq!(shows, [("glyph".into(), "🚪".into())]);

    let wait =
        Prompt::Wait { layer: "l", step: "s", shows: vec![("for", "approval".into())], expires_in: seconds(300) };
    let Event::Wait { shows, expires_in, .. } = Event::parse(&json::prompt(&wait)).unwrap() else { unreachable!() };
    assert_eq!((shows, expires_in), (vec![("for".into(), "approval".into())], seconds(300)));

    let bob = Subject { kind: "member".into(), pk: "7".into(), uuid: "bob".into() };
    let text = json::admitted(SocketId::from_bytes([1; 16]), Some(&bob), "hub", Some(Timestamp::from_secs(0)));
    let Event::Admitted { socket, subject, backend, expires_at } = Event::parse(&text).unwrap() else { unreachable!() };
    assert_eq!((socket, subject, &*backend), ("01".repeat(16), Some(bob), "hub"));
    assert_eq!(expires_at.as_deref(), Some("1970-01-01T00:00:00.000Z"));

    for reason in CloseReason::ALL {
        let text = json::refused(*reason, seconds(1), TraceId::from_bytes([2; 16]));
        let Event::Refused { code, reason: name, reconnect, after, trace } = Event::parse(&text).unwrap() else {
            unreachable!()
        };
        assert_eq!((code, &*name, reconnect, after), (reason.code(), reason.name(), reason.reconnect(), seconds(1)));
        assert_eq!(trace, "02".repeat(16));
    }

    let id = raw("1");
    let text = json::subscribed("group", Some("3"), Some(&id));
    let Event::Subscribed { channel, pk, id: Some(echoed) } = Event::parse(&text).unwrap() else { unreachable!() };
    assert_eq!((&*channel, pk.as_deref(), echoed.get()), ("group", Some("3"), "1"));
    let text = json::unsubscribed("group", None, None);
    assert!(matches!(Event::parse(&text), Ok(Event::Unsubscribed { pk: None, id: None, .. })));
    assert!(matches!(Event::parse(&json::published(&id)), Ok(Event::Published { id: Some(id) }) if id.get() == "1"));
    let Event::Error { id: None, code, message } = Event::parse(&json::error(None, "c", "m")).unwrap() else {
        unreachable!()
    };
    assert_eq!((&*code, &*message), ("c", "m"));

    let (before, after) = json::message_parts("group", None);
    let Event::Message { channel, pk: None, message } = Event::parse(&format!("{before}{{ }}{after}")).unwrap() else {
        unreachable!()
    };
    assert_eq!((&*channel, message.get()), ("group", "{ }"));

    let later = r#"{"event":"gap","missed":3}"#;
    assert!(matches!(Event::parse(later), Ok(Event::Other { event, raw }) if event == "gap" && raw == later));
}

#[test]
fn a_client_refuses_an_event_that_lacks_what_it_needs() {
    assert!(matches!(Event::parse("{}"), Err(Malformed::Missing { field: "event", .. })));
    assert!(matches!(Event::parse(r#"{"event":"admitted"}"#), Err(Malformed::Missing { field: "socket", .. })));
    let unknown = r#"{"event":"refused","code":4401,"reason":"r","reconnect":"maybe","trace":""}"#;
    assert!(matches!(Event::parse(unknown), Err(Malformed::Unfit { field, .. }) if field == "reconnect"));
    let known = unknown.replace("maybe", "later");
    assert!(matches!(
        Event::parse(&known),
        Ok(Event::Refused { reconnect: Reconnect::Later, after: Duration::ZERO, .. })
    ));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_gate_reads_every_answer_that_a_client_writes(kind in "\\PC{1,20}", value in any::<String>(), name in "[a-z]{3}_.{0,5}") {
        let text = json::auth(&*kind, &[(&name, &value)]);
        let answer = json::answer(text.as_bytes()).unwrap();
        prop_assert_eq!(answer.kind(), Some(&*kind));
        prop_assert_eq!(answer.text(&name, "test"), Some(&*value));
        prop_assert!(answer.has_exactly(&[&name]));
    }

    #[test]
    fn a_hub_reads_every_request_that_a_client_writes(
        channel in "[^\\*\\?\\[\\]:\\p{Cc}]{1,60}",
        pk in proptest::option::of("[0-9a-zA-Z\\\\\"_.-]{1,40}"),
        id in any::<Option<u64>>(),
        payload in any::<String>(),
    ) {
        let payload = raw(&serde_json::to_string(&payload).unwrap());
        let text = json::publish(&channel, pk.as_deref(), id, &payload);
        let inbound = Inbound::parse(text.as_bytes()).unwrap();
        prop_assert_eq!(&*inbound.action, "publish");
        prop_assert_eq!(inbound.channel.as_deref(), Some(&*channel));
        prop_assert_eq!(inbound.pk.as_deref(), pk.as_deref());
        prop_assert_eq!(inbound.id.map(|id| id.get().to_owned()), id.map(|id| id.to_string()));
        prop_assert_eq!(inbound.message.map(RawValue::get), Some(payload.get()));
    }

    #[test]
    fn whatever_is_written_is_json(text in any::<String>(), name in any::<String>()) {
        let written = json::error(None, &name, &text);
        let read: serde_json::Value = serde_json::from_str(&written).unwrap();
        prop_assert_eq!((read["code"].as_str(), read["message"].as_str()), (Some(&*name), Some(&*text)));
    }
}
