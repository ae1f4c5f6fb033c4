use std::{
    sync::{Arc, Mutex, Weak},
    time::Duration,
};

use crate::{Socket, lock::lock};

/// How often the wheel turns.
pub(crate) const TICK: Duration = Duration::from_millis(100);

/// How many ticks ahead something can be put; what is due later is looked at then and put further.
const SLOTS: u64 = 1024;

/// When which socket has to be looked at: one clock for all sockets of a node, instead of a timer for each.
///
/// A socket that is gone stays until its turn comes; it is a pointer, no more.
pub(crate) struct Wheel(Mutex<Slots>);

struct Slots {
    slots: Vec<Vec<Weak<Socket>>>,
    /// The tick up to which everything was taken.
    taken: u64,
}

impl Wheel {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Slots { slots: (0..SLOTS).map(|_| Vec::new()).collect(), taken: 0 }))
    }

    /// Has the socket looked at when `due` has come, or before if that is very far.
    pub(crate) fn add(&self, socket: Weak<Socket>, due: Duration) {
        let mut slots = lock(&self.0);
        let tick = tick_of(due).saturating_add(1).clamp(slots.taken + 1, slots.taken + SLOTS - 1);
        if let Some(slot) = slots.slot(tick) {
            slot.push(socket);
        }
    }

    /// Takes the sockets whose time has come by `now`; all of them if `everything` has to be looked at.
    pub(crate) fn take(&self, now: Duration, everything: bool) -> Vec<Arc<Socket>> {
        let mut slots = lock(&self.0);
        let last = tick_of(now).max(slots.taken);
        let ticks = if everything { SLOTS } else { (last - slots.taken).min(SLOTS) };
        let mut due = Vec::new();
        for back in 0..ticks {
            // Counted back around the wheel from the last tick.
            if let Some(slot) = slots.slot((last + SLOTS) - back) {
                due.append(slot);
                *slot = Vec::new();
            }
        }
        slots.taken = last;
        drop(slots);
        due.iter().filter_map(Weak::upgrade).collect()
    }
}

impl Slots {
    fn slot(&mut self, tick: u64) -> Option<&mut Vec<Weak<Socket>>> {
        self.slots.get_mut(usize::try_from(tick % SLOTS).unwrap_or(0))
    }
}

fn tick_of(time: Duration) -> u64 {
    u64::try_from(time.as_millis() / TICK.as_millis()).unwrap_or(u64::MAX)
}
