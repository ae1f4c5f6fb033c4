use std::{
    io::IsTerminal,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use doorward_client::{Client, ConnectError, Credentials, Issuers, Message, Options, TlsError};
use doorward_types::Secret;
use doorward_wire::json::SUBPROTOCOL;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    signal::ctrl_c,
    sync::Mutex,
};

use super::{
    Failure, input,
    person::{Person, Typed},
    say, wait_for,
};

/// Open a gate as a client: answers what it can, asks you the rest.
///
/// Then it sends every line that you type, as it is.
///
/// Credentials come from files or from the environment (`DOORWARD_TOKEN`, `DOORWARD_KEY`, `DOORWARD_TICKET`,
/// `DOORWARD_CHALLENGE`), never from the command line. A token is shown in the upgrade request and to the layer `jwt`.
#[derive(Debug, Args)]
pub(super) struct Connect {
    /// Where: `ws://HOST:PORT/PATH`, or `wss://HOST/PATH` over TLS.
    url: String,
    /// For `wss://`: trust the issuers of certificates in this file (PEM), instead of those that this machine trusts.
    #[arg(long, value_name = "FILE")]
    cacert: Option<PathBuf>,
    /// The file with a token, instead of the variable `DOORWARD_TOKEN`.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The file with an app key (`dwk_...`), instead of the variable `DOORWARD_KEY`.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// The file with a one-time ticket (`dwt_...`), instead of the variable `DOORWARD_TICKET`.
    #[arg(long, value_name = "FILE")]
    ticket_file: Option<PathBuf>,
    /// The file with the secret of a challenge (`dwc_...`), instead of the variable `DOORWARD_CHALLENGE`.
    #[arg(long, value_name = "FILE")]
    challenge_file: Option<PathBuf>,
    /// The glyph that the gate has to show; anything else, and this side leaves.
    #[arg(long)]
    glyph: Option<String>,
    /// The `Origin` to show, as a browser would.
    #[arg(long)]
    origin: Option<String>,
    /// A subprotocol to offer instead of `doorward.v1`; may be given again.
    #[arg(long = "protocol", value_name = "NAME")]
    protocols: Vec<String>,
    /// Speak to an unchanged server behind the gate: offer no subprotocol, expect no ladder.
    #[arg(long, conflicts_with = "protocols")]
    raw: bool,
    /// Climb a ladder although the gate named another subprotocol than `doorward.v1`: for an upstream gate whose ladder talks.
    #[arg(long, conflicts_with = "raw")]
    climb: bool,
}

impl Connect {
    pub(super) fn run(self) -> Result<(), Failure> {
        wait_for(async {
            tokio::select! {
                done = self.connect() => done,
                // Whoever leaves at a prompt finds the terminal as it was.
                _ = ctrl_c() => Err(Failure::new("interrupted")),
            }
        })
    }

    async fn connect(self) -> Result<(), Failure> {
        let token = input::given(self.token_file.as_deref(), "DOORWARD_TOKEN")?;
        let mut options = Options {
            bearer: token.clone(),
            ticket: input::given(self.ticket_file.as_deref(), "DOORWARD_TICKET")?,
            origin: self.origin.clone(),
            issuers: self.cacert.as_deref().map(issuers).transpose()?,
            ..Options::default()
        };
        if self.raw {
            options.subprotocols.clear();
        } else if !self.protocols.is_empty() {
            options.subprotocols.clone_from(&self.protocols);
        }
        let lines = Arc::new(Mutex::new(BufReader::new(tokio::io::stdin()).lines()));
        let mut credentials = self.credentials(token)?.otherwise(Person::at(Arc::clone(&lines)));
        let mut client = Client::connect(&self.url, options).await.map_err(with_flag)?;
        if self.climb || client.subprotocol() == Some(SUBPROTOCOL) {
            let admitted = client.climb(&mut credentials).await?;
            let subject = admitted.subject.map_or_else(|| "nobody".to_owned(), |subject| subject.to_string());
            say(format_args!("admitted as {subject}, socket {}", admitted.socket));
        } else {
            say("connected");
        }
        talk(client, &mut *lines.lock().await).await
    }

    fn credentials(&self, token: Option<Secret>) -> Result<Credentials, Failure> {
        let mut credentials = Credentials::new();
        if let Some(token) = token {
            credentials = credentials.jwt(token);
        }
        if let Some(key) = input::given(self.key_file.as_deref(), "DOORWARD_KEY")? {
            credentials = credentials.app_key(text(&key))?;
        }
        if let Some(secret) = input::given(self.challenge_file.as_deref(), "DOORWARD_CHALLENGE")? {
            credentials = credentials.challenge(text(&secret))?;
        }
        if let Some(ticket) = input::given(self.ticket_file.as_deref(), "DOORWARD_TICKET")? {
            credentials = credentials.ticket(ticket);
        }
        if let Some(glyph) = &self.glyph {
            credentials = credentials.glyph(glyph.as_str());
        }
        Ok(credentials)
    }
}

/// What a certificate lacks can be given by a flag of this command.
fn with_flag(error: ConnectError) -> Failure {
    let is_of_issuer =
        matches!(error, ConnectError::Tls { error: TlsError::UnknownIssuer | TlsError::NobodyTrusted, .. });
    if is_of_issuer { Failure::new(format!("{error}: `--cacert FILE`")) } else { error.into() }
}

fn issuers(path: &Path) -> Result<Issuers, Failure> {
    let wrong = |error: &dyn std::fmt::Display| Failure::new(format!("`--cacert {}`: {error}", path.display()));
    let text = std::fs::read(path).map_err(|error| wrong(&error))?;
    Issuers::from_pem(&text).map_err(|error| wrong(&error))
}

/// A credential that is text is used as that; one that is not cannot be read by anybody.
fn text(secret: &Secret) -> &str {
    secret.reveal_text("a credential of whoever runs this client").unwrap_or_default()
}

/// Carries lines from the terminal to the gate and messages back, until either side ends.
async fn talk(mut client: Client, lines: &mut Typed) -> Result<(), Failure> {
    if std::io::stdin().is_terminal() {
        say("each line that you type is sent as it is; Ctrl-D leaves");
    }
    loop {
        tokio::select! {
            line = lines.next_line() => match line? {
                Some(line) if line.is_empty() => {}
                Some(line) => client.send(&line).await?,
                None => return Ok(client.close().await?),
            },
            message = client.next_message() => match message? {
                Some(Message::Text(text)) => say(&text),
                Some(Message::Binary(bytes)) => say(format_args!("({} binary bytes)", bytes.len())),
                None => break,
            },
        }
    }
    let closed = client.closed().map_or_else(|| "without a word".to_owned(), ToString::to_string);
    Err(Failure::new(format!("the gate closed the connection: {closed}")))
}
