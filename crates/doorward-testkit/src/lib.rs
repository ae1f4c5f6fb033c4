//! What the tests of all crates share: scripted peers, a world in memory, tokens good and forged, and the scripts at the
//! heads of the layers' files; suites that any implementation of a port must pass, and the files of `conformance/`; and a
//! cluster of nodes in one process, in which everything goes wrong that can.
//!
//! **What it is not:** published, or used by anything but tests.
//!
//! ```text
//!   World (clock, rng, stores) ──▶ ladder ──▶ Climb ◀──▶ Peer ◀── lines: `< ask jwt: user sends token`
//! ```
//!
//! ```
//! use doorward_testkit::{World, script};
//! let world = World::new();
//! assert!(world.ports().rng.bytes16() != [0; 16]);
//! assert_eq!(script::steps_of("//! user   -> socket    send token\n"), ["user sends token"]);
//! ```

pub mod cluster;
pub mod script;
pub mod suites;
pub mod tokens;
pub mod transcript;

mod full_disk;
mod live;
mod login;
mod peer;
mod publisher;
mod rng;
mod switched;
mod world;

pub use full_disk::FullDisk;
pub use live::{Live, LiveSocket};
pub use login::{beginning, login_of};
pub use peer::{Heard, Peer};
pub use publisher::Publisher;
pub use rng::SeededRng;
pub use switched::Switched;
pub use world::World;
