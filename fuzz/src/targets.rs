//! The targets. Each takes any bytes and panics where a promise is broken.

mod codec;
mod engineio;
mod json;
mod key_set;
mod ninep;
mod socketio;
mod subprotocols;
pub(crate) mod tokens;
mod tracker;

pub use codec::codec_in_splits;
pub use engineio::engineio_payload;
pub use json::{answer, json_inbound};
pub use key_set::key_set;
pub use ninep::ninep;
pub use socketio::socketio_packets;
pub use subprotocols::subprotocols;
pub use tokens::{compact_token, signed_token};
pub use tracker::frame_tracker;

use crate::corpus;

/// A target with the inputs that it starts from.
#[derive(Clone, Copy)]
pub struct Target {
    /// As `--target` names it.
    pub name: &'static str,
    /// The function.
    pub run: fn(&[u8]),
    /// Makes the inputs to start from.
    pub corpus: fn() -> Vec<Vec<u8>>,
}

/// Every target.
pub const ALL: &[Target] = &[
    Target { name: "codec_in_splits", run: codec_in_splits, corpus: corpus::cut_streams },
    Target { name: "frame_tracker", run: frame_tracker, corpus: corpus::cut_streams },
    Target { name: "json_inbound", run: json_inbound, corpus: corpus::messages },
    Target { name: "answer", run: answer, corpus: corpus::answers },
    Target { name: "engineio_payload", run: engineio_payload, corpus: corpus::payloads },
    Target { name: "socketio_packets", run: socketio_packets, corpus: corpus::packets },
    Target { name: "subprotocols", run: subprotocols, corpus: corpus::subprotocols },
    Target { name: "ninep", run: ninep, corpus: corpus::file_requests },
    Target { name: "compact_token", run: compact_token, corpus: corpus::tokens },
    Target { name: "signed_token", run: signed_token, corpus: corpus::signed_texts },
    Target { name: "key_set", run: key_set, corpus: corpus::key_sets },
];

/// Takes the first byte of an input as its way of being cut, and cuts the rest: one piece, single bytes, or pieces whose sizes
/// come from a small generator.
fn cut(data: &[u8]) -> (u8, &[u8], Vec<&[u8]>) {
    let Some((&way, stream)) = data.split_first() else { return (0, data, Vec::new()) };
    let mut pieces = Vec::new();
    let mut rest = stream;
    let mut state = usize::from(way);
    while !rest.is_empty() {
        state = state.wrapping_mul(0x2545_F491).wrapping_add(0x4F6C_DD1D);
        let size = match way & 0x0e {
            0 => rest.len(),
            2 => 1,
            4 => 2,
            _ => (state >> 8) % 24,
        };
        let (piece, after) = rest.split_at(size.min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    (way, stream, pieces)
}
