use doorward_wire::websocket::{FrameTracker, Limits};

use super::cut;

/// The frame tracker: how a stream is cut changes nothing, and the boundaries that it finds ahead are those that it meets when
/// it goes byte by byte.
///
/// The first byte of `data` says whether frames are limited and how the rest is cut.
pub fn frame_tracker(data: &[u8]) {
    let (way, stream, pieces) = cut(data);
    let tracker =
        || if way & 1 == 0 { FrameTracker::default() } else { FrameTracker::with_limits(Limits { message: 300 }) };

    let mut slow = tracker();
    let mut boundaries = vec![0];
    let mut refusal = Ok(());
    for (at, byte) in stream.iter().enumerate() {
        refusal = slow.advance(&[*byte]);
        if refusal.is_err() {
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
            assert_eq!(Err(violation), refusal, "the split changes the refusal");
            return;
        }
        at = end;
        assert_eq!(quick.at_boundary(), boundaries.contains(&at), "the split changes the boundary");
    }
    assert_eq!(refusal, Ok(()), "only single bytes were refused");
    assert_eq!(quick.saw_close(), slow.saw_close(), "the split changes whether a Close frame was seen");
}
