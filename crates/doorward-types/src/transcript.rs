/// The exact bytes that a proof is made over: a purpose, then named fields, each with its length before it.
///
/// Two different lists of fields never give the same bytes, and a proof made for one purpose is worth nothing for another.
/// The form is: length and bytes of the purpose, then for each field length and bytes of its name, length and bytes of its
/// value; every length is four bytes, big endian.
///
/// ```
/// use doorward_types::Transcript;
/// let bytes = Transcript::of("doorward app_key v1").field("gate", b"fancy").into_bytes();
/// assert_eq!(&bytes[..4], &[0, 0, 0, 19]);
/// ```
#[derive(Clone, Debug)]
pub struct Transcript(Vec<u8>);

impl Transcript {
    /// The purpose of the proof of an app key (Ed25519 over `owner`, `gate`, `nonce`, `key`).
    pub const APP_KEY: &'static str = "doorward app_key v1";
    /// The purpose of the answer to a challenge (HMAC-SHA-256 over `gate`, `nonce`, `statement`, `partial`).
    pub const CHALLENGE: &'static str = "doorward challenge v1";
    /// The purpose of picking the part of a statement (HMAC-SHA-256 over `gate`, `nonce`).
    pub const CHALLENGE_PICK: &'static str = "doorward challenge pick v1";

    /// Starts a transcript for one purpose.
    pub fn of(purpose: &'static str) -> Self {
        let mut transcript = Self(Vec::with_capacity(128));
        transcript.put(purpose.as_bytes());
        transcript
    }

    /// Adds a field.
    #[must_use]
    pub fn field(mut self, name: &'static str, value: &[u8]) -> Self {
        self.put(name.as_bytes());
        self.put(value);
        self
    }

    /// The bytes to sign.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn put(&mut self, bytes: &[u8]) {
        // A field of 4 GiB cannot come through any limit of ours; saturating keeps the form unambiguous all the same.
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_moved_from_one_field_to_the_next_changes_the_transcript() {
        let one = Transcript::of("p").field("a", b"xy").field("b", b"z").into_bytes();
        let two = Transcript::of("p").field("a", b"x").field("b", b"yz").into_bytes();
        assert_ne!(one, two);
    }

    #[test]
    fn the_purpose_is_part_of_what_is_signed() {
        let one = Transcript::of("p").field("a", b"x").into_bytes();
        let two = Transcript::of("q").field("a", b"x").into_bytes();
        assert_ne!(one, two);
    }
}
