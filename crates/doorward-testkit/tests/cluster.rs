//! The cluster, for as many seeds as a test has time for; `examples/cluster.rs` runs thousands. And what shows that its checker
//! would see something: clusters that are made to do wrong.

use doorward_testkit::cluster::{Misdeed, Schedule, run};

/// Runs so many seeds, and fails with the command that replays the first one in which something does not hold.
fn hold(seeds: std::ops::Range<u64>) {
    for seed in seeds {
        let violations = run(&Schedule::of(seed)).violations();
        assert!(
            violations.is_empty(),
            "{}\ncargo run --release -p doorward-testkit --example cluster -- --seed {seed}",
            violations.join("\n")
        );
    }
}

/// In how many of so many seeds the checker sees a misdeed.
fn seen(misdeed: Misdeed, seeds: u64) -> usize {
    (0..seeds).filter(|seed| !run(&Schedule::of(*seed).with(misdeed)).violations().is_empty()).count()
}

#[test]
fn c71_whatever_goes_wrong_nothing_passes_after_an_ending_and_its_bound() {
    hold(0..100);
}

#[test]
fn c75_whatever_goes_wrong_no_socket_outlives_what_it_rests_on() {
    hold(100..200);
}

#[test]
fn one_seed_is_one_run() {
    for seed in 0..8 {
        let lines = || run(&Schedule::of(seed)).lines.iter().map(ToString::to_string).collect::<Vec<_>>();
        let (once, again) = (lines(), lines());
        for (once, again) in once.iter().zip(&again) {
            assert_eq!(once, again);
        }
        assert_eq!(once.len(), again.len());
    }
}

#[test]
fn a_store_that_hides_what_is_new_is_seen() {
    assert!(seen(Misdeed::HidesWhatIsNew, 4) > 0);
}

#[test]
fn climbs_that_do_not_know_when_they_began_are_seen() {
    assert!(seen(Misdeed::ForgetsTheBeginning, 40) > 0);
}

#[test]
fn a_clock_that_stands_still_while_its_machine_sleeps_is_seen() {
    assert!(seen(Misdeed::Naps, 40) > 0);
}
