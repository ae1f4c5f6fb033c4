use std::{fmt, ops::Range};

use super::{
    Event, Message, MessageKind, Violation,
    event::CloseFrame,
    frame::Opcode,
    header::{Begun, Header},
    mask,
    utf8::Utf8,
};
use crate::keep::keep;

/// How much one peer may send at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest message in bytes, over all its fragments. It is checked on a header, before any of the payload is kept.
    pub message: usize,
}

/// The bytes of one read. They are unmasked in place, and handed out from here where a message is whole.
#[derive(Debug)]
pub struct Input<'b> {
    bytes: &'b mut [u8],
    at: usize,
}

impl<'b> Input<'b> {
    /// Everything that one read gave.
    pub fn new(bytes: &'b mut [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// What has not been decoded, as it came: what a relay is given when it takes over after a message.
    pub fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Takes all of it, as it came: for a stream that is no WebSocket.
    pub fn take_rest(&mut self) -> &[u8] {
        let start = std::mem::replace(&mut self.at, self.bytes.len());
        self.bytes.get(start..).unwrap_or_default()
    }

    /// Takes the next `count` bytes; the caller knows that they are there.
    fn take(&mut self, count: usize) -> Range<usize> {
        let start = self.at;
        self.at = self.bytes.len().min(start.saturating_add(count));
        start..self.at
    }

    fn unmasked(&mut self, place: Range<usize>, mask: Option<[u8; 4]>, offset: usize) -> &[u8] {
        let bytes = self.bytes.get_mut(place).unwrap_or_default();
        if let Some(mask) = mask {
            mask::apply(mask, offset, bytes);
        }
        bytes
    }
}

impl<'b> From<&'b mut [u8]> for Input<'b> {
    fn from(bytes: &'b mut [u8]) -> Self {
        Self::new(bytes)
    }
}

/// Bytes in any split to whole messages (RFC 6455, sections 5 to 8).
///
/// Between messages it owns no memory: a whole frame is handed out in place, from the [`Input`]. Only what is incomplete is
/// copied, is freed when it has been handed out, and takes at most twice what has arrived.
pub struct Decoder {
    limits: Limits,
    held: Option<Box<Held>>,
    from_client: bool,
    /// After a Close frame or a violation.
    ended: bool,
}

/// What is incomplete.
#[derive(Default)]
struct Held {
    header: Begun,
    /// A frame whose payload has not all arrived.
    frame: Option<Frame>,
    /// The kind of the message that has begun and not ended.
    kind: Option<MessageKind>,
    utf8: Utf8,
    message: Vec<u8>,
    control: Vec<u8>,
    /// Whether `message` or `control` was handed out and can go.
    handed_out: bool,
}

#[derive(Clone, Copy)]
struct Frame {
    opcode: Opcode,
    fin: bool,
    mask: Option<[u8; 4]>,
    length: usize,
    arrived: usize,
}

/// Something whole, and where it lies.
enum Whole {
    Here(Sort, Range<usize>),
    Held(Sort),
    Fragment,
}

#[derive(Clone, Copy)]
enum Sort {
    Message(MessageKind),
    Ping,
    Pong,
    Close,
}

impl Decoder {
    /// The decoder of a server: what it reads comes from a client and is masked.
    pub const fn server(limits: Limits) -> Self {
        Self { limits, held: None, from_client: true, ended: false }
    }

    /// The decoder of a client: what it reads comes from a server and is not masked.
    pub const fn client(limits: Limits) -> Self {
        Self { limits, held: None, from_client: false, ended: false }
    }

    /// Sets other limits, from the next header on: an admitted peer may send more.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Whether everything that arrived has been handed out: no beginning of a frame or of a message is held.
    pub fn is_at_boundary(&self) -> bool {
        self.held.as_ref().is_none_or(|held| held.is_idle())
    }

    /// The heap memory held, in bytes.
    pub fn held(&self) -> usize {
        self.held.as_ref().map_or(0, |held| size_of::<Held>() + held.message.capacity() + held.control.capacity())
    }

    /// What the next whole frame in `input` brings; `None` when all of it is consumed and more bytes are wanted.
    ///
    /// After a Close frame or a violation everything further is thrown away.
    ///
    /// # Errors
    /// A [`Violation`] as soon as a byte breaks a rule; answer it with a Close frame and hang up.
    pub fn next<'a>(&'a mut self, input: &'a mut Input<'_>) -> Result<Option<Event<'a>>, Violation> {
        self.free_what_was_handed_out();
        if self.ended {
            self.held = None;
            input.take(usize::MAX);
            return Ok(None);
        }
        let whole = match self.advance(input) {
            Ok(Some(whole)) => whole,
            Ok(None) => return Ok(None),
            Err(violation) => {
                self.ended = true;
                self.held = None;
                return Err(violation);
            }
        };
        let (sort, payload) = match whole {
            Whole::Here(sort, place) => (sort, input.bytes.get(place).unwrap_or_default()),
            Whole::Held(sort) => {
                let held = self.held.as_deref();
                let payload = held.map(|held| if let Sort::Message(_) = sort { &held.message } else { &held.control });
                (sort, payload.map(Vec::as_slice).unwrap_or_default())
            }
            Whole::Fragment => return Ok(Some(Event::Fragment)),
        };
        Ok(Some(match sort {
            Sort::Message(kind) => Event::Message(Message { kind, payload }),
            Sort::Ping => Event::Ping(payload),
            Sort::Pong => Event::Pong(payload),
            Sort::Close => {
                self.ended = true;
                Event::Close(CloseFrame::read(payload)?)
            }
        }))
    }

    fn advance(&mut self, input: &mut Input<'_>) -> Result<Option<Whole>, Violation> {
        loop {
            let begun = self.held.as_mut().and_then(|held| held.frame.take());
            let frame = match begun {
                Some(frame) => frame,
                None => match self.header(input)? {
                    Some(header) => self.admit(&header)?,
                    None => return Ok(None),
                },
            };
            if let Some(whole) = self.payload(frame, input)? {
                return Ok(Some(whole));
            }
            if input.rest().is_empty() {
                return Ok(None);
            }
        }
    }

    /// Reads a header, or keeps the beginning of one.
    fn header(&mut self, input: &mut Input<'_>) -> Result<Option<Header>, Violation> {
        if self.held.as_ref().is_none_or(|held| held.header.len() == 0) {
            if let Some((header, size)) = Header::read(input.rest(), self.from_client)? {
                input.take(size);
                return Ok(Some(header));
            }
            if input.rest().is_empty() {
                return Ok(None);
            }
        }
        let header = self.held.get_or_insert_default().header.go_on(input.rest(), self.from_client)?;
        input.take(header.map_or(usize::MAX, |(_, size)| size));
        Ok(header.map(|(header, _)| header))
    }

    /// Checks a header against the message that it belongs to, and that message against the limit.
    fn admit(&mut self, header: &Header) -> Result<Frame, Violation> {
        let (open, so_far) = self.held.as_ref().map_or((false, 0), |held| (held.kind.is_some(), held.message.len()));
        header.follows(open)?;
        if !header.opcode.is_control() {
            let announced = header.length.saturating_add(so_far as u64);
            if announced > self.limits.message as u64 {
                return Err(Violation::TooBig { announced, limit: self.limits.message });
            }
        }
        let length = usize::try_from(header.length).map_err(|_| Violation::ImpossibleLength)?;
        Ok(Frame { opcode: header.opcode, fin: header.fin, mask: header.mask, length, arrived: 0 })
    }

    /// Takes what is there of a frame's payload.
    fn payload(&mut self, mut frame: Frame, input: &mut Input<'_>) -> Result<Option<Whole>, Violation> {
        let place = input.take(input.rest().len().min(frame.length - frame.arrived));
        let bytes = input.unmasked(place.clone(), frame.mask, frame.arrived);
        let all_here = place.len() == frame.length;
        let sort = match frame.opcode {
            Opcode::Text => Sort::Message(MessageKind::Text),
            Opcode::Binary => Sort::Message(MessageKind::Binary),
            Opcode::Continuation => match self.held.as_ref().and_then(|held| held.kind) {
                Some(kind) => Sort::Message(kind),
                None => return Err(Violation::NothingToContinue),
            },
            Opcode::Ping => Sort::Ping,
            Opcode::Pong => Sort::Pong,
            Opcode::Close => Sort::Close,
        };

        if all_here && (frame.opcode.is_control() || (frame.fin && frame.opcode != Opcode::Continuation)) {
            match sort {
                Sort::Message(MessageKind::Text) => {
                    std::str::from_utf8(bytes).map_err(|_| Violation::TextNotUtf8)?;
                }
                Sort::Close => {
                    CloseFrame::read(bytes)?;
                }
                _ => {}
            }
            if let (Sort::Message(_), Some(held)) = (sort, self.held.as_mut()) {
                // Its header had come alone, and had begun the message.
                held.kind = None;
            }
            self.held.take_if(|held| held.is_idle());
            return Ok(Some(Whole::Here(sort, place)));
        }

        let held = self.held.get_or_insert_default();
        frame.arrived += bytes.len();
        let to_come = frame.length - frame.arrived;
        // What may still come of this message, as far as the header tells: after this fragment there will be others.
        let expected = if frame.fin { to_come } else { usize::MAX };
        if let Sort::Message(kind) = sort {
            held.kind = Some(kind);
            if kind == MessageKind::Text {
                held.utf8.push(bytes)?;
            }
            keep(&mut held.message, bytes, expected);
        } else {
            keep(&mut held.control, bytes, expected);
        }
        if to_come > 0 {
            held.frame = Some(frame);
            return Ok(None);
        }
        if !frame.fin {
            return Ok(Some(Whole::Fragment));
        }
        match sort {
            Sort::Message(_) => {
                held.utf8.finish()?;
                held.kind = None;
            }
            Sort::Close => {
                CloseFrame::read(&held.control)?;
            }
            Sort::Ping | Sort::Pong => {}
        }
        held.handed_out = true;
        Ok(Some(Whole::Held(sort)))
    }

    fn free_what_was_handed_out(&mut self) {
        let Some(held) = self.held.as_mut().filter(|held| held.handed_out) else { return };
        if held.is_idle() {
            self.held = None;
        } else {
            held.handed_out = false;
            held.control = Vec::new();
        }
    }
}

impl Held {
    fn is_idle(&self) -> bool {
        self.header.len() == 0 && self.frame.is_none() && self.kind.is_none()
    }
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder").field("limits", &self.limits).field("held", &self.held()).finish_non_exhaustive()
    }
}
