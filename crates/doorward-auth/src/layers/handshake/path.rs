//! Path: the URL says which gate is meant. A path is routing, not a secret: with 128 random bits in it, it is both.
//!
//! user   -> edge      name the path in the upgrade request
//! edge                look gate up
//!
//! A gate is looked up under the SHA-256 of its host and of the literal parts of its path, so the time that it takes tells
//! nothing about a path that begins like the right one.

use std::collections::{BTreeMap, HashMap};

use crate::crypto::sha256;

/// The path of a gate: exact (`/chat`), with variables (`/room/{id}`), or with everything below it (`/files/*`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPattern {
    segments: Vec<Segment>,
    tail: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Variable(String),
}

/// Why a pattern or a request's path cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// It does not begin with a slash.
    #[error("a path begins with `/`")]
    NoSlash,
    /// It has `?` or `#`.
    #[error("a path ends before `?` and `#`")]
    Query,
    /// Two slashes with nothing between.
    #[error("a path has no empty part (`//`)")]
    EmptySegment,
    /// `.` or `..`, encoded or not.
    #[error("a path has no `.` and no `..`")]
    Dots,
    /// A control character, or a backslash, or a slash that is encoded.
    #[error("a path has no control characters, backslashes or encoded slashes")]
    Character,
    /// A `%` that is not followed by two hexadecimal digits, or bytes that are no UTF-8.
    #[error("a part of the path cannot be decoded")]
    Encoding,
    /// A pattern with a percent sign.
    #[error("write characters as they are, without `%`: requests are decoded before they are compared")]
    EncodedPattern,
    /// A `*` that is not alone at the end.
    #[error("`*` stands alone at the end, as in `/files/*`")]
    Star,
    /// Braces that do not make a variable.
    #[error("a variable is a whole part of the path, with a name of `a` to `z`, `0` to `9` and `_`: `/room/{{id}}`")]
    Variable,
    /// Two variables with the same name.
    #[error("the variable `{0}` stands twice")]
    VariableTwice(String),
    /// `/.well-known`, or `ticket` at the end.
    #[error("`/.well-known` and a last part `ticket` are reserved")]
    Reserved,
    /// The table has a gate with the same host and the same path, up to the names of variables.
    #[error("another gate has that host and path")]
    Taken,
}

/// The last part of the path under which tickets for a gate are made.
const TICKET: &str = "ticket";

/// What is below it belongs to no gate (RFC 8615).
const WELL_KNOWN: &str = ".well-known";

impl std::str::FromStr for PathPattern {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let path = text.strip_prefix('/').ok_or(PathError::NoSlash)?;
        if path.contains(['?', '#']) {
            return Err(PathError::Query);
        }
        if path.contains('%') {
            return Err(PathError::EncodedPattern);
        }
        let (path, tail) = match path.strip_suffix('*') {
            Some("") => ("", true),
            Some("/") => return Err(PathError::EmptySegment),
            Some(path) => (path.strip_suffix('/').ok_or(PathError::Star)?, true),
            None => (path, false),
        };
        if path.contains('*') {
            return Err(PathError::Star);
        }
        let mut segments: Vec<Segment> = Vec::new();
        let mut parts = path.split('/').peekable();
        while let Some(part) = parts.next() {
            let last = parts.peek().is_none();
            let segment = match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
                Some(name) => variable(name, &segments)?,
                None if part.contains(['{', '}']) => return Err(PathError::Variable),
                None => literal(part, last && (!tail || segments.is_empty()))?,
            };
            segments.push(segment);
        }
        let reserved = |place: Option<&Segment>, name: &str| place == Some(&Segment::Literal(name.to_owned()));
        if reserved(segments.first(), WELL_KNOWN) || reserved(segments.last(), TICKET) {
            return Err(PathError::Reserved);
        }
        // `/*` has no literal part at all.
        if tail && segments == [Segment::Literal(String::new())] {
            segments.clear();
        }
        Ok(Self { segments, tail })
    }
}

fn variable(name: &str, before: &[Segment]) -> Result<Segment, PathError> {
    let fits = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if !fits {
        return Err(PathError::Variable);
    }
    let variable = Segment::Variable(name.to_owned());
    if before.contains(&variable) { Err(PathError::VariableTwice(name.to_owned())) } else { Ok(variable) }
}

fn literal(part: &str, may_be_empty: bool) -> Result<Segment, PathError> {
    check_segment(part, may_be_empty)?;
    Ok(Segment::Literal(part.to_owned()))
}

fn check_segment(part: &str, may_be_empty: bool) -> Result<(), PathError> {
    match part {
        "" if !may_be_empty => Err(PathError::EmptySegment),
        "." | ".." => Err(PathError::Dots),
        part if part.contains(|c: char| c.is_control() || c == '/' || c == '\\') => Err(PathError::Character),
        _ => Ok(()),
    }
}

impl std::fmt::Display for PathPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for segment in &self.segments {
            match segment {
                Segment::Literal(text) => write!(f, "/{text}")?,
                Segment::Variable(name) => write!(f, "/{{{name}}}")?,
            }
        }
        if self.tail { f.write_str("/*") } else { Ok(()) }
    }
}

impl PathPattern {
    /// Whether everything below the path belongs to the gate too.
    pub fn has_tail(&self) -> bool {
        self.tail
    }

    /// The names of its variables, in order.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Variable(name) => Some(name.as_str()),
            Segment::Literal(_) => None,
        })
    }

    fn shape(&self) -> Shape {
        let literal = self.segments.iter().map(|segment| matches!(segment, Segment::Literal(_))).collect();
        Shape { literal, tail: self.tail }
    }

    fn key(&self, host: Option<&str>) -> [u8; 32] {
        let parts = self.segments.iter().map(|segment| match segment {
            Segment::Literal(text) => text.as_str(),
            Segment::Variable(_) => "",
        });
        self.shape().key(host, parts)
    }
}

/// Which parts of a path are literal.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Shape {
    literal: Vec<bool>,
    tail: bool,
}

impl Shape {
    fn fits(&self, parts: usize) -> bool {
        parts == self.literal.len() || (self.tail && parts > self.literal.len())
    }

    fn key<'a>(&self, host: Option<&str>, parts: impl Iterator<Item = &'a str>) -> [u8; 32] {
        let mut bytes = Vec::with_capacity(128);
        let mut put = |sort: u8, text: &str| {
            bytes.push(sort);
            bytes.extend_from_slice(&text.len().to_be_bytes());
            bytes.extend_from_slice(text.as_bytes());
        };
        put(u8::from(host.is_some()), host.unwrap_or_default());
        for (part, is_literal) in parts.zip(&self.literal) {
            put(u8::from(*is_literal), if *is_literal { part } else { "" });
        }
        put(2 + u8::from(self.tail), "");
        sha256(&[&bytes])
    }

    /// Exact before variable before tail; longer before shorter.
    fn rank(&self) -> (bool, std::cmp::Reverse<usize>, std::cmp::Reverse<usize>) {
        let literals = self.literal.iter().filter(|literal| **literal).count();
        (self.tail, std::cmp::Reverse(literals), std::cmp::Reverse(self.literal.len()))
    }
}

/// A request's path, split and decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestPath {
    segments: Vec<String>,
    asks_for_ticket: bool,
}

impl RequestPath {
    /// Reads the path of a request target, without the query.
    ///
    /// Where its last part is `ticket`, it is the place where tickets for the gate above are made: see
    /// [`asks_for_ticket`](Self::asks_for_ticket).
    pub fn read(path: &str) -> Result<Self, PathError> {
        let path = path.strip_prefix('/').ok_or(PathError::NoSlash)?;
        if path.contains(['?', '#']) {
            return Err(PathError::Query);
        }
        let mut segments = Vec::new();
        let mut parts = path.split('/').peekable();
        while let Some(part) = parts.next() {
            let part = percent_decoded(part, false)?;
            check_segment(&part, parts.peek().is_none())?;
            segments.push(part);
        }
        let asks_for_ticket = segments.last().is_some_and(|last| last == TICKET);
        if asks_for_ticket {
            segments.pop();
            if segments.is_empty() {
                segments.push(String::new());
            }
        }
        Ok(Self { segments, asks_for_ticket })
    }

    /// Whether it is the place where tickets for the gate are made: the gate's path, and `ticket`.
    pub fn asks_for_ticket(&self) -> bool {
        self.asks_for_ticket
    }
}

/// Gates by host and path.
#[derive(Clone, Debug)]
pub struct PathTable<T> {
    shapes: Vec<Shape>,
    entries: HashMap<[u8; 32], (PathPattern, T)>,
}

impl<T> Default for PathTable<T> {
    fn default() -> Self {
        Self { shapes: Vec::new(), entries: HashMap::new() }
    }
}

/// What a request's path led to.
#[derive(Debug, PartialEq, Eq)]
pub struct Found<'a, T> {
    /// What the table has there.
    pub entry: &'a T,
    /// The path's variables, as `path.NAME`.
    pub variables: BTreeMap<String, String>,
}

impl<T> PathTable<T> {
    /// Adds a gate; with a host it is found under that host only.
    pub fn insert(&mut self, host: Option<&str>, pattern: PathPattern, entry: T) -> Result<(), PathError> {
        let host = host.map(str::to_ascii_lowercase);
        let key = pattern.key(host.as_deref());
        if self.entries.contains_key(&key) {
            return Err(PathError::Taken);
        }
        let shape = pattern.shape();
        if !self.shapes.contains(&shape) {
            self.shapes.push(shape);
            self.shapes.sort_by_key(Shape::rank);
        }
        self.entries.insert(key, (pattern, entry));
        Ok(())
    }

    /// What is at that host and path. The steps that it takes depend on the number of parts of the path alone.
    pub fn find(&self, host: &str, path: &RequestPath) -> Option<Found<'_, T>> {
        if path.segments.first().is_some_and(|first| first == WELL_KNOWN) {
            return None;
        }
        let host = host.to_ascii_lowercase();
        let mut found = None;
        for shape in self.shapes.iter().filter(|shape| shape.fits(path.segments.len())) {
            for host in [Some(host.as_str()), None] {
                let key = shape.key(host, path.segments.iter().map(String::as_str));
                let entry = self.entries.get(&key);
                found = found.or(entry);
            }
        }
        let (pattern, entry) = found?;
        let mut variables = BTreeMap::new();
        for (segment, text) in pattern.segments.iter().zip(&path.segments) {
            if let Segment::Variable(name) = segment {
                variables.insert(format!("path.{name}"), text.clone());
            }
        }
        Some(Found { entry, variables })
    }

    /// All entries, in no order.
    pub fn entries(&self) -> impl Iterator<Item = &T> {
        self.entries.values().map(|(_, entry)| entry)
    }
}

/// The variables of a query, as `query.NAME`. A name that stands twice is left out: two readers could take different ones.
pub fn query_variables(query: &str) -> Result<BTreeMap<String, String>, PathError> {
    let mut variables: BTreeMap<String, Option<String>> = BTreeMap::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (percent_decoded(name, true)?, percent_decoded(value, true)?);
        if name.chars().chain(value.chars()).any(char::is_control) {
            return Err(PathError::Character);
        }
        variables.entry(format!("query.{name}")).and_modify(|value| *value = None).or_insert(Some(value));
    }
    Ok(variables.into_iter().filter_map(|(name, value)| Some((name, value?))).collect())
}

/// Decodes `%XX` (RFC 3986, section 2.1), and `+` as a space where it is one.
fn percent_decoded(text: &str, plus_is_space: bool) -> Result<String, PathError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let decoded = match byte {
            b'%' => {
                let mut digit =
                    || rest.next().and_then(|digit| char::from(digit).to_digit(16)).ok_or(PathError::Encoding);
                let (high, low) = (digit()?, digit()?);
                u8::try_from(high * 16 + low).map_err(|_| PathError::Encoding)?
            }
            b'+' if plus_is_space => b' ',
            byte => byte,
        };
        bytes.push(decoded);
    }
    String::from_utf8(bytes).map_err(|_| PathError::Encoding)
}

#[cfg(test)]
mod tests;
