//! The cluster, for as many seeds as a test has time for; `examples/cluster.rs` runs thousands. And what shows that its checker
//! would see something: clusters that are made to do wrong.

use std::time::Duration;

use doorward_testkit::cluster::{Misdeed, Path, Run, Schedule, run};

/// Runs seeds, and fails with the command that replays the first one in which something does not hold.
fn hold(seeds: impl Iterator<Item = u64>) -> Vec<Run> {
    let held = seeds.map(|seed| {
        let run = run(&Schedule::of(seed));
        let violations = run.violations().join("\n");
        let again = format!("cargo run --release -p doorward-testkit --example cluster -- --seed {seed}");
        assert!(violations.is_empty(), "{violations}\n{again}");
        run
    });
    held.collect()
}

/// Whether the checker sees a misdeed in so many seeds.
fn is_seen(misdeed: Misdeed, seeds: u64) -> bool {
    (0..seeds).any(|seed| !run(&Schedule::of(seed).with(misdeed)).violations().is_empty())
}

#[test]
fn c71_whatever_goes_wrong_nothing_passes_after_an_ending_and_its_bound() {
    hold((0..100).filter(|seed| seed % 4 != 0));
}

#[test]
fn c6_whatever_goes_wrong_no_socket_outlives_what_it_rests_on() {
    hold((100..200).filter(|seed| seed % 4 != 0));
}

#[test]
fn c1_without_faults_endings_land_in_time_and_nobody_else_is_touched() {
    let runs = hold((0..200).step_by(4));
    for path in [Path::SameNode, Path::Signalled] {
        let measured = runs.iter().flat_map(Run::measure).filter(|measured| measured.path == path);
        let mut took: Vec<_> = measured.map(|measured| measured.took).collect();
        took.sort_unstable();
        let p99 = took[(took.len() - 1) * 99 / 100];
        println!("{path}: {} endings, p99 {p99:?}", took.len());
        assert!(
            p99 <= if path == Path::SameNode { Duration::from_secs(1) } else { Duration::from_secs(2) },
            "{path} {p99:?}"
        );
    }
}

#[test]
fn one_seed_is_one_run() {
    for seed in 1..9 {
        let lines = || run(&Schedule::of(seed)).lines.iter().map(ToString::to_string).collect::<Vec<_>>();
        let (once, again) = (lines(), lines());
        for (once, again) in once.iter().zip(&again) {
            assert_eq!(once, again, "seed {seed}");
        }
        assert_eq!(once.len(), again.len(), "seed {seed}");
    }
}

#[test]
fn a_store_that_hides_what_is_new_is_seen() {
    assert!(is_seen(Misdeed::HidesWhatIsNew, 4));
}

#[test]
fn climbs_that_do_not_know_when_they_began_are_seen() {
    assert!(is_seen(Misdeed::ForgetsTheBeginning, 20));
}

#[test]
fn a_clock_that_stands_still_while_its_machine_sleeps_is_seen() {
    assert!(is_seen(Misdeed::Naps, 20));
}
