//! The keys that issuers publish, as this node has them: fetched before anybody needs them, kept through a reload, and told of in
//! log and metrics.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use doorward_auth::{
    ports::{Clock, IssuerKeys},
    token::{Issuer, KeyRing, Outcome},
};
use doorward_types::OwnerId;
use tokio::{sync::Notify, time::sleep};

use crate::metrics::Metrics;

/// Nothing is to be fetched: it is looked again all the same.
const IDLE: Duration = Duration::from_secs(60 * 60);

/// An owner's issuer, by its name.
type Name = (OwnerId, String);

/// The key rings of a node: one for each issuer of a ladder whose keys are fetched.
pub struct KeyRings {
    source: Arc<dyn IssuerKeys>,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    /// Those that an issuer has; of one name there are two while a reload replaces one.
    rings: Mutex<Vec<(Name, Weak<KeyRing>)>>,
    changed: Notify,
}

impl KeyRings {
    /// None yet.
    pub fn new(source: Arc<dyn IssuerKeys>, clock: Arc<dyn Clock>, metrics: Arc<Metrics>) -> Arc<Self> {
        let rings = Self { source, clock, metrics, rings: Mutex::default(), changed: Notify::new() };
        let rings = Arc::new(rings);
        let seen = Arc::downgrade(&rings);
        rings.metrics.issuer_keys_from(move || seen.upgrade().map(|rings| rings.counts()).unwrap_or_default());
        rings
    }

    /// The issuer, with the ring that it has had already where that is one for the same place. One whose keys are in a file stays
    /// as it is.
    pub(crate) fn supply(&self, issuer: Issuer) -> Issuer {
        let Some(place) = issuer.key_place() else { return issuer };
        let name = (issuer.owner().clone(), issuer.name().to_owned());
        let mut rings = self.lock();
        rings.retain(|(_, ring)| ring.strong_count() > 0);
        let mut known = rings.iter().filter(|(of, _)| *of == name).filter_map(|(_, ring)| ring.upgrade());
        let known = known.find(|ring| ring.place() == place);
        let ring = match known {
            Some(ring) => ring,
            None => {
                let told = told(name.clone(), Arc::clone(&self.metrics));
                let ring = KeyRing::new(place.clone(), Arc::clone(&self.source), Arc::clone(&self.clock), told);
                rings.push((name, Arc::downgrade(&ring)));
                self.changed.notify_one();
                ring
            }
        };
        drop(rings);
        issuer.with_keys(ring)
    }

    /// Fetches what is to be fetched, for ever.
    pub async fn run(&self) {
        loop {
            let again = self.living().iter().map(|(_, ring)| ring.refresh()).min().unwrap_or(IDLE);
            tokio::select! {
                () = sleep(again) => {}
                () = self.changed.notified() => {}
            }
        }
    }

    /// How many keys there are of each issuer.
    fn counts(&self) -> BTreeMap<Name, usize> {
        self.living().into_iter().map(|(name, ring)| (name, ring.len())).collect()
    }

    fn living(&self) -> Vec<(Name, Arc<KeyRing>)> {
        self.lock().iter().filter_map(|(name, ring)| Some((name.clone(), ring.upgrade()?))).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Name, Weak<KeyRing>)>> {
        // No code that can panic runs under this lock; were it poisoned all the same, the data is still whole.
        self.rings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts each fetch, and writes into the log what has changed: an issuer that stays away is not told of twice a minute.
fn told((owner, issuer): Name, metrics: Arc<Metrics>) -> impl Fn(&Outcome) + Send + Sync + 'static {
    const FETCHED: u8 = 1;
    const FAILED: u8 = 2;
    let last = AtomicU8::new(0);
    move |outcome| {
        metrics.keys_fetched(&owner, &issuer, outcome.is_ok());
        let now = if outcome.is_ok() { FETCHED } else { FAILED };
        let is_new = last.swap(now, Ordering::SeqCst) != now;
        match outcome {
            Ok(keys) if is_new => tracing::info!(%owner, issuer, keys, "the keys of an issuer are fetched"),
            Ok(_) => {}
            Err(error) if is_new => tracing::warn!(
                %owner, issuer, %error,
                "the keys of an issuer cannot be fetched; those that are known are used for a while, and then nobody gets in by it"
            ),
            Err(error) => tracing::debug!(%owner, issuer, %error, "the keys of an issuer cannot be fetched"),
        }
    }
}

#[cfg(test)]
mod tests {
    use doorward_auth::{memory::ManualClock, token::IssuerConfig};
    use doorward_testkit::{Publisher, tokens::TestKey};
    use doorward_types::Timestamp;
    use serde_json::json;

    use super::*;

    fn issuer(owner: &str, url: &str) -> Issuer {
        let config: IssuerConfig = serde_json::from_value(json!({
            "name": "site", "issuer": "https://site.example", "audience": "doorward", "algorithms": ["EdDSA"],
            "jwks_url": url,
        }))
        .unwrap();
        Issuer::build(&config, &OwnerId::new(owner), &|_| Err("no such file".to_owned())).unwrap()
    }

    fn rings() -> (Arc<Publisher>, Arc<KeyRings>) {
        let publisher = Arc::new(Publisher::default());
        let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_795_312_386)));
        (publisher.clone(), KeyRings::new(publisher, clock, Metrics::new()))
    }

    async fn settle() {
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn keys_are_fetched_when_an_issuer_comes_and_kept_while_its_place_stays() {
        let (publisher, rings) = rings();
        publisher.publish(&[("a", &TestKey::ed25519())]);
        tokio::spawn({
            let rings = rings.clone();
            async move { rings.run().await }
        });
        let first = rings.supply(issuer("acme", "https://site.example/keys"));
        settle().await;
        assert_eq!(publisher.asked().len(), 1, "nobody has shown a token yet");
        let name = (OwnerId::new("acme"), "site".to_owned());
        assert_eq!(rings.counts(), [(name.clone(), 1)].into());
        // A reload: the same issuer is built again.
        let again = rings.supply(issuer("acme", "https://site.example/keys"));
        settle().await;
        assert_eq!(publisher.asked().len(), 0);
        let moved = rings.supply(issuer("acme", "https://site.example/new"));
        drop((first, again));
        settle().await;
        assert_eq!(publisher.asked().len(), 1);
        assert_eq!(rings.counts().len(), 1);
        drop(moved);
        assert!(rings.counts().is_empty(), "an issuer that is gone is fetched no more");
    }

    #[tokio::test(start_paused = true)]
    async fn two_owners_share_no_keys() {
        let (publisher, rings) = rings();
        publisher.publish(&[("a", &TestKey::ed25519())]);
        let ours = rings.supply(issuer("acme", "https://site.example/keys"));
        let theirs = rings.supply(issuer("globex", "https://site.example/keys"));
        for (_, ring) in rings.living() {
            ring.refresh();
        }
        settle().await;
        assert_eq!(publisher.asked().len(), 2);
        assert_eq!(rings.counts().len(), 2);
        drop((ours, theirs));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_fetched_and_what_is_not_is_counted() {
        let (publisher, rings) = rings();
        let _ours = rings.supply(issuer("acme", "https://site.example/keys"));
        let (_, ring) = rings.living().remove(0);
        ring.refresh();
        settle().await;
        publisher.publish(&[("a", &TestKey::ed25519())]);
        tokio::time::advance(Duration::from_secs(30)).await;
        ring.refresh();
        settle().await;
        let counted = rings.metrics.fetches_of(&OwnerId::new("acme"), "site");
        assert_eq!(counted, (1, 1));
    }
}
