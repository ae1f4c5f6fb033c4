//! A connection between a client and a node, which writes down what the node's kernel accepts.
//!
//! ```text
//!   node ──try_write──▶ kernel: accepts all while the client reads, so many bytes while it does not, nothing while it sleeps
//!                          └─▶ decoded as it comes: frames, notices and the Close go into the log
//!   node ◀──poll_read── what the client says: a word every second, pongs, the answer to a Close
//! ```

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    time::Duration,
};

use doorward_session::Transport;
use doorward_types::SessionId;
use doorward_wire::websocket::{
    Decoder, Event as Wire, Input, Limits,
    frame::{self, Opcode},
};
use tokio::sync::Notify;

use super::{
    lock,
    log::{Actor, Connection, Event, Log, Notice},
    machine::{Life, Machine},
};

/// What the kernel of the node takes for a client that does not read.
const ROOM: usize = 2048;

/// Both ends of a connection.
pub(super) struct Pipe {
    pub(super) connection: Connection,
    log: Arc<Log>,
    machine: Arc<Machine>,
    life: Arc<Life>,
    state: Mutex<State>,
    over: Notify,
}

struct State {
    decoder: Decoder,
    /// When the first byte of the frame that is not whole yet was accepted.
    began: Option<Duration>,
    to_node: VecDeque<u8>,
    client_is_done: bool,
    reads: bool,
    room: usize,
    /// Pings that the client has not read.
    pings: Vec<Vec<u8>>,
    is_closed: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
    is_over: bool,
    is_gone: bool,
}

impl Pipe {
    pub(super) fn new(connection: Connection, log: Arc<Log>, machine: Arc<Machine>, life: Arc<Life>) -> Arc<Self> {
        let state = State {
            decoder: Decoder::client(Limits { message: 1 << 20 }),
            began: None,
            to_node: VecDeque::new(),
            client_is_done: false,
            reads: true,
            room: ROOM,
            pings: Vec::new(),
            is_closed: false,
            reader: None,
            writer: None,
            is_over: false,
            is_gone: false,
        };
        Arc::new(Self { connection, log, machine, life, state: Mutex::new(state), over: Notify::new() })
    }

    /// The node's end.
    pub(super) fn transport(self: &Arc<Self>) -> Arc<dyn Transport> {
        Arc::new(NodesEnd(Arc::clone(self)))
    }

    /// The client says a word.
    pub(super) fn say(&self) {
        let mut state = lock(&self.state);
        if !state.is_closed {
            state.send(Opcode::Text, b"hello");
        }
    }

    /// The client reads no more, or again.
    pub(super) fn read(&self, reads: bool) {
        let mut state = lock(&self.state);
        if state.is_over || state.is_gone || state.reads == reads {
            return;
        }
        self.note(Event::Reads(reads));
        state.reads = reads;
        if reads {
            state.room = ROOM;
            state.answer();
            state.writer.take().into_iter().for_each(Waker::wake);
        }
    }

    /// The client is gone, and nobody tells the node.
    pub(super) fn vanish(&self) {
        let mut state = lock(&self.state);
        if !state.is_over && !state.is_gone {
            self.note(Event::Vanished);
            (state.reads, state.is_gone) = (false, true);
            self.over.notify_one();
        }
    }

    /// Waits until the client knows that it is over.
    pub(super) async fn until_over(&self) {
        loop {
            {
                let state = lock(&self.state);
                if state.is_over || state.is_gone {
                    return;
                }
            }
            self.over.notified().await;
        }
    }

    pub(super) fn note(&self, event: Event) {
        self.log.note(Actor::Connection(self.connection), event);
    }

    fn accept(&self, bytes: &[u8]) -> io::Result<usize> {
        if self.life.is_over() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let mut state = lock(&self.state);
        let room = if state.reads { bytes.len() } else { bytes.len().min(state.room) };
        if room == 0 || self.machine.is_asleep() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        if !state.reads {
            state.room -= room;
        }
        self.decode(&mut state, bytes.get(..room).unwrap_or_default());
        if state.reads {
            state.answer();
        }
        Ok(room)
    }

    fn decode(&self, state: &mut State, bytes: &[u8]) {
        let now = self.log.time().now();
        let mut bytes = bytes.to_vec();
        let mut input = Input::new(&mut bytes);
        while !input.rest().is_empty() || !state.decoder.is_at_boundary() {
            let began = state.began.take().unwrap_or(now);
            match state.decoder.next(&mut input) {
                Ok(Some(Wire::Message(message))) => {
                    if let Some(event) = message.text().and_then(read) {
                        // A frame that has begun may be finished whatever has happened since: its beginning counts.
                        self.log.note_at(began, Actor::Connection(self.connection), event);
                    }
                }
                Ok(Some(Wire::Ping(payload))) => state.pings.push(payload.to_vec()),
                Ok(Some(Wire::Close(close))) => {
                    state.is_closed = true;
                    let (code, reason) = (close.code.unwrap_or_default(), close.reason.to_owned());
                    self.note(Event::Close { code, reason });
                }
                Ok(Some(Wire::Pong(_) | Wire::Fragment)) => {}
                Ok(None) => {
                    state.began = (!state.decoder.is_at_boundary()).then_some(began);
                    return;
                }
                Err(violation) => {
                    self.note(Event::Fault(format!("what the node wrote is no WebSocket: {violation}")));
                    return;
                }
            }
        }
    }
}

impl State {
    fn send(&mut self, opcode: Opcode, payload: &[u8]) {
        let mut bytes = Vec::new();
        frame::write(opcode, payload, Some([1, 2, 3, 4]), &mut bytes);
        self.to_node.extend(bytes);
        self.reader.take().into_iter().for_each(Waker::wake);
    }

    /// Answers what a client answers that reads.
    fn answer(&mut self) {
        for ping in std::mem::take(&mut self.pings) {
            self.send(Opcode::Pong, &ping);
        }
        if self.is_closed && !self.client_is_done {
            self.send(Opcode::Close, &1000_u16.to_be_bytes());
            self.client_is_done = true;
        }
    }
}

/// What a text from the node says.
fn read(text: &str) -> Option<Event> {
    if let Some(notice) = Notice::ALL.into_iter().find(|notice| notice.text() == text) {
        return Some(Event::Notice(notice));
    }
    let mut words = text.split(' ');
    let (number, user) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    Some(Event::Frame { number, user, by: words.next()?.parse::<SessionId>().ok()? })
}

/// What a publisher sends.
pub(super) fn word(number: u64, user: usize, by: SessionId) -> String {
    format!("{number} {user} {by}")
}

struct NodesEnd(Arc<Pipe>);

impl Transport for NodesEnd {
    fn poll_read(&self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut state = lock(&self.0.state);
        state.reader = Some(context.waker().clone());
        if self.0.life.is_over() || self.0.machine.poll_awake(context).is_pending() {
            return Poll::Pending;
        }
        let count = state.to_node.len().min(buffer.len());
        if count == 0 && !state.client_is_done {
            return Poll::Pending;
        }
        buffer.iter_mut().zip(state.to_node.drain(..count)).for_each(|(to, byte)| *to = byte);
        Poll::Ready(Ok(count))
    }

    fn poll_write(&self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.0.accept(bytes) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if self.0.machine.poll_awake(context).is_ready() {
                    lock(&self.0.state).writer = Some(context.waker().clone());
                }
                Poll::Pending
            }
            done => Poll::Ready(done),
        }
    }

    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.0.accept(bytes)
    }

    fn poll_shutdown(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn reset(&self) {}
}

impl Drop for NodesEnd {
    fn drop(&mut self) {
        self.0.note(Event::Over);
        lock(&self.0.state).is_over = true;
        self.0.over.notify_one();
    }
}
