use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use doorward_types::Secret;

use super::CodeKey;
use crate::{
    crypto::{hex, hmac_sha256, sha256},
    ports::Rng,
};

/// The first byte of what is sealed so.
const VERSION: u8 = 1;
/// How many bytes of a key's id stand in the header.
const ID: usize = 8;
/// Version, id of the key, nonce.
const HEADER: usize = 1 + ID + NONCE_LEN;

/// The key under which secrets are kept in a store: whoever has the store alone cannot read them.
///
/// 256 bits of the server's own. The file it is kept in is no business of this crate.
#[derive(Clone, Debug)]
pub struct KeyEncryptionKey {
    id: [u8; ID],
    key: Secret,
}

/// A secret as a store keeps it: version, id of the key, nonce, and AES-256-GCM's ciphertext and tag.
///
/// The nonce is drawn. At 2^32 sealings under one key two of them may be the same (NIST SP 800-38D, 8.3), which a server
/// that seals once for an enrolment does not come near.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed(Vec<u8>);

/// Why a sealed secret does not open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotOpened {
    /// It is too short, or of another version.
    #[error("it was not sealed by this server, or is cut off")]
    Form,
    /// It was sealed under another key.
    #[error("it is sealed under the key {sealed_under}, and this server has the key {have}")]
    OtherKey {
        /// The id of the key that it was sealed under.
        sealed_under: String,
        /// The id of the key that there is.
        have: String,
    },
    /// It was changed, or belongs to another row.
    #[error("it was changed since it was sealed, or belongs to another row")]
    Tampered,
}

impl KeyEncryptionKey {
    /// How many bytes a key has.
    pub const BYTES: usize = 32;

    /// Draws a key.
    pub fn draw(rng: &dyn Rng) -> Self {
        Self::of(Secret::new(rng.bytes32()))
    }

    /// From the bytes that are kept; `None` where there are not [`Self::BYTES`] of them.
    pub fn from_secret(key: Secret) -> Option<Self> {
        (key.len() == Self::BYTES).then(|| Self::of(key))
    }

    fn of(key: Secret) -> Self {
        let mut id = [0; ID];
        id.copy_from_slice(&sha256(&[b"doorward key id v1\0", key.reveal("to name it")])[..ID]);
        Self { id, key }
    }

    /// The bytes, to be kept in a place of their own.
    pub fn secret(&self) -> &Secret {
        &self.key
    }

    /// The id by which what is sealed names its key: public, and says nothing of the key.
    pub fn id(&self) -> String {
        hex(&self.id)
    }

    /// The key for the hashes of short codes, which follows from this one.
    pub fn code_key(&self) -> CodeKey {
        CodeKey::new(Secret::new(hmac_sha256(&self.key, b"doorward code key v1")))
    }

    /// Seals a secret for the row of that name (`totp/acme/7`): in another row it does not open.
    ///
    /// # Panics
    /// Never: a key has 32 bytes by its type, and no secret comes near the 64 GiB that AES-GCM seals at once.
    pub fn seal(&self, secret: &Secret, row: &str, rng: &dyn Rng) -> Sealed {
        let mut nonce = [0; NONCE_LEN];
        rng.fill(&mut nonce);
        let mut sealed = Vec::with_capacity(HEADER + secret.len() + AES_256_GCM.tag_len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&self.id);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(secret.reveal("to seal it"));
        let aad = aad(&sealed[..HEADER], row);
        let (_, in_place) = sealed.split_at_mut(HEADER);
        let nonce = Nonce::assume_unique_for_key(nonce);
        #[expect(clippy::expect_used, reason = "see above: the two ways in which it can fail cannot be reached")]
        let tag =
            self.cipher().seal_in_place_separate_tag(nonce, Aad::from(aad), in_place).expect("it is short enough");
        sealed.extend_from_slice(tag.as_ref());
        Sealed(sealed)
    }

    /// Opens what was sealed for that row.
    ///
    /// # Errors
    /// [`NotOpened`]; nothing of the secret is given out before all of it is known to be whole.
    pub fn open(&self, sealed: &Sealed, row: &str) -> Result<Secret, NotOpened> {
        let Some((header, body)) = sealed.0.split_at_checked(HEADER) else {
            return Err(NotOpened::Form);
        };
        let (version, id) = (header[0], &header[1..=ID]);
        if version != VERSION {
            return Err(NotOpened::Form);
        }
        if id != self.id {
            return Err(NotOpened::OtherKey { sealed_under: hex(id), have: self.id() });
        }
        let nonce = Nonce::try_assume_unique_for_key(&header[1 + ID..]).map_err(|_| NotOpened::Form)?;
        let mut body = zeroize::Zeroizing::new(body.to_vec());
        let opened = self.cipher().open_in_place(nonce, Aad::from(aad(header, row)), &mut body);
        opened.map(|secret| Secret::new(&*secret)).map_err(|_| NotOpened::Tampered)
    }

    fn cipher(&self) -> LessSafeKey {
        #[expect(clippy::expect_used, reason = "a key has 32 bytes by its type, which is what the cipher asks for")]
        let key = UnboundKey::new(&AES_256_GCM, self.key.reveal("the key of the cipher")).expect("32 bytes");
        LessSafeKey::new(key)
    }
}

impl Sealed {
    /// As a store gives it back.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes, to be stored.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// The bytes, to be looked at.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The id of the key that it says it was sealed under.
    pub fn key_id(&self) -> Option<String> {
        self.0.get(1..=ID).map(hex)
    }
}

/// Header and row are not secret, and have to be the same when it is opened.
fn aad(header: &[u8], row: &str) -> Vec<u8> {
    [header, row.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::SystemRng;

    const ROW: &str = "totp/acme/7";

    fn key(byte: u8) -> KeyEncryptionKey {
        KeyEncryptionKey::from_secret(Secret::new([byte; 32])).unwrap()
    }

    fn sealed() -> Sealed {
        key(1).seal(&Secret::from_text("a seed of twenty byt"), ROW, &SystemRng)
    }

    #[test]
    fn what_is_sealed_opens_under_its_key_in_its_row() {
        assert_eq!(key(1).open(&sealed(), ROW), Ok(Secret::from_text("a seed of twenty byt")));
        assert_ne!(sealed(), sealed(), "each has a nonce of its own");
        assert!(!sealed().as_bytes().windows(6).any(|bytes| bytes == b"a seed"));
        let empty = key(1).seal(&Secret::new([]), ROW, &SystemRng);
        assert_eq!(key(1).open(&empty, ROW), Ok(Secret::new([])));
    }

    #[test]
    fn under_another_key_it_does_not_open_and_says_which() {
        let error = key(2).open(&sealed(), ROW).unwrap_err();
        assert_eq!(error, NotOpened::OtherKey { sealed_under: key(1).id(), have: key(2).id() });
        assert_eq!(sealed().key_id(), Some(key(1).id()));
        // Even where the header claims the other key.
        let mut bytes = sealed().as_bytes().to_vec();
        bytes[1..=ID].copy_from_slice(&key(2).id);
        assert_eq!(key(2).open(&Sealed::from_bytes(bytes), ROW), Err(NotOpened::Tampered));
    }

    #[test]
    fn in_another_row_it_does_not_open() {
        assert_eq!(key(1).open(&sealed(), "totp/acme/8"), Err(NotOpened::Tampered));
        assert_eq!(key(1).open(&sealed(), ""), Err(NotOpened::Tampered));
    }

    #[test]
    fn no_byte_of_it_can_be_changed_or_left_out() {
        let whole = sealed();
        for place in 0..whole.as_bytes().len() {
            let mut bytes = whole.as_bytes().to_vec();
            bytes[place] ^= 1;
            assert!(key(1).open(&Sealed::from_bytes(bytes), ROW).is_err(), "byte {place}");
            let short = whole.as_bytes()[..place].to_vec();
            assert!(key(1).open(&Sealed::from_bytes(short), ROW).is_err(), "{place} bytes");
        }
        let long = [whole.as_bytes(), b"x"].concat();
        assert_eq!(key(1).open(&Sealed::from_bytes(long), ROW), Err(NotOpened::Tampered));
    }

    #[test]
    fn a_key_has_256_bits_and_prints_stars() {
        assert!(KeyEncryptionKey::from_secret(Secret::new([0; 31])).is_none());
        assert!(KeyEncryptionKey::from_secret(Secret::new([0; 33])).is_none());
        let key = KeyEncryptionKey::draw(&SystemRng);
        assert!(format!("{key:?}").contains("key: ****"), "{key:?}");
        assert_eq!(key.id().len(), 16);
    }
}
