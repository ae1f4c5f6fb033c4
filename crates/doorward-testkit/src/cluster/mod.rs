//! A cluster in one process: nodes, a store, a bus and clients, under a paused clock and a schedule that a seed stands for.
//!
//! **What is real:** the registry, the follower and everything below them (`doorward_session`), the climbs and the site in
//! memory (`doorward_auth`). **What is not:** the machines and what lies between them. Questions to the store, signals and
//! bytes are late or lost; machines sleep, crash and have wrong clocks; clients stop reading or vanish.
//!
//! ```text
//!   client ══ Pipe ══ Node ──── Link ────┐
//!   client ══ Pipe ══   │                │
//!                      Bus (signals)   Store: one MemorySite
//!                       │                │
//!   client ══ Pipe ══ Node ──── Link ────┘
//!
//!   Schedule::of(seed) ──▶ run ──▶ log, line by line ──▶ check: what does not hold
//!                                                   └──▶ measure: from the ending to the last Close frame
//! ```
//!
//! What the kernel of a node accepted for a client is in the log with its time, whatever the node believes; publishers send to
//! all sockets all the time, so that one that should have ended shows.
//!
//! ```
//! use doorward_testkit::cluster::{Schedule, run};
//! let run = run(&Schedule::of(4));
//! assert_eq!(run.violations(), Vec::<String>::new(), "cargo run --release -p doorward-testkit --example cluster -- --seed 4");
//! ```

mod bus;
mod check;
mod client;
mod dice;
mod facts;
mod layer;
mod link;
mod log;
mod machine;
mod measure;
mod node;
mod pipe;
mod play;
mod schedule;
mod store;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use doorward_auth::ports::{Account, Accounts, Created, NewAccount, Role};
use doorward_types::{Secret, Subject};
use tokio::{runtime::Builder, time::sleep};

use crate::World;
use bus::Bus;
use client::Client;
use dice::Dice;
use link::Link;
use log::Log;
use machine::{Machine, Time};
use node::Node;
use store::Store;

pub use log::{Actor, Connection, Event, Line, Notice};
pub use measure::{Measured, Path};
pub use schedule::{Act, Misdeed, Schedule, Shape};

/// A run, from its first line to its last.
#[derive(Clone, Debug)]
pub struct Run {
    /// How the cluster was made.
    pub shape: Shape,
    /// Who of the users has which client.
    pub users: Vec<usize>,
    /// The subjects of the users.
    pub subjects: Vec<Subject>,
    /// What happened.
    pub lines: Vec<Line>,
}

impl Run {
    /// What does not hold, in words.
    pub fn violations(&self) -> Vec<String> {
        check::check(self)
    }

    /// How long endings took, by how the node heard of them.
    pub fn measure(&self) -> Vec<Measured> {
        measure::measure(self)
    }
}

/// Runs a schedule to its end. It takes no time but what it computes.
///
/// # Panics
/// Where there is no runtime to be had, which is the machine's fault.
#[expect(clippy::expect_used, reason = "without a runtime there is no test")]
pub fn run(schedule: &Schedule) -> Run {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(Cluster::run(schedule.clone()))
}

/// Everything that a run is made of.
struct Cluster {
    shape: Shape,
    log: Arc<Log>,
    store: Arc<Store>,
    bus: Arc<Bus>,
    machines: Vec<Arc<Machine>>,
    links: Vec<Arc<Link>>,
    nodes: Vec<Mutex<Option<Arc<Node>>>>,
    clients: Vec<Arc<Client>>,
    accounts: Vec<Account>,
}

impl Cluster {
    async fn run(schedule: Schedule) -> Run {
        let Schedule { shape, acts } = schedule;
        let cluster = Arc::new(Self::new(shape.clone()).await);
        (0..shape.nodes).for_each(|node| cluster.start(node));
        for client in &cluster.clients {
            for tab in 0..shape.tabs {
                tokio::spawn(Arc::clone(client).run(tab, Arc::clone(&cluster)));
            }
        }
        let rests_at = cluster.play(&acts).await + shape.rest();
        sleep(rests_at.saturating_sub(cluster.log.time().now())).await;
        cluster.look();
        let users = cluster.clients.iter().map(|client| client.user).collect();
        let subjects = cluster.accounts.iter().map(Account::subject).collect();
        Run { shape, users, subjects, lines: cluster.log.lines() }
    }

    async fn new(shape: Shape) -> Self {
        let time = Time::begins();
        let log = Arc::new(Log::begins(time));
        let store = Arc::new(Store::new(Arc::clone(&log)));
        let naps = shape.misdeed == Some(Misdeed::Naps);
        let machines: Vec<_> = (0..shape.nodes).map(|_| Machine::new(time, naps)).collect();
        let bus = Bus::new(shape.clone(), Arc::clone(&log), &machines);
        let link = |(number, machine): (usize, &Arc<Machine>)| {
            let (store, machine) = (Arc::clone(&store), Arc::clone(machine));
            Link::new(number, shape.clone(), store, machine, Arc::clone(&bus), Arc::clone(&log))
        };
        let links = machines.iter().enumerate().map(link).collect();
        let dice = Dice::of(shape.seed, &[0xc]);
        let client = |number| Client::new(&shape, number, dice.below(shape.users));
        let mut accounts = Vec::new();
        for user in 0..shape.users {
            accounts.extend(account(&store, user).await);
        }
        Self {
            clients: (0..shape.clients).map(client).collect(),
            nodes: (0..shape.nodes).map(|_| Mutex::default()).collect(),
            shape,
            log,
            store,
            bus,
            machines,
            links,
            accounts,
        }
    }

    /// Begins a life of a node.
    fn start(&self, number: usize) {
        let (Some(machine), Some(link), Some(place)) =
            (self.machines.get(number), self.links.get(number), self.nodes.get(number))
        else {
            return;
        };
        let (machine, link) = (Arc::clone(machine), Arc::clone(link));
        *lock(place) = Some(Node::start(number, self.shape.clone(), Arc::clone(&self.log), machine, link));
    }

    /// A node that is up, as far as a client can see.
    fn some_node(&self, dice: &Dice) -> Option<Arc<Node>> {
        let first = dice.below(self.nodes.len());
        let mut nodes = self.nodes.iter().cycle().skip(first).take(self.nodes.len());
        nodes.find_map(|place| lock(place).clone())
    }

    /// The node to which the tabs of that number go, while it is up.
    fn node(&self, tab: usize) -> Option<Arc<Node>> {
        lock(self.nodes.get(tab % self.nodes.len())?).clone()
    }

    /// Writes down how everything stands.
    fn look(&self) {
        for place in &self.nodes {
            if let Some(node) = &*lock(place) {
                node.look();
            }
        }
        for client in &self.clients {
            if let Some(cookie) = client.cookie() {
                self.log.note(Actor::World, Event::Holds { client: client.number, sid: cookie.sid });
            }
        }
    }
}

async fn account(store: &Store, user: usize) -> Option<Account> {
    let name = format!("user {user}");
    let new = NewAccount {
        owner: World::owner(),
        username: name.clone(),
        unique: name,
        role: Role::User,
        password: Secret::from_text(""),
        invitation: None,
        at: World::NOW,
    };
    match store.act(|site| Box::pin(async move { site.create(new).await })).await {
        Ok(Created::Account(account)) => Some(account),
        _ => None,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// After so long a Close frame was accepted or its connection reset, once a node knows that it has to end: the bound of an
/// ending, and two turns of the wheel.
const ENDS_WITHIN: Duration = Duration::from_millis(1300);
