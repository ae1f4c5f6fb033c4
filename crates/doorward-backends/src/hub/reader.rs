//! Whoever reads a channel message by message, in its own time: what waits for it, and how much that may be.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use doorward_session::Socket;

/// How much may wait for all readers of one connection together: as much as for a socket that is subscribed, by number and by
/// bytes. Where there is no room the oldest goes, and its reader is told that something is missing.
#[derive(Debug, Default)]
pub struct Room {
    messages: AtomicUsize,
    bytes: AtomicUsize,
    /// How many share it.
    readers: AtomicUsize,
}

/// A seat that is read from.
pub(super) struct Reader {
    socket: Arc<Socket>,
    room: Arc<Room>,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Bytes>,
    /// Something that was for the reader has gone.
    lost: bool,
    waker: Option<Waker>,
}

/// Something that was for the reader has gone: too much had waited.
pub(super) struct Lost;

impl Room {
    /// Lets one more reader share it, where fewer than `most` do.
    fn let_in(&self, most: usize) -> bool {
        let may = self.readers.fetch_add(1, Ordering::Relaxed) < most;
        if !may {
            self.let_out();
        }
        may
    }

    fn let_out(&self) {
        self.readers.fetch_sub(1, Ordering::Relaxed);
    }

    /// Takes room for a message of so many bytes, if there is any.
    fn take(&self, bytes: usize, socket: &Socket) -> bool {
        let limits = &socket.policy().limits;
        let messages = self.messages.fetch_add(1, Ordering::Relaxed) + 1;
        let all_bytes = self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let has_room = messages <= limits.outbox_messages && all_bytes <= limits.outbox_bytes;
        if !has_room {
            self.give_back(1, bytes);
        }
        has_room
    }

    fn give_back(&self, messages: usize, bytes: usize) {
        self.messages.fetch_sub(messages, Ordering::Relaxed);
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Reader {
    /// One that shares that room; `None` where `most` do already.
    pub(super) fn enter(socket: &Arc<Socket>, room: &Arc<Room>, most: usize) -> Option<Self> {
        let reader = || Self { socket: Arc::clone(socket), room: Arc::clone(room), queue: Mutex::default() };
        room.let_in(most).then(reader)
    }

    /// The socket for which it reads.
    pub(super) fn socket(&self) -> &Arc<Socket> {
        &self.socket
    }

    /// Takes a message. While the socket is suspended it takes none.
    pub(super) fn take(&self, message: &Bytes) {
        if !self.socket.is_open() || self.socket.must_wait() {
            return;
        }
        let waker = {
            let mut queue = self.queue();
            let mut has_room = self.room.take(message.len(), &self.socket);
            while !has_room && let Some(oldest) = queue.waiting.pop_front() {
                self.room.give_back(1, oldest.len());
                queue.lost = true;
                has_room = self.room.take(message.len(), &self.socket);
            }
            if has_room {
                queue.waiting.push_back(message.clone());
            }
            queue.lost |= !has_room;
            queue.waker.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }

    /// The next message, or as much of it as `count` says; the rest of it comes next. Nothing is taken where it is not ready.
    pub(super) fn poll_next(&self, context: &Context<'_>, count: usize) -> Poll<Result<Bytes, Lost>> {
        let mut queue = self.queue();
        if std::mem::take(&mut queue.lost) {
            return Poll::Ready(Err(Lost));
        }
        let Some(message) = queue.waiting.front_mut() else {
            queue.waker = Some(context.waker().clone());
            return Poll::Pending;
        };
        let part = message.split_to(count.min(message.len()));
        let is_through = message.is_empty();
        if is_through {
            queue.waiting.pop_front();
        }
        self.room.give_back(usize::from(is_through), part.len());
        Poll::Ready(Ok(part))
    }

    /// Drops what waits.
    pub(super) fn clear(&self) {
        let mut queue = self.queue();
        let waited = std::mem::take(&mut queue.waiting);
        self.room.give_back(waited.len(), waited.iter().map(Bytes::len).sum());
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.clear();
        self.room.let_out();
    }
}
