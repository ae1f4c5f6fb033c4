//! The packets of long-polling as the frames of a WebSocket, and back.

use doorward_wire::{
    engineio::{
        Malformed, Packet, Revision, binary_prefix,
        payload::{self, Payload},
    },
    websocket::{Decoder, Event, Input, Limits, MessageKind, frame},
};

/// The close code of a client that ends its session by a packet.
const NORMAL: u16 = 1000;

/// The mask of the frames that POSTs are turned into: a client's frames have one, and nobody is in between who could be confused.
const NO_MASK: Option<[u8; 4]> = Some([0; 4]);

/// The packets of a POST, by its content type.
pub(super) fn packets(revision: Revision, is_binary: bool, body: &[u8]) -> Result<Vec<Packet<'_>>, Malformed> {
    match (revision, is_binary) {
        (Revision::Three, true) => payload::read_binary(body),
        _ => payload::read_text(revision, body),
    }
}

/// The frames that a client would have sent over a WebSocket.
pub(super) fn of_client(revision: Revision, packets: &[Packet<'_>]) -> Vec<u8> {
    let mut frames = Vec::new();
    for packet in packets {
        match packet {
            Packet::Binary(bytes) => {
                let bytes = [binary_prefix(revision), bytes].concat();
                frame::write(frame::Opcode::Binary, &bytes, NO_MASK, &mut frames);
            }
            Packet::Close => frame::write(frame::Opcode::Close, &NORMAL.to_be_bytes(), NO_MASK, &mut frames),
            packet => {
                let mut text = String::new();
                packet.write_text(revision, &mut text);
                frame::write(frame::Opcode::Text, text.as_bytes(), NO_MASK, &mut frames);
            }
        }
    }
    frames
}

/// The frame of a client that says what is no packet: whoever reads it ends the session.
pub(super) fn of_no_packet() -> Vec<u8> {
    let mut frames = Vec::new();
    frame::write(frame::Opcode::Text, b"?", NO_MASK, &mut frames);
    frames
}

/// What a client can read of a payload.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reads {
    pub(super) revision: Revision,
    /// Whether it reads one of bytes.
    pub(super) bytes: bool,
}

impl Reads {
    pub(super) fn payload(self, packets: &[Packet<'_>]) -> Payload {
        payload::write(self.revision, self.bytes, packets).unwrap_or_else(|error| {
            // Everything that is written here is JSON, in which the separator is escaped.
            tracing::error!(%error, "a packet could not be put into a payload");
            Payload::Text("1".to_owned())
        })
    }

    /// What whole frames of a server say.
    pub(super) fn payload_of(self, mut frames: Vec<u8>) -> Payload {
        let mut decoder = Decoder::client(Limits { message: usize::MAX });
        let mut input = Input::new(&mut frames);
        let mut said = Vec::new();
        while let Ok(Some(event)) = decoder.next(&mut input) {
            match event {
                Event::Message(message) => said.push((message.kind, message.payload.to_vec())),
                // Clients drop what came with the end of the session, also that they are not to come again. Where there is more to
                // say, they learn of it by their next GET.
                Event::Close(_) if !said.is_empty() => {}
                Event::Close(_) => said.push((MessageKind::Text, b"1".to_vec())),
                Event::Fragment | Event::Ping(_) | Event::Pong(_) => {}
            }
        }
        let packets = said.iter().filter_map(|(kind, bytes)| match kind {
            MessageKind::Text => Packet::from_text(self.revision, std::str::from_utf8(bytes).ok()?).ok(),
            MessageKind::Binary => Packet::from_binary(self.revision, bytes).ok(),
        });
        self.payload(&packets.collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests {
    use doorward_types::CloseReason;

    use super::*;

    const FOUR: Reads = Reads { revision: Revision::Four, bytes: true };
    const THREE: Reads = Reads { revision: Revision::Three, bytes: true };

    fn text(reads: Reads, frames: &[&[u8]]) -> String {
        match reads.payload_of(frames.concat()) {
            Payload::Text(text) => text,
            Payload::Binary(bytes) => panic!("{bytes:?}"),
        }
    }

    #[test]
    fn frames_become_packets_in_their_order() {
        let (one, two) = (frame::text(b"42[\"one\"]"), frame::text(b"2"));
        assert_eq!(text(FOUR, &[&one, &two]), "42[\"one\"]\x1e2");
        assert_eq!(text(FOUR, &[&one, &frame::binary(&[1, 2, 3])]), "42[\"one\"]\x1ebAQID");
        let bytes = [binary_prefix(Revision::Three), &[1, 2, 3]].concat();
        assert!(matches!(THREE.payload_of(frame::binary(&bytes).to_vec()), Payload::Binary(_)));
        assert_eq!(text(Reads { bytes: false, ..THREE }, &[&frame::binary(&bytes)]), "6:b4AQID");
    }

    #[test]
    fn the_end_of_a_session_goes_alone_or_not_at_all() {
        let close = frame::close(CloseReason::SessionEnded);
        assert_eq!(text(FOUR, &[&close]), "1");
        assert_eq!(text(FOUR, &[&frame::text(b"41"), &close]), "41", "a client would drop what comes with it");
    }

    #[test]
    fn what_was_posted_reads_as_it_would_over_a_websocket() {
        let posted = packets(Revision::Four, false, b"42[1]\x1ebAQID\x1e1").unwrap();
        let mut frames = of_client(Revision::Four, &posted);
        let mut decoder = Decoder::server(Limits { message: 100 });
        let mut input = Input::new(&mut frames);
        assert!(matches!(decoder.next(&mut input), Ok(Some(Event::Message(message))) if message.payload == b"42[1]"));
        assert!(matches!(decoder.next(&mut input), Ok(Some(Event::Message(message))) if message.payload == [1, 2, 3]));
        assert!(matches!(decoder.next(&mut input), Ok(Some(Event::Close(close))) if close.code == Some(NORMAL)));
    }

    #[test]
    fn a_payload_of_bytes_is_of_the_older_revision_alone() {
        let body = [0, 2, 255, b'4', b'2'];
        assert_eq!(packets(Revision::Three, true, &body).unwrap(), [Packet::Message("2")]);
        assert!(packets(Revision::Four, true, &body).is_err());
        assert!(packets(Revision::Three, false, &body).is_err());
    }
}
