//! The table: every row on both sides, in turns, and what came out of it as markdown.

mod markdown;
mod measure;
mod node;
pub(crate) mod rows;

use crate::{
    args::Table,
    clock, doorward,
    error::{Result, Trying},
    machine::{self, say},
    stats::figure,
};
use markdown::Outcome;
use measure::{Bench, Side};
use rows::Row;
use std::{
    io::{Write, stdout},
    process::ExitCode,
};

/// Descriptors that the largest row needs in one process: 10,000 subscribers, the publisher, and some of its own.
const DESCRIPTORS: u64 = 10_100;

/// Runs the rows and prints them. Success means that every bar that was measured is held.
pub(crate) fn run(options: &Table) -> Result<ExitCode> {
    machine::may_open(DESCRIPTORS)?;
    let begun = clock::now();
    let binary = doorward::binary(options.doorward.as_deref())?;
    let rounds = options.rounds.unwrap_or(if options.quick { 1 } else { 3 }).clamp(1, 100);
    let seconds = if options.quick { 1.0 } else { 3.0 };
    match &binary {
        Some(path) => say(&format!("measuring {} in {rounds} round(s)", path.display())),
        None => say("no `doorward` found: measuring the baselines alone (`--doorward PATH` names one)"),
    }
    machine::say_if_busy();
    let bench = Bench { options, binary, seconds };
    let rows = Row::ALL.into_iter().filter(|row| options.only.is_empty() || options.only.contains(row));
    let without_node = node::is_missing();
    let rows = rows.filter(|row| match without_node {
        Some(missing) if row.is_held_against_node() => {
            say(&format!("leaving {} out: {missing}", row.name()));
            false
        }
        _ => bench.binary.is_some() || row.raw_mode().is_some() || row.is_held_against_node(),
    });
    let mut outcomes: Vec<Outcome> = rows.map(Outcome::of).collect();
    for round in 1..=rounds {
        for outcome in &mut outcomes {
            let pairs = if options.quick { 1 } else { outcome.row.pairs() };
            for pair in 0..pairs {
                turn(&bench, outcome, (round, rounds), (round + pair).is_multiple_of(2));
            }
        }
    }
    let mut out = stdout().lock();
    write!(out, "{}", markdown::render(&outcomes)).and_then(|()| out.flush()).trying("standard output")?;
    say(&format!("done in {:.0} s", (clock::now() - begun).as_secs_f64()));
    let all_held = outcomes.iter().all(|outcome| outcome.failure.is_none() && outcome.held() != Some(false));
    Ok(if all_held { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Both sides of a row once; who goes first changes from one time to the next.
fn turn(bench: &Bench<'_>, outcome: &mut Outcome, (round, rounds): (usize, usize), reversed: bool) {
    let mut sides = vec![Side::Baseline];
    if bench.binary.is_some() {
        sides.push(Side::Doorward);
    }
    if reversed {
        sides.reverse();
    }
    for side in sides {
        let row = outcome.row;
        let begun = clock::now();
        let taken = bench.measure(row, side);
        let time = (clock::now() - begun).as_secs_f64();
        let text = match &taken {
            Ok(result) => result[row.figure()].as_f64().map_or_else(|| "no figure".to_owned(), figure),
            Err(error) => format!("failed: {error}"),
        };
        say(&format!("round {round}/{rounds}  {:<15} {:<9} {text}  ({time:.1} s)", row.name(), markdown::name(side)));
        outcome.add(side, taken);
    }
}
