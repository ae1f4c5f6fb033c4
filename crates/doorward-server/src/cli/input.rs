//! What several commands read from their arguments and from the terminal.

use std::{
    fs,
    io::{self, IsTerminal, Read},
    path::Path,
    time::Duration,
};

use doorward_auth::settings::Span;
use doorward_types::{OwnerId, Secret, Subject};

use super::Failure;
use crate::{config::Config, gates};

/// A duration such as `30s`, `5m` or `12h`.
pub(super) fn span(text: &str) -> Result<Duration, String> {
    text.parse::<Span>().map(Span::duration).map_err(|error| error.to_string())
}

/// `kind:pk`, or a bare name, which is a `member`.
pub(super) fn subject(text: &str) -> Result<Subject, Failure> {
    let (kind, pk) = text.split_once(':').unwrap_or(("member", text));
    if kind.is_empty() || pk.is_empty() {
        return Err(Failure::new(format!("`{text}` is no subject; write `kind:pk`, such as `member:7`")));
    }
    Ok(Subject { kind: kind.to_owned(), pk: pk.to_owned(), uuid: pk.to_owned() })
}

/// The owner of a gate that the configuration has, or the one that was named.
pub(super) fn owner_of(config: &Config, gate: Option<&str>, owner: Option<&str>) -> Result<OwnerId, Failure> {
    let Some(name) = gate else { return Ok(OwnerId::new(owner.unwrap_or("default"))) };
    match config
        .gates
        .iter()
        .find(|gate| gate.name == name && gate.owner.as_deref().is_none_or(|of| owner.is_none_or(|owner| owner == of)))
    {
        Some(gate) => Ok(gates::owner_of(config, gate.owner.as_deref())),
        None => {
            let known: Vec<_> = config.gates.iter().map(|gate| format!("`{}`", gate.name)).collect();
            Err(Failure::new(format!("there is no gate `{name}`; there are {}", known.join(", "))))
        }
    }
}

/// A secret from a file, from an environment variable, from standard input, or asked for at the terminal; never an argument.
pub(super) fn secret(file: Option<&Path>, variable: &str, prompt: &str) -> Result<Secret, Failure> {
    if let Some(file) = file {
        let text = fs::read_to_string(file)
            .map_err(|error| Failure::new(format!("cannot read `{}`: {error}", file.display())))?;
        return Ok(Secret::from_text(text.trim()));
    }
    if let Ok(text) = std::env::var(variable)
        && !text.is_empty()
    {
        return Ok(Secret::from_text(text.trim()));
    }
    if io::stdin().is_terminal() {
        let typed = rpassword::prompt_password(format!("{prompt}: "))?;
        return Ok(Secret::from_text(typed.trim()));
    }
    let mut text = String::new();
    io::stdin().read_to_string(&mut text)?;
    Ok(Secret::from_text(text.trim()))
}
