use doorward_wire::websocket::{FrameTracker, Limits};

use super::cut;

/// The frame tracker: how a stream is cut changes nothing, and the boundaries that it finds ahead are those that it meets when
/// it goes byte by byte.
///
/// The first byte of `data` says whose stream it is and how the rest is cut. A client's frames are limited.
pub fn frame_tracker(data: &[u8]) {
    let (way, stream, pieces) = cut(data);
    let tracker =
        || if way & 1 == 0 { FrameTracker::of_client(Limits { message: 300 }) } else { FrameTracker::of_server() };

    let mut slow = tracker();
    let mut boundaries = vec![0];
    let mut refusal = None;
    for (at, byte) in stream.iter().enumerate() {
        refusal = slow.advance(&[*byte]).err();
        if refusal.is_some() {
            break;
        }
        if slow.at_boundary() {
            boundaries.push(at + 1);
        }
    }

    let mut quick = tracker();
    let mut at = 0;
    for piece in pieces {
        let end = at + piece.len();
        let next = boundaries.iter().find(|place| (at..=end).contains(place)).map(|place| place - at);
        assert_eq!(quick.boundary_in(piece), next, "the next boundary is elsewhere");
        let last = boundaries.iter().rfind(|place| (at..=end).contains(place)).map(|place| place - at);
        assert_eq!(quick.last_boundary_in(piece), last, "the last boundary is elsewhere");
        if let Err(violation) = quick.advance(piece) {
            assert_eq!(Some(violation), refusal, "the split changes the refusal");
            return;
        }
        at = end;
        assert_eq!(quick.at_boundary(), boundaries.contains(&at), "the split changes the boundary");
    }
    assert_eq!(refusal, None, "only single bytes were refused");
    assert_eq!(quick.saw_close(), slow.saw_close(), "the split changes whether a Close frame was seen");
}
