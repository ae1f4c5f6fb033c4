//! The `doorward` program: parse, run, say how it ended.

use std::process::ExitCode;

fn main() -> ExitCode {
    doorward_server::cli::run()
}
