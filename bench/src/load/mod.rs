//! The load generator: one epoll thread that plays thousands of clients, against a raw baseline or against Doorward.
//!
//! Every scenario ends with one line of JSON on standard output: `value` is the figure of the row, the rest explains it.

mod account;
mod beside;
mod crowd;
mod echo;
mod emit;
mod ending;
pub(crate) mod exchange;
mod fanout;
mod files;
mod idle;
mod logins;
mod peer;
pub(crate) mod site;
mod storm;

use crate::{
    args::{Load, Scenario},
    clock,
    error::{Error, Result, Trying},
    frames, process,
    spoken::{auth, authentication, request},
    token,
};
use peer::Script;
use serde_json::{Value, json};
use std::{fs, io::Write, path::Path, rc::Rc, time::Duration};

/// No handshake of a whole crowd, no answer to one, may take longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs one scenario and prints its result.
pub(crate) fn run(load: &Load) -> Result<()> {
    let own = process::Process::own();
    let (begun, cpu) = (clock::now(), own.cpu()?);
    let mut result = match &load.scenario {
        Scenario::Fanout { subscribers, window, seconds } => {
            fanout::run(load, *subscribers, *window, Duration::from_secs_f64(*seconds))
        }
        Scenario::Connect { count } => storm::admitted(load, *count),
        Scenario::Refuse { count } => storm::refused(load, *count),
        Scenario::Idle { count, carry, hold } => idle::run(load, *count, *carry, *hold),
        Scenario::End { count, look, command } => ending::run(load, *count, look, command),
        Scenario::EndAccount { count, runs } => account::run(load, *count, *runs),
        Scenario::Logins { accounts, at_once, seconds } => {
            logins::run(load, *accounts, *at_once, Duration::from_secs_f64(*seconds))
        }
        Scenario::RoundTrips { sockets, every_ms, people, seconds } => {
            let every = Duration::from_millis(u64::from(*every_ms));
            let used = beside::Use { sockets: *sockets, every, time: Duration::from_secs_f64(*seconds) };
            beside::run(load, used, *people)
        }
        Scenario::Emit { subscribers, window, seconds } => {
            emit::run(load, *subscribers, *window, Duration::from_secs_f64(*seconds))
        }
        Scenario::Files { connections, bytes, seconds } => {
            files::run(load, *connections, *bytes, Duration::from_secs_f64(*seconds))
        }
        Scenario::Echo { connections, depth, bytes, seconds } => {
            echo::run(load, *connections, *depth, *bytes, Duration::from_secs_f64(*seconds))
        }
    }?;
    if let Value::Object(members) = &mut result {
        let share = own.cpu()?.since(cpu).as_secs_f64() / (clock::now() - begun).as_secs_f64();
        members.insert("client_cpu_share".into(), json!(share));
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "{result}").trying("standard output")
}

impl Load {
    fn server(&self) -> process::Process {
        process::Process::with_id(self.pid)
    }

    fn secret(&self) -> Result<Vec<u8>> {
        let path =
            self.secret_file.as_deref().ok_or_else(|| Error::Usage("Doorward's gates need `--secret-file`".into()))?;
        read(path)
    }

    /// How each peer becomes ready at the server under load: every one with a token, and so a subject, of its own. `raw` is
    /// what it says to a baseline.
    fn script(&self, raw: &[u8]) -> Result<impl Fn(usize) -> Script> {
        let raw: Rc<[u8]> = raw.into();
        let token = self.secret_file.is_some().then(|| self.tokens()).transpose()?;
        let plain = self.path.as_deref().map(|path| request(self.target, path, None));
        Ok(move |number| match (&self.path, &plain, &token) {
            (Some(path), Some(_), Some(token)) if self.bearer => {
                Script::Upgraded(request(self.target, path, Some(&token(number))))
            }
            (_, Some(plain), Some(token)) if self.events => {
                Script::Events { request: Rc::clone(plain), answer: authentication(&token(number)) }
            }
            (_, Some(plain), Some(token)) if self.files => {
                Script::Files { request: Rc::clone(plain), answer: auth(&token(number)) }
            }
            (_, Some(plain), Some(token)) => {
                Script::Climb { request: Rc::clone(plain), answer: Some(auth(&token(number))) }
            }
            (_, Some(plain), None) => Script::Upgraded(Rc::clone(plain)),
            _ => Script::Raw(Rc::clone(&raw)),
        })
    }

    /// The token of each peer.
    fn tokens(&self) -> Result<impl Fn(usize) -> String + use<>> {
        let (secret, now) = (self.secret()?, clock::unix_seconds());
        Ok(move |number| token::sign(&secret, &format!("load-{number}"), now))
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).trying(path.display().to_string())
}

/// A frame of the raw dialect: unmasked, for a baseline that does not unmask either.
fn raw(payload: &[u8]) -> Vec<u8> {
    frames::encode(frames::TEXT, None, payload)
}
