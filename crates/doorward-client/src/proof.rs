//! The proofs that a machine makes of what a gate shows. All texts are signed as they were shown.

use aws_lc_rs::{
    digest, hmac,
    signature::{Ed25519KeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use doorward_types::{KeyText, Secret, Transcript};

use crate::Abort;

/// An app key: signs, and never shows itself.
pub(crate) struct AppKey {
    pair: Ed25519KeyPair,
    /// The public id: the first 16 bytes of the SHA-256 of the public half, in lowercase hex.
    pub(crate) id: String,
}

impl AppKey {
    /// Reads `dwk_...`.
    pub(crate) fn read(text: &str) -> Result<Self, Abort> {
        let seed = KeyText::AppKey.read(text)?;
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.reveal("to derive the key pair"))
            .map_err(|_| Abort::new("the app key is not the seed of an Ed25519 key"))?;
        let hash = digest::digest(&digest::SHA256, pair.public_key().as_ref());
        let id = hash.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { pair, id })
    }

    /// Ed25519 (RFC 8032) over purpose, `owner`, `gate`, `nonce` and `key`, in base64url.
    pub(crate) fn sign(&self, owner: &str, gate: &str, nonce: &str) -> String {
        let transcript = Transcript::of(Transcript::APP_KEY)
            .field("owner", owner.as_bytes())
            .field("gate", gate.as_bytes())
            .field("nonce", nonce.as_bytes())
            .field("key", self.id.as_bytes());
        URL_SAFE_NO_PAD.encode(self.pair.sign(&transcript.into_bytes()))
    }
}

/// Reads the secret of a challenge: `dwc_...`, or at least 32 hexadecimal digits.
pub(crate) fn challenge_secret(text: &str) -> Result<Secret, Abort> {
    let text = text.trim();
    if text.starts_with(KeyText::Challenge.prefix()) {
        return Ok(KeyText::Challenge.read(text)?);
    }
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let pairs = text.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    });
    match pairs.collect::<Option<Vec<u8>>>() {
        Some(bytes) if bytes.len() >= 16 => Ok(Secret::new(bytes)),
        _ => Err(Abort::new("the secret of a challenge is `dwc_...` or at least 32 hexadecimal digits")),
    }
}

/// The right word of the statement, and the proof over all of it.
pub(crate) fn answer_challenge<'s>(
    secret: &Secret,
    gate: &str,
    nonce: &str,
    statement: &'s str,
) -> Option<(&'s str, String)> {
    let pick =
        Transcript::of(Transcript::CHALLENGE_PICK).field("gate", gate.as_bytes()).field("nonce", nonce.as_bytes());
    let mac = mac(secret, pick);
    let number = mac.as_ref().iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let words: Vec<&str> = statement.split(' ').collect();
    let place = number.checked_rem(words.len() as u64)?;
    let partial = *words.get(usize::try_from(place).ok()?)?;
    let proof = Transcript::of(Transcript::CHALLENGE)
        .field("gate", gate.as_bytes())
        .field("nonce", nonce.as_bytes())
        .field("statement", statement.as_bytes())
        .field("partial", partial.as_bytes());
    Some((partial, URL_SAFE_NO_PAD.encode(self::mac(secret, proof))))
}

fn mac(secret: &Secret, transcript: Transcript) -> hmac::Tag {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.reveal("the key of an HMAC"));
    hmac::sign(&key, &transcript.into_bytes())
}
