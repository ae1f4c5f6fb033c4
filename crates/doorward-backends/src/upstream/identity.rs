//! Who a user is, told to an upstream.
//!
//! ```text
//! gate -> upstream   X-Doorward-Subject: member:7        X-Doorward-Uuid: bob
//!                    X-Doorward-Gate: fancy              X-Doorward-Owner: acme
//!                    X-Doorward-Socket: 3f..             X-Doorward-Trace: 90..
//!                    X-Doorward-Amr: pop,otp             X-Doorward-Claims: {"role":["admin"]}
//!                    X-Doorward-Path-room: 5             X-Doorward-Query-lang: de
//!                    X-Doorward-Assertion: eyJ...        the same, signed, for this upstream alone, for 60 s
//! ```
//!
//! The plain headers are for an upstream that only the gate can reach; the assertion can be checked by any.

use std::{collections::BTreeMap, time::Duration};

use doorward_types::{GateName, OwnerId, SocketId, Subject, Timestamp, TraceId};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;

use super::key::SigningKey;

/// How long an assertion holds: an upstream reads it when the connection is made.
pub const ASSERTION_HOLDS: Duration = Duration::from_secs(60);

/// The type of an assertion, `typ` in its header: nothing else that this server may sign can be taken for one.
pub const ASSERTION_TYPE: &str = "doorward+jwt";

/// The most bytes that the plain headers may have together, and the most that the assertion may have.
const AT_MOST: usize = 8 * 1024;

/// What an upstream is told about a user.
#[derive(Clone, Debug)]
pub(super) struct Facts<'a> {
    /// Who was proven, where a layer proved somebody.
    pub(super) subject: Option<&'a Subject>,
    /// The owner of the gate.
    pub(super) owner: &'a OwnerId,
    /// The gate.
    pub(super) gate: &'a GateName,
    /// The socket.
    pub(super) socket: SocketId,
    /// The decision.
    pub(super) trace: TraceId,
    /// How it was proven (RFC 8176), each method once.
    pub(super) amr: Vec<&'static str>,
    /// The claims that rules name.
    pub(super) claims: &'a BTreeMap<String, Vec<String>>,
    /// `path.NAME` and `query.NAME`.
    pub(super) variables: &'a BTreeMap<String, String>,
}

/// What there is to tell about a user does not fit into headers that every server takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what the upstream has to be told about the user takes {took} bytes, over the limit of {AT_MOST}")]
pub struct TooMuchToTell {
    /// Bytes.
    pub took: usize,
}

#[derive(Serialize)]
struct Assertion<'a> {
    iss: &'a str,
    aud: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<String>,
    jti: String,
    iat: u64,
    exp: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    uuid: Option<&'a str>,
    gate: &'a str,
    owner: &'a str,
    socket: String,
    trace: String,
    amr: &'a [&'static str],
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    claims: &'a BTreeMap<String, Vec<String>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    path: BTreeMap<&'a str, &'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    query: BTreeMap<&'a str, &'a str>,
}

/// Adds the plain headers to `headers`. Values are visible ASCII; every other byte, and `%`, is percent-encoded.
///
/// # Errors
/// [`TooMuchToTell`] rather than an identity that was cut.
pub(super) fn tell(facts: &Facts<'_>, headers: &mut HeaderMap) -> Result<(), TooMuchToTell> {
    let mut told = BTreeMap::new();
    let mut say = |name: &str, value: &str| {
        told.insert(format!("x-doorward-{name}"), encode(value));
    };
    if let Some(subject) = facts.subject {
        say("subject", &subject.to_string());
        say("uuid", &subject.uuid);
    }
    say("gate", facts.gate.as_str());
    say("owner", facts.owner.as_str());
    say("socket", &facts.socket.to_string());
    say("trace", &facts.trace.to_string());
    say("amr", &facts.amr.join(","));
    if let Some(claims) = (!facts.claims.is_empty()).then(|| serde_json::to_string(facts.claims).ok()).flatten() {
        say("claims", &claims);
    }
    for (name, value) in variables_as_headers(facts.variables) {
        say(&name, value);
    }
    let took = told.iter().map(|(name, value)| name.len() + value.len() + ": \r\n".len()).sum();
    if took > AT_MOST {
        return Err(TooMuchToTell { took });
    }
    for (name, value) in told {
        // Names and values were made of visible ASCII, so neither can fail.
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.insert(name, value);
        }
    }
    Ok(())
}

/// The assertion: the same facts as a JWT (RFC 7519), signed by the server, for the upstream at `audience`.
///
/// # Errors
/// [`TooMuchToTell`].
pub(super) fn assert(
    facts: &Facts<'_>,
    key: &SigningKey,
    issuer: &str,
    audience: &str,
    jti: [u8; 16],
    now: Timestamp,
) -> Result<String, TooMuchToTell> {
    let assertion = Assertion {
        iss: issuer,
        aud: audience,
        sub: facts.subject.map(ToString::to_string),
        jti: format!("{:032x}", u128::from_be_bytes(jti)),
        iat: now.as_secs(),
        exp: now.plus(ASSERTION_HOLDS).as_secs(),
        uuid: facts.subject.map(|subject| subject.uuid.as_str()),
        gate: facts.gate.as_str(),
        owner: facts.owner.as_str(),
        socket: facts.socket.to_string(),
        trace: facts.trace.to_string(),
        amr: &facts.amr,
        claims: facts.claims,
        path: named(facts.variables, "path."),
        query: named(facts.variables, "query."),
    };
    // Texts, numbers and maps with text keys: serialization cannot fail.
    let payload = serde_json::to_string(&assertion).unwrap_or_default();
    let token = key.sign(ASSERTION_TYPE, &payload);
    if token.len() > AT_MOST { Err(TooMuchToTell { took: token.len() }) } else { Ok(token) }
}

fn named<'a>(variables: &'a BTreeMap<String, String>, prefix: &str) -> BTreeMap<&'a str, &'a str> {
    variables.iter().filter_map(|(name, value)| Some((name.strip_prefix(prefix)?, value.as_str()))).collect()
}

/// Variables by the names of their headers. A user chooses the names in a query: a name that no header can have is left to the
/// assertion, and so are two that servers would fold into one (`a_b` and `A-B`).
fn variables_as_headers(variables: &BTreeMap<String, String>) -> impl Iterator<Item = (String, &str)> {
    let mut by_header: BTreeMap<String, Option<&str>> = BTreeMap::new();
    for (name, value) in variables {
        if (name.starts_with("path.") || name.starts_with("query."))
            && name.len() <= 64
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        {
            let header = name.to_ascii_lowercase().replace(['_', '.'], "-");
            by_header.entry(header).and_modify(|taken| *taken = None).or_insert(Some(value));
        }
    }
    by_header.into_iter().filter_map(|(name, value)| Some((name, value?)))
}

fn encode(value: &str) -> String {
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'%' => encoded.push_str("%25"),
            b'!'..=b'~' => encoded.push(char::from(byte)),
            other => {
                encoded.push('%');
                for nibble in [other >> 4, other & 15] {
                    encoded.push(char::from_digit(nibble.into(), 16).unwrap_or('0').to_ascii_uppercase());
                }
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::test::{Fixed, signing_key};
    use jsonwebtoken::{Algorithm, DecodingKey, Validation};
    use serde_json::{Value, json};

    struct Someone {
        subject: Subject,
        owner: OwnerId,
        gate: GateName,
        claims: BTreeMap<String, Vec<String>>,
        variables: BTreeMap<String, String>,
    }

    fn someone() -> Someone {
        let variable = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Someone {
            subject: Subject { kind: "member".into(), pk: "7".into(), uuid: "bob".into() },
            owner: OwnerId::new("acme"),
            gate: GateName::new("fancy"),
            claims: BTreeMap::from([("role".into(), vec!["admin".into()])]),
            variables: [("path.room", "5"), ("query.lang", "de")].map(variable).into(),
        }
    }

    impl Someone {
        fn facts(&self) -> Facts<'_> {
            Facts {
                subject: Some(&self.subject),
                owner: &self.owner,
                gate: &self.gate,
                socket: SocketId::from_bytes([0x3f; 16]),
                trace: TraceId::from_bytes([0x90; 16]),
                amr: vec!["pop", "otp"],
                claims: &self.claims,
                variables: &self.variables,
            }
        }
    }

    fn told(facts: &Facts<'_>) -> BTreeMap<String, String> {
        let mut headers = HeaderMap::new();
        tell(facts, &mut headers).unwrap();
        headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect()
    }

    #[test]
    fn an_upstream_is_told_who_it_is_and_how_that_was_proven() {
        let expected = [
            ("x-doorward-amr", "pop,otp"),
            ("x-doorward-claims", r#"{"role":["admin"]}"#),
            ("x-doorward-gate", "fancy"),
            ("x-doorward-owner", "acme"),
            ("x-doorward-path-room", "5"),
            ("x-doorward-query-lang", "de"),
            ("x-doorward-socket", "3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f"),
            ("x-doorward-subject", "member:7"),
            ("x-doorward-trace", "90909090909090909090909090909090"),
            ("x-doorward-uuid", "bob"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(told(&someone().facts()), BTreeMap::from(expected));
    }

    #[test]
    fn nobody_has_no_subject() {
        let someone = someone();
        let told = told(&Facts { subject: None, ..someone.facts() });
        assert!(!told.contains_key("x-doorward-subject") && !told.contains_key("x-doorward-uuid"));
    }

    #[test]
    fn a_value_is_visible_ascii_and_reads_back() {
        assert_eq!(encode("Zoë 100%\r\nX-Evil: 1\u{0}\u{7f}"), "Zo%C3%AB%20100%25%0D%0AX-Evil:%201%00%7F");
    }

    #[test]
    fn a_name_that_no_header_can_have_or_that_servers_would_fold_is_left_to_the_assertion() {
        let mut someone = someone();
        for name in
            ["query.a b", "query.x:y", "query.\u{fc}", "query.a_b", "query.A-B", "query.alone_x", "evil", "pathos.x"]
        {
            someone.variables.insert(name.into(), name.into());
        }
        someone.variables.insert(format!("query.{}", "n".repeat(64)), "long".into());
        let told = told(&someone.facts());
        let variables: Vec<_> = told.keys().filter(|name| name.contains("path") || name.contains("query")).collect();
        assert_eq!(variables, ["x-doorward-path-room", "x-doorward-query-alone-x", "x-doorward-query-lang"]);
        assert!(!told.contains_key("x-doorward-evil"));
        assert_eq!(named(&someone.variables, "query.")["a_b"], "query.a_b");
    }

    #[test]
    fn an_identity_is_refused_rather_than_cut() {
        let mut someone = someone();
        someone.variables.insert("query.long".into(), "x".repeat(AT_MOST));
        assert!(tell(&someone.facts(), &mut HeaderMap::new()).unwrap_err().took > AT_MOST);
        let refused = assert(&someone.facts(), &signing_key(), "iss", "aud", [1; 16], Timestamp::from_secs(1));
        assert!(refused.unwrap_err().took > AT_MOST);
        // The same bytes, each of which takes three when it is encoded.
        someone.variables.insert("query.long".into(), "\n".repeat(AT_MOST / 3));
        assert!(tell(&someone.facts(), &mut HeaderMap::new()).is_err());
    }

    fn validation(audience: &str) -> Validation {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_audience(&[audience]);
        validation.set_issuer(&["https://gate.example"]);
        validation.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
        validation.validate_exp = false;
        validation
    }

    #[test]
    fn an_assertion_is_read_by_a_foreign_reader_from_the_published_key() {
        let key = signing_key();
        let token = assert(
            &someone().facts(),
            &key,
            "https://gate.example",
            "ws://127.0.0.1:9000",
            [0x11; 16],
            Timestamp::from_secs(1_795_312_386),
        )
        .unwrap();

        let keys: jsonwebtoken::jwk::JwkSet = serde_json::from_str(&key.jwks()).unwrap();
        let header = jsonwebtoken::decode_header(&token).unwrap();
        assert_eq!(header.typ.as_deref(), Some("doorward+jwt"));
        let published = DecodingKey::from_jwk(keys.find(&header.kid.unwrap()).unwrap()).unwrap();
        let read = |audience| jsonwebtoken::decode::<Value>(&token, &published, &validation(audience));
        assert_eq!(
            read("ws://127.0.0.1:9000").unwrap().claims,
            json!({
                "iss": "https://gate.example", "aud": "ws://127.0.0.1:9000", "sub": "member:7",
                "jti": "11111111111111111111111111111111", "iat": 1_795_312_386_u64, "exp": 1_795_312_446_u64,
                "uuid": "bob", "gate": "fancy", "owner": "acme", "socket": "3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f",
                "trace": "90909090909090909090909090909090", "amr": ["pop", "otp"], "claims": {"role": ["admin"]},
                "path": {"room": "5"}, "query": {"lang": "de"},
            })
        );
        assert!(read("ws://127.0.0.1:9001").is_err(), "it is for one upstream alone");
    }

    #[test]
    fn an_assertion_that_was_changed_or_signed_by_another_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let other = SigningKey::load_or_make(&folder.path().join("key.pem"), &Fixed(9)).unwrap();
        let token = assert(&someone().facts(), &other, "https://gate.example", "aud", [1; 16], Timestamp::from_secs(1))
            .unwrap();
        let keys: jsonwebtoken::jwk::JwkSet = serde_json::from_str(&signing_key().jwks()).unwrap();
        let ours = DecodingKey::from_jwk(&keys.keys[0]).unwrap();
        assert!(jsonwebtoken::decode::<Value>(&token, &ours, &validation("aud")).is_err());
    }
}
