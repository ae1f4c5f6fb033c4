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
//! A gate whose ladder has nothing to ask is attached to without an authentication file.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use doorward_auth::{BoxFuture, Refusal};
use doorward_backends::ninep::{Begun, Ninep};
use doorward_session::{Backend, BareBytes, Line, Received, Socket, SocketPolicy};
use doorward_types::{CloseReason, Prompt, TraceId};
use doorward_wire::{
    json,
    ninep::{AROUND_DATA, Data, Decoder, Fid, Qid, Reply, Request, Tag, UNKNOWN, VERSION},
};
use http::HeaderMap;
use tokio::{
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use zeroize::Zeroizing;

use super::{Heard, Voice, malformed, say};
use crate::{
    answer::{Arrived, Visit, arrive, handshake},
    attend::{Attended, Stage, converse},
    door::Door,
    edge::{Came, Head, Pass, ShownCookies},
    gates::{Backing, Gate},
};

/// The largest message that is agreed on before a tree is there.
const LARGEST: u32 = 8192;

/// How long a peer may take to say for which gate it comes: as long as the head of a request.
const WITHIN: Duration = Duration::from_secs(5);

/// How many requests that may take.
const REQUESTS: usize = 16;

/// How long whoever was refused may take to read why.
const READ_WITHIN: Duration = Duration::from_secs(1);

/// How long the accept loop rests when the system has no more file descriptors.
const REST: Duration = Duration::from_millis(50);

/// What is answered to whoever attaches without having authenticated.
const AUTHENTICATE: &str = "authentication required: read and write the authentication file first";

/// Accepts connections until it is dropped.
pub(crate) async fn serve(listener: TcpListener, door: Arc<Door>) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => match door.caps.enter() {
                Ok(pass) => drop(tokio::spawn(connection(stream, peer, pass, Arc::clone(&door)))),
                Err(full) => door.metrics.turned_away(full),
            },
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
    let mut line = Line::of_bytes(Arc::new(stream), LARGEST as usize);
    let mut meeting = Meeting { decoder: Decoder::new(LARGEST), msize: None };
    let Ok(Some(asked)) = timeout(WITHIN, meeting.asks(&mut line, &door)).await else {
        return line.leave().await;
    };
    let Asked { gate, tag, afid, attach, behind } = asked;
    let Backing::Ninep(ninep, _) = &gate.backing else { return };
    let (ninep, plain) = (Arc::clone(ninep), Arc::clone(ninep) as Arc<dyn Backend>);
    let head = head_for(&gate);
    let (visit, beginning) =
        Visit::begin(&door, Arc::clone(&gate), came.source, as_of, &head, BTreeMap::new(), came.secure);
    let climb = match handshake(beginning).await {
        Ok(climb) => climb,
        Err(refusal) => {
            visit.write_down((&refusal).into());
            let reason = refusal.close_reason();
            let _gone = say(&mut line, &error(tag, reason.sentence())).await;
            return line.close(reason).await;
        }
    };
    if afid.is_some() && !say(&mut line, &reply(tag, &Reply::Auth { qid: QID })).await {
        return;
    }
    let msize = meeting.msize.unwrap_or(LARGEST);
    // What came behind the request is heard next: by the authentication file, or by the tree after the request itself.
    let (line, attach) = match attach {
        None => (line.having_read(&behind), None),
        Some(attach) => (line, Some([attach.as_slice(), &behind].concat())),
    };
    let file = AuthFile {
        ninep,
        decoder: meeting.decoder,
        msize,
        afid,
        attach,
        lines: Zeroizing::default(),
        reading: None,
        written: Zeroizing::default(),
        longest: gate.bytes_before,
    };
    let policy = SocketPolicy { framing: Arc::new(BareBytes), ping_every: None, ..(*gate.policy()).clone() };
    let stage = Stage::Climbing { climb, backend: plain };
    let attended = Attended { visit, pass, stage, voice: Box::new(file), policy: Arc::new(policy) };
    converse(Box::new(line), Box::new(attended)).await;
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

/// The authentication file.
const QID: Qid = Qid { kind: Qid::AUTH, version: 0, path: u64::MAX };

fn reply(tag: Tag, reply: &Reply<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    reply.write(tag, &mut bytes);
    bytes
}

fn error(tag: Tag, text: &str) -> Vec<u8> {
    reply(tag, &Reply::Error { text })
}

/// What is agreed on before anybody is known.
struct Meeting {
    decoder: Decoder,
    msize: Option<u32>,
}

/// For which gate somebody has come, and how it goes on.
struct Asked {
    gate: Arc<Gate>,
    tag: Tag,
    /// The authentication file.
    afid: Option<Fid>,
    /// Without one: the request to attach, to be answered by the tree.
    attach: Option<Vec<u8>>,
    /// What was read behind the request.
    behind: Zeroizing<Vec<u8>>,
}

impl Meeting {
    /// Waits until a gate is named. `None` where the peer is gone, or speaks something else.
    async fn asks(&mut self, line: &mut Line, door: &Door) -> Option<Asked> {
        let mut requests = 0;
        loop {
            let Received::Binary(bytes) = line.receive().await else { return None };
            let mut rest = bytes.reveal("the messages of 9P are read out of it");
            let mut says = Vec::new();
            loop {
                let frame = match self.decoder.next(&mut rest) {
                    Ok(Some(frame)) => frame,
                    Ok(None) => break,
                    Err(_) => return None,
                };
                requests += 1;
                if requests > REQUESTS {
                    return None;
                }
                let tag = frame.tag;
                match Request::read(&frame) {
                    Ok(Request::Version { msize, version }) if version.starts_with(VERSION) && msize > AROUND_DATA => {
                        let msize = msize.min(LARGEST);
                        self.msize = Some(msize);
                        says.extend(reply(tag, &Reply::Version { msize, version: VERSION }));
                    }
                    Ok(Request::Version { msize, .. }) => {
                        says.extend(reply(tag, &Reply::Version { msize: msize.min(LARGEST), version: UNKNOWN }));
                    }
                    Ok(_) if self.msize.is_none() => return None,
                    Ok(request) => match asked(door, tag, &request) {
                        Ok(asked) => {
                            let asked = Asked { behind: rest.to_vec().into(), ..asked };
                            let said = says.is_empty() || say(line, &says).await;
                            return said.then_some(asked);
                        }
                        Err(text) => says.extend(error(tag, text)),
                    },
                    Err(malformed) => says.extend(error(tag, &malformed.to_string())),
                }
            }
            if !says.is_empty() && !say(line, &says).await {
                return None;
            }
        }
    }
}

fn asked(door: &Door, tag: Tag, request: &Request<'_>) -> Result<Asked, &'static str> {
    const NO_GATE: &str = "no such tree: name a gate with a file tree in `aname`";
    let gates = door.gates.load();
    match *request {
        Request::Auth { afid, aname, .. } => {
            let gate = gates.file_tree(aname).ok_or(NO_GATE)?;
            match gate.ladder.is_decided_at_handshake() {
                true => Err("no authentication required"),
                false => Ok(Asked { gate, tag, afid: Some(afid), attach: None, behind: Zeroizing::default() }),
            }
        }
        Request::Attach { afid, aname, .. } => {
            let gate = gates.file_tree(aname).ok_or(NO_GATE)?;
            if afid != Fid::NONE || !gate.ladder.is_decided_at_handshake() {
                return Err(AUTHENTICATE);
            }
            let mut attach = Vec::new();
            request.write(tag, &mut attach);
            Ok(Asked { gate, tag, afid: None, attach: Some(attach), behind: Zeroizing::default() })
        }
        _ => Err("unknown fid"),
    }
}

/// The authentication file of one connection.
struct AuthFile {
    ninep: Arc<Ninep>,
    decoder: Decoder,
    msize: u32,
    afid: Option<Fid>,
    attach: Option<Vec<u8>>,
    /// What the ladder has said and nobody has read.
    lines: Zeroizing<Vec<u8>>,
    /// The read that waits.
    reading: Option<(Tag, u32)>,
    /// What was written of a line that is not at its end.
    written: Zeroizing<Vec<u8>>,
    longest: usize,
}

impl AuthFile {
    /// Puts a line into the file, and answers the read that waits for one.
    fn tell(&mut self, line: &str) -> Vec<u8> {
        self.lines.extend_from_slice(line.as_bytes());
        self.lines.push(b'\n');
        self.give()
    }

    fn give(&mut self) -> Vec<u8> {
        let Some((tag, count)) = self.reading.filter(|_| !self.lines.is_empty()) else { return Vec::new() };
        self.reading = None;
        let most = count.min(self.msize.saturating_sub(AROUND_DATA)) as usize;
        let most = most.min(self.lines.len());
        let given: Zeroizing<Vec<u8>> = self.lines.drain(..most).collect::<Vec<_>>().into();
        reply(tag, &Reply::Read { data: Data(&given) })
    }

    /// What was written so far as an answer, where it is one.
    fn answer(&mut self) -> Result<Option<doorward_types::Answer>, Refusal> {
        let ends = self.written.last() == Some(&b'\n');
        match json::answer(&self.written) {
            Ok(answer) => {
                self.written = Zeroizing::default();
                Ok(Some(answer))
            }
            Err(why) if ends || self.written.len() > self.longest => Err(malformed(why)),
            Err(_) => Ok(None),
        }
    }
}

impl Voice for AuthFile {
    fn prompt(&mut self, prompt: &Prompt) -> Vec<u8> {
        self.tell(&json::prompt(prompt))
    }

    fn hear(&mut self, received: &Received) -> Result<Heard, Refusal> {
        let Received::Binary(bytes) = received else { return Err(malformed("a 9P message is bytes")) };
        let mut rest = bytes.reveal("the messages of 9P are read out of it");
        let (mut says, mut answered) = (Vec::new(), None);
        let mut decoder = std::mem::replace(&mut self.decoder, Decoder::new(self.msize));
        decoder.set_msize(self.msize);
        let mut left = false;
        while let Some(frame) = decoder.next(&mut rest).map_err(malformed)? {
            let tag = frame.tag;
            let is_file = |fid: Fid| Some(fid) == self.afid;
            match Request::read(&frame) {
                Ok(Request::Read { fid, count, .. }) if is_file(fid) && self.reading.is_none() => {
                    self.reading = Some((tag, count));
                    says.extend(self.give());
                }
                Ok(Request::Write { fid, data, .. }) if is_file(fid) => {
                    self.written.extend_from_slice(&data);
                    if let Some(answer) = self.answer()?
                        && answered.replace(answer).is_some()
                    {
                        return Err(malformed("a second answer came before the first was heard"));
                    }
                    let count = u32::try_from(data.len()).unwrap_or(u32::MAX);
                    says.extend(reply(tag, &Reply::Write { count }));
                }
                Ok(Request::Flush { old }) => {
                    self.reading.take_if(|(tag, _)| *tag == old);
                    says.extend(reply(tag, &Reply::Flush));
                }
                Ok(Request::Attach { .. }) => says.extend(error(tag, AUTHENTICATE)),
                // Whoever lets the file go does not want to be let in, and a new session begins with a new connection.
                Ok(Request::Clunk { fid }) if is_file(fid) => left = true,
                Ok(Request::Version { .. }) => left = true,
                Ok(_) => says.extend(error(tag, "unknown fid")),
                Err(why) => says.extend(error(tag, &why.to_string())),
            }
        }
        self.decoder = decoder;
        Ok(match answered {
            _ if left => Heard::Left,
            Some(answer) => Heard::Answered(answer, says),
            None => Heard::Said(says),
        })
    }

    fn admitted(&mut self, socket: &Arc<Socket>, backend: &str) -> Vec<u8> {
        if self.afid.is_none() {
            return Vec::new();
        }
        let admission = socket.admission();
        self.tell(&json::admitted(socket.id(), admission.subject(), backend, admission.expires_at()))
    }

    fn refused(&mut self, reason: CloseReason, trace: TraceId) -> (Vec<u8>, Option<Duration>) {
        let says = match self.afid {
            Some(_) => self.tell(&json::refused(reason, reason.reconnect().after(), trace)),
            None => Vec::new(),
        };
        (says, self.afid.map(|_| READ_WITHIN).filter(|_| !self.lines.is_empty()))
    }

    /// Until the file has been read to its end, as it is read anyway.
    fn has_heard(&mut self, received: &Received) -> (Vec<u8>, bool) {
        match self.hear(received) {
            Ok(Heard::Said(says) | Heard::Alive(says) | Heard::Answered(_, says)) => (says, self.lines.is_empty()),
            Ok(Heard::Left) | Err(_) => (Vec::new(), true),
        }
    }

    fn backend(&mut self, _plain: Arc<dyn Backend>) -> Arc<dyn Backend> {
        Arc::new(GoOn {
            ninep: Arc::clone(&self.ninep),
            begun: Begun { msize: self.msize, afid: self.afid, unread: Bytes::copy_from_slice(&self.lines) },
            // Of a message that has come in part the rest is still to come.
            ahead: self.attach.take().unwrap_or_else(|| self.decoder.take_begun()).into(),
        })
    }
}

/// The tree, for a session that has begun without it.
struct GoOn {
    ninep: Arc<Ninep>,
    begun: Begun,
    /// What was read for the tree.
    ahead: Zeroizing<Vec<u8>>,
}

impl Backend for GoOn {
    fn name(&self) -> &'static str {
        self.ninep.name()
    }

    fn serve(self: Arc<Self>, socket: Arc<Socket>, line: Line) -> BoxFuture<'static, ()> {
        let line = line.having_read(&self.ahead);
        Arc::clone(&self.ninep).go_on(socket, line, self.begun.clone())
    }
}
