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
//!
//! A session has one place among those of its source, and its requests have none. So it has one GET and one POST at a time, and of
//! its answers one that its client has not taken yet.

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
use doorward_wire::engineio::{Packet, Revision, payload::Payload};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};

use super::{
    frames::{self, Reads},
    sessions::{Binding, Sessions},
};

/// The most bytes of frames that one answer to a GET is made of; a frame that is larger goes alone.
const ANSWER: usize = 256 * 1024;

/// A session from its first GET on.
pub(crate) struct Session {
    pub(super) sid: String,
    reads: Reads,
    pub(super) binding: Binding,
    /// The most bytes of a POST, before the admission and after it.
    longest: [usize; 2],
    admitted: AtomicBool,
    polling: Mutex<Polling>,
    /// Comes under the lock of `polling`, and stays.
    websocket: OnceLock<Arc<dyn Transport>>,
    /// Held by the answer that goes out.
    answering: Arc<Semaphore>,
    ending: watch::Sender<Ending>,
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
    /// There is a POST.
    posts: bool,
    /// It waits until what it has brought is read.
    poster: Option<oneshot::Sender<()>>,
    /// There is a GET.
    gets: bool,
    /// It waits for something to be answered with.
    getter: Option<oneshot::Sender<Payload>>,
    /// What the GET is to be answered with: frames.
    answer: Vec<u8>,
    /// A WebSocket has said that it takes over: GETs are answered at once, with nothing.
    probed: bool,
    /// The session is over for its peer.
    over: bool,
}

/// Whether a session is over, for the connection that its answer goes out by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    NotYet,
    /// The answer that goes out may be what says so.
    Said,
    /// Its peer has not taken in time what was to be said.
    Cut,
}

/// Goes with an answer: there is no other of the session while this is kept, and it tells when the session is over.
#[derive(Clone, Debug)]
pub(crate) struct Answering {
    ending: watch::Receiver<Ending>,
    _alone: Arc<OwnedSemaphorePermit>,
}

impl Answering {
    /// Waits for the end of the session. Gives whether the answer may still be taken, as what tells of it.
    pub(crate) async fn until_over(mut self) -> bool {
        let ending = self.ending.wait_for(|ending| *ending != Ending::NotYet).await;
        // Of one that is gone nothing is left to be cut.
        ending.map_or(true, |ending| *ending == Ending::Said)
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
        reads: Reads,
        binding: Binding,
        longest: [usize; 2],
        sessions: Weak<Sessions>,
    ) -> Self {
        Self {
            sid,
            reads,
            binding,
            longest,
            admitted: AtomicBool::new(false),
            polling: Mutex::default(),
            websocket: OnceLock::new(),
            answering: Arc::new(Semaphore::new(1)),
            ending: watch::Sender::new(Ending::NotYet),
            sessions,
        }
    }

    pub(super) fn revision(&self) -> Revision {
        self.reads.revision
    }

    /// The most bytes that a POST may bring now: what a line reads of a stranger is little, so no more is kept for it.
    fn longest(&self) -> usize {
        let [before, after] = self.longest;
        if self.admitted.load(Ordering::Relaxed) { after } else { before }
    }

    /// Its user is let in.
    pub(crate) fn note_admitted(&self) {
        self.admitted.store(true, Ordering::Relaxed);
    }

    /// Waits for something to answer a GET with.
    pub(super) async fn get(&self) -> Result<(Payload, Answering), NotTaken> {
        // Dropped where the client hangs up.
        let _get = self.alone(|polling| &mut polling.gets)?;
        // Whoever takes no answer gets no other: what waits for it waits in its outbox, which has a limit.
        let alone = Arc::clone(&self.answering).acquire_owned().await.map_err(|_| NotTaken::Over)?;
        let (getter, answered) = oneshot::channel();
        let probed = {
            let mut polling = self.lock_while_polling()?;
            if !polling.probed {
                polling.getter = Some(getter);
                polling.writer.take().into_iter().for_each(Waker::wake);
            }
            polling.probed
        };
        let payload = if probed { self.nothing() } else { answered.await.map_err(|_| NotTaken::Over)? };
        Ok((payload, Answering { ending: self.ending.subscribe(), _alone: Arc::new(alone) }))
    }

    /// Begins a POST, before anything of its body is read.
    pub(super) fn post(&self) -> Result<Post<'_>, NotTaken> {
        let alone = self.alone(|polling| &mut polling.posts)?;
        // One that has hung up before what it brought was read is not over yet.
        if !self.lock().posted.is_empty() {
            self.end(Ending::Said);
            return Err(NotTaken::Overlap);
        }
        Ok(Post { alone })
    }

    /// A request of its sort, where there is no other. Two at once cannot both be of the one client, and no client does that: they
    /// end the session.
    fn alone(&self, sort: fn(&mut Polling) -> &mut bool) -> Result<Alone<'_>, NotTaken> {
        let is_second = std::mem::replace(sort(&mut *self.lock_while_polling()?), true);
        if is_second {
            self.end(Ending::Said);
            return Err(NotTaken::Overlap);
        }
        Ok(Alone { session: self, sort })
    }

    /// A WebSocket of the same client is about to take over: the GET that waits, and those that come, are answered with nothing.
    pub(super) fn note_probed(&self) {
        let mut polling = self.lock();
        polling.probed = true;
        self.let_go(&mut polling);
    }

    /// The WebSocket has not taken over: polling goes on.
    pub(super) fn note_not_upgraded(&self) {
        self.lock().probed = false;
    }

    /// From here on the session goes over a WebSocket, of which `ahead` has been read already. Gives whether it does.
    pub(super) fn upgrade(&self, websocket: Arc<dyn Transport>, ahead: &[u8]) -> bool {
        let mut polling = self.lock();
        if polling.over || self.websocket.set(websocket).is_err() {
            return false;
        }
        self.let_go(&mut polling);
        polling.posted.extend(ahead);
        polling.reader.take().into_iter().chain(polling.writer.take()).for_each(Waker::wake);
        true
    }

    /// Whether a WebSocket may still take over.
    pub(super) fn may_upgrade(&self) -> bool {
        self.lock_while_polling().is_ok_and(|polling| !polling.probed)
    }

    /// One packet as it goes out, which was written as a text.
    pub(super) fn payload_of_text(&self, packet: &str) -> Payload {
        let packet = Packet::from_text(self.revision(), packet);
        self.reads.payload(&[packet.unwrap_or(Packet::Noop)])
    }

    fn nothing(&self) -> Payload {
        self.reads.payload(&[Packet::Noop])
    }

    /// Answers the GET that waits with what there is, be it nothing.
    fn let_go(&self, polling: &mut Polling) {
        self.give(polling);
        if let Some(getter) = polling.getter.take() {
            // One that has hung up needs no answer.
            let _gone = getter.send(self.nothing());
        }
    }

    /// Takes whole frames for the GET that waits.
    fn take(&self, polling: &mut Polling, frames: &[u8]) -> io::Result<usize> {
        if polling.over {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        if polling.getter.as_ref().is_none_or(oneshot::Sender::is_closed) {
            if polling.answer.is_empty() {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            self.lose(polling);
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        if !polling.answer.is_empty() && polling.answer.len() + frames.len() > ANSWER {
            self.give(polling);
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
        let payload = self.reads.payload_of(std::mem::take(&mut polling.answer));
        if let Some(getter) = polling.getter.take()
            && getter.send(payload).is_err()
        {
            self.lose(polling);
        }
    }

    /// The client has gone away with its request: what was taken for it is lost, as what a broken connection has swallowed.
    fn lose(&self, polling: &mut Polling) {
        polling.end();
        self.note_ending(Ending::Said);
    }

    /// The session is over for its peer.
    fn end(&self, how: Ending) {
        self.lock().end();
        self.note_ending(how);
    }

    fn note_ending(&self, how: Ending) {
        self.answering.close();
        self.ending.send_if_modified(|ending| {
            let is_news = *ending == Ending::NotYet || how == Ending::Cut;
            if is_news {
                *ending = how;
            }
            is_news
        });
    }

    fn lock(&self) -> MutexGuard<'_, Polling> {
        self.polling.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The side of the HTTP requests, while there is one.
    fn lock_while_polling(&self) -> Result<MutexGuard<'_, Polling>, NotTaken> {
        let polling = self.lock();
        let is_over = polling.over || self.websocket.get().is_some();
        if is_over { Err(NotTaken::Over) } else { Ok(polling) }
    }

    /// Where it is written to.
    fn side(&self) -> Side<'_> {
        if let Some(websocket) = self.websocket.get() {
            return Side::WebSocket(websocket);
        }
        let polling = self.lock();
        // It may have come meanwhile, and nobody would wake who waits for a GET from here on.
        match self.websocket.get() {
            Some(websocket) => Side::WebSocket(websocket),
            None => Side::Polling(polling),
        }
    }
}

/// Where a session is written to.
enum Side<'s> {
    WebSocket(&'s Arc<dyn Transport>),
    Polling(MutexGuard<'s, Polling>),
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

    /// Something was posted.
    fn bring(&mut self, frames: Vec<u8>) {
        self.posted.extend(frames);
        self.reader.take().into_iter().for_each(Waker::wake);
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

/// A request of which there is no other of its sort in the session.
struct Alone<'s> {
    session: &'s Session,
    sort: fn(&mut Polling) -> &mut bool,
}

impl Drop for Alone<'_> {
    fn drop(&mut self) {
        *(self.sort)(&mut self.session.lock()) = false;
    }
}

/// A POST of a session.
pub(super) struct Post<'s> {
    alone: Alone<'s>,
}

impl Post<'_> {
    /// The most bytes that it may bring.
    pub(super) fn longest(&self) -> usize {
        self.alone.session.longest()
    }

    /// Waits for what it says, for no longer than the session lasts.
    pub(super) async fn unless_over<T>(&self, body: impl Future<Output = T>) -> Result<T, NotTaken> {
        let mut ending = self.alone.session.ending.subscribe();
        tokio::select! {
            biased;
            _ = ending.wait_for(|ending| *ending != Ending::NotYet) => Err(NotTaken::Over),
            body = body => Ok(body),
        }
    }

    /// Brings what it has said, and waits until it is read.
    pub(super) async fn brings(self, packets: &[Packet<'_>]) -> Result<(), NotTaken> {
        let session = self.alone.session;
        let (poster, was_read) = oneshot::channel();
        {
            let mut polling = session.lock_while_polling()?;
            polling.poster = Some(poster);
            polling.bring(frames::of_client(session.revision(), packets));
        }
        was_read.await.map_err(|_| NotTaken::Over)
    }

    /// What came is no payload, too much or too late: whoever reads hears something that is no packet, and ends the session.
    pub(super) fn breaks_off(self) {
        self.alone.session.lock().bring(frames::of_no_packet());
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
        let mut polling = match self.side() {
            Side::WebSocket(websocket) => return websocket.poll_write(context, bytes),
            Side::Polling(polling) => polling,
        };
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
        match self.side() {
            Side::WebSocket(websocket) => websocket.try_write(bytes),
            Side::Polling(mut polling) => self.take(&mut polling, bytes),
        }
    }

    fn try_flush(&self) -> io::Result<()> {
        match self.side() {
            Side::WebSocket(websocket) => websocket.try_flush(),
            Side::Polling(mut polling) => {
                self.give(&mut polling);
                Ok(())
            }
        }
    }

    fn poll_shutdown(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(websocket) = self.websocket.get() {
            ready!(websocket.poll_shutdown(context))?;
        }
        self.end(Ending::Said);
        Poll::Ready(Ok(()))
    }

    fn reset(&self) {
        if let Some(websocket) = self.websocket.get() {
            websocket.reset();
        }
        self.end(Ending::Cut);
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(sessions) = self.sessions.upgrade() {
            sessions.forget(self);
        }
    }
}

#[cfg(test)]
mod tests;
