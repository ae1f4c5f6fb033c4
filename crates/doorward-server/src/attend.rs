//! What happens after the 101: the ladder's conversation, the registration, and the hand-over to the backend.

use std::sync::Arc;

use doorward_auth::{Admission, Climb, Refusal, ports::Outcome, trail::RungTrail};
use doorward_backends::upstream::Dialled;
use doorward_session::{AnyStream, Backend, LateStream, Line, Socket, Transport};
use doorward_types::{CloseReason, Subject};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, time::timeout};

use crate::{
    answer::{Visit, by_server, no_room, not_registered, refused_as},
    edge::Pass,
    transports::json::{self, ClimbEnd},
};

/// Where a visit stands when the 101 goes out.
pub(crate) enum Stage {
    /// The ladder has yet to talk.
    Climbing { climb: Climb, backend: Arc<dyn Backend> },
    /// The verdict fell at the handshake.
    Admitted { admission: Box<Admission>, trail: Vec<RungTrail>, backend: Arc<dyn Backend> },
    /// It did, the socket is made, and its upstream has answered: all that is missing is the stream.
    Dialled { socket: Arc<Socket>, stream: Arc<LateStream>, trail: Vec<RungTrail>, dialled: Box<Dialled> },
}

/// A visit on its way to a socket.
pub(crate) struct Attended {
    pub(crate) visit: Visit,
    pub(crate) pass: Pass,
    pub(crate) stage: Stage,
}

/// Waits for the upgrade and starts the conversation in a task of its own, so that nothing of the request stays in its memory.
pub(crate) async fn attend(on_upgrade: OnUpgrade, attended: Attended) {
    match on_upgrade.await {
        Ok(upgraded) => {
            let (transport, read_ahead) = take_back(upgraded);
            let line = Line::new(transport, read_ahead, attended.visit.gate.bytes_before);
            tokio::spawn(converse(line, attended));
        }
        Err(error) => {
            tracing::debug!(%error, trace = %attended.visit.trace, "gone before the upgrade");
            attended.visit.write_down(Outcome::HungUp, None, Vec::new());
        }
    }
}

/// The stream under an upgraded connection, and what was read of it already. hyper's own buffer is given back.
fn take_back(upgraded: Upgraded) -> (Arc<dyn Transport>, Vec<u8>) {
    match upgraded.downcast::<TokioIo<TcpStream>>() {
        Ok(parts) => (Arc::new(parts.io.into_inner()), parts.read_buf.to_vec()),
        // Under somebody else's server the stream may be wrapped; then it stays so.
        Err(upgraded) => (Arc::new(AnyStream::new(TokioIo::new(upgraded))), Vec::new()),
    }
}

async fn converse(mut line: Line, attended: Attended) {
    let Attended { visit, pass, stage } = attended;
    let (admission, trail, backend) = match stage {
        Stage::Admitted { admission, trail, backend } => (admission, trail, backend),
        Stage::Dialled { socket, stream, trail, dialled } => {
            stream.arrive(Arc::clone(line.transport()));
            if !visit.write_down(Outcome::Admitted(socket.id()), socket.admission().subject().cloned(), trail) {
                return say_refused(line, &visit, CloseReason::TryLater).await;
            }
            drop(visit);
            tokio::spawn(live(dialled.relay(socket, line), pass));
            return;
        }
        Stage::Climbing { mut climb, backend } => {
            let end = json::climb(&mut line, &mut climb, visit.door.closing.subscribe()).await;
            let trail = climb.trail();
            match end {
                ClimbEnd::Admitted(admission) => (admission, trail, backend),
                ClimbEnd::Refused(refusal) => return refuse(line, &visit, &refusal, climb.subject(), trail).await,
                ClimbEnd::Violated(reason) => {
                    visit.write_down(by_server(reason, "read a message"), climb.subject(), trail);
                    return line.close(reason).await;
                }
                ClimbEnd::HungUp => {
                    visit.write_down(Outcome::HungUp, climb.subject(), trail);
                    return;
                }
                ClimbEnd::Closing => {
                    visit.write_down(Outcome::HungUp, climb.subject(), trail);
                    return line.close(CloseReason::Restart).await;
                }
            }
        }
    };
    enter(line, visit, pass, admission, trail, backend).await;
}

/// Makes a socket of an admission and hands it to the backend.
async fn enter(
    mut line: Line,
    visit: Visit,
    mut pass: Pass,
    admission: Box<Admission>,
    trail: Vec<RungTrail>,
    backend: Arc<dyn Backend>,
) {
    if let Err(full) = pass.admit() {
        return refuse(line, &visit, &no_room(full), admission.subject().cloned(), trail).await;
    }
    let subject = admission.subject().cloned();
    let gate = Arc::clone(&visit.gate);
    let socket =
        match visit.door.sockets.register_as(visit.socket, admission, Arc::clone(line.transport()), gate.policy()) {
            Ok(socket) => socket,
            Err(reason) => {
                visit.write_down(not_registered(reason), subject, trail);
                return say_refused(line, &visit, reason).await;
            }
        };
    if !visit.write_down(Outcome::Admitted(socket.id()), subject, trail) {
        return say_refused(line, &visit, CloseReason::TryLater).await;
    }
    if gate.speaks_json() && socket.is_open() {
        let admitted = json::admitted(&socket, gate.backing.name());
        if !matches!(timeout(json::SAY, line.say(&admitted)).await, Ok(Ok(()))) {
            socket.end(CloseReason::GoingAway);
        }
    }
    drop(visit);
    // The backend's future is the connection's whole life: a task of its own, and nothing of the climb in it.
    tokio::spawn(live(backend.serve(socket, line), pass));
}

/// A socket's life, which holds its place among the others.
async fn live(serving: impl Future<Output = ()>, _pass: Pass) {
    serving.await;
}

async fn refuse(line: Line, visit: &Visit, refusal: &Refusal, subject: Option<Subject>, trail: Vec<RungTrail>) {
    visit.write_down(refused_as(refusal), subject, trail);
    say_refused(line, visit, refusal.close_reason()).await;
}

async fn say_refused(mut line: Line, visit: &Visit, reason: CloseReason) {
    if visit.gate.speaks_json() {
        let refused = json::refused(reason, visit.trace);
        // Whoever is gone already need not be told.
        let _gone = timeout(json::SAY, line.say(&refused)).await;
    }
    line.close(reason).await;
}
