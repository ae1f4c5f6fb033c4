use doorward_wire::{
    engineio::Revision,
    socketio::{self, ARGUMENTS, ATTACHMENTS, Assembler, HIGHEST_ID, Malformed, Packet, may_name_an_event},
};
use serde_json::{Value, value::RawValue};

const LIMIT: usize = 256;

/// Packets of Socket.IO and their attachments: at most the limit is held, and nothing between packets or after a refusal; what is
/// read says what another JSON parser reads in it, and is the same when it is written again.
///
/// The first byte of `data` says the protocol; the messages end at each `0x1e`, and one that begins with `0x1d` is of bytes.
pub fn socketio_packets(data: &[u8]) {
    let Some((&way, messages)) = data.split_first() else { return };
    let revision = if way & 1 == 0 { Revision::Three } else { Revision::Four };
    let mut assembler = Assembler::new(revision, LIMIT);
    for message in messages.split(|byte| *byte == 0x1e) {
        let outcome = take(&mut assembler, revision, message);
        assert!(assembler.held() <= LIMIT, "{} bytes are held", assembler.held());
        if outcome.is_err() || assembler.is_between_packets() {
            assert_eq!((assembler.held(), assembler.is_between_packets()), (0, true), "something is left");
        }
    }
}

fn take(assembler: &mut Assembler, revision: Revision, message: &[u8]) -> Result<(), Malformed> {
    if let Some(bytes) = message.strip_prefix(&[0x1d]) {
        if let Some(whole) = assembler.binary(bytes)? {
            let packet = whole.packet()?;
            assert_eq!(packet.attachments(), whole.attachments().len(), "an attachment is missing");
            check(revision, &packet);
        }
    } else if let Ok(text) = std::str::from_utf8(message)
        && let Some(packet) = assembler.text(text)?
    {
        assert_eq!(packet.attachments(), 0, "an attachment is not waited for");
        check(revision, &packet);
    }
    Ok(())
}

fn check(revision: Revision, packet: &Packet<'_>) {
    assert!(packet.attachments() <= ATTACHMENTS, "too many attachments");
    let (arguments, written) = match packet {
        Packet::Connect { namespace, query, auth } => {
            assert!(!namespace.as_str().contains(['?', ',']), "a namespace has an end in it");
            match revision {
                Revision::Three => assert!(auth.is_none()),
                Revision::Four => assert!(query.is_none()),
            }
            assert!(auth.is_none_or(|auth| auth.get().starts_with('{')), "an auth is no object");
            return;
        }
        Packet::Disconnect { namespace } => {
            let written = socketio::disconnect(*namespace);
            assert_eq!(Packet::read(revision, &written).map(|again| again.namespace()), Ok(*namespace));
            return;
        }
        Packet::Event(event) => {
            assert!(may_name_an_event(&event.name), "a name is not allowed");
            assert!(event.id.is_none_or(|id| id <= HIGHEST_ID), "an id is too high");
            let written = socketio::event(event.namespace, event.id, &event.name, &event.arguments, event.attachments);
            (&event.arguments, written)
        }
        Packet::Ack(ack) => (&ack.arguments, socketio::ack(ack.namespace, ack.id, &ack.arguments, ack.attachments)),
    };
    assert!(arguments.len() <= ARGUMENTS, "too many arguments");
    let list = serde_json::from_str::<Vec<&RawValue>>(&format!("[{}]", arguments.text()))
        .map(|list| list.iter().map(|raw| raw.get().to_owned()).collect::<Vec<_>>());
    let each: Vec<String> = arguments.iter().map(|raw| raw.get().to_owned()).collect();
    assert!(list.is_ok_and(|list| list == each), "the text of the arguments is not they");

    let again = Packet::read(revision, &written);
    assert!(again.is_ok(), "not readable again: {written}");
    let Ok(again) = again else { return };
    assert_eq!((again.namespace(), again.attachments()), (packet.namespace(), packet.attachments()));
    match (packet, &again) {
        (Packet::Event(event), Packet::Event(again)) => {
            assert_eq!((&event.name, event.id), (&again.name, again.id));
            assert!(placeholders_are_numbered(&again.arguments, again.attachments), "a placeholder is not one");
        }
        (Packet::Ack(ack), Packet::Ack(again)) => {
            assert_eq!(ack.id, again.id);
            assert!(placeholders_are_numbered(&again.arguments, again.attachments), "a placeholder is not one");
        }
        (Packet::Connect { .. } | Packet::Disconnect { .. } | Packet::Event(_) | Packet::Ack(_), _) => {
            assert!(std::mem::discriminant(packet) == std::mem::discriminant(&again), "it became another packet");
        }
    }
}

/// As another parser puts the attachments in: each at one place.
fn placeholders_are_numbered(arguments: &[&RawValue], attachments: usize) -> bool {
    let values: Result<Vec<Value>, _> = arguments.iter().map(|raw| serde_json::from_str(raw.get())).collect();
    // The other parser stops at huge numbers.
    let Ok(values) = values else { return true };
    let mut numbers = Vec::new();
    values.iter().for_each(|value| numbers_in(value, &mut numbers));
    numbers.sort_unstable();
    attachments == 0 || numbers == (0..attachments as u64).collect::<Vec<_>>()
}

fn numbers_in(value: &Value, numbers: &mut Vec<u64>) {
    if value.get("_placeholder") == Some(&Value::Bool(true)) {
        numbers.push(value.get("num").and_then(Value::as_u64).unwrap_or(u64::MAX));
        return;
    }
    match value {
        Value::Array(values) => values.iter().for_each(|value| numbers_in(value, numbers)),
        Value::Object(members) => members.values().for_each(|value| numbers_in(value, numbers)),
        _ => {}
    }
}
