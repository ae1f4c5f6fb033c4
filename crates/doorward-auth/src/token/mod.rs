//! Signed tokens (JWT, RFC 7519): who issues them, and how strictly they are read (RFC 8725).
//!
//! ```text
//!  text ─▶ three segments ─▶ header ─▶ signature ─▶ sort ─▶ iss, aud, azp ─▶ exp, nbf, iat ─▶ subject
//!          canonical, no     alg from   the key of   access  exactly ours     whole seconds,   text or
//!          doubles in JSON   our table  our table    token                    5 s of leeway    whole number
//! ```
//!
//! The key is in a file, or fetched from where the issuer publishes it: a [`KeyRing`] keeps what was fetched.
//!
//! One issuer is the server itself ([`Issuer::own`]): what the built-in site signs, each token for one login and one owner.

mod compact;
mod config;
mod error;
mod issuer;
mod key_place;
mod key_ring;
mod key_set;
mod mint;
mod own;
mod verify;

pub use config::{Algorithm, IssuerConfig, Profile};
pub use error::TokenError;
pub use issuer::{Issuer, IssuerError};
pub use key_place::{KeyPlace, KeysAt};
pub use key_ring::{KeyRing, Outcome};
pub use key_set::{KeySet, UnreadableKeySet};
pub use mint::MintError;
pub use own::AccessClaims;
pub use verify::{NotVerified, Token};
