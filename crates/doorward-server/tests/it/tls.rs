//! TLS on the public port: who comes to speak it, who does not, and what a socket over it is.

use std::{
    collections::BTreeMap, net::SocketAddr, os::unix::fs::PermissionsExt, path::Path, sync::Arc, time::Duration,
};

use doorward_auth::ports::Outcome;
use doorward_client::{Client, ConnectError, Issuers, Message, Options, Stream, TlsError};
use doorward_server::{
    Extensions, Node, Running, certificate,
    config::{self, Config, TlsFiles},
    edge::{self, Tls},
};
use doorward_types::{Secret, Timestamp};
use rcgen::{CertificateParams, KeyPair};
use rustls::{
    ClientConfig, HandshakeKind, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName},
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, duplex},
    net::{TcpListener, TcpStream},
    time::Instant,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::{
    peer::{Heard, Peer, head, until_closed},
    world::{CHAT, Carried, Carrier, World, both},
};

/// A certificate for `gate.example` and `localhost` and its key, in PEM, and who trusts it.
struct Issued {
    cert: String,
    key: String,
    der: CertificateDer<'static>,
}

impl Issued {
    fn anew() -> Self {
        let key = KeyPair::generate().unwrap();
        let cert = CertificateParams::new(vec!["gate.example".to_owned(), "localhost".to_owned()])
            .unwrap()
            .self_signed(&key)
            .unwrap();
        Self { cert: cert.pem(), key: key.serialize_pem(), der: cert.der().clone() }
    }

    fn server(&self) -> Arc<rustls::ServerConfig> {
        self.server_at(Timestamp::from_secs(1_795_312_386))
    }

    fn server_at(&self, now: Timestamp) -> Arc<rustls::ServerConfig> {
        let files = TlsFiles { cert_file: "cert.pem".into(), key_file: "key.pem".into() };
        let read = |path: &Path| {
            Ok(Secret::from_text(if path == files.cert_file { self.cert.clone() } else { self.key.clone() }))
        };
        certificate::server_config(&files, &read, now).unwrap()
    }

    /// For the project's own client.
    fn issuers(&self) -> Issuers {
        Issuers::from_pem(self.cert.as_bytes()).unwrap()
    }

    fn client(&self) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.der.clone()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots);
        let mut config = builder.with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Arc::new(config)
    }
}

/// A world whose door is behind TLS.
struct Behind {
    world: World,
    tls: Arc<Tls>,
    client: Arc<ClientConfig>,
    tcp: Option<SocketAddr>,
}

impl Behind {
    async fn of(carrier: Carrier, gates: &str) -> Self {
        // The listener of the world itself is left alone.
        let world = World::of(Carrier::Memory, gates).await;
        let issued = Issued::anew();
        let tls = Tls::new(issued.server());
        let tcp = match carrier {
            Carrier::Memory => None,
            Carrier::Tcp => {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let address = listener.local_addr().unwrap();
                let http = world.http.clone().over(Some(Arc::clone(&tls)));
                tokio::spawn(edge::serve(listener, Arc::clone(&world.door), http));
                Some(address)
            }
        };
        Self { world, tls, client: issued.client(), tcp }
    }

    /// A connection on which nothing was said yet, not even of TLS.
    async fn dial(&self) -> Carried {
        if let Some(address) = self.tcp {
            return Carried(Box::pin(TcpStream::connect(address).await.unwrap()));
        }
        let (near, far) = duplex(self.world.pipe);
        if let Ok(pass) = self.world.door.caps().enter() {
            let http = self.world.http.clone().over(Some(Arc::clone(&self.tls)));
            tokio::spawn(http.connection(far, self.world.from, pass, Arc::clone(&self.world.door)));
        }
        Carried(Box::pin(near))
    }

    async fn handshake(&self) -> TlsStream<Carried> {
        let name = ServerName::try_from("gate.example").unwrap();
        TlsConnector::from(Arc::clone(&self.client)).connect(name, self.dial().await).await.unwrap()
    }

    async fn knock(&self, path: &str, headers: &str) -> Peer {
        Peer::upgrade(Carried(Box::pin(self.handshake().await)), path, headers).await.unwrap()
    }
}

const ECHO: &str = r#"
    [[gate]]
    name = "echo"
    path = "/echo"
    backend = { echo = {} }
    open = true
"#;

both! {
    async fn a_ladder_is_climbed_and_messages_go_both_ways_over_tls(carrier: Carrier) {
        let behind = Behind::of(carrier, &format!("{CHAT}{ECHO}")).await;
        let mut peer = behind.knock("/chat", "Sec-WebSocket-Protocol: doorward.v1\r\n").await;
        peer.climbs(&behind.world.token("7", json!({ "rooms": ["1"] }))).await;
        peer.json(json!({ "action": "subscribe", "channel": "news", "id": 1 })).await;
        assert_eq!(peer.event().await["event"], "subscribed");
        let mut echo = behind.knock("/echo", "").await;
        let long = "x".repeat(60 * 1024);
        for text in ["short", &long] {
            echo.say(text).await;
            assert_eq!(echo.hear().await, Heard::Text(text.to_owned()));
        }
        behind.world.end("subject=member:7").await;
        assert_eq!(peer.closes().await, [4410]);
    }

    async fn the_end_of_a_socket_is_told_within_tls_too(carrier: Carrier) {
        let behind = Behind::of(carrier, CHAT).await;
        let mut stream = behind.handshake().await;
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"http/1.1".as_slice()));
        stream.write_all(head("/nowhere", "").as_bytes()).await.unwrap();
        // An end without a close_notify would be an error here: it could have been cut off by anybody.
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");

        let mut stream = behind.handshake().await;
        stream.write_all(head("/chat", "").as_bytes()).await.unwrap();
        let close = crate::peer::masked(doorward_wire::websocket::frame::Opcode::Close, &1000_u16.to_be_bytes());
        stream.write_all(&close).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        assert!(answer.ends_with(&[0x88, 2, 0x03, 0xe8]), "{answer:?}");
        behind.world.empties().await;
    }

    async fn one_who_speaks_without_tls_is_told_so_if_it_is_http_and_closed_if_it_is_not(carrier: Carrier) {
        let behind = Behind::of(carrier, CHAT).await;
        let mut stream = behind.dial().await;
        stream.write_all(head("/chat", &format!("X-Large: {}\r\n", "x".repeat(10_000))).as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let answer = String::from_utf8(until_closed(&mut stream).await).unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
        assert!(answer.ends_with("this port speaks TLS: connect by `wss://` or `https://`\n"), "{answer}");
        for bytes in [b"\x00\x01\x02".as_slice(), b"\x16\x03\x01\x00\x05hello", b"\x80\x2e\x01", b"get / HTTP/1.1\r\n\r\n"] {
            let mut stream = behind.dial().await;
            stream.write_all(bytes).await.unwrap();
            let answer = until_closed(&mut stream).await;
            assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
        }
        behind.world.empties().await;
        assert_eq!(behind.world.verdicts().await, [""; 0]);
    }

    async fn a_client_that_comes_again_resumes_its_session(carrier: Carrier) {
        let behind = Behind::of(carrier, CHAT).await;
        for kind in [HandshakeKind::Full, HandshakeKind::Resumed] {
            let mut stream = behind.handshake().await;
            stream.write_all(head("/nowhere", "").as_bytes()).await.unwrap();
            stream.read_to_end(&mut Vec::new()).await.unwrap();
            assert_eq!(stream.get_ref().1.handshake_kind(), Some(kind));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn c20_one_that_is_silent_before_in_or_after_the_tls_handshake_is_closed_at_the_header_timeout() {
    let behind = Behind::of(Carrier::Memory, CHAT).await;
    let began = Instant::now();
    let silent = behind.dial().await;
    let mut halfway = behind.dial().await;
    halfway.write_all(b"\x16\x03\x01").await.unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    // It came three seconds later: the time of its handshake is not given to it again for its head.
    let mut after = behind.handshake().await;
    after.write_all(b"GET /chat").await.unwrap();
    for mut stream in [silent, halfway] {
        until_closed(&mut stream).await;
    }
    assert_eq!(began.elapsed().as_secs(), 5);
    let _cut = after.read_to_end(&mut Vec::new()).await;
    assert_eq!(began.elapsed().as_secs(), 8);
    behind.world.empties().await;
}

#[tokio::test(start_paused = true)]
async fn c20_a_slow_tls_handshake_leaves_the_head_what_is_left_of_the_time() {
    let behind = Behind::of(Carrier::Memory, CHAT).await;
    let began = Instant::now();
    let raw = behind.dial().await;
    let name = ServerName::try_from("gate.example").unwrap();
    tokio::time::sleep(Duration::from_secs(4)).await;
    let mut stream = TlsConnector::from(Arc::clone(&behind.client)).connect(name, raw).await.unwrap();
    let _cut = stream.read_to_end(&mut Vec::new()).await;
    assert_eq!(began.elapsed().as_secs(), 5);
    behind.world.empties().await;
}

#[tokio::test(start_paused = true)]
async fn c100_connections_in_a_tls_handshake_are_counted_by_source_and_on_the_node() {
    let behind = Behind::of(Carrier::Memory, &format!("[limits]\nclimbing_per_source = 2\n{CHAT}")).await;
    let began = Instant::now();
    let _two = (behind.dial().await, behind.dial().await);
    let mut third = behind.dial().await;
    until_closed(&mut third).await;
    assert_eq!(began.elapsed(), Duration::ZERO, "dropped at the door");
    assert_eq!(behind.world.door.caps().counts().1, 2);
}

#[tokio::test]
async fn one_that_reads_nothing_is_cut_over_tls_as_it_is_without() {
    let behind =
        Behind::of(Carrier::Tcp, &format!("[limits]\nmessages_per_second = 1000000\nmessage_burst = 1000000\n{ECHO}"))
            .await;
    let mut deaf = behind.handshake().await;
    deaf.write_all(head("/echo", "").as_bytes()).await.unwrap();
    let mut head = [0; 12];
    deaf.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 101");
    let message = crate::peer::masked(doorward_wire::websocket::frame::Opcode::Binary, &[0; 60_000]);
    // Every message comes back and is not read, until the server has enough of it.
    while deaf.write_all(&message).await.is_ok() {}
    let error = tokio::time::timeout(Duration::from_secs(20), behind.world.door.caps().none_is_here()).await;
    assert!(error.is_ok(), "it still has its place");
}

/// A hub in which everybody may say everything, as fast as they can.
const LOUD: &str = r#"
    [limits]
    messages_per_second = 1000000
    message_burst = 1000000
    outbox_messages = 16
    [[gate]]
    name = "loud"
    path = "/loud"
    backend = { hub = {} }
    open = true
    [[gate.channel]]
    name = "all"
    subscribe = "any"
    publish = "any"
"#;

/// Two who are in, of whom one is subscribed to what the other says, and reads nothing from then on.
async fn loud_and_deaf(behind: &Behind) -> (Peer, Peer) {
    let (mut loud, mut deaf) = (behind.knock("/loud", "").await, behind.knock("/loud", "").await);
    for peer in [&mut loud, &mut deaf] {
        assert_eq!(peer.event().await["event"], "admitted");
    }
    deaf.json(json!({ "action": "subscribe", "channel": "all" })).await;
    assert_eq!(deaf.event().await["event"], "subscribed");
    (loud, deaf)
}

/// Publishes that many bytes again and again until one socket is left; how often.
async fn publishes_until_the_deaf_is_gone(behind: &Behind, loud: &mut Peer, bytes: usize) -> usize {
    let message = json!({ "action": "publish", "channel": "all", "message": "x".repeat(bytes), "id": 1 });
    for count in 0.. {
        if behind.world.door.sockets().len() == 1 {
            return count;
        }
        loud.json(message.clone()).await;
        assert_eq!(loud.event().await["event"], "published");
    }
    unreachable!("it counts for ever")
}

#[tokio::test]
async fn one_that_takes_not_even_its_close_is_reset_over_tls_and_what_it_left_is_thrown_away() {
    let behind = Behind::of(Carrier::Tcp, LOUD).await;
    let (mut loud, mut deaf) = loud_and_deaf(&behind).await;
    publishes_until_the_deaf_is_gone(&behind, &mut loud, 60_000).await;
    drop(loud);
    behind.world.empties().await;
    let error = deaf.stream.read_to_end(&mut Vec::new()).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "the kernel would have gone on sending");
}

#[tokio::test]
async fn a_connection_over_tls_is_told_to_the_upstream_as_one() {
    let (url, mut heads) = crate::upstream::foreign().await;
    let gate = format!(
        "[[gate]]\nname = \"app\"\npath = \"/app\"\nbackend = {{ upstream = {{ url = \"{url}\" }} }}\nladder = [{{ bearer = {{}} }}]\n"
    );
    let behind = Behind::of(Carrier::Tcp, &gate).await;
    let bearer = format!("Authorization: Bearer {}\r\n", behind.world.token("7", json!({})));
    let mut told = async |lies: &str| {
        let mut peer = behind.knock("/app", &format!("{bearer}{lies}")).await;
        peer.say("there and back").await;
        assert_eq!(peer.hear().await, Heard::Text("there and back".into()));
        let head = heads.recv().await.unwrap();
        head["x-forwarded-proto"].to_str().unwrap().to_owned()
    };
    assert_eq!(told("").await, "https");
    assert_eq!(told("X-Forwarded-Proto: http\r\n").await, "https", "the word of a stranger");
}

#[tokio::test(start_paused = true)]
async fn a_proof_that_is_shown_as_it_is_is_taken_over_tls_and_not_without() {
    let gate = "[[gate]]\nname = \"keys\"\npath = \"/keys\"\nbackend = { hub = {} }\nladder = [{ app_key = { plain = true } }]\n";
    let mut behind = Behind::of(Carrier::Memory, gate).await;
    behind.world.from = ([192, 0, 2, 7], 4711).into();
    let key = json!({ "action": "auth", "kind": "app_key", "key": format!("dwk_{}", "A".repeat(43)) });
    let peers = [
        behind.knock("/keys", "").await,
        behind.knock("/keys", "Via: 1.1 somebody\r\n").await,
        behind.world.peer("/keys").await,
    ];
    for mut peer in peers {
        peer.event().await;
        peer.json(key.clone()).await;
        assert_eq!(peer.closes().await, [4401]);
    }
    behind.world.empties().await;
    let rows = behind.world.rows().await;
    let details: Vec<_> = rows
        .iter()
        .map(|row| match &row.outcome {
            Outcome::Refused { detail, .. } => detail.contains("a line that others can read"),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(details, [false, true, true], "through a proxy that nobody knows, others may read it: {rows:?}");
}

/// A node with its certificate in files, which can be written anew.
struct Renewing {
    folder: tempfile::TempDir,
    running: Running,
}

impl Renewing {
    const CONFIG: &str = r#"
        [server]
        listen = "127.0.0.1:0"
        tls = { cert_file = "cert.pem", key_file = "key.pem" }
        [internal]
        listen = "127.0.0.1:0"
        [store]
        url = "memory:"
    "#;

    async fn with(issued: &Issued) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &issued.cert, &issued.key);
        let node = Node::open(Self::config(folder.path(), ECHO), folder.path(), Extensions::default()).await.unwrap();
        let running = node.listen().await.unwrap();
        Self { folder, running }
    }

    fn config(folder: &Path, gates: &str) -> Config {
        let text = format!("{}{gates}", Self::CONFIG);
        let read = config::secret_reader(folder);
        config::load(&text, "test.toml", &BTreeMap::new(), &[], &read).unwrap().config
    }

    /// Takes what is in the files now, with these gates.
    fn reload(&self, config: &Config) -> Result<(), String> {
        self.running.reload(config).map(drop).map_err(|error| error.to_string())
    }

    async fn peer(&self, trusting: &Issued) -> Result<Peer, std::io::Error> {
        let stream = TcpStream::connect(self.running.public()).await?;
        let name = ServerName::try_from("gate.example").unwrap();
        let stream = TlsConnector::from(trusting.client()).connect(name, stream).await?;
        Ok(Peer::upgrade(Carried(Box::pin(stream)), "/echo", "").await.unwrap())
    }
}

fn write(folder: &Path, cert: &str, key: &str) {
    std::fs::write(folder.join("cert.pem"), cert).unwrap();
    std::fs::write(folder.join("key.pem"), key).unwrap();
    std::fs::set_permissions(folder.join("key.pem"), std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[tokio::test]
async fn c65_a_renewed_certificate_is_shown_to_who_comes_after_a_reload_and_who_is_in_stays() {
    let (first, second) = (Issued::anew(), Issued::anew());
    let node = Renewing::with(&first).await;
    let mut before = node.peer(&first).await.unwrap();
    let config = Renewing::config(node.folder.path(), ECHO);
    write(node.folder.path(), &second.cert, &second.key);
    assert!(node.peer(&first).await.is_ok(), "nothing is read before the reload");
    node.reload(&config).unwrap();
    let mut after = node.peer(&second).await.unwrap();
    assert!(node.peer(&first).await.is_err());
    for peer in [&mut before, &mut after] {
        peer.say("still here").await;
        assert_eq!(peer.hear().await, Heard::Text("still here".into()));
    }
}

#[tokio::test]
async fn c65_a_certificate_that_cannot_be_served_changes_nothing_not_even_a_gate() {
    let (first, second) = (Issued::anew(), Issued::anew());
    let node = Renewing::with(&first).await;
    let other = Renewing::config(node.folder.path(), &ECHO.replace("/echo", "/elsewhere"));
    // Between the one file and the other of a renewal.
    write(node.folder.path(), &second.cert, &first.key);
    let error = node.reload(&other).unwrap_err();
    assert!(
        error.contains("`[server] tls`: key_file `key.pem`: it is not the key of the certificate in `cert.pem`"),
        "{error}"
    );
    assert!(node.peer(&first).await.is_ok(), "the gate is where it was, and the certificate what it was");
    write(node.folder.path(), &second.cert, &second.key);
    node.reload(&other).unwrap();
    let name = ServerName::try_from("gate.example").unwrap();
    let stream = TcpStream::connect(node.running.public()).await.unwrap();
    let stream = TlsConnector::from(second.client()).connect(name, stream).await.unwrap();
    assert!(Peer::upgrade(Carried(Box::pin(stream)), "/elsewhere", "").await.is_ok());
}

#[tokio::test]
async fn a_node_whose_certificate_is_gone_does_not_start() {
    let issued = Issued::anew();
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &issued.cert, &issued.key);
    let config = Renewing::config(folder.path(), ECHO);
    std::fs::remove_file(folder.path().join("cert.pem")).unwrap();
    let node = Node::open(config, folder.path(), Extensions::default()).await.unwrap();
    let error = node.listen().await.err().unwrap().to_string();
    assert_eq!(error, "`[server] tls`: cert_file `cert.pem`: there is no such file");
}

/// Opens the gate `echo` with the project's own client.
async fn opens(scheme: &str, at: String, trusting: &Issued) -> Result<Client<Stream>, ConnectError> {
    let options = Options { issuers: Some(trusting.issuers()), ..Options::default() };
    Client::connect(&format!("{scheme}://{at}/echo"), options).await
}

#[tokio::test]
async fn the_client_speaks_wss_and_says_what_is_wrong_with_a_certificate() {
    let (issued, stranger) = (Issued::anew(), Issued::anew());
    let node = Renewing::with(&issued).await;
    let port = node.running.public().port();
    let mut client = opens("wss", format!("localhost:{port}"), &issued).await.unwrap();
    client.send("over TLS").await.unwrap();
    assert_eq!(client.next_message().await.unwrap(), Some(Message::Text("over TLS".into())));
    client.close().await.unwrap();

    let tls = |result: Result<Client<Stream>, ConnectError>| match result.err() {
        Some(ConnectError::Tls { error, authority }) => {
            assert!(authority.ends_with(&format!(":{port}")));
            error
        }
        other => panic!("{other:?}"),
    };
    let unknown = tls(opens("wss", format!("localhost:{port}"), &stranger).await);
    assert!(matches!(unknown, TlsError::UnknownIssuer) && !unknown.to_string().contains("--cacert"), "{unknown}");
    let misnamed = tls(opens("wss", format!("127.0.0.1:{port}"), &issued).await).to_string();
    assert!(misnamed.starts_with("its certificate is not for `127.0.0.1` but for "), "{misnamed}");
    assert!(misnamed.contains("gate.example"), "{misnamed}");
    match opens("ws", format!("localhost:{port}"), &issued).await.err() {
        Some(ConnectError::Refused { status: 400, body, .. }) => assert!(body.contains("speaks TLS"), "{body}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_client_says_that_a_certificate_has_expired_and_that_a_server_speaks_no_tls() {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    (params.not_before, params.not_after) = (rcgen::date_time_ymd(2020, 1, 1), rcgen::date_time_ymd(2021, 1, 1));
    let cert = params.self_signed(&key).unwrap();
    let issued = Issued { cert: cert.pem(), key: key.serialize_pem(), der: cert.der().clone() };
    let world = World::of(Carrier::Memory, ECHO).await;
    let expired = Tls::new(issued.server_at(Timestamp::from_secs(1_600_000_000)));
    for (tls, said) in [(Some(expired), "has expired"), (None, "speaks no TLS; `ws://` is without")] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(edge::serve(listener, Arc::clone(&world.door), world.http.clone().over(tls)));
        let error = opens("wss", format!("localhost:{port}"), &issued).await.err().unwrap().to_string();
        assert!(error.contains(said), "{error}");
    }
}
