//! One upgrade request: from the checked head to a 101, or to a refusal.
//!
//! ```text
//! head ─▶ source counted ─▶ gate ─▶ handshake layers ─▶ (verdict due? dial the upstream) ─▶ 101 ─▶ attend
//! ```

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use doorward_auth::{
    Claimant, Climb, ClimbEvent, Fault, Handshake, Refusal, Start,
    ports::{AuditRecord, Outcome},
    trail::RungTrail,
};
use doorward_backends::upstream::Visitor;
use doorward_types::{Cursor, SocketId, Subject, TraceId};
use http::{Method, Request, Response, StatusCode};
use tokio::time::Instant;

use crate::{
    attend::{self, Attended, Behind, Stage},
    door::Door,
    edge::{Body, Malformed, Pass, Upgrade, not_found, refused, respond},
    gates::{Ahead, Backing, Found, Gate},
    transports::json,
};

/// How long the handshake layers have: they wait for a store, not for a person.
const HANDSHAKE: Duration = Duration::from_secs(5);

pub(crate) async fn answer<B: Send + 'static>(
    door: &Arc<Door>,
    mut request: Request<B>,
    peer: SocketAddr,
    pass: Option<Pass>,
) -> Response<Body> {
    if request.method() == Method::GET && request.uri().path() == "/.well-known/jwks.json" {
        return respond::json(door.jwks.clone());
    }
    let upgrade = match Upgrade::read(&request) {
        Ok(upgrade) => upgrade,
        Err(why) => return respond::malformed(why),
    };
    let source = door.proxies.source(peer.ip(), upgrade.forwarded_for());
    let pass = match pass.map_or_else(|| door.caps.enter(), Ok).and_then(|mut pass| {
        pass.of_source(source)?;
        Ok(pass)
    }) {
        Ok(pass) => pass,
        Err(full) => {
            tracing::debug!(%full, %source, "no room");
            return respond::plain(StatusCode::SERVICE_UNAVAILABLE, "no room\n");
        }
    };
    if *door.closing.borrow() {
        return respond::plain(StatusCode::SERVICE_UNAVAILABLE, "restarting\n");
    }
    // Before the gate is looked for: a gate that is taken away after it is in the list of endings when the climb ends.
    let as_of = door.sockets.cursor();
    let Some(Found { gate, variables, tail }) = door.gates.load().find(&upgrade) else {
        return not_found();
    };
    let tls = door.proxies.trust(peer.ip()) && upgrade.forwarded_as_tls();
    // Through a proxy that is not trusted, or that says nothing of TLS, a connection is not as good as it looks.
    let secure = tls || (peer.ip().is_loopback() && !upgrade.was_forwarded());
    let visitor = Visitor { headers: &upgrade.headers, source, tls, tail: tail.as_deref() };
    let Ok(ahead) = gate.backing.ahead(&visitor) else {
        return respond::malformed(Malformed::Path);
    };
    let visit = Visit::new(door, gate, source, as_of);
    let climb = match visit.begin(&upgrade, variables, secure).await {
        Ok(climb) => climb,
        Err((refusal, trail)) => return visit.refuse(&refusal, None, trail),
    };
    let (stage, protocol) = match visit.stage(&upgrade, climb, ahead).await {
        Ok(staged) => staged,
        Err(response) => return response,
    };
    let switching = respond::switching(&upgrade.accept, protocol.as_deref());
    let on_upgrade = hyper::upgrade::on(&mut request);
    // The upgrade is awaited in a task of its own; the request and hyper's state stay behind.
    tokio::spawn(attend::attend(on_upgrade, Attended { visit, pass, stage }));
    switching
}

/// One connection's visit to one gate, from the upgrade request on.
pub(crate) struct Visit {
    pub(crate) door: Arc<Door>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) trace: TraceId,
    /// The id that its socket will have.
    pub(crate) socket: SocketId,
    source: std::net::IpAddr,
    /// Where the list of endings stood when the gate was looked for.
    as_of: Cursor,
    since: Instant,
}

impl Visit {
    fn new(door: &Arc<Door>, gate: Arc<Gate>, source: std::net::IpAddr, as_of: Cursor) -> Self {
        let (trace, socket) = (TraceId::from_bytes(door.rng.bytes16()), SocketId::from_bytes(door.rng.bytes16()));
        Self { door: Arc::clone(door), gate, trace, socket, source, as_of, since: Instant::now() }
    }

    async fn begin(
        &self,
        upgrade: &Upgrade,
        variables: BTreeMap<String, String>,
        secure: bool,
    ) -> Result<Climb, (Refusal, Vec<RungTrail>)> {
        let gate = &self.gate;
        let claimant = Claimant::new(gate.owner.clone(), gate.name.clone(), self.source, secure, variables.clone());
        let handshake = Handshake {
            source: self.source,
            secure,
            host: upgrade.host_name().to_owned(),
            port: upgrade.host_port(),
            origin: upgrade.origin.clone(),
            variables,
            bearer: upgrade.bearer.clone(),
            ticket: upgrade.ticket.clone(),
        };
        let start = Start {
            trace: self.trace,
            handshake,
            claimant,
            as_of: self.as_of,
            choose_within: gate.choose_within,
            clock: Arc::clone(&self.door.clock),
        };
        match tokio::time::timeout(HANDSHAKE, Climb::begin(Arc::clone(&gate.ladder), start)).await {
            Ok(begun) => begun,
            Err(_) => {
                let detail = format!("the handshake layers had no answer within {HANDSHAKE:?}");
                Err((Refusal::new(Fault::Dependency, "handshake", detail), Vec::new()))
            }
        }
    }

    /// Decides what the 101 has to say. A ladder without conversation has its verdict already, and then an upstream chooses the
    /// subprotocol itself.
    async fn stage(
        &self,
        upgrade: &Upgrade,
        mut climb: Climb,
        ahead: Ahead,
    ) -> Result<(Stage, Option<String>), Response<Body>> {
        if !self.gate.ladder.is_decided_at_handshake() {
            let protocol = match &ahead {
                Ahead::Upstream(passing) => passing.choose().map(str::to_owned),
                Ahead::Backend(_) => offered(upgrade, json::SUBPROTOCOL),
            };
            return Ok((Stage::Climbing { climb, backend: ahead.into_backend() }, protocol));
        }
        let admission = match climb.next().await {
            ClimbEvent::Admitted(admission) => admission,
            ClimbEvent::Refused(refusal) => return Err(self.refuse(&refusal, climb.subject(), climb.trail())),
            // A ladder that is decided at the handshake has nobody to say anything to.
            ClimbEvent::Say(_) => return Ok((Stage::Climbing { climb, backend: ahead.into_backend() }, None)),
        };
        let trail = climb.trail();
        let (behind, protocol) = match ahead {
            Ahead::Backend(backend) => {
                let protocol = match &self.gate.backing {
                    Backing::Echo(_) => upgrade.protocols.first().cloned(),
                    _ => offered(upgrade, json::SUBPROTOCOL),
                };
                (Behind::Backend(backend), protocol)
            }
            Ahead::Upstream(passing) => match passing.dial(&admission, self.socket).await {
                Ok(dialled) => {
                    let protocol = dialled.protocol().map(str::to_owned);
                    (Behind::Dialled(Box::new(dialled)), protocol)
                }
                Err(error) => {
                    let reason = error.reason();
                    let (layer, step) = ("upstream".to_owned(), "dial".to_owned());
                    let outcome = Outcome::Refused { reason, layer, step, detail: error.to_string() };
                    self.write_down(outcome, admission.subject().cloned(), trail);
                    return Err(refused(reason, self.trace));
                }
            },
        };
        Ok((Stage::Admitted { admission, trail, behind }, protocol))
    }

    fn refuse(&self, refusal: &Refusal, subject: Option<Subject>, trail: Vec<RungTrail>) -> Response<Body> {
        self.write_down(refused_as(refusal), subject, trail);
        refused(refusal.close_reason(), self.trace)
    }

    /// Writes the decision down. `false` when the audit log cannot take it: then nobody is let in.
    pub(crate) fn write_down(&self, outcome: Outcome, subject: Option<Subject>, trail: Vec<RungTrail>) -> bool {
        let record = AuditRecord {
            trace: self.trace,
            at: self.door.clock.now(),
            took_ms: u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX),
            owner: self.gate.owner.clone(),
            gate: self.gate.name.clone(),
            source: self.source,
            subject,
            outcome,
            trail,
        };
        match &record.outcome {
            Outcome::Refused { reason, layer, step, .. } => {
                tracing::info!(trace = %self.trace, gate = %self.gate.name, %reason, layer, step, "refused");
            }
            Outcome::Admitted(socket) => {
                tracing::debug!(trace = %self.trace, gate = %self.gate.name, %socket, "admitted");
            }
            Outcome::HungUp => tracing::debug!(trace = %self.trace, gate = %self.gate.name, "hung up"),
        }
        let taken = self.door.audit.record(record);
        if let Err(error) = &taken {
            tracing::error!(trace = %self.trace, %error, "the audit log takes no rows, so nobody is let in");
        }
        taken.is_ok()
    }
}

/// A refusal as the audit log has it.
pub(crate) fn refused_as(refusal: &Refusal) -> Outcome {
    Outcome::Refused {
        reason: refusal.close_reason(),
        layer: if refusal.layer.is_empty() { "server".to_owned() } else { refusal.layer.to_owned() },
        step: refusal.step.to_owned(),
        detail: refusal.detail.clone(),
    }
}

fn offered(upgrade: &Upgrade, protocol: &str) -> Option<String> {
    upgrade.protocols.iter().find(|offered| *offered == protocol).cloned()
}
