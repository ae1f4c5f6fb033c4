use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use doorward_types::{Secret, Timestamp, TraceId};
use serde_json::{Map, Value, json};

use super::{Issuer, Profile};
use crate::ports::Rng;

/// Why a token could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MintError {
    /// Only a public key is known.
    #[error("the issuer has no `private_key_file`, so its tokens can be read but not made")]
    NoKey,
    /// A claim that the issuer's table or the clock decides.
    #[error("the claim `{0}` is set by the issuer and cannot be given")]
    Reserved(&'static str),
    /// Signing failed.
    #[error("the token could not be signed")]
    Signing,
}

impl Issuer {
    /// Makes an access token for `subject`, valid from `now` for `lifetime`, with these other claims.
    ///
    /// `subject` becomes `sub`; where the issuer names subjects by another claim, that one has to be among `claims`.
    pub fn mint(
        &self,
        subject: &str,
        lifetime: Duration,
        claims: Map<String, Value>,
        now: Timestamp,
        rng: &dyn Rng,
    ) -> Result<Secret, MintError> {
        const OURS: [&str; 6] = ["iss", "aud", "sub", "iat", "exp", "jti"];
        if let Some(name) = OURS.into_iter().find(|name| claims.contains_key(*name)) {
            return Err(MintError::Reserved(name));
        }
        let key = self.signing.as_ref().ok_or(MintError::NoKey)?;
        let &[algorithm, ..] = self.algorithms.as_slice() else { return Err(MintError::NoKey) };
        let mut claims = claims;
        claims.insert("iss".into(), self.issuer.as_str().into());
        claims.insert("aud".into(), self.audience.as_str().into());
        claims.insert("sub".into(), subject.into());
        claims.insert("iat".into(), now.as_secs().into());
        claims.insert("exp".into(), now.plus(lifetime).as_secs().into());
        // Any id that nobody can guess will do; a trace id has the right size and form.
        claims.insert("jti".into(), TraceId::from_bytes(rng.bytes16()).to_string().into());
        if let Some(client) = self.clients.first() {
            claims.entry("client_id").or_insert_with(|| client.as_str().into());
        }
        let typ = match self.profile {
            Profile::Oauth => "at+jwt",
            Profile::Plain => "JWT",
            Profile::Keycloak => {
                claims.insert("typ".into(), "Bearer".into());
                "JWT"
            }
        };
        let header = json!({ "alg": algorithm.as_str(), "typ": typ });
        let part = |value: &dyn std::fmt::Display| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&Value::Object(claims)));
        let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), key, algorithm.in_library())
            .map_err(|_| MintError::Signing)?;
        Ok(Secret::from_text(format!("{signed}.{signature}")))
    }
}
