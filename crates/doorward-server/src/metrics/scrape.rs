use std::time::Duration;

use prometheus_client::{
    metrics::{family::Family, gauge::Gauge},
    registry::Registry,
};

use super::{
    IssuerKeys,
    labels::{InState, OfIssuer},
};
use crate::door::Door;

/// What can be seen of a node at this moment.
pub(super) fn look(door: &Door, lease_age: Option<Duration>, issuer_keys: IssuerKeys) -> Registry {
    let mut seen = Registry::with_prefix("doorward");
    let sockets = Family::<InState, Gauge>::default();
    for ((owner, gate, state), count) in door.sockets.count_by_state() {
        let at = InState { owner: owner.to_string(), gate: gate.to_string(), state };
        sockets.get_or_create(&at).set(number(count));
    }
    seen.register("sockets", "Live sockets", sockets);
    let (_, climbing) = door.caps.counts();
    gauge(&mut seen, "climbing", "Connections that are not admitted yet", climbing);
    gauge(&mut seen, "gates", "Gates of the configuration", door.gates.load().len());
    let help = "Gates whose sockets go on while nobody knows whether their logins have ended, by `fail = open`";
    gauge(&mut seen, "gates_failing_open", help, door.failing_open(None).len());
    gauge(&mut seen, "audit_rows_waiting", "Audit rows that are not on disk yet", door.audit.waiting());
    let takes_rows = usize::from(door.audit.is_taking().is_ok());
    gauge(&mut seen, "audit_taking", "Whether the audit log takes rows: without it nobody is let in", takes_rows);
    gauge(&mut seen, "draining", "Whether the node is going down", usize::from(door.is_draining()));
    let keys = Family::<OfIssuer, Gauge>::default();
    for ((owner, issuer), count) in issuer_keys {
        keys.get_or_create(&OfIssuer { owner: owner.to_string(), issuer }).set(number(count));
    }
    let help = "Keys that an issuer publishes and tokens are verified with: without any nobody gets in by it";
    seen.register("issuer_keys", help, keys);
    if let Some(age) = lease_age {
        let lease = Gauge::<f64, std::sync::atomic::AtomicU64>::default();
        lease.set(age.as_secs_f64());
        seen.register("lease_age_seconds", "How long ago the store confirmed what has ended", lease);
    }
    seen
}

fn gauge(seen: &mut Registry, name: &str, help: &str, value: usize) {
    let gauge = Gauge::<i64>::default();
    gauge.set(number(value));
    seen.register(name, help, gauge);
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
