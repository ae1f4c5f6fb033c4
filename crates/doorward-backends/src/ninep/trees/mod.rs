//! The trees that Doorward has of its own, and the root that joins them.

mod cart;
mod channels;
mod root;
mod session;

use bytes::Bytes;

pub use cart::Cart;
pub use channels::Channels;
pub use root::Root;
pub use session::Session;

/// What is read of a file with that content.
fn part_of(content: &Bytes, offset: u64, count: usize) -> Bytes {
    let start = usize::try_from(offset).unwrap_or(usize::MAX).min(content.len());
    let end = start.saturating_add(count).min(content.len());
    content.slice(start..end)
}
