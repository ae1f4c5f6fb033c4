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

/// The namespaces that a gate has: at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespaces(Box<[String]>);

impl Namespaces {
    /// The most that a gate can have.
    pub const MOST: usize = 16;

    /// These, in their order.
    ///
    /// # Errors
    /// One is no name of a namespace; none, or too many, are no list either.
    pub fn new(names: &[String]) -> Result<Self, Malformed> {
        names.iter().try_for_each(|name| Namespace::new(name).map(drop))?;
        let fits = (1..=Self::MOST).contains(&names.len());
        if fits { Ok(Self(names.into())) } else { Err(Malformed::BadNamespace) }
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = Namespace<'_>> {
        self.0.iter().map(|name| Namespace(name))
    }

    /// The one of that name.
    pub fn get(&self, name: Namespace<'_>) -> Option<Namespace<'_>> {
        self.iter().find(|known| *known == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_has_one_to_sixteen_namespaces() {
        let of = |names: &[&str]| Namespaces::new(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert!(of(&["/", "/default"]).is_ok());
        assert!(of(&[]).is_err() && of(&["default"]).is_err() && of(&["/a,b"]).is_err());
        assert!(of(&["/"; 17]).is_err());
        let namespaces = of(&["/default"]).unwrap();
        assert!(namespaces.get(Namespace::ROOT).is_none());
        assert!(namespaces.get(Namespace::new("/default").unwrap()).is_some());
    }
}
