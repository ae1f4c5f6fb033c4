//! The built-in site: accounts, logins, the console, and the tokens and tickets of who is logged in.
//!
//! **What it is:** pages that a server renders (they work without JavaScript), one file per flow with its script at the head, and two
//! addresses for programs. A [`Site`] is made of [`SiteParts`] and answers requests; it keeps nothing but logins that still lack
//! their second factor.
//!
//! Beside it stands the HTTP API ([`manage`]): what programs of an owner's or the operator's see, end and make, on a port of its own
//! and in documents alone. `api` here is what programs of a user's ask of the site on the public port.
//!
//! **What it is not:** a server, or a place where anybody is let through a gate. It never sees a backend, a frame or a socket: what it
//! shows and ends of those the site and the HTTP API ask of [`live::Node`] and [`Gates`]; live sockets follow the revocation log, not
//! the site.
//!
//! ```text
//!            request, PeerInfo                       Site                                  what it asks
//!                   │
//!   edge ──takes?──▶│ POST: from the site itself? 64 KiB?          same_origin, site
//!                   ▼
//!                 Visit   who sends it, by the cookie              visit          ──▶ Sessions
//!                   │
//!        ┌──────────┼─────────────┬──────────────┐
//!        ▼          ▼             ▼              ▼
//!      pages     console         api          assets
//!   a person    an owner      a program       files
//!        │          │             │
//!        └────┬─────┴─────────────┘
//!             ├─ credentials: a password, a code        ──▶ Throttle, Accounts, Hashing, Factors
//!             ├─ opening: a login begins                ──▶ Sessions
//!             ├─ journal: what happens, as rows         ──▶ Audit
//!             └─ an ending                              ──▶ Revocations ──▶ (log) ──▶ live sockets
//!                                                               ▲
//!   internal port ──▶ manage: a key, its scopes, a resource ────┘
//! ```
//!
//! ```
//! use doorward_web::SiteConfig;
//!
//! let config = SiteConfig { name: "Shop".into(), register: true, ..SiteConfig::default() };
//! assert!(config.cookie_domain.is_none(), "the cookies of a login are one host's alone");
//! ```

#[cfg(test)]
extern crate self as doorward_web;

#[cfg(test)]
#[path = "../tests/it/sockets.rs"]
#[expect(dead_code, reason = "the suite in `tests/` uses all of it")]
mod sockets;

mod access;
mod api;
mod assets;
mod bearer;
mod beside;
mod config;
mod console;
mod cookies;
mod credentials;
mod desk;
mod device;
mod field;
mod form;
mod gates;
mod half;
mod journal;
pub mod live;
pub mod manage;
mod opening;
mod operators;
mod page;
mod pages;
mod peer;
mod rows;
mod same_origin;
mod site;
mod sorry;
mod visit;

pub use access::TokenSigner;
pub use bearer::{BearerError, bearer};
pub use beside::UnknownVisitor;
pub use config::SiteConfig;
pub use desk::SiteParts;
pub use doorward_auth::token::AccessClaims;
pub use gates::{GateInfo, Gates};
pub use journal::{By, Event, Happening, Journal};
pub use peer::PeerInfo;
pub use site::Site;
