use std::{collections::BTreeMap, sync::Arc, time::Duration};

use doorward_types::{Secret, Subject, Timestamp, is_name};
use jsonwebtoken::DecodingKey;
use serde_json::{Map, Value};

use super::{Algorithm, Issuer, Profile, TokenError, compact::Compact, issuer::Keys};
use crate::ports::{Clock, PortError};

/// How far the clocks of issuer and gate may be apart.
const LEEWAY: Duration = Duration::from_secs(5);

/// What a verified token says.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    /// Who it is about.
    pub subject: Subject,
    /// When it expires.
    pub expires_at: Timestamp,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// Its own id (`jti`), where it has one.
    pub id: Option<String>,
    /// The login that it comes from (`sid`), where it has one.
    pub sid: Option<String>,
    claims: Map<String, Value>,
}

impl Token {
    /// Until when a token that is taken at the time `now` proves its subject: until it expires; or, where the leeway alone still
    /// lets it in, until that ends.
    pub(crate) fn proves_until(&self, now: Timestamp) -> Timestamp {
        if now < self.expires_at { self.expires_at } else { self.expires_at.plus(LEEWAY) }
    }

    /// From when on no clock that is taken could still let it in, so that a mark of its use may be forgotten.
    pub(crate) fn forgettable_at(&self) -> Timestamp {
        self.expires_at.plus(LEEWAY + Duration::from_secs(1))
    }

    /// The claims with these names, as lists of texts. All others are forgotten with the token.
    ///
    /// Texts and numbers become lists of one; a list keeps its texts and numbers. Anything else is left out.
    pub fn keep<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> BTreeMap<String, Vec<String>> {
        let mut kept = BTreeMap::new();
        for name in names {
            let values: Vec<String> = match self.claims.get(name) {
                Some(Value::Array(list)) => list.iter().filter_map(scalar).collect(),
                Some(value) => scalar(value).into_iter().collect(),
                None => continue,
            };
            kept.insert(name.to_owned(), values);
        }
        kept
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Why there is no verified token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotVerified {
    /// The token is none that is taken.
    #[error(transparent)]
    Broken(#[from] TokenError),
    /// The issuer's keys cannot be had: the token may be good, and may not.
    #[error(transparent)]
    Unavailable(#[from] PortError),
}

/// A token whose header is one that is taken.
struct Signed<'t> {
    compact: Compact<'t>,
    algorithm: Algorithm,
}

impl Signed<'_> {
    /// Which of the issuer's keys it says it is signed with.
    fn key_name(&self) -> Result<Option<&str>, TokenError> {
        self.compact.header.get("kid").map(|name| name.as_str().ok_or(TokenError::KeyName)).transpose()
    }
}

impl Issuer {
    /// Whether the token is one of this issuer's access tokens, valid at the time `now`; and what it says. Of keys that are
    /// fetched it takes those that are there already.
    ///
    /// The algorithm and the key come from the issuer's table. Of the token nothing is believed before its signature has
    /// been verified, and every claim that decides has to have the form that RFC 7519 gives it.
    ///
    /// # Errors
    /// The rule that the token breaks.
    pub fn verify(&self, token: &Secret, now: Timestamp) -> Result<Token, TokenError> {
        let signed = self.read(token)?;
        let key = match &self.keys {
            Keys::Here(key) => Some(Arc::clone(key)),
            Keys::At(_) => None,
            Keys::Fetched(ring) => ring.known(signed.key_name()?, signed.algorithm),
        };
        let key = key.ok_or(TokenError::UnknownKey)?;
        self.verify_by(&key, &signed, now)
    }

    /// As [`verify`](Self::verify), where keys that are not known are fetched first; valid at the time when the key is there.
    ///
    /// # Errors
    /// The rule that the token breaks; or the key that it names cannot be had, and nobody can say.
    pub async fn verify_fetching(&self, token: &Secret, clock: &dyn Clock) -> Result<Token, NotVerified> {
        let signed = self.read(token)?;
        let key = match &self.keys {
            Keys::Here(key) => Some(Arc::clone(key)),
            Keys::At(_) => {
                let detail = "nobody fetches them here".to_owned();
                return Err(PortError { port: "the key set of the issuer", detail }.into());
            }
            Keys::Fetched(ring) => ring.key(signed.key_name()?, signed.algorithm).await?,
        };
        let key = key.ok_or(TokenError::UnknownKey)?;
        Ok(self.verify_by(&key, &signed, clock.now())?)
    }

    /// Everything that can be refused without a key.
    fn read<'t>(&self, token: &'t Secret) -> Result<Signed<'t>, TokenError> {
        let text = token.reveal_text("a token to be verified").ok_or(TokenError::NotText)?;
        let compact = Compact::read(text)?;
        let algorithm = self.check_header(&compact.header)?;
        Ok(Signed { compact, algorithm })
    }

    fn verify_by(&self, key: &DecodingKey, signed: &Signed<'_>, now: Timestamp) -> Result<Token, TokenError> {
        let Signed { compact, algorithm } = signed;
        let (signature, message) = (compact.signature, compact.signed.as_bytes());
        if !matches!(jsonwebtoken::crypto::verify(signature, message, key, algorithm.in_library()), Ok(true)) {
            return Err(TokenError::Signature);
        }
        let claims = compact.claims()?;
        self.check_sort(&claims)?;
        self.check_parties(&claims)?;
        let (issued_at, expires_at) = check_times(&claims, now)?;
        Ok(Token {
            subject: self.subject(&claims)?,
            expires_at,
            issued_at,
            id: name(&claims, "jti")?,
            sid: name(&claims, "sid")?,
            claims,
        })
    }

    fn check_header(&self, header: &Map<String, Value>) -> Result<Algorithm, TokenError> {
        const NEVER: [&str; 8] = ["crit", "jwk", "jku", "x5u", "x5c", "enc", "zip", "b64"];
        if let Some(name) = NEVER.into_iter().find(|name| header.contains_key(*name)) {
            return Err(TokenError::HeaderParameter(name));
        }
        let named = header.get("alg").and_then(Value::as_str).ok_or(TokenError::Algorithm)?;
        let algorithm = self.algorithms.iter().find(|algorithm| algorithm.as_str() == named);
        let algorithm = *algorithm.ok_or(TokenError::Algorithm)?;
        let typ = match header.get("typ") {
            None => None,
            Some(Value::String(typ)) => {
                let typ = typ.to_ascii_lowercase();
                Some(typ.strip_prefix("application/").unwrap_or(&typ).to_owned())
            }
            Some(_) => return Err(TokenError::Type),
        };
        let fits = match (self.profile, typ.as_deref()) {
            (Profile::Oauth, typ) => typ == Some("at+jwt"),
            (Profile::Plain, typ) => matches!(typ, None | Some("jwt" | "at+jwt")),
            (Profile::Keycloak, typ) => typ == Some("jwt"),
        };
        if fits { Ok(algorithm) } else { Err(TokenError::Type) }
    }

    /// Refuses tokens that are signed with the same key for other ends.
    fn check_sort(&self, claims: &Map<String, Value>) -> Result<(), TokenError> {
        let text = |name| claims.get(name).map(|value| value.as_str().unwrap_or_default());
        // RFC 8417 events: a logout token, never an access token.
        if claims.contains_key("events") {
            return Err(TokenError::NotAnAccessToken);
        }
        if text("token_type").is_some_and(|sort| !sort.eq_ignore_ascii_case("bearer") && sort != "access") {
            return Err(TokenError::NotAnAccessToken);
        }
        let fits = match self.profile {
            Profile::Keycloak => text("typ") == Some("Bearer"),
            Profile::Oauth => text("typ").is_none_or(|typ| typ == "Bearer"),
            // What only ID tokens have (OpenID Connect Core, sections 2 and 3.1.3.6).
            Profile::Plain => {
                text("typ").is_none_or(|typ| typ == "Bearer")
                    && !["nonce", "at_hash", "c_hash"].into_iter().any(|name| claims.contains_key(name))
            }
        };
        if fits { Ok(()) } else { Err(TokenError::NotAnAccessToken) }
    }

    fn check_parties(&self, claims: &Map<String, Value>) -> Result<(), TokenError> {
        if required_text(claims, "iss")? != self.issuer {
            return Err(TokenError::Issuer);
        }
        let ours = match claims.get("aud") {
            None => return Err(TokenError::Missing("aud")),
            Some(Value::String(audience)) => *audience == self.audience,
            Some(Value::Array(list)) if list.iter().all(Value::is_string) => {
                list.iter().any(|audience| audience.as_str() == Some(&self.audience))
            }
            Some(_) => return Err(TokenError::ClaimForm("aud")),
        };
        if !ours {
            return Err(TokenError::Audience);
        }
        self.check_owner(claims)?;
        if self.clients.is_empty() {
            return Ok(());
        }
        // `azp` is OpenID Connect's and Keycloak's word, `client_id` that of RFC 9068.
        let client = claims.get("azp").or_else(|| claims.get("client_id")).and_then(Value::as_str);
        match client {
            Some(client) if self.clients.iter().any(|known| known == client) => Ok(()),
            _ => Err(TokenError::Client),
        }
    }

    fn subject(&self, claims: &Map<String, Value>) -> Result<Subject, TokenError> {
        if required_text(claims, "sub")?.is_empty() {
            return Err(TokenError::ClaimForm("sub"));
        }
        let named = |claim: &str| {
            let value = claims.get(claim).filter(|value| value.is_string() || value.is_u64()).and_then(scalar);
            value.filter(|text| is_name(text)).ok_or(TokenError::Subject)
        };
        let pk = named(&self.subject_claim)?;
        let uuid = match &self.uuid_claim {
            Some(claim) => named(claim)?,
            None => pk.clone(),
        };
        Ok(Subject { kind: self.subject_kind.clone(), pk, uuid })
    }
}

/// When it was issued and when it expires.
fn check_times(claims: &Map<String, Value>, now: Timestamp) -> Result<(Timestamp, Timestamp), TokenError> {
    let (now, leeway) = (now.as_secs(), LEEWAY.as_secs());
    let expires = seconds(claims, "exp")?.ok_or(TokenError::Missing("exp"))?;
    let issued = seconds(claims, "iat")?.ok_or(TokenError::Missing("iat"))?;
    let not_before = seconds(claims, "nbf")?.unwrap_or(0);
    if now >= expires.saturating_add(leeway) {
        return Err(TokenError::Expired);
    }
    if not_before > now.saturating_add(leeway) {
        return Err(TokenError::NotYet);
    }
    if issued > now.saturating_add(leeway) {
        return Err(TokenError::IssuedInFuture);
    }
    Ok((Timestamp::from_secs(issued), Timestamp::from_secs(expires)))
}

/// A time in whole seconds that are not negative: a fraction, a text or 2^64 is refused, where a lax reader would round.
fn seconds(claims: &Map<String, Value>, name: &'static str) -> Result<Option<u64>, TokenError> {
    match claims.get(name) {
        None => Ok(None),
        Some(value) => value.as_u64().map(Some).ok_or(TokenError::ClaimForm(name)),
    }
}

fn required_text<'a>(claims: &'a Map<String, Value>, name: &'static str) -> Result<&'a str, TokenError> {
    claims.get(name).ok_or(TokenError::Missing(name))?.as_str().ok_or(TokenError::ClaimForm(name))
}

fn name(claims: &Map<String, Value>, name: &'static str) -> Result<Option<String>, TokenError> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if is_name(text) => Ok(Some(text.clone())),
        Some(_) => Err(TokenError::ClaimForm(name)),
    }
}
