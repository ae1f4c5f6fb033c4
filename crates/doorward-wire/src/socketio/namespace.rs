use std::{fmt, sync::Arc};

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

/// A namespace that outlives the packet which named it. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeptNamespace(Arc<str>);

impl KeptNamespace {
    /// Its name.
    pub fn name(&self) -> Namespace<'_> {
        Namespace(&self.0)
    }
}

impl From<Namespace<'_>> for KeptNamespace {
    fn from(namespace: Namespace<'_>) -> Self {
        Self(namespace.0.into())
    }
}

/// The namespaces that a gate has: at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespaces(Box<[KeptNamespace]>);

/// Names that are not those of a gate's namespaces.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnfitNamespaces {
    /// One cannot be the name of a namespace.
    #[error("`{name}` cannot be the name of a namespace: {why}")]
    Name {
        /// Which.
        name: String,
        /// Why not.
        why: Malformed,
    },
    /// One stands twice.
    #[error("`{0}` stands twice; take one of them away")]
    Twice(String),
    /// There are none, or too many.
    #[error("there are {0} namespaces; a gate has 1 to {most}", most = Namespaces::MOST)]
    Count(usize),
}

impl Namespaces {
    /// The most that a gate can have.
    pub const MOST: usize = 16;

    /// These, in their order.
    ///
    /// # Errors
    /// One is no name of a namespace, or stands twice; or they are none, or too many.
    pub fn new(names: &[String]) -> Result<Self, UnfitNamespaces> {
        if !(1..=Self::MOST).contains(&names.len()) {
            return Err(UnfitNamespaces::Count(names.len()));
        }
        let mut namespaces: Vec<KeptNamespace> = Vec::with_capacity(names.len());
        for name in names {
            let namespace = Namespace::new(name).map_err(|why| UnfitNamespaces::Name { name: name.clone(), why })?;
            if namespaces.iter().any(|before| before.name() == namespace) {
                return Err(UnfitNamespaces::Twice(name.clone()));
            }
            namespaces.push(namespace.into());
        }
        Ok(Self(namespaces.into()))
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = Namespace<'_>> {
        self.0.iter().map(KeptNamespace::name)
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
    fn a_gate_has_one_to_sixteen_namespaces_each_once() {
        let of = |names: &[String]| Namespaces::new(names).map(|namespaces| namespaces.iter().count());
        let named = |count: usize| (0..count).map(|number| format!("/{number}")).collect::<Vec<_>>();
        assert_eq!(of(&named(0)), Err(UnfitNamespaces::Count(0)));
        assert_eq!(of(&named(16)), Ok(16));
        assert_eq!(of(&named(17)), Err(UnfitNamespaces::Count(17)));
        assert_eq!(of(&["/a".to_owned(), "/a".to_owned()]), Err(UnfitNamespaces::Twice("/a".to_owned())));
        for bad in ["default", "/a,b"] {
            let why = of(&["/".to_owned(), bad.to_owned()]).unwrap_err();
            assert!(why.to_string().starts_with(&format!("`{bad}` cannot be")), "{why}");
        }
        let namespaces = Namespaces::new(&["/default".to_owned()]).unwrap();
        assert!(namespaces.get(Namespace::ROOT).is_none());
        assert!(namespaces.get(Namespace::new("/default").unwrap()).is_some());
    }
}
