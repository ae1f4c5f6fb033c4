use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use doorward_types::Cursor;
use tokio::{sync::watch, time::sleep};

use super::{
    dice::Dice,
    lock,
    log::{Actor, Event, Log},
    machine::Machine,
    schedule::Shape,
};

/// Carries signals between the nodes and nothing else: late, twice, not at all, or of something that never was.
pub(super) struct Bus {
    shape: Shape,
    log: Arc<Log>,
    ears: Vec<Ear>,
}

struct Ear {
    machine: Arc<Machine>,
    signal: watch::Sender<Cursor>,
    deaf_until: Mutex<Duration>,
}

impl Bus {
    pub(super) fn new(shape: Shape, log: Arc<Log>, machines: &[Arc<Machine>]) -> Arc<Self> {
        let ear = |machine: &Arc<Machine>| Ear {
            machine: Arc::clone(machine),
            signal: watch::Sender::default(),
            deaf_until: Mutex::default(),
        };
        Arc::new(Self { shape, log, ears: machines.iter().map(ear).collect() })
    }

    /// What a node hears.
    pub(super) fn ear(&self, node: usize) -> watch::Receiver<Cursor> {
        self.ears.get(node).map_or_else(|| watch::channel(Cursor(0)).1, |ear| ear.signal.subscribe())
    }

    /// The node hears and is heard of nobody until then.
    pub(super) fn cut(&self, node: usize, until: Duration) {
        if let Some(ear) = self.ears.get(node) {
            let mut deaf_until = lock(&ear.deaf_until);
            *deaf_until = until.max(*deaf_until);
        }
    }

    /// A node tells all of them that something was written: itself at once.
    pub(super) fn tell(self: &Arc<Self>, from: usize, cursor: Cursor) {
        let now = self.log.time().now();
        self.hear(from, from, cursor);
        for to in (0..self.ears.len()).filter(|to| *to != from) {
            let purpose = [0xb05, from as u64, to as u64, cursor.0, now.as_millis() as u64];
            let dice = Dice::of(self.shape.seed, &purpose);
            let copies = if dice.percent(self.shape.bus_loses) { 0 } else { 1 + usize::from(dice.percent(10)) };
            for _ in 0..copies {
                let (bus, delay) = (Arc::clone(self), dice.millis(1, self.shape.bus_within));
                tokio::spawn(async move {
                    sleep(delay).await;
                    bus.hear(from, to, cursor);
                });
            }
        }
    }

    /// Somebody tells a node something that is not so.
    pub(super) fn forge(&self, to: usize, cursor: Cursor) {
        self.hear(to, to, cursor);
    }

    fn hear(&self, from: usize, to: usize, cursor: Cursor) {
        let now = self.log.time().now();
        let is_cut = |node: usize| self.ears.get(node).is_none_or(|ear| now < *lock(&ear.deaf_until));
        let Some(ear) = self.ears.get(to) else { return };
        if from != to && (is_cut(from) || is_cut(to) || ear.machine.is_asleep()) {
            return;
        }
        ear.signal.send_replace(cursor);
        self.log.note(Actor::Node(to), Event::Signalled);
    }
}
