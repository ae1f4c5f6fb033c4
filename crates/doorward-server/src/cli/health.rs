use clap::Args;

use super::{ConfigFile, Failure, counted, say, say_json, wait_for};
use crate::control;

/// Whether the server lets people in, and what it holds.
///
/// Exit code 1 where it does not: none runs, it is draining, or its audit log takes no rows.
#[derive(Debug, Args)]
pub(super) struct Health {
    #[command(flatten)]
    file: ConfigFile,
    /// For a script.
    #[arg(long)]
    json: bool,
}

/// Says which gates keep their sockets while nobody knows whether their logins have ended.
pub(super) fn say_failing_open(status: &serde_json::Value) {
    let gates: Vec<_> =
        status["failing_open"].as_array().into_iter().flatten().filter_map(|gate| gate.as_str()).collect();
    if !gates.is_empty() {
        say(format_args!("`fail = \"open\"`, so that sockets may outlive their logins: {}", gates.join(", ")));
    }
}

impl Health {
    pub(super) fn run(self) -> Result<(), Failure> {
        let socket = self.file.control_socket()?;
        let health = wait_for(async { Ok(control::ask(&socket, &control::Request::Health {}).await?) })?;
        if self.json {
            say_json(&health);
        } else {
            say(format_args!(
                "{}: {}, {} climbing, {}",
                health["status"].as_str().unwrap_or("?"),
                counted(&health["sockets"], "socket"),
                health["climbing"],
                counted(&health["gates"], "gate"),
            ));
            say_failing_open(&health);
        }
        match health["status"].as_str() {
            Some("ok") => Ok(()),
            Some("astray") => {
                Err(Failure::new("the file of the server's store is gone: what it writes is lost when it ends"))
            }
            _ => Err(Failure::new("the server lets nobody in")),
        }
    }
}
