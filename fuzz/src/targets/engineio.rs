use doorward_wire::engineio::{
    Malformed, Packet, Revision,
    payload::{self, Payload},
};

/// Bodies of long-polling: what is read can be written and read again, there is never more of it than came, and the bytes of a text
/// are pieces of the body.
///
/// The first byte of `data` says the revision and the form.
pub fn engineio_payload(data: &[u8]) {
    let Some((&way, body)) = data.split_first() else { return };
    let (revision, read) = match way % 3 {
        0 => (Revision::Three, payload::read_text(Revision::Three, body)),
        1 => (Revision::Three, payload::read_binary(body)),
        _ => (Revision::Four, payload::read_text(Revision::Four, body)),
    };
    let Ok(packets) = read else { return };
    assert!(!packets.is_empty() && packets.len() <= payload::PACKETS, "{} packets", packets.len());
    let length: usize = packets.iter().map(|packet| 1 + length(packet)).sum();
    assert!(length <= 2 * body.len(), "{length} bytes of {}", body.len());

    for takes_bytes in [false, true] {
        let written = payload::write(revision, takes_bytes, &packets);
        let again = match &written {
            Ok(Payload::Text(text)) => payload::read_text(revision, text.as_bytes()),
            Ok(Payload::Binary(bytes)) => payload::read_binary(bytes),
            Err(refusal) => Err(refusal.clone()),
        };
        assert_eq!(again.as_ref(), Ok(&packets), "written again it is not what was read");
    }
    let other = payload::write(Revision::Four, false, &packets);
    let holds_a_separator = packets.iter().any(|packet| text(packet).contains('\x1e'));
    assert_eq!(other.err(), holds_a_separator.then_some(Malformed::Separator));
}

fn length(packet: &Packet<'_>) -> usize {
    match packet {
        Packet::Binary(bytes) => bytes.len(),
        packet => text(packet).len(),
    }
}

fn text<'a>(packet: &Packet<'a>) -> &'a str {
    match packet {
        Packet::Open(text) | Packet::Ping(text) | Packet::Pong(text) | Packet::Message(text) => text,
        Packet::Binary(_) | Packet::Close | Packet::Upgrade | Packet::Noop => "",
    }
}
