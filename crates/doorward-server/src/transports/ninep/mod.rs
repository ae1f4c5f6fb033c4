//! 9P over TCP: the ladder in the authentication file, for the file tools of the same machine.
//!
//! ```text
//! user   -> socket   Tversion 8192 9P2000
//! user   -> socket   Tauth afid, uname, aname       aname is the gate's name or path; empty where there is but one
//! socket -> user     Rauth                          the handshake layers have nothing against it
//! user   -> socket   Tread afid                     waits for a line of `doorward.v1`: {"event":"ask", ...}
//! user   -> socket   Twrite afid {"action":"auth","kind":"key_entry","key":"..."}
//! socket -> user     Rread {"event":"admitted", ...}   or {"event":"refused", ...}, and the end of the connection
//! user   -> socket   Tattach fid, afid              and the tree
//! ```
//!
//! A gate whose ladder has nothing to ask is attached to without an authentication file. One whose ladder looks at a web request
//! is not there: a tool sends none.

mod attaching;
mod auth_file;
mod meeting;

use std::{collections::BTreeMap, io, net::SocketAddr, sync::Arc, time::Duration};

use doorward_auth::{BoxFuture, Climb, ClimbEvent, Refusal};
use doorward_backends::ninep::{Begun, Ninep, Trouble};
use doorward_session::{Backend, BareBytes, Line, Socket, SocketPolicy};
use doorward_wire::ninep::{Reply, Tag};
use http::HeaderMap;
use tokio::{
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use zeroize::Zeroizing;

use self::{
    attaching::Attaching,
    auth_file::AuthFile,
    meeting::{Met, Wish, meet},
};
use super::{Voice, say};
use crate::{
    answer::{Arrived, Visit, arrive, handshake},
    attend::{Attended, Stage, converse},
    door::Door,
    edge::{Came, Head, Pass, ShownCookies, is_of_one_connection},
    gates::{Backing, Gate},
};

/// The largest message that is agreed on before a tree is there.
const LARGEST: u32 = 8192;

/// How long a peer may take to say for which gate it comes: as long as the head of a request.
const WITHIN: Duration = Duration::from_secs(5);

/// How long the accept loop rests when the system has no more file descriptors.
const REST: Duration = Duration::from_millis(50);

/// How often a silent peer's system is asked for a sign of life in vain before the connection breaks.
const SILENT: u32 = 3;

/// Accepts connections until it is dropped.
pub(crate) async fn serve(listener: TcpListener, door: Arc<Door>) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => match door.caps.enter() {
                Ok(pass) => drop(tokio::spawn(connection(stream, peer, pass, Arc::clone(&door)))),
                Err(full) => door.metrics.turned_away(full),
            },
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept");
                sleep(REST).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, peer: SocketAddr, pass: Pass, door: Arc<Door>) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "gone before its first byte");
        return;
    }
    let came = Came::of(&door.proxies, &HeaderMap::new(), peer.ip(), false);
    let as_of = door.sockets.cursor();
    let Ok(Arrived { came, as_of, pass }) = arrive(&door, came, as_of, Some(pass)) else { return };
    let stream = Arc::new(stream);
    let mut line = Line::of_bytes(Arc::clone(&stream) as _, LARGEST as usize);
    let Ok(Some(met)) = timeout(WITHIN, meet(&mut line, &door)).await else {
        return line.leave().await;
    };
    let Met { gate, tag, wish, msize, unheard } = met;
    let Backing::Ninep(ninep, _) = &gate.backing else { return };
    let ninep = Arc::clone(ninep);
    let policy = SocketPolicy { framing: Arc::new(BareBytes), ping_every: None, ..(*gate.policy()).clone() };
    if let Err(error) = look_after(&stream, &gate.policy()) {
        tracing::debug!(%error, "gone before its visit");
        return;
    }
    let head = head_for(&gate);
    let (visit, beginning) =
        Visit::begin(&door, Arc::clone(&gate), came.source, as_of, &head, BTreeMap::new(), came.secure);
    let climb = match handshake(beginning).await {
        Ok(climb) => climb,
        Err(refusal) => return refuse(visit, line, tag, &refusal).await,
    };
    let backend = Arc::clone(&ninep) as Arc<dyn Backend>;
    let (stage, voice): (Stage, Box<dyn Voice>) = match wish {
        Wish::Authenticate(afid) => {
            if !say(&mut line, &reply(tag, &Reply::Auth { qid: auth_file::QID })).await {
                return;
            }
            line = line.having_read(&unheard);
            (Stage::Climbing { climb, backend }, Box::new(AuthFile::of(ninep, afid, msize, gate.bytes_before)))
        }
        // Nothing is read while the ladder decides by itself: what has come meanwhile is the tree's to answer.
        Wish::Attach(attach) => match decided(climb).await {
            Ok(admission) => {
                let unheard = [attach.as_slice(), &unheard].concat().into();
                (Stage::Admitted { admission, backend }, Box::new(Attaching { ninep, tag, msize, unheard }))
            }
            Err(refusal) => return refuse(visit, line, tag, &refusal).await,
        },
    };
    converse(Box::new(line), Box::new(Attended { visit, pass, stage, voice, policy: Arc::new(policy) })).await;
}

/// The verdict of a ladder that asks nobody.
async fn decided(mut climb: Climb) -> Result<Box<doorward_auth::Admission>, Refusal> {
    loop {
        match climb.next().await {
            ClimbEvent::Admitted(admission) => return Ok(admission),
            ClimbEvent::Refused(refusal) => return Err(refusal),
            // There is nobody to say it to.
            ClimbEvent::Say(_) => {}
        }
    }
}

/// Answers the request with which somebody came to the gate, and ends the connection.
async fn refuse(visit: Visit, mut line: Line, tag: Tag, refusal: &Refusal) {
    visit.write_down(refusal.into());
    let reason = refusal.close_reason();
    let _gone = say(&mut line, &error(tag, reason.sentence())).await;
    line.close(reason).await;
}

/// Nobody can be pinged in 9P: the system asks the other one's instead, in the times of the gate.
fn look_after(stream: &TcpStream, policy: &SocketPolicy) -> io::Result<()> {
    use rustix::net::sockopt::{set_socket_keepalive, set_tcp_keepcnt, set_tcp_keepidle, set_tcp_keepintvl};
    let Some(every) = policy.ping_every else { return Ok(()) };
    let second = Duration::from_secs(1);
    set_tcp_keepidle(stream, every.max(second))?;
    set_tcp_keepintvl(stream, (policy.pong_within / SILENT).max(second))?;
    set_tcp_keepcnt(stream, SILENT)?;
    set_socket_keepalive(stream, true)?;
    Ok(())
}

/// The request that a tool has not made: it has named the gate, and shows nothing.
fn head_for(gate: &Gate) -> Head {
    Head {
        path: gate.path().to_owned(),
        query: None,
        host: String::new(),
        origin: None,
        bearer: None,
        ticket: None,
        shown: ShownCookies::default(),
        headers: HeaderMap::new(),
    }
}

fn reply(tag: Tag, reply: &Reply<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    reply.write(tag, &mut bytes);
    bytes
}

fn error(tag: Tag, text: &str) -> Vec<u8> {
    reply(tag, &Reply::Error { text })
}

fn trouble(tag: Tag, trouble: &Trouble) -> Vec<u8> {
    error(tag, &trouble.to_string())
}

/// The tree, for a session that has begun without it.
struct GoOn {
    ninep: Arc<Ninep>,
    begun: Begun,
    /// What has come and is the tree's to answer.
    unheard: Zeroizing<Vec<u8>>,
}

impl Backend for GoOn {
    fn name(&self) -> &'static str {
        self.ninep.name()
    }

    fn serve(self: Arc<Self>, socket: Arc<Socket>, line: Line) -> BoxFuture<'static, ()> {
        let line = line.having_read(&self.unheard);
        Arc::clone(&self.ninep).go_on(socket, line, self.begun.clone())
    }
}

#[cfg(test)]
mod tests {
    use rustix::net::sockopt::{socket_keepalive, tcp_keepcnt, tcp_keepidle, tcp_keepintvl};

    use super::*;

    #[tokio::test]
    async fn c80_the_system_asks_after_a_silent_peer_in_the_times_of_the_gate() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let silent = |every, within| SocketPolicy { ping_every: every, pong_within: within, ..SocketPolicy::default() };
        look_after(&stream, &silent(None, Duration::from_secs(9))).unwrap();
        assert!(!socket_keepalive(&stream).unwrap(), "nobody is asked where nobody is pinged");
        for (every, within, asked_after, then_every) in [(20, 9, 20, 3), (0, 0, 1, 1)] {
            let (every, within) = (Duration::from_secs(every), Duration::from_secs(within));
            look_after(&stream, &silent(Some(every), within)).unwrap();
            assert!(socket_keepalive(&stream).unwrap());
            assert_eq!(tcp_keepidle(&stream).unwrap(), Duration::from_secs(asked_after));
            assert_eq!(tcp_keepintvl(&stream).unwrap(), Duration::from_secs(then_every));
            assert_eq!(tcp_keepcnt(&stream).unwrap(), 3);
        }
    }
}
