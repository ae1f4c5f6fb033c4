use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use doorward_auth::{
    Admission,
    layers::{
        conversation::{app_key::NewAppKey, challenge},
        handshake::ticket::NewTicket,
    },
    ports::{AppKey, AppKeys, Clock, SystemRng, Ticket, TicketBinding, Tickets},
};
use doorward_backends::hub::{ChannelModel, Permitted};
use doorward_client::{Client, ConnectError, Options};
use doorward_store::Store;
use doorward_types::{GateName, KeyText, OwnerId, Secret, Timestamp};
use doorward_wire::json::Inbound;
use serde_json::{Map, Value, json};

use super::people::People;
use crate::{
    cli::Failure,
    config::{self, Config, Mistake, NewFile, write_new},
    control::Request,
    door::Door,
    kek::open_kek,
    node::{self, Extensions, Node, Running},
    system::{SystemClock, random},
};

/// The demo's gates. `chat` is in front of `echo`, as it would be in front of somebody else's server.
const CONFIG: &str = include_str!("demo.toml");

/// The running node, and what opens its gates.
pub(super) struct World {
    folder: tempfile::TempDir,
    config: Config,
    running: Running,
    store: Store,
    pub(super) people: People,
    pub(super) key: Secret,
    pub(super) challenge: Secret,
    pub(super) stranger: Secret,
}

impl World {
    /// Writes the configuration and the secrets into a new folder and starts a node on it.
    pub(super) async fn make(listen: SocketAddr) -> Result<Self, Failure> {
        let folder = tempfile::Builder::new().prefix("doorward-demo-").tempdir()?;
        // Where the echo gate is has to be known before anything listens, as the address of somebody else's server would be.
        let listen = free_port(listen).await?;
        let text = CONFIG.replace("@LISTEN@", &listen.to_string());
        let challenge = challenge::draw_secret(&SystemRng);
        let secret = |name: &str, contents: Secret| NewFile { path: name.into(), mode: 0o600, contents };
        write_new(
            folder.path(),
            &[
                NewFile { path: "doorward.toml".into(), mode: 0o644, contents: Secret::from_text(text.as_str()) },
                secret("site.secret", KeyText::Challenge.write(&random())),
                secret("challenge.secret", challenge.clone()),
            ],
        )?;
        let config = {
            let read_secret = config::secret_reader(folder.path());
            let loaded = config::load(&text, "doorward.toml", &Default::default(), &[], &read_secret);
            let told = |mistakes: Vec<Mistake>| mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
            loaded.map_err(|mistakes| Failure::new(told(mistakes)))?.config
        };
        let extensions = Extensions::default().channel("room", Room);
        let running = Node::open(config.clone(), folder.path(), extensions).await?.listen().await?;
        let path = node::store_path(&config, folder.path()).ok_or_else(|| Failure::new("the demo has a store"))?;
        let store = Store::open(&path.display().to_string())?;
        let people = People::make(&store, &open_kek(&config, folder.path(), &SystemRng)?).await?;
        let made = NewAppKey::draw(&SystemRng);
        let (key, stranger) = (made.text.clone(), NewAppKey::draw(&SystemRng).text);
        let kept = AppKey {
            owner: owner(),
            id: made.id,
            public: made.public,
            subject: people.carol.subject(),
            created_at: SystemClock.now(),
            revoked_at: None,
        };
        store.add(kept).await?;
        write_new(folder.path(), &[secret("carol.key", key.clone())])?;
        let world = Self { folder, config, running, store, people, key, challenge, stranger };
        write_new(world.folder.path(), &[secret("carol.token", world.token(Duration::from_secs(3600))?)])?;
        Ok(world)
    }

    /// Where the server is.
    pub(super) fn address(&self) -> SocketAddr {
        self.running.public()
    }

    /// Where its files are.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The door.
    pub(super) fn door(&self) -> &Arc<Door> {
        self.running.door()
    }

    /// Ends the server.
    pub(super) async fn close(self) {
        self.running.close(Duration::from_millis(200)).await;
    }

    /// A token of the demo's issuer for carol.
    pub(super) fn token(&self, valid: Duration) -> Result<Secret, Failure> {
        self.token_from(SystemClock.now(), valid)
    }

    /// A token that was good for a minute, an hour ago.
    pub(super) fn expired_token(&self) -> Result<Secret, Failure> {
        let an_hour_ago = Timestamp::from_millis(SystemClock.now().as_millis().saturating_sub(3_600_000));
        self.token_from(an_hour_ago, Duration::from_secs(60))
    }

    fn token_from(&self, now: Timestamp, valid: Duration) -> Result<Secret, Failure> {
        let issuer = node::issuer(&self.config, self.folder.path(), "site")?;
        let claims = Map::from_iter([("groups".to_owned(), json!(["3"]))]);
        Ok(issuer.mint(&self.people.carol.subject().pk, valid, claims, now, &SystemRng)?)
    }

    /// A ticket for carol at the gate `tickets`.
    pub(super) async fn ticket(&self) -> Result<Secret, Failure> {
        let now = SystemClock.now();
        let NewTicket { text, hash } = NewTicket::draw(&SystemRng, None);
        let ticket = Ticket {
            owner: owner(),
            binding: TicketBinding::Gate(GateName::new("tickets")),
            origin: None,
            subject: self.people.carol.subject(),
            rests_on: Vec::new(),
            issued_at: now,
            expires_at: now.plus(Duration::from_secs(30)),
        };
        self.store.mint(hash, ticket).await?;
        Ok(text)
    }

    /// Opens a connection.
    pub(super) async fn connect(&self, path: &str, options: Options) -> Result<Client, ConnectError> {
        Client::connect(&format!("ws://{}{path}", self.address()), options).await
    }

    /// What `doorward why` says.
    pub(super) async fn why(&self, trace: &str) -> Result<String, String> {
        let answer = self.door().operate(Request::Why { owner: None, trace: trace.to_owned() }).await?.whole();
        Ok(answer["text"].as_str().unwrap_or_default().trim_end().to_owned())
    }

    /// What `doorward sockets end` does.
    pub(super) async fn end(&self, what: &str) -> Result<Value, String> {
        let ended = self.door().operate(Request::EndSockets { owner: None, what: what.to_owned() }).await?;
        Ok(ended.whole())
    }

    /// What somebody can do with the server while it stays up.
    pub(super) fn what_to_try(&self) -> String {
        let (address, folder) = (self.address(), self.folder.path().display());
        let (alice, bob) = (self.people.alice.line(), self.people.bob.line());
        // It need not be installed anywhere: the program is where this one runs from.
        let doorward = std::env::current_exe().map_or("doorward".to_owned(), |path| path.display().to_string());
        format!(
            r#"
the server stays up. In a browser:  http://{address}/

  {alice}
  {bob}

  Log in as bob, and open the gate /room under "Try a gate" (its channel is lobby); then log out in another tab: the socket ends, and says why.
  The gate /desk waits for bob instead, and goes on when he logs in again. /safe wants an authenticator app first.
  Log in as alice in a private window: her console has bob's sockets, with a button that ends each, and ends his logins.
  Clients of Socket.IO have the gate /socket.io/, with the namespace /default and the token in carol.token; pages that speak 9P have /cart.

In another terminal (what begins with `{{` is for the gate):

  cd {folder}
  {doorward} connect ws://{address}/ws --token-file carol.token
  {{"action":"subscribe","channel":"group","pk":3}}
  {{"action":"publish","channel":"group","pk":3,"message":"hello"}}
  {doorward} connect ws://{address}/chat/ --token-file carol.token
  {doorward} sockets list
  {doorward} sessions end --user bob
"#
        )
    }
}

pub(super) fn owner() -> OwnerId {
    OwnerId::new("acme")
}

/// A port that is free now, where none is asked for.
async fn free_port(listen: SocketAddr) -> Result<SocketAddr, Failure> {
    if listen.port() != 0 {
        return Ok(listen);
    }
    Ok(tokio::net::TcpListener::bind(listen).await?.local_addr()?)
}

/// A room of the demo: whoever was proven to be somebody may do everything in it, and `status` is answered.
struct Room;

impl ChannelModel for Room {
    fn can_subscribe(&self, admission: &Admission, _: &Inbound<'_>) -> Permitted {
        if admission.subject().is_some() { Permitted::WhatWasAskedFor } else { Permitted::NOTHING }
    }

    fn can_publish(&self, admission: &Admission, _: &Inbound<'_>) -> bool {
        admission.subject().is_some()
    }

    fn can_send(&self, admission: &Admission, message: &Inbound<'_>) -> bool {
        admission.subject().is_some() && message.action == "status"
    }

    fn on_message(&self, admission: &Admission, _: &Inbound<'_>) -> Option<String> {
        let who = admission.subject().map(ToString::to_string);
        let room = admission.variables().get("path.room");
        Some(json!({ "who": who, "room": room }).to_string())
    }
}
