use std::{collections::BTreeMap, path::Path, sync::Arc};

use crate::{
    Door, Extensions, Node, StartError,
    config::{self, Mistake},
};

/// Why a door could not be put into an application.
#[derive(Debug, thiserror::Error)]
pub enum EmbedError {
    /// The configuration has mistakes.
    #[error("the configuration cannot be used:\n{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Config(Vec<Mistake>),
    /// The node cannot start.
    #[error(transparent)]
    Start(#[from] StartError),
}

/// A door for an application that has an HTTP server of its own: a configuration as text, and what the application brings.
///
/// Paths in the configuration are relative to the working folder. Hand upgrade requests to [`Door::answer`].
pub async fn embed(config: &str, extensions: Extensions) -> Result<Arc<Door>, EmbedError> {
    let read = config::secret_reader(Path::new(""));
    let loaded = config::load_for(&extensions.authenticators, config, "(embedded)", &BTreeMap::new(), &[], &read)
        .map_err(EmbedError::Config)?;
    Ok(Node::open(loaded.config, Path::new(""), extensions).await?.embed())
}
