use std::path::PathBuf;

use serde::Deserialize;

use crate::settings::{SecretText, Span};

/// How a token is signed (RFC 7518, RFC 8037). `none` does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
pub enum Algorithm {
    /// HMAC with SHA-256.
    HS256,
    /// HMAC with SHA-384.
    HS384,
    /// HMAC with SHA-512.
    HS512,
    /// RSA PKCS #1 v1.5 with SHA-256.
    RS256,
    /// RSA PKCS #1 v1.5 with SHA-384.
    RS384,
    /// RSA PKCS #1 v1.5 with SHA-512.
    RS512,
    /// RSA PSS with SHA-256.
    PS256,
    /// RSA PSS with SHA-384.
    PS384,
    /// RSA PSS with SHA-512.
    PS512,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// ECDSA on P-384 with SHA-384.
    ES384,
    /// Ed25519.
    EdDSA,
}

/// Which tokens of an issuer are access tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// RFC 9068: the header's `typ` is `at+jwt`.
    #[default]
    Oauth,
    /// A plain `typ: JWT`, or none: for issuers that know nothing else. Only where the issuer makes no other sort of token.
    Plain,
    /// Keycloak: the header's `typ` is `JWT`, the claim `typ` is `Bearer`.
    Keycloak,
}

/// One `[[issuer]]`: whose tokens are taken, and with which key they are read.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerConfig {
    /// The name by which ladders refer to it.
    pub name: String,
    /// The owner whose gates it opens; the only owner of the file where it is left out.
    #[serde(default)]
    pub owner: Option<String>,
    /// What the claim `iss` has to be, exactly.
    pub issuer: String,
    /// What the claim `aud` has to be or to contain.
    pub audience: String,
    /// The clients whose tokens are taken, by `azp` or `client_id`; all where the list is empty.
    #[serde(default)]
    pub clients: Vec<String>,
    /// The algorithms that are taken, all of one family: `HS256`, `RS256`, `PS256`, `ES256`, `EdDSA` and their longer forms.
    pub algorithms: Vec<Algorithm>,
    /// For the `HS` family: the secret, at least 32 bytes.
    #[serde(default)]
    pub secret: Option<SecretText>,
    /// The file that holds the secret.
    #[serde(default)]
    pub secret_file: Option<PathBuf>,
    /// For all other families: the public key in PEM.
    #[serde(default)]
    pub public_key_file: Option<PathBuf>,
    /// Instead of a key file: the address where the issuer publishes its keys (JWKS, RFC 7517); `https://`.
    #[serde(default)]
    pub jwks_url: Option<String>,
    /// Instead of a key file: whether that address is asked for at the issuer's, below `/.well-known/openid-configuration`
    /// (OpenID Connect Discovery 1.0).
    #[serde(default)]
    pub discover: bool,
    /// For keys that are fetched: the certificates in PEM that are trusted there, instead of those that this machine trusts.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// For keys that are fetched: whether they may come from a private address or this machine, and over `http://`.
    #[serde(default)]
    pub allow_private: bool,
    /// For keys that are fetched: how long that may take. Whoever has shown a token waits for it, and is not late by it.
    #[serde(default = "fetch_timeout")]
    pub fetch_timeout: Span,
    /// For keys that are fetched: how long they are used when they should be fetched again and cannot be.
    #[serde(default = "max_stale")]
    pub max_stale: Span,
    /// The private key in PEM, only where Doorward is to make tokens itself (`doorward gentoken`).
    #[serde(default)]
    pub private_key_file: Option<PathBuf>,
    /// The claim that is the subject's primary key.
    #[serde(default = "sub")]
    pub subject_claim: String,
    /// The claim that is the name the subject is shown by; the primary key where it is left out.
    #[serde(default)]
    pub uuid_claim: Option<String>,
    /// The kind of the subjects.
    #[serde(default = "member")]
    pub subject_kind: String,
    /// Which tokens are access tokens: `oauth` (RFC 9068, default), `plain` or `keycloak`.
    #[serde(default)]
    pub profile: Profile,
}

fn sub() -> String {
    "sub".to_owned()
}

fn member() -> String {
    "member".to_owned()
}

fn fetch_timeout() -> Span {
    Span::from_secs(5)
}

fn max_stale() -> Span {
    Span::from_secs(60 * 60)
}
