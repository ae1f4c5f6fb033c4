use std::{
    cell::RefCell,
    io,
    task::{Context, Poll, ready},
};

use doorward_session::Transport;
use doorward_types::CloseReason;
use doorward_wire::websocket::{FrameTracker, Frames, Violation};

/// How much is read at once, and so the most that is held for a side that does not read, in bytes.
pub(super) const READ: usize = 64 * 1024;

/// How many reads a flow may do before others get their turn.
const TURNS: usize = 16;

thread_local! {
    /// One buffer for all connections of a thread: bytes stay in it only between a read and the write that follows at once.
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

fn with_buffer<T>(act: impl FnOnce(&mut [u8]) -> T) -> T {
    let mut buffer = BUFFER.take();
    buffer.resize(READ, 0);
    let value = act(&mut buffer);
    BUFFER.set(buffer);
    value
}

/// Bytes on their way from one side to the other, as they are.
///
/// It owns no buffer: it holds bytes only while the sink takes no more, and reads nothing in the meantime. The beginning of a
/// header is held until the header is whole, so that the sink gets nothing of one that breaks a rule.
pub(super) struct Flow {
    /// Follows what the sink has taken.
    taken: FrameTracker,
    held: Option<Box<Held>>,
    /// The source will send nothing more.
    dry: bool,
    /// The sink may keep back what it took until it is flushed.
    unflushed: bool,
    /// The sink took something since somebody asked.
    moved: bool,
}

/// What was read and not taken.
struct Held {
    bytes: Vec<u8>,
    at: usize,
    /// Follows what was read.
    read: FrameTracker,
}

impl Held {
    fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// What the sink may get now: all but the beginning of a header.
    fn may_go(&self) -> &[u8] {
        let end = self.bytes.len().saturating_sub(self.read.header_begun());
        self.bytes.get(self.at..end).unwrap_or_default()
    }

    /// Gives back the room of what was taken. Where every piece of a source ends within a header, something is always held, and
    /// all that has passed would be held with it.
    fn forget_taken(&mut self) {
        if self.at > 0 {
            self.bytes = self.rest().to_vec();
            self.at = 0;
        }
    }
}

/// Why a flow cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stopped {
    /// The source has ended, and the sink has taken all of it.
    Dry,
    /// The source broke.
    SourceBroke,
    /// The sink broke.
    SinkBroke,
    /// Frames go no further for this reason. What is needed to finish the one under way is held.
    Refused(CloseReason),
    /// The source broke a rule. The whole frames before that are held.
    Violated(Violation),
}

impl Flow {
    /// A flow of what `tracker` follows, from its beginning.
    pub(super) fn new(tracker: FrameTracker) -> Self {
        Self { taken: tracker, held: None, dry: false, unflushed: false, moved: false }
    }

    /// Whether the sink has got whole frames, and nothing of a further one.
    pub(super) fn at_boundary(&self) -> bool {
        self.taken.at_boundary()
    }

    /// Whether the sink has got a Close frame.
    pub(super) fn saw_close(&self) -> bool {
        self.taken.saw_close()
    }

    /// Whether the sink keeps the flow waiting.
    pub(super) fn is_blocked(&self) -> bool {
        self.held.as_ref().is_some_and(|held| !held.may_go().is_empty())
    }

    /// Whether the source has sent all that it will.
    pub(super) fn is_dry(&self) -> bool {
        self.dry
    }

    /// Whether the sink took anything since this was asked last.
    pub(super) fn has_moved(&mut self) -> bool {
        std::mem::take(&mut self.moved)
    }

    /// Whether nothing is on its way: the sink may get a frame that does not come from the source.
    pub(super) fn is_clear(&self) -> bool {
        self.held.is_none() && self.at_boundary()
    }

    /// Takes bytes that the source sent before the flow began, which `look` sees as it sees others.
    ///
    /// # Errors
    /// [`Stopped::Refused`] and [`Stopped::Violated`], as for bytes that were read.
    pub(super) fn begin_with(
        &mut self,
        bytes: &[u8],
        look: impl FnOnce(Frames) -> Result<(), CloseReason>,
    ) -> Result<(), Stopped> {
        if bytes.is_empty() {
            return Ok(());
        }
        let mut read = self.taken.clone();
        let advanced = read.advance(bytes);
        look(advanced.unwrap_or_default()).map_err(Stopped::Refused)?;
        if let Err(violation) = advanced {
            self.hold_up_to(self.taken.last_boundary_in(bytes).unwrap_or(0), bytes);
            return Err(Stopped::Violated(violation));
        }
        self.hold(bytes, read);
        Ok(())
    }

    /// Puts a whole frame of our own in the way. Only where the flow [is clear](Self::is_clear) or its source is out of it.
    pub(super) fn insert(&mut self, frame: &[u8]) {
        let mut read = self.taken.clone();
        // A frame that was written here can be read.
        let _ = read.advance(frame);
        self.hold(frame, read);
    }

    /// Carries what there is; pending until there is more, or until there is room for it.
    ///
    /// `look` sees the frames of every read before any of them goes on, and may refuse.
    pub(super) fn poll_carry(
        &mut self,
        context: &mut Context<'_>,
        source: &dyn Transport,
        sink: &dyn Transport,
        mut look: impl FnMut(Frames) -> Result<(), CloseReason>,
    ) -> Poll<Stopped> {
        for _ in 0..TURNS {
            if ready!(self.poll_drain(context, sink)).is_err() {
                return Poll::Ready(Stopped::SinkBroke);
            }
            if self.dry {
                return Poll::Ready(Stopped::Dry);
            }
            let stopped = with_buffer(|buffer| {
                let bytes = match ready!(poll_read(context, source, buffer)) {
                    Ok(bytes) => bytes,
                    Err(_) => return Poll::Ready(Some(Stopped::SourceBroke)),
                };
                self.dry = bytes.is_empty();
                let passed = if self.dry { Ok(()) } else { self.pass(context, sink, bytes, &mut look) };
                Poll::Ready(passed.err())
            });
            if let Some(stopped) = ready!(stopped) {
                return Poll::Ready(stopped);
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// Writes at once what was read, and holds what the sink does not take.
    fn pass(
        &mut self,
        context: &mut Context<'_>,
        sink: &dyn Transport,
        bytes: &[u8],
        look: &mut impl FnMut(Frames) -> Result<(), CloseReason>,
    ) -> Result<(), Stopped> {
        let before = self.held.as_ref().map_or(&self.taken, |held| &held.read);
        let mut read = before.clone();
        let advanced = read.advance(bytes);
        if let Err(reason) = look(advanced.unwrap_or_default()) {
            // The rest of the frame under way may still go: all of what was read, where that frame goes on beyond it.
            self.hold_up_to(before.boundary_in(bytes).unwrap_or(bytes.len()), bytes);
            return Err(Stopped::Refused(reason));
        }
        if let Err(violation) = advanced {
            self.hold_up_to(before.last_boundary_in(bytes).unwrap_or(0), bytes);
            return Err(Stopped::Violated(violation));
        }
        if self.held.is_some() {
            // The beginning of a header waits for these bytes.
            self.hold(bytes, read);
            return Ok(());
        }
        let whole = bytes.len().saturating_sub(read.header_begun());
        let took = match sink.poll_write(context, bytes.get(..whole).unwrap_or_default()) {
            Poll::Ready(Ok(took)) => took.min(whole),
            Poll::Ready(Err(error)) if error.kind() != io::ErrorKind::Interrupted => return Err(Stopped::SinkBroke),
            _ => 0,
        };
        self.unflushed |= took > 0;
        self.moved |= took > 0;
        if took == bytes.len() {
            self.taken = read;
        } else {
            let (now, later) = bytes.split_at(took);
            // Part of what has just been followed without a violation.
            let _ = self.taken.advance(now);
            self.hold(later, read);
        }
        Ok(())
    }

    /// Holds the first `end` of `bytes`, which a refusal lets go.
    fn hold_up_to(&mut self, end: usize, bytes: &[u8]) {
        let last = bytes.get(..end).unwrap_or_default();
        let mut read = self.held.as_ref().map_or(&self.taken, |held| &held.read).clone();
        // Part of what breaks no rule.
        let _ = read.advance(last);
        self.hold(last, read);
    }

    fn hold(&mut self, bytes: &[u8], read: FrameTracker) {
        if let Some(held) = &mut self.held {
            held.bytes.extend_from_slice(bytes);
            held.read = read;
        } else if !bytes.is_empty() {
            self.held = Some(Box::new(Held { bytes: bytes.to_vec(), at: 0, read }));
        }
    }

    /// Writes what is held and may go, and flushes the sink.
    pub(super) fn poll_drain(&mut self, context: &mut Context<'_>, sink: &dyn Transport) -> Poll<io::Result<()>> {
        while let Some(held) = &mut self.held {
            if held.may_go().is_empty() {
                if held.rest().is_empty() {
                    self.taken = held.read.clone();
                    self.held = None;
                } else {
                    held.forget_taken();
                }
                break;
            }
            let took = match ready!(sink.poll_write(context, held.may_go())) {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(took) => took,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Poll::Ready(Err(error)),
            };
            self.unflushed = true;
            self.moved = true;
            let _ = self.taken.advance(held.may_go().get(..took).unwrap_or_default());
            held.at += took;
        }
        if self.unflushed {
            ready!(sink.poll_flush(context))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Ends at a whole frame: writes the rest of the one under way, reads on for it, and drops what comes after it; `held_too` lets
    /// the whole frames go that were read already. Gives whether the sink has got whole frames now; it never will where one of the
    /// sides broke.
    pub(super) fn poll_finish(
        &mut self,
        context: &mut Context<'_>,
        source: &dyn Transport,
        sink: &dyn Transport,
        held_too: bool,
    ) -> Poll<bool> {
        loop {
            if let Some(held) = &mut self.held {
                let end = match held_too {
                    true => self.taken.last_boundary_in(held.rest()),
                    false => self.taken.boundary_in(held.rest()),
                };
                match end {
                    Some(0) => self.held = None,
                    Some(end) => {
                        held.bytes.truncate(held.at + end);
                        held.read = self.taken.clone();
                        let _ = held.read.advance(held.bytes.get(held.at..).unwrap_or_default());
                    }
                    None => {}
                }
            }
            if ready!(self.poll_drain(context, sink)).is_err() {
                return Poll::Ready(false);
            }
            if self.at_boundary() || self.dry {
                return Poll::Ready(self.at_boundary());
            }
            let read = with_buffer(|buffer| {
                let bytes = ready!(poll_read(context, source, buffer)).unwrap_or_default();
                self.dry = bytes.is_empty();
                let mut read = self.taken.clone();
                if read.advance(bytes).is_err() {
                    self.dry = true;
                }
                self.hold(bytes, read);
                Poll::Ready(())
            });
            ready!(read);
        }
    }
}

#[cfg(test)]
impl Flow {
    /// How many bytes it has room for.
    pub(super) fn room(&self) -> usize {
        self.held.as_ref().map_or(0, |held| held.bytes.capacity())
    }
}

/// Reads into `buffer`; nothing means that the source has ended.
pub(super) fn poll_read<'b>(
    context: &mut Context<'_>,
    source: &dyn Transport,
    buffer: &'b mut [u8],
) -> Poll<io::Result<&'b [u8]>> {
    loop {
        match ready!(source.poll_read(context, buffer)) {
            Ok(count) => return Poll::Ready(Ok(buffer.get(..count).unwrap_or_default())),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Poll::Ready(Err(error)),
        }
    }
}

/// Reads and drops what still comes, until the source has ended or broken.
pub(super) fn poll_exhaust(context: &mut Context<'_>, source: &dyn Transport) -> Poll<()> {
    with_buffer(|buffer| {
        for _ in 0..TURNS {
            match ready!(poll_read(context, source, buffer)) {
                Ok([]) | Err(_) => return Poll::Ready(()),
                Ok(_) => {}
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
}
