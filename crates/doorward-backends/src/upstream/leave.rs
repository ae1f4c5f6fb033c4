//! How a relay leaves one of its sides.
//!
//! ```text
//!   Finish    the frame under way goes to its end
//!   Close     our Close goes out, then FIN
//!   Left      both have gone          Cut   they could not: reset
//! ```

use std::task::{Context, Poll, ready};

use doorward_session::Transport;
use doorward_types::CloseReason;
use doorward_wire::websocket::frame::{self, Opcode};

use super::flow::Flow;

/// How one side is left: the frame under way, our Close, FIN.
pub(super) struct Leave {
    pub(super) at: LeaveAt,
    close: Vec<u8>,
    /// Whether frames that were read already may still go.
    held_too: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum LeaveAt {
    /// The frame under way goes to its end.
    Finish,
    /// The Close frame goes out, then FIN.
    Close,
    /// It has got both.
    Left,
    /// It has a part of a frame and will never get the rest: only a reset says that it is not whole.
    Cut,
}

impl Leave {
    /// `done` where the side has got FIN already.
    pub(super) fn new(done: bool, close: Vec<u8>, held_too: bool) -> Self {
        Self { at: if done { LeaveAt::Left } else { LeaveAt::Finish }, close, held_too }
    }

    /// Goes on as far as both streams let it; ready where the side is left or cut.
    pub(super) fn poll(
        &mut self,
        context: &mut Context<'_>,
        flow: &mut Flow,
        source: &dyn Transport,
        sink: &dyn Transport,
    ) -> Poll<()> {
        if self.at == LeaveAt::Finish {
            if !ready!(flow.poll_finish(context, source, sink, self.held_too)) {
                self.cut(sink);
                return Poll::Ready(());
            }
            if !flow.saw_close() {
                flow.insert(&self.close);
            }
            self.at = LeaveAt::Close;
        }
        if self.at == LeaveAt::Close {
            let drained = ready!(flow.poll_drain(context, sink));
            if drained.is_err() || ready!(sink.poll_shutdown(context)).is_err() {
                self.cut(sink);
            } else {
                self.at = LeaveAt::Left;
            }
        }
        Poll::Ready(())
    }

    /// Resets a side that has not got all.
    pub(super) fn cut(&mut self, sink: &dyn Transport) {
        if self.at != LeaveAt::Left {
            sink.reset();
            self.at = LeaveAt::Cut;
        }
    }
}

/// Whether frames that were read already may still go: a server that only goes down loses none of them (C81), and a broken
/// frame takes none of those before it along.
pub(super) fn goes_with_what_is_held(reason: CloseReason) -> bool {
    matches!(
        reason,
        CloseReason::Restart
            | CloseReason::GoingAway
            | CloseReason::ProtocolError
            | CloseReason::TooBig
            | CloseReason::UpstreamBroken
    )
}

/// A client's Close frame: the gate is a client to the upstream, and what a user's login does is none of its concern.
pub(super) fn close_for_upstream(mask: [u8; 4]) -> Vec<u8> {
    let (code, name) = (CloseReason::GoingAway.code(), CloseReason::GoingAway.name());
    let mut close = Vec::with_capacity(32);
    frame::write(Opcode::Close, &[&code.to_be_bytes(), name.as_bytes()].concat(), Some(mask), &mut close);
    close
}
