use std::{
    fmt, io,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use doorward_types::{CloseReason, Secret};
use doorward_wire::websocket::{Decoder, Event, Input, Limits, MessageKind, frame};
use tokio::time::timeout;
use zeroize::{Zeroize as _, Zeroizing};

use crate::{
    Connection, Incoming, Socket, Transport,
    reading::Reading,
    scratch::{SCRATCH, with_read_buffer},
    socket::LINGER,
};

/// How long a Close frame may take to be accepted before admission.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);

/// How many pings and pongs a peer may send before its admission: one who asks for a sign of life every twenty seconds can wait
/// for twenty minutes.
const CONTROL_FRAMES: usize = 64;

/// After so many reads without a message others have their turn.
const READS_IN_A_TURN: usize = 8;

/// What came in before admission. A message holds credentials.
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    /// A text message: UTF-8, checked.
    Text(Secret),
    /// A binary message.
    Binary(Secret),
    /// Nothing more will come.
    Gone(Gone),
}

/// Why nothing more comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    /// The peer's stream ended without a Close frame.
    HungUp,
    /// The peer closed, and its Close frame was answered.
    Closed {
        /// The code in it, if there was one.
        code: Option<u16>,
    },
    /// The peer broke the protocol or sent too much; close with this reason.
    Violation(CloseReason),
    /// The stream broke.
    Io,
}

/// Carries messages between one peer and a climb, and then becomes the connection of a backend.
///
/// Before admission it reads no more than it is asked for: one message at a time, of a few KiB, and the rest stays with the
/// kernel. It answers pings, and the peer's Close; of pings and pongs it takes a few dozen in all.
///
/// What it has read and handed out it wipes. What the decoder holds of a message that comes in several reads is given back as
/// it is.
pub struct Line {
    transport: Arc<dyn Transport>,
    reading: Reading,
    limit: usize,
    /// Read and not decoded.
    ahead: Zeroizing<Vec<u8>>,
    /// Decoded since the last message ended, as it came.
    begun: Zeroizing<Vec<u8>>,
    /// Pings and pongs that have come.
    control_frames: usize,
    /// To be written.
    unwritten: Vec<u8>,
    /// A Close frame has been written, or is among what is to be.
    closing: bool,
}

impl Line {
    /// A line over `transport`. `read_ahead` is what was read behind the upgrade request; `limit` is the largest message
    /// before admission, in bytes.
    pub fn new(transport: Arc<dyn Transport>, read_ahead: Vec<u8>, limit: usize) -> Self {
        Self {
            transport,
            reading: Reading::Frames(Decoder::server(Limits { message: limit })),
            limit,
            ahead: read_ahead.into(),
            begun: Zeroizing::default(),
            control_frames: 0,
            unwritten: Vec::new(),
            closing: false,
        }
    }

    /// A line over bare bytes: each read is a binary message, at most `limit` bytes of it, and nothing is said on its own account.
    pub fn of_bytes(transport: Arc<dyn Transport>, limit: usize) -> Self {
        Self { reading: Reading::Bytes, ..Self::new(transport, Vec::new(), limit) }
    }

    /// With bytes that go out before anything else that is said, or heard.
    #[must_use]
    pub fn saying(mut self, first: Vec<u8>) -> Self {
        self.unwritten = first;
        self
    }

    /// With bytes that count as read and not as handed out: they come before everything that is still to come.
    #[must_use]
    pub fn having_read(mut self, before: &[u8]) -> Self {
        self.ahead = [before, &self.ahead].concat().into();
        self
    }

    /// The stream below, as the registry wants it.
    pub fn transport(&self) -> &Arc<dyn Transport> {
        &self.transport
    }

    /// The next message. To drop the future loses nothing.
    pub async fn receive(&mut self) -> Received {
        std::future::poll_fn(|context| self.poll_receive(context)).await
    }

    /// The next message, to be polled.
    pub fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<Received> {
        for _ in 0..READS_IN_A_TURN {
            // What was to be said first makes room for the answer to a ping.
            if !self.unwritten.is_empty()
                && let Poll::Ready(Err(_)) = self.poll_write(context)
            {
                return Poll::Ready(Received::Gone(Gone::Io));
            }
            let received = self.decode();
            if let Poll::Ready(Err(_)) = self.poll_write(context) {
                return Poll::Ready(Received::Gone(Gone::Io));
            }
            if let Some(received) = received {
                return Poll::Ready(received);
            }
            match ready!(self.poll_read(context)) {
                Ok(0) => return Poll::Ready(Received::Gone(Gone::HungUp)),
                Ok(_) => {}
                Err(_) => return Poll::Ready(Received::Gone(Gone::Io)),
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// Says a text to the peer. A future that is dropped has said it all the same, as soon as there is room.
    ///
    /// # Errors
    /// The stream is broken, or a Close frame has been said.
    pub async fn say(&mut self, text: &str) -> io::Result<()> {
        self.send(&frame::text(text.as_bytes())).await
    }

    /// Says what is framed already, as it is.
    ///
    /// # Errors
    /// As [`say`](Self::say).
    pub async fn send(&mut self, frame: &[u8]) -> io::Result<()> {
        if self.closing {
            return Err(io::ErrorKind::NotConnected.into());
        }
        self.unwritten.extend_from_slice(frame);
        std::future::poll_fn(|context| self.poll_write(context)).await
    }

    /// Says why, then FIN, then reads on for the peer's Close. It takes two seconds at the most, whatever the peer does: one
    /// that does not read is reset.
    pub async fn close(mut self, reason: CloseReason) {
        if !self.closing {
            if let Reading::Frames(_) = self.reading {
                self.unwritten.extend_from_slice(&frame::close(reason));
            }
            self.closing = true;
        }
        match timeout(CLOSE_WITHIN, self.fin()).await {
            Ok(Ok(())) => {
                // A peer that does not answer has had its time.
                let _ = timeout(LINGER, self.read_on()).await;
            }
            Ok(Err(_)) | Err(_) => self.transport.reset(),
        }
    }

    /// After the peer's Close, or the end of its stream: FIN, if the peer's side takes within a second what goes before it.
    pub async fn leave(mut self) {
        // One that takes nothing is dropped.
        let _gone = timeout(CLOSE_WITHIN, self.fin()).await;
    }

    async fn fin(&mut self) -> io::Result<()> {
        std::future::poll_fn(|context| {
            ready!(self.poll_write(context))?;
            self.transport.poll_shutdown(context)
        })
        .await
    }

    /// The connection's whole life after admission: hands every message to `incoming` and writes what is sent to `socket`.
    pub fn run(self, socket: Arc<Socket>, incoming: Box<dyn Incoming>) -> Connection {
        Connection::new(socket, incoming, self.transport, self.reading, self.ahead.to_vec(), self.unwritten)
    }

    /// The stream and what was read from it since the last whole message, for a relay.
    ///
    /// A peer that has left a pong lying halfway, because it reads nothing, is reset: the relay could not go on there.
    pub fn into_bytes(self) -> (Arc<dyn Transport>, Vec<u8>) {
        if !self.unwritten.is_empty() {
            let written = self.transport.try_write(&self.unwritten).unwrap_or(0);
            if written < self.unwritten.len() {
                self.transport.reset();
            }
        }
        (self.transport, [self.begun.as_slice(), &self.ahead].concat())
    }

    /// Decodes what was read, up to a message.
    fn decode(&mut self) -> Option<Received> {
        let read = std::mem::take(&mut self.ahead);
        let mut bytes = read.clone();
        let mut input = Input::new(&mut bytes);
        let received = loop {
            let event = self.reading.next(&mut input);
            if let Ok(Some(Event::Ping(_) | Event::Pong(_))) = event {
                self.control_frames += 1;
                if self.control_frames > CONTROL_FRAMES {
                    break Some(Received::Gone(Gone::Violation(CloseReason::TooFast)));
                }
            }
            match event {
                Ok(None) => break None,
                Ok(Some(Event::Message(message))) => {
                    let payload = Secret::new(message.payload);
                    break Some(match message.kind {
                        MessageKind::Text => Received::Text(payload),
                        MessageKind::Binary => Received::Binary(payload),
                    });
                }
                Ok(Some(Event::Ping(payload))) => {
                    // Whoever pings without reading the pongs gets one.
                    if self.unwritten.is_empty() {
                        self.unwritten.extend_from_slice(&frame::pong(payload));
                    }
                }
                Ok(Some(Event::Pong(_) | Event::Fragment)) => {}
                Ok(Some(Event::Close(close))) => {
                    if !std::mem::replace(&mut self.closing, true) {
                        self.unwritten.extend_from_slice(&close.echo());
                    }
                    break Some(Received::Gone(Gone::Closed { code: close.code }));
                }
                Err(violation) => break Some(Received::Gone(Gone::Violation(violation.close_reason()))),
            }
        };
        let (taken, rest) = read.split_at(read.len() - input.rest().len());
        self.ahead = rest.to_vec().into();
        if received.is_some() || self.reading.is_at_boundary() {
            self.begun = Zeroizing::default();
            return received;
        }
        append(&mut self.begun, taken);
        // A message in fragments of nothing would never come to its limit.
        (self.begun.len() > 2 * self.limit + 1024).then_some(Received::Gone(Gone::Violation(CloseReason::TooBig)))
    }

    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        with_read_buffer(|buffer| {
            let most = self.limit.clamp(512, SCRATCH);
            let buffer = buffer.get_mut(..most).unwrap_or_default();
            let count = ready!(self.transport.poll_read(context, buffer))?;
            let read = buffer.get_mut(..count).unwrap_or_default();
            append(&mut self.ahead, read);
            read.zeroize();
            Poll::Ready(Ok(count))
        })
    }

    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.unwritten.is_empty() {
            let count = ready!(self.transport.poll_write(context, &self.unwritten))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.unwritten.drain(..count);
            if self.unwritten.is_empty() {
                self.unwritten = Vec::new();
            }
        }
        self.transport.poll_flush(context)
    }

    /// Throws away what comes until the peer's Close frame or the end of its stream.
    async fn read_on(&mut self) {
        loop {
            match self.receive().await {
                Received::Gone(Gone::Closed { .. } | Gone::HungUp | Gone::Io) => return,
                Received::Gone(Gone::Violation(_)) => return self.throw_away().await,
                Received::Text(_) | Received::Binary(_) => tokio::task::yield_now().await,
            }
        }
    }

    /// After a broken rule nothing can be understood any more, also no Close frame: only the end of the stream is waited for.
    async fn throw_away(&mut self) {
        loop {
            self.ahead.clear();
            if let Ok(0) | Err(_) = std::future::poll_fn(|context| self.poll_read(context)).await {
                return;
            }
            tokio::task::yield_now().await;
        }
    }
}

/// Appends without leaving a copy where the buffer was before it grew.
fn append(buffer: &mut Zeroizing<Vec<u8>>, more: &[u8]) {
    *buffer = [buffer.as_slice(), more].concat().into();
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("limit", &self.limit).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use doorward_wire::websocket::frame::Opcode;

    use super::*;
    use crate::support::{Over, World, masked};

    #[tokio::test]
    async fn what_is_given_back_comes_before_what_was_read_behind_it() {
        let world = World::over(Over::Pipe);
        let (transport, mut peer) = world.stream(4096).await;
        let mut line = Line::new(transport, Vec::new(), 4096);
        let (first, second) = (masked(Opcode::Text, b"first"), masked(Opcode::Text, b"second"));
        peer.write(&[first.as_slice(), &second].concat()).await;
        assert!(line.receive().await == Received::Text(Secret::from_text("first")));
        let mut line = line.having_read(&first);
        for text in ["first", "second"] {
            assert!(line.receive().await == Received::Text(Secret::from_text(text)));
        }
    }

    #[tokio::test]
    async fn what_was_read_before_the_admission_does_not_stay_in_the_threads_buffer() {
        let world = World::over(Over::Pipe);
        let (transport, mut peer) = world.stream(4096).await;
        let mut line = Line::new(transport, Vec::new(), 4096);
        peer.say("a credential").await;
        peer.write(&masked(Opcode::Text, b"and half of another")[..10]).await;
        assert!(line.receive().await == Received::Text(Secret::from_text("a credential")));
        with_read_buffer(|buffer| assert!(buffer.iter().all(|byte| *byte == 0)));
    }
}
