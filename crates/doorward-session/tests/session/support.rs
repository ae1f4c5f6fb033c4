//! A world with one registry, and peers that talk to it.

use std::{
    collections::BTreeMap,
    io,
    net::IpAddr,
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use doorward_auth::{
    Admission, BoxFuture, Claimant, Climb, ClimbEvent, Handshake, HandshakeLayer, Ladder, Proof, Refusal, Rung, Start,
    Step,
    ports::{Clock, LogEntry, Rng, What, Why},
};
use doorward_session::{
    AnyStream, Ended, Ending, Incoming, Line, Notices, Observer, OnLogout, Socket, SocketPolicy, Sockets, TokioTime,
    Transport,
};
use doorward_types::{CloseReason, Cursor, GateName, OwnerId, Rest, Subject, Timestamp, TraceId};
use doorward_wire::websocket::{
    Decoder, Event, Input, Limits, Message,
    frame::{self, Opcode},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// Runs each of the tests over TCP, and over a pipe with a clock that stands still while there is something to do.
macro_rules! over_both {
    ($($test:ident),* $(,)?) => {
        mod over_tcp {
            $(#[tokio::test] async fn $test() { super::$test(crate::support::Over::Tcp).await })*
        }
        mod over_a_pipe {
            $(#[tokio::test(start_paused = true)] async fn $test() { super::$test(crate::support::Over::Pipe).await })*
        }
    };
}
pub(crate) use over_both;

/// A wall clock that is set by hand.
pub(crate) struct Wall(AtomicU64);

impl Wall {
    pub(crate) fn at(millis: u64) -> Self {
        Self(AtomicU64::new(millis))
    }

    pub(crate) fn forward(&self, by: Duration) {
        self.0.fetch_add(by.as_millis() as u64, Ordering::Relaxed);
    }

    pub(crate) fn back(&self, by: Duration) {
        self.0.fetch_sub(by.as_millis() as u64, Ordering::Relaxed);
    }
}

impl Clock for Wall {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }
}

/// Numbers that look random and are the same for the same seed (xorshift64*).
pub(crate) struct Dice(Mutex<u64>);

impl Dice {
    pub(crate) fn of(seed: u64) -> Self {
        Self(Mutex::new(seed.wrapping_mul(2).wrapping_add(0x9e37_79b9_7f4a_7c15)))
    }

    pub(crate) fn roll(&self) -> u64 {
        let mut state = self.0.lock().unwrap();
        *state ^= *state >> 12;
        *state ^= *state << 25;
        *state ^= *state >> 27;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn below(&self, end: usize) -> usize {
        (self.roll() >> 33) as usize % end
    }
}

impl Rng for Dice {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill_with(|| (self.roll() >> 32) as u8);
    }
}

struct Proves(Proof);

impl HandshakeLayer for Proves {
    fn name(&self) -> &'static str {
        "test"
    }

    fn step(&self) -> &'static str {
        "socket proves"
    }

    fn verify<'a>(&'a self, _: &'a Handshake, claimant: &'a mut Claimant) -> BoxFuture<'a, Result<(), Refusal>> {
        Box::pin(std::future::ready(claimant.prove("test", self.0.issued_at.unwrap_or_default(), self.0.clone())))
    }
}

/// A proof of somebody.
pub(crate) fn somebody(name: &str) -> Proof {
    let subject = Subject { kind: "member".into(), pk: name.into(), uuid: name.into() };
    Proof { subject: Some(subject), ..Proof::default() }
}

/// A proof of somebody's login.
pub(crate) fn login(name: &str, sid: &str) -> Proof {
    Proof { rests_on: vec![Rest::on("sid", sid)], ..somebody(name) }
}

/// Climbs a ladder of one layer, which proves `proof`, at a gate of an owner.
pub(crate) fn climb_at(owner: &str, gate: &str, proof: Proof, as_of: Cursor) -> Box<Admission> {
    let source = IpAddr::from([127, 0, 0, 1]);
    let handshake = Handshake {
        source,
        secure: true,
        port: None,
        host: "localhost".into(),
        origin: None,
        variables: BTreeMap::new(),
        bearer: None,
        ticket: None,
        session: None,
        browser: None,
    };
    let claimant = Claimant::new(OwnerId::new(owner), GateName::new(gate), source, true, BTreeMap::new());
    let start = Start {
        trace: TraceId::from_bytes([1; 16]),
        handshake,
        claimant,
        as_of,
        choose_within: Duration::from_secs(1),
        clock: Arc::new(Wall(AtomicU64::new(0))),
    };
    let ladder = Arc::new(Ladder::new(vec![Rung::One(Step::handshake(Proves(proof)))]).unwrap());
    let mut climbed = pin!(async {
        match Climb::begin(ladder, start).await {
            Ok(mut climb) => climb.next().await,
            Err(refusal) => ClimbEvent::Refused(refusal),
        }
    });
    let mut context = Context::from_waker(Waker::noop());
    match Future::poll(climbed.as_mut(), &mut context) {
        Poll::Ready(ClimbEvent::Admitted(admission)) => admission,
        other => panic!("not admitted: {other:?}"),
    }
}

pub(crate) fn climb(proof: Proof, as_of: Cursor) -> Box<Admission> {
    climb_at("acme", "fancy", proof, as_of)
}

/// What a gate of the tests says of suspensions.
pub(crate) fn notices() -> Notices {
    let say = |text: &str| frame::text(text.as_bytes());
    Notices {
        logged_out: say("suspended: logged out"),
        unconfirmed: say("suspended: unconfirmed"),
        resumed: say("resumed"),
        resumed_with_gap: say("resumed with a gap"),
    }
}

/// A policy whose sockets wait for their login.
pub(crate) fn waiting() -> SocketPolicy {
    SocketPolicy { on_logout: OnLogout::Suspend, notices: Some(notices()), ..quiet() }
}

/// What a connection runs over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Over {
    Tcp,
    Pipe,
}

/// A registry that runs.
pub(crate) struct World {
    pub(crate) sockets: Arc<Sockets>,
    pub(crate) wall: Arc<Wall>,
    over: Over,
    running: JoinHandle<()>,
}

impl Drop for World {
    fn drop(&mut self) {
        self.running.abort();
    }
}

/// A served socket, and the other side of it.
pub(crate) struct Served {
    pub(crate) socket: Arc<Socket>,
    pub(crate) peer: Peer,
    pub(crate) over: JoinHandle<Ended>,
}

impl World {
    pub(crate) fn over(over: Over) -> Self {
        Self::made(over, Sockets::new)
    }

    /// One whose endings somebody is told of.
    pub(crate) fn observed(over: Over, observer: Arc<dyn Observer>) -> Self {
        Self::made(over, |clock, rng| Sockets::observed(clock, Arc::new(TokioTime::from_now()), rng, observer))
    }

    fn made(over: Over, make: impl FnOnce(Arc<dyn Clock>, Arc<dyn Rng>) -> Arc<Sockets>) -> Self {
        let wall = Arc::new(Wall(AtomicU64::new(1_000_000)));
        let sockets = make(Arc::clone(&wall) as _, Arc::new(Dice::of(7)));
        let running = tokio::spawn(sockets.run());
        Self { sockets, wall, over, running }
    }

    /// A stream and its peer. A pipe holds `room` bytes.
    pub(crate) async fn stream(&self, room: usize) -> (Arc<dyn Transport>, Peer) {
        match self.over {
            Over::Pipe => {
                let (ours, theirs) = tokio::io::duplex(room);
                (Arc::new(AnyStream::new(ours)), Peer::over(theirs))
            }
            Over::Tcp => {
                let (ours, theirs) = tcp().await;
                (Arc::new(ours), Peer::over(theirs))
            }
        }
    }

    /// Follows an entry of the log: somebody at `acme` has logged out.
    pub(crate) fn log_out(&self, sid: &str) -> Ending {
        log_out(&self.sockets, self.wall.now(), sid)
    }

    /// Registers somebody and runs the connection.
    pub(crate) async fn serve(&self, proof: Proof, policy: SocketPolicy, incoming: impl Incoming + 'static) -> Served {
        self.serve_with_room(64 * 1024, proof, policy, incoming).await
    }

    pub(crate) async fn serve_with_room(
        &self,
        room: usize,
        proof: Proof,
        policy: SocketPolicy,
        incoming: impl Incoming + 'static,
    ) -> Served {
        let (transport, peer) = self.stream(room).await;
        let line = Line::new(Arc::clone(&transport), Vec::new(), 4096);
        let admission = climb(proof, self.sockets.cursor());
        let socket = self.sockets.register(admission, transport, policy).unwrap();
        let over = tokio::spawn(line.run(Arc::clone(&socket), Box::new(incoming)));
        Served { socket, peer, over }
    }
}

/// Follows an entry of the log: somebody at `acme` has logged out.
pub(crate) fn log_out(sockets: &Sockets, at: Timestamp, sid: &str) -> Ending {
    let (owner, what) = (Some(OwnerId::new("acme")), What::Rest(Rest::on("sid", sid)));
    sockets.apply(&LogEntry { cursor: Cursor(1), at, owner, what, why: Why::LoggedOut })
}

pub(crate) async fn tcp() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let theirs = TcpStream::connect(listener.local_addr().unwrap());
    let (ours, theirs) = tokio::join!(listener.accept(), theirs);
    (ours.unwrap().0, theirs.unwrap())
}

/// A policy without pings and without rates, for tests that are about something else.
pub(crate) fn quiet() -> SocketPolicy {
    let limits = doorward_session::Limits { messages_per_second: 0, ..Default::default() };
    SocketPolicy { backend: "test", limits, ping_every: None, ..SocketPolicy::default() }
}

/// Does with each message what a closure says, and counts how often it was told that the socket is gone.
pub(crate) struct Does<F> {
    act: F,
    pub(crate) gone: Arc<AtomicUsize>,
}

impl<F: FnMut(&Arc<Socket>, Message<'_>) -> Result<(), CloseReason> + Send> Does<F> {
    pub(crate) fn with(act: F) -> Self {
        Self { act, gone: Arc::default() }
    }
}

impl<F: FnMut(&Arc<Socket>, Message<'_>) -> Result<(), CloseReason> + Send> Incoming for Does<F> {
    fn message(&mut self, socket: &Arc<Socket>, message: Message<'_>) -> Result<(), CloseReason> {
        (self.act)(socket, message)
    }

    fn gone(&mut self, _: &Arc<Socket>) {
        self.gone.fetch_add(1, Ordering::Relaxed);
    }
}

/// Sends every text back.
pub(crate) fn echo() -> impl Incoming {
    Does::with(|socket, message| {
        socket.send(frame::text(message.payload));
        Ok(())
    })
}

/// What a peer heard.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    Text(String),
    Binary(usize),
    Ping,
    Pong(String),
    Close(Option<u16>, String),
    /// FIN.
    End,
    /// RST.
    Reset,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// The client's side of a connection.
pub(crate) struct Peer {
    stream: Box<dyn Stream>,
    decoder: Decoder,
    bytes: Vec<u8>,
}

impl Peer {
    pub(crate) fn over(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Self {
        Self { stream: Box::new(stream), decoder: Decoder::client(Limits { message: 1 << 30 }), bytes: Vec::new() }
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    pub(crate) async fn frame(&mut self, opcode: Opcode, payload: &[u8]) {
        self.write(&masked(opcode, payload)).await;
    }

    pub(crate) async fn say(&mut self, text: &str) {
        self.frame(Opcode::Text, text.as_bytes()).await;
    }

    /// Says something to a side that may have gone.
    pub(crate) async fn try_say(&mut self, text: &str) {
        // Whether it was heard is no matter here.
        let _ = self.stream.write_all(&masked(Opcode::Text, text.as_bytes())).await;
    }

    pub(crate) async fn close(&mut self, code: u16) {
        self.frame(Opcode::Close, &code.to_be_bytes()).await;
    }

    /// Reads one byte and keeps it for later: after it, something has been written.
    pub(crate) async fn await_a_byte(&mut self) {
        let byte = self.stream.read_u8().await.unwrap();
        self.bytes.push(byte);
    }

    pub(crate) async fn hear(&mut self) -> Heard {
        loop {
            let mut bytes = std::mem::take(&mut self.bytes);
            let mut input = Input::new(&mut bytes);
            let heard = self.decoder.next(&mut input).unwrap().map(|event| match event {
                Event::Fragment => unreachable!("no server here sends in fragments"),
                Event::Message(message) => match message.text() {
                    Some(text) => Heard::Text(text.into()),
                    None => Heard::Binary(message.payload.len()),
                },
                Event::Ping(_) => Heard::Ping,
                Event::Pong(payload) => Heard::Pong(String::from_utf8(payload.into()).unwrap()),
                Event::Close(close) => Heard::Close(close.code, close.reason.into()),
            });
            self.bytes = input.rest().to_vec();
            if let Some(heard) = heard {
                return heard;
            }
            let mut buffer = vec![0; 64 * 1024];
            match self.stream.read(&mut buffer).await {
                Ok(0) => return Heard::End,
                Ok(count) => self.bytes.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Heard::Reset,
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Hears that the socket was closed for `reason`.
    pub(crate) async fn hears_close(&mut self, reason: CloseReason) {
        assert_eq!(self.hear().await, Heard::Close(Some(reason.code()), reason.name().into()));
    }

    pub(crate) async fn hears(&mut self, text: &str) {
        assert_eq!(self.hear().await, Heard::Text(text.into()));
    }
}

/// A client's frame.
pub(crate) fn masked(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame::write(opcode, payload, Some([0x5a, 1, 2, 0xff]), &mut bytes);
    bytes
}
