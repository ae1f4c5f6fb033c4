//! The server's own access tokens: the built-in site hands them to programs that have logged in, and ladders take them by the
//! issuer `doorward`.
//!
//! ```text
//! site -> program   access token   typ at+jwt, iss and aud doorward, owner, sub, username, sid, jti, amr, iat, exp
//! program -> gate   access token   layers `jwt` and `bearer`: signature, owner, and whether the login `sid` still holds
//! ```
//!
//! They are signed with the key under what upstreams are told, and differ from that by their `typ`.

use std::sync::Arc;

use doorward_auth::token::{AccessClaims, TokenError};
use doorward_backends::upstream::SigningKey;
use doorward_types::{Secret, Timestamp};
use doorward_web::TokenSigner;

/// Signs access tokens, and knows its own again.
#[derive(Clone, Debug)]
pub struct OwnTokens {
    key: Arc<SigningKey>,
}

impl OwnTokens {
    /// With the server's key.
    pub fn new(key: Arc<SigningKey>) -> Self {
        Self { key }
    }

    /// Signs.
    pub fn sign(&self, claims: &AccessClaims) -> Secret {
        Secret::from_text(self.key.sign(AccessClaims::TYPE, &claims.payload()))
    }

    /// What a token says, where it was signed here and has not expired. Whether its login still holds is another question.
    ///
    /// # Errors
    /// The rule that it broke.
    pub fn verify(&self, token: &Secret, now: Timestamp) -> Result<AccessClaims, TokenError> {
        AccessClaims::verify(token, self.key.public(), now)
    }
}

impl TokenSigner for OwnTokens {
    fn sign(&self, claims: &AccessClaims) -> Secret {
        self.sign(claims)
    }

    fn verify(&self, token: &Secret, now: Timestamp) -> Option<AccessClaims> {
        self.verify(token, now).ok()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use doorward_auth::{ports::SystemRng, token::Issuer};
    use doorward_backends::upstream::ASSERTION_TYPE;
    use doorward_types::{AccountId, OwnerId, SessionId};

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_795_312_386);

    fn own_tokens() -> OwnTokens {
        OwnTokens::new(Arc::new(SigningKey::draw(&SystemRng).unwrap()))
    }

    fn claims(owner: &str) -> AccessClaims {
        AccessClaims {
            owner: OwnerId::new(owner),
            account: AccountId(7),
            username: "Bob \"☂\"".to_owned(),
            sid: SessionId::from_bytes([0xab; 16]),
            id: "1".to_owned(),
            factors: vec!["pwd".to_owned(), "otp".to_owned()],
            issued_at: NOW,
            expires_at: NOW.plus(Duration::from_mins(10)),
        }
    }

    #[test]
    fn a_token_says_what_was_signed_until_it_expires() {
        let tokens = own_tokens();
        let token = tokens.sign(&claims("acme"));
        assert_eq!(tokens.verify(&token, NOW), Ok(claims("acme")));
        assert_eq!(tokens.verify(&token, NOW.plus(Duration::from_secs(11 * 60))), Err(TokenError::Expired));
        assert_eq!(own_tokens().verify(&token, NOW), Err(TokenError::Signature));
    }

    #[test]
    fn a_token_is_for_the_gates_of_the_owner_that_it_names() {
        let tokens = own_tokens();
        let token = tokens.sign(&claims("acme"));
        let issuer = |owner| Issuer::own(&OwnerId::new(owner), tokens.key.public());
        assert_eq!(issuer("acme").verify(&token, NOW).unwrap().subject, AccountId(7).subject("Bob \"☂\""));
        assert_eq!(issuer("globex").verify(&token, NOW), Err(TokenError::Owner));
    }

    #[test]
    fn an_assertion_for_an_upstream_is_no_access_token_although_one_key_signs_both() {
        let tokens = own_tokens();
        let assertion = Secret::from_text(tokens.key.sign(ASSERTION_TYPE, &claims("acme").payload()));
        assert_eq!(tokens.verify(&assertion, NOW), Err(TokenError::Type));
    }
}
