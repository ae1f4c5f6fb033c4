//! The cluster, for as many seeds as a test has time for; `examples/cluster.rs` runs thousands. And what shows that its checker
//! would see something: clusters that are made to do wrong.

use std::time::Duration;

use doorward_testkit::cluster::{Act, Actor, Event, Misdeed, Path, Run, Schedule, Shape, run};

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
        lands_in_time(&runs, path);
    }
}

/// Whether of a hundred endings that nodes heard of in that way ninety-nine took no longer than is published. Gives how many
/// there were.
#[expect(clippy::print_stdout, reason = "what was measured is for a person to read")]
fn lands_in_time(runs: &[Run], path: Path) -> usize {
    let measured = runs.iter().flat_map(Run::measure).filter(|measured| measured.path == path);
    let mut took: Vec<_> = measured.map(|measured| measured.took).collect();
    took.sort_unstable();
    let p99 = took[(took.len() - 1) * 99 / 100];
    println!("{path}: {} endings, p99 {p99:?}", took.len());
    assert!(
        p99 <= if path == Path::SameNode { Duration::from_secs(1) } else { Duration::from_secs(2) },
        "{path} {p99:?}"
    );
    took.len()
}

/// Two nodes where nothing goes wrong, and browsers that have a page open at each of them.
fn on_both_nodes(seed: u64, clients: usize, users: usize, acts: &[(u64, Act)]) -> Run {
    let acts: Vec<_> = acts.iter().map(|(at, act)| (Duration::from_millis(*at), *act)).collect();
    let heals_at = acts.last().map_or(Duration::ZERO, |(at, _)| *at) + Duration::from_secs(3);
    let shape = Schedule::of(seed).shape;
    let shape = Shape { nodes: 2, tabs: 2, waits: 0, bus_loses: 0, clients, users, heals_at, ..shape };
    assert!(shape.is_healthy, "seed {seed}");
    let run = run(&Schedule { shape, acts });
    assert_eq!(run.violations(), Vec::<String>::new(), "seed {seed}");
    run
}

/// The clients whose connections were closed in that time, each with the nodes at which they were.
fn closed(run: &Run, from: u64, until: u64) -> Vec<(usize, Vec<usize>)> {
    let mut closed = std::collections::BTreeMap::<usize, Vec<usize>>::new();
    for line in &run.lines {
        if let (Actor::Connection(connection), Event::Close { .. }) = (line.actor, &line.event)
            && (u128::from(from)..u128::from(until)).contains(&line.at.as_millis())
        {
            // Tab and node have the same number.
            closed.entry(connection.client).or_default().push(connection.number % 2);
        }
    }
    closed.values_mut().for_each(|nodes| nodes.sort_unstable());
    closed.into_iter().collect()
}

#[test]
fn c2_a_logout_that_is_asked_for_at_one_node_lands_on_both_a_thousand_times() {
    let round = |round: u64| [(round * 3000 + 10, Act::LogIn(0)), (round * 3000 + 1800, Act::LogOut(0))];
    let acts: Vec<_> = (0..100).flat_map(round).collect();
    let runs: Vec<_> = (0..10).map(|seed| on_both_nodes(seed * 4, 1, 1, &acts)).collect();
    for path in [Path::SameNode, Path::Signalled] {
        assert!(lands_in_time(&runs, path) > 900, "{path}: in most rounds there is a socket on each node");
    }
}

#[test]
fn c3_what_was_issued_before_a_time_ends_on_every_node_of_one_user_and_of_everybody() {
    let log_in = |at: u64| (0..4).map(move |client| (at, Act::LogIn(client)));
    let acts = log_in(10).chain([(3000, Act::NotBefore(0))]).chain(log_in(6000)).chain([(9000, Act::NotBeforeForAll)]);
    let run = on_both_nodes(8, 4, 2, &acts.collect::<Vec<_>>());
    let same: Vec<_> = (0..4).filter(|client| run.users[*client] == run.users[0]).map(|at| (at, vec![0, 1])).collect();
    assert!(same.len() < 4, "all clients of this seed are one user's");
    assert_eq!(closed(&run, 3000, 5000), same);
    assert_eq!(closed(&run, 9000, 11_000), (0..4).map(|client| (client, vec![0, 1])).collect::<Vec<_>>());
}

#[test]
fn c4_on_every_node_a_logout_ends_one_login_of_a_user_and_the_end_of_the_user_all() {
    let log_in = (0..3).map(|client| (10, Act::LogIn(client)));
    let acts = log_in.chain([(3000, Act::LogOut(1)), (6000, Act::EndSubject(0))]);
    let run = on_both_nodes(4, 3, 1, &acts.collect::<Vec<_>>());
    assert_eq!(closed(&run, 0, 6000), [(1, vec![0, 1])]);
    assert_eq!(closed(&run, 6000, 8000), [(0, vec![0, 1]), (2, vec![0, 1])]);
}

#[test]
fn c9_on_every_node_all_others_end_and_the_one_that_says_so_stays_until_the_account_is_disabled() {
    let log_in = (0..3).map(|client| (10, Act::LogIn(client)));
    let acts = log_in.chain([(3000, Act::EndOthers(0)), (6000, Act::Disable(0))]);
    let run = on_both_nodes(12, 3, 1, &acts.collect::<Vec<_>>());
    assert_eq!(closed(&run, 0, 6000), [(1, vec![0, 1]), (2, vec![0, 1])]);
    assert_eq!(closed(&run, 6000, 8000), [(0, vec![0, 1])]);
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
fn nodes_that_read_late_and_end_what_is_newer_are_seen() {
    assert!(is_seen(Misdeed::HidesWhatIsNewer, 200));
}

#[test]
fn a_clock_that_stands_still_while_its_machine_sleeps_is_seen() {
    assert!(is_seen(Misdeed::Naps, 20));
}
