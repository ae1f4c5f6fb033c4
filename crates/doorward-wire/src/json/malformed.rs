/// A message that is not what the protocol asks for: what is wrong, where, and what would be right.
///
/// It never holds a value that the peer sent, since that may be a credential; of names it shows the first 64 characters.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// Bytes that are not UTF-8.
    #[error("the message is not UTF-8 at byte {at}; send one JSON object as a text message")]
    NotText {
        /// Where, from 0.
        at: usize,
    },
    /// Not JSON, or more than one piece of it.
    #[error("the message is not JSON: {what}; send one JSON object")]
    NotJson {
        /// What the parser met, with line and column.
        what: String,
    },
    /// JSON, but no object.
    #[error("the message is JSON but not an object; send one like `{{\"action\": ...}}`")]
    NotAnObject,
    /// A field that stands there twice, which parsers read differently.
    #[error("`{field}` is there more than once; send it once")]
    Duplicate {
        /// The field.
        field: String,
    },
    /// More fields than a message can have.
    #[error("there are more than {limit} fields; send at most {limit}")]
    TooManyFields {
        /// How many are allowed.
        limit: usize,
    },
    /// A field that has to be there.
    #[error("`{field}` is missing; send it as {expected}")]
    Missing {
        /// The field.
        field: &'static str,
        /// What it has to be.
        expected: &'static str,
    },
    /// A field that is there, and not what it has to be.
    #[error("`{field}` is not {expected}")]
    Unfit {
        /// The field.
        field: String,
        /// What it has to be.
        expected: &'static str,
    },
    /// A field that holds arrays or objects within each other, too many of them.
    #[error("`{field}` is nested deeper than {limit}")]
    TooDeep {
        /// The field.
        field: String,
        /// How deep it can be.
        limit: usize,
    },
    /// A field in which `\u` escapes half a character, which many parsers refuse together with all that is around it.
    #[error("`{field}` has half a character (an unpaired `\\ud800` to `\\udfff`); send it whole or leave it out")]
    HalfACharacter {
        /// The field.
        field: String,
    },
    /// Something else than `auth` before admission.
    #[error("`action` is not `auth`, and nothing else is taken before admission")]
    NotAuth,
}

impl Malformed {
    pub(super) fn duplicate(field: &str) -> Self {
        Self::Duplicate { field: shown(field) }
    }

    pub(super) fn unfit(field: &str, expected: &'static str) -> Self {
        Self::Unfit { field: shown(field), expected }
    }

    pub(super) fn too_deep(field: &str, limit: usize) -> Self {
        Self::TooDeep { field: shown(field), limit }
    }
}

/// A name out of a message, safe to print on a line.
fn shown(name: &str) -> String {
    name.chars().take(64).flat_map(char::escape_debug).collect()
}
