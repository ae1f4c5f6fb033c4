//! What the node counts, for Prometheus: `GET /metrics` on the internal port.
//!
//! Everything here happens once a connection, a decision, an ending or a request of a program; a message costs nothing. What can be
//! seen at any time (the live sockets, the climbs, the lease) is not counted but looked at when somebody asks. No label holds anything
//! that a peer has sent: their values are names of the configuration and words of the code, so that there are no more of them than
//! those.

mod labels;
mod scrape;
mod throttle;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use doorward_auth::ports::Outcome;
use doorward_session::Ended;
use doorward_types::{GateName, OwnerId};
use prometheus_client::{
    encoding::text,
    metrics::{counter::Counter, family::Family, histogram::Histogram, info::Info},
    registry::Registry,
};

use crate::{door::Door, gates::Gate};
pub(crate) use labels::TurnedAway;
use labels::{AtGate, Factor, Fetched, Refused, Version, Why};
pub(crate) use throttle::Counting;

/// What [`Metrics::text`] is (OpenMetrics 1.0, which Prometheus reads).
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds of the buckets of how long an ending takes, in seconds. The bound that is promised is 1 s.
const WITHIN: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5];

type Age = Box<dyn Fn() -> Option<Duration> + Send + Sync>;

/// How many keys each issuer has, by owner and name.
type IssuerKeys = BTreeMap<(OwnerId, String), usize>;

/// The counts of one node.
pub struct Metrics {
    counted: Registry,
    admissions: Family<AtGate, Counter>,
    refusals: Family<Refused, Counter>,
    hang_ups: Family<AtGate, Counter>,
    turned_away: Family<Why, Counter>,
    ended: Family<Why, Counter>,
    landed: Histogram,
    throttled: Family<Factor, Counter>,
    rows_refused: Counter,
    fetches: Family<Fetched, Counter>,
    emitted: Family<AtGate, Counter>,
    lease_age: OnceLock<Age>,
    issuer_keys: OnceLock<Box<dyn Fn() -> IssuerKeys + Send + Sync>>,
}

impl Metrics {
    /// Nothing counted yet.
    pub fn new() -> Arc<Self> {
        let mut counted = Registry::with_prefix("doorward");
        let (admissions, refusals, hang_ups) = (Family::default(), Family::default(), Family::default());
        let (turned_away, ended, throttled) = (Family::default(), Family::default(), Family::default());
        let (landed, rows_refused) = (Histogram::new(WITHIN), Counter::default());
        let build = Info::new(Version { version: env!("CARGO_PKG_VERSION") });
        counted.register("build", "The program that runs", build);
        counted.register("admissions", "Upgrades that a gate has let in", admissions.clone());
        counted.register("refusals", "Upgrades that a gate has refused, by the layer that did", refusals.clone());
        counted.register("hang_ups", "Users who left before the verdict", hang_ups.clone());
        let of_none = "Connections and requests that came to no gate";
        counted.register("turned_away", of_none, turned_away.clone());
        counted.register("sockets_ended", "Sockets that have ended, by the close reason", ended.clone());
        let until_landed = "From an ending until the kernel had accepted the last Close frame, or the peer was reset";
        counted.register("revocation_latency_seconds", until_landed, landed.clone());
        counted.register("throttle_hits", "Tries of a factor that had to wait", throttled.clone());
        let refused_rows = "Audit rows that could not be taken; nobody is let in by such a decision";
        counted.register("audit_rows_refused", refused_rows, rows_refused.clone());
        let fetches = Family::default();
        let of_keys = "How often the keys that an issuer publishes were fetched, or could not be";
        counted.register("issuer_key_fetches", of_keys, fetches.clone());
        let emitted = Family::default();
        counted.register("emitted_events", "Events that programs have emitted over the HTTP API", emitted.clone());
        Arc::new(Self {
            counted,
            admissions,
            refusals,
            hang_ups,
            turned_away,
            ended,
            landed,
            throttled,
            rows_refused,
            fetches,
            emitted,
            lease_age: OnceLock::new(),
            issuer_keys: OnceLock::new(),
        })
    }

    /// Says where the age of the node's lease is seen: how long ago the store confirmed what has ended. `None` before the first
    /// time. The first who says so counts.
    pub fn lease_age_from(&self, age: impl Fn() -> Option<Duration> + Send + Sync + 'static) {
        // A second one would be a second follower, and there is one.
        let _first = self.lease_age.set(Box::new(age));
    }

    /// Says where it is seen how many keys each issuer has whose keys are fetched. The first who says so counts.
    pub(crate) fn issuer_keys_from(&self, keys: impl Fn() -> IssuerKeys + Send + Sync + 'static) {
        // A second one would be a second set of gates, and there is one.
        let _first = self.issuer_keys.set(Box::new(keys));
    }

    /// The keys of that issuer were fetched, or could not be.
    pub(crate) fn keys_fetched(&self, owner: &OwnerId, issuer: &str, successfully: bool) {
        self.fetches.get_or_create(&Fetched::of(owner, issuer, successfully)).inc();
    }

    /// How often the keys of that issuer were fetched, and how often they could not be.
    #[cfg(test)]
    pub(crate) fn fetches_of(&self, owner: &OwnerId, issuer: &str) -> (u64, u64) {
        let count = |successfully| self.fetches.get_or_create(&Fetched::of(owner, issuer, successfully)).get();
        (count(true), count(false))
    }

    /// How many events programs have emitted there.
    #[cfg(test)]
    pub(crate) fn emitted_at(&self, owner: &OwnerId, gate: &GateName) -> u64 {
        self.emitted.get_or_create(&AtGate::of(owner, gate)).get()
    }

    /// A program has emitted an event there.
    pub fn emitted(&self, owner: &OwnerId, gate: &GateName) {
        self.emitted.get_or_create(&AtGate::of(owner, gate)).inc();
    }

    /// A try of that factor (`password`, `totp` ...) had to wait.
    pub fn throttled(&self, factor: &'static str) {
        self.throttled.get_or_create(&Factor { factor }).inc();
    }

    /// Everything, as Prometheus reads it.
    pub fn text(&self, door: &Door) -> String {
        let keys = self.issuer_keys.get().map(|keys| keys()).unwrap_or_default();
        let seen = scrape::look(door, self.lease_age.get().and_then(|age| age()), keys);
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = text::encode_registry(&mut text, &self.counted)
            .and_then(|()| text::encode_registry(&mut text, &seen))
            .and_then(|()| text::encode_eof(&mut text));
        text
    }

    /// A gate has decided, and whether the audit log has taken the decision.
    pub(crate) fn decided(&self, gate: &Gate, outcome: &Outcome, written: bool) {
        let at = || AtGate::of(&gate.owner, &gate.name);
        if !written {
            self.rows_refused.inc();
        }
        match outcome {
            // Whoever cannot be written down is not let in.
            Outcome::Admitted(_) if !written => {}
            Outcome::Admitted(_) => drop(self.admissions.get_or_create(&at()).inc()),
            Outcome::Refused { reason, layer, .. } => {
                let refused = Refused {
                    owner: gate.owner.to_string(),
                    gate: gate.name.to_string(),
                    layer: layer.clone(),
                    reason: reason.name(),
                };
                self.refusals.get_or_create(&refused).inc();
            }
            Outcome::HungUp => drop(self.hang_ups.get_or_create(&at()).inc()),
            // A visit comes to none of these.
            Outcome::Readmitted(_) | Outcome::Happened { .. } => {}
        }
    }

    /// Somebody came to no gate.
    pub(crate) fn turned_away(&self, why: impl Into<TurnedAway>) {
        self.turned_away.get_or_create(&Why { reason: why.into().name() }).inc();
    }
}

impl Metrics {
    /// A row could not be taken that no visit has written.
    pub(crate) fn row_refused(&self) {
        self.rows_refused.inc();
    }

    pub(crate) fn ended(&self, how: Ended) {
        let reason = match how {
            Ended::For(reason) => reason.name(),
            Ended::ByPeer { .. } => "closed_by_peer",
            Ended::HungUp => "hung_up",
        };
        self.ended.get_or_create(&Why { reason }).inc();
    }

    pub(crate) fn landed(&self, within: Duration) {
        self.landed.observe(within.as_secs_f64());
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}
