//! The benchmark of Doorward: raw baselines, a load generator, and the table that sets them side by side.
//!
//! **What it is.** One program that answers one question: how far is Doorward from what this machine can do at all? For
//! every promise about speed or memory it runs the least program that could do the same work, and Doorward, in turn, in
//! one session, and prints the ratio.
//!
//! **What it is not.** A comparison with other servers, a test over a real network, or a measurement of latency at a given
//! rate. Absolute figures belong to the machine and the hour; only the ratios are meant.
//!
//! ```text
//!             cpu 0 (server)                     cpu 1 (client)
//!          ┌──────────────────┐   loopback   ┌─────────────────────┐
//!  table ──┤ doorward serve   ├◀────────────▶┤ load                │──▶ one line of JSON
//!  (turns) │   or             │              │ (echo-upstream, for │
//!          │ raw --mode ...   ├◀────────────▶┤  the relay rows)    │
//!          └──────────────────┘              └─────────────────────┘
//!             /proc/PID: processor time, resident memory
//! ```
//!
//! Beside the table it looks at another sort of time: whether verdicts that must look alike also take alike long (`timing`), and
//! whether a comparison of secrets tells by its time how much of a guess is right (`compare`).
//!
//! ```sh
//! cargo run --release -p doorward-bench -- table --quick
//! cargo run --release -p doorward-bench -- timing
//! cargo run --release -p doorward-bench -- compare
//! ```

mod args;
mod child;
mod clock;
mod compare;
mod doorward;
mod epoll;
mod error;
mod frames;
mod http;
mod load;
mod machine;
mod ninep;
mod process;
mod raw;
mod spoken;
mod stats;
mod table;
mod timing;
mod token;
mod upstream;

use args::{Args, Command};
use clap::Parser;
use std::{
    io::{Write, stderr},
    process::ExitCode,
    time::Duration,
};

fn main() -> ExitCode {
    let ended = match Args::parse().command {
        Command::Table(options) => table::run(&options),
        Command::Timing(options) => timing::run(&options),
        Command::Compare { samples } => compare::run(samples),
        Command::Raw { mode, upstream, life } => {
            raw::run(mode, upstream, Duration::from_secs(life)).map(|()| ExitCode::SUCCESS)
        }
        Command::Load(options) => load::run(&options).map(|()| ExitCode::SUCCESS),
        Command::EchoUpstream { life } => upstream::run(Duration::from_secs(life)).map(|()| ExitCode::SUCCESS),
    };
    ended.unwrap_or_else(|error| {
        let _ = writeln!(stderr(), "doorward-bench: {error}");
        ExitCode::from(2)
    })
}
