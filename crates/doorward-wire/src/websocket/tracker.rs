use super::{
    Limits, Violation,
    frame::Opcode,
    header::{Begun, Header},
};

/// Follows the frames of a stream that somebody else decodes, so that a relay can cut it at a whole frame and refuses what no
/// frame may be.
///
/// It reads headers, by the same rules as a [`Decoder`](super::Decoder), and skips payloads. So what lies in them is for the end
/// of the connection to judge: UTF-8, close codes, and the size of a message in several frames.
///
/// ```
/// use doorward_wire::websocket::FrameTracker;
///
/// let mut tracker = FrameTracker::of_server();
/// tracker.advance(b"\x81\x05he")?; // a text frame of five bytes, two of which are here
/// assert_eq!(tracker.boundary_in(b"llo\x81\x01!"), Some(3));
/// # Ok::<(), doorward_wire::websocket::Violation>(())
/// ```
#[derive(Clone, Debug)]
pub struct FrameTracker {
    limit: usize,
    /// Bytes of the frame under way that have not come yet.
    to_come: u64,
    header: Begun,
    /// The frame whose payload is coming.
    under_way: Option<Opcode>,
    from_client: bool,
    /// A message has begun and not ended.
    open: bool,
    close_seen: bool,
}

/// What came with some bytes of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Frames {
    /// How many headers came to their end.
    pub begun: u32,
    /// Whether anything was of a message, and not of a control frame.
    pub data: bool,
}

impl FrameTracker {
    /// Follows what a client sends, which is masked. A frame whose payload is larger than `limits.message` is refused.
    pub const fn of_client(limits: Limits) -> Self {
        Self::new(true, limits.message)
    }

    /// Follows what a server sends, which is not masked.
    pub const fn of_server() -> Self {
        Self::new(false, usize::MAX)
    }

    const fn new(from_client: bool, limit: usize) -> Self {
        let (header, under_way) = (Begun::new(), None);
        Self { limit, to_come: 0, header, under_way, from_client, open: false, close_seen: false }
    }

    /// Takes the next bytes of the stream, in any split.
    ///
    /// # Errors
    /// The [`Violation`] of a header, as soon as a byte of it breaks a rule; where the frames lie is not known after that.
    pub fn advance(&mut self, bytes: &[u8]) -> Result<Frames, Violation> {
        let mut frames = Frames::default();
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = self.step(rest, &mut frames)?;
        }
        Ok(frames)
    }

    /// Whether the stream so far ends at a whole frame.
    pub fn at_boundary(&self) -> bool {
        self.header.len() == 0 && self.under_way.is_none()
    }

    /// How many bytes have come of a header that is not whole, and so may still break a rule.
    pub fn header_begun(&self) -> usize {
        self.header.len()
    }

    /// Whether a whole Close frame has passed.
    pub fn saw_close(&self) -> bool {
        self.close_seen
    }

    /// How many of `bytes`, the next ones of the stream, have to pass until it ends at a whole frame: 0 where it does so now,
    /// `None` where that comes after them (or never, for a header that is refused).
    pub fn boundary_in(&self, bytes: &[u8]) -> Option<usize> {
        let mut ahead = self.clone();
        let mut rest = bytes;
        while !ahead.at_boundary() {
            if rest.is_empty() {
                return None;
            }
            rest = ahead.step(rest, &mut Frames::default()).ok()?;
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
            let Ok(after) = ahead.step(rest, &mut Frames::default()) else { break };
            rest = after;
            if ahead.at_boundary() {
                last = Some(bytes.len() - rest.len());
            }
        }
        last
    }

    /// Goes on to the end of a header, of a frame or of the bytes, whichever comes first, and gives what is left.
    fn step<'b>(&mut self, bytes: &'b [u8], frames: &mut Frames) -> Result<&'b [u8], Violation> {
        if let Some(opcode) = self.under_way {
            let passing = usize::try_from(self.to_come).map_or(bytes.len(), |to_come| to_come.min(bytes.len()));
            self.to_come -= passing as u64;
            frames.data |= !opcode.is_control();
            if self.to_come == 0 {
                self.end_frame(opcode);
            }
            return Ok(bytes.get(passing..).unwrap_or_default());
        }
        let Some((header, size)) = self.header.go_on(bytes, self.from_client)? else { return Ok(&[]) };
        self.begin_frame(&header)?;
        frames.begun = frames.begun.saturating_add(1);
        frames.data |= !header.opcode.is_control();
        Ok(bytes.get(size..).unwrap_or_default())
    }

    fn begin_frame(&mut self, header: &Header) -> Result<(), Violation> {
        self.open = header.follows(self.open)?;
        if header.length > self.limit as u64 {
            return Err(Violation::TooBig { announced: header.length, limit: self.limit });
        }
        self.under_way = Some(header.opcode);
        self.to_come = header.length;
        if self.to_come == 0 {
            self.end_frame(header.opcode);
        }
        Ok(())
    }

    fn end_frame(&mut self, opcode: Opcode) {
        self.under_way = None;
        self.close_seen |= opcode == Opcode::Close;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::websocket::frame;

    const MASK: Option<[u8; 4]> = Some([0x88; 4]);

    fn of_client() -> FrameTracker {
        FrameTracker::of_client(Limits { message: 1 << 20 })
    }

    /// Messages of a client in one and in two frames, and where the frames end.
    fn stream() -> (Vec<u8>, Vec<usize>) {
        let mut bytes = Vec::new();
        let mut ends = vec![0];
        for length in [0, 1, 125, 126, 70_000] {
            let payload = vec![0x88; length];
            for (opcode, fin) in [(Opcode::Binary, true), (Opcode::Text, false), (Opcode::Continuation, true)] {
                frame::write_fragment(opcode, fin, &payload, MASK, &mut bytes);
                ends.push(bytes.len());
            }
        }
        (bytes, ends)
    }

    #[test]
    fn boundaries_are_where_frames_end_in_every_split() {
        let (bytes, ends) = stream();
        for size in [1, 2, 3, 7, 1000, 1 << 20] {
            let mut tracker = of_client();
            let mut at = 0;
            let mut begun = 0;
            for piece in bytes.chunks(size) {
                begun += tracker.advance(piece).unwrap().begun;
                at += piece.len();
                assert_eq!(tracker.at_boundary(), ends.contains(&at), "after {at} bytes in pieces of {size}");
            }
            assert_eq!(begun, 15, "in pieces of {size}");
            assert!(!tracker.saw_close(), "0x88 in a payload is not a Close frame");
        }
    }

    #[test]
    fn the_next_and_the_last_boundary_are_found_ahead() {
        let (bytes, ends) = stream();
        for at in [0, 1, 2, 5, 9, 100, 300, 700, 5000, bytes.len() - 1, bytes.len()] {
            let mut tracker = of_client();
            tracker.advance(&bytes[..at]).unwrap();
            let next = ends.iter().find(|end| **end >= at).map(|end| end - at);
            assert_eq!(tracker.boundary_in(&bytes[at..]), next, "from {at}");
            assert_eq!(tracker.last_boundary_in(&bytes[at..]), Some(bytes.len() - at), "from {at}");
        }
        let mut tracker = FrameTracker::of_server();
        tracker.advance(b"\x81\x05he").unwrap();
        assert_eq!(tracker.boundary_in(b"ll"), None);
        assert_eq!(tracker.last_boundary_in(b"ll"), None);
        assert_eq!(tracker.boundary_in(b"llo\x81\x00\x81"), Some(3));
        assert_eq!(tracker.last_boundary_in(b"llo\x81\x00\x81"), Some(5));
    }

    #[test]
    fn a_close_frame_is_seen_when_all_of_it_has_passed() {
        let close = frame::close_code(1000, "bye");
        let mut tracker = FrameTracker::of_server();
        tracker.advance(&close[..close.len() - 1]).unwrap();
        assert!(!tracker.saw_close());
        tracker.advance(&close[close.len() - 1..]).unwrap();
        assert!(tracker.saw_close());
        let mut tracker = FrameTracker::of_server();
        tracker.advance(&frame::close_without_code()).unwrap();
        assert!(tracker.saw_close());
    }

    #[test]
    fn messages_are_told_from_control_frames_also_within_their_payload() {
        let mut tracker = FrameTracker::of_server();
        let mut data = |bytes: &[u8]| tracker.advance(bytes).unwrap().data;
        assert!(!data(&frame::ping(b"ping")) && !data(b"\x8a\x04po") && !data(b"ng"));
        assert!(!data(b"\x01"), "a header that is not whole is not known yet");
        assert!(data(b"\x02") && data(b"a") && data(b"b"));
        assert!(!data(&frame::pong(b"")) && data(b"\x80\x00"));
    }

    #[test]
    fn c26_a_header_that_breaks_a_rule_is_refused_at_the_byte_that_breaks_it() {
        let client: &[(&[u8], &[u8], Violation)] = &[
            (b"", b"\xc1", Violation::ReservedBits),
            (b"", b"\xa1", Violation::ReservedBits),
            (b"", b"\x91", Violation::ReservedBits),
            (b"", b"\x83", Violation::ReservedOpcode(3)),
            (b"", b"\x8b", Violation::ReservedOpcode(11)),
            (b"", b"\x09", Violation::FragmentedControl),
            (b"", b"\x89\xfe", Violation::LongControl),
            (b"", b"\x81\x05", Violation::NotMasked),
            (b"", b"\x82\xfe\x00\x7d", Violation::LengthNotMinimal),
            (b"", b"\x80\x80\0\0\0\0", Violation::NothingToContinue),
            (b"\x01\x80\0\0\0\0", b"\x81\x80\0\0\0\0", Violation::MessageUnfinished),
        ];
        for (before, broken, violation) in client {
            let mut tracker = of_client();
            tracker.advance(before).unwrap();
            let (last, good) = broken.split_last().unwrap();
            assert!(tracker.advance(good).is_ok(), "{violation}");
            assert_eq!(tracker.advance(&[*last]), Err(*violation));
        }
        assert_eq!(FrameTracker::of_server().advance(b"\x81\x81"), Err(Violation::Masked));
    }

    #[test]
    fn c24_an_impossible_length_is_refused_and_the_largest_possible_one_is_followed() {
        let mut tracker = FrameTracker::of_server();
        assert_eq!(tracker.advance(b"\x82\x7f\x80\0\0\0\0\0\0\0"), Err(Violation::ImpossibleLength));
        let mut tracker = FrameTracker::of_server();
        assert!(tracker.advance(b"\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff and on").is_ok());
        assert!(!tracker.at_boundary());
    }

    #[test]
    fn a_frame_over_the_limit_is_refused_on_its_header() {
        let mut tracker = FrameTracker::of_client(Limits { message: 125 });
        let mut largest = Vec::new();
        frame::write(Opcode::Binary, &[0; 125], MASK, &mut largest);
        assert_eq!(tracker.advance(&largest), Ok(Frames { begun: 1, data: true }));
        assert_eq!(tracker.advance(b"\x82\xfe\x00\x7e\0\0\0"), Ok(Frames::default()));
        assert_eq!(tracker.header_begun(), 7);
        assert_eq!(tracker.advance(b"\0"), Err(Violation::TooBig { announced: 126, limit: 125 }));
    }
}
