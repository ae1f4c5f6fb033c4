//! A site in memory, and browsers and programs that visit it.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use doorward_auth::{
    account::{Hashing, KeyEncryptionKey, PasswordRules, Work},
    layers::SiteTools,
    memory::{ManualClock, MemoryAppKeys, MemorySite, MemoryTickets, MemoryUsedTokens},
    ports::{ANSWER_WITHIN, Account, Clock, Ports, Rng, Session, SitePorts, Tickets},
};
use doorward_testkit::{FullDisk, SeededRng};
use doorward_types::{Cursor, GateName, OwnerId, Secret, Timestamp};
use doorward_web::{AccessClaims, GateInfo, Gates, Journal, PeerInfo, Site, SiteConfig, SiteParts, TokenSigner};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};

use crate::sockets::Sockets;

/// When worlds begin.
pub(crate) const NOW: Timestamp = doorward_testkit::World::NOW;
/// A password that keeps the rules.
pub(crate) const PASSWORD: &str = "four words, none related";

/// Two owners, `acme` at `shop.example` and `umbrella` at `other.example`, each with a gate `/chat`.
pub(crate) struct World {
    pub(crate) site: Arc<Site>,
    pub(crate) ports: SitePorts,
    pub(crate) tickets: Arc<MemoryTickets>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) rng: Arc<dyn Rng>,
    pub(crate) sockets: Arc<Sockets>,
    pub(crate) audit: Arc<FullDisk>,
    pub(crate) sealing: KeyEncryptionKey,
    pub(crate) hashing: Arc<Hashing>,
}

/// What a world is made with, where it is not as usual.
pub(crate) struct With {
    pub(crate) config: SiteConfig,
    pub(crate) ports: Option<SitePorts>,
    pub(crate) work: Work,
    /// What stands before the world's tickets.
    pub(crate) tickets: fn(&Arc<MemoryTickets>, &SitePorts) -> Arc<dyn Tickets>,
}

impl Default for With {
    fn default() -> Self {
        let config = SiteConfig { name: "Acme Shop".into(), register: true, ..SiteConfig::default() };
        Self { config, ports: None, work: Work::dangerously_cheap_for_tests(), tickets: |tickets, _| tickets.clone() }
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(With::default())
    }

    /// One whose site only takes who is invited.
    pub(crate) fn by_invitation() -> Self {
        let config = SiteConfig { register: false, ..With::default().config };
        Self::with(With { config, ..With::default() })
    }

    pub(crate) fn with(with: With) -> Self {
        let clock = Arc::new(ManualClock::at(NOW));
        Self::at(with, clock.clone(), clock, Arc::new(SeededRng::new(1)))
    }

    /// One with another clock than the manual one, which then stands still.
    pub(crate) fn at(with: With, time: Arc<dyn Clock>, clock: Arc<ManualClock>, rng: Arc<dyn Rng>) -> Self {
        let tickets = Arc::new(MemoryTickets::new());
        let ports =
            with.ports.unwrap_or_else(|| SitePorts::of(&Arc::new(MemorySite::new(Some(tickets.clone()), None))));
        let sockets = Arc::new(Sockets::over(ports.revocations.clone()));
        let audit = Arc::new(FullDisk::default());
        let sealing = KeyEncryptionKey::draw(&*rng);
        let hashing = Arc::new(Hashing::new(with.work, 1).unwrap());
        let site = Site::new(SiteParts {
            config: with.config,
            ports: Ports {
                used_tokens: Arc::new(MemoryUsedTokens::new(time.clone())),
                clock: time,
                rng: rng.clone(),
                tickets: (with.tickets)(&tickets, &ports),
                app_keys: Arc::new(MemoryAppKeys::new()),
                site: ports.clone(),
                answer_within: ANSWER_WITHIN.duration(),
            },
            journal: Journal::new(audit.clone(), clock.clone(), Arc::new(SeededRng::new(2))),
            tools: SiteTools { hashing: hashing.clone(), sealing: sealing.clone() },
            node: sockets.clone(),
            gates: Arc::new(ChatGates),
            signer: Arc::new(Issuer::default()),
        });
        Self { site: Arc::new(site), ports, tickets, clock, rng, sockets, audit, sealing, hashing }
    }

    pub(crate) fn owner() -> OwnerId {
        OwnerId::new("acme")
    }

    /// A browser that has never been here.
    pub(crate) fn browser(&self) -> Browser {
        Browser {
            site: Arc::clone(&self.site),
            jar: Mutex::default(),
            host: "shop.example".into(),
            source: IpAddr::from([192, 0, 2, 7]),
            secure: true,
            is_program: false,
        }
    }

    /// A program, which has no cookies and does not say what page a request comes from.
    pub(crate) fn program(&self) -> Browser {
        Browser { is_program: true, ..self.browser() }
    }

    /// A browser in which that account has just been made.
    pub(crate) async fn registered(&self, name: &str) -> Browser {
        let browser = self.browser();
        let page = browser.post("/register", &[("username", name), ("new_password", PASSWORD)]).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
        browser
    }

    /// A browser in which that account is logged in.
    pub(crate) async fn logged_in(&self, name: &str) -> Browser {
        let browser = self.browser();
        let page = browser.post("/login", &[("username", name), ("password", PASSWORD)]).await;
        assert_eq!(page.to(), "/account");
        browser
    }

    /// The account of that name.
    pub(crate) async fn account(&self, name: &str) -> Account {
        self.ports.accounts.find_by_name(&Self::owner(), name).await.unwrap().unwrap()
    }

    /// The logins of that account, newest first.
    pub(crate) async fn sessions(&self, name: &str) -> Vec<Session> {
        let account = self.account(name).await;
        self.ports.sessions.of_account(&account.owner, account.id, self.clock.now()).await.unwrap()
    }

    /// What the revocation log has, in words.
    pub(crate) async fn log(&self) -> Vec<String> {
        let page = self.ports.revocations.read_after(Cursor(0), 1000).await.unwrap();
        page.entries.iter().map(|entry| format!("{:?} {}", entry.what, entry.why.as_str())).collect()
    }
}

/// The gates of the world.
struct ChatGates;

impl ChatGates {
    fn gate(owner: &str, path: &str) -> GateInfo {
        GateInfo {
            owner: OwnerId::new(owner),
            name: GateName::new(path.trim_start_matches('/').replace('/', "-")),
            host: None,
            path: Some(path.to_owned()),
            ladder: vec!["session".into(), "totp or key_entry".into(), "ident".into()],
            backend: "hub".into(),
            is_socketio: false,
        }
    }
}

impl Gates for ChatGates {
    fn owner_of(&self, host: &str) -> OwnerId {
        OwnerId::new(if host == "other.example" { "umbrella" } else { "acme" })
    }

    fn rules_of(&self, owner: &OwnerId) -> PasswordRules {
        PasswordRules::of_site("Acme Shop", [owner.as_str()])
    }

    fn address_of(&self, _: &OwnerId) -> Option<String> {
        None
    }

    fn find(&self, host: &str, path: &str) -> Option<GateInfo> {
        let owner = self.owner_of(host);
        self.list(Some(&owner)).into_iter().find(|gate| gate.path.as_deref() == Some(path))
    }

    fn list(&self, owner: Option<&OwnerId>) -> Vec<GateInfo> {
        let gates = [
            Self::gate("acme", "/all/*"),
            Self::gate("acme", "/chat"),
            GateInfo { backend: "echo".into(), ..Self::gate("acme", "/aloud") },
            GateInfo { backend: "9p".into(), ..Self::gate("acme", "/files") },
            GateInfo { is_socketio: true, ..Self::gate("acme", "/socket.io/") },
            Self::gate("acme", "/room/{name}"),
            Self::gate("acme", "/till/7"),
            Self::gate("umbrella", "/chat"),
        ];
        gates.into_iter().filter(|gate| owner.is_none_or(|owner| *owner == gate.owner)).collect()
    }
}

/// An issuer that knows its tokens by heart.
#[derive(Default)]
struct Issuer(Mutex<HashMap<String, AccessClaims>>);

impl TokenSigner for Issuer {
    fn sign(&self, claims: &AccessClaims) -> Secret {
        let text = format!("access-{}", claims.id);
        self.0.lock().unwrap().insert(text.clone(), claims.clone());
        Secret::from_text(text)
    }

    fn verify(&self, token: &Secret, now: Timestamp) -> Option<AccessClaims> {
        let claims = self.0.lock().unwrap().get(token.reveal_text("test")?).cloned();
        claims.filter(|claims| now < claims.expires_at)
    }
}

/// Somebody who visits, with their cookies.
pub(crate) struct Browser {
    pub(crate) site: Arc<Site>,
    pub(crate) jar: Mutex<BTreeMap<String, String>>,
    pub(crate) host: String,
    pub(crate) source: IpAddr,
    pub(crate) secure: bool,
    pub(crate) is_program: bool,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Page {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The lines that set cookies.
    pub(crate) fn sets(&self) -> Vec<&str> {
        self.headers.get_all("set-cookie").iter().map(|line| line.to_str().unwrap()).collect()
    }

    /// Where it sends the browser.
    pub(crate) fn to(&self) -> &str {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.text);
        self.header("location")
    }

    pub(crate) fn says(&self, words: &str) -> bool {
        self.text.contains(words)
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    /// What stands between two texts, the first time.
    pub(crate) fn between(&self, before: &str, after: &str) -> &str {
        let (_, rest) = self.text.split_once(before).unwrap_or_else(|| panic!("no {before} in {}", self.text));
        rest.split_once(after).unwrap().0
    }
}

impl Browser {
    pub(crate) async fn get(&self, path: &str) -> Page {
        self.send(Method::GET, path, &[], "").await
    }

    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        self.post_with(path, fields, &[]).await
    }

    /// Sends a form with header lines of its own; one that is empty is left out.
    pub(crate) async fn post_with(&self, path: &str, fields: &[(&str, &str)], lines: &[(&str, &str)]) -> Page {
        let pairs: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let mut all = vec![("content-type", "application/x-www-form-urlencoded")];
        all.extend(lines);
        self.send(Method::POST, path, &all, pairs.join("&")).await
    }

    pub(crate) async fn post_json(&self, path: &str, document: &serde_json::Value, lines: &[(&str, &str)]) -> Page {
        let mut all = vec![("content-type", "application/json")];
        all.extend(lines);
        self.send(Method::POST, path, &all, document.to_string()).await
    }

    /// Sends a request as a browser does: with its cookies, and with where it comes from.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        lines: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Page {
        assert!(self.site.takes(&method, path.split('?').next().unwrap()), "{method} {path} is not for the site");
        let request = self.request(method, path, lines).map(|()| Full::new(body.into()));
        let response = self.site.answer(request, self.peer()).await;
        let (parts, body) = response.into_parts();
        let text = String::from_utf8_lossy(&body.collect().await.unwrap().to_bytes()).into_owned();
        let page = Page { status: parts.status, headers: parts.headers, text };
        for line in page.sets() {
            self.keep(line);
        }
        page
    }

    /// A request as it is sent, without its body.
    pub(crate) fn request(&self, method: Method, path: &str, lines: &[(&str, &str)]) -> Request<()> {
        let mut headers = if self.is_program { BTreeMap::new() } else { self.headers(&method) };
        headers.extend(lines.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
            request = request.header(name, value);
        }
        request.body(()).unwrap()
    }

    /// The way it comes.
    pub(crate) fn peer(&self) -> PeerInfo {
        PeerInfo { source: self.source, secure: self.secure, host: self.host.clone() }
    }

    fn headers(&self, method: &Method) -> BTreeMap<String, String> {
        let scheme = if self.secure { "https" } else { "http" };
        let mut lines = vec![
            ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0".to_owned()),
            ("sec-fetch-site", "same-origin".to_owned()),
        ];
        if method == Method::POST {
            lines.push(("origin", format!("{scheme}://{}", self.host)));
        }
        let jar = self.jar.lock().unwrap();
        let pairs: Vec<_> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        lines.push(("cookie", pairs.join("; ")));
        lines.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn keep(&self, line: &str) {
        let (name, rest) = line.split_once('=').unwrap();
        let value = rest.split(';').next().unwrap();
        let mut jar = self.jar.lock().unwrap();
        if rest.contains("Max-Age=0") {
            jar.remove(name)
        } else {
            jar.insert(name.into(), value.into())
        };
    }

    /// The value of a cookie.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        self.jar.lock().unwrap().get(name).cloned()
    }
}

fn encoded(value: &str) -> String {
    let written = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' => char::from(byte).to_string(),
        b' ' => "+".to_owned(),
        byte => format!("%{byte:02X}"),
    };
    value.bytes().map(written).collect()
}
