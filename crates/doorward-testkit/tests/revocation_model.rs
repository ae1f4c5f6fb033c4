//! How an ending lands, as a model of which every schedule is tried: log, lease and `as_of`.
//!
//! ```text
//!   login  ─────────────▶ store: it holds
//!   end    ─────────────▶ store: it has ended; log: entry N, in the same act
//!
//!   node:  ask after N ─▶ store reads ─▶ answer      asked, read and answered at any time, or lost; a page is one entry
//!          entry ▶ its live sockets end              in order; read to the end, the lease holds from the question on
//!
//!   climb: begin (as_of = what the node has read) ─▶ look: does the login hold? ─▶ register
//!                                                    refused where an entry since as_of is about it
//! ```
//!
//! Subjects come again: what ended is what they had then, and no mark for ever stands in the way of the next login. So it is `as_of`
//! alone that keeps a climb out whose login ended between the look and the registration; and what an entry means it says by its
//! place, since logins have theirs in the log too.
//!
//! What is not in it: several nodes, which meet in the log alone; what a socket does while it is suspended; and the marks of
//! what has ended for ever, which refuse more than this.

use stateright::{Checker, HasDiscoveries, Model, Property};

/// How long a lease lasts, in ticks.
const LASTS: u8 = 2;

/// How long the model runs: long enough for a lease to run out, to be renewed, and to run out again.
const TICKS: u8 = 4;

/// How many endings there may be.
const ENDINGS: usize = 3;

/// How many climbs there may be at a time, of one subject.
const CLIMBS: usize = 2;

/// The ways to get it wrong, and the right one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Variant {
    Right,
    /// A registration does not look at what has ended since the climb began.
    NoReplay,
    /// The climb notes where the node stands after it has looked whether the login holds.
    AsOfAfterTheLook,
    /// The lease counts from the answer.
    LeaseFromTheAnswer,
    /// The lease is renewed by a page, though there is more to read.
    LeaseByAnyPage,
    /// An ending is answered before it is in the log, which gets it later.
    LogAfterTheAct,
    /// An entry means whatever the subject has when it is read, however new that is.
    WithoutPlaces,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct World {
    now: u8,
    /// Which login of the subject is the newest, and whether it holds.
    login: u8,
    holds: bool,
    /// The log: which login has ended, and when that was answered.
    log: Vec<Ended>,
    /// An ending that is done and not in the log yet: in one broken variant alone.
    unlogged: Option<Ended>,
    node: Node,
    climbs: Vec<Climb>,
    /// A socket was closed, or a climb refused, whose login holds.
    is_wronged: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Ended {
    login: u8,
    at: u8,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Node {
    /// How many entries it has read and applied.
    read: usize,
    /// Until when it may act on what it knows.
    lease: u8,
    asking: Option<Asking>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Asking {
    asked: u8,
    /// What the store answered, where it has: whether there is an entry, and whether that is all there is.
    answer: Option<Page>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Page {
    entry: Option<u8>,
    is_all: bool,
}

/// One on its way in, or a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Climb {
    Begun { as_of: usize },
    Looked { as_of: usize, login: u8 },
    Live { login: u8 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Tick,
    Login,
    End,
    /// Of the broken variant: what was done is written down.
    Log,
    Ask,
    StoreReads,
    Lose,
    Receive,
    Crash,
    Begin,
    Look(usize),
    Register(usize),
}

impl World {
    fn ended(&self, login: u8) -> Option<(Option<usize>, Ended)> {
        let in_log = self.log.iter().position(|ended| ended.login == login);
        let at_place = in_log.and_then(|place| self.log.get(place).map(|ended| (Some(place), *ended)));
        at_place.or_else(|| self.unlogged.filter(|ended| ended.login == login).map(|ended| (None, ended)))
    }

    fn live(&self) -> impl Iterator<Item = u8> + '_ {
        self.climbs.iter().filter_map(|climb| if let Climb::Live { login } = climb { Some(*login) } else { None })
    }

    /// Whether a message to that socket would go out.
    fn delivers(&self) -> bool {
        self.now < self.node.lease
    }

    /// A socket of a login that ended longer ago than a lease lasts, to which messages still go out.
    fn delivers_too_late(&self) -> bool {
        let too_old = |login| self.ended(login).is_some_and(|(_, ended)| self.now >= ended.at + LASTS);
        self.delivers() && self.live().any(too_old)
    }

    /// A socket whose ending the node has read already, so that it will not be told of it again.
    fn is_immortal(&self, login: u8) -> bool {
        matches!(self.ended(login), Some((Some(place), _)) if place < self.node.read)
    }

    fn receive(&mut self, variant: Variant) {
        let Some(Asking { asked, answer: Some(page) }) = self.node.asking.take() else { return };
        if let Some(ended) = page.entry {
            self.node.read += 1;
            // Logins are numbered as they began: what has a higher number is newer than the entry.
            let goes = |login: u8| login <= ended || variant == Variant::WithoutPlaces;
            let is_one_wronged = self.live().any(|login| goes(login) && self.has(login));
            self.is_wronged |= is_one_wronged;
            self.climbs.retain(|climb| !matches!(climb, Climb::Live { login } if goes(*login)));
        }
        if page.is_all || variant == Variant::LeaseByAnyPage {
            let from = if variant == Variant::LeaseFromTheAnswer { self.now } else { asked };
            self.node.lease = self.node.lease.max(from + LASTS);
        }
    }

    fn register(&mut self, place: usize, variant: Variant) {
        let Climb::Looked { as_of, login } = self.climbs.remove(place) else { return };
        let mut since = self.log.iter().take(self.node.read).skip(as_of);
        let is_meant = |ended: &Ended| login <= ended.login || variant == Variant::WithoutPlaces;
        if variant == Variant::NoReplay || !since.any(is_meant) {
            self.climbs.push(Climb::Live { login });
        } else {
            self.is_wronged |= self.has(login);
        }
    }

    /// Whether that is the login of the subject, and holds.
    fn has(&self, login: u8) -> bool {
        self.holds && self.login == login
    }
}

/// All schedules of one variant.
struct Schedules(Variant);

impl Model for Schedules {
    type State = World;
    type Action = Act;

    fn init_states(&self) -> Vec<World> {
        vec![World { login: 1, holds: true, ..World::default() }]
    }

    fn actions(&self, world: &World, acts: &mut Vec<Act>) {
        if world.now < TICKS {
            acts.push(Act::Tick);
        }
        let endings = world.log.len() + usize::from(world.unlogged.is_some());
        match world.holds {
            true if endings < ENDINGS && world.unlogged.is_none() => acts.push(Act::End),
            false if endings < ENDINGS => acts.push(Act::Login),
            _ => {}
        }
        acts.extend(world.unlogged.map(|_| Act::Log));
        match world.node.asking {
            None => acts.push(Act::Ask),
            Some(Asking { answer: None, .. }) => acts.extend([Act::StoreReads, Act::Lose]),
            Some(Asking { answer: Some(_), .. }) => acts.extend([Act::Receive, Act::Lose]),
        }
        if world.node.read > 0 {
            acts.push(Act::Crash);
        }
        // Nobody is let in by a node that has not read the log.
        if world.climbs.len() < CLIMBS && world.node.lease > 0 {
            acts.push(Act::Begin);
        }
        for (place, climb) in world.climbs.iter().enumerate() {
            match climb {
                Climb::Begun { .. } => acts.push(Act::Look(place)),
                Climb::Looked { .. } => acts.push(Act::Register(place)),
                Climb::Live { .. } => {}
            }
        }
    }

    fn next_state(&self, before: &World, act: Act) -> Option<World> {
        let (mut world, variant) = (before.clone(), self.0);
        match act {
            Act::Tick => world.now += 1,
            Act::Login => (world.login, world.holds) = (world.login + 1, true),
            Act::End => {
                let ended = Ended { login: world.login, at: world.now };
                world.holds = false;
                match variant {
                    Variant::LogAfterTheAct => world.unlogged = Some(ended),
                    _ => world.log.push(ended),
                }
            }
            Act::Log => world.log.extend(world.unlogged.take()),
            Act::Ask => world.node.asking = Some(Asking { asked: world.now, answer: None }),
            Act::StoreReads => {
                let entry = world.log.get(world.node.read).map(|ended| ended.login);
                let answer = Some(Page { entry, is_all: world.node.read + 1 >= world.log.len() });
                world.node.asking = world.node.asking.map(|asking| Asking { answer, ..asking });
            }
            Act::Lose => world.node.asking = None,
            Act::Receive => world.receive(variant),
            Act::Crash => (world.node, world.climbs) = (Node::default(), vec![]),
            Act::Begin => world.climbs.push(Climb::Begun { as_of: world.node.read }),
            Act::Look(place) => {
                let Climb::Begun { as_of } = world.climbs.remove(place) else { return None };
                // What is noted after the look may be noted as late as at the registration: then nothing came since.
                let as_of = if variant == Variant::AsOfAfterTheLook { usize::MAX } else { as_of };
                if world.holds {
                    world.climbs.push(Climb::Looked { as_of, login: world.login });
                }
            }
            Act::Register(place) => world.register(place, variant),
        }
        // Who stands where in the list says nothing.
        world.climbs.sort_unstable();
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(IN_TIME, |_, world: &World| !world.delivers_too_late()),
            Property::always(IN_REACH, |_, world: &World| !world.live().any(|login| world.is_immortal(login))),
            Property::always(IN_PEACE, |_, world: &World| !world.is_wronged),
            // The model would hold its promises too if nothing ever happened in it.
            Property::sometimes("a socket lives on a renewed lease", |_, world: &World| {
                world.delivers() && world.now >= LASTS && world.live().next().is_some()
            }),
            Property::sometimes("messages go out to a login that has ended, within the bound", |_, world: &World| {
                world.delivers() && world.live().any(|login| world.ended(login).is_some())
            }),
            Property::sometimes("a subject that has ended comes again", |_, world: &World| {
                world.live().any(|login| login > 1)
            }),
            Property::sometimes("the whole log is read", |_, world: &World| world.node.read == ENDINGS),
        ]
    }
}

const IN_TIME: &str = "nothing goes out to a socket when a lease has passed since its login ended";
const IN_REACH: &str = "no socket lives whose ending was read already";
const IN_PEACE: &str = "nobody is closed or refused whose login holds";

/// What a variant breaks.
fn broken(variant: Variant) -> Vec<&'static str> {
    let checker = Schedules(variant).checker().finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    [IN_TIME, IN_REACH, IN_PEACE].into_iter().filter(|name| checker.discovery(name).is_some()).collect()
}

#[test]
fn c6_in_no_schedule_does_a_socket_outlive_its_login_by_more_than_a_lease_or_get_out_of_reach() {
    let checker = Schedules(Variant::Right).checker().spawn_bfs().join();
    checker.assert_properties();
    assert!(checker.is_done());
    assert!(checker.unique_state_count() > 10_000, "{} states", checker.unique_state_count());
}

#[test]
fn a_registration_that_does_not_look_back_is_found() {
    assert!(broken(Variant::NoReplay).contains(&IN_REACH));
    assert!(broken(Variant::AsOfAfterTheLook).contains(&IN_REACH));
}

#[test]
fn a_lease_that_counts_from_the_answer_or_is_renewed_too_early_is_found() {
    assert!(broken(Variant::LeaseFromTheAnswer).contains(&IN_TIME));
    assert!(broken(Variant::LeaseByAnyPage).contains(&IN_TIME));
}

#[test]
fn an_entry_that_ends_what_is_newer_is_found() {
    assert_eq!(broken(Variant::WithoutPlaces), [IN_PEACE]);
}

#[test]
fn an_ending_that_is_answered_before_it_is_in_the_log_is_found() {
    assert!(broken(Variant::LogAfterTheAct).contains(&IN_TIME));
}
