use std::path::PathBuf;

use crate::StoreError;

/// Where a store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Location {
    /// In memory, gone with the last handle.
    Memory,
    /// In a file.
    File(PathBuf),
}

impl Location {
    /// Reads `sqlite://relative.db`, `sqlite:///absolute.db`, `:memory:` or a plain path.
    pub(crate) fn parse(url: &str) -> Result<Self, StoreError> {
        let path = match url.split_once("://") {
            Some(("sqlite", path)) => path,
            Some((scheme, _)) => return Err(StoreError::Scheme { scheme: format!("{scheme}://") }),
            None => url.strip_prefix("sqlite:").unwrap_or(url),
        };
        match path {
            "" => Err(StoreError::NoPath),
            ":memory:" => Ok(Self::Memory),
            path => Ok(Self::File(path.into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_relative_or_an_absolute_file_or_memory() {
        let file = |path: &str| Ok(Location::File(path.into()));
        assert_eq!(Location::parse("sqlite://doorward.db"), file("doorward.db"));
        assert_eq!(Location::parse("sqlite:///var/lib/doorward.db"), file("/var/lib/doorward.db"));
        assert_eq!(Location::parse("doorward.db"), file("doorward.db"));
        assert_eq!(Location::parse(":memory:"), Ok(Location::Memory));
        assert_eq!(Location::parse("sqlite::memory:"), Ok(Location::Memory));
    }

    #[test]
    fn a_foreign_url_is_refused_without_repeating_its_password() {
        let error = Location::parse("postgres://user:hunter2@db/doorward").unwrap_err();
        assert_eq!(error.to_string(), "a store url begins with `sqlite://` or is `:memory:`, not with `postgres://`");
        assert_eq!(Location::parse("sqlite://"), Err(StoreError::NoPath));
    }
}
