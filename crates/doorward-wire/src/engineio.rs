//! Engine.IO, revisions 3 and 4: the packets that Socket.IO travels in, over WebSocket and over HTTP long-polling.
//!
//! ```text
//! client -> gate   GET  ?EIO=4&transport=polling
//! gate -> client   0{"sid":"...","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":65536}
//! client -> gate   POST ?EIO=4&transport=polling&sid=...      40                          a message of Socket.IO
//! client -> gate   GET  ?EIO=4&transport=websocket&sid=...    2probe                      inside the WebSocket
//! gate -> client   3probe
//! gate -> client   6                                          in answer to the GET that still waits
//! client -> gate   5                                          from here on the WebSocket alone
//! gate -> client   2                                          a sign of life is asked for; in revision 3 by the client
//! client -> gate   3
//! gate -> client   1                                          the end
//! ```
//!
//! | | revision 3 (clients 1 and 2) | revision 4 (clients 3 and 4) |
//! | --- | --- | --- |
//! | who pings | the client | the gate |
//! | a binary message in a WebSocket | a binary frame, a byte 4 first | a binary frame |
//! | a binary message as text | `b4` and base64 | `b` and base64 |
//! | a payload, which is several packets in one HTTP body | `6:4hello2:4€`, counted in UTF-16 units; or bytes | packets with U+001E between |
//! | `maxPayload` | nobody tells | in the open packet |
//!
//! [`Packet`] is what one text or binary message says, [`payload`] what one HTTP body does, [`Open`] the gate's first packet.
//! Payloads for `<script>` elements (JSONP, `j=`) are not spoken: they are how a page of another site gets past the browser's rules.

mod lengths;
mod malformed;
mod open;
mod packet;
pub mod payload;

pub use malformed::Malformed;
pub use open::Open;
pub use packet::{Packet, binary_prefix};

/// A revision of Engine.IO: what a client names in the query as `EIO`. It tells the protocol of Socket.IO inside, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Revision {
    /// `EIO=3`, with protocol 4 of Socket.IO inside: its clients 1 and 2.
    Three,
    /// `EIO=4`, with protocol 5 of Socket.IO inside: its clients 3 and 4.
    Four,
}

impl Revision {
    /// The revision that a client names in the query of its first request; `None` for one that is not spoken here.
    pub fn from_query(eio: &str) -> Option<Self> {
        match eio {
            "3" => Some(Self::Three),
            "4" => Some(Self::Four),
            _ => None,
        }
    }
}
