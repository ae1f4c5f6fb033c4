//! What is written is read again, whatever it is.

use doorward_wire::{
    engineio::{self, Revision, payload},
    socketio::{self, ATTACHMENTS, Assembler, HIGHEST_ID, Namespace, Packet},
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::{Value, value::RawValue};

fn revision() -> impl Strategy<Value = Revision> {
    select(vec![Revision::Three, Revision::Four])
}

/// A packet of Engine.IO that owns what it says.
fn packet() -> impl Strategy<Value = (u8, String, Vec<u8>)> {
    (0_u8..8, "[^\x1e]{0,12}", vec(any::<u8>(), 0..40))
}

fn borrowed((sort, text, bytes): &(u8, String, Vec<u8>)) -> engineio::Packet<'_> {
    match sort {
        0 => engineio::Packet::Open(text),
        1 => engineio::Packet::Close,
        2 => engineio::Packet::Ping(text),
        3 => engineio::Packet::Pong(text),
        4 => engineio::Packet::Message(text),
        5 => engineio::Packet::Upgrade,
        6 => engineio::Packet::Noop,
        _ => engineio::Packet::Binary(bytes.into()),
    }
}

fn namespace() -> impl Strategy<Value = String> {
    select(vec!["/", "/default", "/a/b", "/12", "/grün-🚪"]).prop_map(str::to_owned)
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-z\"\\\\]{0,4}", inner, 0..4).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

fn raw(value: &Value) -> Box<RawValue> {
    RawValue::from_string(value.to_string()).unwrap()
}

fn values(arguments: &[&RawValue]) -> Vec<Value> {
    arguments.iter().map(|raw| serde_json::from_str(raw.get()).unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_payload_is_read_as_it_was_written(
        revision in revision(),
        takes_bytes: bool,
        packets in vec(packet(), 1..20),
    ) {
        let packets: Vec<_> = packets.iter().map(borrowed).collect();
        let written = payload::write(revision, takes_bytes, &packets).unwrap();
        let is_text = matches!(written, payload::Payload::Text(_));
        let body = written.into_bytes();
        let read = if is_text { payload::read_text(revision, &body) } else { payload::read_binary(&body) };
        prop_assert_eq!(read, Ok(packets));
    }

    #[test]
    fn an_event_and_an_acknowledgement_are_read_as_they_were_written(
        namespace in namespace(),
        id in option::of(0..=HIGHEST_ID),
        name in ".{1,40}",
        arguments in vec(json(), 0..6),
    ) {
        let namespace = Namespace::new(&namespace).unwrap();
        let raws: Vec<_> = arguments.iter().map(raw).collect();
        let raws: Vec<&RawValue> = raws.iter().map(|raw| &**raw).collect();

        let text = socketio::event(namespace, id, &name, &raws, 0);
        let Ok(Packet::Event(event)) = Packet::read(Revision::Four, &text) else { panic!("{text}") };
        prop_assert_eq!((event.namespace, event.id, &*event.name), (namespace, id, &*name));
        prop_assert_eq!(values(&event.arguments), arguments.clone());
        if !raws.is_empty() {
            let (before, after) = socketio::event_parts(namespace, &name);
            let again = format!("{before}{}{after}", event.arguments.text());
            prop_assert_eq!(again, socketio::event(namespace, None, &name, &raws, 0));
        }

        let text = socketio::ack(namespace, id.unwrap_or(0), &raws, 0);
        let Ok(Packet::Ack(ack)) = Packet::read(Revision::Three, &text) else { panic!("{text}") };
        prop_assert_eq!((ack.namespace, ack.id), (namespace, id.unwrap_or(0)));
        prop_assert_eq!(values(&ack.arguments), arguments);
    }

    #[test]
    fn attachments_are_put_together_in_the_order_that_they_come_in_wherever_their_placeholders_stand(
        revision in revision(),
        contents in vec(vec(any::<u8>(), 0..20), 1..=ATTACHMENTS),
        keys in vec(any::<u32>(), ATTACHMENTS),
    ) {
        let mut numbers: Vec<usize> = (0..contents.len()).collect();
        numbers.sort_by_key(|number| keys[*number]);
        let placeholders: Vec<_> =
            numbers.iter().map(|number| raw(&serde_json::json!({ "_placeholder": true, "num": number }))).collect();
        let placeholders: Vec<&RawValue> = placeholders.iter().map(|raw| &**raw).collect();
        let text = socketio::event(Namespace::ROOT, Some(1), "upload", &placeholders, contents.len());

        let mut assembler = Assembler::new(revision, 4096);
        prop_assert!(assembler.text(&text).unwrap().is_none());
        let mut whole = None;
        for content in &contents {
            prop_assert!(whole.is_none(), "whole before its last attachment");
            whole = assembler.binary(content).unwrap();
        }
        let whole = whole.unwrap();
        prop_assert!(assembler.is_between_packets() && assembler.held() == 0);
        prop_assert_eq!(whole.attachments(), &contents[..]);
        let Ok(Packet::Event(event)) = whole.packet() else { panic!("{text}") };
        let found: Vec<_> = values(&event.arguments).iter().map(|value| value["num"].as_u64().unwrap()).collect();
        prop_assert_eq!(found, numbers.iter().map(|number| *number as u64).collect::<Vec<_>>());
    }
}
