//! The edge: what stands between a TCP connection and a gate.
//!
//! ```text
//!  accept ─▶ caps ─▶ TLS, request head (5 s, 16 KiB, 64 headers) ─▶ upgrade checked ─▶ gate ─▶ handshake layers ─▶ 101
//!     │ full: dropped        │ closed, or 431                             │ 400            │ 404       │ 401/403/503
//! ```

mod accept;
mod came;
mod caps;
mod cookies;
mod held;
mod lengths;
mod proxies;
mod request;
pub(crate) mod respond;
mod tls;

pub(crate) use accept::is_of_one_connection;
pub use accept::{HeadLimits, Http, serve};
pub(crate) use came::Came;
pub use caps::{Caps, CapsLimits, Full, Pass};
pub use cookies::ShownCookies;
pub(crate) use held::Held;
pub(crate) use lengths::Counted;
pub use proxies::Proxies;
pub(crate) use request::host;
pub use request::{Head, Malformed, Upgrade};
pub(crate) use respond::not_found;
pub use respond::{Body, refused};
pub use tls::{OverTls, Tls};
pub(crate) use tls::{TlsOverTcp, reset};
