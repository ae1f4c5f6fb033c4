//! The Rust client of Doorward: opens a WebSocket, climbs the ladder, and talks with what is behind the gate.
//!
//! **What it is:** the upgrade, the frames, and a [`climb`](Client::climb) that asks its questions by call-backs
//! ([`Answers`]). [`Credentials`] answers by itself what a machine can: tokens, app keys, challenges, glyphs and offers.
//!
//! **What it is not:** a server's counterpart in general. It speaks `ws://` and `wss://`, or over any byte stream
//! ([`Client::over`]); it does not reconnect, but says when to.
//!
//! ```text
//!             connect            climb                      next_event, publish ...
//!  nothing ──────────▶ Client ───────────▶ Admitted ──────────────────────────────▶ closed
//!               │                   │ asks, tells
//!               ▼                   ▼
//!        ConnectError      Answers: Credentials, or a person
//! ```
//!
//! ```no_run
//! use doorward_client::{Client, Credentials, Options};
//! use doorward_types::Secret;
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let mut client = Client::connect("ws://127.0.0.1:8420/fancy", Options::default()).await?;
//! let admitted = client.climb(&mut Credentials::new().jwt(Secret::from_text("eyJ..."))).await?;
//! println!("in as {:?}", admitted.subject);
//! client.subscribe("group", Some("3")).await?;
//! while let Some(event) = client.next_event().await? {
//!     println!("{event:?}");
//! }
//! # Ok(())
//! # }
//! ```

mod address;
mod answers;
mod client;
mod climb;
mod closed;
mod connection;
mod credentials;
mod error;
mod options;
mod proof;
mod tls;
mod upgrade;

pub use address::Address;
pub use answers::{Abort, Answers, Ask, BoxFuture, Choose, Chosen, Tell, Wait};
pub use client::Client;
pub use climb::Admitted;
pub use closed::{Closed, Refused};
pub use connection::Message;
pub use credentials::Credentials;
pub use doorward_wire::json::Event;
pub use error::{ClientError, ClimbError, ConnectError};
pub use options::Options;
pub use tls::{Issuers, NoIssuers, NoTls, Stream, TlsError, over_tls};
