//! Streams of frames: good ones, bad ones, and good ones that went bad.

use doorward_wire::websocket::{
    CloseFrame, Decoder, Event, Input, Limits, MessageKind, Violation,
    frame::{self, Opcode},
};
use proptest::{collection::vec, prelude::*, sample::Index};

pub(crate) const LIMITS: Limits = Limits { message: 2000 };

/// An event that owns its bytes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Got {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<u16>, String),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Role {
    Server,
    Client,
}

pub(crate) fn decode(role: Role, pieces: &[&[u8]]) -> (Vec<Got>, Option<Violation>) {
    let mut decoder = match role {
        Role::Server => Decoder::server(LIMITS),
        Role::Client => Decoder::client(LIMITS),
    };
    let mut got = Vec::new();
    for piece in pieces {
        let mut piece = piece.to_vec();
        let mut input = Input::new(&mut piece);
        loop {
            got.push(match decoder.next(&mut input) {
                Ok(Some(Event::Fragment)) => continue,
                Ok(Some(Event::Message(message))) => match message.kind {
                    MessageKind::Text => Got::Text(message.text().unwrap().to_owned()),
                    MessageKind::Binary => Got::Binary(message.payload.to_vec()),
                },
                Ok(Some(Event::Ping(payload))) => Got::Ping(payload.to_vec()),
                Ok(Some(Event::Pong(payload))) => Got::Pong(payload.to_vec()),
                Ok(Some(Event::Close(CloseFrame { code, reason }))) => Got::Close(code, reason.to_owned()),
                Ok(None) => break,
                Err(violation) => return (got, Some(violation)),
            });
        }
    }
    (got, None)
}

/// Cuts at some places; pieces may be empty.
pub(crate) fn cut<'a>(bytes: &'a [u8], cuts: &[Index]) -> Vec<&'a [u8]> {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    places.extend([0, bytes.len()]);
    places.sort_unstable();
    places.windows(2).map(|ends| &bytes[ends[0]..ends[1]]).collect()
}

#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) opcode: Opcode,
    pub(crate) fin: bool,
    pub(crate) payload: Vec<u8>,
    pub(crate) mask: Option<[u8; 4]>,
}

/// Any frame that the writer can write, whether or not it may stand where it will stand.
pub(crate) fn any_frame() -> impl Strategy<Value = Frame> {
    let opcode = prop_oneof![
        2 => Just(Opcode::Text), 2 => Just(Opcode::Binary), 3 => Just(Opcode::Continuation),
        1 => Just(Opcode::Ping), 1 => Just(Opcode::Pong), 1 => Just(Opcode::Close),
    ];
    let payload =
        prop_oneof!["\\PC{0,60}".prop_map(String::into_bytes), vec(any::<u8>(), 0..200), vec(Just(b'x'), 0..700)];
    (opcode, any::<bool>(), payload, any::<[u8; 4]>(), prop::bool::weighted(0.95))
        .prop_map(|(opcode, fin, payload, mask, masked)| Frame { opcode, fin, payload, mask: masked.then_some(mask) })
}

/// The frames as they may follow each other, from one side.
pub(crate) fn in_order(frames: Vec<Frame>, mask: Option<[u8; 4]>) -> Vec<Frame> {
    let mut open = false;
    let frames = frames.into_iter().map(|frame| {
        let opcode = match frame.opcode {
            control if control.is_control() => control,
            _ if open => Opcode::Continuation,
            Opcode::Continuation => Opcode::Binary,
            first => first,
        };
        open = if opcode.is_control() { open } else { !frame.fin };
        Frame { opcode, mask, ..frame }
    });
    frames.collect()
}

pub(crate) fn write(frames: &[Frame]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for frame in frames {
        frame::write_fragment(frame.opcode, frame.fin, &frame.payload, frame.mask, &mut bytes);
    }
    bytes
}

/// A message, and the places where it is cut into fragments.
pub(crate) fn any_message() -> impl Strategy<Value = (bool, Vec<u8>, Vec<Index>)> {
    prop_oneof![
        ("\\PC{0,300}", vec(any::<Index>(), 0..4)).prop_map(|(text, cuts)| (true, text.into_bytes(), cuts)),
        (vec(any::<u8>(), 0..1500), vec(any::<Index>(), 0..4)).prop_map(|(bytes, cuts)| (false, bytes, cuts)),
    ]
}

/// Messages in their fragments, with pings between these, and what a decoder makes of them.
pub(crate) fn conversation(messages: &[(bool, Vec<u8>, Vec<Index>)], mask: Option<[u8; 4]>) -> (Vec<u8>, Vec<Got>) {
    let mut bytes = Vec::new();
    let mut expected = Vec::new();
    for (is_text, payload, cuts) in messages {
        let pieces = cut(payload, cuts);
        for (place, piece) in pieces.iter().enumerate() {
            let opcode = match (place, is_text) {
                (0, true) => Opcode::Text,
                (0, false) => Opcode::Binary,
                _ => Opcode::Continuation,
            };
            frame::write_fragment(opcode, place + 1 == pieces.len(), piece, mask, &mut bytes);
            if place + 1 < pieces.len() {
                frame::write(Opcode::Ping, b"?", mask, &mut bytes);
                expected.push(Got::Ping(b"?".into()));
            }
        }
        expected.push(match is_text {
            true => Got::Text(String::from_utf8(payload.clone()).unwrap()),
            false => Got::Binary(payload.clone()),
        });
    }
    (bytes, expected)
}

#[derive(Clone, Debug)]
pub(crate) enum Damage {
    Flip(Index, u8),
    Put(Index, u8),
    Remove(Index),
    Repeat(Index, Index),
}

pub(crate) fn any_damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        3 => (any::<Index>(), 0..8_u8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        1 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Put(at, byte)),
        1 => any::<Index>().prop_map(Damage::Remove),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Damage::Repeat(from, to)),
    ]
}

impl Damage {
    pub(crate) fn apply(&self, bytes: &mut Vec<u8>) {
        let length = bytes.len();
        if length == 0 {
            return;
        }
        match self {
            Self::Flip(at, bit) => bytes[at.index(length)] ^= 1 << bit,
            Self::Put(at, byte) => bytes.insert(at.index(length), *byte),
            Self::Remove(at) => {
                bytes.remove(at.index(length));
            }
            Self::Repeat(from, to) => {
                let (from, to) = (from.index(length), to.index(length));
                let piece = bytes[from.min(to)..from.max(to)].to_vec();
                bytes.extend(piece);
            }
        }
    }
}
