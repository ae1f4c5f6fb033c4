use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Bytes that must not be seen: they do not print, are compared in constant time, and are wiped when dropped.
///
/// There is deliberately no `Display`, no `Deref` and no serialization; the only way to the bytes is [`Secret::reveal`],
/// which asks the caller to say why.
#[derive(Clone)]
pub struct Secret(Zeroizing<Box<[u8]>>);

impl Secret {
    /// Takes ownership of raw bytes.
    pub fn new(bytes: impl Into<Box<[u8]>>) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    /// Takes a text as its UTF-8 bytes.
    pub fn from_text(text: impl Into<String>) -> Self {
        Self::new(text.into().into_bytes())
    }

    /// The bytes. `reason` says, for the reader of the call, why they have to be seen here; it is not used otherwise.
    pub fn reveal(&self, reason: &'static str) -> &[u8] {
        debug_assert!(!reason.is_empty(), "say why the secret is revealed");
        &self.0
    }

    /// The bytes as text, or `None` where they are not UTF-8.
    pub fn reveal_text(&self, reason: &'static str) -> Option<&str> {
        std::str::from_utf8(self.reveal(reason)).ok()
    }

    /// Whether this is the same as `other`; the time depends on the lengths alone.
    pub fn same_as(&self, other: &[u8]) -> bool {
        self.0.ct_eq(other).into()
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no bytes at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.same_as(&other.0)
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("****")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_prints_stars_whatever_its_length() {
        assert_eq!(format!("{:?}", Secret::from_text("")), "****");
        assert_eq!(format!("{:?}", Secret::from_text("a much longer one")), "****");
        assert_eq!(format!("{:#?}", Some(Secret::from_text("nested"))), "Some(\n    ****,\n)");
    }

    #[test]
    fn secrets_are_the_same_only_byte_for_byte() {
        let secret = Secret::from_text("abc");
        assert!(secret.same_as(b"abc"));
        assert!(!secret.same_as(b"abd"));
        assert!(!secret.same_as(b"ab"));
        assert!(!secret.same_as(b""));
    }
}
