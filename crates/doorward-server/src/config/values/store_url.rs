use std::{fmt, path::PathBuf, str::FromStr};

use super::from_text;

/// Where the store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreUrl {
    /// `sqlite://doorward.db`: a file, relative to the folder of the configuration; three slashes for one from the root.
    Sqlite(PathBuf),
    /// `memory:`: nothing is kept beyond the end of the process.
    Memory,
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            Self::Memory => f.write_str("memory:"),
        }
    }
}

impl FromStr for StoreUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix("sqlite://") {
            Some(path) if !path.is_empty() && !path.contains('?') => Ok(Self::Sqlite(path.into())),
            _ if text == "memory:" => Ok(Self::Memory),
            // What it says may hold a password, so it is not repeated.
            _ => Err("this is not the place of a store; write `sqlite://doorward.db`, or `memory:` to keep nothing"
                .to_owned()),
        }
    }
}
from_text!(StoreUrl, "the place of a store such as \"sqlite://doorward.db\"");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_the_place_of_a_store_is_not_repeated() {
        let error = "postgres://doorward:hunter2@db/doorward".parse::<StoreUrl>().unwrap_err();
        assert!(!error.contains("hunter2"), "{error}");
    }
}
