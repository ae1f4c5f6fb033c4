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
