use std::path::PathBuf;

use doorward_auth::settings::Span;
use serde::Deserialize;

use super::{
    keys::{Kind, Value, quoted, table},
    values::{Host, Listen, Network, StoreUrl},
};

table! {
    /// The public side: where users connect.
    Server as "server" {
        /// The address and port that users connect to.
        listen: Listen = Listen::local(8420);
        /// The certificate for TLS (`wss://`) and its private key, both in PEM: the chain with the server's own certificate first,
        /// and a key that not everybody on the machine can read. A reload reads both files again. Where it is unset, the port
        /// speaks without TLS.
        tls: Option<TlsFiles> = None, like "{ cert_file = \"fullchain.pem\", key_file = \"privkey.pem\" }";
        /// The reverse proxies that stand before Doorward, as addresses or ranges. Only their forwarding headers
        /// (`X-Forwarded-For`) are believed; with an empty list nobody's are.
        trusted_proxies: Vec<Network> = Vec::new(), like "[\"10.0.0.0/8\"]";
        /// How long the server may take to stop. The sockets leave spread over it, and meanwhile new requests are answered with
        /// 503. Sockets whose gate has another backend after a reload leave spread over it, too.
        shutdown: Span = Span::from_secs(30);
    }
}

/// Where the certificate of the public side is, and its key.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// The certificates in PEM, the server's own first; relative to the folder of the configuration.
    pub cert_file: PathBuf,
    /// The private key of the first one, in PEM; relative to the folder of the configuration.
    pub key_file: PathBuf,
}

impl Value for TlsFiles {
    const KIND: Kind = Kind::Table;

    fn toml(&self) -> Option<String> {
        None
    }
}

table! {
    /// The internal side: `/health` and `/ready` for probes, `/metrics`, and the HTTP API. Keep it away from the public.
    Internal as "internal" {
        /// The address and port of the internal side.
        listen: Listen = Listen::local(8421);
    }
}

table! {
    /// 9P over TCP, for file tools of the same machine: the gates with `backend = { 9p = {} }`, whose ladder is climbed in the
    /// authentication file. Without `listen` those gates are there over WebSocket alone.
    Ninep as "ninep" {
        /// The address and port. What is said there is not encrypted: beyond the own machine, put a tunnel around it.
        listen: Option<Listen> = None, like "\"127.0.0.1:5640\"";
    }
}

table! {
    /// Where tickets, keys, used tokens and the record of decisions are kept.
    Store as "store" {
        /// The place of the store: `sqlite://FILE`, relative to the folder of the configuration, or `memory:` to keep nothing beyond
        /// the end of the process.
        url: StoreUrl = StoreUrl::Sqlite(PathBuf::from("doorward.db"));
        /// The Unix socket by which the command line reaches the running server (mode 0600). Beside the store where it is unset. One
        /// that a server has left behind is replaced; one that is answered, and what is no socket, keeps the server from starting.
        control: Option<PathBuf> = None, like "\"/run/doorward/control.sock\"";
    }
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For machines, one object a line.
    Json,
}

impl Value for LogFormat {
    const KIND: Kind = Kind::Text;

    fn toml(&self) -> Option<String> {
        Some(quoted(match self {
            Self::Text => "text",
            Self::Json => "json",
        }))
    }
}

/// How much is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// What broke.
    Error,
    /// What should be looked at, too.
    Warn,
    /// What happens, too.
    #[default]
    Info,
    /// What it happens by, too.
    Debug,
    /// Every step.
    Trace,
}

impl LogLevel {
    /// The name that it has in the configuration and in log filters.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

impl Value for LogLevel {
    const KIND: Kind = Kind::Text;

    fn toml(&self) -> Option<String> {
        Some(quoted(self.name()))
    }
}

table! {
    /// What the server writes about its own running, to standard error.
    Log as "log" {
        /// `text` for people, `json` for machines.
        format: LogFormat = LogFormat::Text;
        /// `error`, `warn`, `info`, `debug` or `trace`.
        level: LogLevel = LogLevel::Info;
    }
}

table! {
    /// The record of every decision, which `doorward why TRACE` prints.
    Audit as "audit" {
        /// How many decisions are kept; older ones are forgotten. 0 keeps none.
        keep: u32 = 100_000;
    }
}

table! {
    /// The built-in site: pages to register, log in and out, and to see and end what a login has opened. Each owner has its own
    /// accounts; which owner a request means is told by its host name.
    Site as "site" {
        /// Whether there is a site on the public port.
        enabled: bool = false;
        /// The name that its pages and authenticator apps show.
        name: String = "Doorward".to_owned();
        /// Whose accounts those are where a request's host name is no owner's. The first owner's where it is left out.
        owner: Option<String> = None, like "\"acme\"";
        /// The address by which browsers reach it, for links; where it is left out it is the one of the request.
        url: Option<String> = None, like "\"https://auth.shop.example\"";
        /// Whether anybody may make an account. Otherwise an owner invites them, and the first account is made by the link that
        /// is printed at the first start.
        register: bool = false;
        /// The parent domain that the login's cookie is for, so that pages and gates of its sub-domains share one login. It then
        /// is as safe as the least safe of them; where it is left out, the cookie is for the site's own host alone.
        cookie_domain: Option<Host> = None, like "\"shop.example\"";
        /// After how long without use a login ends. Requests and messages are use; pings are not.
        session_idle: Span = Span::from_secs(30 * 60);
        /// When a login ends however much it is used.
        session_longest: Span = Span::from_secs(12 * 60 * 60);
        /// How many logins an account may have at a time. One more, and the oldest of them ends with its sockets.
        sessions_per_account: u32 = 100;
    }
}

table! {
    /// How sure a node has to be of what has ended. It reads the revocation log again and again; while it cannot, nothing is
    /// delivered on its sockets.
    Lease as "lease" {
        /// How often the log is read where nobody says that there is something new.
        confirm_every: Span = Span::from_secs(2);
        /// How long after a reading, counted from its beginning, sockets are trusted. Then they are suspended.
        lasts: Span = Span::from_secs(30);
        /// How long suspended sockets then wait for the next reading before they are closed with 1013.
        grace: Span = Span::from_secs(15);
    }
}

table! {
    /// Who composes gates. Gates, keys and tickets of one owner never meet those of another. Without any `[[owner]]` there is
    /// one, named `default`.
    Owner as "owner" {
        /// The name by which gates and issuers refer to it.
        name (required): String, like "\"acme\"";
        /// The owner's host name, for all gates that name none themselves.
        host: Option<Host> = None, like "\"socket.acme.example\"";
    }
}
