use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use doorward_auth::ports::{Clock, SystemRng};
use doorward_types::KeyText;

use super::{ConfigFile, Failure, input, say, serve::serve};
use crate::{
    config::{Config, NewFile, write_new},
    node,
    system::{SystemClock, random},
};

/// The file with the issuer's secret.
const SECRET: &str = "guard.secret";

/// Put a gate in front of an unchanged WebSocket server; no configuration needed.
///
/// It makes an issuer of its own, prints a token, and lets nobody else in.
#[derive(Debug, Args)]
pub(super) struct Guard {
    /// The server behind the gate: `ws://HOST:PORT`, with a path or without.
    url: String,
    /// The address and port that users connect to.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8420")]
    listen: SocketAddr,
    /// Let everybody in: to try the way through, not to guard anything.
    #[arg(long)]
    open: bool,
    /// Whom the printed token is of.
    #[arg(long, value_name = "S", default_value = "guest")]
    subject: String,
    /// How long the printed token is valid.
    #[arg(long, default_value = "12h", value_parser = input::span)]
    valid: Duration,
    /// An origin whose pages may connect; may be given again. Without one: pages of the gate's own host.
    #[arg(long = "origin", value_name = "ORIGIN")]
    origins: Vec<String>,
    /// Keep the configuration, the store and the issuer's secret here, so that tokens stay valid. Without it they are
    /// forgotten at the end.
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
}

impl Guard {
    pub(super) fn run(self) -> Result<(), Failure> {
        let temporary = match &self.data {
            Some(_) => None,
            None => Some(tempfile::Builder::new().prefix("doorward-guard-").tempdir()?),
        };
        let folder = match (&self.data, &temporary) {
            (Some(folder), _) => folder.as_path(),
            (None, Some(folder)) => folder.path(),
            (None, None) => Path::new("."),
        };
        fs::create_dir_all(folder)
            .map_err(|error| Failure::new(format!("cannot make the folder `{}`: {error}", folder.display())))?;
        if !folder.join(SECRET).exists() {
            let contents = KeyText::Challenge.write(&random());
            write_new(folder, &[NewFile { path: SECRET.into(), mode: 0o600, contents }])?;
        }
        let file = ConfigFile { config: folder.join("guard.toml") };
        fs::write(&file.config, self.config())?;
        let loaded = file.load_with(&[])?;
        let token = if self.open { None } else { Some(self.token(&loaded.config, folder)?) };
        serve(&file, loaded, |listening| {
            if let Some(token) = &token {
                say(format_args!("token {token}"));
                say(format_args!("connect with: DOORWARD_TOKEN={token} doorward connect ws://{listening}/"));
            } else {
                say("everybody gets in (--open)");
                say(format_args!("connect with: doorward connect --raw ws://{listening}/"));
            }
            say(format_args!("manage with: doorward sockets list -c {}", file.config.display()));
        })
    }

    fn config(&self) -> String {
        let text = |text: &str| toml::Value::String(text.to_owned()).to_string();
        let ladder = if self.open { "open = true" } else { "ladder = [{ bearer = { issuer = \"guard\" } }]" };
        let origins = match self.origins.as_slice() {
            [] => String::new(),
            origins => {
                format!("origins = [{}]\n", origins.iter().map(|origin| text(origin)).collect::<Vec<_>>().join(", "))
            }
        };
        format!(
            "# Written by `doorward guard`; start from `doorward genconfig` for a configuration of your own.\n\
             [server]\nlisten = \"{listen}\"\nshutdown = \"1s\"\n\n[internal]\nlisten = \"127.0.0.1:0\"\n\n\
             [[issuer]]\nname = \"guard\"\nissuer = \"doorward-guard\"\naudience = \"guard\"\n\
             algorithms = [\"HS256\"]\nsecret_file = \"guard.secret\"\n\n\
             [[gate]]\nname = \"guard\"\npath = \"/*\"\n{origins}\
             backend = {{ upstream = {{ url = {url} }} }}\n{ladder}\n",
            listen = self.listen,
            url = text(&self.url),
        )
    }

    fn token(&self, config: &Config, folder: &Path) -> Result<String, Failure> {
        let issuer = node::issuer(config, folder, "guard")?;
        let token = issuer.mint(&self.subject, self.valid, serde_json::Map::new(), SystemClock.now(), &SystemRng)?;
        let shown = token.reveal_text("guard's own token, printed for whoever started it").unwrap_or_default();
        Ok(shown.to_owned())
    }
}
