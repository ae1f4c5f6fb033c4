//! The life of one connection after its admission, as one small future.
//!
//! ```text
//!   turn    write what the stream blocked on
//!           read, decode, hand over in place     again while a read fills the buffer, a few times at the most
//!           write what came of it, in one go
//!           after the end: FIN, then read on for the peer's Close
//!           wait: for bytes, for room, for a wake
//! ```

use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use doorward_types::CloseReason;
use doorward_wire::websocket::{Event, Input, Limits, frame};

use crate::{
    Ended, Incoming, Socket, Transport,
    lock::lock,
    moment::Moment,
    outbox::Phase,
    reading::Reading,
    scratch::{SCRATCH, with_read_buffer},
};

/// After so many full reads others have their turn.
const READS_IN_A_TURN: usize = 4;

/// The connection's whole life: made by [`Line::run`](crate::Line::run), spawned by whoever serves.
#[must_use = "a connection does nothing until it is polled"]
pub struct Connection {
    socket: Arc<Socket>,
    transport: Arc<dyn Transport>,
    reading: Reading,
    /// What was read before the admission and has not been decoded.
    ahead: Box<[u8]>,
    /// Until the socket has ended.
    incoming: Option<Box<dyn Incoming>>,
    fin_sent: bool,
    /// The peer's Close frame, or a violation, has come: nothing after it is looked at.
    deaf: bool,
    /// The peer's stream is at its end.
    hung_up: bool,
}

enum Read {
    /// So many bytes, and there may be more.
    Some(usize),
    Nothing,
    End,
}

impl Connection {
    pub(crate) fn new(
        socket: Arc<Socket>,
        incoming: Box<dyn Incoming>,
        transport: Arc<dyn Transport>,
        mut reading: Reading,
        ahead: Vec<u8>,
        unwritten: Vec<u8>,
    ) -> Self {
        reading.set_limits(Limits { message: socket.policy().limits.message });
        lock(socket.outbox()).lanes.go_on_with(unwritten);
        Self {
            socket,
            transport,
            reading,
            ahead: ahead.into(),
            incoming: Some(incoming),
            fin_sent: false,
            deaf: false,
            hung_up: false,
        }
    }

    /// Reads and handles until nothing is there, or others have to have a turn.
    fn read(&mut self, context: &mut Context<'_>) {
        if !self.ahead.is_empty() {
            let mut ahead = std::mem::take(&mut self.ahead);
            self.handle(&mut ahead);
        }
        for _ in 0..READS_IN_A_TURN {
            let read = with_read_buffer(|buffer| {
                let read = match self.transport.poll_read(context, buffer) {
                    Poll::Pending => Read::Nothing,
                    Poll::Ready(Ok(0) | Err(_)) => Read::End,
                    Poll::Ready(Ok(count)) => Read::Some(count),
                };
                if let Read::Some(count) = read {
                    self.handle(buffer.get_mut(..count).unwrap_or_default());
                }
                read
            });
            match read {
                Read::Some(SCRATCH..) => self.write(context, true),
                Read::Some(_) => {}
                Read::Nothing => return,
                Read::End => {
                    self.hung_up = true;
                    return;
                }
            }
        }
        context.waker().wake_by_ref();
    }

    /// Decodes bytes and hands over the messages in them.
    fn handle(&mut self, bytes: &mut [u8]) {
        let now = self.socket.sockets().elapsed();
        self.socket.heard(now);
        self.socket.look_at_the_lease(Moment::after(now));
        let mut input = Input::new(bytes);
        while !self.deaf {
            let event = match self.reading.next(&mut input) {
                Ok(Some(event)) => event,
                Ok(None) => return,
                Err(violation) => {
                    tracing::debug!(socket = %self.socket.id(), %violation, "the peer broke the protocol");
                    self.deaf = true;
                    self.socket.end_politely(violation.close_reason());
                    return;
                }
            };
            if let Event::Close(close) = event {
                self.deaf = true;
                self.socket.end_as(Ended::ByPeer { code: close.code }, false, None);
                return;
            }
            // After the end nothing but the peer's Close counts.
            let Some(incoming) = self.incoming.as_mut().filter(|_| self.socket.is_open()) else { continue };
            let framing = &self.socket.policy().framing;
            let done = match event {
                Event::Message(message) if let Some(heartbeat) = framing.heartbeat(&message) => {
                    self.socket.counts(1, now, false).map(|()| {
                        if let Some(answer) = heartbeat.answer {
                            lock(self.socket.outbox()).lanes.control(&answer);
                        }
                    })
                }
                Event::Message(message) => self.socket.counts(1, now, true).and_then(|()| {
                    let handled = AssertUnwindSafe(|| match self.socket.is_suspended() {
                        false => incoming.message(&self.socket, message),
                        true => incoming.suspended(&self.socket, message),
                    });
                    catch_unwind(handled).unwrap_or_else(|_| {
                        tracing::error!(socket = %self.socket.id(), "the backend panicked at a message");
                        Err(CloseReason::InternalError)
                    })
                }),
                Event::Ping(payload) => self.socket.counts(1, now, false).map(|()| {
                    lock(self.socket.outbox()).lanes.control(&frame::pong(payload));
                }),
                Event::Pong(_) => self.socket.counts(1, now, false),
                Event::Fragment => self.socket.counts(1, now, true),
                Event::Close(_) => Ok(()),
            };
            if let Err(reason) = done {
                self.socket.end_politely(reason);
            }
        }
    }

    /// Lets the backend do what it has to do on its own account.
    fn let_it_act(&mut self, context: &mut Context<'_>) {
        let Some(incoming) = self.incoming.as_mut().filter(|_| self.socket.is_open()) else { return };
        let acted = catch_unwind(AssertUnwindSafe(|| incoming.turn(&self.socket, context)));
        let acted = acted.unwrap_or_else(|_| {
            tracing::error!(socket = %self.socket.id(), "the backend panicked at its turn");
            Err(CloseReason::InternalError)
        });
        if let Err(reason) = acted {
            self.socket.end_politely(reason);
        }
    }

    /// Writes what waits. The turn goes on, or is over: then whatever is sent from now on is the flusher's.
    fn write(&mut self, context: &mut Context<'_>, in_turn: bool) {
        let now = self.socket.sockets().moment();
        let mut outbox = self.socket.lock_to_write(now);
        outbox.attach(context);
        outbox.in_turn = in_turn;
        outbox.poll_flush(context, now);
    }

    /// Tells the backend that the socket has ended, once.
    fn say_gone(&mut self) {
        if let Some(mut incoming) = self.incoming.take() {
            let socket = &self.socket;
            if catch_unwind(AssertUnwindSafe(|| incoming.gone(socket))).is_err() {
                tracing::error!(socket = %socket.id(), "the backend panicked at the end of a socket");
            }
        }
    }

    /// After the end: FIN, then the peer's Close or the end of its stream. Gives whether all is done.
    fn take_leave(&mut self, context: &mut Context<'_>) -> bool {
        let (phase, ended) = {
            let outbox = lock(self.socket.outbox());
            (outbox.phase, outbox.ended)
        };
        match phase {
            Phase::Open | Phase::Suspended(_) => self.hung_up,
            Phase::Gone => true,
            Phase::Closing => self.hung_up,
            Phase::Lingering => {
                if !self.fin_sent {
                    match self.transport.poll_shutdown(context) {
                        Poll::Ready(Ok(())) => self.fin_sent = true,
                        Poll::Ready(Err(_)) => return true,
                        Poll::Pending => return false,
                    }
                }
                // Whoever closes first hears the other's Close as the last thing; whoever answers waits for the end of the
                // stream, or a reset would take the answer away.
                let closed_first = !matches!(ended, Some(Ended::ByPeer { .. }));
                self.hung_up || (self.deaf && closed_first)
            }
        }
    }
}

impl Future for Connection {
    type Output = Ended;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Ended> {
        let connection = self.get_mut();
        connection.write(context, true);
        if !connection.hung_up {
            connection.read(context);
        }
        connection.let_it_act(context);
        connection.write(context, false);
        let done = connection.take_leave(context);
        if !connection.socket.is_open() {
            connection.say_gone();
        }
        if done {
            let ended = connection.socket.leave(Ended::HungUp);
            connection.say_gone();
            return Poll::Ready(ended);
        }
        Poll::Pending
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.socket.leave(Ended::For(CloseReason::GoingAway));
        self.say_gone();
    }
}
