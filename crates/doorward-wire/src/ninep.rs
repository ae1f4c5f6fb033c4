//! 9P2000 (Plan 9, manual section 5) as machines over bytes: whole messages out of any split, and what stands in them.
//!
//! ```text
//!   size[4]  type[1]  tag[2]  body ...          little endian; the size counts itself: at least 7, at most the msize
//!   └─ Frame: from the Decoder, in place where it is whole ─┘
//!                    │
//!                    ├─ Request::read   what a client asks      Tversion, Tauth, Tattach ... Twstat
//!                    └─ Reply::read     what a server answers   the number of the request and one, or Rerror
//! ```
//!
//! Two sorts of mistake are told apart. A [`Violation`] is one of the stream: where the next message begins is not known any
//! more, and the connection cannot go on. [`Malformed`] is one of a message: its tag is known, so it can be answered by an
//! `Rerror`.
//!
//! The dialects `9P2000.u` and `9P2000.L` are not spoken.
//!
//! ```
//! use doorward_wire::ninep::{Decoder, Fid, Request, Tag};
//!
//! let mut bytes = Vec::new();
//! Request::Clunk { fid: Fid(7) }.write(Tag(1), &mut bytes);
//! assert_eq!(bytes, [11, 0, 0, 0, 120, 1, 0, 7, 0, 0, 0]);
//!
//! let mut decoder = Decoder::new(8192);
//! let mut input = &bytes[..];
//! while let Some(frame) = decoder.next(&mut input)? {
//!     assert_eq!((frame.tag, Request::read(&frame)?), (Tag(1), Request::Clunk { fid: Fid(7) }));
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod data;
mod decoder;
mod few;
mod fields;
mod frame;
mod ids;
mod malformed;
mod reply;
mod request;
mod stat;
mod violation;
mod write;

pub use data::Data;
pub use decoder::Decoder;
pub use few::Few;
pub use frame::Frame;
pub use ids::{Fid, OpenMode, Qid, Tag};
pub use malformed::Malformed;
pub use reply::Reply;
pub use request::Request;
pub use stat::{DIRECTORY, Stat};
pub use violation::Violation;

/// The name of this dialect, as `Tversion` offers it.
pub const VERSION: &str = "9P2000";

/// What a server answers to a dialect that it does not speak.
pub const UNKNOWN: &str = "unknown";

/// The name of this protocol as a WebSocket subprotocol: offered, not demanded.
pub const SUBPROTOCOL: &str = "9p";

/// The least that a message has: its size, its type and its tag.
pub const SMALLEST: u32 = 7;

/// What a message of data has beside the data, at the most (`IOHDRSZ`): an `iounit` is so much less than the msize.
pub const AROUND_DATA: u32 = 24;

/// How many names one walk can have (`MAXWELEM`).
pub const NAMES: usize = 16;
