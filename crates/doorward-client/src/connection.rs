use std::{collections::VecDeque, fmt, io};

use aws_lc_rs::rand;
use bytes::{Buf, BytesMut};
use doorward_wire::websocket::{
    CloseFrame, Decoder, Event, Input, Limits, MessageKind,
    frame::{self, Opcode},
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::{ClientError, Closed};

/// How many bytes one read takes at most.
const READ: usize = 16 * 1024;

/// What came from the other side. `Debug` tells the length alone.
#[derive(Clone, PartialEq, Eq)]
pub enum Message {
    /// A text message.
    Text(String),
    /// A binary message.
    Binary(Vec<u8>),
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Binary(bytes) => write!(f, "Binary({} bytes)", bytes.len()),
        }
    }
}

/// The frames of one connection. Pings are answered while it is read.
pub(crate) struct Connection<S> {
    stream: S,
    decoder: Decoder,
    /// What was decoded and not handed out yet: never more than one read gave.
    waiting: VecDeque<Message>,
    /// What is to be written. It is kept here so that a caller who gives up in the middle leaves no half frame.
    out: BytesMut,
    closed: Option<Closed>,
    said_goodbye: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    pub(crate) fn new(stream: S, read_ahead: &mut [u8], message: usize) -> Result<Self, ClientError> {
        let mut connection = Self {
            stream,
            decoder: Decoder::client(Limits { message }),
            waiting: VecDeque::new(),
            out: BytesMut::new(),
            closed: None,
            said_goodbye: false,
        };
        connection.decode(read_ahead)?;
        Ok(connection)
    }

    /// How the other side closed, once it has and all before it was handed out.
    pub(crate) fn closed(&self) -> Option<&Closed> {
        self.closed.as_ref().filter(|_| self.waiting.is_empty())
    }

    /// The next message; `None` after a Close frame. May be given up and called again.
    pub(crate) async fn next(&mut self) -> Result<Option<Message>, ClientError> {
        loop {
            self.flush().await?;
            if let Some(message) = self.waiting.pop_front() {
                return Ok(Some(message));
            }
            if self.closed.is_some() {
                return Ok(None);
            }
            let mut chunk = Vec::with_capacity(READ);
            if self.stream.read_buf(&mut chunk).await? == 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it ended without a Close frame").into());
            }
            if let Err(violation) = self.decode(&mut chunk) {
                let _ = self.flush().await;
                return Err(violation);
            }
        }
    }

    /// Sends one message.
    pub(crate) async fn send(&mut self, opcode: Opcode, payload: &[u8]) -> Result<(), ClientError> {
        if self.closed.is_some() || self.said_goodbye {
            return Err(ClientError::Closed);
        }
        self.put(opcode, payload)?;
        self.flush().await
    }

    /// Sends a Close frame, where none was sent, and reads on until the other side has closed too.
    pub(crate) async fn goodbye(&mut self, code: u16, reason: &str) -> Result<(), ClientError> {
        self.put_close(Some(code), reason)?;
        while self.next().await?.is_some() {}
        // The connection is over either way.
        let _ = self.stream.shutdown().await;
        Ok(())
    }

    fn decode(&mut self, bytes: &mut [u8]) -> Result<(), ClientError> {
        let mut input = Input::new(bytes);
        loop {
            let event = match self.decoder.next(&mut input) {
                Ok(Some(event)) => event,
                Ok(None) => return Ok(()),
                Err(violation) => {
                    let reason = violation.close_reason();
                    self.put_close(Some(reason.code()), reason.name())?;
                    return Err(violation.into());
                }
            };
            match event {
                Event::Message(message) => self.waiting.push_back(match (message.kind, message.text()) {
                    (MessageKind::Text, Some(text)) => Message::Text(text.to_owned()),
                    _ => Message::Binary(message.payload.to_vec()),
                }),
                Event::Ping(payload) => {
                    let payload = payload.to_vec();
                    self.put(Opcode::Pong, &payload)?;
                }
                Event::Pong(_) | Event::Fragment => {}
                Event::Close(CloseFrame { code, reason }) => {
                    self.closed = Some(Closed { code, reason: reason.to_owned() });
                    self.put_close(code, "")?;
                }
            }
        }
    }

    fn put_close(&mut self, code: Option<u16>, reason: &str) -> Result<(), ClientError> {
        if std::mem::replace(&mut self.said_goodbye, true) {
            return Ok(());
        }
        let mut payload = Vec::new();
        if let Some(code) = code {
            payload.extend_from_slice(&code.to_be_bytes());
            payload.extend_from_slice(reason.as_bytes());
        }
        self.put(Opcode::Close, &payload)
    }

    fn put(&mut self, opcode: Opcode, payload: &[u8]) -> Result<(), ClientError> {
        let mut mask = [0; 4];
        rand::fill(&mut mask).map_err(|_| io::Error::other("no random numbers"))?;
        let mut bytes = Vec::new();
        frame::write(opcode, payload, Some(mask), &mut bytes);
        self.out.extend_from_slice(&bytes);
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), ClientError> {
        while self.out.has_remaining() {
            match self.stream.write_buf(&mut self.out).await {
                Ok(0) => return Err(io::Error::from(io::ErrorKind::WriteZero).into()),
                Ok(_) => {}
                // What was said before the other side left is worth more than the news that it did.
                Err(_) if self.closed.is_some() || !self.waiting.is_empty() => self.out.clear(),
                Err(error) => return Err(error.into()),
            }
        }
        self.stream.flush().await?;
        Ok(())
    }
}
