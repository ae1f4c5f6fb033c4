//! Socket.IO, protocols 4 and 5: named events with acknowledgements and attachments, in namespaces, over [`engineio`](crate::engineio).
//!
//! ```text
//! client -> gate   0/default,{"token":"..."}         CONNECT; in protocol 4  0/default?token=...,  and nothing at all for `/`
//! gate -> client   0/default,{"sid":"..."}           connected; in protocol 4  0/default,  and  0  for `/` unasked
//! gate -> client   4/default,{"message":"..."}       not connected
//! client -> gate   2/default,7["authentication",{"token":"..."}]      an event that asks for the acknowledgement 7
//! gate -> client   3/default,7[true]                                  which is given
//! client -> gate   51-/default,["upload",{"_placeholder":true,"num":0}]   an event with one attachment ...
//! client -> gate   (the bytes)                                            ... in the next binary message
//! gate -> client   1/default,                        disconnected
//! ```
//!
//! A packet is `TYPE [ATTACHMENTS-] [/NAMESPACE,] [ID] [JSON]`. The revision of Engine.IO below tells the protocol: 4 in revision 3,
//! 5 in revision 4.
//!
//! A gate reads with [`Packet`], and with [`Assembler`] where attachments are taken; it writes with [`connected`], [`connect_error`],
//! [`event`], [`event_parts`], [`ack`] and [`disconnect`]; what an application emits is an [`Emitted`]; how a ladder is spoken of in
//! events is [`dialect`]. What a gate reads is held to more than what the common parsers demand:
//! see [`Malformed`].

mod arguments;
mod assembler;
pub mod dialect;
mod emitted;
mod malformed;
mod namespace;
mod outbound;
mod packet;
mod placeholders;

pub use arguments::Arguments;
pub use assembler::{Assembled, Assembler};
pub use emitted::Emitted;
pub use malformed::Malformed;
pub use namespace::{KeptNamespace, Namespace, Namespaces, UnfitNamespaces};
pub use outbound::{ack, connect_error, connected, disconnect, event, event_parts};
pub use packet::{Ack, Event, Packet, may_name_an_event};

/// The most attachments of a packet; what the common parsers take, too.
pub const ATTACHMENTS: usize = 10;
/// The most arguments of an event or an acknowledgement.
pub const ARGUMENTS: usize = 64;
/// The most bytes of the name of an event, and of a namespace.
pub const NAME: usize = 255;
/// The highest id of an acknowledgement: the highest integer that JavaScript tells from its neighbours.
pub const HIGHEST_ID: u64 = (1 << 53) - 1;
/// How deep the JSON of a packet can be nested, its outermost list counted. The parsers of all common languages take as much.
const DEPTH: usize = 64;
