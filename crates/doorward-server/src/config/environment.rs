use std::{borrow::Cow, collections::BTreeMap};

use toml::{
    Spanned,
    de::{DeArray, DeTable, DeValue},
};

use super::{
    document::{Document, KeyPath},
    keys::{Key, Kind},
    mistake::{Mistake, Origin, Severity},
    nearest::nearest,
};

/// What every variable of Doorward begins with.
const PREFIX: &str = "DOORWARD_";

/// Variables of the command line that are no keys of the file.
const NOT_KEYS: [&str; 6] =
    ["DOORWARD_CONFIG", "DOORWARD_LOG", "DOORWARD_TOKEN", "DOORWARD_KEY", "DOORWARD_TICKET", "DOORWARD_CHALLENGE"];

/// A key that was given as a flag of the command line.
#[derive(Clone, Debug)]
pub struct Override {
    /// How it was typed, for messages: `--listen`.
    pub flag: &'static str,
    /// The key, as in `server.listen`.
    pub key: &'static str,
    /// The value as it was typed, without TOML's quotes.
    pub value: String,
}

/// The variable that sets a key: `DOORWARD_SERVER_LISTEN`.
pub fn variable(table: &str, key: &str) -> String {
    format!("{PREFIX}{}_{}", table.to_ascii_uppercase(), key.to_ascii_uppercase())
}

/// Lays flags over the environment over the file.
pub(super) fn overlay<'a>(
    document: &mut Document<'a>,
    sections: &[(&'static str, Vec<Key>)],
    environment: &'a BTreeMap<String, String>,
    overrides: &'a [Override],
) -> Vec<Mistake> {
    let keys: Vec<(String, &'static str, &Key)> = sections
        .iter()
        .flat_map(|(section, keys)| keys.iter().map(|key| (variable(section, key.name), *section, key)))
        .collect();
    let mut mistakes = Vec::new();
    for (name, text) in environment.iter().filter(|(name, text)| name.starts_with(PREFIX) && !text.is_empty()) {
        let origin = Origin::Environment(name.clone());
        match keys.iter().find(|(variable, ..)| variable == name) {
            Some((_, section, key)) => {
                document.overlay(origin, section, key.name, text, |text, at| value(key.kind, text, at))
            }
            None if NOT_KEYS.contains(&name.as_str()) => {}
            None => {
                // The value is not shown: under a wrong name it may be anything, a secret too.
                let span = document.add(origin, name);
                let known = keys.iter().map(|(variable, ..)| variable.as_str()).chain(NOT_KEYS);
                let hint = match nearest(name, known) {
                    Some(known) => format!("did you mean `{known}`?"),
                    None => {
                        "`doorward defaultconfig` lists every key; its variable is `DOORWARD_SECTION_KEY`".to_owned()
                    }
                };
                let message = format!("unknown environment variable `{name}`");
                mistakes.push(document.mistake(Severity::Error, span, KeyPath::default(), message, hint));
            }
        }
    }
    for given in overrides {
        let found = keys.iter().find(|(_, section, key)| given.key.split_once('.') == Some((*section, key.name)));
        let origin = Origin::Flag(given.flag.to_owned());
        match found {
            Some((_, section, key)) => {
                document.overlay(origin, section, key.name, &given.value, |text, at| value(key.kind, text, at));
            }
            None => {
                let span = document.add(origin, &given.value);
                let message = format!("there is no key `{}`", given.key);
                mistakes.push(document.mistake(Severity::Error, span, KeyPath::default(), message, ""));
            }
        }
    }
    mistakes
}

/// The value that a text stands for. What is no number or switch stays text, and is told as a value of the wrong type.
fn value(kind: Kind, text: &str, at: usize) -> DeValue<'_> {
    let as_text = || DeValue::String(Cow::Borrowed(text));
    match kind {
        Kind::Text | Kind::Duration | Kind::Size => as_text(),
        Kind::Table => match DeValue::parse(text).map(Spanned::into_inner) {
            Ok(value @ DeValue::Table(_)) => moved(value, at),
            _ => as_text(),
        },
        Kind::Number | Kind::Switch => match DeValue::parse(text.trim()).map(Spanned::into_inner) {
            Ok(value @ (DeValue::Integer(_) | DeValue::Boolean(_))) => value,
            _ => as_text(),
        },
        Kind::List => {
            let mut list = DeArray::new();
            for item in text.split([' ', ',']).filter(|item| !item.is_empty()) {
                let start = at + (item.as_ptr() as usize - text.as_ptr() as usize);
                list.push(Spanned::new(start..start + item.len(), DeValue::String(Cow::Borrowed(item))));
            }
            DeValue::Array(list)
        }
    }
}

/// A table whose text begins at byte `at` of all that was read, so that a mistake in it is found there.
fn moved(value: DeValue<'_>, at: usize) -> DeValue<'_> {
    let DeValue::Table(table) = value else { return value };
    let moved_span = |span: std::ops::Range<usize>| span.start + at..span.end + at;
    let mut shifted = DeTable::new();
    for (key, value) in table {
        let key = Spanned::new(moved_span(key.span()), key.into_inner());
        let value = Spanned::new(moved_span(value.span()), moved(value.into_inner(), at));
        shifted.insert(key, value);
    }
    DeValue::Table(shifted)
}
