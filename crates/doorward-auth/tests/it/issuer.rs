//! Issuers: which keys they may have, and the tokens that they make.

use std::{path::Path, time::Duration};

use doorward_auth::{
    settings::NoSecret,
    token::{Algorithm, Issuer, IssuerConfig, IssuerError, KeysAt, MintError},
};
use doorward_testkit::{SeededRng, World, tokens::TestKey};
use doorward_types::Secret;
use serde_json::{Value, json};

use crate::support::{issuer, key, later};

fn built(config: Value, files: &[(&str, String)]) -> Result<(), IssuerError> {
    let mut whole = json!({ "name": "site", "issuer": "https://site.example", "audience": "doorward" });
    whole.as_object_mut().unwrap().extend(config.as_object().unwrap().clone());
    let config: IssuerConfig = serde_json::from_value(whole).unwrap();
    let read = |path: &Path| {
        let file = files.iter().find(|(name, _)| path.to_str() == Some(name));
        file.map(|(_, text)| Secret::from_text(text.as_str())).ok_or_else(|| "no such file".to_owned())
    };
    Issuer::build(&config, &World::owner(), &read).map(|_| ())
}

#[test]
fn an_issuer_has_one_key_of_one_family() {
    let secret = "0123456789abcdef0123456789abcdef";
    assert_eq!(built(json!({ "algorithms": ["HS256", "HS512"], "secret": secret }), &[]), Ok(()));
    assert_eq!(built(json!({ "algorithms": [], "secret": secret }), &[]), Err(IssuerError::NoAlgorithm));
    let mixed = |a, b| IssuerError::MixedFamilies(a, b);
    let both = |names: [&str; 2]| built(json!({ "algorithms": names, "secret": secret }), &[]);
    assert_eq!(both(["HS256", "RS256"]), Err(mixed(Algorithm::HS256, Algorithm::RS256)));
    assert_eq!(both(["RS256", "PS256"]), Err(mixed(Algorithm::RS256, Algorithm::PS256)));
    assert_eq!(both(["ES256", "ES384"]), Err(mixed(Algorithm::ES256, Algorithm::ES384)));
    assert_eq!(
        built(json!({ "algorithms": ["EdDSA"], "secret": secret }), &[]),
        Err(IssuerError::WrongKeySort("secret", Algorithm::EdDSA))
    );
    assert_eq!(
        built(json!({ "algorithms": ["HS256"], "secret": secret, "public_key_file": "x" }), &[]),
        Err(IssuerError::WrongKeySort("public_key_file", Algorithm::HS256))
    );
    assert_eq!(built(json!({ "algorithms": ["EdDSA"] }), &[]), Err(IssuerError::NoPublicKey(Algorithm::EdDSA)));
    assert_eq!(built(json!({ "algorithms": ["HS256"] }), &[]), Err(NoSecret::Missing("secret").into()));
    assert!(serde_json::from_value::<Algorithm>(json!("none")).is_err());
}

#[test]
fn keys_come_from_one_place() {
    let with = |more: Value| {
        let mut config = json!({ "algorithms": ["EdDSA"], "jwks_url": "https://site.example/keys" });
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        built(config, &[("ca.pem", "certificates".to_owned())])
    };
    assert_eq!(with(json!({ "ca_file": "ca.pem", "allow_private": true })), Ok(()));
    let twice = |one, other| Err(IssuerError::KeysTwice(one, other));
    assert_eq!(with(json!({ "public_key_file": "pub" })), twice("public_key_file", "jwks_url"));
    assert_eq!(with(json!({ "private_key_file": "priv" })), twice("private_key_file", "jwks_url"));
    assert_eq!(with(json!({ "secret": "s" })), twice("secret", "jwks_url"));
    assert_eq!(with(json!({ "discover": true })), twice("jwks_url", "discover"));
    let hmac = Err(IssuerError::WrongKeySort("jwks_url", Algorithm::HS256));
    assert_eq!(with(json!({ "algorithms": ["HS256"] })), hmac, "whoever can fetch a secret can sign");
    let missing = NoSecret::Unreadable { path: "gone.pem".into(), reason: "no such file".to_owned() };
    assert_eq!(with(json!({ "ca_file": "gone.pem" })), Err(missing.into()));
    let in_file = |more: Value| {
        let mut config = json!({ "algorithms": ["EdDSA"], "public_key_file": "pub" });
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        built(config, &[("pub", TestKey::ed25519().public_pem())])
    };
    assert_eq!(in_file(json!({ "ca_file": "ca.pem" })), Err(IssuerError::NothingFetched("ca_file")));
    assert_eq!(in_file(json!({ "allow_private": true })), Err(IssuerError::NothingFetched("allow_private")));
}

#[test]
fn keys_are_fetched_from_an_address_within_a_time() {
    let with = |more: Value| {
        let mut config = json!({ "algorithms": ["EdDSA"] });
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        built(config, &[])
    };
    assert_eq!(with(json!({ "discover": true })), Ok(()));
    let plain = with(json!({ "jwks_url": "http://site.example/keys" })).unwrap_err();
    assert!(plain.to_string().starts_with("`jwks_url` is no address that keys can be fetched from: it begins with"));
    let no_url = with(json!({ "discover": true, "issuer": "accounts" })).unwrap_err();
    assert!(matches!(no_url, IssuerError::Address { setting: "issuer", .. }), "{no_url}");
    for (setting, value) in [("fetch_timeout", "0s"), ("fetch_timeout", "2m"), ("max_stale", "25h")] {
        let error = with(json!({ "discover": true, setting: value })).unwrap_err();
        assert!(matches!(error, IssuerError::Span { .. }), "{setting} {value}: {error}");
    }
    assert_eq!(with(json!({ "discover": true, "max_stale": "0s" })), Ok(()));
}

#[test]
fn the_description_of_an_issuer_is_below_its_own_address() {
    for issuer in ["https://host/realms/NAME", "https://host/realms/NAME/"] {
        let config = json!({
            "name": "site", "issuer": issuer, "audience": "doorward", "algorithms": ["RS256"], "discover": true,
        });
        let config: IssuerConfig = serde_json::from_value(config).unwrap();
        let built = Issuer::build(&config, &World::owner(), &|_| Err("no such file".to_owned())).unwrap();
        let place = built.key_place().unwrap();
        assert_eq!(place.issuer, issuer);
        let description = "https://host/realms/NAME/.well-known/openid-configuration";
        assert_eq!(place.at, KeysAt::Discovery(description.to_owned()));
    }
}

#[test]
fn a_secret_has_at_least_32_bytes() {
    let of = |length: usize| built(json!({ "algorithms": ["HS256"], "secret": "x".repeat(length) }), &[]);
    assert_eq!(of(31), Err(IssuerError::ShortSecret(31)));
    assert_eq!(of(32), Ok(()));
    assert_eq!(built(json!({ "algorithms": ["HS256"], "secret_file": "f" }), &[("f", "x".repeat(32))]), Ok(()));
}

#[test]
fn a_key_file_has_the_key_that_the_algorithm_needs() {
    let (ed, p256, rsa) = (TestKey::ed25519(), TestKey::p256(), TestKey::rsa());
    let public = |algorithm: &str, pem: String| {
        built(json!({ "algorithms": [algorithm], "public_key_file": "pub" }), &[("pub", pem)])
    };
    assert_eq!(public("EdDSA", ed.public_pem()), Ok(()));
    assert_eq!(public("PS512", rsa.public_pem()), Ok(()));
    let refused = [
        ("RS256", ed.public_pem()),
        ("EdDSA", p256.public_pem()),
        ("ES384", p256.public_pem()),
        ("ES256", rsa.public_pem()),
        ("RS256", rsa.private_pem()),
        ("EdDSA", ed.private_pem()),
        ("RS256", String::new()),
        ("RS256", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n".into()),
    ];
    for (algorithm, pem) in refused {
        let error = public(algorithm, pem).unwrap_err();
        assert!(matches!(error, IssuerError::Key { setting: "public_key_file", .. }), "{algorithm}: {error}");
    }
}

#[test]
fn a_private_key_has_to_be_the_other_half_of_the_public_one() {
    for (ours, other) in [
        (TestKey::ed25519(), TestKey::ed25519()),
        (TestKey::p256(), TestKey::p256()),
        (TestKey::rsa(), TestKey::ed25519()),
    ] {
        let with = |private: String| {
            let config = json!({ "algorithms": [ours.alg()], "public_key_file": "pub", "private_key_file": "priv" });
            built(config, &[("pub", ours.public_pem()), ("priv", private)])
        };
        assert_eq!(with(ours.private_pem()), Ok(()), "{}", ours.alg());
        let error = with(other.private_pem()).unwrap_err();
        assert!(matches!(error, IssuerError::Key { setting: "private_key_file", .. }), "{error}");
    }
}

#[test]
fn a_token_that_the_issuer_makes_is_one_that_it_takes() {
    let rng = SeededRng::new(3);
    let minute = Duration::from_secs(60);
    for profile in ["oauth", "plain", "keycloak"] {
        for key in [key(), TestKey::ed25519(), TestKey::p256(), TestKey::rsa()] {
            let mut more = json!({ "profile": profile, "clients": ["cli"] });
            if key.alg() != "HS256" {
                more["private_key_file"] = "private.pem".into();
            }
            let issuer = issuer(&key, more);
            let claims = json!({ "groups": ["a"] }).as_object().unwrap().clone();
            let token = issuer.mint("7", minute, claims, World::NOW, &rng).unwrap();
            let read = issuer.verify(&token, World::NOW).unwrap();
            assert_eq!((read.subject.pk.as_str(), read.expires_at), ("7", later(60)), "{profile} {}", key.alg());
            assert_eq!(read.keep(["groups"])["groups"], ["a"]);
            assert!(read.id.is_some());
        }
    }
    let reads_only = issuer(&TestKey::ed25519(), json!({}));
    assert_eq!(reads_only.mint("7", minute, Default::default(), World::NOW, &rng).unwrap_err(), MintError::NoKey);
    let claims = json!({ "exp": 1 }).as_object().unwrap().clone();
    let refused = issuer(&key(), json!({})).mint("7", minute, claims, World::NOW, &rng);
    assert_eq!(refused.unwrap_err(), MintError::Reserved("exp"));
}
