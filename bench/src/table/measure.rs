//! One measurement: a fresh server, a fresh load generator, one figure, and everything gone again.

use super::{node, rows::Row};
use crate::{
    args::Table,
    child::Running,
    clock,
    doorward::Doorward,
    error::{Error, Result, Trying},
};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

/// Longest time for one measurement, with all its handshakes.
const LIMIT: Duration = Duration::from_secs(180);

/// Which of the two servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Baseline,
    Doorward,
}

/// What all measurements of a table share.
pub(super) struct Bench<'a> {
    pub(super) options: &'a Table,
    pub(super) binary: Option<PathBuf>,
    /// Length of the timed loops.
    pub(super) seconds: f64,
}

impl Bench<'_> {
    /// Takes one row's figure on one side. The result is the load generator's, with `store_bytes_each` for refusals.
    pub(super) fn measure(&self, row: Row, side: Side) -> Result<Value> {
        let folder = tempfile::Builder::new().prefix("doorward-bench-").tempdir().trying("a temporary folder")?;
        let (server_cpu, client_cpu) = (self.options.processors.server_cpu, self.options.processors.client_cpu);
        let mut upstream = None;
        let mut behind = SocketAddr::from(([127, 0, 0, 1], 1));
        if row.relays() {
            let running = upstream.insert(Running::start_self(client_cpu, &["echo-upstream"], folder.path())?);
            behind = running.address()?;
        }
        let gates = if row.has_accounts() { format!("{SITE}{}", gates(behind)) } else { gates(behind) };
        let doorward = Doorward::configured(folder.path(), &gates)?;
        let raw_mode = row.raw_mode().filter(|_| side == Side::Baseline);
        let on_node = side == Side::Baseline && row.is_held_against_node();
        let mut server = match (raw_mode, &self.binary) {
            _ if on_node => node::start(server_cpu, folder.path())?,
            (Some(mode), _) => {
                let words = raw(mode, row.relays().then_some(behind));
                Running::start_self(server_cpu, &words, folder.path())?
            }
            (None, Some(binary)) => doorward.start(binary, server_cpu)?,
            (None, None) => return Err(Error::Usage("there is no `doorward` to measure".into())),
        };
        let target = server.address()?;
        let stored = doorward.store_bytes();
        let mut words = vec!["load".into(), format!("--target={target}"), format!("--pid={}", server.id())];
        words.extend(gate(row, side, &doorward.secret_file));
        if on_node {
            words.push(format!("--api={target}"));
            // It asks for no key, so that any file will do.
            words.push(format!("--api-key-file={}", doorward.secret_file.display()));
        } else if let (true, None, Some(binary)) = (row.asks_the_api(), raw_mode, &self.binary) {
            words.push(format!("--api={}", server.address()?));
            words.push(format!("--api-key-file={}", doorward.api_key(binary)?.display()));
        }
        words.extend(self.scenario(row, side));
        if matches!(row, Row::Ending | Row::EndingAccount) {
            words.extend(self.commands(row, side, &doorward, server.id()));
        }
        let mut load = Running::start_self(client_cpu, &words, folder.path())?;
        // The load generator says why it failed; the server's last words say more if it is the one that ended.
        let line = load.line(LIMIT).map_err(|error| match server.ended() {
            true => server.failed(format!("ended under load ({error})")),
            false => error,
        })?;
        let mut result: Value =
            serde_json::from_str(&line).map_err(|error| load.failed(format!("said `{line}`: {error}")))?;
        if row == Row::Refusal && side == Side::Doorward {
            // Audit entries are written in batches.
            clock::pause(Duration::from_secs(2));
            let grown = doorward.store_bytes().saturating_sub(stored);
            result["store_bytes_each"] = json!(result["refused"].as_f64().map(|refused| grown as f64 / refused));
        }
        drop(upstream);
        Ok(result)
    }

    fn scenario(&self, row: Row, side: Side) -> Vec<String> {
        let seconds = self.seconds;
        let (strangers, runs) = if self.options.quick { (1_000, 3) } else { (4_000, 10) };
        let text = match row {
            Row::Fanout1kW1 => format!("fanout --subscribers 1000 --window 1 --seconds {seconds}"),
            Row::Fanout10kW1 => format!("fanout --subscribers 10000 --window 1 --seconds {seconds}"),
            Row::Fanout1kW32 => format!("fanout --subscribers 1000 --window 32 --seconds {seconds}"),
            Row::Fanout10kW32 => format!("fanout --subscribers 10000 --window 32 --seconds {seconds}"),
            Row::Idle => "idle --count 5000".to_owned(),
            // The streams of the baseline carry nothing: idle is the floor that these rows are held to.
            Row::AfterMessage if side == Side::Doorward => "idle --count 5000 --carry 8192".to_owned(),
            Row::AfterMessage => "idle --count 5000".to_owned(),
            Row::AfterClimbs if side == Side::Doorward => "idle --count 9900 --hold".to_owned(),
            Row::AfterClimbs => "idle --count 9900".to_owned(),
            Row::IdleSocketIo | Row::IdleNinep => "idle --count 5000".to_owned(),
            Row::Ninep4k => format!("files --connections 100 --bytes 4096 --seconds {seconds}"),
            Row::Emit1kW1 => format!("emit --subscribers 1000 --window 1 --seconds {seconds}"),
            Row::Emit1kW32 => format!("emit --subscribers 1000 --window 32 --seconds {seconds}"),
            Row::Connect => "connect --count 9000".to_owned(),
            Row::RelaySmall => format!("echo --connections 100 --bytes 128 --seconds {seconds}"),
            Row::RelayLarge => format!("echo --connections 8 --bytes 65536 --seconds {seconds}"),
            Row::RelayIdle => "idle --count 4000".to_owned(),
            Row::Refusal => format!("refuse --count {strangers}"),
            Row::EndingAccount if side == Side::Doorward => format!("end-account --count 10000 --runs {runs}"),
            // A login takes tens of milliseconds, so that a short loop has few of them.
            Row::Logins => format!("logins --seconds {}", 2.0 * seconds),
            Row::LoginsBesideSockets => {
                let people = if side == Side::Doorward { 500 } else { 0 };
                format!("round-trips --people {people} --seconds {}", 4.0 * seconds)
            }
            Row::Ending | Row::EndingAccount => "end --count 10000".to_owned(),
        };
        text.split(' ').map(str::to_owned).collect()
    }

    /// What lists the sockets of an ending row and what ends them: the operator's own commands, or a kill. An account is ended by
    /// the load generator itself.
    fn commands(&self, row: Row, side: Side, doorward: &Doorward, server: u32) -> Vec<String> {
        let operator = |words| self.binary.as_deref().map(|binary| doorward.command(binary, words)).unwrap_or_default();
        match side {
            Side::Baseline => {
                ["--command", "kill", "-KILL"].map(str::to_owned).into_iter().chain([server.to_string()]).collect()
            }
            Side::Doorward if row == Row::EndingAccount => Vec::new(),
            Side::Doorward => [
                vec!["--look".to_owned()],
                operator(&["sockets", "list", "--json", "--at-most", "10000"]),
                vec![";".to_owned(), "--command".to_owned()],
                operator(&["sockets", "end", "gate=hub", "--json"]),
            ]
            .concat(),
        }
    }
}

/// The baseline of a row.
fn raw(mode: &str, upstream: Option<SocketAddr>) -> Vec<String> {
    let mut words = vec!["raw".to_owned(), format!("--mode={mode}")];
    words.extend(upstream.map(|upstream| format!("--upstream={upstream}")));
    words
}

/// How the load generator gets in.
fn gate(row: Row, side: Side, secret: &Path) -> Vec<String> {
    let secret = format!("--secret-file={}", secret.display());
    match (side, row) {
        // A relay passes the upgrade through to the upstream.
        (Side::Baseline, row) if row.relays() => vec!["--path=/relay".to_owned()],
        (_, Row::LoginsBesideSockets) => vec!["--path=/echo".to_owned(), secret],
        (side, row) if row.speaks_socketio() && (side == Side::Doorward || row.is_held_against_node()) => {
            vec!["--path=/socket.io/?EIO=4&transport=websocket".to_owned(), secret, "--events".to_owned()]
        }
        (Side::Baseline, _) => Vec::new(),
        (Side::Doorward, row) if row.speaks_ninep() => vec!["--path=/files".to_owned(), secret, "--files".to_owned()],
        (Side::Doorward, row) if row.has_accounts() => vec!["--path=/members".to_owned()],
        (Side::Doorward, Row::AfterMessage) => vec!["--path=/echo".to_owned(), secret],
        (Side::Doorward, row) if row.relays() => vec!["--path=/relay".to_owned(), secret, "--bearer".to_owned()],
        (Side::Doorward, _) => vec!["--path=/hub".to_owned(), secret],
    }
}

/// The site, and a gate for whoever has logged in there.
const SITE: &str = r#"[site]
enabled = true

[[gate]]
name = "members"
path = "/members"
backend = { hub = {} }
ladder = [{ session = {} }]
"#;

/// The gates of Doorward's configuration; `/relay` leads to `upstream`.
fn gates(upstream: SocketAddr) -> String {
    format!(
        r#"[[gate]]
name = "hub"
path = "/hub"
backend = {{ hub = {{}} }}
ladder = [{{ jwt = {{ issuer = "bench" }} }}]

[[gate.channel]]
name = "bench"
subscribe = "authenticated"
publish = "authenticated"

[[gate]]
name = "events"
path = "/socket.io/"
backend = {{ hub = {{}} }}
transport = {{ socketio = {{}} }}
ladder = [{{ jwt = {{ issuer = "bench" }} }}]

[[gate.channel]]
name = "/"
subscribe = "authenticated"

[[gate]]
name = "files"
path = "/files"
backend = {{ 9p = {{}} }}
ladder = [{{ jwt = {{ issuer = "bench" }} }}]

[[gate.channel]]
name = "bench"
subscribe = "authenticated"
publish = "authenticated"

[[gate]]
name = "echo"
path = "/echo"
backend = {{ echo = {{}} }}
ladder = [{{ jwt = {{ issuer = "bench" }} }}]

[[gate]]
name = "relay"
path = "/relay"
backend = {{ upstream = {{ url = "ws://{upstream}" }} }}
ladder = [{{ bearer = {{ issuer = "bench" }} }}]
"#
    )
}
