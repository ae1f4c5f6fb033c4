//! Tokens as an issuer or a forger makes them, without the library that reads them: any header, any claims, any signature.

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der},
    hmac,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
        RsaKeyPair,
    },
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};

/// A key that tokens are signed with.
pub enum TestKey {
    /// HS256, HS384 or HS512, by the length of the code that its algorithm makes.
    Hmac(hmac::Algorithm, Vec<u8>),
    /// EdDSA.
    Ed25519(Box<Ed25519KeyPair>),
    /// ES256.
    P256(Box<EcdsaKeyPair>),
    /// RS256.
    Rsa(Box<RsaKeyPair>),
    /// PS256.
    RsaPss(Box<RsaKeyPair>),
    /// No signature at all, as `alg: none` has it.
    None,
}

#[expect(clippy::unwrap_used, reason = "a test tells by a panic that something does not hold")]
impl TestKey {
    /// HS256 with that secret.
    pub fn secret(secret: &[u8]) -> Self {
        Self::Hmac(hmac::HMAC_SHA256, secret.to_vec())
    }

    /// A new key for EdDSA.
    pub fn ed25519() -> Self {
        Self::Ed25519(Box::new(Ed25519KeyPair::generate().unwrap()))
    }

    /// A new key for ES256.
    pub fn p256() -> Self {
        Self::P256(Box::new(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()))
    }

    /// A new key for RS256, of 2048 bits.
    pub fn rsa() -> Self {
        Self::Rsa(Box::new(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()))
    }

    /// The same RSA key, for PS256.
    pub fn into_pss(self) -> Self {
        match self {
            Self::Rsa(pair) => Self::RsaPss(pair),
            other => other,
        }
    }

    /// The public key in PEM; empty for secrets.
    pub fn public_pem(&self) -> String {
        let der = |der: PublicKeyX509Der<'_>| pem("PUBLIC KEY", der.as_ref());
        match self {
            Self::Hmac(..) | Self::None => String::new(),
            Self::Ed25519(pair) => der(pair.public_key().as_der().unwrap()),
            Self::P256(pair) => der(pair.public_key().as_der().unwrap()),
            Self::Rsa(pair) | Self::RsaPss(pair) => der(pair.public_key().as_der().unwrap()),
        }
    }

    /// The public key of EdDSA as its 32 bytes (RFC 8032); nothing for all others.
    pub fn public_bytes(&self) -> Vec<u8> {
        match self {
            Self::Ed25519(pair) => pair.public_key().as_ref().to_vec(),
            _ => Vec::new(),
        }
    }

    /// The public key as issuers publish it (RFC 7517), under that name; what has none gives an empty object.
    pub fn jwk(&self, kid: &str) -> Value {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::Hmac(..) | Self::None => json!({}),
            Self::Ed25519(_) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "kid": kid, "use": "sig", "x": encode(&self.public_bytes()) })
            }
            Self::P256(pair) => {
                // One byte that says that both coordinates follow.
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                json!({ "kty": "EC", "crv": "P-256", "kid": kid, "use": "sig", "x": encode(x), "y": encode(y) })
            }
            Self::Rsa(pair) | Self::RsaPss(pair) => {
                // Of 2048 bits the DER is always of one form: nine bytes, the modulus, two bytes, the exponent.
                let der = pair.public_key().as_ref();
                json!({ "kty": "RSA", "kid": kid, "use": "sig", "n": encode(&der[9..265]), "e": encode(&der[267..]) })
            }
        }
    }

    /// The private key in PEM (PKCS #8); empty for secrets.
    pub fn private_pem(&self) -> String {
        let der = |der: Pkcs8V1Der<'_>| pem("PRIVATE KEY", der.as_ref());
        match self {
            Self::Hmac(..) | Self::None => String::new(),
            Self::Ed25519(pair) => der(pair.as_der().unwrap()),
            Self::P256(pair) => pem("PRIVATE KEY", pair.to_pkcs8v1().unwrap().as_ref()),
            Self::Rsa(pair) | Self::RsaPss(pair) => der(pair.as_der().unwrap()),
        }
    }

    /// The name of its algorithm.
    pub fn alg(&self) -> &'static str {
        match self {
            Self::Hmac(algorithm, _) if *algorithm == hmac::HMAC_SHA384 => "HS384",
            Self::Hmac(algorithm, _) if *algorithm == hmac::HMAC_SHA512 => "HS512",
            Self::Hmac(..) => "HS256",
            Self::Ed25519(_) => "EdDSA",
            Self::P256(_) => "ES256",
            Self::Rsa(_) => "RS256",
            Self::RsaPss(_) => "PS256",
            Self::None => "none",
        }
    }

    /// A signed token with exactly this header and these claims, whatever they are.
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        self.sign_text(&header.to_string(), &claims.to_string())
    }

    /// A signed token with these texts as header and claims: also such that are not JSON.
    pub fn sign_text(&self, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.signature(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    fn signature(&self, message: &[u8]) -> Vec<u8> {
        let rng = SystemRandom::new();
        let rsa = |pair: &RsaKeyPair, padding| {
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(padding, &rng, message, &mut signature).unwrap();
            signature
        };
        match self {
            Self::Hmac(algorithm, secret) => hmac::sign(&hmac::Key::new(*algorithm, secret), message).as_ref().to_vec(),
            Self::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Self::P256(pair) => pair.sign(&rng, message).unwrap().as_ref().to_vec(),
            Self::Rsa(pair) => rsa(pair, &RSA_PKCS1_SHA256),
            Self::RsaPss(pair) => rsa(pair, &RSA_PSS_SHA256),
            Self::None => Vec::new(),
        }
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at(rest.len().min(64));
        pem.push_str(line);
        pem.push('\n');
        rest = more;
    }
    pem.push_str(&format!("-----END {label}-----\n"));
    pem
}
