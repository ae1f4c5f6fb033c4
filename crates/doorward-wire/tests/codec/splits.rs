use doorward_wire::websocket::{FrameTracker, Violation, frame::Opcode};
use proptest::{collection::vec, prelude::*, sample::Index};

use crate::streams::{
    Got, LIMITS, Role, any_damage, any_frame, any_message, conversation, cut, decode, in_order, write,
};

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_frames_in_any_split_give_the_same_events(frames in vec(any_frame(), 0..8), cuts in vec(any::<Index>(), 0..12)) {
        let bytes = write(&frames);
        prop_assert_eq!(decode(Role::Server, &cut(&bytes, &cuts)), decode(Role::Server, &[&bytes]));
    }

    #[test]
    fn any_bytes_in_any_split_give_the_same_events(bytes in vec(any::<u8>(), 0..64), cuts in vec(any::<Index>(), 0..6)) {
        for role in [Role::Server, Role::Client] {
            prop_assert_eq!(decode(role, &cut(&bytes, &cuts)), decode(role, &[&bytes]));
        }
    }

    #[test]
    fn what_is_written_is_what_is_read(
        messages in vec(any_message(), 0..6),
        mask in any::<Option<[u8; 4]>>(),
        cuts in vec(any::<Index>(), 0..6),
    ) {
        let (bytes, expected) = conversation(&messages, mask);
        let role = if mask.is_some() { Role::Server } else { Role::Client };
        prop_assert_eq!(decode(role, &cut(&bytes, &cuts)), (expected, None));
    }

    #[test]
    fn the_tracker_finds_the_ends_of_frames_in_any_split(
        frames in vec(any_frame(), 1..8),
        mask in any::<Option<[u8; 4]>>(),
        cuts in vec(any::<Index>(), 0..12),
    ) {
        let frames = in_order(frames, mask);
        let ends: Vec<usize> = (0..=frames.len()).map(|count| write(&frames[..count]).len()).collect();
        let bytes = write(&frames);
        let mut tracker = tracker(mask.is_some());
        let (mut at, mut begun) = (0, 0);
        for piece in cut(&bytes, &cuts) {
            let next = ends.iter().find(|end| **end >= at).map(|end| end - at).filter(|end| *end <= piece.len());
            prop_assert_eq!(tracker.boundary_in(piece), next);
            let last = ends.iter().rfind(|end| **end >= at && **end <= at + piece.len()).map(|end| end - at);
            prop_assert_eq!(tracker.last_boundary_in(piece), last);
            begun += tracker.advance(piece).unwrap().begun;
            at += piece.len();
            prop_assert_eq!(tracker.at_boundary(), ends.contains(&at));
        }
        prop_assert_eq!(begun as usize, frames.len());
        prop_assert_eq!(tracker.saw_close(), frames.iter().any(|frame| frame.opcode == Opcode::Close));
    }

    #[test]
    fn c26_the_tracker_refuses_the_headers_that_a_decoder_refuses(
        frames in vec(any_frame(), 1..8),
        mask in any::<Option<[u8; 4]>>(),
        damage in vec(any_damage(), 0..3),
    ) {
        let mut bytes = write(&in_order(frames, mask));
        damage.iter().for_each(|damage| damage.apply(&mut bytes));
        let role = if mask.is_some() { Role::Server } else { Role::Client };
        let mut tracker = tracker(mask.is_some());
        // The first byte that the tracker refuses; up to there the decoder refuses nothing but what lies in payloads.
        let refused = bytes.iter().enumerate().find_map(|(at, byte)| Some((at, tracker.advance(&[*byte]).err()?)));
        let whole = refused.as_ref().map_or(bytes.len(), |(at, _)| at + 1);
        let (got, violation) = decode(role, &[&bytes[..whole]]);
        let closed = matches!(got.last(), Some(Got::Close(..)));
        match (violation, refused) {
            _ if closed => {}
            (Some(Violation::TooBig { .. } | Violation::TextNotUtf8 | Violation::HalfCloseCode), _) => {}
            (Some(Violation::CloseCode(_) | Violation::CloseReasonNotUtf8), _) => {}
            (violation, refused) => prop_assert_eq!(violation, refused.map(|(_, violation)| violation)),
        }
    }
}

fn tracker(from_client: bool) -> FrameTracker {
    if from_client { FrameTracker::of_client(LIMITS) } else { FrameTracker::of_server() }
}
