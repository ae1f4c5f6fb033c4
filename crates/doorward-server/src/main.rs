//! The `doorward` program: parse, run, say how it ended.

use std::process::ExitCode;

/// A climb is large and short, what stays of it is small: an allocator that keeps sizes apart gives the pages of thousands of
/// climbs back when they are over. How soon is in `.cargo/config.toml`.
#[cfg(feature = "jemalloc")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    doorward_server::cli::run()
}
