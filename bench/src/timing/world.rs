//! What the guesses are made at: one server with a gate for each group, and keys and tickets of which some are good no more.

use crate::{
    child::{self, Running},
    clock,
    doorward::Doorward,
    error::{Error, Result, Trying},
    load::site::Api,
    token,
};
use aws_lc_rs::signature::Ed25519KeyPair;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use std::{fs, net::SocketAddr, path::Path};
use tempfile::TempDir;

/// Paths of one length, so that nothing but the path itself can make a difference.
pub(super) const OPEN: &str = "/4f8d2a6c0e1b3957a8c4d6e2f0917b35/door";
pub(super) const DISABLED: &str = "/9b01c7d35e8f42a6d0f3b8172c6e4a59/door";
pub(super) const UNKNOWN: &str = "/e27a94d1083c5b6f1d7e90a2c4b8f365/door";
/// All of the open one but its last digit.
pub(super) const NEAR: &str = "/4f8d2a6c0e1b3957a8c4d6e2f0917b36/door";

/// So many wrong tries of an account are free.
const FREE: u32 = 4;

const GATES: &str = r#"[site]
enabled = true

[[gate]]
name = "password"
path = "/password"
backend = { echo = {} }
ladder = [{ password = {} }]

[[gate]]
name = "secret"
path = "/4f8d2a6c0e1b3957a8c4d6e2f0917b35/door"
backend = { echo = {} }
ladder = [{ jwt = { issuer = "bench" } }]

[[gate]]
name = "disabled"
path = "/9b01c7d35e8f42a6d0f3b8172c6e4a59/door"
enabled = false
backend = { echo = {} }
ladder = [{ jwt = { issuer = "bench" } }]

[[gate]]
name = "key"
path = "/key"
backend = { echo = {} }
ladder = [{ app_key = {} }]

[[gate]]
name = "offer"
path = "/offer"
backend = { echo = {} }
ladder = [{ offer = { of = [{ jwt = { issuer = "bench" } }, { app_key = { plain = true } }] } }]

[[gate]]
name = "header"
path = "/header"
backend = { echo = {} }
ladder = [{ ticket = { via = ["header"] } }]

[[gate]]
name = "message"
path = "/message"
backend = { echo = {} }
ladder = [{ ticket = { via = ["message"] } }]

[[gate]]
name = "hub"
path = "/hub"
backend = { hub = {} }
ladder = [{ jwt = { issuer = "bench" } }]

[[gate.channel]]
name = "closed"
subscribe = "nobody"

[[gate.channel]]
name = "groups"
subscribe = { claim = "groups" }
"#;

/// A running server, and what can be shown to it.
pub(super) struct World {
    pub(super) target: SocketAddr,
    pub(super) known: AppKey,
    pub(super) revoked: AppKey,
    /// A key of another server.
    pub(super) unknown: AppKey,
    /// A ticket of another server.
    pub(super) unknown_ticket: String,
    /// Tickets for the gates `header` and `message`, which whoever uses the world has to use up.
    pub(super) tickets: [String; 2],
    /// A signature of the right form, by nobody's key.
    pub(super) wrong_proof: String,
    secret: Vec<u8>,
    _server: Running,
    _folders: [TempDir; 2],
}

/// Accounts whose names have one length. Each is guessed at no more often than is free.
#[derive(Clone, Copy)]
pub(super) enum Users {
    AtThePage,
    Disabled,
    OverASocket,
}

impl Users {
    const ALL: [Self; 3] = [Self::AtThePage, Self::Disabled, Self::OverASocket];

    /// The name for the guess of that number.
    pub(super) fn name(self, number: u32) -> String {
        let word = match self {
            Self::AtThePage => "person",
            Self::Disabled => "former",
            Self::OverASocket => "socket",
        };
        format!("{word}-{:05}", number / FREE)
    }

    /// Makes those that so many guesses need.
    fn make(self, api: &Api, guesses: u32) -> Result<()> {
        for number in (0..guesses).step_by(FREE as usize) {
            let id = api.account(&self.name(number))?;
            if matches!(self, Self::Disabled) {
                api.disable(&id)?;
            }
        }
        Ok(())
    }
}

/// An app key: its public id, and the key as its holder has it.
pub(super) struct AppKey {
    pub(super) id: String,
    pub(super) text: String,
}

impl World {
    /// With accounts for so many guesses.
    pub(super) fn start(binary: &Path, cpu: usize, guesses: u32) -> Result<Self> {
        let folder = || tempfile::Builder::new().prefix("doorward-bench-").tempdir().trying("a temporary folder");
        let (own, other) = (folder()?, folder()?);
        let here = Operator { binary, doorward: Doorward::configured(own.path(), GATES)? };
        // Keys and tickets of another store have the form of good ones, down to the checksum.
        let elsewhere = Operator { binary, doorward: Doorward::configured(other.path(), GATES)? };
        let revoked = here.key()?;
        here.run(&["keys", "revoke", &revoked.id])?;
        let (known, unknown) = (here.key()?, elsewhere.key()?);
        let tickets = [here.ticket("header")?, here.ticket("message")?];
        let unknown_ticket = elsewhere.ticket("header")?;
        let secret = fs::read(&here.doorward.secret_file).trying("the secret")?;
        let mut server = here.doorward.start(binary, cpu)?;
        let target = server.address()?;
        let key = fs::read_to_string(here.doorward.api_key(binary)?).trying("the key to the HTTP API")?;
        let api = Api::at(server.address()?, key.trim().to_owned());
        Users::ALL.iter().try_for_each(|users| users.make(&api, guesses))?;
        Ok(Self {
            target,
            known,
            revoked,
            unknown,
            unknown_ticket,
            tickets,
            wrong_proof: proof_of_nobody()?,
            secret,
            _server: server,
            _folders: [own, other],
        })
    }

    /// A token that the gates take.
    pub(super) fn token(&self) -> String {
        token::sign(&self.secret, "caller", clock::unix_seconds())
    }

    /// A token of the same form, of another key.
    pub(super) fn wrong_token(&self) -> String {
        let mut secret = self.secret.clone();
        secret.reverse();
        token::sign(&secret, "caller", clock::unix_seconds())
    }
}

/// Whoever works on the command line of one configuration.
struct Operator<'a> {
    binary: &'a Path,
    doorward: Doorward,
}

impl Operator<'_> {
    fn run(&self, words: &[&str]) -> Result<Vec<u8>> {
        child::output(&self.doorward.command(self.binary, words))
    }

    /// The member of what a command prints with `--json`.
    fn member(said: &[u8], name: &str) -> Result<String> {
        let said: Value = serde_json::from_slice(said).unwrap_or_default();
        let found = said[name].as_str().map(str::to_owned);
        found.ok_or_else(|| Error::Server(format!("printed no `{name}`")))
    }

    fn key(&self) -> Result<AppKey> {
        let said = self.run(&["keygen", "--subject", "caller:1", "--json"])?;
        Ok(AppKey { id: Self::member(&said, "id")?, text: Self::member(&said, "secret")? })
    }

    fn ticket(&self, gate: &str) -> Result<String> {
        let words = ["genticket", "--gate", gate, "--subject", "caller:1", "--valid", "10m", "--json"];
        Self::member(&self.run(&words)?, "ticket")
    }
}

/// Good signatures are short in one half; one of random bytes would mostly be refused before it is computed.
fn proof_of_nobody() -> Result<String> {
    let key = Ed25519KeyPair::generate().map_err(|_| Error::Usage("a key cannot be made".into()))?;
    Ok(URL_SAFE_NO_PAD.encode(key.sign(b"something else")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_paths_differ_in_nothing_but_their_digits() {
        assert!(GATES.contains(OPEN) && GATES.contains(DISABLED));
        assert!(!GATES.contains(UNKNOWN) && !GATES.contains(NEAR));
        assert!([DISABLED, UNKNOWN, NEAR].iter().all(|path| path.len() == OPEN.len()));
        assert_eq!(OPEN.bytes().zip(NEAR.bytes()).filter(|(a, b)| a != b).count(), 1);
    }
}
