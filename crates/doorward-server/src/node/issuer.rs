//! An issuer of the configuration, for commands that need no node.

use std::path::Path;

use doorward_auth::token::{Issuer, IssuerError};

use crate::{
    config::{Config, secret_reader},
    gates,
};

/// Why an issuer cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum NoIssuer {
    /// It is the server's own.
    #[error(
        "`{0}` is the server's own issuer: behind each of its tokens is a login, and the built-in site makes them at `POST /api/token`",
        Issuer::OWN
    )]
    Own,
    /// There is none of that name.
    #[error("there is no issuer `{name}`; there are: {known}")]
    Unknown {
        /// The name.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// Its keys cannot be read.
    #[error(transparent)]
    Unusable(#[from] IssuerError),
}

/// An issuer of the configuration by its name, with its keys.
pub fn issuer(config: &Config, base: &Path, name: &str) -> Result<Issuer, NoIssuer> {
    if name == Issuer::OWN {
        return Err(NoIssuer::Own);
    }
    let Some(found) = config.issuers.iter().find(|issuer| issuer.name == name) else {
        let known: Vec<_> = config.issuers.iter().map(|issuer| format!("`{}`", issuer.name)).collect();
        return Err(NoIssuer::Unknown { name: name.to_owned(), known: known.join(", ") });
    };
    let owner = gates::owner_of(config, found.owner.as_deref());
    Ok(Issuer::build(found, &owner, &secret_reader(base))?)
}
