//! What waits to be written to one socket, and in which order it goes out.
//!
//! ```text
//!   begun ──▶ signs of life ──▶ application frames ──▶ farewell
//! ```
//!
//! Between two frames the control lane goes first. A cut drops everything but the rest of a frame already begun.

use std::{collections::VecDeque, io, sync::Arc};

use bytes::{Buf, Bytes};

use crate::{
    Limits,
    scratch::{SCRATCH, with_write_buffer},
};

/// A frame of at least this many bytes is written from where it lies; smaller ones are copied together.
const LARGE: usize = 16 * 1024;

/// A queue that has been drained keeps the memory of this many frames at the most, until somebody looks at the idle socket.
const KEPT: usize = 64;

/// How many bytes of answers to pings may wait: ten of the largest.
const PONGS: usize = 10 * (125 + 2);

/// More waits than the limits allow.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// The lanes of one socket. Owns no heap memory while nothing waits, and is small: every socket has it, and what is rare is in
/// a box.
#[derive(Default)]
pub(crate) struct Lanes {
    /// The rest of a frame whose beginning has been written; never empty.
    begun: Option<Box<Bytes>>,
    /// Signs of life, side by side.
    #[expect(clippy::box_collection, reason = "as the rest of a frame, it is hardly ever there")]
    control: Option<Box<Vec<u8>>>,
    /// A pointer to each frame: many sockets queue the same ones, and their queues are what has to go through the cache.
    queue: VecDeque<Arc<Bytes>>,
    /// The bytes in the queue.
    queued: usize,
    /// The last that goes out, until it has been begun.
    farewell: Option<Box<Bytes>>,
}

impl Lanes {
    /// Puts a frame on the application lane.
    pub(crate) fn push(&mut self, frame: Arc<Bytes>, limits: &Limits) -> Result<(), (Full, Arc<Bytes>)> {
        if self.queue.len() >= limits.outbox_messages || self.queued + frame.len() > limits.outbox_bytes {
            return Err((Full, frame));
        }
        if frame.is_empty() {
            return Ok(());
        }
        self.queued += frame.len();
        self.queue.push_back(frame);
        Ok(())
    }

    /// Puts a frame on the application lane that has to go out however much waits.
    pub(crate) fn insist(&mut self, frame: Bytes) {
        self.queued += frame.len();
        self.queue.push_back(Arc::new(frame));
    }

    /// Puts bytes before everything else: the rest of a frame that was begun before there were lanes.
    pub(crate) fn go_on_with(&mut self, rest: Vec<u8>) {
        self.go_on(rest.into());
    }

    /// Gives a sign of life, or asks for one. They wait side by side up to [`PONGS`] bytes; with more, the newest alone (RFC 6455,
    /// section 5.5.3).
    pub(crate) fn control(&mut self, frame: &[u8]) {
        let waiting = self.control.take().filter(|waiting| waiting.len() + frame.len() <= PONGS).unwrap_or_default();
        let waiting = [waiting.as_slice(), frame].concat();
        self.control = (!waiting.is_empty()).then(|| Box::new(waiting));
    }

    /// Says what follows after all that waits.
    pub(crate) fn say_farewell(&mut self, farewell: Bytes) {
        self.farewell = (!farewell.is_empty()).then(|| Box::new(farewell));
    }

    /// Drops what waits of the application, but for the rest of a frame already begun. Gives whether there was any.
    pub(crate) fn cut_the_application(&mut self) -> bool {
        self.queued = 0;
        !std::mem::take(&mut self.queue).is_empty()
    }

    /// Drops what waits, but for the rest of a frame already begun and the farewell.
    pub(crate) fn cut(&mut self) {
        self.cut_the_application();
        self.control = None;
    }

    /// Gives back the memory of an empty queue.
    pub(crate) fn rest(&mut self) {
        if self.queue.is_empty() {
            self.queue = VecDeque::new();
        }
    }

    /// Drops everything.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Whether nothing is left to write.
    pub(crate) fn is_empty(&self) -> bool {
        self.begun.is_none() && self.queue.is_empty() && self.control.is_none() && self.farewell.is_none()
    }

    /// Writes until nothing is left. An error leaves everything so that writing can go on where it stopped.
    pub(crate) fn write(&mut self, mut write: impl FnMut(&[u8]) -> io::Result<usize>) -> io::Result<()> {
        let mut write = |bytes: &[u8]| match write(bytes) {
            Ok(0) => Err(io::Error::from(io::ErrorKind::WriteZero)),
            done => done,
        };
        loop {
            if let Some(begun) = &mut self.begun {
                begun.advance(write(begun)?);
                if begun.is_empty() {
                    self.begun = None;
                }
            } else if let Some(control) = &self.control {
                let count = write(control)?;
                let rest = Bytes::copy_from_slice(control.get(count..).unwrap_or_default());
                self.control = None;
                self.go_on(rest);
            } else if !self.queue.is_empty() {
                self.write_queue(&mut write)?;
            } else if let Some(farewell) = &self.farewell {
                let count = write(farewell)?;
                let rest = farewell.slice(count..);
                self.farewell = None;
                self.go_on(rest);
            } else {
                return Ok(());
            }
        }
    }

    /// What comes before everything else from here on.
    fn go_on(&mut self, rest: Bytes) {
        self.begun = (!rest.is_empty()).then(|| Box::new(rest));
    }

    /// One write of application frames: a single or large one from where it lies, small ones copied together.
    fn write_queue(&mut self, write: &mut impl FnMut(&[u8]) -> io::Result<usize>) -> io::Result<()> {
        let alone = self.queue.len() == 1;
        let Some(first) = self.queue.front() else { return Ok(()) };
        let written = if alone || first.len() >= LARGE {
            write(first)?
        } else {
            with_write_buffer(|together| {
                for frame in &self.queue {
                    if together.len() + frame.len() > SCRATCH {
                        break;
                    }
                    together.extend_from_slice(frame);
                }
                write(together)
            })?
        };
        self.take(written);
        Ok(())
    }

    /// Takes `written` bytes off the queue; what is left of the last frame has been begun.
    fn take(&mut self, mut written: usize) {
        while written > 0 {
            let Some(frame) = self.queue.pop_front() else { break };
            self.queued -= frame.len();
            if frame.len() > written {
                self.go_on(frame.slice(written..));
                break;
            }
            written -= frame.len();
        }
        if self.queue.is_empty() && self.queue.capacity() > KEPT {
            self.queue = VecDeque::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use doorward_types::CloseReason;
    use doorward_wire::websocket::frame;
    use proptest::prelude::*;

    use super::*;

    const LIMITS: Limits =
        Limits { message: 0, messages_per_second: 0, burst: 0, outbox_messages: 100, outbox_bytes: 1_000_000 };

    /// A stream that takes so many bytes at each write, and blocks when the list is at its end.
    struct Stream {
        takes: Vec<usize>,
        got: Vec<u8>,
        writes: usize,
    }

    impl Stream {
        fn taking(takes: &[usize]) -> Self {
            Self { takes: takes.iter().rev().copied().collect(), got: Vec::new(), writes: 0 }
        }

        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let count = self.takes.pop().ok_or(io::ErrorKind::WouldBlock)?.min(bytes.len());
            self.got.extend_from_slice(&bytes[..count]);
            self.writes += 1;
            Ok(count)
        }
    }

    fn bytes(bytes: &[u8]) -> Arc<Bytes> {
        Arc::new(Bytes::copy_from_slice(bytes))
    }

    fn lanes(frames: &[&[u8]]) -> Lanes {
        let mut lanes = Lanes::default();
        for frame in frames {
            lanes.push(bytes(frame), &LIMITS).unwrap();
        }
        lanes
    }

    #[test]
    fn small_frames_go_out_together() {
        let mut lanes = lanes(&[b"one", b"two", b"three"]);
        let mut stream = Stream::taking(&[usize::MAX]);
        lanes.write(|bytes| stream.write(bytes)).unwrap();
        assert_eq!((stream.writes, stream.got.as_slice()), (1, b"onetwothree".as_slice()));
        assert!(lanes.is_empty());
    }

    #[test]
    fn a_cut_keeps_the_rest_of_a_frame_already_begun_and_nothing_else() {
        let mut lanes = lanes(&[b"one", b"two", b"three"]);
        let mut stream = Stream::taking(&[4]);
        lanes.write(|bytes| stream.write(bytes)).unwrap_err();
        lanes.control(&frame::pong(b"late"));
        lanes.say_farewell(frame::close(CloseReason::SessionEnded));
        lanes.cut();
        stream.takes = vec![usize::MAX; 9];
        lanes.write(|bytes| stream.write(bytes)).unwrap();
        assert_eq!(stream.got, [b"onetwo".as_slice(), b"\x88\x0f\x11\x3asession_ended"].concat());
    }

    #[test]
    fn a_cut_drops_a_frame_of_which_nothing_was_written() {
        let mut lanes = lanes(&[b"one"]);
        let mut stream = Stream::taking(&[]);
        lanes.write(|bytes| stream.write(bytes)).unwrap_err();
        lanes.cut();
        stream.takes = vec![usize::MAX];
        lanes.write(|bytes| stream.write(bytes)).unwrap();
        assert_eq!(stream.got, b"");
    }

    #[test]
    fn control_goes_before_the_application_at_the_next_boundary() {
        let mut lanes = lanes(&[b"one", b"two"]);
        let mut stream = Stream::taking(&[1]);
        lanes.write(|bytes| stream.write(bytes)).unwrap_err();
        lanes.control(&frame::pong(b"first"));
        lanes.control(&frame::pong(b"second"));
        stream.takes = vec![usize::MAX; 9];
        lanes.write(|bytes| stream.write(bytes)).unwrap();
        assert_eq!(stream.got, b"one\x8a\x05first\x8a\x06secondtwo");
    }

    #[test]
    fn of_too_many_pings_the_newest_is_answered() {
        let mut lanes = lanes(&[]);
        (0..11).for_each(|_| lanes.control(&frame::pong(&[b'x'; 125])));
        lanes.control(&frame::pong(b"newest"));
        let mut stream = Stream::taking(&[usize::MAX; 9]);
        lanes.write(|bytes| stream.write(bytes)).unwrap();
        assert_eq!(stream.got.len(), 125 + 2 + 6 + 2, "the eleventh pushed ten out");
        assert!(stream.got.ends_with(b"newest"));
    }

    #[test]
    fn what_waits_is_bounded_by_count_and_by_bytes() {
        let limits = Limits { outbox_messages: 2, outbox_bytes: 10, ..LIMITS };
        let mut lanes = Lanes::default();
        assert!(lanes.push(bytes(b"123456"), &limits).is_ok());
        assert!(lanes.push(bytes(b"12345"), &limits).is_err());
        assert!(lanes.push(bytes(b"123"), &limits).is_ok());
        assert!(lanes.push(bytes(b"1"), &limits).is_err());
    }

    #[test]
    fn a_drained_queue_gives_its_memory_back() {
        let frames: Vec<&[u8]> = vec![b"frame"; 90];
        let mut many = lanes(&frames);
        assert!(many.queue.capacity() >= 90);
        many.write(|bytes| Ok(bytes.len())).unwrap();
        assert_eq!(many.queue.capacity(), 0, "at once where it is much");
        let mut few = lanes(&frames[..2]);
        few.rest();
        assert!(few.queue.capacity() >= 2);
        few.write(|bytes| Ok(bytes.len())).unwrap();
        few.rest();
        assert_eq!(few.queue.capacity(), 0, "and when it rests where it is little");
    }

    #[test]
    fn a_large_frame_is_written_from_where_it_lies() {
        let mut lanes = lanes(&[&[7; LARGE], b"small"]);
        let place = lanes.queue[0].as_ptr();
        let mut places = Vec::new();
        lanes
            .write(|bytes| {
                places.push(bytes.as_ptr());
                Ok(bytes.len())
            })
            .unwrap();
        assert_eq!(places[0], place);
    }

    proptest! {
        #[test]
        fn whatever_the_stream_takes_every_byte_goes_out_once_and_in_order(
            sizes in prop::collection::vec(0_usize..40_000, 0..20),
            takes in prop::collection::vec(1_usize..70_000, 0..40),
        ) {
            let frames: Vec<Vec<u8>> =
                sizes.iter().enumerate().map(|(at, size)| vec![at as u8; *size]).collect();
            let mut lanes = lanes(&frames.iter().map(Vec::as_slice).collect::<Vec<_>>());
            let mut stream = Stream::taking(&takes);
            while lanes.write(|bytes| stream.write(bytes)).is_err() {
                stream.takes = vec![1000];
            }
            prop_assert!(lanes.is_empty() && lanes.queued == 0);
            prop_assert_eq!(stream.got, frames.concat());
        }
    }
}
