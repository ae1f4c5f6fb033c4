use doorward_wire::websocket::{
    CloseFrame, Decoder, Event, FrameTracker, Input, Limits, Message, MessageKind, Violation,
    frame::{self, Opcode},
};

use super::cut;

const LIMITS: Limits = Limits { message: 1024 };
/// What a decoder may hold beside the bytes that came: its notes on the message and the frame.
const NOTES: usize = 256;

#[derive(Debug, PartialEq)]
struct Got {
    opcode: Opcode,
    payload: Vec<u8>,
}

/// The WebSocket decoder: how a stream is cut changes neither the events nor the refusal; what is held is at most twice what
/// has come; it is at a boundary only where a frame ends; and what it hands out can be written and read again.
///
/// The first byte of `data` says which side decodes and how the rest is cut.
pub fn codec_in_splits(data: &[u8]) {
    let (way, stream, pieces) = cut(data);
    let from_client = way & 1 == 0;
    let (whole, refusal) = decode(from_client, &[stream]);
    let (split, split_refusal) = decode(from_client, &pieces);
    assert_eq!(whole, split, "the split changes the events");
    assert_eq!(refusal, split_refusal, "the split changes the refusal");

    let closes = whole.iter().position(|got| got.opcode == Opcode::Close);
    assert!(
        closes.is_none_or(|place| place + 1 == whole.len() && refusal.is_none()),
        "something came after a Close frame"
    );
    let mut written = Vec::new();
    for got in &whole {
        frame::write(got.opcode, &got.payload, Some([0x12, 0x80, 0xff, 0]), &mut written);
    }
    assert_eq!(decode(true, &[&written]), (whole, None), "written again it is not what was read");
}

fn decode(from_client: bool, pieces: &[&[u8]]) -> (Vec<Got>, Option<Violation>) {
    let mut decoder = if from_client { Decoder::server(LIMITS) } else { Decoder::client(LIMITS) };
    let tracker = if from_client { FrameTracker::of_client(LIMITS) } else { FrameTracker::of_server() };
    let mut tracker = Some(tracker);
    let mut events = Vec::new();
    let mut arrived = 0;
    for piece in pieces {
        arrived += piece.len();
        tracker = tracker.and_then(|mut tracker| tracker.advance(piece).is_ok().then_some(tracker));
        let mut bytes = piece.to_vec();
        let mut input = Input::new(&mut bytes);
        loop {
            match decoder.next(&mut input) {
                Ok(Some(event)) => events.extend(own(event)),
                Ok(None) => break,
                Err(violation) => {
                    assert_eq!(decoder.held(), 0, "something is held after a violation");
                    return (events, Some(violation));
                }
            }
        }
        assert!(input.rest().is_empty(), "bytes were left");
        let held = decoder.held();
        assert!(held <= 2 * arrived + NOTES && held <= 2 * LIMITS.message + NOTES, "{held} bytes held of {arrived}");
        let closed = events.last().is_some_and(|got| got.opcode == Opcode::Close);
        if decoder.is_at_boundary() && !closed {
            assert_eq!(held, 0, "something is held between messages");
            assert!(tracker.as_ref().is_some_and(FrameTracker::at_boundary), "the tracker is within a frame");
        }
    }
    (events, None)
}

fn own(event: Event<'_>) -> Option<Got> {
    Some(match event {
        Event::Fragment => return None,
        Event::Message(message @ Message { kind: MessageKind::Text, payload }) => {
            assert!(message.text().is_some(), "a text message is not text");
            Got { opcode: Opcode::Text, payload: payload.to_vec() }
        }
        Event::Message(Message { kind: MessageKind::Binary, payload }) => {
            Got { opcode: Opcode::Binary, payload: payload.to_vec() }
        }
        Event::Ping(payload) => Got { opcode: Opcode::Ping, payload: payload.to_vec() },
        Event::Pong(payload) => Got { opcode: Opcode::Pong, payload: payload.to_vec() },
        Event::Close(CloseFrame { code, reason }) => {
            let code = code.map(u16::to_be_bytes).into_iter().flatten();
            Got { opcode: Opcode::Close, payload: code.chain(reason.bytes()).collect() }
        }
    })
}
