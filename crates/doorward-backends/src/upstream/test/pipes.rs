//! A pair between pipes in memory, and a socket that notes what its relay says.

use std::{
    fmt,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    time::Duration,
};

use doorward_session::{AnyStream, Transport};
use doorward_types::CloseReason;
use doorward_wire::websocket::{
    Frames,
    frame::{self, Opcode},
};
use tokio::io::{AsyncReadExt as _, DuplexStream, duplex};

use crate::upstream::relay::{Admitted, KeepAlive, Pair, Side};

/// A socket that notes what its relay says.
#[derive(Clone, Default)]
pub(super) struct Noted(Arc<Mutex<Notes>>);

#[derive(Default)]
struct Notes {
    ended: Option<CloseReason>,
    waker: Option<Waker>,
    accepted: bool,
    counted: Frames,
    logged: Vec<(Side, String)>,
    keep_alive: Option<KeepAlive>,
    suspended: bool,
}

impl Noted {
    /// As by the defaults of a gate.
    pub(super) fn pinging() -> Self {
        let noted = Self::default();
        let keep_alive = KeepAlive { ping_every: Duration::from_secs(25), pong_within: Duration::from_secs(10) };
        noted.0.lock().unwrap().keep_alive = Some(keep_alive);
        noted
    }

    /// The frames of the user, and whether any was of a message.
    pub(super) fn counted(&self) -> (u32, bool) {
        let Frames { begun, data } = self.0.lock().unwrap().counted;
        (begun, data)
    }

    pub(super) fn logged(&self) -> Vec<(Side, String)> {
        self.0.lock().unwrap().logged.clone()
    }

    pub(super) fn close_was_accepted(&self) -> bool {
        self.0.lock().unwrap().accepted
    }

    pub(super) fn suspend_from_outside(&self, suspended: bool) {
        let mut notes = self.0.lock().unwrap();
        notes.suspended = suspended;
        notes.waker.take().into_iter().for_each(Waker::wake);
    }

    pub(super) fn end_from_outside(&self, reason: CloseReason) {
        let mut notes = self.0.lock().unwrap();
        notes.ended = Some(reason);
        notes.waker.take().into_iter().for_each(Waker::wake);
    }
}

impl Admitted for Noted {
    fn poll_ended(&self, context: &mut Context<'_>) -> Poll<CloseReason> {
        let mut notes = self.0.lock().unwrap();
        notes.waker = Some(context.waker().clone());
        notes.ended.map_or(Poll::Pending, Poll::Ready)
    }

    fn heard(&self, frames: Frames) -> Result<(), CloseReason> {
        let mut notes = self.0.lock().unwrap();
        notes.counted.begun += frames.begun;
        notes.counted.data |= frames.data;
        notes.ended.map_or(Ok(()), Err)
    }

    fn ended(&self) -> Option<CloseReason> {
        self.0.lock().unwrap().ended
    }

    fn is_suspended(&self) -> bool {
        self.0.lock().unwrap().suspended
    }

    fn keep_alive(&self) -> Option<KeepAlive> {
        self.0.lock().unwrap().keep_alive
    }

    fn end(&self, reason: CloseReason) {
        self.0.lock().unwrap().ended.get_or_insert(reason);
    }

    fn log(&self, side: Side, what: &dyn fmt::Display) {
        self.0.lock().unwrap().logged.push((side, what.to_string()));
    }

    fn close_accepted(&self) {
        self.0.lock().unwrap().accepted = true;
    }
}

pub(super) const MASK: [u8; 4] = [1, 2, 3, 4];

/// A pair with pipes of that capacity on both sides, and the far ends: the user's and the upstream's.
pub(super) fn pair(
    noted: &Noted,
    capacity: usize,
    read_ahead: (&[u8], &[u8]),
) -> (Pair<Noted>, DuplexStream, DuplexStream) {
    let (client, client_side) = duplex(capacity);
    let (server, server_side) = duplex(capacity);
    let side = |stream| Arc::new(AnyStream::new(stream)) as Arc<dyn Transport>;
    let sides = ((side(client_side), read_ahead.0), (side(server_side), read_ahead.1));
    (Pair::new(noted.clone(), sides.0, sides.1, 1 << 20), client, server)
}

pub(super) fn masked(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame::write(opcode, payload, Some(MASK), &mut bytes);
    bytes
}

pub(super) fn close_1001() -> Vec<u8> {
    masked(Opcode::Close, b"\x03\xe9going_away")
}

pub(super) async fn read_all(stream: &mut DuplexStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    bytes
}
