use aws_lc_rs::hmac;
use doorward_types::{Secret, Timestamp};
use zeroize::Zeroizing;

use super::codes::grouped;
use crate::ports::Rng;

/// How long a code is valid, in seconds (RFC 6238, section 4.1).
const PERIOD: u64 = 30;
/// How many digits a code has.
const DIGITS: usize = 6;
/// How many steps the user's clock may be off, either way.
const SKEW: u64 = 1;
/// The alphabet of base32 (RFC 4648, section 6).
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// A number of periods since 1970: the moment that a code belongs to. A store takes one only if it is greater than the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TotpStep(pub u64);

impl TotpStep {
    /// The step of that moment.
    pub const fn at(now: Timestamp) -> Self {
        Self(now.as_secs() / PERIOD)
    }
}

/// The secret that a phone and the server share: 160 bits, and codes by RFC 6238 with SHA-1, six digits, 30 seconds.
///
/// Other hashes, lengths and periods exist in the standard, and in few phones: they ignore what the address says and show
/// codes that fit nowhere. SHA-1 in an HMAC is not what its collisions broke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TotpSeed(Secret);

impl TotpSeed {
    /// How many bytes a seed has (RFC 4226, section 4, R6).
    pub const BYTES: usize = 20;

    /// Draws a seed.
    pub fn draw(rng: &dyn Rng) -> Self {
        let mut bytes = Zeroizing::new([0; Self::BYTES]);
        rng.fill(bytes.as_mut());
        Self(Secret::new(*bytes))
    }

    /// As a store gave it back, opened; `None` for any other number of bytes.
    pub fn from_secret(bytes: Secret) -> Option<Self> {
        (bytes.len() == Self::BYTES).then_some(Self(bytes))
    }

    /// The bytes, to be sealed.
    pub fn secret(&self) -> &Secret {
        &self.0
    }

    /// The step that a typed code is right for, at the time `now`: this one, the one before or the one after. Spaces in the
    /// code do not count.
    ///
    /// All three are compared, each in constant time. Whoever calls has to use the step up in the store.
    pub fn step_of(&self, typed: &Secret, now: Timestamp) -> Option<TotpStep> {
        let typed = digits(typed);
        let TotpStep(now) = TotpStep::at(now);
        let steps = now.saturating_sub(SKEW)..=now.saturating_add(SKEW);
        steps.fold(None, |found, step| {
            let right = self.code(TotpStep(step)).same_as(&typed);
            if right { Some(TotpStep(step)) } else { found }
        })
    }

    /// Whether what was typed can be a code: six digits, and spaces among them.
    pub fn can_be_code(typed: &Secret) -> bool {
        digits(typed).len() == DIGITS
    }

    /// The code of a step (RFC 4226, section 5.3).
    pub fn code(&self, step: TotpStep) -> Secret {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.0.reveal("the key of an HMAC"));
        let mac = hmac::sign(&key, &step.0.to_be_bytes());
        let mac = mac.as_ref();
        let offset = usize::from(mac.last().copied().unwrap_or_default() & 0xF);
        let number = mac.iter().skip(offset).take(4).fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
        let code = (number & 0x7FFF_FFFF) % 10_u32.pow(DIGITS as u32);
        Secret::from_text(format!("{code:0DIGITS$}"))
    }

    /// The seed as people type it where they cannot show a camera: base32.
    pub fn base32(&self) -> Secret {
        let mut text = String::with_capacity(Self::BYTES * 8 / 5);
        for five in self.0.reveal("to write it in base32").chunks(5) {
            let bits = five.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
            for place in (0..8).rev() {
                text.push(char::from(BASE32[(bits >> (5 * place)) as usize & 31]));
            }
        }
        Secret::from_text(text)
    }

    /// The same in groups of four.
    pub fn in_groups(&self) -> Secret {
        grouped(&self.base32(), b' ')
    }

    /// What the QR picture says: `otpauth://totp/SITE:NAME?secret=...`.
    pub fn address(&self, site: &str, username: &str) -> Secret {
        let (site, username) = (percent(site), percent(username));
        let base32 = self.base32();
        let secret = base32.reveal_text("to hand it to the user").unwrap_or_default();
        Secret::from_text(format!(
            "otpauth://totp/{site}:{username}?secret={secret}&issuer={site}&algorithm=SHA1&digits={DIGITS}&period={PERIOD}"
        ))
    }
}

/// The digits of what was typed, without the space that phones show in the middle; nothing where it cannot be a code.
fn digits(typed: &Secret) -> Zeroizing<Vec<u8>> {
    let typed = typed.reveal("to compare it with the codes");
    let mut code = Zeroizing::new(Vec::with_capacity(DIGITS + 1));
    code.extend(typed.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).take(DIGITS + 1));
    if !code.iter().all(u8::is_ascii_digit) {
        code.clear();
    }
    code
}

/// Everything but what RFC 3986 calls unreserved, as `%XX`.
fn percent(text: &str) -> String {
    let written = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(written).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The seed of the examples of RFC 4226 and RFC 6238.
    fn seed() -> TotpSeed {
        TotpSeed::from_secret(Secret::from_text("12345678901234567890")).unwrap()
    }

    fn at(secs: u64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    fn typed(text: &str) -> Secret {
        Secret::from_text(text)
    }

    #[test]
    fn codes_are_those_of_rfc_4226_appendix_d() {
        let codes =
            ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];
        for (step, code) in (0..).zip(codes) {
            assert!(seed().code(TotpStep(step)).same_as(code.as_bytes()), "{step}");
        }
    }

    #[test]
    fn codes_are_those_of_rfc_6238_appendix_b() {
        // There with eight digits: the last six are ours.
        for (secs, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert!(seed().code(TotpStep::at(at(secs))).same_as(code.as_bytes()), "{secs}");
            assert_eq!(seed().step_of(&typed(code), at(secs)), Some(TotpStep(secs / 30)));
        }
    }

    #[test]
    fn c38_a_code_of_the_step_before_or_after_is_taken_and_no_other() {
        let (now, step) = (at(1_795_305_600), 1_795_305_600_u64 / 30);
        for (off, right) in [(-2_i64, false), (-1, true), (0, true), (1, true), (2, false)] {
            let other = TotpStep(step.saturating_add_signed(off));
            let found = seed().step_of(&seed().code(other), now);
            assert_eq!(found, right.then_some(other), "{off}");
        }
    }

    #[test]
    fn the_first_seconds_of_1970_have_a_code_too() {
        assert_eq!(seed().step_of(&typed("755224"), at(0)), Some(TotpStep(0)));
    }

    #[test]
    fn a_code_is_six_digits_and_the_space_between_does_not_count() {
        assert_eq!(seed().step_of(&typed("287 082"), at(59)), Some(TotpStep(1)));
        assert_eq!(seed().step_of(&typed(" 287082\n"), at(59)), Some(TotpStep(1)));
        for text in ["", "287082 1", "28708", "2870820", "28708a", "٢٨٧٠٨٢", "-87082", "94287082"] {
            assert_eq!(seed().step_of(&typed(text), at(59)), None, "{text}");
        }
    }

    #[test]
    fn the_address_says_who_and_where_whatever_their_names_are() {
        let address = seed().address("Bob & Co", "älice@x/y");
        assert!(address.same_as(
            b"otpauth://totp/Bob%20%26%20Co:%C3%A4lice%40x%2Fy?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
              &issuer=Bob%20%26%20Co&algorithm=SHA1&digits=6&period=30"
        ));
    }

    #[test]
    fn a_seed_has_160_bits_and_prints_stars() {
        assert!(TotpSeed::from_secret(Secret::new([0; 19])).is_none());
        assert!(TotpSeed::from_secret(Secret::new([0; 21])).is_none());
        assert_eq!(format!("{:?}", TotpSeed::draw(&crate::ports::SystemRng)), "TotpSeed(****)");
        assert_ne!(TotpSeed::draw(&crate::ports::SystemRng), TotpSeed::draw(&crate::ports::SystemRng));
    }
}
