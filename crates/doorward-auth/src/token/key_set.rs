//! The keys that an issuer publishes (JWKS, RFC 7517), as it publishes them: many sorts for many ends, of which those are taken
//! that signatures of its access tokens may be verified with.

use std::{sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::DecodingKey;
use serde_json::{Map, Value};

use super::{Algorithm, issuer::Family};
use crate::strict_json;

/// How many keys are taken of one set.
const AT_MOST: usize = 64;

/// The keys of one issuer.
#[derive(Clone, Default)]
pub struct KeySet {
    keys: Vec<Published>,
    fresh_for: Option<Duration>,
}

#[derive(Clone)]
struct Published {
    id: Option<String>,
    /// The only algorithm that it is for; all of the issuer's where it does not say.
    algorithm: Option<Algorithm>,
    key: Arc<DecodingKey>,
}

/// What is published is no set of keys that tokens could be verified with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnreadableKeySet {
    /// It is not a JSON object, or a name stands twice in it.
    #[error("it is not a JSON object without doubles")]
    Json,
    /// It has no list of keys.
    #[error("it has no list `keys` (RFC 7517, section 5)")]
    NoList,
    /// None of the keys fits.
    #[error("none of its {0} keys is a public key for signatures by the issuer's algorithms")]
    NoneFits(usize),
}

impl KeySet {
    /// Reads those keys that are for signatures by one of the algorithms, all of one family, and no more than 64 of them. Private
    /// keys, secrets, keys for encryption, of other sorts, too short ones and such that anybody signs by are passed over.
    ///
    /// # Errors
    /// It is no key set, or none of its keys fits.
    pub fn read(document: &[u8], algorithms: &[Algorithm]) -> Result<Self, UnreadableKeySet> {
        let document = strict_json::object(document).map_err(|_| UnreadableKeySet::Json)?;
        let Some(Value::Array(list)) = document.get("keys") else { return Err(UnreadableKeySet::NoList) };
        let mut keys: Vec<Published> = Vec::new();
        for published in list.iter().filter_map(|key| Published::read(key.as_object()?, algorithms)).take(AT_MOST) {
            // Of two with one name nobody could say which is meant.
            if published.id.is_none() || keys.iter().all(|key| key.id != published.id) {
                keys.push(published);
            }
        }
        if keys.is_empty() { Err(UnreadableKeySet::NoneFits(list.len())) } else { Ok(Self { keys, fresh_for: None }) }
    }

    /// Says for how long whoever publishes them calls them fresh (`Cache-Control: max-age`, RFC 9111).
    #[must_use]
    pub fn fresh_for(self, max_age: Option<Duration>) -> Self {
        Self { fresh_for: max_age, ..self }
    }

    /// For how long it is called fresh.
    pub(super) fn max_age(&self) -> Option<Duration> {
        self.fresh_for
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The key that a token names in its header (`kid`). One that names none can only mean the one that there is.
    pub(super) fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Option<Arc<DecodingKey>> {
        let mut fit = self.keys.iter().filter(|key| key.algorithm.is_none_or(|only| only == algorithm));
        let found = match id {
            Some(id) => fit.find(|key| key.id.as_deref() == Some(id)),
            None => fit.next().filter(|_| fit.next().is_none()),
        };
        found.map(|found| Arc::clone(&found.key))
    }
}

impl std::fmt::Debug for KeySet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ids = self.keys.iter().map(|key| key.id.as_deref());
        f.debug_list().entries(ids).finish()
    }
}

impl Published {
    fn read(jwk: &Map<String, Value>, algorithms: &[Algorithm]) -> Option<Self> {
        // Whoever publishes the private part has nothing to sign with any more.
        const NEVER: [&str; 9] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];
        if NEVER.into_iter().any(|name| jwk.contains_key(name)) {
            return None;
        }
        if jwk.get("use").is_some_and(|end| end != "sig") {
            return None;
        }
        let verifies = |ends: &Value| ends.as_array().is_some_and(|ends| ends.iter().any(|end| end == "verify"));
        if !jwk.get("key_ops").is_none_or(verifies) {
            return None;
        }
        let algorithm = match jwk.get("alg") {
            None => None,
            Some(named) => Some(*algorithms.iter().find(|known| named == known.as_str())?),
        };
        let id = match jwk.get("kid") {
            None => None,
            Some(id) => Some(id.as_str()?.to_owned()),
        };
        let key = Arc::new(key(jwk, algorithms.first()?.family())?);
        Some(Self { id, algorithm, key })
    }
}

/// The key itself (RFC 7518, section 6; RFC 8037, section 2), where it is one of that family.
fn key(jwk: &Map<String, Value>, family: Family) -> Option<DecodingKey> {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    let bytes = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?).ok();
    let of_length = |name: &str, length| bytes(name).filter(|bytes| bytes.len() == length).and(text(name));
    let curve = |curve, length| {
        if (text("kty"), text("crv")) != (Some("EC"), Some(curve)) {
            return None;
        }
        DecodingKey::from_ec_components(of_length("x", length)?, of_length("y", length)?).ok()
    };
    match family {
        Family::Hmac => None,
        Family::Rsa | Family::RsaPss => {
            let (modulus, exponent) = (bytes("n")?, bytes("e")?);
            let length = modulus.iter().skip_while(|byte| **byte == 0).count();
            // 2048 bits are 256 bytes; more than 8192 are work that somebody else chooses.
            let fits = text("kty") == Some("RSA") && (256..=1024).contains(&length) && is_exponent(&exponent);
            fits.then(|| DecodingKey::from_rsa_raw_components(&modulus, &exponent))
        }
        Family::P256 => curve("P-256", 32),
        Family::P384 => curve("P-384", 48),
        Family::Ed25519 => {
            let is_ours = (text("kty"), text("crv")) == (Some("OKP"), Some("Ed25519"));
            bytes("x").filter(|x| is_ours && x.len() == 32).map(|x| DecodingKey::from_ed_der(&x))
        }
    }
}

/// Whether an RSA key can have that exponent: one that is odd and no less than three, in four bytes at the most. By an exponent of one
/// everybody signs.
fn is_exponent(bytes: &[u8]) -> bool {
    let value = bytes.iter().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
    bytes.len() <= 4 && value >= 3 && value % 2 == 1
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const RS: &[Algorithm] = &[Algorithm::RS256, Algorithm::RS512];

    fn rsa(id: &str, more: Value) -> Value {
        let mut jwk = json!({ "kty": "RSA", "kid": id, "n": URL_SAFE_NO_PAD.encode([0x8f; 256]), "e": "AQAB" });
        jwk.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        jwk
    }

    fn read(keys: Value, algorithms: &[Algorithm]) -> Result<KeySet, UnreadableKeySet> {
        KeySet::read(json!({ "keys": keys }).to_string().as_bytes(), algorithms)
    }

    #[test]
    fn keys_for_other_ends_and_of_other_sorts_are_passed_over() {
        let point = URL_SAFE_NO_PAD.encode([7; 32]);
        let others = json!([
            rsa("encrypts", json!({ "use": "enc" })),
            rsa("wraps", json!({ "key_ops": ["wrapKey"] })),
            rsa("odd", json!({ "key_ops": "verify" })),
            rsa("other", json!({ "alg": "RSA-OAEP" })),
            rsa("pss", json!({ "alg": "PS256" })),
            rsa("hmac", json!({ "alg": "HS256" })),
            rsa("private", json!({ "d": "AQAB" })),
            rsa("short", json!({ "n": URL_SAFE_NO_PAD.encode([0x8f; 255]) })),
            rsa("padded", json!({ "n": URL_SAFE_NO_PAD.encode([&[0; 9][..], &[0x8f; 250]].concat()) })),
            rsa("huge", json!({ "n": URL_SAFE_NO_PAD.encode([0x8f; 1025]) })),
            rsa("slow", json!({ "e": "AQAAAAE" })),
            rsa("everybody's", json!({ "e": "AQ" })),
            rsa("even", json!({ "e": "AQAA" })),
            rsa("no exponent", json!({ "e": "" })),
            rsa("nameless", json!({ "kid": 7 })),
            rsa("curve", json!({ "kty": "EC" })),
            { "kty": "oct", "kid": "secret", "k": "c2VjcmV0" },
            { "kty": "EC", "crv": "P-256", "kid": "ec", "x": point, "y": point },
            "no key", null, 7,
        ]);
        assert_eq!(read(others.clone(), RS).unwrap_err(), UnreadableKeySet::NoneFits(21));
        let mut with = others;
        with.as_array_mut().unwrap().push(rsa("good", json!({ "use": "sig", "alg": "RS256", "key_ops": ["verify"] })));
        let set = read(with, RS).unwrap();
        assert_eq!(format!("{set:?}"), "[Some(\"good\")]");
        assert!(set.find(Some("good"), Algorithm::RS256).is_some());
        assert!(set.find(Some("good"), Algorithm::RS512).is_none(), "the key is for another algorithm");
    }

    #[test]
    fn each_family_takes_its_own_keys() {
        let (short, long) = (URL_SAFE_NO_PAD.encode([7; 32]), URL_SAFE_NO_PAD.encode([7; 48]));
        let keys = json!([
            rsa("rsa", json!({})),
            { "kty": "EC", "crv": "P-256", "kid": "p256", "x": short, "y": short },
            { "kty": "EC", "crv": "P-384", "kid": "p384", "x": long, "y": long },
            { "kty": "EC", "crv": "P-256", "kid": "long", "x": long, "y": long },
            { "kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": short },
            { "kty": "OKP", "crv": "X25519", "kid": "x", "x": short },
        ]);
        for (algorithm, id) in [
            (Algorithm::RS256, "rsa"),
            (Algorithm::PS256, "rsa"),
            (Algorithm::ES256, "p256"),
            (Algorithm::ES384, "p384"),
            (Algorithm::EdDSA, "ed"),
        ] {
            assert_eq!(format!("{:?}", read(keys.clone(), &[algorithm]).unwrap()), format!("[Some({id:?})]"));
        }
        assert!(read(keys, &[Algorithm::HS256]).is_err(), "a published secret is none");
    }

    #[test]
    fn what_is_no_key_set_is_told_apart_from_one_without_a_fitting_key() {
        for text in ["", "<html>", "[]", "{\"keys\":[],\"keys\":[]}", "{\"keys\":[]} more"] {
            assert_eq!(KeySet::read(text.as_bytes(), RS).unwrap_err(), UnreadableKeySet::Json, "{text}");
        }
        assert_eq!(KeySet::read(b"{\"keys\":{}}", RS).unwrap_err(), UnreadableKeySet::NoList);
        assert_eq!(KeySet::read(b"{\"error\":\"no realm\"}", RS).unwrap_err(), UnreadableKeySet::NoList);
        assert_eq!(read(json!([]), RS).unwrap_err(), UnreadableKeySet::NoneFits(0));
    }

    #[test]
    fn of_a_long_list_sixty_four_are_taken_and_of_one_name_the_first() {
        let many: Vec<_> = (0..100).map(|number| rsa(&number.to_string(), json!({}))).collect();
        assert_eq!(read(many.into(), RS).unwrap().len(), 64);
        assert_eq!(read(json!([rsa("a", json!({})), rsa("a", json!({}))]), RS).unwrap().len(), 1);
    }

    #[test]
    fn a_token_that_names_no_key_means_the_only_one_there_is() {
        let (one, two) = (json!([rsa("a", json!({}))]), json!([rsa("a", json!({})), rsa("b", json!({}))]));
        assert!(read(one, RS).unwrap().find(None, Algorithm::RS256).is_some());
        assert!(read(two, RS).unwrap().find(None, Algorithm::RS256).is_none());
    }
}
