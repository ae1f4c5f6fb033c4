//! Whoever attaches to a gate that asks nothing.

use std::{sync::Arc, time::Duration};

use doorward_auth::Refusal;
use doorward_backends::ninep::{Begun, Ninep};
use doorward_session::{Backend, Received, Socket};
use doorward_types::{CloseReason, Prompt, TraceId};
use doorward_wire::ninep::Tag;
use zeroize::Zeroizing;

use super::{GoOn, error};
use crate::transports::{Heard, Voice};

/// The request to attach, until a tree answers it.
pub(super) struct Attaching {
    pub(super) ninep: Arc<Ninep>,
    pub(super) tag: Tag,
    pub(super) msize: u32,
    /// The request, and what has come behind it.
    pub(super) unheard: Zeroizing<Vec<u8>>,
}

impl Voice for Attaching {
    /// The verdict has fallen: nothing is said of how.
    fn prompt(&mut self, _prompt: &Prompt) -> Vec<u8> {
        Vec::new()
    }

    fn hear(&mut self, _received: &Received) -> Result<Heard, Refusal> {
        Ok(Heard::Said(Vec::new()))
    }

    /// The tree answers.
    fn admitted(&mut self, _socket: &Arc<Socket>, _backend: &str) -> Vec<u8> {
        Vec::new()
    }

    fn refused(&mut self, reason: CloseReason, _trace: TraceId) -> (Vec<u8>, Option<Duration>) {
        (error(self.tag, reason.sentence()), None)
    }

    fn backend(&mut self, _plain: Arc<dyn Backend>) -> Arc<dyn Backend> {
        let begun = Begun { msize: self.msize, ..Begun::default() };
        Arc::new(GoOn { ninep: Arc::clone(&self.ninep), begun, unheard: std::mem::take(&mut self.unheard) })
    }
}
