use super::{Limits, Violation, frame::Opcode};

/// Follows the frames of a stream that somebody else decodes, so that a relay can cut it at a whole frame.
///
/// It looks at headers and skips payloads, keeps nothing, and leaves every rule to the ends of the connection but two: a length
/// that no frame can have, and, if asked for, the largest frame.
///
/// ```
/// use doorward_wire::websocket::FrameTracker;
///
/// let mut tracker = FrameTracker::default();
/// tracker.advance(b"\x81\x05he")?; // a text frame of five bytes, two of which are here
/// assert_eq!(tracker.boundary_in(b"llo\x81\x01!"), Some(3));
/// # Ok::<(), doorward_wire::websocket::Violation>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct FrameTracker {
    limit: Option<usize>,
    /// Header bytes seen of the frame that is coming in; masking keys count as payload here.
    header: [u8; 10],
    seen: u8,
    /// Bytes of the frame that have not come yet, once its length is known.
    to_come: u64,
    close_seen: bool,
}

impl FrameTracker {
    /// A tracker that refuses a frame whose payload is larger than `limits.message`, by its header.
    pub fn with_limits(limits: Limits) -> Self {
        Self { limit: Some(limits.message), ..Self::default() }
    }

    /// Takes the next bytes of the stream, in any split.
    ///
    /// # Errors
    /// [`Violation::ImpossibleLength`] and [`Violation::TooBig`]; where the frames lie is not known after that.
    pub fn advance(&mut self, bytes: &[u8]) -> Result<(), Violation> {
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = self.step(rest)?;
        }
        Ok(())
    }

    /// Whether the stream so far ends at a whole frame.
    pub fn at_boundary(&self) -> bool {
        self.seen == 0
    }

    /// Whether a whole Close frame has passed.
    pub fn saw_close(&self) -> bool {
        self.close_seen
    }

    /// How many of `bytes`, the next ones of the stream, have to pass until it ends at a whole frame: 0 where it does so now,
    /// `None` where that comes after them (or never, for a length that is refused).
    pub fn boundary_in(&self, bytes: &[u8]) -> Option<usize> {
        let mut ahead = self.clone();
        let mut rest = bytes;
        while !ahead.at_boundary() {
            if rest.is_empty() {
                return None;
            }
            rest = ahead.step(rest).ok()?;
        }
        Some(bytes.len() - rest.len())
    }

    /// How many of `bytes`, the next ones of the stream, can pass at the most so that it ends at a whole frame; `None` where no
    /// frame ends before or within them.
    pub fn last_boundary_in(&self, bytes: &[u8]) -> Option<usize> {
        let mut ahead = self.clone();
        let mut rest = bytes;
        let mut last = ahead.at_boundary().then_some(0);
        while !rest.is_empty() {
            let Ok(after) = ahead.step(rest) else { break };
            rest = after;
            if ahead.at_boundary() {
                last = Some(bytes.len() - rest.len());
            }
        }
        last
    }

    /// Goes on to the end of a header, of a frame or of the bytes, whichever comes first, and gives what is left.
    fn step<'b>(&mut self, bytes: &'b [u8]) -> Result<&'b [u8], Violation> {
        if self.to_come > 0 {
            let passing = usize::try_from(self.to_come).map_or(bytes.len(), |to_come| to_come.min(bytes.len()));
            self.to_come -= passing as u64;
            if self.to_come == 0 {
                self.end_frame();
            }
            return Ok(bytes.get(passing..).unwrap_or_default());
        }
        let Some((&byte, rest)) = bytes.split_first() else { return Ok(bytes) };
        if let Some(place) = self.header.get_mut(usize::from(self.seen)) {
            *place = byte;
            self.seen += 1;
        }
        if let Some((length, masked)) = self.length() {
            if length >> 63 != 0 {
                return Err(Violation::ImpossibleLength);
            }
            if let Some(limit) = self.limit.filter(|limit| length > *limit as u64) {
                return Err(Violation::TooBig { announced: length, limit });
            }
            self.to_come = length + if masked { 4 } else { 0 };
            if self.to_come == 0 {
                self.end_frame();
            }
        }
        Ok(rest)
    }

    /// The length and whether there is a mask, when the header has come that far.
    fn length(&self) -> Option<(u64, bool)> {
        let [_, second, a, b, c, d, e, f, g, h] = self.header;
        let length = match (second & 0x7f, self.seen) {
            (126, 4) => u16::from_be_bytes([a, b]).into(),
            (127, 10) => u64::from_be_bytes([a, b, c, d, e, f, g, h]),
            (short @ 0..=125, 2) => short.into(),
            _ => return None,
        };
        Some((length, second & 0x80 != 0))
    }

    fn end_frame(&mut self) {
        let [first, ..] = self.header;
        self.close_seen |= Opcode::from_bits(first & 0x0f) == Some(Opcode::Close);
        self.seen = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::websocket::frame;

    fn stream() -> (Vec<u8>, Vec<usize>) {
        let mut bytes = Vec::new();
        let mut ends = vec![0];
        for length in [0, 1, 125, 126, 70_000] {
            frame::write(Opcode::Binary, &vec![0x88; length], Some([0x88; 4]), &mut bytes);
            ends.push(bytes.len());
            frame::write(Opcode::Text, &vec![b'a'; length], None, &mut bytes);
            ends.push(bytes.len());
        }
        (bytes, ends)
    }

    #[test]
    fn boundaries_are_where_frames_end_in_every_split() {
        let (bytes, ends) = stream();
        for size in [1, 2, 3, 7, 1000, 1 << 20] {
            let mut tracker = FrameTracker::default();
            let mut at = 0;
            for piece in bytes.chunks(size) {
                tracker.advance(piece).unwrap();
                at += piece.len();
                assert_eq!(tracker.at_boundary(), ends.contains(&at), "after {at} bytes in pieces of {size}");
            }
            assert!(!tracker.saw_close(), "0x88 in a payload is not a Close frame");
        }
    }

    #[test]
    fn the_next_and_the_last_boundary_are_found_ahead() {
        let (bytes, ends) = stream();
        for at in [0, 1, 2, 5, 9, 100, 300, 700, 5000, bytes.len() - 1, bytes.len()] {
            let mut tracker = FrameTracker::default();
            tracker.advance(&bytes[..at]).unwrap();
            let next = ends.iter().find(|end| **end >= at).map(|end| end - at);
            assert_eq!(tracker.boundary_in(&bytes[at..]), next, "from {at}");
            assert_eq!(tracker.last_boundary_in(&bytes[at..]), Some(bytes.len() - at), "from {at}");
        }
        let mut tracker = FrameTracker::default();
        tracker.advance(b"\x81\x05he").unwrap();
        assert_eq!(tracker.boundary_in(b"ll"), None);
        assert_eq!(tracker.last_boundary_in(b"ll"), None);
        assert_eq!(tracker.boundary_in(b"llo\x81\x00\x81"), Some(3));
        assert_eq!(tracker.last_boundary_in(b"llo\x81\x00\x81"), Some(5));
    }

    #[test]
    fn a_close_frame_is_seen_when_all_of_it_has_passed() {
        let close = frame::close_code(1000, "bye");
        let mut tracker = FrameTracker::default();
        tracker.advance(&close[..close.len() - 1]).unwrap();
        assert!(!tracker.saw_close());
        tracker.advance(&close[close.len() - 1..]).unwrap();
        assert!(tracker.saw_close());
        let mut tracker = FrameTracker::default();
        tracker.advance(&frame::close_without_code()).unwrap();
        assert!(tracker.saw_close());
    }

    #[test]
    fn c24_an_impossible_length_is_refused_and_the_largest_possible_one_is_followed() {
        let mut tracker = FrameTracker::default();
        assert_eq!(tracker.advance(b"\x82\x7f\x80\0\0\0\0\0\0\0"), Err(Violation::ImpossibleLength));
        let mut tracker = FrameTracker::default();
        assert_eq!(tracker.advance(b"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff and on"), Ok(()));
        assert!(!tracker.at_boundary());
    }

    #[test]
    fn a_frame_over_the_limit_is_refused_on_its_header() {
        let mut tracker = FrameTracker::with_limits(Limits { message: 125 });
        assert_eq!(tracker.advance(&frame::binary(&[0; 125])), Ok(()));
        assert_eq!(tracker.advance(b"\x82\x7e\x00"), Ok(()));
        assert_eq!(tracker.advance(b"\x7e"), Err(Violation::TooBig { announced: 126, limit: 125 }));
    }
}
