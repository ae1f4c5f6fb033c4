use doorward_types::Secret;
use zeroize::Zeroizing;

use crate::{
    crypto::{hmac_sha256, sha256},
    ports::Rng,
};

/// How many recovery codes an account has.
pub const RECOVERY_CODES: usize = 10;

/// Crockford's base32: the letters that are taken for digits or for each other are left out.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// How many characters are in a group.
const GROUP: usize = 4;
/// No code is longer.
const LONGEST: usize = 32;

/// A code that stands in for a lost phone, once: 24 characters, 120 bits.
///
/// So many need no slow hash (OWASP ASVS 6.5.2): a code is looked up by its hash, and one login does not cost ten times argon2.
/// A person types one once in years.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoveryCode(Secret);

/// A key that the website shows and that is typed into a socket: a public part of four characters, by which a wrong try is
/// counted against the right key, and a secret one. A key of a person's has 40 secret bits: it lives two minutes, is used once,
/// and few tries are free. One of a machine's has 130.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryKey(Secret);

/// The server's key for the hashes of short codes: whoever has the store and not this key cannot try codes against it.
#[derive(Clone, Debug)]
pub struct CodeKey(Secret);

impl RecoveryCode {
    const CHARACTERS: usize = 24;

    /// Draws the recovery codes of an account.
    pub fn draw_all(rng: &dyn Rng) -> [Self; RECOVERY_CODES] {
        std::array::from_fn(|_| Self(draw(Self::CHARACTERS, rng)))
    }

    /// Reads what was typed, as [`EntryKey::read`] does; `None` where no recovery code can look so.
    pub fn read(typed: &Secret) -> Option<Self> {
        read(typed).filter(|code| code.len() == Self::CHARACTERS).map(Self)
    }

    /// The code in groups of four.
    pub fn shown(&self) -> Secret {
        grouped(&self.0, b'-')
    }

    /// The hash under which it is kept.
    pub fn hash(&self) -> [u8; 32] {
        sha256(&[b"doorward recovery code v1\0", self.0.reveal("to hash it")])
    }
}

impl EntryKey {
    const ID: usize = 4;
    const PERSON: usize = Self::ID + 8;
    const MACHINE: usize = Self::ID + 26;

    /// Draws a key that a person copies from the website into a socket.
    pub fn draw_for_person(rng: &dyn Rng) -> Self {
        Self(draw(Self::PERSON, rng))
    }

    /// Draws a key that a machine fetches from the website and sends into a socket.
    pub fn draw_for_machine(rng: &dyn Rng) -> Self {
        Self(draw(Self::MACHINE, rng))
    }

    /// Reads what was typed; `None` where no key can look so.
    ///
    /// What people do when they copy is forgiven: case, spaces and dashes do not count, `O` is `0`, `I` and `L` are `1`.
    pub fn read(typed: &Secret) -> Option<Self> {
        read(typed).filter(|code| matches!(code.len(), Self::PERSON | Self::MACHINE)).map(Self)
    }

    /// The key in groups of four: `K7QF-3M9D-TTX2`.
    pub fn shown(&self) -> Secret {
        grouped(&self.0, b'-')
    }

    /// The public part.
    pub fn id(&self) -> &str {
        self.parts().0
    }

    /// The hash under which the secret part is kept: HMAC-SHA-256 with the server's key.
    pub fn hash(&self, key: &CodeKey) -> [u8; 32] {
        hmac_sha256(&key.0, self.parts().1.as_bytes())
    }

    /// Public and secret part. Characters of the alphabet have one byte each, and there are more than [`Self::ID`].
    fn parts(&self) -> (&str, &str) {
        let text = self.0.reveal_text("to take the public part off").unwrap_or_default();
        text.split_at_checked(Self::ID).unwrap_or_default()
    }
}

impl CodeKey {
    /// From 32 bytes that only the server has.
    pub(super) fn new(bytes: Secret) -> Self {
        Self(bytes)
    }
}

fn draw(characters: usize, rng: &dyn Rng) -> Secret {
    let mut bytes = Zeroizing::new([0; LONGEST]);
    rng.fill(bytes.as_mut());
    // 256 is a multiple of 32: each character is as likely as any.
    bytes.iter_mut().for_each(|byte| *byte = ALPHABET[usize::from(*byte & 31)]);
    Secret::new(&bytes[..characters])
}

fn read(typed: &Secret) -> Option<Secret> {
    let mut read = Zeroizing::new(Vec::with_capacity(LONGEST));
    for byte in typed.reveal("to read the code") {
        let character = match byte.to_ascii_uppercase() {
            b' ' | b'-' | b'\t' | b'\r' | b'\n' => continue,
            b'O' => b'0',
            b'I' | b'L' => b'1',
            other if ALPHABET.contains(&other) => other,
            _ => return None,
        };
        if read.len() == LONGEST {
            return None;
        }
        read.push(character);
    }
    Some(Secret::new(read.as_slice()))
}

/// In groups of four, so that it can be typed.
pub(super) fn grouped(code: &Secret, between: u8) -> Secret {
    let groups: Vec<_> = code.reveal("to show it").chunks(GROUP).collect();
    Secret::new(groups.join(&between))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{account::KeyEncryptionKey, ports::SystemRng};

    fn key(text: &str) -> Option<EntryKey> {
        EntryKey::read(&Secret::from_text(text))
    }

    fn shape(shown: &Secret) -> Vec<usize> {
        shown.reveal_text("test").unwrap().split('-').map(str::len).collect()
    }

    #[test]
    fn a_code_is_shown_in_groups_and_read_back() {
        for (drawn, groups) in [
            (EntryKey::draw_for_person(&SystemRng), vec![4; 3]),
            (EntryKey::draw_for_machine(&SystemRng), vec![4, 4, 4, 4, 4, 4, 4, 2]),
        ] {
            assert_eq!(shape(&drawn.shown()), groups);
            assert_eq!(EntryKey::read(&drawn.shown()), Some(drawn));
        }
        for drawn in RecoveryCode::draw_all(&SystemRng) {
            assert_eq!(shape(&drawn.shown()), [4; 6]);
            assert_eq!(RecoveryCode::read(&drawn.shown()), Some(drawn));
        }
    }

    #[test]
    fn what_people_do_to_a_code_is_forgiven() {
        let code = key("K0QF-1M91-0000").unwrap();
        for typed in ["k0qf1m910000", " KOQF iM9L oOoO ", "k-o-q-f-l-m-9-i-0-0-0-0", "kOqf\t1m9I\n0000"] {
            assert_eq!(key(typed), Some(code.clone()), "{typed}");
        }
        assert_eq!(code.id(), "K0QF");
        assert_ne!(key("K0QF-1M92-0000"), Some(code));
    }

    #[test]
    fn what_cannot_be_a_code_is_none() {
        let [long, huge] = [31, 1_000_000].map(|length| "0".repeat(length));
        for typed in
            ["", "K0QF-1M9", "K0QF-1M91-0000-1", "K0QF-1M9U-0000", "K0QF_1M91_0000", "K0QF-1M9Ø-0000", &long, &huge]
        {
            assert_eq!(key(typed), None, "{typed:.20}");
        }
        assert_eq!(RecoveryCode::read(&Secret::from_text("K0QF-1M91-0000")), None);
    }

    #[test]
    fn ten_recovery_codes_are_ten_and_none_is_like_another() {
        let codes: BTreeSet<_> = RecoveryCode::draw_all(&SystemRng).iter().map(RecoveryCode::hash).collect();
        assert_eq!(codes.len(), RECOVERY_CODES);
    }

    #[test]
    fn codes_print_stars() {
        assert_eq!(format!("{:?}", EntryKey::draw_for_person(&SystemRng)), "EntryKey(****)");
        assert_eq!(format!("{:?}", &RecoveryCode::draw_all(&SystemRng)[0]), "RecoveryCode(****)");
    }

    #[test]
    fn without_the_servers_key_the_hash_of_a_short_code_says_nothing() {
        let code = key("K0QF-1M91-0000").unwrap();
        let [one, other] =
            [1, 2].map(|byte| KeyEncryptionKey::from_secret(Secret::new([byte; 32])).unwrap().code_key());
        assert_eq!(code.hash(&one), code.hash(&one));
        assert_ne!(code.hash(&one), code.hash(&other));
        assert_ne!(code.hash(&one), key("K0QF-1M91-0001").unwrap().hash(&one));
        assert_eq!(
            code.hash(&one),
            key("AAAA-1M91-0000").unwrap().hash(&one),
            "the public part is looked up beside it"
        );
    }
}
