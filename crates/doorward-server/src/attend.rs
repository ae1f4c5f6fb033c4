//! What happens after the 101: the ladder's conversation, the registration, and the hand-over to the backend.

use std::sync::Arc;

use doorward_auth::{Admission, BoxFuture, Climb, Refusal, ports::Outcome};
use doorward_backends::upstream::Dialled;
use doorward_session::{AnyStream, Backend, LateStream, Line, Received, Socket, SocketPolicy};
use doorward_types::CloseReason;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, time::timeout};

use crate::{
    answer::{Visit, by_server, no_room, not_registered, refused_as},
    edge::{Counted, Held, Pass, TlsOverTcp, reset},
    transports::{self, ClimbEnd, Voice, say},
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
    /// How the user is spoken to until a backend does.
    pub(crate) voice: Box<dyn Voice>,
    /// What its socket may do.
    pub(crate) policy: Arc<SocketPolicy>,
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
pub(crate) fn take_back(upgraded: Upgraded, most: usize) -> Line {
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

/// What a visit and its line are on the way to a socket.
struct Talking {
    line: Box<Line>,
    visit: Visit,
    voice: Box<dyn Voice>,
}

/// The ladder's conversation, and what it leads to.
pub(crate) async fn converse(line: Box<Line>, attended: Box<Attended>) {
    let Attended { pass, visit, stage, voice, policy } = *attended;
    let mut talking = Talking { line, visit, voice };
    let greeting = talking.voice.greeting();
    if !greeting.is_empty() && !say(&mut talking.line, &greeting).await {
        // The visit is dropped, and writes down that they hung up.
        return;
    }
    let (admission, backend) = match stage {
        Stage::Refused(reason) => return talking.say_refused(reason).await,
        Stage::Admitted { admission, backend } => (admission, backend),
        Stage::Dialled { socket, stream, dialled } => {
            stream.arrive(Arc::clone(talking.line.transport()));
            if !talking.visit.write_down(Outcome::Admitted(socket.id())) {
                return talking.say_refused(CloseReason::TryLater).await;
            }
            return live(Box::pin(dialled.relay(socket, *talking.line)), pass);
        }
        Stage::Climbing { mut climb, backend } => {
            let closing = talking.visit.door.draining.subscribe();
            match transports::climb(&mut talking.line, &mut *talking.voice, &mut climb, closing).await {
                ClimbEnd::Admitted(admission) => (admission, backend),
                ClimbEnd::Refused(refusal) => return talking.refuse(&refusal).await,
                ClimbEnd::Violated(reason) => {
                    talking.visit.write_down(by_server(reason, "read a message"));
                    return talking.close(reason).await;
                }
                ClimbEnd::HungUp => {
                    talking.visit.write_down(Outcome::HungUp);
                    return Box::pin(talking.line.leave()).await;
                }
                ClimbEnd::Closing => {
                    talking.visit.write_down(Outcome::HungUp);
                    return talking.close(CloseReason::Restart).await;
                }
            }
        }
    };
    talking.enter(pass, policy, admission, backend).await;
}

impl Talking {
    /// Makes a socket of an admission and hands it to the backend.
    async fn enter(
        mut self,
        mut pass: Pass,
        policy: Arc<SocketPolicy>,
        admission: Box<Admission>,
        backend: Arc<dyn Backend>,
    ) {
        if let Err(full) = pass.admit() {
            return self.refuse(&no_room(full)).await;
        }
        let (sockets, place) = (&self.visit.door.sockets, Arc::clone(self.line.transport()));
        let socket = match sockets.register_as(self.visit.socket, admission, place, policy) {
            Ok(socket) => socket,
            Err(reason) => {
                self.visit.write_down(not_registered(reason));
                return self.say_refused(reason).await;
            }
        };
        if !self.visit.write_down(Outcome::Admitted(socket.id())) {
            return self.say_refused(CloseReason::TryLater).await;
        }
        if socket.is_open() {
            let admitted = self.voice.admitted(&socket, self.visit.gate.backing.name());
            if !admitted.is_empty() && !say(&mut self.line, &admitted).await {
                socket.end(CloseReason::GoingAway);
            }
        }
        let backend = self.voice.backend(backend);
        live(backend.serve(socket, *self.line), pass);
    }

    fn refuse(self, refusal: &Refusal) -> BoxFuture<'static, ()> {
        self.visit.write_down(refused_as(refusal));
        self.say_refused(refusal.close_reason())
    }

    /// Says why, waits until it was heard where the wire has a word for that, and closes. Boxed: whoever is let in needs no room
    /// for it.
    fn say_refused(mut self, reason: CloseReason) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            let (refused, heard_within) = self.voice.refused(reason, self.visit.trace);
            // Whoever is gone already need not be told.
            let told = refused.is_empty() || say(&mut self.line, &refused).await;
            if told && let Some(within) = heard_within {
                let _silent = timeout(within, self.is_heard()).await;
            }
            self.close(reason).await;
        })
    }

    /// Waits for the word that a refusal was heard.
    async fn is_heard(&mut self) {
        loop {
            let received = self.line.receive().await;
            if matches!(received, Received::Gone(_)) {
                return;
            }
            let (says, heard) = self.voice.has_heard(&received);
            if (!says.is_empty() && !say(&mut self.line, &says).await) || heard {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    fn close(mut self, reason: CloseReason) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            let parting = self.voice.parting(reason);
            if !parting.is_empty() {
                let _gone = say(&mut self.line, &parting).await;
            }
            self.line.close(reason).await;
        })
    }
}

/// The connection's whole life, in a task of its own with room for nothing else. It holds its place among the sockets.
fn live(serving: BoxFuture<'static, ()>, pass: Pass) {
    tokio::spawn(async move {
        serving.await;
        drop(pass);
    });
}
