use std::{fmt, ops::Deref};

use serde::{
    Deserializer as _,
    de::{SeqAccess, Visitor},
};
use serde_json::{error::Category, value::RawValue};

use super::{ARGUMENTS, DEPTH, Malformed};
use crate::raw;

/// What an event or an acknowledgement carries: JSON values, each as it was written.
#[derive(Clone)]
pub struct Arguments<'a> {
    values: Vec<&'a RawValue>,
    /// From the first value to the last.
    text: &'a str,
}

impl<'a> Arguments<'a> {
    /// All of them as they were written, with their commas between: what stands in the brackets of a list, or after a name in it.
    pub const fn text(&self) -> &'a str {
        self.text
    }

    /// Reads the list in `json`; there must be nothing else in it.
    pub(super) fn read(json: &'a RawValue) -> Result<Self, Malformed> {
        let values = elements(json, ARGUMENTS)?;
        Ok(Self { text: from_first(json.get(), &values), values })
    }

    /// As [`read`](Self::read), where the list begins with the name of an event, which is no argument; `None` where it is empty.
    pub(super) fn read_named(json: &'a RawValue) -> Result<Option<(&'a RawValue, Self)>, Malformed> {
        let mut values = elements(json, 1 + ARGUMENTS)?;
        if values.is_empty() {
            return Ok(None);
        }
        let name = values.remove(0);
        Ok(Some((name, Self { text: from_first(json.get(), &values), values })))
    }
}

impl<'a> Deref for Arguments<'a> {
    type Target = [&'a RawValue];

    fn deref(&self) -> &[&'a RawValue] {
        &self.values
    }
}

impl fmt::Debug for Arguments<'_> {
    /// Their number and length alone: before admission they hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arguments").field("count", &self.values.len()).field("bytes", &self.text.len()).finish()
    }
}

/// The JSON of a packet, held to what everybody's parser takes. It may go to others as it was written, so it must not be what makes
/// their parsers throw.
pub(super) fn checked(json: &str) -> Result<&RawValue, Malformed> {
    if json.starts_with(|first: char| first.is_ascii_whitespace()) {
        return Err(Malformed::Unfit {
            expected: "right behind what is before it; common parsers read a space there as an id",
        });
    }
    // The parser's words about a syntax error hold nothing of the message.
    let json: &RawValue = serde_json::from_str(json).map_err(|error| Malformed::NotJson { what: error.to_string() })?;
    if raw::depth(json) > DEPTH {
        return Err(Malformed::TooDeep { limit: DEPTH });
    }
    if raw::has_half_a_character(json) {
        return Err(Malformed::HalfACharacter);
    }
    Ok(json)
}

/// Of the elements of a list at most `limit` and one more, so that no long list of nothing takes memory.
fn elements(json: &RawValue, limit: usize) -> Result<Vec<&RawValue>, Malformed> {
    let elements = serde_json::Deserializer::from_str(json.get()).deserialize_seq(Elements { most: limit + 1 });
    match elements {
        Ok(elements) if elements.len() > limit => Err(Malformed::TooManyArguments { limit: ARGUMENTS }),
        Ok(elements) => Ok(elements),
        Err(error) if error.classify() == Category::Data => Err(Malformed::Unfit { expected: "a list" }),
        Err(error) => Err(Malformed::NotJson { what: error.to_string() }),
    }
}

struct Elements {
    most: usize,
}

impl<'de> Visitor<'de> for Elements {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            if values.len() < self.most {
                values.push(value);
            }
        }
        Ok(values)
    }
}

/// The text of a list from the first of these values, which lie in it, to its last.
fn from_first<'a>(list: &'a str, values: &[&'a RawValue]) -> &'a str {
    let from_first = values.first().and_then(|first| {
        let place = first.get().as_ptr().addr().checked_sub(list.as_ptr().addr())?;
        list.get(place..)?.trim_end().strip_suffix(']')
    });
    from_first.map_or("", str::trim_end)
}
