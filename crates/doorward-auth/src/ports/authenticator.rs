use std::collections::BTreeMap;

use doorward_types::{Answer, Subject};

use super::PortError;
use crate::{BoxFuture, OnlyOne};

/// Whom an [`Authenticator`] has recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Kind, primary key and shown name.
    pub subject: Subject,
    /// Whether the subject may have one socket only.
    pub only_one: Option<OnlyOne>,
    /// Claims for rules: each a list of values, such as the pks of the groups the subject is in.
    pub claims: BTreeMap<String, Vec<String>>,
}

impl Identity {
    /// Somebody without claims, who may have as many sockets as the gate allows.
    pub fn of(subject: Subject) -> Self {
        Self { subject, only_one: None, claims: BTreeMap::new() }
    }
}

/// An embedding application's own way to recognise somebody: a record that looks at what the user sent.
///
/// `{"action":"auth","kind":"terminal","token":"..."}` goes to the authenticator whose kind is `terminal`.
pub trait Authenticator: Send + Sync {
    /// The `kind` of the answers that are for it.
    fn kind(&self) -> &'static str;

    /// The fields that the user is asked for.
    fn fields(&self) -> &'static [&'static str];

    /// Who it is; `Ok(None)` where that cannot be told.
    fn authenticate<'a>(&'a self, answer: &'a Answer) -> BoxFuture<'a, Result<Option<Identity>, PortError>>;
}
