//! The simulated cluster, seed by seed.
//!
//! ```text
//! cargo run --release -p doorward-testkit --example cluster -- --seeds 5000     thousands of runs, and how long endings took
//! cargo run --release -p doorward-testkit --example cluster -- --from 5000 --seeds 5000
//! cargo run --release -p doorward-testkit --example cluster -- --seed 1234      one run, line by line
//! ```
#![expect(clippy::print_stdout, reason = "what a run does is for a person to read")]

use std::{collections::BTreeMap, process::ExitCode, time::Duration};

use doorward_testkit::cluster::{Path, Schedule, run};

const USAGE: &str = "usage: cluster (--seed NUMBER | [--from NUMBER] --seeds NUMBER)";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1)?.parse::<u64>().ok()
    };
    match (number("--seed"), number("--seeds")) {
        (Some(seed), None) => one(seed),
        (None, Some(seeds)) => many(number("--from").unwrap_or(0), seeds),
        _ => {
            println!("{USAGE}");
            ExitCode::from(64)
        }
    }
}

/// Prints what happens in one run, in order.
fn one(seed: u64) -> ExitCode {
    let schedule = Schedule::of(seed);
    println!("{:#?}", schedule.shape);
    for (at, act) in &schedule.acts {
        println!("{:>9.3} s  to do        {act:?}", at.as_secs_f64());
    }
    let run = run(&schedule);
    run.lines.iter().for_each(|line| println!("{line}"));
    verdict(&run.violations(), seed)
}

fn many(from: u64, seeds: u64) -> ExitCode {
    let mut took: BTreeMap<Path, Vec<Duration>> = BTreeMap::new();
    let mut failed = 0;
    for seed in from..from + seeds {
        let schedule = Schedule::of(seed);
        let run = run(&schedule);
        let violations = run.violations();
        failed += usize::from(verdict(&violations, seed) != ExitCode::SUCCESS);
        for measured in run.measure().into_iter().filter(|_| schedule.shape.is_published()) {
            took.entry(measured.path).or_default().push(measured.took);
        }
    }
    println!("{seeds} seeds, {failed} of them failed");
    table(took);
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn verdict(violations: &[String], seed: u64) -> ExitCode {
    if violations.is_empty() {
        return ExitCode::SUCCESS;
    }
    violations.iter().for_each(|violation| println!("{violation}"));
    println!("cargo run --release -p doorward-testkit --example cluster -- --seed {seed}");
    ExitCode::FAILURE
}

/// How long endings took where the times were the published ones, from the commit to the last Close frame, notice or reset of a
/// node.
fn table(took: BTreeMap<Path, Vec<Duration>>) {
    println!("| a node hears of an ending | endings | p50 | p99 | longest |\n| --- | --- | --- | --- | --- |");
    for (path, mut took) in took {
        took.sort_unstable();
        let at = |percent: usize| took.get((took.len() - 1) * percent / 100).map_or(0.0, Duration::as_secs_f64);
        println!("| {path} | {} | {:.2} s | {:.2} s | {:.2} s |", took.len(), at(50), at(99), at(100));
    }
}
