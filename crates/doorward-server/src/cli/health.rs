use clap::Args;

use super::{ConfigFile, Failure, say, say_json, wait_for};
use crate::control;

/// Whether the server works, and what it holds.
#[derive(Debug, Args)]
pub(super) struct Health {
    #[command(flatten)]
    file: ConfigFile,
    /// For a script.
    #[arg(long)]
    json: bool,
}

impl Health {
    pub(super) fn run(self) -> Result<(), Failure> {
        let socket = self.file.control_socket()?;
        let health = wait_for(async { Ok(control::ask(&socket, &control::Request::Health {}).await?) })?;
        if self.json {
            say_json(&health);
        } else {
            say(format_args!(
                "ok: {} sockets, {} climbing, {} gates",
                health["sockets"], health["climbing"], health["gates"]
            ));
        }
        Ok(())
    }
}
