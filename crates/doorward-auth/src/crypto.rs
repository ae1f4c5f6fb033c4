//! The few primitives that layers use, in the shapes that they use them in.

use aws_lc_rs::{
    digest, hmac,
    signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use doorward_types::Secret;

/// SHA-256 over the parts, one after the other.
pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = digest::Context::new(&digest::SHA256);
    parts.iter().for_each(|part| hash.update(part));
    let mut bytes = [0; 32];
    bytes.copy_from_slice(hash.finish().as_ref());
    bytes
}

/// HMAC-SHA-256 (RFC 2104).
pub(crate) fn hmac_sha256(key: &Secret, message: &[u8]) -> [u8; 32] {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.reveal("the key of an HMAC"));
    let mut bytes = [0; 32];
    bytes.copy_from_slice(hmac::sign(&key, message).as_ref());
    bytes
}

/// The public half of an Ed25519 key pair (RFC 8032); `None` where the seed has not 32 bytes.
pub(crate) fn ed25519_public(seed: &Secret) -> Option<[u8; 32]> {
    let pair = Ed25519KeyPair::from_seed_unchecked(seed.reveal("to derive the public half")).ok()?;
    pair.public_key().as_ref().try_into().ok()
}

/// Whether the signature over the message was made with the other half of that key.
pub(crate) fn ed25519_verifies(public: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ED25519, public).verify(message, signature).is_ok()
}

/// Lowercase hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// base64url without padding (RFC 4648, section 5).
pub(crate) fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads canonical base64url without padding.
pub(crate) fn from_base64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}
