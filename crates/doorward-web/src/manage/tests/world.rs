use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use doorward_auth::{
    NewApiKey, Scope,
    account::{Hashing, PasswordRules, Work},
    memory::{ManualClock, MemoryAppKeys, MemoryAudit, MemorySite, MemoryTickets},
    ports::{Account, ApiKey, Created, NewAccount, Role, Session, SitePorts},
};
use doorward_testkit::{SeededRng, beginning, login_of};
use doorward_types::{OwnerId, Secret, SessionId, Timestamp};
use http::{HeaderMap, Method, Request, StatusCode, header::CONTENT_TYPE};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};

use super::super::{Api, ApiParts};
use crate::{AccessClaims, GateInfo, Gates, Journal, TokenSigner, manage::reply::DESCRIPTION, sockets::Sockets};

pub(super) const NOW: Timestamp = doorward_testkit::World::NOW;

/// The API of a node with two owners, `acme` and `globex`.
pub(super) struct World {
    pub(super) api: Api,
    pub(super) ports: SitePorts,
    pub(super) node: Arc<Sockets>,
    pub(super) audit: Arc<MemoryAudit>,
    pub(super) tickets: Arc<MemoryTickets>,
    pub(super) clock: Arc<ManualClock>,
    drawn: Mutex<u64>,
}

/// What was answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
    pub(super) json: Value,
}

impl World {
    pub(super) fn new() -> Self {
        let (tickets, app_keys) = (Arc::new(MemoryTickets::new()), Arc::new(MemoryAppKeys::new()));
        let ports = SitePorts::of(&Arc::new(MemorySite::new(Some(tickets.clone()), Some(app_keys.clone()))));
        let node = Arc::new(Sockets::over(ports.revocations.clone()));
        let audit = Arc::new(MemoryAudit::keeping(100));
        let clock = Arc::new(ManualClock::at(NOW));
        let api = Api::new(ApiParts {
            ports: ports.clone(),
            tickets: tickets.clone(),
            app_keys,
            audit: audit.clone(),
            journal: Journal::new(audit.clone(), clock.clone(), Arc::new(SeededRng::new(2))),
            clock: clock.clone(),
            rng: Arc::new(SeededRng::new(1)),
            node: node.clone(),
            gates: Arc::new(Sites),
            hashing: Arc::new(Hashing::new(Work::dangerously_cheap_for_tests(), 1).unwrap()),
            signer: Arc::new(Tokens),
        });
        Self { api, ports, node, audit, tickets, clock, drawn: Mutex::new(100) }
    }

    /// A key of that owner's (the operator's for `None`) with those scopes.
    pub(super) async fn key(&self, owner: Option<&str>, scopes: &[Scope]) -> String {
        let seed = {
            let mut drawn = self.drawn.lock().unwrap();
            *drawn += 1;
            *drawn
        };
        let NewApiKey { text, hash, id } = NewApiKey::draw(&SeededRng::new(seed));
        let scopes = scopes.iter().map(|scope| scope.as_str().to_owned()).collect();
        let owner = owner.map(OwnerId::new);
        let key =
            ApiKey { owner, id, name: "a test".into(), scopes, created_at: NOW, expires_at: None, revoked_at: None };
        self.ports.api_keys.add(hash, key).await.unwrap();
        text.reveal_text("a test").unwrap().to_owned()
    }

    /// A key that may do everything of an owner's, or everything.
    pub(super) async fn master(&self, owner: Option<&str>) -> String {
        self.key(owner, Scope::ALL).await
    }

    pub(super) async fn get(&self, key: &str, path: &str) -> Answer {
        self.ask(Method::GET, path, Some(key), None).await
    }

    pub(super) async fn delete(&self, key: &str, path: &str) -> Answer {
        self.ask(Method::DELETE, path, Some(key), None).await
    }

    pub(super) async fn post(&self, key: &str, path: &str, body: Value) -> Answer {
        self.ask(Method::POST, path, Some(key), Some(body.to_string())).await
    }

    pub(super) async fn ask(&self, method: Method, path: &str, key: Option<&str>, body: Option<String>) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("/api/v1{path}"));
        if let Some(key) = key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        self.send(request.body(Full::from(body.unwrap_or_default())).unwrap()).await
    }

    /// Sends a request, and holds the answer against the description.
    pub(super) async fn send(&self, request: Request<Full<bytes::Bytes>>) -> Answer {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let (head, body) = self.api.answer(request).await.into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        let json = serde_json::from_str(&text).unwrap_or_default();
        let answer = Answer { status: head.status, headers: head.headers, text, json };
        is_as_described(&method, &path, &answer);
        answer
    }

    pub(super) async fn account(&self, owner: &str, name: &str, role: Role) -> Account {
        let account = NewAccount {
            owner: OwnerId::new(owner),
            username: name.into(),
            unique: name.into(),
            role,
            password: Secret::from_text("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$aGFzaA"),
            invitation: None,
            at: NOW,
        };
        let Created::Account(account) = self.ports.accounts.create(account).await.unwrap() else { panic!("{name}") };
        account
    }

    /// An account as it is now.
    pub(super) async fn account_of(&self, account: &Account) -> Account {
        self.ports.accounts.find(&account.owner, account.id).await.unwrap().unwrap()
    }

    /// A login of that account, begun so many seconds after the beginning; its number makes the id.
    pub(super) async fn login(&self, account: &Account, number: u8) -> Session {
        let at = NOW.plus(Duration::from_millis(number.into()));
        let session = Session {
            agent: "a browser that is nobody's business".into(),
            expires_at: NOW.plus(Duration::from_hours(12)),
            ..login_of(account, SessionId::from_bytes([number; 16]), at)
        };
        let as_of = *self.ports.revocations.appended().borrow();
        self.ports.sessions.open(beginning(session.clone(), None, as_of)).await.unwrap().unwrap();
        session
    }
}

impl Answer {
    pub(super) fn ids(&self, name: &str) -> Vec<&str> {
        self.json["items"].as_array().unwrap().iter().map(|item| item[name].as_str().unwrap()).collect()
    }

    /// The name of the problem, and the fields that it is about.
    pub(super) fn problem(&self) -> (&str, Vec<&str>) {
        let kind = self.json["type"].as_str().and_then(|kind| kind.strip_prefix("/api/v1/problems#")).unwrap();
        let errors = self.json["errors"].as_array().into_iter().flatten();
        (kind, errors.map(|error| error["field"].as_str().unwrap()).collect())
    }
}

/// A path of the description, for the path of a request.
fn template<'d>(description: &'d Value, path: &str) -> Option<&'d String> {
    let fits = |template: &str| {
        let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
        template.len() == path.len() && template.iter().zip(&path).all(|(part, is)| part.starts_with('{') || part == is)
    };
    description["paths"].as_object().unwrap().keys().find(|template| fits(template))
}

fn is_as_described(method: &Method, path: &str, answer: &Answer) {
    let description: Value = serde_json::from_str(DESCRIPTION).unwrap();
    let pointer = |text: &str| text.replace('~', "~0").replace('/', "~1");
    let responses = template(&description, path).map(|template| {
        let operation = format!("/paths/{}/{}", pointer(template), method.as_str().to_ascii_lowercase());
        let responses = format!("{operation}/responses");
        let by_status = format!("{responses}/{}", answer.status.as_str());
        if description.pointer(&by_status).is_some() { by_status } else { format!("{responses}/default") }
    });
    // What is not described at all is answered with a problem.
    let found = responses.filter(|found| description.pointer(found).is_some());
    let described = found.unwrap_or_else(|| "/components/responses/Problem".into());
    let mut described = description.pointer(&described).unwrap();
    if let Some(other) = described["$ref"].as_str() {
        described = description.pointer(other.trim_start_matches('#')).unwrap();
    }
    let content_type = answer.headers.get(CONTENT_TYPE).map(|value| value.to_str().unwrap());
    let Some(content) = described["content"].as_object() else {
        assert!(answer.text.is_empty() && content_type.is_none(), "{method} {path}: {answer:?}");
        return;
    };
    let (media_type, content) = content.iter().next().unwrap();
    assert_eq!(content_type.unwrap().split(';').next(), Some(media_type.as_str()), "{method} {path}: {answer:?}");
    if media_type.ends_with("json") {
        fits(&content["schema"], &answer.json).unwrap_or_else(|why| panic!("{method} {path}: {why}\n{}", answer.text));
    }
}

/// Whether a document is what a schema of the description says.
pub(super) fn fits(schema: &Value, document: &Value) -> Result<(), String> {
    let description: Value = serde_json::from_str(DESCRIPTION).unwrap();
    let mut resource = json!({ "components": description["components"] });
    resource["asked"] = schema.clone();
    let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
    compiler.enable_format_assertions();
    compiler.add_resource("memory:///description", resource).unwrap();
    let index = compiler.compile("memory:///description#/asked", &mut schemas).unwrap();
    schemas.validate(document, index).map_err(|error| format!("{error:#}"))
}

/// The site of `acme` is known to be at an address, and that of `globex` is not.
struct Sites;

impl Gates for Sites {
    fn owner_of(&self, _host: &str) -> OwnerId {
        OwnerId::new("acme")
    }

    fn address_of(&self, owner: &OwnerId) -> Option<String> {
        (owner.as_str() == "acme").then(|| "https://shop.example".to_owned())
    }

    fn rules_of(&self, owner: &OwnerId) -> PasswordRules {
        PasswordRules::of_site("", [owner.as_str()])
    }

    fn find(&self, _host: &str, _path: &str) -> Option<GateInfo> {
        None
    }

    fn list(&self, _owner: Option<&OwnerId>) -> Vec<GateInfo> {
        Vec::new()
    }
}

/// Access tokens that name their login: `token:acme:0101...`.
struct Tokens;

impl TokenSigner for Tokens {
    fn sign(&self, _claims: &AccessClaims) -> Secret {
        Secret::from_text("nobody signs here")
    }

    fn verify(&self, token: &Secret, now: Timestamp) -> Option<AccessClaims> {
        let (owner, sid) = token.reveal_text("a test")?.strip_prefix("token:")?.split_once(':')?;
        Some(AccessClaims {
            owner: OwnerId::new(owner),
            account: doorward_types::AccountId(1),
            username: String::new(),
            sid: sid.parse().ok()?,
            id: "1".into(),
            factors: vec![],
            issued_at: now,
            expires_at: now,
        })
    }
}
