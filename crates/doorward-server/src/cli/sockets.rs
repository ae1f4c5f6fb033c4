use clap::{Args, Subcommand};
use serde_json::Value;

use super::{ConfigFile, Failure, health::say_failing_open, say, say_json, wait_for};
use crate::control;

/// List or end the live sockets of a running server.
#[derive(Debug, Subcommand)]
pub(super) enum Sockets {
    /// List the live sockets, oldest first.
    List(List),
    /// End live sockets, and say which and how fast.
    End(End),
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    file: ConfigFile,
    /// Only those of this owner.
    #[arg(long)]
    owner: Option<String>,
    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = 100)]
    at_most: usize,
    /// All of them, however many there are.
    #[arg(long, conflicts_with = "at_most")]
    all: bool,
    /// For a script.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct End {
    /// A socket id, or what the sockets rest on: `subject=member:7`, `issuer=NAME`, `sid=ID`, `jti=ID`, `key=ID`, `ticket=ID`,
    /// `gate=NAME`.
    what: String,
    #[command(flatten)]
    file: ConfigFile,
    /// Only those of this owner.
    #[arg(long)]
    owner: Option<String>,
    /// For a script.
    #[arg(long)]
    json: bool,
}

impl Sockets {
    pub(super) fn run(self) -> Result<(), Failure> {
        match self {
            Self::List(command) => command.run(),
            Self::End(command) => command.run(),
        }
    }
}

impl List {
    fn run(self) -> Result<(), Failure> {
        self.file.knows_owner(self.owner.as_deref())?;
        let socket = self.file.control_socket()?;
        let at_most = if self.all { usize::MAX } else { self.at_most };
        let request = control::Request::ListSockets { owner: self.owner, at_most };
        let list = wait_for(async { Ok(control::ask(&socket, &request).await?) })?;
        if self.json {
            say_json(&list);
            return Ok(());
        }
        say_failing_open(&list);
        say(format_args!(
            "{:<32}  {:<12}  {:<20}  {:<10}  {:<9}  {:<24}  FROM",
            "SOCKET", "GATE", "SUBJECT", "BACKEND", "STATE", "SINCE"
        ));
        for socket in list["sockets"].as_array().into_iter().flatten() {
            let text = |name: &str| socket[name].as_str().unwrap_or("-").to_owned();
            say(format_args!(
                "{:<32}  {:<12}  {:<20}  {:<10}  {:<9}  {:<24}  {}",
                text("socket"),
                text("gate"),
                text("subject"),
                text("backend"),
                text("state"),
                text("since"),
                text("source")
            ));
        }
        let shown = list["sockets"].as_array().map_or(0, Vec::len);
        let hint = if list["total"] == shown { "" } else { "; `--all` shows them all" };
        say(format_args!("{shown} of {}{hint}", list["total"]));
        Ok(())
    }
}

impl End {
    fn run(self) -> Result<(), Failure> {
        self.file.knows_owner(self.owner.as_deref())?;
        let socket = self.file.control_socket()?;
        let request = control::Request::EndSockets { owner: self.owner, what: self.what };
        let receipt = wait_for(async { Ok(control::ask(&socket, &request).await?) })?;
        if self.json {
            say_json(&receipt);
            return Ok(());
        }
        say_receipt(&receipt);
        Ok(())
    }
}

/// Says which sockets ended, and how fast.
pub(super) fn say_receipt(receipt: &Value) {
    for ended in receipt["sockets"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        say(format_args!("ended {ended}"));
    }
    say(format_args!("{} ended within {} ms", receipt["ended"], receipt["within_ms"]));
    if receipt["suspended"].as_u64().unwrap_or_default() > 0 {
        say(format_args!("{} wait for the login to come back", receipt["suspended"]));
    }
}
