//! What a seed stands for: how a cluster is made, what its users do when, and what goes wrong.

use std::time::Duration;

use super::dice::Dice;

/// How a cluster is made. All of it is drawn from the seed.
#[derive(Clone, Debug)]
pub struct Shape {
    /// The seed.
    pub seed: u64,
    /// Whether nothing goes wrong at all.
    pub is_healthy: bool,
    /// How many nodes there are.
    pub nodes: usize,
    /// How many browsers.
    pub clients: usize,
    /// How many people have them.
    pub users: usize,
    /// How many pages each browser has open, each with a connection of its own. Of several every one goes to another node.
    pub tabs: usize,
    /// How many browsers in a hundred come to the gate whose sockets wait for their login.
    pub waits: usize,
    /// `[lease] confirm_every`.
    pub confirm_every: Duration,
    /// `[lease] lasts`.
    pub lasts: Duration,
    /// `[lease] grace`.
    pub grace: Duration,
    /// How long a node waits for an answer of the store.
    pub answer_within: Duration,
    /// How often each socket is sent a frame.
    pub publish_every: Duration,
    /// Until when something happens, and something goes wrong.
    pub heals_at: Duration,
    /// Of how many in a hundred questions to the store either they or their answers are lost.
    pub link_loses: usize,
    /// How many in a hundred questions and answers are slow.
    pub link_slow: usize,
    /// How many pages of the log in a hundred lack an entry.
    pub log_lacks: usize,
    /// How many signals in a hundred are lost.
    pub bus_loses: usize,
    /// How long a signal is on its way at most, in milliseconds.
    pub bus_within: u64,
    /// What the cluster does wrong on purpose.
    pub misdeed: Option<Misdeed>,
}

/// What a cluster can be made to do wrong, so that it shows whether the checker sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misdeed {
    /// The store tells nodes that nothing new is in the log.
    HidesWhatIsNew,
    /// Climbs do not know when they began, so that nothing is replayed when their sockets are registered.
    ForgetsTheBeginning,
    /// The monotonic clock of the nodes stands still while their machines sleep.
    Naps,
    /// The store does not say where in the log logins stand, so that a node that reads late ends those that began since.
    HidesWhatIsNewer,
}

/// Something that is done, or goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Somebody logs in.
    LogIn(usize),
    /// The login of this client ends, asked for by itself.
    LogOut(usize),
    /// The login of this client ends, asked for by the operator.
    Revoke(usize),
    /// All that the user of this client has ends.
    EndSubject(usize),
    /// All that the user of this client has ends, but for the login of this client.
    EndOthers(usize),
    /// What was issued to the user before now ends.
    NotBefore(usize),
    /// What was issued to anybody before now ends.
    NotBeforeForAll,
    /// The account is disabled, and enabled again a while later.
    Disable(usize),
    /// A client reads nothing for a while.
    StopReading(usize, Duration),
    /// A client is gone without a word.
    Vanish(usize),
    /// A node is gone, and begins anew after a while.
    Crash(usize, Duration),
    /// A machine sleeps.
    Sleep(usize, Duration),
    /// A node reaches neither store nor bus.
    Part(usize, Duration),
    /// Answers of the store take nearly as long as they are waited for.
    Lag(usize, Duration),
    /// A node hears and tells no signals.
    Deafen(usize, Duration),
    /// The wall clock of a node is set, by so many milliseconds.
    StepClock(usize, i64),
    /// A node is told of an entry that there is not.
    Forge(usize),
}

/// The acts of a run, in order.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// How the cluster is made.
    pub shape: Shape,
    /// What happens when.
    pub acts: Vec<(Duration, Act)>,
}

impl Schedule {
    /// What that seed stands for. Every fourth seed is one in which nothing goes wrong; every fourth has the published times,
    /// the others shorter ones.
    pub fn of(seed: u64) -> Self {
        let dice = Dice::of(seed, &[0x5]);
        let shape = Shape::of(seed, &dice);
        let mut acts = users(&shape, &dice);
        if !shape.is_healthy {
            acts.extend(faults(&shape, &dice));
        }
        acts.sort_by_key(|(at, _)| *at);
        Self { shape, acts }
    }

    /// The same with a misdeed.
    #[must_use]
    pub fn with(mut self, misdeed: Misdeed) -> Self {
        self.shape.misdeed = Some(misdeed);
        self
    }
}

impl Shape {
    fn of(seed: u64, dice: &Dice) -> Self {
        let (is_healthy, is_published) = (seed.is_multiple_of(4), dice.percent(25));
        let [confirm_every, lasts, grace, answer_within] =
            if is_published { [2000, 30_000, 15_000, 5000] } else { [1000, 5000, 2000, 1500] }
                .map(Duration::from_millis);
        let active = if is_published { dice.millis(40_000, 60_000) } else { dice.millis(10_000, 20_000) };
        let faulty = |percent: usize| if !is_healthy && dice.percent(40) { percent } else { 0 };
        Self {
            seed,
            is_healthy,
            nodes: 1 + dice.below(3),
            clients: 4 + dice.below(5),
            users: 2 + dice.below(2),
            tabs: 1,
            waits: 50,
            confirm_every,
            lasts,
            grace,
            answer_within,
            publish_every: dice.millis(100, 300),
            heals_at: active,
            link_loses: faulty(5),
            link_slow: faulty(10),
            log_lacks: faulty(10),
            bus_loses: if dice.percent(30) { 100 } else { faulty(40) },
            bus_within: 200,
            misdeed: None,
        }
    }

    /// Whether the lease has the times that are published, and not shorter ones.
    pub fn is_published(&self) -> bool {
        self.lasts == Duration::from_secs(30)
    }

    pub(super) fn is_faulty(&self, now: Duration) -> bool {
        !self.is_healthy && now < self.heals_at
    }

    /// After this long everything has come to rest that was wrong, and everybody is back who may.
    pub(super) fn rest(&self) -> Duration {
        self.lasts + self.grace + self.answer_within + self.confirm_every * 2 + Duration::from_secs(15)
    }
}

/// What people do: logins, and soon after each of them perhaps an ending that races it.
fn users(shape: &Shape, dice: &Dice) -> Vec<(Duration, Act)> {
    let mut acts: Vec<_> = (0..shape.clients).map(|client| (dice.millis(10, 1500), Act::LogIn(client))).collect();
    let mut at = Duration::from_millis(1500);
    let pace = if shape.is_published() { 2500 } else { 1200 };
    while at < shape.heals_at {
        let client = dice.below(shape.clients);
        at += dice.millis(10, pace);
        let ends = match dice.below(20) {
            0..8 => Act::LogOut(client),
            8..10 => Act::Revoke(client),
            10..13 => Act::EndSubject(client),
            13..15 => Act::EndOthers(client),
            15..17 => Act::NotBefore(client),
            17 => Act::NotBeforeForAll,
            18 => Act::Disable(client),
            _ => Act::LogIn(client),
        };
        acts.push((at, ends));
        if dice.percent(70) {
            let back = at + dice.millis(100, 3000);
            acts.push((back, Act::LogIn(client)));
            if dice.percent(30) {
                let race = if dice.percent(60) { Act::EndSubject(client) } else { Act::LogOut(client) };
                acts.push((back + dice.millis(50, 500), race));
            }
        }
    }
    acts
}

/// What goes wrong: of each sort nothing, or something a few times.
fn faults(shape: &Shape, dice: &Dice) -> Vec<(Duration, Act)> {
    let mut acts = Vec::new();
    let longest = (shape.lasts + shape.grace) * 3 / 2;
    let mut some = |most: usize, act: &dyn Fn(usize, usize, Duration) -> Act| {
        if dice.percent(40) {
            for _ in 0..=dice.below(most) {
                let (at, lasts) = (dice.millis(1000, as_millis(shape.heals_at)), dice.millis(100, as_millis(longest)));
                acts.push((at, act(dice.below(shape.nodes), dice.below(shape.clients), lasts)));
            }
        }
    };
    some(3, &|_, client, lasts| Act::StopReading(client, lasts));
    some(3, &|_, client, _| Act::Vanish(client));
    some(3, &|node, _, lasts| Act::Crash(node, lasts / 4));
    some(3, &|node, _, lasts| Act::Sleep(node, lasts));
    some(3, &|node, _, lasts| Act::Part(node, lasts));
    some(3, &|node, _, lasts| Act::Deafen(node, lasts));
    some(2, &|node, client, lasts| {
        let millis = as_millis(lasts) as i64 * 4;
        Act::StepClock(node, if client % 2 == 0 { millis } else { -millis })
    });
    some(5, &|node, _, _| Act::Forge(node));
    // Before a node is alone its answers may be late, and something ends meanwhile.
    let parted: Vec<_> = acts.clone();
    for (at, act) in parted {
        let Act::Part(node, _) = act else { continue };
        if dice.percent(50) {
            let lag = shape.answer_within * 2;
            acts.push((at.saturating_sub(lag), Act::Lag(node, lag)));
            for _ in 0..3 {
                let ends_at = at.saturating_sub(dice.millis(0, as_millis(lag)));
                acts.push((ends_at, Act::EndSubject(dice.below(shape.clients))));
            }
        }
    }
    // Something ends while a node begins anew, and while one wakes.
    let begins = |(at, act): &(Duration, Act)| match act {
        Act::Crash(_, lasts) | Act::Sleep(_, lasts) => Some(*at + *lasts + dice.millis(0, 400)),
        _ => None,
    };
    let ends: Vec<_> = acts.iter().filter_map(begins).collect();
    acts.extend(ends.into_iter().map(|at| (at, Act::EndSubject(dice.below(shape.clients)))));
    acts
}

fn as_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
