//! Values as they stand in a configuration: durations as `"30s"`, secrets as `x` or `x_file`.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use doorward_types::Secret;
use serde::{Deserialize, Deserializer, de};

/// A duration, written as a whole number and a unit: `"500ms"`, `"30s"`, `"5m"`, `"2h"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(Duration);

impl Span {
    /// So many milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(Duration::from_millis(millis))
    }

    /// So many seconds.
    pub const fn from_secs(secs: u64) -> Self {
        Self(Duration::from_secs(secs))
    }

    /// As the standard library has it.
    pub const fn duration(self) -> Duration {
        self.0
    }
}

/// A text was not a [`Span`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a duration; write a whole number and a unit: `500ms`, `30s`, `5m` or `2h`")]
pub struct UnreadableSpan(String);

impl FromStr for Span {
    type Err = UnreadableSpan;

    fn from_str(text: &str) -> Result<Self, UnreadableSpan> {
        let unreadable = || UnreadableSpan(text.escape_debug().take(40).collect());
        let end = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(unreadable)?;
        let (number, unit) = text.split_at(end);
        let millis = match unit {
            "ms" => 1,
            "s" => 1000,
            "m" => 60 * 1000,
            "h" => 60 * 60 * 1000,
            _ => return Err(unreadable()),
        };
        let number: u64 = number.parse().map_err(|_| unreadable())?;
        number.checked_mul(millis).map(Self::from_millis).ok_or_else(unreadable)
    }
}

impl fmt::Display for Span {
    /// In the largest unit that gives a whole number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis();
        let (unit, name) = [(3_600_000, "h"), (60_000, "m"), (1000, "s")]
            .into_iter()
            .find(|(unit, _)| millis != 0 && millis.is_multiple_of(*unit))
            .unwrap_or((1, "ms"));
        write!(f, "{}{name}", millis / unit)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Span;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration such as \"30s\", \"500ms\", \"5m\" or \"2h\"")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Span, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

/// A secret that stands in the configuration itself. Prints as stars.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretText(Secret);

impl SecretText {
    /// A secret from code.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Secret::from_text(text))
    }

    /// The secret.
    pub fn secret(&self) -> &Secret {
        &self.0
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// How a secret file is read: whoever embeds the crate knows the file system and its rules.
pub type ReadSecret<'a> = &'a dyn Fn(&Path) -> Result<Secret, String>;

/// Why a setting that is written as `x` or `x_file` gave no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoSecret {
    /// Neither of the two is there.
    #[error("neither `{0}` nor `{0}_file` is given")]
    Missing(&'static str),
    /// Both are there.
    #[error("both `{0}` and `{0}_file` are given")]
    Twice(&'static str),
    /// The file could not be read.
    #[error("`{path}` could not be read: {reason}", path = .path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// The secret of the setting `name`, which is written as `name` or as `name_file`.
pub fn secret_of(
    name: &'static str,
    here: Option<&SecretText>,
    file: Option<&Path>,
    read: ReadSecret<'_>,
) -> Result<Secret, NoSecret> {
    match (here, file) {
        (Some(SecretText(secret)), None) => Ok(secret.clone()),
        (None, Some(path)) => read(path).map_err(|reason| NoSecret::Unreadable { path: path.to_owned(), reason }),
        (None, None) => Err(NoSecret::Missing(name)),
        (Some(_), Some(_)) => Err(NoSecret::Twice(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_reads_back_from_its_own_text() {
        for (text, millis) in [("500ms", 500), ("30s", 30_000), ("5m", 300_000), ("2h", 7_200_000), ("0ms", 0)] {
            let span: Span = text.parse().unwrap();
            assert_eq!(span.duration(), Duration::from_millis(millis));
            assert_eq!(span.to_string(), text);
        }
        assert_eq!(Span::from_secs(90).to_string(), "90s");
        assert_eq!(Span::from_millis(1500).to_string(), "1500ms");
    }

    #[test]
    fn anything_else_is_refused_with_what_would_be_right() {
        for text in ["", "30", "s", "30 s", "-1s", "1.5s", "1d", "30S", "30s ", "99999999999999999999s"] {
            let error = text.parse::<Span>().unwrap_err().to_string();
            assert!(error.contains("`500ms`, `30s`, `5m` or `2h`"), "{text}: {error}");
        }
        assert!(u64::MAX.to_string().parse::<Span>().is_err());
        assert!(format!("{}h", u64::MAX).parse::<Span>().is_err(), "an overflow is not a duration");
    }

    #[test]
    fn a_number_in_the_configuration_is_told_what_a_duration_looks_like() {
        let error = serde_json::from_str::<Span>("30").unwrap_err().to_string();
        assert!(error.contains("a duration such as \"30s\""), "{error}");
    }

    #[test]
    fn a_secret_is_given_in_exactly_one_way() {
        let here = SecretText::new("s3cret");
        let read = |path: &Path| match path.to_str() {
            Some("there") => Ok(Secret::from_text("from a file")),
            _ => Err("no such file".to_owned()),
        };
        assert!(secret_of("secret", Some(&here), None, &read).unwrap().same_as(b"s3cret"));
        assert!(secret_of("secret", None, Some(Path::new("there")), &read).unwrap().same_as(b"from a file"));
        assert_eq!(secret_of("secret", None, None, &read), Err(NoSecret::Missing("secret")));
        let both = secret_of("secret", Some(&here), Some(Path::new("there")), &read);
        assert_eq!(both, Err(NoSecret::Twice("secret")));
        let gone = secret_of("secret", None, Some(Path::new("gone")), &read).unwrap_err();
        assert_eq!(gone.to_string(), "`gone` could not be read: no such file");
        assert_eq!(format!("{here:?}"), "SecretText(****)");
    }
}
