use std::sync::LazyLock;

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use doorward_auth::token::{Issuer, IssuerConfig, Token, TokenError};
use doorward_types::{OwnerId, Secret, Timestamp};
use serde_json::{Map, Value, json};

/// Between the header and the claims of an input of [`signed_token`].
const BETWEEN: u8 = 0x1e;
/// What the tokens here are signed with. It protects nothing.
const SECRET: &str = "a secret of the fuzz targets, which protects nothing";
/// The time at which they are read, in seconds since 1970.
pub(crate) const NOW: u64 = 1_800_000_000;
/// How far the clock of an issuer may be off, in seconds.
const LEEWAY: u64 = 5;
/// The longest token, in bytes.
const LONGEST: usize = 8 * 1024;

const ISSUER: &str = "https://issuer.example";
const AUDIENCE: &str = "doorward";

/// The compact form of a signed token: what a plain reading of the grammar refuses is refused for its form, and nothing else is; and
/// what is believed is signed.
pub fn compact_token(data: &[u8]) {
    let read = verified(Secret::new(data));
    let is_unfit =
        matches!(read, Err(TokenError::NotText | TokenError::TooLong | TokenError::Segments | TokenError::Encoding(_)));
    assert_eq!(is_unfit, !is_compact(data), "another form than the grammar's: {read:?}");
    assert!(read.is_err() || is_signed(data), "a token is believed that nobody has signed");
}

/// Tokens with a right signature, whatever was signed: the signature is never what is wrong; and what another JSON parser reads in
/// the header and the claims of a token that is believed is what has to stand there.
///
/// `data` is the header, a byte `0x1e`, and the claims.
pub fn signed_token(data: &[u8]) {
    let Some(place) = data.iter().position(|byte| *byte == BETWEEN) else { return };
    let (header, claims) = (data.get(..place).unwrap_or_default(), data.get(place + 1..).unwrap_or_default());
    if header.is_empty() || claims.is_empty() {
        return;
    }
    let text = sign(header, claims);
    let is_long = text.len() > LONGEST;
    match verified(Secret::from_text(text)) {
        Ok(token) => {
            assert!(!is_long, "a token is too long");
            check(&object(header), &object(claims), &token);
        }
        Err(error) => {
            assert_eq!(error == TokenError::TooLong, is_long, "the length is told by {error:?}");
            let is_well_formed = !matches!(
                error,
                TokenError::NotText | TokenError::Segments | TokenError::Encoding(_) | TokenError::Signature
            );
            assert!(is_well_formed, "what is right is refused: {error:?}");
        }
    }
}

/// Signs a header and claims, whatever they are.
pub(crate) fn sign(header: &[u8], claims: &[u8]) -> String {
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = hmac::sign(&key(), signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// A header and claims that are taken, to start from.
pub(crate) fn good() -> (Value, Value) {
    let header = json!({ "alg": "HS256", "typ": "at+jwt" });
    let claims = json!({ "iss": ISSUER, "aud": AUDIENCE, "sub": "bob", "iat": NOW - 60, "exp": NOW + 60, "jti": "1", "sid": "2" });
    (header, claims)
}

fn key() -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes())
}

fn verified(token: Secret) -> Result<Token, TokenError> {
    static TABLE: LazyLock<Issuer> = LazyLock::new(table);
    TABLE.verify(&token, Timestamp::from_secs(NOW))
}

#[expect(clippy::expect_used, reason = "the table is written here, and a mistake in it is one of this file")]
fn table() -> Issuer {
    let config: IssuerConfig = serde_json::from_value(json!({
        "name": "fuzz", "issuer": ISSUER, "audience": AUDIENCE, "algorithms": ["HS256"], "secret": SECRET,
    }))
    .expect("it has every key that it needs");
    Issuer::build(&config, &OwnerId::new("acme"), &|_| Err("there are no files here".to_owned()))
        .expect("the secret is long enough")
}

/// Three segments of base64url (RFC 4648, section 5) without padding, each in the one spelling that it has.
fn is_compact(data: &[u8]) -> bool {
    let segments: Vec<&[u8]> = data.split(|byte| *byte == b'.').collect();
    data.len() <= LONGEST && segments.len() == 3 && segments.into_iter().all(is_canonical)
}

/// Four characters are three bytes. What the last of fewer says beyond whole bytes has to be zero.
fn is_canonical(segment: &[u8]) -> bool {
    let value = |byte: &u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'-' => Some(62),
        b'_' => Some(63),
        _ => None,
    };
    let Some(last) = segment.last().and_then(value) else { return false };
    let ends_well = match segment.len() % 4 {
        0 => true,
        2 => last & 0x0f == 0,
        3 => last & 0x03 == 0,
        _ => false,
    };
    ends_well && segment.iter().all(|byte| value(byte).is_some())
}

fn is_signed(data: &[u8]) -> bool {
    let Some(dot) = data.iter().rposition(|byte| *byte == b'.') else { return false };
    let (signed, signature) = (data.get(..dot).unwrap_or_default(), data.get(dot + 1..).unwrap_or_default());
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
    hmac::verify(&key(), signed, &signature).is_ok()
}

fn object(json: &[u8]) -> Map<String, Value> {
    let read = serde_json::from_slice(json);
    assert!(matches!(read, Ok(Value::Object(_))), "another parser reads no object");
    if let Ok(Value::Object(object)) = read { object } else { Map::new() }
}

fn check(header: &Map<String, Value>, claims: &Map<String, Value>, token: &Token) {
    assert_eq!(header.get("alg"), Some(&json!("HS256")), "another algorithm");
    let typ = header.get("typ").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
    assert!(["at+jwt", "application/at+jwt"].contains(&&*typ), "another sort of token: {typ}");
    for never in ["crit", "jwk", "jku", "x5u", "x5c", "enc", "zip", "b64"] {
        assert!(!header.contains_key(never), "`{never}` is taken");
    }

    let text = |name| claims.get(name).and_then(Value::as_str);
    let seconds = |name| claims.get(name).and_then(Value::as_u64);
    assert_eq!(text("iss"), Some(ISSUER), "another issuer");
    let is_for_us = match claims.get("aud") {
        Some(Value::Array(list)) => list.contains(&json!(AUDIENCE)),
        one => one == Some(&json!(AUDIENCE)),
    };
    assert!(is_for_us, "another audience");
    assert!(text("sub").is_some_and(|sub| sub == token.subject.pk && !sub.is_empty()), "another subject");
    assert_eq!(seconds("exp").map(Timestamp::from_secs), Some(token.expires_at));
    assert_eq!(seconds("iat").map(Timestamp::from_secs), Some(token.issued_at));
    assert!(seconds("exp").is_some_and(|exp| NOW < exp.saturating_add(LEEWAY)), "it has expired");
    assert!(seconds("iat").is_some_and(|iat| iat <= NOW + LEEWAY), "it is from the future");
    assert!(claims.get("nbf").is_none_or(|nbf| nbf.as_u64().is_some_and(|nbf| nbf <= NOW + LEEWAY)), "it is too early");
    assert_eq!((text("jti"), text("sid")), (token.id.as_deref(), token.sid.as_deref()));
    assert!(!claims.contains_key("events"), "a logout token is taken");
}
