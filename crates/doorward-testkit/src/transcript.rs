//! The golden transcripts of `conformance/`: whole conversations, line by line, with everything pinned that is drawn or told
//! by a clock. `conformance/README.md` describes the form; [`Stores`] fills a gate's stores as a file has it.
//!
//! ```
//! use doorward_testkit::transcript::{Party, Said, Transcript};
//!
//! let file = "# A token opens the gate.\nclock: 1000\nhave: jwt eyJ...\n| [[gate]]\n---\n\
//!             S {\"event\":\"ask\"}\nC {\"action\":\"auth\"}\nS close 4401 not_authenticated\n";
//! let transcript: Transcript = file.parse().unwrap();
//! assert_eq!(transcript.have("jwt"), Some("eyJ..."));
//! assert_eq!(transcript.turns[0].by, Party::Gate);
//! assert!(matches!(&transcript.turns[2].said, Said::Close { code: 4401, .. }));
//! ```

mod stored;

use std::{fs, io, path::PathBuf, str::FromStr, sync::Arc};

use doorward_auth::{
    account::{Hashing, KeyEncryptionKey, Work},
    layers::SiteTools,
};
use doorward_types::{Secret, Timestamp};
use serde_json::Value;

pub use stored::Stores;

/// Stands in a line of the gate for a text that may be any.
pub const ANY: &str = "<any>";

/// One file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Transcript {
    /// What it is about: the comments before the first line.
    pub about: String,
    /// The wall clock of the gate, which stands still until the file moves it.
    pub clock: Timestamp,
    /// The random bytes that the layers draw during this climb, one after the other.
    pub random: Vec<u8>,
    /// The configuration of the gate, as TOML.
    pub gate: String,
    /// The key under which the gate's server seals what it keeps, where the gate's owner has the built-in site.
    pub kek: Option<Secret>,
    /// The path of the upgrade request.
    pub request: String,
    /// What the upgrade request says besides, by the names of the headers.
    pub headers: Vec<(String, String)>,
    /// What the gate's store holds: the sort of thing, and its JSON.
    pub store: Vec<(String, Value)>,
    /// What the client holds: the sort of credential, and its text.
    pub have: Vec<(String, String)>,
    /// Whether a person answers what no credential answers; what they say stands in the client's lines.
    pub has_person: bool,
    /// Who says what.
    pub turns: Vec<Turn>,
}

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    /// Where it stands in the file, from 1.
    pub line: usize,
    /// Who says it.
    pub by: Party,
    /// What is said.
    pub said: Said,
}

/// Who says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    /// The gate: `S`.
    Gate,
    /// The client: `C`.
    Client,
    /// Neither: what happens elsewhere, `W`.
    World,
}

/// What is said.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// A message.
    Message(Value),
    /// A Close frame.
    Close {
        /// The close code.
        code: u16,
        /// The reason.
        reason: String,
    },
    /// The HTTP status by which the upgrade is refused.
    Status(u16),
    /// The gate's wall clock goes on to that time.
    Clock(Timestamp),
    /// The gate's store holds this too: the sort of thing, and its JSON.
    Stored(String, Value),
    /// What rests on something ends, in the words of the JSON.
    Ended(Value),
}

/// A file that is not in the form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
}

impl Transcript {
    /// The text of a credential that the client holds.
    pub fn have(&self, sort: &str) -> Option<&str> {
        self.have.iter().find(|(have, _)| have == sort).map(|(_, text)| text.as_str())
    }

    /// What the upgrade request says by the header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// What the layers of the built-in site are built with, where the gate's owner has it: as much work for a password as it is
    /// anywhere, and the file's key. `None` also where the key is none.
    pub fn site_tools(&self) -> Option<SiteTools> {
        let sealing = KeyEncryptionKey::from_secret(self.kek.clone()?)?;
        Some(SiteTools { hashing: Arc::new(Hashing::new(Work::default(), 1).ok()?), sealing })
    }

    /// The HTTP status by which the upgrade is refused; `None` where it is not.
    pub fn refused_with(&self) -> Option<u16> {
        self.turns.iter().find_map(|turn| if let Said::Status(status) = turn.said { Some(status) } else { None })
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        let (sort, rest) = value.split_once(' ').unwrap_or((value, ""));
        match key {
            "clock" => self.clock = time(value)?,
            "random" => self.random.extend(hex(value).ok_or("random bytes are hexadecimal digits in pairs")?),
            "kek" => self.kek = Some(Secret::new(hex(value).ok_or("a key is hexadecimal digits in pairs")?)),
            "request" => self.request = value.to_owned(),
            "header" => {
                let (name, value) = value.split_once(": ").ok_or("a header is `NAME: VALUE`")?;
                self.headers.push((name.to_owned(), value.to_owned()));
            }
            "person" => self.has_person = value == "yes",
            "have" => self.have.push((sort.to_owned(), rest.to_owned())),
            "store" => self.store.push((sort.to_owned(), json(rest)?)),
            _ => return Err(format!("`{key}` is no key of a header")),
        }
        Ok(())
    }
}

impl FromStr for Transcript {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Self, Unreadable> {
        let mut transcript = Self::default();
        let mut in_header = true;
        for (at, line) in text.lines().enumerate() {
            let unreadable = |what: String| Unreadable { line: at + 1, what };
            let read = match line.split_once(' ') {
                None if line.is_empty() || line == "#" => Ok(()),
                None if line == "---" => {
                    in_header = false;
                    Ok(())
                }
                None if line == "|" => {
                    transcript.gate.push('\n');
                    Ok(())
                }
                Some(("#", comment)) => {
                    if in_header {
                        transcript.about.push_str(comment);
                        transcript.about.push('\n');
                    }
                    Ok(())
                }
                Some(("|", toml)) if in_header => {
                    transcript.gate.push_str(toml);
                    transcript.gate.push('\n');
                    Ok(())
                }
                Some((key, value)) if in_header && key.ends_with(':') => {
                    transcript.set(key.trim_end_matches(':'), value)
                }
                Some((by @ ("S" | "C" | "W"), said)) if !in_header => {
                    let by = match by {
                        "S" => Party::Gate,
                        "C" => Party::Client,
                        _ => Party::World,
                    };
                    Said::read(by, said).map(|said| transcript.turns.push(Turn { line: at + 1, by, said }))
                }
                _ => Err("it is neither a comment, a header, a line of TOML nor something that is said".to_owned()),
            };
            read.map_err(unreadable)?;
        }
        Ok(transcript)
    }
}

impl Said {
    fn read(by: Party, text: &str) -> Result<Self, String> {
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        match (by, word) {
            (Party::Gate, "http") => rest.parse().map(Self::Status).map_err(|_| "a status is a number".to_owned()),
            (Party::Gate | Party::Client, "close") => {
                let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
                let code = code.parse().map_err(|_| "a close code is a number")?;
                Ok(Self::Close { code, reason: reason.to_owned() })
            }
            (Party::Gate | Party::Client, _) => json(text).map(Self::Message),
            (Party::World, "clock") => time(rest).map(Self::Clock),
            (Party::World, "store") => {
                let (sort, value) = rest.split_once(' ').ok_or("what is stored is its sort and its JSON")?;
                Ok(Self::Stored(sort.to_owned(), json(value)?))
            }
            (Party::World, "end") => json(rest).map(Self::Ended),
            (Party::World, _) => Err(format!("nothing that happens is `{word}`")),
        }
    }
}

fn time(text: &str) -> Result<Timestamp, String> {
    text.parse().map(Timestamp::from_millis).map_err(|_| "the clock is in milliseconds".to_owned())
}

fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

/// The bytes that hexadecimal digits say.
fn hex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok().filter(|_| pair.len() == 2)).collect()
}

/// Whether something that was said is what the file says: the same JSON, whatever its order and space, with any text where the
/// file has [`ANY`].
pub fn fits(expected: &Value, actual: &Value) -> bool {
    match (expected, actual) {
        (Value::String(any), Value::String(_)) if any == ANY => true,
        (Value::Object(expected), Value::Object(actual)) => {
            expected.len() == actual.len()
                && expected.iter().all(|(name, value)| actual.get(name).is_some_and(|actual| fits(value, actual)))
        }
        (Value::Array(expected), Value::Array(actual)) => {
            expected.len() == actual.len() && expected.iter().zip(actual).all(|(one, other)| fits(one, other))
        }
        (expected, actual) => expected == actual,
    }
}

/// All files of `conformance/`, with their names, in the order of these.
///
/// # Errors
/// The folder cannot be read, or a file is not in the form.
pub fn conformance() -> io::Result<Vec<(String, Transcript)>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../conformance");
    let mut files = Vec::new();
    for file in fs::read_dir(folder)? {
        let path = file?.path();
        if path.extension().is_some_and(|extension| extension == "transcript") {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let transcript = fs::read_to_string(&path)?.parse().map_err(|Unreadable { line, what }| {
                io::Error::new(io::ErrorKind::InvalidData, format!("{name}.transcript, line {line}: {what}"))
            })?;
            files.push((name, transcript));
        }
    }
    files.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_none_is_told_by_its_number() {
        let wrong = |text: &str| text.parse::<Transcript>().unwrap_err().line;
        assert_eq!(wrong("# about\nclock: soon\n"), 2);
        assert_eq!(wrong("random: abc\n"), 1);
        assert_eq!(wrong("colour: red\n"), 1);
        assert_eq!(wrong("---\n\nS {\n"), 3);
        assert_eq!(wrong("---\nX {}\n"), 2);
        assert_eq!(wrong("---\nS close soon\n"), 2);
        assert_eq!(wrong("---\nS http no\n"), 2);
        assert_eq!(wrong("---\nW rain\n"), 2);
        assert_eq!(wrong("---\nW {}\n"), 2);
        assert_eq!(wrong("---\nW store account\n"), 2);
        assert_eq!(wrong("header: Origin\n"), 1);
        assert_eq!(wrong("kek: 0\n"), 1);
        assert_eq!(wrong("S {}\n"), 1);
    }

    #[test]
    fn any_text_fits_where_the_file_has_any_and_nowhere_else() {
        let fits = |expected: &str, actual: &str| fits(&json(expected).unwrap(), &json(actual).unwrap());
        assert!(fits(r#"{"a":"<any>","b":[1]}"#, r#"{ "b":[1], "a":"x" }"#));
        assert!(!fits(r#"{"a":"<any>"}"#, r#"{"a":1}"#));
        assert!(!fits(r#"{"a":"<any>"}"#, r#"{"a":"x","b":1}"#));
        assert!(!fits(r#"{"a":"x"}"#, r#"{"a":"<any>"}"#));
        assert!(!fits(r#"{"a":[1]}"#, r#"{"a":[1,2]}"#));
    }
}
