//! Properties of the codec: how a stream is cut into reads changes nothing, and what is written is what is read.

use doorward_wire::websocket::{
    Decoder, Event, FrameTracker, Input, Limits, Violation,
    frame::{self, Opcode},
};
use proptest::{collection::vec, prelude::*, sample::Index};

/// Events as text: enough to compare them.
fn decode(from_client: bool, pieces: &[&[u8]]) -> (Vec<String>, Option<Violation>) {
    let limits = Limits { message: 2000 };
    let mut decoder = if from_client { Decoder::server(limits) } else { Decoder::client(limits) };
    let mut events = Vec::new();
    for piece in pieces {
        let mut piece = piece.to_vec();
        let mut input = Input::new(&mut piece);
        loop {
            match decoder.next(&mut input) {
                Ok(Some(Event::Message(message))) => events.push(format!("{:?} {:?}", message.kind, message.payload)),
                Ok(Some(event)) => events.push(format!("{event:?}")),
                Ok(None) => break,
                Err(violation) => return (events, Some(violation)),
            }
        }
    }
    (events, None)
}

fn cut<'a>(bytes: &'a [u8], cuts: &[Index]) -> Vec<&'a [u8]> {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    places.extend([0, bytes.len()]);
    places.sort_unstable();
    places.windows(2).map(|ends| &bytes[ends[0]..ends[1]]).collect()
}

#[derive(Clone, Debug)]
struct Frame {
    opcode: Opcode,
    fin: bool,
    payload: Vec<u8>,
    mask: Option<[u8; 4]>,
}

fn any_frame() -> impl Strategy<Value = Frame> {
    let opcode = prop_oneof![
        2 => Just(Opcode::Text), 2 => Just(Opcode::Binary), 3 => Just(Opcode::Continuation),
        1 => Just(Opcode::Ping), 1 => Just(Opcode::Pong), 1 => Just(Opcode::Close),
    ];
    let payload =
        prop_oneof!["\\PC{0,60}".prop_map(String::into_bytes), vec(any::<u8>(), 0..200), vec(Just(b'x'), 0..700)];
    (opcode, any::<bool>(), payload, any::<[u8; 4]>(), prop::bool::weighted(0.95))
        .prop_map(|(opcode, fin, payload, mask, masked)| Frame { opcode, fin, payload, mask: masked.then_some(mask) })
}

fn write(frames: &[Frame]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for frame in frames {
        frame::write_fragment(frame.opcode, frame.fin, &frame.payload, frame.mask, &mut bytes);
    }
    bytes
}

/// A message as a client may send it: its fragments, and a ping between them.
fn any_message() -> impl Strategy<Value = (bool, Vec<u8>, Vec<Index>)> {
    prop_oneof![
        ("\\PC{0,300}", vec(any::<Index>(), 0..4)).prop_map(|(text, cuts)| (true, text.into_bytes(), cuts)),
        (vec(any::<u8>(), 0..1500), vec(any::<Index>(), 0..4)).prop_map(|(bytes, cuts)| (false, bytes, cuts)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_frames_in_any_split_give_the_same_events(frames in vec(any_frame(), 0..8), cuts in vec(any::<Index>(), 0..12)) {
        let bytes = write(&frames);
        prop_assert_eq!(decode(true, &cut(&bytes, &cuts)), decode(true, &[&bytes]));
    }

    #[test]
    fn any_bytes_in_any_split_give_the_same_events(bytes in vec(any::<u8>(), 0..64), cuts in vec(any::<Index>(), 0..6)) {
        prop_assert_eq!(decode(true, &cut(&bytes, &cuts)), decode(true, &[&bytes]));
        prop_assert_eq!(decode(false, &cut(&bytes, &cuts)), decode(false, &[&bytes]));
    }

    #[test]
    fn what_is_written_is_what_is_read(
        messages in vec(any_message(), 0..6),
        mask in any::<Option<[u8; 4]>>(),
        cuts in vec(any::<Index>(), 0..6),
    ) {
        let mut bytes = Vec::new();
        let mut expected = Vec::new();
        for (is_text, payload, fragments) in &messages {
            let pieces = cut(payload, fragments);
            for (place, piece) in pieces.iter().enumerate() {
                let opcode = match (place, is_text) {
                    (0, true) => Opcode::Text,
                    (0, false) => Opcode::Binary,
                    _ => Opcode::Continuation,
                };
                frame::write_fragment(opcode, place + 1 == pieces.len(), piece, mask, &mut bytes);
                if place + 1 < pieces.len() {
                    frame::write(Opcode::Ping, b"?", mask, &mut bytes);
                    expected.push("Ping([63])".to_owned());
                }
            }
            expected.push(format!("{} {payload:?}", if *is_text { "Text" } else { "Binary" }));
        }
        prop_assert_eq!(decode(mask.is_some(), &cut(&bytes, &cuts)), (expected, None));
    }

    #[test]
    fn the_tracker_finds_the_ends_of_frames_in_any_split(frames in vec(any_frame(), 1..8), cuts in vec(any::<Index>(), 0..12)) {
        let ends: Vec<usize> = (0..=frames.len()).map(|count| write(&frames[..count]).len()).collect();
        let bytes = write(&frames);
        let mut tracker = FrameTracker::default();
        let mut at = 0;
        for piece in cut(&bytes, &cuts) {
            let next = ends.iter().find(|end| **end >= at).map(|end| end - at).filter(|end| *end <= piece.len());
            prop_assert_eq!(tracker.boundary_in(piece), next);
            let last = ends.iter().rfind(|end| **end >= at && **end <= at + piece.len()).map(|end| end - at);
            prop_assert_eq!(tracker.last_boundary_in(piece), last);
            tracker.advance(piece).unwrap();
            at += piece.len();
            prop_assert_eq!(tracker.at_boundary(), ends.contains(&at));
        }
        prop_assert_eq!(tracker.saw_close(), frames.iter().any(|frame| frame.opcode == Opcode::Close));
    }
}
