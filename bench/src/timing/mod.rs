//! Timing: whether verdicts that must look alike also take alike long.
//!
//! A guesser who is told the same words for every wrong guess may still learn from a clock. For each group of wrong guesses this
//! makes the same number of tries of each kind, in an order drawn anew for each round, so that a machine that grows slower
//! meanwhile does so for all of them, and compares every two kinds.
//!
//! client -> gate   all that comes before          a connection for each try, or one for all
//! client           wait until the gate is idle
//! client -> gate   the last message               the clock starts before it is handed to the system
//! gate   -> client the verdict                    the clock stops at its first byte
//! client           the verdict has to be the expected one, and nothing may have come before it

mod caller;
mod groups;
mod report;
mod world;

use crate::{
    args::Timing,
    child, doorward,
    error::{Error, Result, Trying},
    load::exchange::source,
    machine::{self, say},
};
use aws_lc_rs::rand;
use caller::Caller;
use groups::{Group, Kind};
use report::{Pair, Sample};
use std::{
    io::{Write, stdout},
    net::SocketAddr,
    process::ExitCode,
};
use world::World;

/// Rounds that are not counted: connections, caches and branch predictors have to get warm.
const WARM: u32 = 20;

/// Makes all tries and prints the pairs. Success means that no pair is further apart than is allowed.
pub(crate) fn run(options: &Timing) -> Result<ExitCode> {
    let binary = doorward::binary(options.doorward.as_deref())?
        .ok_or_else(|| Error::Usage("there is no `doorward` to time (`--doorward PATH` names one)".into()))?;
    machine::say_if_busy();
    let world = World::start(&binary, options.processors.server_cpu, WARM + options.tries)?;
    child::pin_self(options.processors.client_cpu)?;
    let mut groups = groups::all(&world)?;
    groups.retain(|group| options.only.is_empty() || options.only.iter().any(|word| group.name.contains(word)));
    if groups.is_empty() {
        return Err(Error::Usage(format!("no group is named like `{}`", options.only.join(","))));
    }
    let mut pairs = Vec::new();
    for group in groups {
        say(&format!("{}: {} kinds, {} tries of each", group.name, group.kinds.len(), options.tries));
        pairs.extend(Pair::all_of(&group.name, &samples(&group, world.target, options.tries)?));
    }
    let mut out = stdout().lock();
    write!(out, "{}", report::render(&pairs)).and_then(|()| out.flush()).trying("standard output")?;
    Ok(if pairs.iter().all(Pair::is_within) { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Microseconds of every try, kind by kind.
fn samples(group: &Group, target: SocketAddr, tries: u32) -> Result<Vec<Sample>> {
    let mut samples: Vec<Sample> = group.kinds.iter().map(|kind| Sample::of(kind.name)).collect();
    let mut shared = match &group.shared {
        Some(opening) => Some(Caller::connect(target).and_then(|mut caller| caller.follow(opening).map(|()| caller))?),
        None => None,
    };
    let mut sources = 0_u16;
    for round in 0..WARM + tries {
        for index in shuffled(group.kinds.len())? {
            let (Some(kind), Some(sample)) = (group.kinds.get(index), samples.get_mut(index)) else { continue };
            let time = match &mut shared {
                Some(caller) => tried(caller, group, kind, round)?,
                None if group.are_counted => {
                    sources = sources.wrapping_add(1);
                    tried(&mut Caller::connect_from(source(sources, target), target)?, group, kind, round)?
                }
                None => tried(&mut Caller::connect(target)?, group, kind, round)?,
            };
            if round >= WARM {
                sample.times.push(time);
            }
        }
    }
    Ok(samples)
}

fn tried(caller: &mut Caller, group: &Group, kind: &Kind, number: u32) -> Result<f64> {
    let explained = |error| Error::Server(format!("at {}, {}: {error}", group.name, kind.name));
    let guess = kind.guess(number);
    caller.follow(&guess.before).map_err(explained)?;
    let time = caller.time(&guess.last).map_err(explained)?;
    caller.hear(group.verdict).map_err(explained)?;
    Ok(time.as_secs_f64() * 1e6)
}

/// The numbers below `count` in an order that is drawn.
fn shuffled(count: usize) -> Result<Vec<usize>> {
    let mut drawn = vec![0; count];
    rand::fill(&mut drawn).map_err(|_| Error::Usage("there is no randomness".into()))?;
    let mut order: Vec<usize> = (0..count).collect();
    for (last, byte) in drawn.iter().enumerate().rev() {
        order.swap(last, usize::from(*byte) % (last + 1));
    }
    Ok(order)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_turn_in_every_round() {
        for count in 0..6 {
            let mut order = shuffled(count).unwrap();
            order.sort_unstable();
            assert_eq!(order, (0..count).collect::<Vec<_>>());
        }
    }

    #[test]
    fn each_kind_is_the_first_of_a_round_about_equally_often() {
        let mut first = [0; 3];
        for _ in 0..3_000 {
            first[shuffled(3).unwrap()[0]] += 1;
        }
        assert!(first.iter().all(|count| (800..1_200).contains(count)), "{first:?}");
    }
}
