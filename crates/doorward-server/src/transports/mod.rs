//! How a ladder speaks over a line: one file, or folder, per wire.
//!
//! ```text
//!            ┌── json ───── doorward.v1: a JSON text each
//!  climb ◀──▶├── socketio ─ events, over a WebSocket or long-polling
//!            └── ninep ──── the authentication file of 9P over TCP
//! ```

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use doorward_auth::Refusal;
use doorward_session::{Backend, Received, Socket};
use doorward_types::{Answer, CloseReason, Prompt, TraceId};

mod climb;
pub(crate) mod json;
pub(crate) mod ninep;
pub(crate) mod socketio;

pub(crate) use climb::{ClimbEnd, MESSAGES, climb, malformed, say};

/// What a message of a user means before admission, with what is to be said to it at once.
pub(crate) enum Heard {
    /// It answers the ladder.
    Answered(Answer, Vec<u8>),
    /// It is of the wire itself, or counts for nothing yet.
    Said(Vec<u8>),
    /// It is a sign of life.
    Alive(Vec<u8>),
    /// The user has left.
    Left,
}

/// The words of one wire, for one user. Everything that it gives is framed, and may be empty.
pub(crate) trait Voice: Send {
    /// What goes out before anything else.
    fn greeting(&mut self) -> Vec<u8> {
        Vec::new()
    }

    /// What the ladder says.
    fn prompt(&mut self, prompt: &Prompt) -> Vec<u8>;

    /// What a message of the user means.
    ///
    /// # Errors
    /// It is not what the wire asks for.
    fn hear(&mut self, received: &Received) -> Result<Heard, Refusal>;

    /// What is said to whoever is let in.
    fn admitted(&mut self, socket: &Arc<Socket>, backend: &str) -> Vec<u8>;

    /// What is said to whoever is not, and how long the user may take to say that it was heard.
    fn refused(&mut self, reason: CloseReason, trace: TraceId) -> (Vec<u8>, Option<Duration>);

    /// What is answered to a message that comes after a refusal was said, and whether it was heard by then.
    fn has_heard(&mut self, received: &Received) -> (Vec<u8>, bool) {
        let _any = received;
        (Vec::new(), true)
    }

    /// What goes out last, before the Close.
    fn parting(&mut self, reason: CloseReason) -> Vec<u8> {
        let _nothing = reason;
        Vec::new()
    }

    /// How often a sign of life is asked for, and how.
    fn ping(&self) -> Option<(Duration, Bytes)> {
        None
    }

    /// Whoever serves this user behind the gate.
    fn backend(&mut self, plain: Arc<dyn Backend>) -> Arc<dyn Backend> {
        plain
    }
}
