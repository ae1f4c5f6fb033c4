//! The ports of `doorward-auth` on SQL. This is the only crate that knows SQL.
//!
//! **What it is:** tickets, app keys, used token ids, owners, the audit log, and what a site keeps (accounts, logins, factors
//! and the log of how they end) in one SQLite file, kept so that what was used once stays used and what has ended stays ended:
//! whatever answers has been written through to the disk before.
//!
//! **What it is not:** a cache, a broker or a session. It reads no clock (times are arguments) and decides nothing.
//!
//! ```text
//!  consume, open, end, add ... ──▶ ┌─ writer ───────────────────────────┐
//!                                  │ all that waits, in ONE transaction │──▶ disk ──▶ answers
//!  record (audit rows)  ──queue──▶ └────────────────────────────────────┘
//!  find, list, newest   ─────────▶ readers, each with its own connection
//! ```
//!
//! ```
//! use doorward_auth::ports::UsedTokens;
//! use doorward_store::Store;
//! use doorward_types::{OwnerId, Timestamp};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store = Store::open(":memory:")?;
//! let (acme, later) = (OwnerId::new("acme"), Timestamp::from_secs(60));
//! assert!(store.use_once(&acme, "https://id.example", "jti-1", later).await?);
//! assert!(!store.use_once(&acme, "https://id.example", "jti-1", later).await?);
//! # Ok(())
//! # }
//! ```

mod error;
mod location;
mod sqlite;

pub use error::StoreError;
pub use sqlite::{Options, Owner, Store};
