//! `doorward.v1`: text frames, one JSON object each.
//!
//! ```text
//! socket -> user     {"event":"ask", ...} | choose | tell | wait
//! user   -> socket   {"action":"auth","kind":"...", ...}
//! socket -> user     {"event":"admitted", ...} | {"event":"refused", ...} then Close
//! ```

use std::{sync::Arc, time::Duration};

use doorward_auth::Refusal;
use doorward_session::{Received, Socket};
use doorward_types::{CloseReason, Prompt, TraceId};
use doorward_wire::{json, websocket::frame};

use super::{Heard, Voice, malformed};

/// Speaks JSON.
pub(crate) struct Json {
    /// Whether the user knows of Doorward: the ladder talks, or what stands behind it does.
    pub(crate) speaks: bool,
}

impl Voice for Json {
    fn prompt(&mut self, prompt: &Prompt) -> Vec<u8> {
        framed(&json::prompt(prompt))
    }

    fn hear(&mut self, received: &Received) -> Result<Heard, Refusal> {
        match received {
            Received::Text(text) => json::answer(text.reveal("the answer to the ladder is read out of it"))
                .map(|answer| Heard::Answered(answer, Vec::new()))
                .map_err(malformed),
            _ => Err(malformed("a binary message came where JSON text was expected")),
        }
    }

    fn admitted(&mut self, socket: &Arc<Socket>, backend: &str) -> Vec<u8> {
        if !self.speaks {
            return Vec::new();
        }
        let admission = socket.admission();
        framed(&json::admitted(socket.id(), admission.subject(), backend, admission.expires_at()))
    }

    /// The number, and nothing of the reason behind it.
    fn refused(&mut self, reason: CloseReason, trace: TraceId) -> (Vec<u8>, Option<Duration>) {
        let refused =
            if self.speaks { framed(&json::refused(reason, reason.reconnect().after(), trace)) } else { Vec::new() };
        (refused, None)
    }
}

fn framed(text: &str) -> Vec<u8> {
    frame::text(text.as_bytes()).to_vec()
}
