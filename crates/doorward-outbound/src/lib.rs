//! The only one that fetches from elsewhere. All others are called, or call what the owner runs (an upstream).
//!
//! **What it is:** one HTTP `GET` for a JSON document, in which nothing is without a bound: the time, the length as it comes, the
//! addresses that may be connected to; and on it the port [`IssuerKeys`](doorward_auth::ports::IssuerKeys), which fetches the keys
//! that an issuer publishes.
//!
//! **What it is not:** a general HTTP client. It follows no redirect, asks no proxy of the environment, keeps no connection and
//! no cookie, and sends nothing that a user has said.
//!
//! ```text
//!  url ─▶ scheme, host ─▶ names resolved ─▶ addresses judged ─▶ connected to one of ─▶ TLS ─▶ 200, JSON, ─▶ document
//!         https           once              no private ones     those that were judged        256 KiB
//!         \___________________________________ all within one time limit ____________________________/
//! ```
//!
//! ```no_run
//! use doorward_auth::{ports::IssuerKeys, token::KeyPlace};
//! use doorward_outbound::Outbound;
//! # async fn run(place: KeyPlace) -> Result<(), Box<dyn std::error::Error>> {
//! let keys = Outbound::new().fetch(&place).await?;
//! println!("{} keys", keys.len());
//! # Ok(())
//! # }
//! ```

mod fetch;
mod issuer_keys;
mod reach;

pub use fetch::{Document, FetchError, Outbound, Rules};
pub use reach::Reach;
