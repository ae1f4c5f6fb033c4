//! A gate in small, with a foreign client before it and a foreign server behind it.

mod broken;
mod carrying;
mod dialling;
mod ending;
mod keep_alive;
mod pair;
mod pipes;
mod relaying;
mod suspending;

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use doorward_auth::{
    Admission, BoxFuture, Claimant, Climb, ClimbEvent, Handshake, HandshakeLayer, Ladder, Level, Proof, Refusal, Rung,
    Start, Step,
    ports::{Clock, Rng},
};
use doorward_session::{LateStream, Line, Socket, SocketPolicy, Sockets, Transport};
use doorward_types::{CookieNames, Cursor, GateName, OwnerId, Rest, Subject, Timestamp, TraceId};
use doorward_wire::websocket::handshake::accept_key;
use http::{HeaderMap, HeaderName, HeaderValue, Request, header};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_websockets::{ClientBuilder, ServerBuilder, WebSocketStream};

use super::{DialError, Signer, SigningKey, Upstream, UpstreamConfig, Visitor};

/// The same byte for ever.
pub(super) struct Fixed(pub(super) u8);

impl Rng for Fixed {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0);
    }
}

/// Never the same bytes.
#[derive(Default)]
struct Counting(AtomicU64);

impl Rng for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        let number = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        bytes.iter_mut().zip(number.into_iter().cycle()).for_each(|(byte, random)| *byte = random);
    }
}

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(1_795_312_386)
    }
}

pub(super) fn signing_key() -> SigningKey {
    let folder = tempfile::tempdir().unwrap();
    let path: &Path = &folder.path().join("key.pem");
    SigningKey::load_or_make(path, &Fixed(7)).unwrap()
}

/// Proves that whoever comes is bob.
struct Bob;

impl HandshakeLayer for Bob {
    fn name(&self) -> &'static str {
        "bob"
    }

    fn step(&self) -> &'static str {
        "user is bob"
    }

    fn verify<'a>(
        &'a self,
        _handshake: &'a Handshake,
        claimant: &'a mut Claimant,
    ) -> BoxFuture<'a, Result<(), Refusal>> {
        let proof = Proof {
            subject: Some(Subject { kind: "member".into(), pk: "7".into(), uuid: "bob".into() }),
            amr: &["pop"],
            level: Level::Substantial,
            rests_on: vec![Rest::on("sid", "s1")],
            ..Proof::default()
        };
        Box::pin(async move { claimant.prove("bob", Noon.now(), proof) })
    }
}

async fn admission() -> Box<Admission> {
    let source = IpAddr::from([192, 0, 2, 7]);
    let variables = BTreeMap::from([("path.room".to_owned(), "5".to_owned())]);
    let ladder = Ladder::new(vec![Rung::One(Step::handshake(Bob))]).unwrap();
    let start = Start {
        trace: TraceId::from_bytes([0x90; 16]),
        handshake: Handshake {
            source,
            secure: true,
            host: "gate.example".into(),
            port: None,
            origin: None,
            variables: variables.clone(),
            bearer: None,
            ticket: None,
            session: None,
            browser: None,
        },
        claimant: Claimant::new(OwnerId::new("acme"), GateName::new("fancy"), source, true, variables),
        as_of: Cursor(0),
        choose_within: Duration::from_secs(60),
        clock: Arc::new(Noon),
    };
    let mut climb = Climb::begin(Arc::new(ladder), start).await.unwrap();
    match climb.next().await {
        ClimbEvent::Admitted(admission) => admission,
        other => panic!("not admitted: {other:?}"),
    }
}

/// Which of the two orders of calls a gate follows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layers {
    Handshake,
    Conversation,
}

struct Gate {
    listener: TcpListener,
    upstream: Arc<Upstream>,
    sockets: Arc<Sockets>,
    policy: SocketPolicy,
    layers: Layers,
}

/// Who comes through a gate: the socket, and the task that serves it.
struct Admitted {
    socket: Arc<Socket>,
    serving: JoinHandle<()>,
}

impl Gate {
    async fn before(config: UpstreamConfig) -> Self {
        let (clock, rng) = (Arc::new(Noon), Arc::new(Counting::default()));
        let signer = Signer { key: Arc::new(signing_key()), issuer: "https://gate.example".into() };
        let sockets = Sockets::new(clock.clone(), rng.clone());
        tokio::spawn(sockets.run());
        let mut policy = SocketPolicy { backend: super::NAME, ..SocketPolicy::default() };
        policy.limits.messages_per_second = 0;
        Self {
            listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
            upstream: Arc::new(Upstream::new(config, signer, clock, rng)),
            sockets,
            policy,
            layers: Layers::Handshake,
        }
    }

    fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    /// Lets the next one in, in the order of calls that a server follows.
    async fn admit(&self) -> Result<Admitted, DialError> {
        let (mut stream, _) = self.listener.accept().await.unwrap();
        let (headers, read_ahead) = read_request(&mut stream).await;
        let cookies = CookieNames::default();
        let (source, tail) = ([192, 0, 2, 7].into(), Some("room/5?a=1"));
        let visitor = Visitor { headers: &headers, source, tls: true, cookies: &cookies, tail };
        let visit = self.upstream.receive(&visitor).unwrap();
        let admission = admission().await;
        let register = |admission: Box<Admission>, stream: Arc<dyn Transport>| {
            self.sockets.register(admission, stream, self.policy.clone()).unwrap()
        };
        match self.layers {
            Layers::Handshake => {
                let late = Arc::new(LateStream::default());
                let socket = register(admission, Arc::clone(&late) as _);
                let dialled = self.upstream.dial(&socket, &visit).await?;
                answer(&mut stream, &headers, dialled.protocol()).await;
                let line = Line::new(Arc::new(stream), read_ahead, 4096);
                late.arrive(Arc::clone(line.transport()));
                let serving = tokio::spawn(dialled.relay(Arc::clone(&socket), line));
                Ok(Admitted { socket, serving })
            }
            Layers::Conversation => {
                answer(&mut stream, &headers, self.upstream.choose(&visit)).await;
                let line = Line::new(Arc::new(stream), read_ahead, 4096);
                let socket = register(admission, Arc::clone(line.transport()));
                let backend = self.upstream.visited(visit);
                let serving = tokio::spawn(backend.serve(Arc::clone(&socket), line));
                Ok(Admitted { socket, serving })
            }
        }
    }
}

async fn read_request(stream: &mut TcpStream) -> (HeaderMap, Vec<u8>) {
    let mut read = Vec::new();
    loop {
        assert_ne!(stream.read_buf(&mut read).await.unwrap(), 0, "the client hung up");
        let mut lines = [httparse::EMPTY_HEADER; 64];
        let mut request = httparse::Request::new(&mut lines);
        if let httparse::Status::Complete(head) = request.parse(&read).unwrap() {
            let mut headers = HeaderMap::new();
            for line in request.headers {
                headers.append(line.name.parse::<HeaderName>().unwrap(), HeaderValue::from_bytes(line.value).unwrap());
            }
            return (headers, read.split_off(head));
        }
    }
}

async fn answer(stream: &mut TcpStream, headers: &HeaderMap, protocol: Option<&str>) {
    let accept = accept_key(headers[header::SEC_WEBSOCKET_KEY].as_bytes()).unwrap();
    let accept = std::str::from_utf8(&accept).unwrap();
    let protocol = protocol.map(|protocol| format!("Sec-WebSocket-Protocol: {protocol}\r\n")).unwrap_or_default();
    let head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n{protocol}\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
}

/// A server of its own, that knows nothing of a gate.
struct Server(TcpListener);

impl Server {
    async fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    fn config(&self) -> UpstreamConfig {
        UpstreamConfig::at(format!("ws://{}/chat", self.0.local_addr().unwrap()).parse().unwrap())
    }

    async fn raw(&self) -> TcpStream {
        self.0.accept().await.unwrap().0
    }

    /// Takes the next one, choosing that subprotocol.
    async fn accept(&self, protocol: Option<&str>) -> (Request<()>, WebSocketStream<TcpStream>) {
        let mut builder = ServerBuilder::new();
        if let Some(protocol) = protocol {
            builder = builder.add_header(header::SEC_WEBSOCKET_PROTOCOL, protocol.parse().unwrap()).unwrap();
        }
        builder.accept(self.raw().await).await.unwrap()
    }
}

type WebSocket = WebSocketStream<TcpStream>;

async fn connect(gate: &Gate, headers: &[(HeaderName, &str)]) -> Result<WebSocket, tokio_websockets::Error> {
    let uri = format!("ws://{}/fancy", gate.address());
    let mut builder = ClientBuilder::new().uri(&uri).unwrap();
    for (name, value) in headers {
        builder = builder.add_header(name.clone(), value.parse().unwrap()).unwrap();
    }
    builder.connect_on(TcpStream::connect(gate.address()).await.unwrap()).await.map(|(client, _)| client)
}

/// A client and a server that have found each other through a gate.
async fn through(gate: &Gate, server: &Server) -> (WebSocket, WebSocket, Admitted) {
    let (client, (_, server), admitted) = tokio::join!(connect(gate, &[]), server.accept(None), gate.admit());
    (client.unwrap(), server, admitted.unwrap())
}

/// The same, as bytes: both are past their upgrades.
async fn through_raw(gate: &Gate, server: &Server) -> (TcpStream, TcpStream, Admitted) {
    let client = async {
        let mut client = TcpStream::connect(gate.address()).await.unwrap();
        let request = "GET /fancy HTTP/1.1\r\nHost: gate.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                       Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        client.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(client.read_u8().await.unwrap());
        }
        client
    };
    let server = async {
        let mut server = server.raw().await;
        let (headers, _) = read_request(&mut server).await;
        answer(&mut server, &headers, None).await;
        server
    };
    let (client, server, admitted) = tokio::join!(client, server, gate.admit());
    (client, server, admitted.unwrap())
}
