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

#[cfg(test)]
mod tests {
    use doorward_backends::hub::ChannelRules;

    use super::*;

    const CONFIG: &str = r#"
        store = { url = "memory:" }
        [[gate]]
        name = "news"
        path = "/news"
        backend = { hub = {} }
        open = true
        channel = [{ name = "alerts" }]
    "#;

    #[tokio::test]
    async fn a_model_for_a_channel_that_no_gate_has_is_an_error_and_not_denied_in_silence() {
        let model = |channel: &str| Extensions::default().channel(channel, ChannelRules::default());
        assert!(embed(CONFIG, model("alerts")).await.is_ok());
        let error = embed(CONFIG, model("alarms")).await.err().unwrap().to_string();
        assert_eq!(
            error,
            "model for the channel `alarms`: no gate has that channel; add it to a gate with a hub, as a `[[gate.channel]]` of that name"
        );
    }
}
