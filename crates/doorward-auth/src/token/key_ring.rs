//! What was fetched of the keys that an issuer publishes, and when it is fetched again.
//!
//! ```text
//!  fetched       fresh_for                     max_stale
//!  |-- fresh ----|-- stale: fetched again, ----|-- not used any more: whoever shows a token
//!  |             |   and used until it is      |   is told to try later
//! ```
//!
//! * One fetch at a time, however many wait for it; it goes on when they leave.
//! * Between the beginnings of two fetches are 30 seconds, whatever tokens say: a made-up `kid` costs the issuer nothing.
//! * A key is known where the issuer published it when it was asked last. A token with another one is refused, once the issuer
//!   was asked after its first sight, or less than 30 seconds before.
//! * What cannot be fetched never lets anybody in: without keys there is no verdict.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use doorward_types::Timestamp;
use jsonwebtoken::DecodingKey;
use tokio::{sync::watch, time::Instant};

use super::{Algorithm, KeyPlace, KeySet};
use crate::ports::{Bounded, Clock, IssuerKeys, PortError};

/// The shortest time between the beginnings of two fetches.
const REFETCH: Duration = Duration::from_secs(30);

/// How long keys are fresh whose issuer does not say.
const FRESH: Duration = Duration::from_secs(10 * 60);

/// The shortest and the longest time that an issuer's word is taken for: a key that it takes away is believed no longer.
const FRESH_WITHIN: (Duration, Duration) = (Duration::from_secs(5 * 60), Duration::from_secs(60 * 60));

/// The keys of one issuer, as they were fetched last.
pub struct KeyRing {
    place: KeyPlace,
    source: Bounded<dyn IssuerKeys>,
    clock: Arc<dyn Clock>,
    told: Told,
    state: Mutex<State>,
}

/// Whom the end of each fetch is told to.
type Told = Box<dyn Fn(&Outcome) + Send + Sync>;

/// How a fetch ended: how many keys there are, or why there are none.
pub type Outcome = Result<usize, PortError>;

#[derive(Default)]
struct State {
    held: Option<Held>,
    /// When the last fetch began.
    began: Option<Moment>,
    /// Why it brought nothing.
    failure: Option<PortError>,
    /// The fetch that is under way; whoever waits hears when its other end is gone.
    flight: Option<watch::Receiver<()>>,
}

struct Held {
    set: KeySet,
    since: Moment,
    fresh_for: Duration,
}

impl KeyRing {
    /// No keys yet. `told` hears how each fetch ended.
    pub fn new(
        place: KeyPlace,
        source: Arc<dyn IssuerKeys>,
        clock: Arc<dyn Clock>,
        told: impl Fn(&Outcome) + Send + Sync + 'static,
    ) -> Arc<Self> {
        let source = Bounded::new("the key set of the issuer", source, place.within);
        Arc::new(Self { place, source, clock, told: Box::new(told), state: Mutex::default() })
    }

    /// Where its keys are fetched.
    pub fn place(&self) -> &KeyPlace {
        &self.place
    }

    /// How many keys there are that tokens are verified with. Without any nobody gets in by this issuer.
    pub fn len(&self) -> usize {
        self.lock().usable(&self.place, &*self.clock).map_or(0, KeySet::len)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Begins to fetch where it is time to, and says when it is time to look again.
    pub fn refresh(self: &Arc<Self>) -> Duration {
        let mut state = self.lock();
        if state.due_in(&*self.clock) == Duration::ZERO {
            self.begin(&mut state);
        }
        // While one is under way, the end of it decides.
        state.due_in(&*self.clock).max(Duration::from_secs(1))
    }

    /// The key that a token names, fetched where it is not known; `None` where the issuer publishes none of that name.
    ///
    /// # Errors
    /// The issuer cannot be asked.
    pub(super) async fn key(
        self: &Arc<Self>,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<Option<Arc<DecodingKey>>, PortError> {
        let mut flight = {
            let mut state = self.lock();
            let found = state.find(&self.place, &*self.clock, id, algorithm);
            if found.is_none() || state.due_in(&*self.clock) == Duration::ZERO {
                self.begin(&mut state);
            }
            match (found, &state.flight) {
                (Some(found), _) => return Ok(Some(found)),
                (None, Some(flight)) => flight.clone(),
                (None, None) => return state.not_found(&self.place, &*self.clock),
            }
        };
        // Nothing is ever sent: the fetch is over when its end is gone.
        let _over = flight.changed().await;
        let state = self.lock();
        match state.find(&self.place, &*self.clock, id, algorithm) {
            Some(found) => Ok(Some(found)),
            None => state.not_found(&self.place, &*self.clock),
        }
    }

    /// The key that a token names, where it is known already.
    pub(super) fn known(&self, id: Option<&str>, algorithm: Algorithm) -> Option<Arc<DecodingKey>> {
        self.lock().find(&self.place, &*self.clock, id, algorithm)
    }

    /// Begins a fetch, unless one is under way or began a moment ago. It is nobody's: who waits for it may leave.
    fn begin(self: &Arc<Self>, state: &mut State) {
        let soon = state.began.is_some_and(|began| began.age(&*self.clock) < REFETCH);
        if state.flight.is_some() || soon {
            return;
        }
        let (landing, flight) = watch::channel(());
        state.flight = Some(flight);
        let since = Moment::now(&*self.clock);
        state.began = Some(since);
        state.failure = Some(PortError { port: "the key set of the issuer", detail: "the fetch broke off".to_owned() });
        let flight = Flight { ring: Arc::clone(self), _landing: landing };
        tokio::spawn(flight.land(since));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that can panic runs under this lock; were it poisoned all the same, the data is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The keys, where they are fresh, or stale for no longer than they may be.
    fn usable(&self, place: &KeyPlace, clock: &dyn Clock) -> Option<&KeySet> {
        let held = self.held.as_ref()?;
        (held.since.age(clock) < held.fresh_for + place.max_stale).then_some(&held.set)
    }

    fn find(
        &self,
        place: &KeyPlace,
        clock: &dyn Clock,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> Option<Arc<DecodingKey>> {
        self.usable(place, clock)?.find(id, algorithm)
    }

    /// The verdict on a key that is not there: unknown to the issuer, or the issuer is.
    fn not_found(&self, place: &KeyPlace, clock: &dyn Clock) -> Result<Option<Arc<DecodingKey>>, PortError> {
        match (&self.failure, self.usable(place, clock)) {
            (None, Some(_)) => Ok(None),
            (failure, _) => Err(failure.clone().unwrap_or_else(|| PortError {
                port: "the key set of the issuer",
                detail: "they are too old".to_owned(),
            })),
        }
    }

    /// In how long it is time to fetch: when the keys are fresh no more, and never sooner than 30 seconds after the last time.
    fn due_in(&self, clock: &dyn Clock) -> Duration {
        let left = |moment: &Moment, of: Duration| of.saturating_sub(moment.age(clock));
        let stale = self.held.as_ref().map_or(Duration::ZERO, |held| left(&held.since, held.fresh_for));
        let again = self.began.as_ref().map_or(Duration::ZERO, |began| left(began, REFETCH));
        stale.max(again)
    }
}

/// A fetch on its way. However it ends, nobody waits for it afterwards.
struct Flight {
    ring: Arc<KeyRing>,
    _landing: watch::Sender<()>,
}

impl Flight {
    async fn land(self, since: Moment) {
        let ring = &self.ring;
        let fetched = ring.source.answer(|source| source.fetch(&ring.place)).await;
        let outcome = {
            let mut state = ring.lock();
            match fetched {
                Ok(set) => {
                    let keys = set.len();
                    let (shortest, longest) = FRESH_WITHIN;
                    let fresh_for = set.max_age().map_or(FRESH, |age| age.clamp(shortest, longest));
                    state.held = Some(Held { set, since, fresh_for });
                    state.failure = None;
                    Ok(keys)
                }
                Err(failure) => {
                    state.failure = Some(failure.clone());
                    Err(failure)
                }
            }
        };
        (ring.told)(&outcome);
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.ring.lock().flight = None;
    }
}

/// A moment by both clocks. The wall clock may be set back, the other may stand still while the machine sleeps: what has passed
/// is what the faster of the two says.
#[derive(Clone, Copy)]
struct Moment {
    wall: Timestamp,
    at: Instant,
}

impl Moment {
    fn now(clock: &dyn Clock) -> Self {
        Self { wall: clock.now(), at: Instant::now() }
    }

    fn age(&self, clock: &dyn Clock) -> Duration {
        clock.now().since(self.wall).max(self.at.elapsed())
    }
}
