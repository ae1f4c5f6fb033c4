//! The server: the edge, the transports, the configuration and the command line; and the way to put a door into an application
//! of your own.
//!
//! **What it is:** what ties the other crates together. It stays thin: who gets in is `doorward-auth`'s, what a socket is is
//! `doorward-session`'s, what stands behind a gate is `doorward-backends`'.
//!
//! **What it is not:** a place for rules. A line here that decides who may do what is in the wrong crate.
//!
//! ```text
//!  doorward.toml ─▶ config ─▶ gates ┐
//!                                   ▼
//!  TCP ─▶ edge ─▶ answer ─▶ 101 ─▶ attend ─▶ transports::json ─▶ Admission ─▶ Socket ─▶ backend
//!                   └ Door ──────────┴───────────────────────────────────────────┘
//! ```
//!
//! An application with an HTTP server of its own hands upgrade requests to a [`Door`]:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use doorward_server::{Extensions, embed};
//!
//! let door = embed(
//!     r#"
//!     [store]
//!     url = "memory:"
//!     [[gate]]
//!     name = "echo"
//!     path = "/echo"
//!     backend = { echo = {} }
//!     open = true
//!     "#,
//!     Extensions::default(),
//! )
//! .await?;
//! let request = http::Request::get("/nowhere").body(())?;
//! let response = door.answer(request, ([127, 0, 0, 1], 4711).into(), None).await;
//! assert_eq!(response.status(), 404);
//! # Ok(()) }
//! ```

mod answer;
mod attend;
mod background;
pub mod certificate;
pub mod cli;
mod comeback;
pub mod config;
pub mod control;
mod door;
pub mod edge;
mod embed;
pub mod gates;
mod internal;
mod issuer_keys;
pub mod kek;
mod logging;
mod metrics;
pub mod node;
mod operate;
pub mod own_tokens;
mod ports;
mod reload;
mod report;
pub mod store_file;
pub mod system;
mod transports;
mod upkeep;
mod website;
mod witness;

pub use comeback::ByLogin;
pub use door::{Door, Parts};
pub use doorward_web::UnknownVisitor;
pub use embed::{EmbedError, embed};
pub use issuer_keys::KeyRings;
pub use metrics::Metrics;
pub use node::{Extensions, Node, ReloadError, Running, StartError};
pub use operate::{Answer, Standing};
pub use reload::Reloaded;
pub use witness::Witness;
