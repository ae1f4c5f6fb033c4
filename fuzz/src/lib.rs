//! Fuzz targets for everything that reads what a peer sent.
//!
//! **What it is:** one function of bytes per parser, which panics where a promise of that parser does not hold; a corpus made
//! in code; and a runner that needs no nightly toolchain: `cargo run -p doorward-fuzz --release -- --seconds 60`.
//!
//! **What it is not:** guided by coverage. For that, call the same functions from `cargo-fuzz`; the README says how.
//!
//! ```text
//!  corpus ──▶ mutate ──▶ target(bytes) ──▶ panics? the seed and the input in hex
//!                ▲                    └──▶ not?  the next one
//!               seed
//! ```
//!
//! ```
//! doorward_fuzz::targets::subprotocols(b"doorward.v1, chat");
//! ```

pub mod corpus;
pub mod random;
pub mod runner;
pub mod targets;
