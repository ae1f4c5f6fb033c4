//! The keys that an issuer publishes.
//!
//! ```text
//! server -> issuer   get description        only where keys are discovered
//! issuer -> server   description            its `issuer` has to be ours, exactly
//! server -> issuer   get keys
//! issuer -> server   keys
//! ```

use std::fmt::Display;

use doorward_auth::{
    BoxFuture,
    ports::{IssuerKeys, PortError},
    strict_json,
    token::{KeyPlace, KeySet, KeysAt},
};
use doorward_client::Issuers;
use serde_json::Value;
use tokio::time::timeout;

use crate::{FetchError, Outbound, Rules};

impl IssuerKeys for Outbound {
    fn fetch<'a>(&'a self, place: &'a KeyPlace) -> BoxFuture<'a, Result<KeySet, PortError>> {
        Box::pin(async move {
            let fetched = timeout(place.within, self.keys(place)).await;
            fetched.unwrap_or_else(|_| Err(unavailable(FetchError::TooSlow(place.within))))
        })
    }
}

impl Outbound {
    async fn keys(&self, place: &KeyPlace) -> Result<KeySet, PortError> {
        let trusted = place.trusted.as_deref().map(Issuers::from_pem).transpose();
        let trusted = trusted.map_err(|error| unavailable(format_args!("`ca_file`: {error}")))?;
        let rules = Rules { trusted: trusted.as_ref(), allow_private: place.allow_private, within: place.within };
        let url = match &place.at {
            KeysAt::Url(url) => url.clone(),
            KeysAt::Discovery(at) => {
                let description = self.get_json(at, rules).await.map_err(|error| failed(at, error))?;
                address_in(&description.body, &place.issuer).map_err(|error| failed(at, error))?
            }
        };
        let document = self.get_json(&url, rules).await.map_err(|error| failed(&url, error))?;
        let keys = KeySet::read(&document.body, &place.algorithms).map_err(|error| failed(&url, error))?;
        Ok(keys.fresh_for(document.max_age))
    }
}

/// Where an issuer says that its keys are (OpenID Connect Discovery 1.0, sections 3 and 4.3).
fn address_in(description: &[u8], issuer: &str) -> Result<String, &'static str> {
    let description = strict_json::object(description).map_err(|_| "it is not a JSON object without doubles")?;
    let text = |name| description.get(name).and_then(Value::as_str);
    match text("issuer") {
        Some(says) if says == issuer => {}
        Some(_) => return Err("it describes another issuer: its `issuer` has to be the `issuer` here, to the letter"),
        None => return Err("it has no `issuer`"),
    }
    text("jwks_uri").map(str::to_owned).ok_or("it has no `jwks_uri`")
}

/// What went wrong there. What stands behind a `?` may be somebody's secret.
fn failed(url: &str, why: impl Display) -> PortError {
    let shown = url.split(['?', '#']).next().unwrap_or_default();
    unavailable(format_args!("{}: {why}", shown.escape_debug()))
}

fn unavailable(why: impl Display) -> PortError {
    PortError { port: "the key set of the issuer", detail: why.to_string() }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use doorward_auth::token::Algorithm;
    use doorward_testkit::tokens::TestKey;
    use serde_json::json;

    use super::*;
    use crate::fetch::tests::{Publisher, json};

    fn described_at(url: String) -> KeyPlace {
        KeyPlace {
            issuer: "https://a.example".to_owned(),
            at: KeysAt::Discovery(url),
            algorithms: vec![Algorithm::EdDSA],
            trusted: None,
            allow_private: true,
            within: Duration::from_secs(5),
            max_stale: Duration::ZERO,
        }
    }

    async fn described(jwks_uri: &str) -> Publisher {
        let description = json!({ "issuer": "https://a.example", "jwks_uri": jwks_uri });
        Publisher::saying(json(&description.to_string())).await
    }

    #[tokio::test]
    async fn keys_are_where_the_issuer_describes_them() {
        let keys = json!({ "keys": [TestKey::ed25519().jwk("1"), TestKey::ed25519().jwk("2")] });
        let keys = Publisher::saying(json(&keys.to_string())).await;
        let description = described(&keys.url("/keys")).await;
        let place = described_at(description.url("/.well-known/openid-configuration"));
        assert_eq!(Outbound::new().fetch(&place).await.unwrap().len(), 2);
        assert!(description.asked()[0].starts_with("GET /.well-known/openid-configuration "));
        assert!(keys.asked()[0].starts_with("GET /keys "));
        let place = KeyPlace { issuer: "https://b.example".to_owned(), ..place };
        let refused = Outbound::new().fetch(&place).await.unwrap_err();
        assert!(refused.to_string().contains("another issuer"), "{refused}");
        assert_eq!(keys.asked().len(), 1, "whose description is another's is not gone to");
    }

    #[tokio::test]
    async fn c52_what_an_issuer_describes_is_held_to_the_same_rules() {
        for (uri, said) in [
            ("http://169.254.169.254/latest/meta-data", "may not be connected to"),
            ("file:///etc/passwd", "it is no address"),
            ("/keys", "it is no address"),
        ] {
            let description = described(uri).await;
            let refused = Outbound::new().fetch(&described_at(description.url("/"))).await.unwrap_err();
            assert!(refused.to_string().contains(said), "{uri}: {refused}");
        }
        let page = Publisher::saying(json("<html>")).await;
        let place = KeyPlace { at: KeysAt::Url(page.url("/")), ..described_at(String::new()) };
        let refused = Outbound::new().fetch(&place).await.unwrap_err();
        assert!(refused.to_string().ends_with("it is not a JSON object without doubles"), "{refused}");
    }

    #[test]
    fn a_description_counts_where_it_is_of_that_very_issuer() {
        let of = |text: &str| address_in(text.as_bytes(), "https://a.example/realms/x");
        let ours = r#"{"issuer":"https://a.example/realms/x","jwks_uri":"https://a.example/keys"}"#;
        assert_eq!(of(ours).as_deref(), Ok("https://a.example/keys"));
        for issuer in ["https://a.example/realms/x/", "https://A.example/realms/x", "https://a.example/realms/y", ""] {
            let theirs = ours.replace("https://a.example/realms/x", issuer);
            assert!(of(&theirs).unwrap_err().contains("another issuer"), "{issuer}");
        }
        assert_eq!(of(r#"{"jwks_uri":"https://a.example/keys"}"#), Err("it has no `issuer`"));
        assert_eq!(of(r#"{"issuer":"https://a.example/realms/x"}"#), Err("it has no `jwks_uri`"));
        assert!(of(&ours.replace("\"jwks_uri\"", "\"issuer\"")).is_err(), "twice");
        assert!(of("<html>").is_err());
    }

    #[test]
    fn what_stands_behind_a_question_mark_is_not_told() {
        let said = failed("https://a.example/keys?token=s3cret", "no").to_string();
        assert_eq!(said, "the key set of the issuer is unavailable: https://a.example/keys: no");
    }
}
