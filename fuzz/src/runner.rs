//! Runs targets on mutated inputs, the same ones for the same seed.

use std::{fmt, panic};

use crate::{
    random::{Random, mutate},
    targets::Target,
};

/// How often each target ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts(pub Vec<(&'static str, u64)>);

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total: u64 = self.0.iter().map(|(_, count)| count).sum();
        write!(f, "{total} inputs")?;
        self.0.iter().try_for_each(|(name, count)| write!(f, ", {name} {count}"))
    }
}

/// An input on which a target panicked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The target.
    pub target: &'static str,
    /// The seed of the run.
    pub seed: u64,
    /// The input.
    pub input: Vec<u8>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { target, seed, input } = self;
        write!(f, "{target} panicked in the run of seed {seed}; again with --target {target} --input ")?;
        input.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Runs each target on its corpus as it is, and then all of them in turn on mutated inputs, while `go_on` says so: it is asked
/// before each round, with the number of rounds so far.
///
/// # Errors
/// The first [`Failure`]; the panic itself has gone to standard error.
pub fn run(targets: &[Target], seed: u64, mut go_on: impl FnMut(u64) -> bool) -> Result<Counts, Failure> {
    let mut counts = Counts(targets.iter().map(|target| (target.name, 0)).collect());
    let corpora: Vec<Vec<Vec<u8>>> = targets.iter().map(|target| (target.corpus)()).collect();
    let mut random = Random::new(seed);
    let each = || targets.iter().zip(&corpora);

    for ((target, corpus), (_, count)) in each().zip(&mut counts.0) {
        for input in corpus {
            try_one(target, seed, input)?;
            *count += 1;
        }
    }
    let mut rounds = 0;
    while go_on(rounds) {
        for ((target, corpus), (_, count)) in each().zip(&mut counts.0) {
            let mut pick = || corpus.get(random.below(corpus.len())).cloned().unwrap_or_default();
            let (mut input, other) = (pick(), pick());
            mutate(&mut random, &mut input, &other);
            try_one(target, seed, &input)?;
            *count += 1;
        }
        rounds += 1;
    }
    Ok(counts)
}

/// Runs one target on one input.
///
/// # Errors
/// A [`Failure`] where it panics.
pub fn try_one(target: &Target, seed: u64, input: &[u8]) -> Result<(), Failure> {
    panic::catch_unwind(|| (target.run)(input)).map_err(|_| Failure {
        target: target.name,
        seed,
        input: input.to_vec(),
    })
}
