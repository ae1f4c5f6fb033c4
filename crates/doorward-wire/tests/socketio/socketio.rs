//! What the common parsers of Socket.IO write is read, what is written here they write too, and what they refuse is refused.

use doorward_wire::{
    engineio::Revision,
    socketio::{self, Assembler, Malformed, Namespace, Packet},
};
use serde_json::{Value, json, value::RawValue};

use crate::vectors::{Stricter, bytes, section, shown};

const FILE: &str = include_str!("vectors/socketio.json");
const LIMIT: usize = 65_536;

/// What others take and a gate does not, by the text, and why: all of it is what no client sends.
const STRICTER: &[(&str, &str)] = &[
    ("", "UnknownType"),
    // Names that others keep for themselves only in protocol 5.
    (r#"2["connect"]"#, "ReservedEventName"),
    (r#"2["connect_error"]"#, "ReservedEventName"),
    (r#"2["disconnect"]"#, "ReservedEventName"),
    (r#"2["disconnecting"]"#, "ReservedEventName"),
    (r#"2["newListener"]"#, "ReservedEventName"),
    (r#"2["removeListener"]"#, "ReservedEventName"),
    (r#"2["\u0063onnect"]"#, "ReservedEventName"),
    (r"2[1]", "BadEventName"),
    (r#"2[""]"#, "BadEventName"),
    // What a gate alone sends.
    (r#"4"no""#, "NotFromAClient"),
    (r#"4{"message":"no"}"#, "NotFromAClient"),
    // Ids where there can be none, none where there has to be one, and others than clients count.
    ("01", "UnexpectedId"),
    ("0/default,1", "UnexpectedId"),
    ("1/default,1", "UnexpectedId"),
    ("3[]", "MissingId"),
    (r#"61-[{"_placeholder":true,"num":0}]"#, "MissingId"),
    (r#"2007["a"]"#, "BadId"),
    (r#"29007199254740992["a"]"#, "BadId"),
    // Data that is not there, or that protocol 4 does not have.
    ("2", "NotJson"),
    ("2/default,", "NotJson"),
    (r#"2/default["a"]"#, "NotJson"),
    ("31", "NotJson"),
    ("0{}", "UnexpectedData"),
    ("0[]", "UnexpectedData"),
    ("0null", "UnexpectedData"),
    (r#"0/default,{"token":"a"}"#, "UnexpectedData"),
    // The query of a namespace, which protocol 5 does not have.
    ("0/default?a=b,", "BadNamespace"),
    ("0/a?b", "BadNamespace"),
    // White space that JavaScript takes for a zero.
    (r#"2 ["a"]"#, "Unfit"),
    // Data at which other parsers throw.
    (r#"2["a","\ud800"]"#, "HalfACharacter"),
    // Placeholders that parsers read in different ways, or not at all.
    (r#"51-["a",{"_placeholder":true,"num":0.5}]"#, "BadPlaceholder"),
    (r#"51-["a",{"_placeholder":false,"num":0}]"#, "BadPlaceholder"),
    (r#"51-["a",{"_placeholder":true,"num":0,"num":0}]"#, "BadPlaceholder"),
    (r#"51-["a",{"_placeholder":true,"num":0,"x":1}]"#, "BadPlaceholder"),
    (r#"52-["a",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]"#, "NotOnePlaceholder"),
    (r#"51-["a"]"#, "NotOnePlaceholder"),
];

#[test]
fn what_the_common_parsers_write_is_read() {
    for case in section(FILE, "packets") {
        let read = read(&case);
        match case["packet"]["type"].as_u64() {
            Some(4) => assert_eq!(read, Err(Malformed::NotFromAClient)),
            _ => assert_eq!(read, Ok(case["packet"].clone())),
        }
    }
}

#[test]
fn what_a_gate_says_is_written_as_the_common_parsers_do() {
    let mut count = 0;
    for case in section(FILE, "packets") {
        let (revision, packet) = (revision(&case), &case["packet"]);
        let Ok(namespace) = Namespace::new(packet["nsp"].as_str().unwrap()) else { continue };
        let text = case["messages"][0].as_str().unwrap();
        let data = packet.get("data");
        let written = match packet["type"].as_u64().unwrap() {
            0 => match (revision, data.map(|data| data["sid"].as_str())) {
                (Revision::Three, None) => socketio::connected(revision, namespace, ""),
                (Revision::Four, Some(Some(sid))) => socketio::connected(revision, namespace, sid),
                // What only a client says.
                _ => continue,
            },
            1 => socketio::disconnect(namespace),
            4 => refusal(revision, namespace, data.unwrap()),
            _ => match Packet::read(revision, text).unwrap() {
                Packet::Event(event) => {
                    socketio::event(namespace, event.id, &event.name, &event.arguments, event.attachments)
                }
                Packet::Ack(ack) => socketio::ack(namespace, ack.id, &ack.arguments, ack.attachments),
                other => panic!("{other:?}"),
            },
        };
        assert_eq!(written, text);
        count += 1;
    }
    assert!(count > 30, "{count} are compared");
}

#[test]
fn what_the_common_parsers_refuse_is_refused_and_more() {
    let mut stricter = Stricter::new(STRICTER);
    for case in section(FILE, "packets_read") {
        let name = case["messages"][0].as_str().unwrap_or("bytes");
        stricter.compare(name, &case["packet"], read(&case));
    }
    stricter.all_were_met();
}

fn revision(case: &Value) -> Revision {
    match case["protocol"].as_u64() {
        Some(4) => Revision::Three,
        Some(5) => Revision::Four,
        other => panic!("{other:?} is no protocol"),
    }
}

fn refusal(revision: Revision, namespace: Namespace<'_>, data: &Value) -> String {
    let raw = |data: &Value| RawValue::from_string(data.to_string()).unwrap();
    match (data.as_str(), data["message"].as_str()) {
        (Some(message), _) => socketio::connect_error(revision, namespace, message, None),
        (None, Some(message)) => {
            let data = data.get("data").map(raw);
            socketio::connect_error(revision, namespace, message, data.as_deref())
        }
        (None, None) => socketio::connect_error(revision, namespace, "", Some(&raw(data))),
    }
}

/// Reads the messages of a case, and shows the packet as the other parser does.
fn read(case: &Value) -> Result<Value, Malformed> {
    let mut assembler = Assembler::new(revision(case), LIMIT);
    let mut read = Value::Null;
    for message in case["messages"].as_array().unwrap() {
        if let Some(bytes) = bytes(message) {
            if let Some(whole) = assembler.binary(&bytes)? {
                read = show(&whole.packet()?, whole.attachments());
            }
        } else if let Some(packet) = assembler.text(message.as_str().unwrap())? {
            read = show(&packet, &[]);
        }
    }
    Ok(read)
}

fn show(packet: &Packet<'_>, attachments: &[Vec<u8>]) -> Value {
    let mut shown = json!({ "nsp": packet.namespace().as_str() });
    let value = |raw: &RawValue| serde_json::from_str::<Value>(raw.get()).unwrap();
    let (digit, id, data) = match packet {
        Packet::Connect { query, auth, .. } => {
            if let Some(query) = query {
                shown["nsp"] = json!(format!("{}?{query}", packet.namespace()));
            }
            (0, None, auth.map(value))
        }
        Packet::Disconnect { .. } => (1, None, None),
        Packet::Event(event) => {
            let arguments = event.arguments.iter().map(|raw| value(raw));
            (2, event.id, Some([json!(event.name)].into_iter().chain(arguments).collect()))
        }
        Packet::Ack(ack) => (3, Some(ack.id), Some(ack.arguments.iter().map(|raw| value(raw)).collect())),
    };
    shown["type"] = json!(digit);
    if let Some(id) = id {
        shown["id"] = json!(id);
    }
    if let Some(mut data) = data {
        if !attachments.is_empty() {
            attach(&mut data, attachments);
        }
        shown["data"] = data;
    }
    shown
}

fn attach(data: &mut Value, attachments: &[Vec<u8>]) {
    if data.get("_placeholder") == Some(&json!(true)) {
        let number = usize::try_from(data["num"].as_u64().unwrap()).unwrap();
        *data = shown(&attachments[number]);
        return;
    }
    match data {
        Value::Array(values) => values.iter_mut().for_each(|value| attach(value, attachments)),
        Value::Object(members) => members.values_mut().for_each(|value| attach(value, attachments)),
        _ => {}
    }
}
