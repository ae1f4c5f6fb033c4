use std::fmt;

use crate::Secret;

/// The text form of secrets that the server makes: a public prefix, 32 random bytes in hex, and a checksum.
///
/// `dwk_` + 64 hex digits + 8 hex digits of CRC-32 (IEEE) over prefix and digits. The prefix lets scanners find leaked keys;
/// the checksum lets a typing mistake be told without a look into any store.
///
/// ```
/// use doorward_types::KeyText;
/// let key = KeyText::AppKey.write(&[0; 32]);
/// assert!(KeyText::AppKey.read(key.reveal_text("doc example").unwrap()).is_ok());
/// assert!(KeyText::AppKey.read("dwk_typo").is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyText {
    /// An app key: the seed of an Ed25519 key pair (RFC 8032).
    AppKey,
    /// The symmetric secret of a challenge.
    Challenge,
    /// A one-time ticket.
    Ticket,
    /// A login at the built-in site: the value of its cookie.
    Session,
    /// A browser that has logged in: the value of a cookie that outlives its logins.
    Browser,
    /// What a new access token is fetched with.
    Refresh,
    /// A program's way to the HTTP API.
    Api,
    /// The one-time link by which an account is made.
    Invitation,
}

/// A text was not a key of its kind. The text itself is never repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnreadableKey {
    /// It does not begin with the prefix of its kind.
    Prefix(&'static str),
    /// It has the wrong length or other characters than hex digits.
    Form,
    /// The checksum does not fit: a typing mistake.
    Checksum,
}

impl KeyText {
    /// The public prefix of the kind.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::AppKey => "dwk_",
            Self::Challenge => "dwc_",
            Self::Ticket => "dwt_",
            Self::Session => "dws_",
            Self::Browser => "dwb_",
            Self::Refresh => "dwr_",
            Self::Api => "dwa_",
            Self::Invitation => "dwi_",
        }
    }

    /// Writes 32 bytes as a key of this kind.
    pub fn write(self, bytes: &[u8; 32]) -> Secret {
        let mut text = String::with_capacity(76);
        text.push_str(self.prefix());
        for byte in bytes {
            push_hex(&mut text, *byte);
        }
        for byte in crc32(text.as_bytes()).to_be_bytes() {
            push_hex(&mut text, byte);
        }
        Secret::from_text(text)
    }

    /// Reads a key of this kind back to its 32 bytes.
    pub fn read(self, text: &str) -> Result<Secret, UnreadableKey> {
        let digits = text.strip_prefix(self.prefix()).ok_or(UnreadableKey::Prefix(self.prefix()))?.as_bytes();
        let mut bytes = [0; 36];
        if digits.len() != 2 * bytes.len() {
            return Err(UnreadableKey::Form);
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let &[high, low] = pair else { return Err(UnreadableKey::Form) };
            *byte = hex_value(high).zip(hex_value(low)).map(|(h, l)| h << 4 | l).ok_or(UnreadableKey::Form)?;
        }
        let (key, sum) = bytes.split_at(32);
        if crc32(&text.as_bytes()[..self.prefix().len() + 64]).to_be_bytes() != sum {
            return Err(UnreadableKey::Checksum);
        }
        Ok(Secret::new(key))
    }
}

impl fmt::Display for UnreadableKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prefix(prefix) => write!(f, "a key of this kind begins with `{prefix}`"),
            Self::Form => f.write_str("a key is its prefix and 72 lowercase hexadecimal digits"),
            Self::Checksum => f.write_str("the checksum does not fit, so a character is wrong"),
        }
    }
}

impl std::error::Error for UnreadableKey {}

fn push_hex(text: &mut String, byte: u8) {
    for nibble in [byte >> 4, byte & 15] {
        text.push(char::from_digit(nibble.into(), 16).unwrap_or('0'));
    }
}

const fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

/// CRC-32 as in IEEE 802.3, bit by bit: it runs over 68 bytes when a key is read.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_crc_32_that_everybody_has() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn a_key_reads_back_to_its_bytes() {
        let bytes: [u8; 32] = std::array::from_fn(|i| i as u8 * 7);
        let text = KeyText::Ticket.write(&bytes);
        let read = KeyText::Ticket.read(text.reveal_text("test").unwrap_or_default());
        assert_eq!(read, Ok(Secret::new(bytes)));
    }

    #[test]
    fn any_single_wrong_character_is_told() {
        let text = KeyText::AppKey.write(&[0xA5; 32]).reveal_text("test").unwrap_or_default().to_owned();
        for place in 0..text.len() {
            let mut typed = text.clone().into_bytes();
            typed[place] = if typed[place] == b'0' { b'1' } else { b'0' };
            let typed = String::from_utf8(typed).unwrap_or_default();
            assert!(KeyText::AppKey.read(&typed).is_err(), "place {place}");
        }
    }

    #[test]
    fn a_key_of_one_kind_is_not_one_of_another() {
        let text = KeyText::AppKey.write(&[1; 32]);
        let text = text.reveal_text("test").unwrap_or_default();
        assert_eq!(KeyText::Challenge.read(text), Err(UnreadableKey::Prefix("dwc_")));
    }
}
