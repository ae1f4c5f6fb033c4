//! The members of one JSON object, each value as the text that it was written in.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed as _, Error as _, IgnoredAny, MapAccess, Visitor},
};
use serde_json::{error::Category, value::RawValue};

use super::Malformed;

/// Hands out the members of the object in `text` one by one; there must be nothing else in it.
pub(super) fn members<'a>(
    text: &'a str,
    take: impl FnMut(Cow<'a, str>, &'a RawValue) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    let mut refusal = None;
    let mut json = serde_json::Deserializer::from_str(text);
    let read = Members { take, refusal: &mut refusal }.deserialize(&mut json).and_then(|()| json.end());
    match (read, refusal) {
        (Ok(()), _) => Ok(()),
        (Err(_), Some(refusal)) => Err(refusal),
        // The parser's words about a syntax error hold nothing of the message; those about a wrong type would.
        (Err(error), None) if error.classify() != Category::Data => Err(Malformed::NotJson { what: error.to_string() }),
        (Err(_), None) => Err(not_an_object(text)),
    }
}

/// The bytes of a message as text.
pub(super) fn text(bytes: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(bytes).map_err(|error| Malformed::NotText { at: error.valid_up_to() })
}

/// The value of a JSON string; `None` for any other JSON, and for a string that is not Unicode.
pub(super) fn string(value: &RawValue) -> Option<Cow<'_, str>> {
    let inner = value.get().strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        serde_json::from_str(value.get()).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}

/// The digits of a JSON integer, as they were written; `None` for any other JSON.
pub(super) fn integer(value: &RawValue) -> Option<&str> {
    let digits = value.get().strip_prefix('-').unwrap_or(value.get());
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| value.get())
}

/// How many arrays and objects lie within each other at the deepest place.
pub(super) fn depth(value: &RawValue) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in value.get().bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Whether an escape stands for one half of a surrogate pair without the other (RFC 8259, section 8.2).
pub(super) fn has_half_a_character(value: &RawValue) -> bool {
    let mut rest = value.get();
    // A backslash stands in strings alone, and what follows it was checked by the parser.
    while let Some((_, escape)) = rest.split_once('\\') {
        rest = match (unit(escape), escape.get(1..)) {
            (None, Some(after)) => after,
            (Some((0xd800..=0xdbff, after)), _) => match after.strip_prefix('\\').and_then(unit) {
                Some((0xdc00..=0xdfff, after)) => after,
                _ => return true,
            },
            (Some((0xdc00..=0xdfff, _)), _) => return true,
            (Some((_, after)), _) => after,
            (None, None) => return false,
        };
    }
    false
}

/// The UTF-16 unit of an escape `uXXXX`, and what comes after it.
fn unit(escape: &str) -> Option<(u16, &str)> {
    let (digits, after) = escape.strip_prefix('u')?.split_at_checked(4)?;
    Some((u16::from_str_radix(digits, 16).ok()?, after))
}

/// The document is of the wrong type; but is it a document?
fn not_an_object(text: &str) -> Malformed {
    match serde_json::from_str::<IgnoredAny>(text) {
        Ok(_) => Malformed::NotAnObject,
        Err(error) => Malformed::NotJson { what: error.to_string() },
    }
}

struct Members<'m, F> {
    take: F,
    refusal: &'m mut Option<Malformed>,
}

impl<'de, F: FnMut(Cow<'de, str>, &'de RawValue) -> Result<(), Malformed>> serde::de::DeserializeSeed<'de>
    for Members<'_, F>
{
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, F: FnMut(Cow<'de, str>, &'de RawValue) -> Result<(), Malformed>> Visitor<'de> for Members<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(Name(name)) = map.next_key()? {
            let value = map.next_value()?;
            if let Err(refusal) = (self.take)(name, value) {
                *self.refusal = Some(refusal);
                return Err(A::Error::custom("refused"));
            }
        }
        Ok(())
    }
}

/// A name, borrowed where it is written without escapes.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(name)))
            }

            fn visit_str<E>(self, name: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }
        deserializer.deserialize_str(NameVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> &RawValue {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn brackets_in_strings_are_not_nesting() {
        assert_eq!(depth(raw(r#"{"a[[[":["]]]",{"\"[":[]}]}"#)), 4);
        assert_eq!(depth(raw("1")), 0);
    }

    #[test]
    fn a_character_is_half_where_its_other_half_is_not_right_beside_it() {
        for text in [
            r#""\ud83d""#,
            r#""\uDE00""#,
            r#""\ude00\ud83d""#,
            r#""\ud83d \ude00""#,
            r#""\ud83d\ud83d\ude00""#,
            r#""\ud83d\n""#,
            r#""\ud83dx""#,
            r#""\\\ud83d""#,
            r#"[1,{"\udfff":""}]"#,
            r#"["\ud83d\ude00","\ud800"]"#,
        ] {
            assert!(has_half_a_character(raw(text)), "{text}");
        }
        for text in [
            r#""\ud83d\uDE00""#,
            r#""\\ud83d""#,
            r#""\u0000\ud7ff\ue000\uffff""#,
            r#""\"\\""#,
            r#""😀\n😀""#,
            "{}",
            "1",
        ] {
            assert!(!has_half_a_character(raw(text)), "{text}");
        }
    }

    #[test]
    fn an_integer_is_digits_and_nothing_else() {
        for text in ["0", "-1", "123456789012345678901234567890"] {
            assert_eq!(integer(raw(text)), Some(text));
        }
        for text in ["1.0", "1e3", "\"1\"", "true", "null", "[1]"] {
            assert_eq!(integer(raw(text)), None, "{text}");
        }
    }
}
