//! What several commands read from their arguments and from the terminal.

use std::{
    fs,
    io::{self, IsTerminal, Read},
    net::SocketAddr,
    path::Path,
    time::Duration,
};

use doorward_auth::{ports::Role, settings::Span};
use doorward_backends::upstream::UpstreamUrl;
use doorward_types::{OwnerId, Secret, Subject};

use super::Failure;
use crate::{
    config::{Config, Gate, Listen, in_backticks},
    gates,
};

/// A duration such as `30s`, `5m` or `12h`.
pub(super) fn span(text: &str) -> Result<Duration, String> {
    text.parse::<Span>().map(Span::duration).map_err(|error| error.to_string())
}

/// An address and a port to listen on.
pub(super) fn listen(text: &str) -> Result<SocketAddr, String> {
    text.parse::<Listen>().map(|listen| listen.0).map_err(|error| {
        // A name may stand for several addresses, and a port alone for any of them.
        let port = text.rsplit(':').next().and_then(|port| port.parse::<u16>().ok());
        port.map_or(error, |port| format!("it is not an address and a port; write numbers, as in `127.0.0.1:{port}`"))
    })
}

/// The url of a server behind a gate, as it was written.
pub(super) fn upstream(text: &str) -> Result<String, String> {
    match text.parse::<UpstreamUrl>() {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => format!("{error}; write `ws://{rest}`"),
            _ => error.to_string(),
        }),
    }
}

/// `kind:pk`.
pub(super) fn subject(text: &str) -> Result<Subject, Failure> {
    text.parse().map_err(|_| {
        let text = text.escape_debug();
        Failure::new(format!("`{text}` is no subject; write `kind:pk`, such as `member:7`"))
    })
}

/// An owner of the configuration: the one that was named, or the only one.
pub(super) fn owner(config: &Config, name: Option<&str>) -> Result<OwnerId, Failure> {
    let known = || in_backticks(&config.owners.iter().map(|owner| owner.name.as_str()).collect::<Vec<_>>());
    match (name, config.owners.as_slice()) {
        (None, [only]) => Ok(OwnerId::new(only.name.as_str())),
        (None, _) => Err(Failure::new(format!("whose? Name an owner with `--owner`; there are {}", known()))),
        (Some(name), owners) if owners.iter().any(|owner| owner.name == name) => Ok(OwnerId::new(name)),
        (Some(name), _) => Err(Failure::new(format!("there is no owner `{name}`; there are {}", known()))),
    }
}

/// The owner of a gate that the configuration has; `named` tells owners apart whose gates have one name.
pub(super) fn owner_of_gate(config: &Config, gate: &str, named: Option<&str>) -> Result<OwnerId, Failure> {
    let named = named.map(|name| owner(config, Some(name))).transpose()?;
    let of = |gate: &Gate| gates::owner_of(config, gate.owner.as_deref());
    let is_meant = |other: &&Gate| other.name == gate && named.as_ref().is_none_or(|named| of(other) == *named);
    let mut found = config.gates.iter().filter(is_meant);
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(of(only)),
        (Some(_), Some(_)) => {
            Err(Failure::new(format!("more than one owner has a gate `{gate}`; say which with `--owner`")))
        }
        (None, _) => {
            let known = in_backticks(&config.gates.iter().map(|gate| gate.name.as_str()).collect::<Vec<_>>());
            Err(Failure::new(format!("there is no gate `{gate}`; there are {known}")))
        }
    }
}

/// A secret from a file or from an environment variable, where one of them is given; never an argument.
pub(super) fn given(file: Option<&Path>, variable: &str) -> Result<Option<Secret>, Failure> {
    let Some(file) = file else {
        let text = std::env::var(variable).unwrap_or_default();
        return Ok(some_secret(&text));
    };
    let text =
        fs::read_to_string(file).map_err(|error| Failure::new(format!("cannot read `{}`: {error}", file.display())))?;
    let secret = some_secret(&text);
    secret.map(Some).ok_or_else(|| Failure::new(format!("`{}` is empty", file.display())))
}

/// A token from a file or from `DOORWARD_TOKEN`, or else asked for at the terminal, or else all of standard input.
pub(super) fn token(file: Option<&Path>) -> Result<Secret, Failure> {
    if let Some(token) = given(file, "DOORWARD_TOKEN")? {
        return Ok(token);
    }
    let mut text = String::new();
    if io::stdin().is_terminal() {
        text = rpassword::prompt_password("token: ")?;
    } else {
        io::stdin().read_to_string(&mut text)?;
    }
    some_secret(&text)
        .ok_or_else(|| Failure::new("no token is given; name it by `--token-file`, `DOORWARD_TOKEN` or standard input"))
}

/// A new password: typed twice and not shown, or the first line of standard input.
pub(super) fn new_password(from_stdin: bool) -> Result<Secret, Failure> {
    if from_stdin {
        let line = typed_line()?.filter(|line| !line.is_empty());
        return line.map(Secret::from_text).ok_or_else(|| Failure::new("there is no password on standard input"));
    }
    if !io::stdin().is_terminal() {
        return Err(Failure::new("nobody is there to type the password; give it with `--password-stdin`"));
    }
    let ask = |prompt| rpassword::prompt_password(prompt).map(Secret::from_text);
    let (once, again) = (ask("password: ")?, ask("the same again: ")?);
    if once == again { Ok(once) } else { Err(Failure::new("the two are not the same; run the command again")) }
}

/// A line of standard input, without its end; `None` where there is no more.
pub(super) fn typed_line() -> Result<Option<String>, Failure> {
    let mut line = String::new();
    let some = io::stdin().read_line(&mut line)? > 0;
    Ok(some.then(|| line.trim_end_matches(['\r', '\n']).to_owned()))
}

/// What an account may do at the site.
pub(super) fn role(text: &str) -> Result<Role, String> {
    Role::read(text).ok_or_else(|| "a role is `user`, `owner` or `operator`".to_owned())
}

fn some_secret(text: &str) -> Option<Secret> {
    let text = text.trim();
    (!text.is_empty()).then(|| Secret::from_text(text))
}
