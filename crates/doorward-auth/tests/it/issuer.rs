//! Issuers: which keys they may have, and the tokens that they make.

use std::{path::Path, time::Duration};

use doorward_auth::{
    settings::NoSecret,
    token::{Algorithm, Issuer, IssuerConfig, IssuerError, MintError},
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
