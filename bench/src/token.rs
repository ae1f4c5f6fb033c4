//! The tokens that the load generator shows: HS256 JSON Web Tokens (RFC 7515, 7519) of the type `at+jwt` (RFC 9068).

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

/// Name under which Doorward's configuration knows the issuer.
pub(crate) const ISSUER: &str = "https://bench.example";
/// For whom the tokens are.
pub(crate) const AUDIENCE: &str = "bench";

/// A token for `subject`, signed with `secret`, valid for an hour from `now` (seconds since 1970).
pub(crate) fn sign(secret: &[u8], subject: &str, now: u64) -> String {
    let header = URL_SAFE_NO_PAD.encode(json!({"alg": "HS256", "typ": "at+jwt"}).to_string());
    let claims = json!({"iss": ISSUER, "aud": AUDIENCE, "sub": subject, "iat": now, "exp": now + 3600});
    let mut token = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), token.as_bytes());
    token.push('.');
    token.push_str(&URL_SAFE_NO_PAD.encode(tag.as_ref()));
    token
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn part(token: &str, index: usize) -> Value {
        let text = token.split('.').nth(index).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
    }

    #[test]
    fn a_token_says_who_for_whom_and_how_long() {
        let token = sign(&[7; 32], "user-1", 1_000);
        assert_eq!(part(&token, 0), json!({"alg": "HS256", "typ": "at+jwt"}));
        let claims = part(&token, 1);
        assert_eq!(claims["sub"], "user-1");
        assert_eq!(claims["iss"], ISSUER);
        assert_eq!(claims["aud"], AUDIENCE);
        assert_eq!(claims["exp"], 4_600);
    }

    #[test]
    fn the_signature_is_over_header_and_claims_with_the_secret() {
        let token = sign(&[7; 32], "user-1", 1_000);
        let (signed, tag) = token.rsplit_once('.').unwrap();
        let tag = URL_SAFE_NO_PAD.decode(tag).unwrap();
        let with = |secret: [u8; 32]| {
            hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, &secret), signed.as_bytes(), &tag).is_ok()
        };
        assert!(with([7; 32]));
        assert!(!with([8; 32]));
    }
}
