use std::{
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

use crate::{lock::lock, moment::Moment};

/// How often the wheel turns.
pub(crate) const TICK: Duration = Duration::from_millis(100);

/// How many ticks ahead something can be put; what is due later is looked at then and put further.
const SLOTS: u16 = 1024;

/// When which socket has to be looked at: one clock for all sockets of a node, instead of a timer for each.
///
/// A socket has one [turn](Turn), the earliest that it was given. What stands elsewhere on the wheel, of a socket that is gone or
/// was put to an earlier turn, is a pointer, no more, and is dropped when the wheel comes there.
pub(crate) struct Wheel<T>(Mutex<Slots<T>>);

/// What can be put on a wheel.
pub(crate) trait Turns {
    fn turn(&self) -> &Turn;
}

/// The slot from which the wheel brings something. The turn is over before the thing is looked at, so that whatever changes
/// meanwhile is seen by that look or takes a turn of its own.
pub(crate) struct Turn(AtomicU16);

impl Default for Turn {
    fn default() -> Self {
        Self(AtomicU16::new(Self::NONE))
    }
}

impl Turn {
    const NONE: u16 = u16::MAX;

    /// Takes that slot, unless it has one that comes no later. Gives whether it did.
    fn take(&self, slot: u16, now: u16) -> bool {
        let wait = |slot: u16| (slot + SLOTS - now) % SLOTS;
        let is_later = |held: u16| held == Self::NONE || wait(held) > wait(slot);
        self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, |held| is_later(held).then_some(slot)).is_ok()
    }

    /// Ends the turn where it is in that slot; gives whether it was.
    fn comes(&self, slot: u16) -> bool {
        self.0.compare_exchange(slot, Self::NONE, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

struct Slots<T> {
    slots: Vec<Vec<Weak<T>>>,
    /// The tick up to which everything was taken.
    taken: u64,
}

impl<T: Turns> Wheel<T> {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Slots { slots: (0..SLOTS).map(|_| Vec::new()).collect(), taken: 0 }))
    }

    /// Has it looked at when `due` has come, or before if that is very far.
    pub(crate) fn add(&self, thing: &Arc<T>, due: Moment) {
        let mut slots = lock(&self.0);
        let furthest = slots.taken + u64::from(SLOTS) - 1;
        let slot = slot_of(tick_of(due).saturating_add(1).clamp(slots.taken + 1, furthest));
        if thing.turn().take(slot, slot_of(slots.taken))
            && let Some(pointers) = slots.slots.get_mut(usize::from(slot))
        {
            pointers.push(Arc::downgrade(thing));
        }
    }

    /// Takes what has come by `now`; all there is if `everything` has to be looked at.
    pub(crate) fn take(&self, now: Moment, everything: bool) -> Vec<Arc<T>> {
        let mut slots = lock(&self.0);
        let last = tick_of(now).max(slots.taken);
        let ticks = if everything { SLOTS.into() } else { (last - slots.taken).min(SLOTS.into()) };
        let mut came = Vec::new();
        for back in 0..ticks {
            // Counted back around the wheel from the last tick.
            let slot = slot_of((last + u64::from(SLOTS)) - back);
            if let Some(pointers) = slots.slots.get_mut(usize::from(slot)).filter(|pointers| !pointers.is_empty()) {
                came.push((slot, std::mem::take(pointers)));
            }
        }
        slots.taken = last;
        drop(slots);
        let came = came.iter().flat_map(|(slot, pointers)| pointers.iter().map(move |pointer| (*slot, pointer)));
        came.filter_map(|(slot, pointer)| pointer.upgrade().filter(|thing| thing.turn().comes(slot))).collect()
    }
}

fn slot_of(tick: u64) -> u16 {
    (tick % u64::from(SLOTS)) as u16
}

fn tick_of(time: Moment) -> u64 {
    u64::try_from(time.since(Moment::BEGINNING).as_millis() / TICK.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Thing(Turn);

    impl Turns for Thing {
        fn turn(&self) -> &Turn {
            &self.0
        }
    }

    fn secs(secs: u64) -> Moment {
        Moment::after(Duration::from_secs(secs))
    }

    /// How often it comes from one second to another, the wheel being turned once a second.
    fn comes(wheel: &Wheel<Thing>, from: u64, to: u64) -> usize {
        (from..to).map(|second| wheel.take(secs(second), false).len()).sum()
    }

    #[test]
    fn what_is_put_on_it_again_and_again_comes_once_at_the_earliest_time() {
        let (wheel, thing) = (Wheel::new(), Arc::new(Thing(Turn::default())));
        for due in [50, 30, 40, 30, 60] {
            wheel.add(&thing, secs(due));
        }
        assert_eq!(comes(&wheel, 0, 30), 0);
        assert_eq!(comes(&wheel, 30, 32), 1);
        assert_eq!(comes(&wheel, 32, 90), 0);
    }

    #[test]
    fn what_has_come_comes_again_when_it_is_put_on_again() {
        let (wheel, thing) = (Wheel::new(), Arc::new(Thing(Turn::default())));
        wheel.add(&thing, secs(10));
        wheel.add(&thing, secs(5));
        assert_eq!(comes(&wheel, 0, 7), 1);
        wheel.add(&thing, secs(20));
        // The pointer of the first time is passed by.
        assert_eq!(comes(&wheel, 7, 20), 0);
        assert_eq!(comes(&wheel, 20, 22), 1);
    }

    #[test]
    fn after_a_jump_of_time_everything_comes_once() {
        let (wheel, thing) = (Wheel::new(), Arc::new(Thing(Turn::default())));
        wheel.add(&thing, secs(90));
        wheel.add(&thing, secs(40));
        assert_eq!(wheel.take(secs(1), true).len(), 1);
        wheel.add(&thing, secs(3));
        assert_eq!(comes(&wheel, 1, 5), 1);
    }
}
