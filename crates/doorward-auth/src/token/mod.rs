//! Signed tokens (JWT, RFC 7519): who issues them, and how strictly they are read (RFC 8725).
//!
//! ```text
//!  text ─▶ three segments ─▶ header ─▶ signature ─▶ sort ─▶ iss, aud, azp ─▶ exp, nbf, iat ─▶ subject
//!          canonical, no     alg from   the key of   access  exactly ours     whole seconds,   text or
//!          doubles in JSON   our table  our table    token                    5 s of leeway    whole number
//! ```
//!
//! One issuer is the server itself ([`Issuer::own`]): what the built-in site signs, each token for one login and one owner.

mod compact;
mod config;
mod error;
mod issuer;
mod mint;
mod own;
mod verify;

pub use config::{Algorithm, IssuerConfig, Profile};
pub use error::TokenError;
pub use issuer::{Issuer, IssuerError};
pub use mint::MintError;
pub use own::AccessClaims;
pub use verify::Token;
