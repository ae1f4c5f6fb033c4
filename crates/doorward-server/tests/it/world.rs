//! A door of one's own, made from a configuration: its ports lie open to the test, and it is reached over a pipe in memory, where
//! time can be moved, or over TCP, where it cannot.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use doorward_auth::{
    account::{Hashing, KeyEncryptionKey, Work},
    layers::{SiteTools, handshake::ticket::NewTicket},
    memory::{ManualClock, MemoryAppKeys, MemoryCarts, MemorySite, MemoryTickets, MemoryUsedTokens},
    ports::{Audit, AuditRecord, Outcome, Ports, Rng, SitePorts, Ticket, TicketBinding, Tickets},
};
use doorward_backends::upstream::{Signer, SigningKey};
use doorward_client::{Address, Client, ConnectError, Options};
use doorward_server::{
    ByLogin, Door, Extensions, KeyRings, Metrics, Parts, Reloaded, Witness,
    config::{self, Config},
    control::Request,
    edge::{self, Caps, CapsLimits, HeadLimits, Http, Proxies},
    gates::{Gates, Tools},
};
use doorward_session::{Follower, Following, Sockets, TokioTime};
use doorward_testkit::{FullDisk, Publisher, SeededRng, Switched, tokens::TestKey};
use doorward_types::{CookieNames, GateName, OwnerId, Rest, Subject, Timestamp};
use serde_json::{Value, json};
use tokio::{
    io::duplex,
    net::{TcpListener, TcpStream},
};

pub(crate) use crate::carrier::{Carried, Carrier, both};
use crate::peer::{Peer, Refused};

/// The secret of the issuer `site`: what is in it appears in no log and no row.
pub(crate) const SECRET: &str = "5ecre7-of-the-site-5ecre7-of-the-site-5ecre7";

/// Owner, issuer and the beginning of a configuration; gates come after it.
pub(crate) const SITE: &str = r#"
    [store]
    url = "memory:"
    [[owner]]
    name = "acme"
    [[issuer]]
    name = "site"
    issuer = "https://site.example"
    audience = "doorward"
    algorithms = ["HS256"]
    secret = "5ecre7-of-the-site-5ecre7-of-the-site-5ecre7"
"#;

/// A gate that lets in whoever has a token, to channels.
pub(crate) const CHAT: &str = r#"
    [[gate]]
    name = "chat"
    path = "/chat"
    backend = { hub = {} }
    ladder = [{ jwt = {} }]
    [[gate.channel]]
    name = "room"
    subscribe = { claim = "rooms" }
    publish = { claim = "rooms" }
    [[gate.channel]]
    name = "news"
    subscribe = "any"
"#;

/// Random numbers of the layers: those that a transcript pins, and from a seed when there are none.
pub(crate) struct Drawn {
    pinned: Mutex<Vec<u8>>,
    seeded: SeededRng,
}

impl Drawn {
    pub(crate) fn pin(&self, bytes: &[u8]) {
        *self.pinned.lock().unwrap() = bytes.to_vec();
    }
}

impl Rng for Drawn {
    fn fill(&self, bytes: &mut [u8]) {
        let mut pinned = self.pinned.lock().unwrap();
        if pinned.len() < bytes.len() {
            return self.seeded.fill(bytes);
        }
        let rest = pinned.split_off(bytes.len());
        bytes.copy_from_slice(&pinned);
        *pinned = rest;
    }
}

/// A door and what is behind it.
pub(crate) struct World {
    pub(crate) door: Arc<Door>,
    pub(crate) clock: Arc<ManualClock>,
    /// What issuers publish.
    pub(crate) publisher: Arc<Publisher>,
    pub(crate) drawn: Arc<Drawn>,
    pub(crate) log: Arc<FullDisk>,
    pub(crate) tickets: Arc<dyn Tickets>,
    pub(crate) app_keys: Arc<MemoryAppKeys>,
    /// What the built-in site keeps.
    pub(crate) site: Arc<MemorySite>,
    /// The way to it, which can be cut.
    pub(crate) switched: Arc<Switched>,
    pub(crate) tools: Tools,
    pub(crate) http: Http,
    tcp: Option<SocketAddr>,
    /// Where peers come from over a pipe.
    pub(crate) from: SocketAddr,
    /// How many bytes a pipe holds.
    pub(crate) pipe: usize,
    drawn_here: AtomicU64,
}

/// Reads a configuration of which nothing may be wrong.
pub(crate) fn read(text: &str, extensions: &Extensions) -> Config {
    let no_files = |_: &Path| Err("a test needs no files".to_owned());
    let loaded = config::load_for(&extensions.authenticators, text, "test.toml", &BTreeMap::new(), &[], &no_files);
    match loaded {
        Ok(loaded) => loaded.config,
        Err(mistakes) => panic!("{}", mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")),
    }
}

impl World {
    /// When worlds begin.
    pub(crate) const NOW: Timestamp = doorward_testkit::World::NOW;

    /// The site's gates as they stand in `gates`, over `carrier`.
    pub(crate) async fn of(carrier: Carrier, gates: &str) -> Self {
        Self::with(carrier, &format!("{SITE}{gates}"), Extensions::default()).await
    }

    /// A whole configuration, and what an application brings along.
    pub(crate) async fn with(carrier: Carrier, text: &str, extensions: Extensions) -> Self {
        let tickets = Arc::new(MemoryTickets::new());
        Self::made(carrier, text, extensions, Arc::clone(&tickets) as _, Some(tickets), None).await
    }

    /// A whole configuration of an owner who has the built-in site.
    pub(crate) async fn with_site(carrier: Carrier, text: &str, site: Option<SiteTools>) -> Self {
        Self::made(carrier, text, Extensions::default(), Arc::new(MemoryTickets::new()), None, site).await
    }

    /// The same with tickets of one's own.
    pub(crate) async fn keeping(
        carrier: Carrier,
        text: &str,
        extensions: Extensions,
        tickets: Arc<dyn Tickets>,
    ) -> Self {
        Self::made(carrier, text, extensions, tickets, None, None).await
    }

    /// An ending voids `voided`; the site hashes and seals by tools of its own where it brings none.
    async fn made(
        carrier: Carrier,
        text: &str,
        extensions: Extensions,
        tickets: Arc<dyn Tickets>,
        voided: Option<Arc<MemoryTickets>>,
        site_tools: Option<SiteTools>,
    ) -> Self {
        let config = read(text, &extensions);
        let clock = Arc::new(ManualClock::at(Self::NOW));
        let drawn = Arc::new(Drawn { pinned: Mutex::default(), seeded: SeededRng::new(1) });
        let own: Arc<dyn Rng> = Arc::new(SeededRng::new(2));
        let log = Arc::new(FullDisk::default());
        let app_keys = Arc::new(MemoryAppKeys::new());
        let key = Arc::new(SigningKey::draw(own.as_ref()).unwrap());
        let site = Arc::new(MemorySite::new(voided, Some(app_keys.clone())));
        let switched = Arc::new(Switched::of(Arc::clone(&site)));
        let site_tools = site_tools.unwrap_or_else(|| SiteTools {
            hashing: Arc::new(Hashing::new(Work::dangerously_cheap_for_tests(), 2).unwrap()),
            sealing: KeyEncryptionKey::draw(own.as_ref()),
        });
        let metrics = Metrics::new();
        let publisher = Arc::new(Publisher::default());
        let keys = KeyRings::new(publisher.clone(), clock.clone(), metrics.clone());
        let tools = Tools {
            carts: Arc::new(MemoryCarts::new()),
            keys,
            ports: Ports {
                clock: clock.clone(),
                rng: drawn.clone(),
                tickets: tickets.clone(),
                app_keys: app_keys.clone(),
                used_tokens: Arc::new(MemoryUsedTokens::new(clock.clone())),
                site: SitePorts {
                    sessions: switched.clone(),
                    revocations: switched.clone(),
                    throttle: switched.clone(),
                    key_entries: switched.clone(),
                    ..SitePorts::of(&site)
                },
                answer_within: config.limits.dependency_timeout.duration(),
            },
            signer: Signer { key: key.clone(), issuer: "doorward".into() },
            site: Some(site_tools),
            extensions,
            base: "".into(),
        };
        let witness = Arc::new(Witness { metrics: metrics.clone(), audit: log.clone() });
        let sockets = Sockets::observed(clock.clone(), Arc::new(TokioTime::from_now()), own.clone(), witness);
        tokio::spawn(sockets.run());
        let revocations = Arc::clone(&tools.ports.site.revocations);
        let follower = Follower::new(Arc::clone(&sockets), revocations, Following::of_node("here"));
        let follower = Arc::new(follower.with_comeback(Arc::new(ByLogin::new(tools.ports.clone()))));
        follower.begin().await.unwrap();
        tokio::spawn(follower.run());
        let count = |number: u32| number as usize;
        let limits = &config.limits;
        let caps = CapsLimits {
            climbing_per_source: count(limits.climbing_per_source),
            climbing_per_node: count(limits.climbing_per_node),
            climbing_early_drop: count(limits.climbing_early_drop),
            sockets_per_source: count(limits.sockets_per_source),
            sockets_per_node: if limits.sockets_per_node == 0 { 10_000 } else { count(limits.sockets_per_node) },
        };
        let http = Http::new(HeadLimits {
            within: limits.header_timeout.duration(),
            bytes: limits.header_bytes.len(),
            headers: count(limits.headers),
        });
        let door = Door::new(Parts {
            store: None,
            carts: Arc::clone(&tools.carts),
            gates: Arc::new(ArcSwap::from_pointee(Gates::assemble(&config, &tools).unwrap())),
            sockets,
            caps: Caps::new(caps, own.clone()),
            proxies: Proxies::new(config.server.trusted_proxies.clone()),
            clock: clock.clone(),
            rng: own,
            audit: log.clone(),
            metrics,
            key,
            follower,
            cookies: CookieNames::default(),
            site: None,
            api: None,
        });
        let tcp = match carrier {
            Carrier::Memory => None,
            Carrier::Tcp => {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let address = listener.local_addr().unwrap();
                tokio::spawn(edge::serve(listener, Arc::clone(&door), http.clone()));
                Some(address)
            }
        };
        let from = ([127, 0, 0, 1], 4711).into();
        Self {
            door,
            clock,
            publisher,
            drawn,
            log,
            tickets,
            app_keys,
            site,
            switched,
            tools,
            http,
            tcp,
            from,
            pipe: 64 * 1024,
            drawn_here: 0.into(),
        }
    }

    /// Gives the door other gates of the site; whose backend changes has that long to leave.
    pub(crate) fn reload(&self, gates: &str, over: Duration) -> Reloaded {
        let config = read(&format!("{SITE}{gates}"), &self.tools.extensions);
        self.door.reload(&config, &self.tools, over).unwrap()
    }

    /// A connection on which nothing was said yet. Over a pipe the door's caps may leave no room: then it is closed at once.
    pub(crate) async fn dial(&self) -> Carried {
        self.dial_from(self.from).await
    }

    /// A connection from that address, where the carrier is a pipe.
    pub(crate) async fn dial_from(&self, from: SocketAddr) -> Carried {
        match self.tcp {
            Some(address) => Carried(Box::pin(TcpStream::connect(address).await.unwrap())),
            None => self.pipe(self.pipe, from),
        }
    }

    /// A connection that holds so many bytes of what is not read, where the carrier is a pipe.
    pub(crate) async fn dial_narrow(&self, holds: usize) -> Carried {
        match self.tcp {
            Some(_) => self.dial().await,
            None => self.pipe(holds, self.from),
        }
    }

    fn pipe(&self, holds: usize, from: SocketAddr) -> Carried {
        let (near, far) = duplex(holds);
        if let Ok(pass) = self.door.caps().enter() {
            tokio::spawn(self.http.clone().connection(far, from, pass, Arc::clone(&self.door)));
        }
        Carried(Box::pin(near))
    }

    /// A peer of raw bytes before the gate at `path`, or what was answered instead of a 101.
    pub(crate) async fn knock(&self, path: &str, headers: &str) -> Result<Peer, Refused> {
        Peer::upgrade(self.dial().await, path, headers).await
    }

    /// A peer that the gate at `path` speaks to.
    pub(crate) async fn peer(&self, path: &str) -> Peer {
        self.knock(path, "Sec-WebSocket-Protocol: doorward.v1\r\n").await.unwrap()
    }

    /// The project's own client before the gate at `path`.
    pub(crate) async fn client(&self, path: &str, options: Options) -> Result<Client<Carried>, ConnectError> {
        let address: Address = format!("ws://gate.example{path}").parse().unwrap();
        Client::over(self.dial().await, &address, options).await
    }

    /// A peer that was let in at `path` with a token.
    pub(crate) async fn admitted(&self, path: &str, token: &str) -> Peer {
        let mut peer = self.peer(path).await;
        peer.climbs(token).await;
        peer
    }

    /// A token of that member for ten minutes.
    pub(crate) fn token(&self, subject: &str, more: Value) -> String {
        let jti = format!("jti-{}", self.drawn_here.fetch_add(1, Ordering::SeqCst));
        token(subject, &jti, more)
    }

    /// Mints a ticket for `gate` that holds for 30 seconds, and gives its text.
    pub(crate) async fn ticket(&self, gate: &str, origin: Option<&str>) -> String {
        self.ticket_on(gate, origin, vec![]).await
    }

    /// The same for one that rests on that.
    pub(crate) async fn ticket_on(&self, gate: &str, origin: Option<&str>, rests_on: Vec<Rest>) -> String {
        let seed = 1000 + self.drawn_here.fetch_add(1, Ordering::SeqCst);
        let NewTicket { text, hash } = NewTicket::draw(&SeededRng::new(seed), origin);
        let ticket = Ticket {
            owner: OwnerId::new("acme"),
            binding: TicketBinding::Gate(GateName::new(gate)),
            origin: origin.map(str::to_owned),
            subject: Subject { kind: "member".into(), pk: "7".into(), uuid: "bob".into() },
            rests_on,
            issued_at: Self::NOW,
            expires_at: Self::NOW.plus(Duration::from_secs(30)),
        };
        self.tickets.mint(hash, ticket).await.unwrap();
        text.reveal_text("a test").unwrap().to_owned()
    }

    /// The rows of the audit log, oldest first.
    pub(crate) async fn rows(&self) -> Vec<AuditRecord> {
        let mut rows = self.log.newest(None, usize::MAX).await.unwrap();
        rows.reverse();
        rows
    }

    /// How the decisions came out: `admitted`, `4401 jwt: user sends token`, `hung up`.
    pub(crate) async fn verdicts(&self) -> Vec<String> {
        let of = |row: &AuditRecord| match &row.outcome {
            Outcome::Admitted(_) => "admitted".to_owned(),
            Outcome::Refused { reason, layer, step, .. } => format!("{} {layer}: {step}", reason.code()),
            Outcome::HungUp => "hung up".to_owned(),
            Outcome::Readmitted(_) => "readmitted".to_owned(),
            Outcome::Happened { event, .. } => event.clone(),
        };
        self.rows().await.iter().map(of).collect()
    }

    /// What the operator is told.
    pub(crate) async fn operate(&self, request: Request) -> Value {
        self.door.operate(request).await.unwrap().whole()
    }

    /// Ends what rests on that.
    pub(crate) async fn end(&self, what: &str) -> Value {
        self.operate(Request::EndSockets { owner: None, what: what.into() }).await
    }

    /// Waits until nobody is connected any more: every place has been given back.
    pub(crate) async fn empties(&self) {
        let all_left = self.door.caps().none_is_here();
        let in_time = tokio::time::timeout(Duration::from_secs(60), all_left).await;
        assert!(in_time.is_ok(), "{:?}", self.door.caps().counts());
        assert!(self.door.sockets().is_empty(), "a socket goes before its place does");
    }
}

/// A token with those claims on top of good ones.
pub(crate) fn token(subject: &str, jti: &str, more: Value) -> String {
    let now = World::NOW.as_secs();
    let mut claims = json!({
        "iss": "https://site.example", "aud": "doorward", "sub": subject, "jti": jti, "iat": now, "exp": now + 600,
    });
    for (name, value) in more.as_object().unwrap() {
        claims[name] = value.clone();
    }
    TestKey::secret(SECRET.as_bytes()).sign(&json!({ "alg": "HS256", "typ": "at+jwt" }), &claims)
}
