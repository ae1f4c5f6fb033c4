//! One upgrade request: from the checked head to a 101, or to a refusal.
//!
//! ```text
//! head ─▶ source counted ─▶ gate ─▶ handshake layers ─▶ (verdict due? before an upstream: register, dial) ─▶ 101 ─▶ attend
//! ```

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use doorward_auth::{
    Admission, Beginning, Claimant, Climb, ClimbEvent, Fault, Handshake, Progress, Refusal, Start,
    ports::{AuditRecord, Outcome},
};
use doorward_backends::upstream::Visitor;
use doorward_session::LateStream;
use doorward_types::{CloseReason, Cursor, SocketId, TraceId};
use doorward_wire::json::SUBPROTOCOL;
use http::{Method, Request, Response, StatusCode};
use tokio::time::{Instant, timeout};

use crate::{
    attend::{self, Attended, Stage},
    door::Door,
    edge::{Body, Came, Full, Head, Malformed, OverTls, Pass, Upgrade, not_found, refused, respond},
    gates::{Ahead, Backing, Found, Gate, Passing},
    metrics::TurnedAway,
    transports::socketio::{self, Probe, Query},
};

/// The subprotocol of a file tree, as the clients of 9P over WebSocket name it.
const NINEP: &str = "9p";

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
    let over_tls = request.extensions().get::<OverTls>().is_some();
    let upgrade = match Upgrade::read(&request, &door.cookies) {
        Ok(upgrade) => upgrade,
        Err(why) => {
            door.metrics.turned_away(why);
            return match why {
                Malformed::NotAnUpgrade => door.nothing_here(&request, peer, over_tls).await,
                why => respond::malformed(why),
            };
        }
    };
    let came = Came::of(&door.proxies, &upgrade.head.headers, peer.ip(), over_tls);
    // Before the gate is looked for: a gate that is taken away after it is in the list of endings when the climb ends.
    let as_of = door.sockets.cursor();
    let Arrived { came, as_of, mut pass } = match arrive(door, came, as_of, pass) {
        Ok(arrived) => arrived,
        Err(full) => return *full,
    };
    let Some(Found { gate, mut variables, tail }) = door.gates.load().find(&upgrade.head) else {
        door.metrics.turned_away(TurnedAway::NoGate);
        return not_found();
    };
    let visitor = Visitor {
        headers: &upgrade.head.headers,
        source: came.source,
        tls: came.tls,
        cookies: &door.cookies,
        tail: tail.as_deref(),
    };
    // What would lead elsewhere than below the upstream's path is not there, whether the gate is or not.
    let Ok(ahead) = gate.backing.ahead(&visitor) else {
        door.metrics.turned_away(TurnedAway::NoGate);
        return not_found();
    };
    let query = Query::take_for(&gate, &mut variables);
    if let Some(query) = query.as_ref().filter(|query| query.sid.is_some()) {
        return take_over(door, &gate, query, &mut request, &upgrade, came.source, pass);
    }
    let (visit, beginning) = Visit::begin(door, gate, came.source, as_of, &upgrade.head, variables, came.secure);
    let Some((voice, policy)) = visit.gate.voice(query.as_ref(), &visit) else {
        return respond::plain(StatusCode::BAD_REQUEST, "Unsupported protocol version\n");
    };
    let staged = match handshake(beginning).await {
        Ok(climb) => visit.stage(&upgrade, climb, ahead, &mut pass).await,
        Err(refusal) => visit.refuse(&refusal, &upgrade, &ahead).map_err(|response| *response),
    };
    let (stage, protocol) = match staged {
        Ok(staged) => staged,
        Err(response) => return response,
    };
    let switching = respond::switching(&upgrade.accept, protocol.as_deref());
    let on_upgrade = hyper::upgrade::on(&mut request);
    // The upgrade is awaited in a task of its own; the request and hyper's state stay behind.
    tokio::spawn(attend::attend(on_upgrade, Box::new(Attended { visit, pass, stage, voice, policy })));
    switching
}

/// A request that has found room.
pub(crate) struct Arrived {
    pub(crate) came: Came,
    pub(crate) as_of: Cursor,
    pub(crate) pass: Pass,
}

/// Finds room for somebody who asks to be let in; the answer to one for whom there is none.
pub(crate) fn arrive(
    door: &Arc<Door>,
    came: Came,
    as_of: Cursor,
    pass: Option<Pass>,
) -> Result<Arrived, Box<Response<Body>>> {
    let pass = pass.map_or_else(|| door.caps.enter(), Ok).and_then(|mut pass| {
        // Before the look at `draining`: whoever was not turned away by that is waited for by a drain.
        pass.heard();
        pass.of_source(came.source)?;
        Ok(pass)
    });
    let pass = pass.map_err(|full| {
        door.metrics.turned_away(full);
        tracing::debug!(%full, source = %came.source, "no room");
        Box::new(respond::unavailable("no room\n"))
    })?;
    if door.is_draining() {
        door.metrics.turned_away(TurnedAway::Draining);
        return Err(Box::new(respond::unavailable("restarting\n")));
    }
    Ok(Arrived { came, as_of, pass })
}

/// A session of Socket.IO goes on over this upgrade.
fn take_over<B: Send + 'static>(
    door: &Arc<Door>,
    gate: &Gate,
    query: &Query,
    request: &mut Request<B>,
    upgrade: &Upgrade,
    source: IpAddr,
    pass: Pass,
) -> Response<Body> {
    let Some(probe) = Probe::of(&door.sessions, gate, query, source, &upgrade.head, pass) else {
        return respond::plain(StatusCode::BAD_REQUEST, "Session ID unknown\n");
    };
    let on_upgrade = hyper::upgrade::on(request);
    tokio::spawn(socketio::take_over(on_upgrade, probe));
    respond::switching(&upgrade.accept, None)
}

/// Waits for the handshake layers, each of which has a bound of its own.
pub(crate) async fn handshake(beginning: Beginning) -> Result<Climb, Refusal> {
    timeout(HANDSHAKE, beginning).await.unwrap_or_else(|_| {
        let detail = format!("the handshake layers had no answer within {HANDSHAKE:?}");
        Err(Refusal::new(Fault::Dependency, "handshake", detail))
    })
}

/// One connection's visit to one gate, from the upgrade request on. It ends with one row in the audit log, also where it is
/// dropped on its way.
pub(crate) struct Visit {
    pub(crate) door: Arc<Door>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) trace: TraceId,
    /// The id that its socket will have.
    pub(crate) socket: SocketId,
    source: IpAddr,
    since: Instant,
    progress: Progress,
    written: AtomicBool,
}

impl Visit {
    pub(crate) fn begin(
        door: &Arc<Door>,
        gate: Arc<Gate>,
        source: IpAddr,
        as_of: Cursor,
        head: &Head,
        variables: BTreeMap<String, String>,
        secure: bool,
    ) -> (Self, Beginning) {
        let (trace, socket) = (TraceId::from_bytes(door.rng.bytes16()), SocketId::from_bytes(door.rng.bytes16()));
        let claimant = Claimant::new(gate.owner.clone(), gate.name.clone(), source, secure, variables.clone());
        let handshake = Handshake {
            source,
            secure,
            host: head.host_name().to_owned(),
            port: head.host_port(),
            origin: head.origin.clone(),
            variables,
            bearer: head.bearer.clone(),
            ticket: head.ticket.clone(),
            session: head.shown.session.clone(),
            browser: head.shown.browser.clone(),
        };
        let start = Start {
            trace,
            handshake,
            claimant,
            as_of,
            choose_within: gate.choose_within,
            clock: Arc::clone(&door.clock),
        };
        let beginning = Climb::begin(Arc::clone(&gate.ladder), start);
        let (since, progress, written) = (Instant::now(), beginning.progress(), AtomicBool::new(false));
        let visit = Self { door: Arc::clone(door), gate, trace, socket, source, since, progress, written };
        (visit, beginning)
    }

    /// Decides what the 101 has to say. A ladder without conversation has its verdict already, and then an upstream chooses the
    /// subprotocol itself.
    async fn stage(
        &self,
        upgrade: &Upgrade,
        mut climb: Climb,
        ahead: Ahead,
        pass: &mut Pass,
    ) -> Result<(Stage, Option<String>), Response<Body>> {
        if !self.gate.ladder.is_decided_at_handshake() {
            let protocol = self.protocol(upgrade, &ahead);
            return Ok((Stage::Climbing { climb, backend: ahead.into_backend() }, protocol));
        }
        let admission = match climb.next().await {
            ClimbEvent::Admitted(admission) => admission,
            ClimbEvent::Refused(refusal) => {
                return self.refuse(&refusal, upgrade, &ahead).map_err(|response| *response);
            }
            // A ladder that is decided at the handshake has nobody to say anything to.
            ClimbEvent::Say(_) => return Ok((Stage::Climbing { climb, backend: ahead.into_backend() }, None)),
        };
        match ahead {
            Ahead::Upstream(passing) => Box::pin(self.dial(&passing, admission, pass)).await,
            ahead @ Ahead::Backend(_) => {
                let protocol = self.protocol(upgrade, &ahead);
                Ok((Stage::Admitted { admission, backend: ahead.into_backend() }, protocol))
            }
        }
    }

    /// Makes the socket, and then asks the upstream: that hears of nobody who finds no room, or whose login has ended meanwhile.
    async fn dial(
        &self,
        passing: &Passing,
        admission: Box<Admission>,
        pass: &mut Pass,
    ) -> Result<(Stage, Option<String>), Response<Body>> {
        if let Err(full) = pass.admit() {
            let refusal = no_room(full);
            self.write_down(refused_as(&refusal));
            return Err(refused(refusal.close_reason(), self.trace));
        }
        let stream = Arc::new(LateStream::default());
        let (sockets, place) = (&self.door.sockets, Arc::clone(&stream) as _);
        let socket = match sockets.register_as(self.socket, admission, place, self.gate.policy()) {
            Ok(socket) => socket,
            Err(reason) => {
                self.write_down(not_registered(reason));
                return Err(refused(reason, self.trace));
            }
        };
        match passing.dial(&socket).await {
            Ok(dialled) => {
                let protocol = dialled.protocol().map(str::to_owned);
                Ok((Stage::Dialled { socket, stream, dialled: Box::new(dialled) }, protocol))
            }
            Err(error) => {
                let reason = error.reason();
                let (layer, step) = ("upstream".to_owned(), "dial".to_owned());
                self.write_down(Outcome::Refused { reason, layer, step, detail: error.to_string() });
                Err(refused(reason, self.trace))
            }
        }
    }

    /// Writes a refusal down, and gives the way in which it is told: by the status, or after a 101.
    fn refuse(
        &self,
        refusal: &Refusal,
        upgrade: &Upgrade,
        ahead: &Ahead,
    ) -> Result<(Stage, Option<String>), Box<Response<Body>>> {
        self.write_down(refused_as(refusal));
        let reason = refusal.close_reason();
        if self.gate.refuses_by_frame(refusal) {
            // A browser tells its page of a Close only after a 101 that has named one of the subprotocols that the page asked for.
            let protocol = match ahead {
                Ahead::Upstream(_) => self.protocol(upgrade, ahead).or_else(|| upgrade.protocols.first().cloned()),
                Ahead::Backend(_) => self.protocol(upgrade, ahead),
            };
            return Ok((Stage::Refused(reason), protocol));
        }
        Err(Box::new(refused(reason, self.trace)))
    }

    /// The subprotocol for a 101 that asks no upstream.
    fn protocol(&self, upgrade: &Upgrade, ahead: &Ahead) -> Option<String> {
        match ahead {
            Ahead::Upstream(passing) => passing.choose().map(str::to_owned),
            // A page that offers `9p` alone hears the ladder in texts all the same: its browser wants the name that it offered.
            Ahead::Backend(_) if matches!(self.gate.backing, Backing::Ninep(..)) => {
                let json = self.gate.speaks_json().then(|| offered(upgrade, SUBPROTOCOL)).flatten();
                json.or_else(|| offered(upgrade, NINEP))
            }
            Ahead::Backend(_) if self.gate.speaks_json() => offered(upgrade, SUBPROTOCOL),
            Ahead::Backend(_) => upgrade.protocols.first().cloned(),
        }
    }

    /// Writes the decision down, with how far the climb came. `false` when the audit log cannot take it: then nobody is let in.
    pub(crate) fn write_down(&self, outcome: Outcome) -> bool {
        self.written.store(true, Ordering::Relaxed);
        let record = AuditRecord {
            trace: self.trace,
            at: self.door.clock.now(),
            took_ms: u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX),
            owner: Some(self.gate.owner.clone()),
            gate: Some(self.gate.name.clone()),
            source: Some(self.source),
            subject: self.progress.subject(),
            outcome,
            trail: self.progress.trail(),
        };
        match &record.outcome {
            Outcome::Refused { reason, layer, step, .. } => {
                tracing::info!(trace = %self.trace, gate = %self.gate.name, %reason, layer, step, "refused");
            }
            Outcome::Admitted(socket) => {
                tracing::debug!(trace = %self.trace, gate = %self.gate.name, %socket, "admitted");
            }
            Outcome::HungUp => tracing::debug!(trace = %self.trace, gate = %self.gate.name, "hung up"),
            // A visit comes to none of these.
            Outcome::Readmitted(_) | Outcome::Happened { .. } => {}
        }
        let outcome = record.outcome.clone();
        let taken = self.door.audit.record(record);
        self.door.metrics.decided(&self.gate, &outcome, taken.is_ok());
        if let Err(error) = &taken {
            tracing::error!(trace = %self.trace, %error, "the audit log takes no rows, so nobody is let in");
        }
        taken.is_ok()
    }
}

impl Drop for Visit {
    /// Whoever leaves while a store answers, or while an upstream is asked, is written down too; so is what a panic ends.
    fn drop(&mut self) {
        if !*self.written.get_mut() {
            let panicked = Refusal::new(Fault::Internal, "panic", "a layer panicked");
            self.write_down(if std::thread::panicking() { refused_as(&panicked) } else { Outcome::HungUp });
        }
    }
}

/// The node or the source has as many sockets as it may have.
pub(crate) fn no_room(full: Full) -> Refusal {
    Refusal::new(Fault::Dependency, "room for a socket", full)
}

/// The registry did not take a socket, as the audit log has it.
pub(crate) fn not_registered(reason: CloseReason) -> Outcome {
    by_server(reason, "register the socket")
}

/// A refusal that no layer made, as the audit log has it.
pub(crate) fn by_server(reason: CloseReason, step: &str) -> Outcome {
    let (layer, detail) = ("server".to_owned(), reason.sentence().to_owned());
    Outcome::Refused { reason, layer, step: step.to_owned(), detail }
}

/// A refusal as the audit log has it.
pub(crate) fn refused_as(refusal: &Refusal) -> Outcome {
    refusal.into()
}

fn offered(upgrade: &Upgrade, protocol: &str) -> Option<String> {
    upgrade.protocols.iter().find(|offered| *offered == protocol).cloned()
}
