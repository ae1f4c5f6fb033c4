//! What no client sends by accident.

use doorward_wire::{
    engineio::{self, Revision, payload},
    socketio::{ARGUMENTS, ATTACHMENTS, Assembler, Malformed, NAME, Namespace, Packet},
};

const LIMIT: usize = 1024;

fn refusal(text: &str) -> Malformed {
    Packet::read(Revision::Four, text).unwrap_err()
}

/// A packet that announces one attachment, with this in place of the placeholder.
fn with_placeholder(placeholder: &str) -> String {
    format!(r#"51-["a",{placeholder}]"#)
}

#[test]
fn c57_a_placeholder_that_names_no_attachment_is_refused_before_any_attachment_is_waited_for() {
    for number in
        ["-1", "1", "1e9", "1000000000", "\"0\"", "0.0", "0.5", "-0", "null", "true", "[0]", "18446744073709551616"]
    {
        let text = with_placeholder(&format!(r#"{{"_placeholder":true,"num":{number}}}"#));
        let mut assembler = Assembler::new(Revision::Four, LIMIT);
        assert_eq!(assembler.text(&text).unwrap_err(), Malformed::BadPlaceholder, "{number}");
        assert_eq!((assembler.held(), assembler.is_between_packets()), (0, true));
    }
    for placeholder in [
        r#"{"_placeholder":true}"#,
        r#"{"_placeholder":false,"num":0}"#,
        r#"{"_placeholder":1,"num":0}"#,
        r#"{"_placeholder":true,"num":0,"num":0}"#,
        r#"{"_placeholder":true,"_placeholder":true,"num":0}"#,
        r#"{"_placeholder":true,"num":0,"x":[]}"#,
        r#"{"x":{"_placeholder":true,"num":0},"_placeholder":true,"num":0}"#,
    ] {
        assert_eq!(refusal(&with_placeholder(placeholder)), Malformed::BadPlaceholder, "{placeholder}");
    }
}

#[test]
fn c57_an_attachment_has_one_placeholder_wherever_it_stands() {
    for placeholder in [
        r#"{"_placeholder":true,"num":0}"#,
        r#"{ "num" : 0 , "_pl\u0061ceholder" : true }"#,
        r#"{"deep":[[{"x":{"_placeholder":true,"num":0}}]]}"#,
        r#"["{\"_placeholder\":true,\"num\":1}","_placeholder",{"_placeholder":true,"num":0}]"#,
    ] {
        let text = with_placeholder(placeholder);
        assert_eq!(Packet::read(Revision::Four, &text).unwrap().attachments(), 1, "{placeholder}");
    }
    let one = r#"{"_placeholder":true,"num":0}"#;
    assert_eq!(refusal(&with_placeholder("0")), Malformed::NotOnePlaceholder, "at no place");
    assert_eq!(refusal(&with_placeholder(&format!("{one},{one}"))), Malformed::NotOnePlaceholder, "at two");
    assert_eq!(refusal(&format!(r#"52-["a",{one}]"#)), Malformed::NotOnePlaceholder, "the second at none");
    let event = format!(r#"2["a",{one}]"#);
    assert_eq!(Packet::read(Revision::Four, &event).unwrap().attachments(), 0, "no attachment, no placeholder");
}

#[test]
fn c57_a_thousand_announced_attachments_are_refused_and_cost_nothing() {
    for count in ["11", "1000", "99999999999999999999999999"] {
        let mut assembler = Assembler::new(Revision::Four, LIMIT);
        let text = format!(r#"5{count}-["a",{{"_placeholder":true,"num":0}}]"#);
        assert_eq!(assembler.text(&text).unwrap_err(), Malformed::TooManyAttachments { limit: ATTACHMENTS });
        assert_eq!(assembler.held(), 0);
    }
    for text in [r#"50-["a"]"#, r#"5["a"]"#, r#"5-["a"]"#, r#"501-["a"]"#, r#"5-1-["a"]"#, r#"5+1-["a"]"#, "51", "6"] {
        assert_eq!(refusal(text), Malformed::BadAttachments, "{text}");
    }
}

#[test]
fn c24_attachments_are_held_up_to_the_limit_and_no_more_of_them_than_have_come() {
    let text = r#"52-["a",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#;
    let mut assembler = Assembler::new(Revision::Four, LIMIT);
    assert!(assembler.text(text).unwrap().is_none());
    assert_eq!(assembler.held(), text.len(), "only what has come");
    assert!(assembler.binary(&[7; 100]).unwrap().is_none());
    assert_eq!(assembler.held(), text.len() + 100);
    let left = LIMIT - text.len() - 100;
    let whole = assembler.binary(&vec![8; left]).unwrap().unwrap();
    assert_eq!(whole.attachments().iter().map(Vec::len).collect::<Vec<_>>(), [100, left], "just the limit");

    assembler.text(text).unwrap();
    assembler.binary(&[7; 100]).unwrap();
    assert_eq!(assembler.binary(&vec![8; left + 1]).unwrap_err(), Malformed::TooBig { limit: LIMIT });
    assert_eq!((assembler.held(), assembler.is_between_packets()), (0, true));

    let long = format!(r#"51-["{}",{{"_placeholder":true,"num":0}}]"#, "\\u0061".repeat(NAME));
    assert_eq!(assembler.text(&long).unwrap_err(), Malformed::TooBig { limit: LIMIT }, "the text counts");
}

#[test]
fn attachments_come_right_after_their_packet_and_nothing_else_does() {
    let text = with_placeholder(r#"{"_placeholder":true,"num":0}"#);
    let mut assembler = Assembler::new(Revision::Four, LIMIT);
    assert_eq!(assembler.binary(b"x").unwrap_err(), Malformed::UnexpectedBinary);
    assembler.text(&text).unwrap();
    assert_eq!(assembler.text("1").unwrap_err(), Malformed::TextAmongAttachments { missing: 1 });
    assert_eq!(assembler.binary(b"x").unwrap_err(), Malformed::UnexpectedBinary, "what was awaited is dropped");
    assert!(assembler.text("1").unwrap().is_some());
}

#[test]
fn c56_a_packet_is_refused_by_what_is_wrong_with_it() {
    use Malformed::*;
    let long = "x".repeat(NAME + 1);
    for (text, expected) in [
        ("", UnknownType),
        ("7", UnknownType),
        ("€", UnknownType),
        ("0[]", Unfit { expected: "an object" }),
        ("01{}", UnexpectedId),
        ("11", UnexpectedId),
        ("1{}", UnexpectedData),
        ("3[]", MissingId),
        ("31{}", Unfit { expected: "a list" }),
        (r#"2{"a":1}"#, Unfit { expected: "a list" }),
        (r#"2"a""#, Unfit { expected: "a list" }),
        ("2[]", BadEventName),
        (r#"2[""]"#, BadEventName),
        ("2[1]", BadEventName),
        (r#"2[["a"]]"#, BadEventName),
        (r#"2["disconnect"]"#, ReservedEventName),
        (r#"2["\u0063onnect"]"#, ReservedEventName),
        (r#"200["a"]"#, BadId),
        (r#"29007199254740992["a"]"#, BadId),
        (r#"299999999999999999999999["a"]"#, BadId),
        (r#"2["a","\ud800"]"#, HalfACharacter),
        (r#"0{"a":"\udc00"}"#, HalfACharacter),
        ("4{}", NotFromAClient),
        ("0/a?b,", BadNamespace),
        ("0/a\u{1e},", BadNamespace),
        ("0/a\u{85}", BadNamespace),
        (&format!("0/{long},"), BadNamespace),
        (&format!(r#"2["{long}"]"#), BadEventName),
        (&format!(r#"2["a",{}]"#, ["1"; ARGUMENTS + 1].join(",")), TooManyArguments { limit: ARGUMENTS }),
        (&format!("31[{}]", ["1"; ARGUMENTS + 1].join(",")), TooManyArguments { limit: ARGUMENTS }),
        (&format!(r#"2["a",{}{}]"#, "[".repeat(64), "]".repeat(64)), TooDeep { limit: 64 }),
        (&format!(r#"0{}1{}"#, r#"{"a":"#.repeat(65), "}".repeat(65)), TooDeep { limit: 64 }),
    ] {
        assert_eq!(refusal(text), expected, "{text}");
    }
    for text in
        ["2", "2[", r#"2["a""#, r#"2["a"]]"#, r#"2-1["a"]"#, "0default,", r#"2["a",01]"#, "2[\"a\u{1e}\"]", "0/a,{"]
    {
        assert!(matches!(refusal(text), NotJson { .. }), "{text}: {:?}", refusal(text));
    }
}

#[test]
fn what_stands_at_a_limit_is_read() {
    let name = "x".repeat(NAME);
    let namespace = format!("/{}", "n".repeat(NAME - 1));
    let arguments = ["1"; ARGUMENTS].join(",");
    let text = format!(r#"2{namespace},9007199254740991["{name}",{arguments}]"#);
    let Ok(Packet::Event(event)) = Packet::read(Revision::Four, &text) else { panic!("an event") };
    assert_eq!((event.namespace.as_str(), &*event.name), (&*namespace, &*name));
    assert_eq!((event.id, event.arguments.len()), (Some((1 << 53) - 1), ARGUMENTS));
    assert_eq!(event.arguments.text(), arguments);
    let deep = format!(r#"2["a",{}{}]"#, "[".repeat(63), "]".repeat(63));
    assert!(Packet::read(Revision::Four, &deep).is_ok());
}

#[test]
fn a_query_stands_in_the_namespace_of_protocol_4_alone() {
    let Ok(Packet::Connect { namespace, query, auth }) = Packet::read(Revision::Three, "0/default?token=a%2Cb?c,")
    else {
        panic!("a connect")
    };
    assert_eq!((namespace.as_str(), query), ("/default", Some("token=a%2Cb?c")));
    assert!(auth.is_none());
    assert_eq!(Packet::read(Revision::Three, "1/default?a=b,").unwrap_err(), Malformed::BadNamespace);
    assert_eq!(Packet::read(Revision::Three, r#"0/default,{"token":"a"}"#).unwrap_err(), Malformed::UnexpectedData);
}

#[test]
fn the_arguments_of_an_event_are_the_text_that_came() {
    let arguments = |text: &'static str| match Packet::read(Revision::Four, text).unwrap() {
        Packet::Event(event) => event.arguments.text(),
        Packet::Ack(ack) => ack.arguments.text(),
        other => panic!("{other:?}"),
    };
    assert_eq!(arguments(r#"2[ "a" , { "b" : 1 } , "]" ] "#), r#"{ "b" : 1 } , "]""#);
    assert_eq!(arguments(r#"2["a"]"#), "");
    assert_eq!(arguments("31[1.50,[2] ]"), "1.50,[2]");
    assert_eq!(arguments("31[ ]"), "");
}

#[test]
fn nothing_that_a_client_shows_is_printed() {
    let connect = Packet::read(Revision::Four, r#"0{"token":"hunter2"}"#).map(|packet| format!("{packet:?}"));
    let query = Packet::read(Revision::Three, "0/?token=hunter2").map(|packet| format!("{packet:?}"));
    let event = Packet::read(Revision::Four, r#"2["authentication",{"token":"hunter2"}]"#);
    let event = event.map(|packet| format!("{packet:?}"));
    let mut assembler = Assembler::new(Revision::Four, LIMIT);
    assembler.text(r#"51-["authentication","hunter2",{"_placeholder":true,"num":0}]"#).unwrap();
    let waiting = format!("{assembler:?}");
    let whole = format!("{:?}", assembler.binary(b"hunter2").unwrap());
    let message = format!("{:?}", engineio::Packet::from_text(Revision::Four, "4hunter2"));
    let written = payload::write(Revision::Four, false, &[engineio::Packet::Message("hunter2")]);
    for shown in [connect.unwrap(), query.unwrap(), event.unwrap(), waiting, whole, message, format!("{written:?}")] {
        assert!(!shown.contains("hunter2") && !shown.contains("104, 117"), "{shown}");
    }
    for text in [r#"2["a","hunter2"#, r#"2"hunter2""#, "2hunter2", r#"0"hunter2""#, "0/hunter2?,", "hunter2"] {
        let refusal = refusal(text);
        assert!(!format!("{refusal} {refusal:?}").contains("hunter2"), "{refusal:?}");
    }
}

#[test]
fn c56_a_payload_is_refused_as_a_whole_by_what_is_wrong_with_it() {
    use engineio::Malformed::*;
    const UNITS: engineio::Malformed = WrongLength { unit: "UTF-16 units" };
    let too_many = |one: &str, between: &str| vec![one; payload::PACKETS + 1].join(between);
    for (revision, body, refusal) in [
        (Revision::Four, "", EmptyPayload),
        (Revision::Four, "4a\x1e", Empty),
        (Revision::Four, "4a\x1e7", UnknownType),
        (Revision::Four, "4a\x1eb*", NotBase64),
        (Revision::Four, "4a\x1ebAQIDBB==", NotBase64),
        (Revision::Four, "4a\x1e5x", UnexpectedData { digit: '5' }),
        (Revision::Four, &too_many("2", "\x1e"), TooManyPackets { limit: 256 }),
        (Revision::Three, "", EmptyPayload),
        (Revision::Three, "2:4a0:", Empty),
        (Revision::Three, "2:4a3:b44", NotBase64),
        (Revision::Three, "2:4a2:b2", BinaryNotMessage),
        (Revision::Three, "2:4a4", BadLength),
        (Revision::Three, "2:4a:4a", BadLength),
        (Revision::Three, "2:4a02:4a", BadLength),
        (Revision::Three, "2:4a0000000002:4a", BadLength),
        (Revision::Three, "2:4a-2:4a", BadLength),
        (Revision::Three, "2:4a2:4", UNITS),
        (Revision::Three, "2:4🚪", UNITS),
        (Revision::Three, "999999999:4a", UNITS),
        (Revision::Three, &too_many("1:2", ""), TooManyPackets { limit: 256 }),
    ] {
        assert_eq!(payload::read_text(revision, body.as_bytes()), Err(refusal), "{body}");
    }
    assert_eq!(payload::read_text(Revision::Four, b"4a\xff"), Err(NotText { at: 2 }));

    let bytes = WrongLength { unit: "bytes" };
    for (body, refusal) in [
        (&b""[..], EmptyPayload),
        (&[0], BadLength),
        (&[0, 255], BadLength),
        (&[0, 1, 2], BadLength),
        (&[0, 10, 255], BadLength),
        (&[0, 0, 1, 255, b'2'], BadLength),
        (&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 255, b'2'], BadLength),
        (&[0, 9, 9, 9, 9, 9, 9, 9, 9, 9, 255, b'4'], bytes.clone()),
        (&[0, 2, 255, b'4'], bytes),
        (&[0, 2, 255, b'4', 0xc3], NotText { at: 1 }),
        (&[2, 1, 255, b'4'], UnknownForm),
        (&[1, 1, 255, 2], BinaryNotMessage),
        (&[1, 0, 255], BinaryNotMessage),
        (&[0, 0, 255], Empty),
        (&[0, 1, 255, b'2'].repeat(payload::PACKETS + 1), TooManyPackets { limit: 256 }),
    ] {
        assert_eq!(payload::read_binary(body), Err(refusal), "{body:?}");
    }
}

#[test]
fn a_payload_at_the_limit_is_read() {
    for (revision, body) in
        [(Revision::Three, "1:2".repeat(payload::PACKETS)), (Revision::Four, vec!["2"; payload::PACKETS].join("\x1e"))]
    {
        assert_eq!(payload::read_text(revision, body.as_bytes()).unwrap().len(), payload::PACKETS);
    }
}

#[test]
fn what_would_be_read_as_two_packets_is_not_written() {
    let packets = [engineio::Packet::Message("2[\"a\"]\x1e42[\"forged\"]")];
    assert_eq!(payload::write(Revision::Four, false, &packets), Err(engineio::Malformed::Separator));
    let bytes = [engineio::Packet::Binary(vec![0x1e; 9].into())];
    assert!(payload::write(Revision::Four, false, &bytes).is_ok(), "base64 has none");
    assert!(payload::write(Revision::Three, false, &packets).is_ok(), "lengths need none");
}

#[test]
fn a_payload_of_nothing_is_not_written() {
    for revision in [Revision::Three, Revision::Four] {
        assert_eq!(payload::write(revision, true, &[]), Err(engineio::Malformed::EmptyPayload));
    }
}

#[test]
fn between_packets_an_assembler_is_three_words() {
    assert_eq!(size_of::<Assembler>(), 3 * size_of::<usize>());
}

#[test]
fn a_namespace_holds_nothing_that_ends_it() {
    for name in ["", "default", "/a,b", "/a?b", "/a\n", "/a\u{1e}", &format!("/{}", "x".repeat(NAME))] {
        assert_eq!(Namespace::new(name), Err(Malformed::BadNamespace), "{name}");
    }
    for name in ["/", "/default", "/a/b c-d:e", "/grün", &format!("/{}", "x".repeat(NAME - 1))] {
        assert_eq!(Namespace::new(name).map(Namespace::as_str), Ok(name));
    }
}
