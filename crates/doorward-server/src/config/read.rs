use serde::de::DeserializeOwned;

use super::{
    document::{self, Cut, KeyPath},
    mask, nearest,
    report::Report,
};

/// Reads a value, and tells every mistake in it, not only the first: what is wrong is told, left out, and the rest is read
/// again. `None` where nothing is left that could be read.
pub(super) fn read<T: DeserializeOwned>(report: &mut Report<'_, '_>, path: &KeyPath) -> Option<T> {
    let original = report.document.value(path)?;
    let mut working = original.clone();
    loop {
        let error = match document::deserialize::<T>(&working) {
            Ok(value) => return Some(value),
            Err(error) => error,
        };
        let span = error.span().unwrap_or_else(|| original.span());
        let found = document::find(original, path, &span);
        let (at, is_key) = found.map_or((path.clone(), false), |found| (found.path, found.is_key));
        let wrong = Wrong::parse(error.message());
        wrong.tell(report, &at, is_key, span.clone());
        let what = wrong.cut(is_key);
        if !document::cut(&mut working, &span, what) {
            return None;
        }
    }
}

/// What a serde error says, taken apart to be said in the words of an owner.
enum Wrong<'m> {
    UnknownKey { key: &'m str, known: Vec<&'m str> },
    UnknownName { name: &'m str, known: Vec<&'m str> },
    Missing { key: &'m str },
    Type { found: &'m str, expected: &'m str },
    SeveralInOne,
    NoneInOne,
    NoBraces,
    Other { message: &'m str, hint: &'m str },
}

impl<'m> Wrong<'m> {
    fn parse(message: &'m str) -> Self {
        let names = || message.split('`').skip(1).step_by(2);
        let first = names().next().unwrap_or_default();
        if message.starts_with("unknown field") {
            Self::UnknownKey { key: first, known: names().skip(1).collect() }
        } else if message.starts_with("unknown variant") {
            Self::UnknownName { name: first, known: names().skip(1).collect() }
        } else if message.starts_with("missing field") {
            Self::Missing { key: first }
        } else if message == "wanted exactly 1 element, more than 1 element" {
            Self::SeveralInOne
        } else if message == "wanted exactly 1 element, found 0 elements" {
            Self::NoneInOne
        } else if message.contains("expected newtype variant") {
            Self::NoBraces
        } else if let Some((found, expected)) = message
            .strip_prefix("invalid type: ")
            .or_else(|| message.strip_prefix("invalid value: "))
            .and_then(|rest| rest.split_once(", expected "))
        {
            Self::Type { found, expected }
        } else {
            let (message, hint) =
                message.split_once('\n').or_else(|| message.split_once("; ")).unwrap_or((message, ""));
            Self::Other { message, hint }
        }
    }

    /// What has to be left out so that what is around can be read.
    fn cut(&self, is_key: bool) -> Cut {
        match self {
            Self::UnknownName { .. } if is_key => Cut::WhatItIsIn,
            Self::Missing { .. } => Cut::WhatItIsIn,
            _ => Cut::Itself,
        }
    }

    fn tell(&self, report: &mut Report<'_, '_>, at: &KeyPath, is_key: bool, span: std::ops::Range<usize>) {
        match self {
            Self::UnknownKey { key, known } => {
                report.error_at(at, span, format!("unknown key `{key}`"), nearest::hint(key, known, "known keys"));
            }
            Self::UnknownName { name, known } => {
                let what = if is_key { format!("unknown name `{name}`") } else { format!("unknown value `{name}`") };
                // Few are better told all: the nearest word can have the opposite sense.
                let hint = match known.len() {
                    1..=5 if !is_key => format!("one of {}", nearest::in_backticks(known)),
                    _ => nearest::hint(name, known, "known"),
                };
                report.error_at(at, span, what, hint);
            }
            Self::Missing { key } => {
                let at = at.key(key);
                report.error_at(&at, span, format!("`{key}` is missing"), format!("add `{key} = ...` here"));
            }
            Self::Type { expected, .. } if mask::is_secret(at.last_key()) => {
                let hint = if *expected == "a sequence" { "put it in brackets" } else { "put it in quotes" };
                report.error_at(at, span, format!("expected {}", said(expected)), hint);
            }
            Self::Type { found, expected } => {
                let (wanted, hint) = (said(expected), written(found, expected));
                report.error_at(at, span, format!("expected {wanted}, found {}", said(found)), hint);
            }
            Self::SeveralInOne => {
                let hint = match at.last_key() {
                    "backend" => "a gate has one backend: keep one of them",
                    _ => "give each its own braces: `[{ first = {} }, { second = {} }]`",
                };
                report.error_at(at, span, "several names in one pair of braces", hint);
            }
            Self::NoneInOne => {
                report.error_at(at, span, "there is no name in these braces", "write one name, as in `{ jwt = {} }`");
            }
            Self::NoBraces => {
                let name = report.document.value(at).and_then(|node| node.get_ref().as_str()).unwrap_or_default();
                report.error_at(at, span, format!("`{name}` has to stand in braces"), format!("`{{ {name} = {{}} }}`"));
            }
            Self::Other { message, hint } => report.error_at(at, span, *message, *hint),
        }
    }
}

/// A type in the words of TOML, not of Rust.
fn said(name: &str) -> String {
    match name {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number".to_owned(),
        "a sequence" | "sequence" => "a list".to_owned(),
        "map" | "a map" => "a table".to_owned(),
        "a boolean" => "`true` or `false`".to_owned(),
        "string or table" => "a name or a table".to_owned(),
        name if name.starts_with("struct ") => "a table".to_owned(),
        name if name.starts_with("enum ") => "one of its names".to_owned(),
        name => name.replace("boolean ", "").replace("integer ", "the number ").replace("string ", "the text "),
    }
}

/// How the value that was found would be written rightly, where that can be told.
fn written(found: &str, expected: &str) -> String {
    let quoted = found.split('"').nth(1);
    let plain = found.split('`').nth(1);
    let largest = match expected {
        "u8" => Some(u64::from(u8::MAX)),
        "u16" => Some(u64::from(u16::MAX)),
        "u32" => Some(u64::from(u32::MAX)),
        "u64" | "usize" => Some(u64::MAX),
        _ => None,
    };
    match (quoted, plain) {
        (Some(text), _) if largest.is_some() && text.parse::<u64>().is_ok() => {
            format!("numbers stand without quotes: `{text}`")
        }
        (Some("true" | "false"), _) if expected == "a boolean" => "it stands without quotes".to_owned(),
        (Some(text), _) if expected == "a sequence" => format!("put it in brackets: `[\"{text}\"]`"),
        (None, Some(number)) if expected.starts_with("a duration") => {
            format!("with its unit and in quotes: `\"{number}s\"`")
        }
        (None, Some(text)) if expected == "a string" => format!("put it in quotes: `\"{text}\"`"),
        _ => largest.map_or_else(String::new, |largest| format!("a whole number from 0 to {largest}")),
    }
}
