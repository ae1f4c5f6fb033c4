use std::{
    fs,
    net::{SocketAddr, TcpStream, ToSocketAddrs},
    path::{self, Path, PathBuf},
    thread,
    time::Duration,
};

use clap::Args;
use doorward_auth::ports::{Clock, SystemRng};
use doorward_backends::upstream::UpstreamUrl;
use doorward_types::{KeyText, Secret};

use super::{
    ConfigFile, Failure, input,
    output::note,
    say,
    serve::{listen_at, serve},
};
use crate::{
    config::{BackendConfig, Config, NewFile, TlsFiles, write_new},
    node,
    system::{SystemClock, random},
};

/// The file with the issuer's secret.
const SECRET: &str = "guard.secret";

/// How long the server behind the gate has to take a connection before it is said that it takes none.
const LOOK_FOR: Duration = Duration::from_secs(2);

/// The file with the configuration.
const CONFIG: &str = "guard.toml";

/// Put a gate in front of an unchanged WebSocket server; no configuration needed.
///
/// It makes an issuer of its own, prints a token, and lets nobody else in.
#[derive(Debug, Args)]
pub(super) struct Guard {
    /// The server behind the gate: `ws://HOST:PORT`, with a path or without.
    #[arg(value_parser = input::upstream)]
    url: String,
    /// The address and port that users connect to, instead of 127.0.0.1:8420 or what is kept in `--data`.
    #[arg(long, value_name = "ADDR", value_parser = input::listen)]
    listen: Option<SocketAddr>,
    /// Speak TLS (`wss://`) with the certificate in this file (PEM, the chain with the server's own first).
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The private key of the certificate (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
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
    /// forgotten at the end. A configuration that is there already is used as it is, whoever wrote it, and never written again.
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
        let file = ConfigFile { config: folder.join(CONFIG) };
        let is_new = !file.config.exists();
        if is_new {
            let contents = Secret::from_text(self.config()?);
            write_new(folder, &[NewFile { path: CONFIG.into(), mode: 0o644, contents }])?;
        }
        let overrides: Vec<_> = self.listen.iter().map(listen_at).collect();
        let loaded = file.load_with(&overrides).inspect_err(|_| {
            if is_new {
                // A mistake of the command line is not kept. What is told is that mistake.
                let _still_there = fs::remove_file(&file.config);
            }
        })?;
        self.must_agree_with(&loaded.config, &file)?;
        let scheme = if loaded.config.server.tls.is_some() { "wss" } else { "ws" };
        let token = if self.open { None } else { Some(self.token(&loaded.config, folder)?) };
        let upstream = self.url.parse::<UpstreamUrl>().ok();
        serve(&file, &overrides, loaded, |listening| {
            // The gate stands already, and the server behind it may come later: nobody waits for this.
            thread::spawn(move || upstream.iter().filter(|url| !is_there(url)).for_each(say_nothing_listens));
            if self.data.is_some() {
                let done = if is_new { "wrote" } else { "read" };
                say(format_args!("{done} {}", file.config.display()));
            }
            if let Some(token) = &token {
                say(format_args!("token {token}"));
                say(format_args!("connect with: DOORWARD_TOKEN={token} doorward connect {scheme}://{listening}/"));
            } else {
                say("everybody gets in (--open)");
                say(format_args!("connect with: doorward connect --raw {scheme}://{listening}/"));
            }
            say(format_args!("manage with: doorward sockets list -c {}", file.config.display()));
        })
    }

    /// What the command line says of the gate has to be what a configuration says that was there before.
    fn must_agree_with(&self, config: &Config, file: &ConfigFile) -> Result<(), Failure> {
        let Some(gate) = config.gates.iter().find(|gate| gate.name == "guard") else {
            return Err(disagrees(file, "has no gate `guard`"));
        };
        let url = match &gate.backend {
            BackendConfig::Upstream(upstream) => Some(&upstream.url),
            BackendConfig::Hub(_) | BackendConfig::Echo(_) | BackendConfig::Ninep(_) => None,
        };
        if self.url.parse().ok().as_ref() != url {
            return Err(disagrees(file, format_args!("does not lead to `{}`", self.url)));
        }
        if self.open != gate.open {
            let does = if gate.open { "lets everybody in" } else { "does not let everybody in (`--open`)" };
            return Err(disagrees(file, does));
        }
        if !self.origins.is_empty() && gate.origins.as_ref() != Some(&self.origins) {
            return Err(disagrees(file, "lists other origins"));
        }
        if self.tls()?.is_some_and(|tls| config.server.tls.as_ref() != Some(&tls)) {
            return Err(disagrees(file, "names another certificate, or none"));
        }
        Ok(())
    }

    /// The files of the certificate, wherever the configuration lies.
    fn tls(&self) -> Result<Option<TlsFiles>, Failure> {
        let (Some(cert), Some(key)) = (&self.tls_cert, &self.tls_key) else { return Ok(None) };
        Ok(Some(TlsFiles { cert_file: path::absolute(cert)?, key_file: path::absolute(key)? }))
    }

    fn config(&self) -> Result<String, Failure> {
        let text = |text: &str| toml::Value::String(text.to_owned()).to_string();
        let ladder = if self.open { "open = true" } else { "ladder = [{ bearer = { issuer = \"guard\" } }]" };
        let origins = match self.origins.as_slice() {
            [] => String::new(),
            origins => {
                format!("origins = [{}]\n", origins.iter().map(|origin| text(origin)).collect::<Vec<_>>().join(", "))
            }
        };
        let tls = self.tls()?.map_or_else(String::new, |TlsFiles { cert_file, key_file }| {
            let [cert, key] = [cert_file, key_file].map(|file| text(&file.display().to_string()));
            format!("tls = {{ cert_file = {cert}, key_file = {key} }}\n")
        });
        Ok(format!(
            "# Made by `doorward guard`, once: what you change here stays. Start from `doorward genconfig` for a configuration of your own.\n\
             [server]\nlisten = \"{listen}\"\n{tls}shutdown = \"1s\"\n\n[internal]\nlisten = \"127.0.0.1:0\"\n\n\
             [[issuer]]\nname = \"guard\"\nissuer = \"doorward-guard\"\naudience = \"guard\"\n\
             algorithms = [\"HS256\"]\nsecret_file = \"guard.secret\"\n\n\
             [[gate]]\nname = \"guard\"\npath = \"/*\"\n{origins}\
             backend = {{ upstream = {{ url = {url} }} }}\n{ladder}\n",
            listen = self.listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 8420))),
            url = text(&self.url),
        ))
    }

    fn token(&self, config: &Config, folder: &Path) -> Result<String, Failure> {
        let issuer = node::issuer(config, folder, "guard")?;
        let token = issuer.mint(&self.subject, self.valid, serde_json::Map::new(), SystemClock.now(), &SystemRng)?;
        let shown = token.reveal_text("guard's own token, printed for whoever started it").unwrap_or_default();
        Ok(shown.to_owned())
    }
}

/// Whether something takes connections there.
fn is_there(url: &UpstreamUrl) -> bool {
    let addresses = (url.host(), url.port()).to_socket_addrs();
    addresses.is_ok_and(|mut found| found.any(|address| TcpStream::connect_timeout(&address, LOOK_FOR).is_ok()))
}

fn say_nothing_listens(url: &UpstreamUrl) {
    note(format_args!("nothing takes connections at `{}` now; until something does, users are told 503", url.origin()));
}

/// A configuration that was there says something else than the command line. Neither is taken for the other.
fn disagrees(file: &ConfigFile, what: impl std::fmt::Display) -> Failure {
    let path = file.config.display();
    let hint = format!("change it there, move it away for a new one, or serve it as it is: `doorward serve -c {path}`");
    Failure::of_config(format!("`{path}` was there already and {what}\nhint: {hint}"))
}
