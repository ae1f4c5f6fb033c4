use std::collections::BTreeSet;

use doorward_auth::{OnExpiry, Verdict, layers::RungConfig, settings::Span};
use doorward_backends::{
    hub::{ChannelRules, HubConfig, Rule, UnfitName},
    upstream::UpstreamConfig,
};
use doorward_session::{Fail, OnLogout};
use serde::Deserialize;

use super::{
    keys::{Kind, Value, quoted, table},
    limits::GateLimits,
    values::Host,
};

/// What is behind a gate.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackendConfig {
    /// Doorward's own channels, each a `[[gate.channel]]`.
    Hub(NoSettings),
    /// An unchanged WebSocket server.
    Upstream(UpstreamConfig),
    /// Every message comes back: to try things out.
    Echo(NoSettings),
    /// A tree of files over 9P2000: the cart of whoever is there, and the channels, each a `[[gate.channel]]`.
    #[serde(rename = "9p")]
    Ninep(NoSettings),
}

impl BackendConfig {
    /// The key by which it stands in the configuration.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Hub(_) => "hub",
            Self::Upstream(_) => "upstream",
            Self::Echo(_) => "echo",
            Self::Ninep(_) => "9p",
        }
    }
}

impl Default for BackendConfig {
    fn default() -> Self {
        Self::Hub(NoSettings {})
    }
}

impl Value for BackendConfig {
    const KIND: Kind = Kind::Table;

    fn toml(&self) -> Option<String> {
        None
    }
}

/// How a gate speaks with its users.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransportConfig {
    /// `doorward.v1`: JSON over a WebSocket.
    Json(NoSettings),
    /// Socket.IO, over WebSocket and HTTP long-polling.
    Socketio(SocketIoConfig),
}

impl TransportConfig {
    /// The key by which it stands in the configuration.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Json(_) => "json",
            Self::Socketio(_) => "socketio",
        }
    }

    /// What happens when a token expires of which its layer does not say it.
    pub fn on_expiry(&self) -> OnExpiry {
        match self {
            Self::Json(_) => OnExpiry::Close,
            Self::Socketio(_) => OnExpiry::Keep,
        }
    }
}

impl Default for TransportConfig {
    fn default() -> Self {
        Self::Json(NoSettings {})
    }
}

impl Value for TransportConfig {
    const KIND: Kind = Kind::Table;

    fn toml(&self) -> Option<String> {
        Some(format!("{{ {} = {{}} }}", self.name()))
    }
}

/// `{ socketio = { ... } }`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SocketIoConfig {
    /// The namespaces that there are; each begins with a slash. What a user may do in one is said by the channel of that name.
    pub namespaces: Vec<String>,
}

impl Default for SocketIoConfig {
    fn default() -> Self {
        Self { namespaces: vec!["/".to_owned()] }
    }
}

/// The braces of a backend or a transport that has no settings: `{ echo = {} }`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoSettings {}

/// When a failed layer ends the climb.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VerdictConfig {
    /// At once.
    #[default]
    Each,
    /// At the end of the ladder, so that nobody learns which layer failed.
    End,
}

impl From<VerdictConfig> for Verdict {
    fn from(verdict: VerdictConfig) -> Self {
        match verdict {
            VerdictConfig::Each => Self::Each,
            VerdictConfig::End => Self::End,
        }
    }
}

impl Value for VerdictConfig {
    const KIND: Kind = Kind::Text;

    fn toml(&self) -> Option<String> {
        Some(quoted(match self {
            Self::Each => "each",
            Self::End => "end",
        }))
    }
}

/// How a verdict of the handshake layers is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefuseConfig {
    /// By the status of the answer to the upgrade.
    #[default]
    Http,
    /// By a Close frame, after a 101.
    Frame,
}

impl Value for RefuseConfig {
    const KIND: Kind = Kind::Text;

    fn toml(&self) -> Option<String> {
        Some(quoted(match self {
            Self::Http => "http",
            Self::Frame => "frame",
        }))
    }
}

/// What a logout does to the sockets that it has let in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnLogoutConfig {
    /// They close.
    #[default]
    Close,
    /// They wait for the login to come back.
    Suspend,
}

impl From<OnLogoutConfig> for OnLogout {
    fn from(on_logout: OnLogoutConfig) -> Self {
        match on_logout {
            OnLogoutConfig::Close => Self::Close,
            OnLogoutConfig::Suspend => Self::Suspend,
        }
    }
}

impl Value for OnLogoutConfig {
    const KIND: Kind = Kind::Text;

    fn toml(&self) -> Option<String> {
        Some(quoted(match self {
            Self::Close => "close",
            Self::Suspend => "suspend",
        }))
    }
}

/// What happens to sockets while nobody can tell whether their logins have ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailConfig {
    /// They are suspended, and then closed.
    #[default]
    Closed,
    /// They go on.
    Open,
}

impl From<FailConfig> for Fail {
    fn from(fail: FailConfig) -> Self {
        match fail {
            FailConfig::Closed => Self::Closed,
            FailConfig::Open => Self::Open,
        }
    }
}

impl Value for FailConfig {
    const KIND: Kind = Kind::Text;

    fn toml(&self) -> Option<String> {
        Some(quoted(match self {
            Self::Closed => "closed",
            Self::Open => "open",
        }))
    }
}

impl Value for RungConfig {
    const KIND: Kind = Kind::Table;

    fn toml(&self) -> Option<String> {
        None
    }
}

impl Value for GateLimits {
    const KIND: Kind = Kind::Table;

    fn toml(&self) -> Option<String> {
        None
    }
}

impl Value for ChannelConfig {
    const KIND: Kind = Kind::Table;

    fn toml(&self) -> Option<String> {
        None
    }
}

table! {
    /// A protected WebSocket: where it is, who gets in, and what is behind it.
    Gate as "gate" {
        /// The gate's name in commands and logs; unique with its owner.
        name (required): String, like "\"chat\"";
        /// The owner; may be left out where there is one only.
        owner: Option<String> = None, like "\"acme\"";
        /// The host name that requests have to be for: the owner's where it is left out, any where that has none either.
        host: Option<Host> = None, like "\"socket.acme.example\"";
        /// The path: exact, with variable segments (`/rooms/{room}`), or ending in `/*` to take everything below it.
        path (required): String, like "\"/chat\"";
        /// The origins whose pages may connect, exactly as browsers send them. Where it is unset, pages of the gate's own host
        /// may; with an empty list none. Programs that send no origin are not concerned.
        origins: Option<Vec<String>> = None, like "[\"https://app.example\"]";
        /// What is behind the gate: `{ hub = {} }`, `{ upstream = { url = "ws://127.0.0.1:9000" } }`, `{ 9p = {} }` or
        /// `{ echo = {} }`.
        backend (required): BackendConfig, like "{ hub = {} }";
        /// How the gate speaks with its users: `{ json = {} }`, or `{ socketio = { namespaces = ["/"] } }` for clients of Socket.IO, before
        /// a hub alone; `path` is then the `path` of the client, with the slash at its end: `/socket.io/`.
        transport: TransportConfig = TransportConfig::default(), like "{ json = {} }";
        /// The layers that everybody has to pass, from top to bottom.
        ladder: Vec<RungConfig> = Vec::new(), like "[{ jwt = {} }]";
        /// `true` lets everybody in. Only for a gate without a ladder.
        open: bool = false;
        /// `each` refuses at the first layer that fails; `end` goes through all of them first, so that nobody learns which it was.
        verdict: VerdictConfig = VerdictConfig::Each;
        /// How a refusal by a layer of the upgrade request is told: `http` answers 401 or 403, which the page of a browser cannot
        /// see; `frame` opens the WebSocket and closes it with 4401 or 4403, which it can. A wrong origin, a request that is
        /// malformed and a server that has no room are always answered by HTTP.
        refuse: RefuseConfig = RefuseConfig::Http;
        /// What a logout does to the sockets that it has let in: `close`, or `suspend` for a hub, where they stay open, get nothing
        /// through, and go on when the same account logs in again in the same browser.
        on_logout: OnLogoutConfig = OnLogoutConfig::Close;
        /// What happens to sockets while the node cannot read what has ended: `closed` suspends them and then closes them with
        /// 1013, `open` lets them go on.
        fail: FailConfig = FailConfig::Closed;
        /// How long a socket may live, whatever its proofs say; where it is unset unlimited, and `12h` at a gate that speaks Socket.IO.
        max_session: Option<Span> = None, like "\"12h\"";
        /// `false` closes the gate: nobody gets in.
        enabled: bool = true;
        /// Limits of this gate.
        limits: GateLimits = GateLimits::default();
        /// The channels of a hub, or of a file tree: each a `[[gate.channel]]`.
        channel: Vec<ChannelConfig> = Vec::new();
    }
}

table! {
    /// A channel of a hub, and who may do what in it. What is not said is denied to everybody.
    ///
    /// A rule is `"nobody"`, `"any"` (whoever was admitted), `"authenticated"` (whoever was proven to be somebody) or
    /// `{ claim = "NAME" }`: whoever's token has that claim, for the primary keys that it lists.
    ChannelConfig as "gate.channel" {
        /// The channel's name, by which messages go to it.
        name (required): String, like "\"news\"";
        /// Who may subscribe.
        subscribe: Rule = Rule::Nobody, like "\"any\"";
        /// Who may publish.
        publish: Rule = Rule::Nobody, like "{ claim = \"groups\" }";
        /// Who may send actions of the application's own.
        custom: Rule = Rule::Nobody, like "\"authenticated\"";
    }
}

impl Value for Rule {
    const KIND: Kind = Kind::Text;

    fn toml(&self) -> Option<String> {
        Some(match self {
            Self::Nobody => quoted("nobody"),
            Self::Any => quoted("any"),
            Self::Authenticated => quoted("authenticated"),
            Self::Claim(name) => format!("{{ claim = {} }}", quoted(name)),
        })
    }
}

impl Gate {
    /// The channels as the hub takes them.
    pub fn hub(&self) -> Result<HubConfig, UnfitName> {
        let channel = |channel: &ChannelConfig| {
            let rules = ChannelRules {
                subscribe: channel.subscribe.clone(),
                publish: channel.publish.clone(),
                custom: channel.custom.clone(),
            };
            Ok((channel.name.parse()?, rules))
        };
        Ok(HubConfig { channels: self.channel.iter().map(channel).collect::<Result<_, _>>()? })
    }

    /// The claims that rules name, or that an upstream is told: of a token only these are to be kept.
    pub fn named_claims(&self) -> Vec<String> {
        let rules = self.channel.iter().flat_map(|channel| [&channel.subscribe, &channel.publish, &channel.custom]);
        let told = match &self.backend {
            BackendConfig::Upstream(upstream) => upstream.claims.as_slice(),
            BackendConfig::Hub(_) | BackendConfig::Echo(_) | BackendConfig::Ninep(_) => &[],
        };
        let claims: BTreeSet<String> = rules
            .filter_map(|rule| match rule {
                Rule::Claim(name) => Some(name.clone()),
                Rule::Nobody | Rule::Any | Rule::Authenticated => None,
            })
            .chain(told.iter().cloned())
            .collect();
        claims.into_iter().collect()
    }
}
