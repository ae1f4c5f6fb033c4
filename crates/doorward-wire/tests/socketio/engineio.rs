//! What the common parsers of Engine.IO write is read, what is written here they read, and what they refuse is refused.

use doorward_wire::engineio::{
    Packet, Revision, binary_prefix,
    payload::{self, Payload},
};
use serde_json::{Value, json};

use crate::vectors::{Stricter, bytes, section, shown};

const FILE: &str = include_str!("vectors/engineio.json");

/// What others take and a gate does not, by the body (of bytes, in base64), and why: all of it is what no client sends.
const STRICTER: &[(&str, &str)] = &[
    // Lengths that only JavaScript takes for numbers.
    ("06:4hello", "BadLength"),
    ("1e0:4", "BadLength"),
    ("0x1:4", "BadLength"),
    (" 1:4", "BadLength"),
    ("+1:4", "BadLength"),
    ("1.0:4", "BadLength"),
    // A packet of nothing, which they pass over.
    ("0:", "Empty"),
    // Base64 with something missing, or with something else in it.
    ("8:b4AQIDBA", "NotBase64"),
    ("bAQIDBA", "NotBase64"),
    ("b!", "NotBase64"),
    // A ping of bytes.
    ("6:b2AQID", "BinaryNotMessage"),
    ("AQH/Ag==", "BinaryNotMessage"),
    // Data that nobody reads.
    ("2:1x", "UnexpectedData"),
    ("1x", "UnexpectedData"),
    // A body of nothing.
    ("", "EmptyPayload"),
    // Lengths that are not those of the bytes, which they cut short.
    ("AQT/BAEC", "WrongLength"),
    ("AAkJCQkJCQkJCf80", "WrongLength"),
    ("AAEA/zQ=", "WrongLength"),
];

#[test]
fn a_packet_is_written_and_read_as_the_common_parsers_do() {
    for case in section(FILE, "packets") {
        let (revision, packet) = (revision(&case), read(&case["packet"]));
        let text = case["text"].as_str().unwrap();
        let mut written = String::new();
        packet.write_text(revision, &mut written);
        assert_eq!(written, text);
        assert_eq!(Packet::from_text(revision, text), Ok(packet.clone()), "{text}");

        let Some(message) = bytes(&case["message"]) else {
            assert_eq!(case["message"], text);
            continue;
        };
        let Packet::Binary(data) = &packet else { panic!("{packet:?} is bytes") };
        assert_eq!([binary_prefix(revision), data].concat(), message);
        assert_eq!(Packet::from_binary(revision, &message), Ok(packet));
    }
}

#[test]
fn a_payload_is_written_and_read_as_the_common_parsers_do() {
    for case in section(FILE, "payloads") {
        let revision = revision(&case);
        let packets: Vec<Packet<'_>> = case["packets"].as_array().unwrap().iter().map(read).collect();
        let written = payload::write(revision, case["takes_bytes"] == true, &packets).unwrap();
        let again = match &written {
            Payload::Text(text) => {
                assert_eq!(case["body"], **text);
                payload::read_text(revision, text.as_bytes())
            }
            Payload::Binary(body) => {
                assert_eq!(case["body"], shown(body));
                payload::read_binary(body)
            }
        };
        assert_eq!(again, Ok(packets));
    }
}

#[test]
fn what_the_common_parsers_refuse_is_refused_and_more() {
    let mut stricter = Stricter::new(STRICTER);
    for case in section(FILE, "payloads_read") {
        let body = bytes(&case["body"]);
        let name = case["body"].as_str().or_else(|| case["body"]["base64"].as_str()).unwrap();
        let ours = match &body {
            Some(body) => payload::read_binary(body),
            None => payload::read_text(revision(&case), name.as_bytes()),
        };
        stricter.compare(name, &case["packets"], ours.map(|packets| packets.iter().map(show).collect()));
    }
    stricter.all_were_met();
}

fn revision(case: &Value) -> Revision {
    Revision::from_query(&case["revision"].to_string()).unwrap()
}

fn read(packet: &Value) -> Packet<'_> {
    if let Some(bytes) = packet.get("data").and_then(bytes) {
        return Packet::Binary(bytes.into());
    }
    let data = packet.get("data").map_or("", |data| data.as_str().unwrap());
    match packet["type"].as_str().unwrap() {
        "open" => Packet::Open(data),
        "close" => Packet::Close,
        "ping" => Packet::Ping(data),
        "pong" => Packet::Pong(data),
        "message" => Packet::Message(data),
        "upgrade" => Packet::Upgrade,
        "noop" => Packet::Noop,
        other => panic!("{other} is no type"),
    }
}

fn show(packet: &Packet<'_>) -> Value {
    let (name, data) = match packet {
        Packet::Open(data) => ("open", *data),
        Packet::Close => ("close", ""),
        Packet::Ping(data) => ("ping", *data),
        Packet::Pong(data) => ("pong", *data),
        Packet::Message(data) => ("message", *data),
        Packet::Upgrade => ("upgrade", ""),
        Packet::Noop => ("noop", ""),
        Packet::Binary(data) => return json!({ "type": "message", "data": shown(data) }),
    };
    if data.is_empty() { json!({ "type": name }) } else { json!({ "type": name, "data": data }) }
}
