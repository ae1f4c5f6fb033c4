//! The compact form of a signed token (RFC 7515, section 7.1), read strictly: `header.claims.signature`.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::TokenError;
use crate::strict_json;

/// Longer than any token that fits into the messages and headers that are taken before admission.
pub(super) const LONGEST: usize = 8 * 1024;

/// A token whose form is right. Nothing of it is verified.
#[derive(Debug)]
pub(super) struct Compact<'a> {
    pub(super) header: Map<String, Value>,
    /// The encoded claims; they are not looked into before the signature has been verified.
    claims: Vec<u8>,
    /// What is signed: the first two segments with the dot between.
    pub(super) signed: &'a str,
    /// The encoded signature.
    pub(super) signature: &'a str,
}

impl<'a> Compact<'a> {
    /// Exactly three segments, each canonical base64url without padding; the header an object without doubles.
    pub(super) fn read(text: &'a str) -> Result<Self, TokenError> {
        if text.len() > LONGEST {
            return Err(TokenError::TooLong);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(TokenError::Segments)?;
        let (header, claims) = signed.split_once('.').ok_or(TokenError::Segments)?;
        if claims.contains('.') || header.is_empty() || claims.is_empty() || signature.is_empty() {
            return Err(TokenError::Segments);
        }
        let decode = |part, text| URL_SAFE_NO_PAD.decode(text).map_err(|_| TokenError::Encoding(part));
        decode("signature", signature)?;
        let claims = decode("claims", claims)?;
        let header = strict_json::object(&decode("header", header)?).map_err(|_| TokenError::Json("header"))?;
        Ok(Self { header, claims, signed, signature })
    }

    /// The claims. Only for whoever has verified the signature, or is about to by what they say of whose key it is.
    pub(super) fn claims(&self) -> Result<Map<String, Value>, TokenError> {
        strict_json::object(&self.claims).map_err(|_| TokenError::Json("claims"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_segments_of_canonical_base64url_are_a_token() {
        let token = Compact::read("e30.e30.AA").unwrap();
        assert_eq!((token.signed, token.signature), ("e30.e30", "AA"));
        assert!(token.header.is_empty() && token.claims().unwrap().is_empty());
    }

    #[test]
    fn any_other_form_is_refused_by_its_rule() {
        for text in ["", "e30", "e30.e30", "e30.e30.AA.AA", "e30.e30.AA.AA.AA", ".e30.AA", "e30..AA", "e30.e30.", ".."]
        {
            assert_eq!(Compact::read(text).unwrap_err(), TokenError::Segments, "{text}");
        }
        // `AB` decodes to the same byte as `AA` for whoever ignores the last bits.
        let encoded = [
            ("e30.e30.AB", "signature"),
            ("e30.e30.AA==", "signature"),
            ("e30.e30.A", "signature"),
            ("e30.e3+.AA", "claims"),
            ("e30.e31.AA", "claims"),
            ("e30 .e30.AA", "header"),
            ("e30.e30\n.AA", "claims"),
        ];
        for (text, part) in encoded {
            assert_eq!(Compact::read(text).unwrap_err(), TokenError::Encoding(part), "{text}");
        }
        assert_eq!(Compact::read("W10.e30.AA").unwrap_err(), TokenError::Json("header"));
        assert_eq!(Compact::read("e30.W10.AA").unwrap().claims().unwrap_err(), TokenError::Json("claims"));
    }

    #[test]
    fn length_is_looked_at_first() {
        assert_eq!(Compact::read(&"a".repeat(LONGEST + 1)).unwrap_err(), TokenError::TooLong);
        assert_eq!(Compact::read(&"a".repeat(LONGEST)).unwrap_err(), TokenError::Segments);
    }
}
