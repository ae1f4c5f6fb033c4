use std::fmt;

use super::{Malformed, NAME};

/// The name of a namespace: `/` or `/default`. It holds nothing that could be read as the end of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Namespace<'a>(&'a str);

impl<'a> Namespace<'a> {
    /// The namespace that everybody is in who names none.
    pub const ROOT: Namespace<'static> = Namespace("/");

    /// A namespace by its name: `/` and more, 255 bytes at most, without control characters, `,` and `?`.
    ///
    /// # Errors
    /// [`Malformed::BadNamespace`].
    pub fn new(name: &'a str) -> Result<Self, Malformed> {
        let is_bad = |character: char| character.is_control() || matches!(character, ',' | '?');
        let is_name = name.starts_with('/') && name.len() <= NAME && !name.chars().any(is_bad);
        if is_name { Ok(Self(name)) } else { Err(Malformed::BadNamespace) }
    }

    /// The name, `/` first.
    pub const fn as_str(self) -> &'a str {
        self.0
    }
}

impl fmt::Display for Namespace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
