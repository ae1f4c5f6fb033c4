//! One session of Engine.IO that begins with long-polling, as the stream of a socket.
//!
//! ```text
//!  outbox ──WebSocket frames──▶ Session ──▶ the GET that waits: a payload of packets        while it polls
//!                                       ──▶ the WebSocket, as they are                      after the upgrade
//!  line   ◀──WebSocket frames── Session ◀── the body of a POST
//!                                       ◀── the WebSocket
//! ```
//!
//! A line, an outbox and a connection see a WebSocket from the beginning, so that whatever they guarantee holds here too: what is
//! written is taken only while a GET waits for it, and whole frames at a time, so nothing is delivered that nobody asked for, and
//! the change to a real WebSocket comes between two frames.

use std::{
    collections::VecDeque,
    io,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker, ready},
};

use doorward_session::Transport;
use doorward_wire::{
    engineio::{
        Malformed, Packet, Revision, binary_prefix,
        payload::{self, Payload},
    },
    websocket::{Decoder, Event, Input, Limits, MessageKind, frame},
};
use tokio::sync::{oneshot, watch};

use super::sessions::{Binding, Sessions};

/// The most bytes of frames that one answer to a GET is made of; a frame that is larger goes alone.
const ANSWER: usize = 256 * 1024;

/// The close code of a client that ends its session by a packet.
const NORMAL: u16 = 1000;

/// The mask of the frames that POSTs are turned into: a client's frames have one, and nobody is in between who could be confused.
const NO_MASK: Option<[u8; 4]> = Some([0; 4]);

/// A session from its first GET on.
pub(crate) struct Session {
    pub(super) sid: String,
    pub(super) revision: Revision,
    /// Whether the client can read a payload of bytes.
    takes_bytes: bool,
    pub(super) binding: Binding,
    /// The most bytes of a POST, before the admission and after it.
    longest: [usize; 2],
    admitted: AtomicBool,
    polling: Mutex<Polling>,
    websocket: OnceLock<Arc<dyn Transport>>,
    /// How many GETs have come, and [`OVER`] at the end: for the connections that answers go out by.
    gets: watch::Sender<u64>,
    sessions: Weak<Sessions>,
}

/// The side of the HTTP requests.
#[derive(Default)]
struct Polling {
    /// What was posted, as frames, and has not been read.
    posted: VecDeque<u8>,
    /// Who reads, and waits for something.
    reader: Option<Waker>,
    /// Who writes, and waits for a GET.
    writer: Option<Waker>,
    /// The POST that is on its way, or waits until what it has brought is read.
    poster: Option<oneshot::Sender<()>>,
    /// The GET that waits.
    getter: Option<oneshot::Sender<Payload>>,
    /// What the GET is to be answered with: frames.
    answer: Vec<u8>,
    /// A WebSocket has said that it takes over: GETs are answered at once, with nothing.
    probed: bool,
    /// The session is over for its peer.
    over: bool,
}

/// More GETs than ever come.
const OVER: u64 = u64::MAX;

/// Tells when nobody can want the answer any more that a connection carries: its session is over; or its client has asked for the
/// next one, which it does when it has the whole of this one.
#[derive(Clone, Debug)]
pub(crate) struct Over {
    gets: watch::Receiver<u64>,
    number: u64,
}

impl Over {
    /// Waits for that.
    pub(crate) async fn wait(mut self) {
        // A session that is gone is over, too.
        let _gone = self.gets.wait_for(|gets| *gets > self.number).await;
    }
}

/// The one POST of a session that is on its way.
pub(super) struct Posting<'s> {
    session: &'s Session,
    was_read: oneshot::Receiver<()>,
}

impl Posting<'_> {
    /// Waits for what it says, for no longer than the session lasts.
    pub(super) async fn unless_over<T>(&mut self, body: impl Future<Output = T>) -> Result<T, NotTaken> {
        tokio::select! {
            biased;
            _ = &mut self.was_read => Err(NotTaken::Over),
            body = body => Ok(body),
        }
    }

    /// Brings what it has said, and waits until it is read.
    pub(super) async fn bring(self, packets: &[Packet<'_>]) -> Result<(), NotTaken> {
        let Self { session, was_read } = self;
        {
            let mut polling = session.lock();
            if polling.over || session.websocket.get().is_some() {
                return Err(NotTaken::Over);
            }
            let mut frames = Vec::new();
            packets.iter().for_each(|packet| write_frame(session.revision, packet, &mut frames));
            polling.posted.extend(frames);
            polling.reader.take().into_iter().for_each(Waker::wake);
        }
        was_read.await.map_err(|_| NotTaken::Over)
    }
}

/// Why a request of a session is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotTaken {
    /// The session is over, or goes on over a WebSocket.
    #[error("the session is over, or goes on over a WebSocket")]
    Over,
    /// Another one of its sort has not been answered yet.
    #[error("a request of the session came before an earlier one was answered")]
    Overlap,
}

impl Session {
    pub(super) fn new(
        sid: String,
        revision: Revision,
        takes_bytes: bool,
        binding: Binding,
        longest: [usize; 2],
        sessions: Weak<Sessions>,
    ) -> Self {
        Self {
            sid,
            revision,
            takes_bytes,
            binding,
            longest,
            admitted: AtomicBool::new(false),
            polling: Mutex::default(),
            websocket: OnceLock::new(),
            gets: watch::Sender::new(0),
            sessions,
        }
    }

    /// The most bytes that a POST may bring now: what a line reads of a stranger is little, so no more is kept for it.
    pub(super) fn longest(&self) -> usize {
        let [before, after] = self.longest;
        if self.admitted.load(Ordering::Relaxed) { after } else { before }
    }

    /// Its user is let in.
    pub(crate) fn is_admitted(&self) {
        self.admitted.store(true, Ordering::Relaxed);
    }

    /// Waits for something to answer a GET with; beside it, until when that may be of use.
    pub(super) async fn get(self: &Arc<Self>) -> Result<(Payload, Over), NotTaken> {
        let (answer, answered) = oneshot::channel();
        let over;
        {
            let mut polling = self.lock();
            if polling.over || self.websocket.get().is_some() {
                return Err(NotTaken::Over);
            }
            if polling.getter.as_ref().is_some_and(|getter| !getter.is_closed()) {
                // Two that ask at once cannot both be who they say (and no client does that).
                polling.end();
                return Err(NotTaken::Overlap);
            }
            self.gets.send_modify(|gets| *gets += 1);
            let gets = self.gets.subscribe();
            let number = *gets.borrow();
            over = Over { gets, number };
            if polling.probed {
                return Ok((self.nothing(), over));
            }
            polling.getter = Some(answer);
            polling.writer.take().into_iter().for_each(Waker::wake);
        }
        // Whoever hangs up is noticed by the next who writes: the other end of the channel is closed then.
        answered.await.map(|payload| (payload, over)).map_err(|_| NotTaken::Over)
    }

    /// A POST is on its way. There is one at a time, from its head on: a place among those who climb, or among the sockets, stands
    /// for two connections and no more.
    pub(super) fn begin_post(&self) -> Result<Posting<'_>, NotTaken> {
        let (read, was_read) = oneshot::channel();
        let mut polling = self.lock();
        if polling.over || self.websocket.get().is_some() {
            return Err(NotTaken::Over);
        }
        let is_another = polling.poster.as_ref().is_some_and(|poster| !poster.is_closed());
        // What one has brought that went away before it was read counts as another, or many of them would be kept.
        if is_another || !polling.posted.is_empty() {
            polling.end();
            return Err(NotTaken::Overlap);
        }
        polling.poster = Some(read);
        Ok(Posting { session: self, was_read })
    }

    /// Something came that is no payload, or too much: whoever reads hears something that is no packet, and ends the session.
    pub(super) fn is_broken(&self) {
        let mut polling = self.lock();
        let mut frames = Vec::new();
        frame::write(frame::Opcode::Text, b"?", NO_MASK, &mut frames);
        polling.posted.extend(frames);
        polling.reader.take().into_iter().for_each(Waker::wake);
    }

    /// A WebSocket of the same client is about to take over: the GET that waits, and those that come, are answered with nothing.
    pub(super) fn is_probed(&self) {
        let mut polling = self.lock();
        polling.probed = true;
        if polling.answer.is_empty()
            && let Some(getter) = polling.getter.take()
        {
            // One that has hung up needs no answer.
            let _gone = getter.send(self.nothing());
        }
    }

    /// The WebSocket has not taken over: polling goes on.
    pub(super) fn is_not_upgraded(&self) {
        self.lock().probed = false;
    }

    /// From here on the session goes over a WebSocket, of which `ahead` has been read already. Gives whether it does.
    pub(super) fn upgrade(&self, websocket: Arc<dyn Transport>, ahead: &[u8]) -> bool {
        let mut polling = self.lock();
        if polling.over || self.websocket.set(websocket).is_err() {
            return false;
        }
        polling.posted.extend(ahead);
        polling.reader.take().into_iter().chain(polling.writer.take()).for_each(Waker::wake);
        true
    }

    /// Whether a WebSocket may still take over.
    pub(super) fn may_upgrade(&self) -> bool {
        let polling = self.lock();
        !polling.over && !polling.probed && self.websocket.get().is_none()
    }

    /// One packet as it goes out, which was written as a text.
    pub(super) fn payload_of_text(&self, packet: &str) -> Payload {
        let packet = Packet::from_text(self.revision, packet);
        self.payload(&[packet.unwrap_or(Packet::Noop)])
    }

    fn nothing(&self) -> Payload {
        self.payload(&[Packet::Noop])
    }

    fn payload(&self, packets: &[Packet<'_>]) -> Payload {
        payload::write(self.revision, self.takes_bytes, packets).unwrap_or_else(|error| {
            // Everything that is written here is JSON, in which the separator is escaped.
            tracing::error!(%error, "a packet could not be put into a payload");
            Payload::Text("1".to_owned())
        })
    }

    /// Takes whole frames for the GET that waits.
    fn take(&self, polling: &mut Polling, frames: &[u8]) -> io::Result<usize> {
        if polling.over {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let waits = polling.getter.as_ref().is_some_and(|getter| !getter.is_closed());
        let is_full = !polling.answer.is_empty() && polling.answer.len() + frames.len() > ANSWER;
        if !waits || is_full {
            if is_full {
                self.give(polling);
            }
            return Err(io::ErrorKind::WouldBlock.into());
        }
        polling.answer.extend_from_slice(frames);
        Ok(frames.len())
    }

    /// Answers the GET that waits with what was taken for it.
    fn give(&self, polling: &mut Polling) {
        if polling.answer.is_empty() {
            return;
        }
        let frames = std::mem::take(&mut polling.answer);
        let payload = self.payload_of(frames);
        if let Some(getter) = polling.getter.take()
            && getter.send(payload).is_err()
        {
            // The client has gone away with its request: what it was given is lost, as what a broken connection has swallowed.
            polling.end();
        }
    }

    fn payload_of(&self, mut frames: Vec<u8>) -> Payload {
        let mut decoder = Decoder::client(Limits { message: usize::MAX });
        let mut input = Input::new(&mut frames);
        let (mut texts, mut messages) = (Vec::new(), Vec::new());
        while let Ok(Some(event)) = decoder.next(&mut input) {
            match event {
                Event::Message(message) if message.kind == MessageKind::Text => {
                    texts.push(String::from_utf8_lossy(message.payload).into_owned());
                    messages.push(None);
                }
                Event::Message(message) => messages.push(Some(message.payload.to_vec())),
                // Clients drop what came with the end of the session, also that they are not to come again. Where there is more to
                // say, they learn of it by their next GET.
                Event::Close(_) if !messages.is_empty() => {}
                Event::Close(_) => {
                    texts.push("1".to_owned());
                    messages.push(None);
                }
                Event::Fragment | Event::Ping(_) | Event::Pong(_) => {}
            }
        }
        let mut texts = texts.iter();
        let packets = messages.iter().filter_map(|message| match message {
            None => Packet::from_text(self.revision, texts.next()?).ok(),
            Some(bytes) => Packet::from_binary(self.revision, bytes).ok(),
        });
        self.payload(&packets.collect::<Vec<_>>())
    }

    fn lock(&self) -> MutexGuard<'_, Polling> {
        self.polling.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Polling {
    /// The session is over: everybody who waits for it hears so.
    fn end(&mut self) {
        self.over = true;
        self.answer.clear();
        self.getter = None;
        self.poster = None;
        self.reader.take().into_iter().chain(self.writer.take()).for_each(Waker::wake);
    }

    fn read(&mut self, buffer: &mut [u8]) -> usize {
        let count = buffer.len().min(self.posted.len());
        for (place, byte) in buffer.iter_mut().zip(self.posted.drain(..count)) {
            *place = byte;
        }
        // Everything is read, and the next may come. Not later: before it goes over to a WebSocket a client waits for this.
        if self.posted.is_empty()
            && let Some(poster) = self.poster.take()
        {
            let _gone = poster.send(());
        }
        count
    }
}

/// A packet of a client as the frame that it would have sent over a WebSocket.
fn write_frame(revision: Revision, packet: &Packet<'_>, frames: &mut Vec<u8>) {
    match packet {
        Packet::Binary(bytes) => {
            let bytes = [binary_prefix(revision), bytes].concat();
            frame::write(frame::Opcode::Binary, &bytes, NO_MASK, frames);
        }
        Packet::Close => frame::write(frame::Opcode::Close, &NORMAL.to_be_bytes(), NO_MASK, frames),
        packet => {
            let mut text = String::new();
            packet.write_text(revision, &mut text);
            frame::write(frame::Opcode::Text, text.as_bytes(), NO_MASK, frames);
        }
    }
}

/// The packets of a POST, by its content type.
pub(super) fn packets(revision: Revision, is_binary: bool, body: &[u8]) -> Result<Vec<Packet<'_>>, Malformed> {
    match (revision, is_binary) {
        (Revision::Three, true) => payload::read_binary(body),
        _ => payload::read_text(revision, body),
    }
}

impl Transport for Session {
    fn poll_read(&self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut polling = self.lock();
        if !polling.posted.is_empty() {
            return Poll::Ready(Ok(polling.read(buffer)));
        }
        if let Some(websocket) = self.websocket.get() {
            drop(polling);
            return websocket.poll_read(context, buffer);
        }
        if polling.over {
            return Poll::Ready(Ok(0));
        }
        polling.reader = Some(context.waker().clone());
        Poll::Pending
    }

    fn poll_write(&self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut polling = self.lock();
        // Under the lock, as the change is: whoever waits for a GET that never comes is woken by that.
        if let Some(websocket) = self.websocket.get() {
            drop(polling);
            return websocket.poll_write(context, bytes);
        }
        match self.take(&mut polling, bytes) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                polling.writer = Some(context.waker().clone());
                Poll::Pending
            }
            taken => Poll::Ready(taken),
        }
    }

    fn poll_flush(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.websocket.get() {
            Some(websocket) => websocket.poll_flush(context),
            None => Poll::Ready(self.try_flush()),
        }
    }

    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self.websocket.get() {
            Some(websocket) => websocket.try_write(bytes),
            None => self.take(&mut self.lock(), bytes),
        }
    }

    fn try_flush(&self) -> io::Result<()> {
        match self.websocket.get() {
            Some(websocket) => websocket.try_flush(),
            None => {
                self.give(&mut self.lock());
                Ok(())
            }
        }
    }

    fn poll_shutdown(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(websocket) = self.websocket.get() {
            ready!(websocket.poll_shutdown(context))?;
        }
        self.lock().end();
        self.gets.send_replace(OVER);
        Poll::Ready(Ok(()))
    }

    fn reset(&self) {
        if let Some(websocket) = self.websocket.get() {
            websocket.reset();
        }
        self.lock().end();
        self.gets.send_replace(OVER);
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(sessions) = self.sessions.upgrade() {
            sessions.forget(&self.sid);
        }
    }
}
