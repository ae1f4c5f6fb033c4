use bytes::Bytes;
use doorward_types::CloseReason;
use doorward_wire::websocket::frame;

/// How a socket ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By a decision made here.
    For(CloseReason),
    /// The peer sent a Close frame first.
    ByPeer {
        /// The code in it, if there was one.
        code: Option<u16>,
    },
    /// The peer's stream ended, or broke, without a Close frame.
    HungUp,
}

impl Ended {
    /// The close reason that comes nearest: what the peer ended counts as normal.
    pub fn reason(self) -> CloseReason {
        match self {
            Self::For(reason) => reason,
            Self::ByPeer { .. } | Self::HungUp => CloseReason::Normal,
        }
    }

    /// The Close frame to send: the reason's, or an echo of the peer's (RFC 6455, section 5.5.1).
    pub fn close_frame(self) -> Bytes {
        match self {
            Self::For(reason) => frame::close(reason),
            Self::ByPeer { code: Some(code) } => frame::close_code(code, ""),
            Self::ByPeer { code: None } | Self::HungUp => frame::close_without_code(),
        }
    }
}
