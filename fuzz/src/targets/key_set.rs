use doorward_auth::token::{Algorithm, KeySet, UnreadableKeySet};
use serde_json::Value;

/// A family of keys by one of its algorithms, and the `kty` of its keys.
const FAMILIES: [(Algorithm, &str); 6] = [
    (Algorithm::RS256, "RSA"),
    (Algorithm::PS256, "RSA"),
    (Algorithm::ES256, "EC"),
    (Algorithm::ES384, "EC"),
    (Algorithm::EdDSA, "OKP"),
    (Algorithm::HS256, "oct"),
];
/// The most keys that are taken of one set.
const MOST: usize = 64;

/// The keys that an issuer publishes (JWKS): those that are taken are among those that another JSON parser finds to be public, for
/// signatures and of the right sort; and never one that who verifies could also sign with.
///
/// The first byte of `data` says by which algorithm.
pub fn key_set(data: &[u8]) {
    let Some((&way, document)) = data.split_first() else { return };
    let Some((algorithm, sort)) = FAMILIES.get(usize::from(way) % FAMILIES.len()) else { return };
    let other = serde_json::from_slice::<Value>(document).ok();
    let list = other.as_ref().and_then(|document| document.get("keys")).and_then(Value::as_array);
    match KeySet::read(document, &[*algorithm]) {
        Ok(set) => {
            assert!(*algorithm != Algorithm::HS256, "a secret that is published is a key");
            let fit = list.map_or(0, |list| list.iter().filter(|key| may_verify(key, sort)).count());
            assert!((1..=fit.min(MOST)).contains(&set.len()), "{} keys of {fit} that fit", set.len());
        }
        Err(UnreadableKeySet::NoneFits(count)) => assert_eq!(Some(count), list.map(Vec::len)),
        Err(UnreadableKeySet::NoList) => assert!(other.is_some() && list.is_none(), "there is a list"),
        // Not JSON, no object, or something in it stands twice, which the other parser does not mind.
        Err(_) => {}
    }
}

fn may_verify(key: &Value, sort: &str) -> bool {
    let is_public = !["d", "p", "q", "k", "priv"].into_iter().any(|name| key.get(name).is_some());
    let is_for_signatures = key.get("use").is_none_or(|end| end == "sig");
    is_public && is_for_signatures && key.get("kty").is_some_and(|kty| kty == sort)
}
