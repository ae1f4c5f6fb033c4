//! The trees that Doorward has of its own, and the root that joins them.

mod root;
mod session;

pub use root::Root;
pub use session::Session;
