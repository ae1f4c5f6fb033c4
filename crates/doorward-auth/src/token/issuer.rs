use std::sync::Arc;

use doorward_types::OwnerId;
use jsonwebtoken::{DecodingKey, EncodingKey};

use super::{Algorithm, IssuerConfig, KeyPlace, KeyRing, Profile};
use crate::settings::{NoSecret, ReadSecret, Span, secret_of};

/// An issuer whose tokens are taken: its table of rules and its keys. Nothing that a token says changes them.
pub struct Issuer {
    pub(super) name: String,
    pub(super) owner: OwnerId,
    pub(super) issuer: String,
    pub(super) audience: String,
    pub(super) clients: Vec<String>,
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) keys: Keys,
    pub(super) signing: Option<EncodingKey>,
    pub(super) subject_claim: String,
    pub(super) uuid_claim: Option<String>,
    pub(super) subject_kind: String,
    pub(super) profile: Profile,
}

/// What the signatures of an issuer are verified with.
pub(super) enum Keys {
    /// The key of a file.
    Here(Arc<DecodingKey>),
    /// What it publishes there; nobody has said yet how that is fetched.
    At(Box<KeyPlace>),
    /// What it publishes.
    Fetched(Arc<KeyRing>),
}

/// Why an `[[issuer]]` cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IssuerError {
    /// No algorithm is given.
    #[error("`algorithms` is empty; give at least one, as in `algorithms = [\"EdDSA\"]`")]
    NoAlgorithm,
    /// The algorithms need different sorts of keys.
    #[error("`{0:?}` and `{1:?}` do not share a key; an issuer has algorithms of one family")]
    MixedFamilies(Algorithm, Algorithm),
    /// The HS family with a public or private key, or another family with a secret.
    #[error(
        "`{0}` does not go with {1:?}; HS algorithms have a `secret_file`, all others a `public_key_file`, a `jwks_url` or `discover = true`"
    )]
    WrongKeySort(&'static str, Algorithm),
    /// The secret is missing, given twice or unreadable; or a key file is unreadable.
    #[error(transparent)]
    Secret(#[from] NoSecret),
    /// There is no public key.
    #[error(
        "{0:?} needs a `public_key_file` with the issuer's public key in PEM, the `jwks_url` where it publishes its keys, or `discover = true`"
    )]
    NoPublicKey(Algorithm),
    /// Keys come from two places.
    #[error("`{0}` and `{1}` are both given; the keys of an issuer come from one place")]
    KeysTwice(&'static str, &'static str),
    /// A setting for keys that are fetched, and none are.
    #[error("`{0}` is for keys that are fetched; give a `jwks_url` or `discover = true`, or leave it out")]
    NothingFetched(&'static str),
    /// Keys cannot be fetched from there.
    #[error("`{setting}` is no address that keys can be fetched from: {problem}")]
    Address {
        /// Which setting.
        setting: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A time is zero or too long.
    #[error("`{setting}` cannot be {span}; write more than nothing, and at most {longest}")]
    Span {
        /// Which setting.
        setting: &'static str,
        /// The time.
        span: Span,
        /// The longest that makes sense.
        longest: Span,
    },
    /// The secret is too short.
    #[error("the secret has {0} bytes; at least 32 are needed (`openssl rand -hex 32` makes a good one)")]
    ShortSecret(usize),
    /// A key file is not what the algorithm needs.
    #[error("`{setting}` is not a PEM key for {algorithm:?}: {problem}")]
    Key {
        /// Which setting.
        setting: &'static str,
        /// What it was read for.
        algorithm: Algorithm,
        /// What is wrong.
        problem: &'static str,
    },
    /// The issuer or the audience is empty.
    #[error("`{0}` is empty")]
    Empty(&'static str),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Hmac,
    Rsa,
    RsaPss,
    P256,
    P384,
    Ed25519,
}

impl Algorithm {
    pub(super) fn family(self) -> Family {
        match self {
            Self::HS256 | Self::HS384 | Self::HS512 => Family::Hmac,
            Self::RS256 | Self::RS384 | Self::RS512 => Family::Rsa,
            Self::PS256 | Self::PS384 | Self::PS512 => Family::RsaPss,
            Self::ES256 => Family::P256,
            Self::ES384 => Family::P384,
            Self::EdDSA => Family::Ed25519,
        }
    }

    /// Whether who can verify can also sign.
    pub(super) fn is_symmetric(self) -> bool {
        self.family() == Family::Hmac
    }

    /// The name in a token's header.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HS256 => "HS256",
            Self::HS384 => "HS384",
            Self::HS512 => "HS512",
            Self::RS256 => "RS256",
            Self::RS384 => "RS384",
            Self::RS512 => "RS512",
            Self::PS256 => "PS256",
            Self::PS384 => "PS384",
            Self::PS512 => "PS512",
            Self::ES256 => "ES256",
            Self::ES384 => "ES384",
            Self::EdDSA => "EdDSA",
        }
    }

    pub(super) fn in_library(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::HS256 => jsonwebtoken::Algorithm::HS256,
            Self::HS384 => jsonwebtoken::Algorithm::HS384,
            Self::HS512 => jsonwebtoken::Algorithm::HS512,
            Self::RS256 => jsonwebtoken::Algorithm::RS256,
            Self::RS384 => jsonwebtoken::Algorithm::RS384,
            Self::RS512 => jsonwebtoken::Algorithm::RS512,
            Self::PS256 => jsonwebtoken::Algorithm::PS256,
            Self::PS384 => jsonwebtoken::Algorithm::PS384,
            Self::PS512 => jsonwebtoken::Algorithm::PS512,
            Self::ES256 => jsonwebtoken::Algorithm::ES256,
            Self::ES384 => jsonwebtoken::Algorithm::ES384,
            Self::EdDSA => jsonwebtoken::Algorithm::EdDSA,
        }
    }
}

impl Issuer {
    /// Reads the keys and checks the table. `owner` is whose gates it opens, where the configuration does not say.
    pub fn build(config: &IssuerConfig, owner: &OwnerId, read: ReadSecret<'_>) -> Result<Self, IssuerError> {
        for (setting, value) in [("issuer", &config.issuer), ("audience", &config.audience)] {
            if value.is_empty() {
                return Err(IssuerError::Empty(setting));
            }
        }
        let &[first, ref others @ ..] = config.algorithms.as_slice() else {
            return Err(IssuerError::NoAlgorithm);
        };
        if let Some(other) = others.iter().find(|other| other.family() != first.family()) {
            return Err(IssuerError::MixedFamilies(first, *other));
        }
        let (keys, signing) = match KeyPlace::of(config, first, read)? {
            Some(place) => (Keys::At(Box::new(place)), None),
            None => {
                let (key, signing) = match first.is_symmetric() {
                    true => symmetric(config, first, read)?,
                    false => asymmetric(config, first, read)?,
                };
                (Keys::Here(Arc::new(key)), signing)
            }
        };
        Ok(Self {
            name: config.name.clone(),
            owner: config.owner.as_deref().map_or_else(|| owner.clone(), OwnerId::new),
            issuer: config.issuer.clone(),
            audience: config.audience.clone(),
            clients: config.clients.clone(),
            algorithms: config.algorithms.clone(),
            keys,
            signing,
            subject_claim: config.subject_claim.clone(),
            uuid_claim: config.uuid_claim.clone(),
            subject_kind: config.subject_kind.clone(),
            profile: config.profile,
        })
    }

    /// The name by which ladders refer to it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The owner whose gates it opens.
    pub fn owner(&self) -> &OwnerId {
        &self.owner
    }

    /// What `iss` has to be.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Where its keys are fetched; `None` where they are in a file.
    pub fn key_place(&self) -> Option<&KeyPlace> {
        match &self.keys {
            Keys::Here(_) => None,
            Keys::At(place) => Some(place),
            Keys::Fetched(ring) => Some(ring.place()),
        }
    }

    /// Has its keys fetched by that ring, which is one for [its place](Self::key_place). Until then nobody gets in by an issuer
    /// whose keys are not in a file.
    #[must_use]
    pub fn with_keys(self, ring: Arc<KeyRing>) -> Self {
        Self { keys: Keys::Fetched(ring), ..self }
    }
}

/// What is verified with, and what is signed with where that is known.
type Pair = (DecodingKey, Option<EncodingKey>);

fn symmetric(config: &IssuerConfig, algorithm: Algorithm, read: ReadSecret<'_>) -> Result<Pair, IssuerError> {
    if config.public_key_file.is_some() {
        return Err(IssuerError::WrongKeySort("public_key_file", algorithm));
    }
    if config.private_key_file.is_some() {
        return Err(IssuerError::WrongKeySort("private_key_file", algorithm));
    }
    let secret = secret_of("secret", config.secret.as_ref(), config.secret_file.as_deref(), read)?;
    if secret.len() < 32 {
        return Err(IssuerError::ShortSecret(secret.len()));
    }
    let bytes = secret.reveal("the key of an HMAC");
    Ok((DecodingKey::from_secret(bytes), Some(EncodingKey::from_secret(bytes))))
}

fn asymmetric(config: &IssuerConfig, algorithm: Algorithm, read: ReadSecret<'_>) -> Result<Pair, IssuerError> {
    if config.secret.is_some() {
        return Err(IssuerError::WrongKeySort("secret", algorithm));
    }
    if config.secret_file.is_some() {
        return Err(IssuerError::WrongKeySort("secret_file", algorithm));
    }
    let path = config.public_key_file.as_deref().ok_or(IssuerError::NoPublicKey(algorithm))?;
    let public = secret_of("public_key", None, Some(path), read)?;
    let pem = public.reveal("a public key to parse");
    let wrong = |setting, problem| IssuerError::Key { setting, algorithm, problem };
    // The library would also take a private key or a certificate, and pick the wrong part of it.
    if !std::str::from_utf8(pem).is_ok_and(|text| text.contains("PUBLIC KEY-----")) {
        return Err(wrong("public_key_file", "it has no `PUBLIC KEY` block"));
    }
    let key = match algorithm.family() {
        Family::Hmac | Family::Rsa | Family::RsaPss => DecodingKey::from_rsa_pem(pem),
        Family::P256 | Family::P384 => DecodingKey::from_ec_pem(pem),
        Family::Ed25519 => DecodingKey::from_ed_pem(pem),
    }
    .map_err(|_| wrong("public_key_file", "it is a key of another sort, or damaged"))?;
    let length = key.try_get_as_bytes().map_or(0, <[u8]>::len);
    let fits = match algorithm.family() {
        Family::Hmac => false,
        // The modulus of 2048 bits alone has 256 bytes.
        Family::Rsa | Family::RsaPss => length > 256,
        Family::P256 => length == 65,
        Family::P384 => length == 97,
        Family::Ed25519 => length == 32,
    };
    if !fits {
        return Err(wrong("public_key_file", "it is too short, or a key for another algorithm"));
    }
    let signing = match config.private_key_file.as_deref() {
        None => None,
        Some(path) => {
            let private = secret_of("private_key", None, Some(path), read)?;
            Some(signing_key(algorithm, private.reveal("a private key to parse"), &key)?)
        }
    };
    Ok((key, signing))
}

/// Reads the private key and checks that it is the other half of the public one.
fn signing_key(algorithm: Algorithm, pem: &[u8], public: &DecodingKey) -> Result<EncodingKey, IssuerError> {
    let wrong = |problem| IssuerError::Key { setting: "private_key_file", algorithm, problem };
    let key = match algorithm.family() {
        Family::Hmac | Family::Rsa | Family::RsaPss => EncodingKey::from_rsa_pem(pem),
        Family::P256 | Family::P384 => EncodingKey::from_ec_pem(pem),
        Family::Ed25519 => EncodingKey::from_ed_pem(pem),
    }
    .map_err(|_| wrong("it is a key of another sort, or damaged"))?;
    const PROBE: &[u8] = b"doorward checks that two keys belong together";
    let signature = jsonwebtoken::crypto::sign(PROBE, &key, algorithm.in_library())
        .map_err(|_| wrong("it cannot sign with that algorithm"))?;
    match jsonwebtoken::crypto::verify(&signature, PROBE, public, algorithm.in_library()) {
        Ok(true) => Ok(key),
        _ => Err(wrong("it does not belong to the public key")),
    }
}
