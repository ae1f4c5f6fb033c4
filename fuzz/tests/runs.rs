//! The runner itself, and a short run of every target that is the same each time.

use doorward_fuzz::{
    runner::{self, Failure},
    targets::{self, Target},
};

#[test]
fn a_short_run_of_every_target_finds_nothing() {
    let outcome = runner::run(targets::ALL, 1, |rounds| rounds < 2000).map_err(|failure| failure.to_string());
    let ran = outcome.map(|counts| counts.0.iter().map(|(_, count)| *count).min());
    assert!(matches!(ran, Ok(Some(least)) if least > 2000), "{ran:?}");
}

#[test]
fn a_panic_is_reported_with_what_brings_it_back() {
    fn no_sevens(data: &[u8]) {
        assert!(!data.contains(&7), "on purpose");
    }
    let target = Target { name: "no_sevens", run: no_sevens, corpus: || vec![vec![1, 2, 7]] };
    let failure = Failure { target: "no_sevens", seed: 9, input: vec![1, 2, 7] };
    assert_eq!(runner::run(&[target], 9, |_| true), Err(failure.clone()));
    let shown = "no_sevens panicked in the run of seed 9; again with --target no_sevens --input 010207";
    assert_eq!(failure.to_string(), shown);
}

#[test]
fn the_same_seed_gives_the_same_run() {
    fn no_long_zeros(data: &[u8]) {
        assert!(!data.windows(3).any(|three| three == [0; 3]), "on purpose");
    }
    let target = Target { name: "no_long_zeros", run: no_long_zeros, corpus: || vec![vec![0, 0, 1, 2]] };
    let first = runner::run(&[target], 3, |rounds| rounds < 100_000);
    assert!(first.is_err());
    assert_eq!(first, runner::run(&[target], 3, |rounds| rounds < 100_000));
    assert_ne!(first, runner::run(&[target], 4, |rounds| rounds < 100_000));
}
