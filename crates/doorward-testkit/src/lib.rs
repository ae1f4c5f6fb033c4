//! What the tests of all crates share: suites that any implementation of a port must pass, and the files of `conformance/`.

pub mod suites;
pub mod transcript;
