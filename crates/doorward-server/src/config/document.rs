use std::{borrow::Cow, fmt, ops::Range};

use serde::de::IntoDeserializer;
use toml::{
    Spanned,
    de::{DeArray, DeTable, DeValue},
};

use super::{
    mask,
    mistake::{Mistake, Origin, Severity},
    unclosed,
};

/// The way to a key: `gate[0].ladder[1].totp.digits`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct KeyPath(Vec<Segment>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Key(String),
    Index(usize),
}

impl KeyPath {
    /// A key of the root.
    pub(super) fn of(key: &str) -> Self {
        Self::default().key(key)
    }

    #[must_use]
    pub(super) fn key(&self, key: &str) -> Self {
        self.with(Segment::Key(key.to_owned()))
    }

    #[must_use]
    pub(super) fn index(&self, index: usize) -> Self {
        self.with(Segment::Index(index))
    }

    /// A path below this one, as text: `any[0][1].challenge.secret`.
    #[must_use]
    pub(super) fn join(&self, text: &str) -> Self {
        let keys = text.split('.').filter(|part| !part.is_empty());
        keys.fold(self.clone(), |path, part| {
            let mut parts = part.split('[');
            let path = parts.next().map_or(path.clone(), |key| path.key(key));
            parts
                .filter_map(|index| index.trim_end_matches(']').parse().ok())
                .fold(path, |path, index| path.index(index))
        })
    }

    fn with(&self, segment: Segment) -> Self {
        let mut path = self.clone();
        path.0.push(segment);
        path
    }

    /// The last key of the path.
    pub(super) fn last_key(&self) -> &str {
        self.0
            .iter()
            .rev()
            .find_map(|segment| match segment {
                Segment::Key(key) => Some(key.as_str()),
                Segment::Index(_) => None,
            })
            .unwrap_or_default()
    }

    /// Whether this is `other` or lies below it.
    pub(super) fn is_within(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Key(key) => {
                    let dot = if at == 0 { "" } else { "." };
                    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
                    if key.is_empty() || !key.chars().all(bare) {
                        write!(f, "{dot}{key:?}")?;
                    } else {
                        write!(f, "{dot}{key}")?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// A value and where it stands.
pub(super) type Node<'a> = Spanned<DeValue<'a>>;

/// What was written, in all places: the tree of the file with the values of environment and flags laid over it.
///
/// Positions count through all sources as if they were one text, the file first.
pub(super) struct Document<'a> {
    pub(super) root: DeTable<'a>,
    sources: Vec<Source>,
}

struct Source {
    origin: Origin,
    start: usize,
    text: String,
}

/// What the parser says of a key that stands twice.
const TWICE: &str = "duplicate key";

/// What it says, at the very end of the file, of brackets that are never closed.
const UNCLOSED: [&str; 2] = ["unclosed array,", "unclosed inline table,"];

impl<'a> Document<'a> {
    /// Parses the file as far as it can be parsed; what is no TOML is told as mistakes: the first one, since those after it are
    /// mostly its echo, and every key that stands twice. After a bracket that is never closed all is a guess, and none is read.
    pub(super) fn parse(text: &'a str, file: &str) -> (Self, Vec<Mistake>) {
        let (root, errors) = DeTable::parse_recoverable(text);
        let source = Source { origin: Origin::File(file.to_owned()), start: 0, text: text.to_owned() };
        let mut document = Self { root: root.into_inner(), sources: vec![source] };
        let is_twice = |error: &&toml::de::Error| error.message() == TWICE;
        let first = errors.iter().find(|error| !is_twice(error));
        let is_unclosed = |error: &toml::de::Error| UNCLOSED.iter().any(|start| error.message().starts_with(start));
        let before = first.and_then(toml::de::Error::span).and_then(|span| text.get(..span.start));
        if let Some(at) = before.filter(|_| errors.iter().any(is_unclosed)).and_then(unclosed::opened) {
            document.root = DeTable::new();
            let mistake = document.unclosed(text, at);
            return (document, vec![mistake]);
        }
        let told =
            errors.iter().filter(|error| is_twice(error) || first.is_some_and(|first| std::ptr::eq(*error, first)));
        let mistakes = told.map(|error| document.syntax(error)).collect();
        (document, mistakes)
    }

    fn unclosed(&self, text: &str, at: usize) -> Mistake {
        let (what, close) = if text[at..].starts_with('[') { ("list", "]") } else { ("table", "}") };
        let message = format!("the {what} that begins here is not closed");
        let hint = format!("its `{close}` is missing; nothing after it could be read");
        self.mistake(Severity::Error, at..at + 1, KeyPath::default(), message, hint)
    }

    fn syntax(&self, error: &toml::de::Error) -> Mistake {
        let hint = match error.message() {
            TWICE => "a key or table can be given only once; remove one of them",
            _ => "see https://toml.io for how it is written; text stands in quotes",
        };
        let message = match error.message() {
            TWICE => "it stands here a second time".to_owned(),
            message => format!("this is no TOML: {message}"),
        };
        self.mistake(Severity::Error, error.span().unwrap_or(0..0), KeyPath::default(), message, hint)
    }

    /// Lays `value` over `section.key`. `read` makes the value out of its text and the position of its first byte.
    pub(super) fn overlay(
        &mut self,
        origin: Origin,
        section: &str,
        key: &str,
        text: &'a str,
        read: impl FnOnce(&'a str, usize) -> DeValue<'a>,
    ) {
        let span = self.add(origin, text);
        let value = Spanned::new(span.clone(), read(text, span.start));
        let name = |name: &str| Spanned::new(span.clone(), Cow::Owned(name.to_owned()));
        let table = self
            .root
            .entry(name(section))
            .or_insert_with(|| Spanned::new(span.clone(), DeValue::Table(DeTable::new())))
            .get_mut();
        if let DeValue::Table(table) = table {
            table.remove(key);
            table.insert(name(key), value);
        }
    }

    /// A further source of text; its span.
    pub(super) fn add(&mut self, origin: Origin, text: &str) -> Range<usize> {
        let start = self.sources.last().map_or(0, |last| last.start + last.text.len() + 1);
        self.sources.push(Source { origin, start, text: text.to_owned() });
        start..start + text.len()
    }

    /// The value at a path.
    pub(super) fn value(&self, path: &KeyPath) -> Option<&Node<'a>> {
        let (first, rest) = path.0.split_first()?;
        let Segment::Key(first) = first else { return None };
        rest.iter().try_fold(self.root.get(first.as_str())?, |node, segment| child(node, segment))
    }

    /// Where a path stands, or the innermost part of it that was written.
    pub(super) fn span(&self, path: &KeyPath) -> Range<usize> {
        let mut path = path.clone();
        while !path.0.is_empty() {
            if let Some(node) = self.value(&path) {
                return node.span();
            }
            path.0.pop();
        }
        0..0
    }

    /// The line of a path in the file, from 1.
    pub(super) fn line(&self, path: &KeyPath) -> usize {
        self.mistake(Severity::Error, self.span(path), KeyPath::default(), "", "").line
    }

    /// Where the key of a path stands, not its value.
    pub(super) fn key_span(&self, path: &KeyPath) -> Range<usize> {
        let mut parent = path.clone();
        let table = match parent.0.pop() {
            Some(Segment::Key(key)) if parent.0.is_empty() => self.root.get_key_value(key.as_str()),
            Some(Segment::Key(key)) => match self.value(&parent).map(Spanned::get_ref) {
                Some(DeValue::Table(table)) => table.get_key_value(key.as_str()),
                _ => None,
            },
            _ => None,
        };
        table.map_or_else(|| self.span(path), |(key, _)| key.span())
    }

    /// A mistake at a span.
    pub(super) fn mistake(
        &self,
        severity: Severity,
        span: Range<usize>,
        path: KeyPath,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Mistake {
        let mut sources = self.sources.iter().rev();
        let (origin, text, at) = match sources.find(|source| source.start <= span.start) {
            Some(source) => (source.origin.clone(), source.text.as_str(), span.start - source.start),
            None => (Origin::File(String::new()), "", 0),
        };
        let (line, column, excerpt) = position(text, at);
        let rest = excerpt.chars().count().saturating_sub(column - 1);
        let end = (at + span.len()).min(text.len());
        let meant = text.get(at..end).map_or(1, |meant| meant.chars().count());
        Mistake {
            severity,
            origin,
            line,
            column,
            width: meant.min(rest).max(1),
            excerpt: mask::masked(excerpt),
            path: path.to_string(),
            // A URL that cannot be read may be repeated in it, with the password that it holds.
            message: mask::masked(&message.into()),
            hint: hint.into(),
        }
    }
}

fn child<'n, 'a>(node: &'n Node<'a>, segment: &Segment) -> Option<&'n Node<'a>> {
    match (node.get_ref(), segment) {
        (DeValue::Table(table), Segment::Key(key)) => table.get(key.as_str()),
        (DeValue::Array(array), Segment::Index(index)) => array.get(*index),
        _ => None,
    }
}

/// Line and column of a byte, each from 1, and the line's text. A place past the last line break is on the last line with text.
fn position(text: &str, at: usize) -> (usize, usize, &str) {
    let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let (before, after) = text.split_at(at);
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let end = after.find('\n').map_or(text.len(), |newline| at + newline);
    let line = before.matches('\n').count() + 1;
    (line, before[start..].chars().count() + 1, text[start..end].trim_end_matches('\r'))
}

/// Where a span was found below a node.
pub(super) struct Found {
    pub(super) path: KeyPath,
    /// It is the span of a key, not of a value.
    pub(super) is_key: bool,
}

/// The key or the value with exactly this span, at `path` or below; the innermost one where several have it.
pub(super) fn find(node: &Node<'_>, path: &KeyPath, span: &Range<usize>) -> Option<Found> {
    let below = match node.get_ref() {
        DeValue::Table(table) => table.iter().find_map(|(key, value)| {
            let path = path.key(key.get_ref());
            match find(value, &path, span) {
                None if key.span() == *span => Some(Found { path, is_key: true }),
                found => found,
            }
        }),
        DeValue::Array(array) => array.iter().enumerate().find_map(|(at, item)| find(item, &path.index(at), span)),
        _ => None,
    };
    below.or_else(|| (node.span() == *span).then(|| Found { path: path.clone(), is_key: false }))
}

/// What is left out so that the rest can be read.
#[derive(Clone, Copy)]
pub(super) enum Cut {
    /// The key or item itself.
    Itself,
    /// What it is in: an item of a ladder is one layer under one name, and without the name there is nothing.
    WhatItIsIn,
}

/// Leaves out what stands at `span`; `false` where that would leave nothing.
pub(super) fn cut(node: &mut Node<'_>, span: &Range<usize>, what: Cut) -> bool {
    let Some(found) = find(node, &KeyPath::default(), span) else { return false };
    let mut path = found.path;
    if let Cut::WhatItIsIn = what {
        path.0.pop();
    }
    let Some(last) = path.0.pop() else { return false };
    let mut parent = node;
    for segment in &path.0 {
        let next = match (parent.get_mut(), segment) {
            (DeValue::Table(table), Segment::Key(key)) => table.get_mut(key.as_str()),
            (DeValue::Array(array), Segment::Index(index)) => array.get_mut(*index),
            _ => None,
        };
        match next {
            Some(next) => parent = next,
            None => return false,
        }
    }
    match (parent.get_mut(), last) {
        (DeValue::Table(table), Segment::Key(key)) => table.remove(key.as_str()).is_some(),
        (DeValue::Array(array), Segment::Index(index)) if index < array.len() => {
            *array = std::mem::replace(array, DeArray::new())
                .into_iter()
                .enumerate()
                .filter(|(at, _)| *at != index)
                .map(|(_, item)| item)
                .collect();
            true
        }
        _ => false,
    }
}

/// Reads a copy of a node.
pub(super) fn deserialize<T: serde::de::DeserializeOwned>(node: &Node<'_>) -> Result<T, toml::de::Error> {
    T::deserialize(node.clone().into_deserializer())
}
