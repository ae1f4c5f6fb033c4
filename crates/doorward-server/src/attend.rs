//! What happens after the 101: the ladder's conversation, the registration, and the hand-over to the backend.

use std::sync::Arc;

use doorward_auth::{Admission, BoxFuture, Climb, Refusal, ports::Outcome};
use doorward_backends::upstream::Dialled;
use doorward_session::{AnyStream, Backend, LateStream, Line, Socket};
use doorward_types::CloseReason;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, time::timeout};

use crate::{
    answer::{Visit, by_server, no_room, not_registered, refused_as},
    edge::{Counted, Held, Pass, TlsOverTcp, reset},
    transports::json::{self, ClimbEnd},
};

/// Where a visit stands when the 101 goes out.
pub(crate) enum Stage {
    /// A handshake layer has refused, at a gate that tells it by a Close frame. It is written down.
    Refused(CloseReason),
    /// The ladder has yet to talk.
    Climbing { climb: Climb, backend: Arc<dyn Backend> },
    /// The verdict fell at the handshake.
    Admitted { admission: Box<Admission>, backend: Arc<dyn Backend> },
    /// It did, the socket is made, and its upstream has answered: all that is missing is the stream.
    Dialled { socket: Arc<Socket>, stream: Arc<LateStream>, dialled: Box<Dialled> },
}

/// A visit on its way to a socket. It travels in a box: each future that it is handed on in would keep room for it.
pub(crate) struct Attended {
    pub(crate) visit: Visit,
    pub(crate) pass: Pass,
    pub(crate) stage: Stage,
}

/// Waits for the upgrade and starts the conversation in a task of its own, so that nothing of the request stays in its memory.
pub(crate) async fn attend(on_upgrade: OnUpgrade, attended: Box<Attended>) {
    match on_upgrade.await {
        Ok(upgraded) => {
            let line = take_back(upgraded, attended.visit.gate.bytes_before);
            tokio::spawn(converse(Box::new(line), attended));
        }
        // The visit is dropped, and writes down that they hung up where nothing was written yet.
        Err(error) => tracing::debug!(%error, trace = %attended.visit.trace, "gone before the upgrade"),
    }
}

/// A line over the stream under an upgraded connection, with what was read of it already and what has yet to be written to it.
/// hyper's own buffer is given back.
fn take_back(upgraded: Upgraded, most: usize) -> Line {
    let upgraded = match upgraded.downcast::<TokioIo<Held<Counted<TcpStream>>>>() {
        Ok(parts) => {
            let (stream, head) = parts.io.into_inner().into_parts();
            return Line::new(Arc::new(stream.into_inner()), parts.read_buf.to_vec(), most).saying(head);
        }
        Err(upgraded) => upgraded,
    };
    let upgraded = match upgraded.downcast::<TokioIo<Held<Counted<TlsOverTcp>>>>() {
        Ok(parts) => {
            let (stream, head) = parts.io.into_inner().into_parts();
            let stream = AnyStream::resetting(stream.into_inner(), reset);
            return Line::new(Arc::new(stream), parts.read_buf.to_vec(), most).saying(head);
        }
        Err(upgraded) => upgraded,
    };
    // Under somebody else's server there is nothing of ours around the stream. What they have wrapped stays so.
    match upgraded.downcast::<TokioIo<TcpStream>>() {
        Ok(parts) => Line::new(Arc::new(parts.io.into_inner()), parts.read_buf.to_vec(), most),
        Err(upgraded) => Line::new(Arc::new(AnyStream::new(TokioIo::new(upgraded))), Vec::new(), most),
    }
}

async fn converse(mut line: Box<Line>, attended: Box<Attended>) {
    let Attended { pass, visit, stage } = *attended;
    let (admission, backend) = match stage {
        Stage::Refused(reason) => return say_refused(line, &visit, reason).await,
        Stage::Admitted { admission, backend } => (admission, backend),
        Stage::Dialled { socket, stream, dialled } => {
            stream.arrive(Arc::clone(line.transport()));
            if !visit.write_down(Outcome::Admitted(socket.id())) {
                return say_refused(line, &visit, CloseReason::TryLater).await;
            }
            return live(Box::pin(dialled.relay(socket, *line)), pass);
        }
        Stage::Climbing { mut climb, backend } => {
            match json::climb(&mut line, &mut climb, visit.door.draining.subscribe()).await {
                ClimbEnd::Admitted(admission) => (admission, backend),
                ClimbEnd::Refused(refusal) => return refuse(line, &visit, &refusal).await,
                ClimbEnd::Violated(reason) => {
                    visit.write_down(by_server(reason, "read a message"));
                    return close(*line, reason).await;
                }
                ClimbEnd::HungUp => {
                    visit.write_down(Outcome::HungUp);
                    return Box::pin(line.leave()).await;
                }
                ClimbEnd::Closing => {
                    visit.write_down(Outcome::HungUp);
                    return close(*line, CloseReason::Restart).await;
                }
            }
        }
    };
    enter(line, &visit, pass, admission, backend).await;
}

/// Makes a socket of an admission and hands it to the backend.
async fn enter(
    mut line: Box<Line>,
    visit: &Visit,
    mut pass: Pass,
    admission: Box<Admission>,
    backend: Arc<dyn Backend>,
) {
    if let Err(full) = pass.admit() {
        return refuse(line, visit, &no_room(full)).await;
    }
    let (sockets, policy) = (&visit.door.sockets, visit.gate.policy());
    let socket = match sockets.register_as(visit.socket, admission, Arc::clone(line.transport()), policy) {
        Ok(socket) => socket,
        Err(reason) => {
            visit.write_down(not_registered(reason));
            return say_refused(line, visit, reason).await;
        }
    };
    if !visit.write_down(Outcome::Admitted(socket.id())) {
        return say_refused(line, visit, CloseReason::TryLater).await;
    }
    if visit.gate.speaks_json() && socket.is_open() {
        let admitted = json::admitted(&socket, visit.gate.backing.name());
        if !matches!(timeout(json::SAY, line.say(&admitted)).await, Ok(Ok(()))) {
            socket.end(CloseReason::GoingAway);
        }
    }
    live(backend.serve(socket, *line), pass);
}

/// The connection's whole life, in a task of its own with room for nothing else. It holds its place among the sockets.
fn live(serving: BoxFuture<'static, ()>, pass: Pass) {
    tokio::spawn(async move {
        serving.await;
        drop(pass);
    });
}

fn refuse<'v>(line: Box<Line>, visit: &'v Visit, refusal: &Refusal) -> BoxFuture<'v, ()> {
    visit.write_down(refused_as(refusal));
    say_refused(line, visit, refusal.close_reason())
}

/// Says why, and closes.
fn say_refused(mut line: Box<Line>, visit: &Visit, reason: CloseReason) -> BoxFuture<'_, ()> {
    Box::pin(async move {
        if visit.gate.speaks_json() {
            let refused = json::refused(reason, visit.trace);
            // Whoever is gone already need not be told.
            let _gone = timeout(json::SAY, line.say(&refused)).await;
        }
        line.close(reason).await;
    })
}

/// Boxed, as a refusal is: whoever is let in needs no room for it.
fn close(line: Line, reason: CloseReason) -> BoxFuture<'static, ()> {
    Box::pin(line.close(reason))
}
