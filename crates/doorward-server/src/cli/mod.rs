//! The command line: one file per command, with its arguments on top.

mod accounts;
mod apikey;
mod checktoken;
mod config;
mod connect;
mod demo;
mod files;
mod genticket;
mod gentoken;
mod guard;
mod health;
mod input;
mod keygen;
mod keys;
mod output;
mod person;
mod serve;
mod sessions;
mod sockets;
mod totp;
mod unshown;
mod user;
mod why;

use std::{path::PathBuf, process::ExitCode};

use clap::{
    Args, Parser, Subcommand,
    error::{ContextKind, ContextValue, ErrorKind},
};

pub(crate) use output::{Failure, say, say_json};
use output::{counted, note};

/// A door for WebSockets: a ladder of layers decides who gets in, and keeps deciding after they are in.
#[derive(Debug, Parser)]
#[command(name = "doorward", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// Each says of itself what it is for.
#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Demo(demo::Demo),
    Guard(guard::Guard),
    Connect(connect::Connect),
    Genconfig(config::Genconfig),
    Checkconfig(config::Checkconfig),
    Defaultconfig(config::Defaultconfig),
    Gentoken(gentoken::Gentoken),
    Checktoken(checktoken::Checktoken),
    Genticket(genticket::Genticket),
    Keygen(keygen::Keygen),
    #[command(subcommand)]
    Keys(keys::Keys),
    #[command(subcommand)]
    Apikey(apikey::Apikey),
    #[command(subcommand)]
    User(user::User),
    #[command(subcommand)]
    Totp(totp::Totp),
    #[command(subcommand)]
    Sessions(sessions::Sessions),
    #[command(subcommand)]
    Sockets(sockets::Sockets),
    Why(why::Why),
    Health(health::Health),
}

/// Where the configuration is.
#[derive(Debug, Args)]
struct ConfigFile {
    /// The configuration file.
    #[arg(short, long, value_name = "FILE", default_value = "doorward.toml", env = "DOORWARD_CONFIG")]
    config: PathBuf,
}

/// Parses the command line, runs the command, and prints what went wrong.
///
/// Exit codes: 0 it worked, 1 it did not, 2 the command line is wrong, 64 the configuration is wrong.
pub fn run() -> ExitCode {
    let cli = Cli::try_parse().unwrap_or_else(|error| with_tip(error).exit());
    let result = match cli.command {
        Command::Serve(command) => command.run(),
        Command::Demo(command) => command.run(),
        Command::Guard(command) => command.run(),
        Command::Connect(command) => command.run(),
        Command::Genconfig(command) => command.run(),
        Command::Checkconfig(command) => command.run(),
        Command::Defaultconfig(command) => command.run(),
        Command::Gentoken(command) => command.run(),
        Command::Checktoken(command) => command.run(),
        Command::Genticket(command) => command.run(),
        Command::Keygen(command) => command.run(),
        Command::Keys(command) => command.run(),
        Command::Apikey(command) => command.run(),
        Command::User(command) => command.run(),
        Command::Totp(command) => command.run(),
        Command::Sessions(command) => command.run(),
        Command::Sockets(command) => command.run(),
        Command::Why(command) => command.run(),
        Command::Health(command) => command.run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

/// A file behind a command is probably meant to be the configuration.
fn with_tip(mut error: clap::Error) -> clap::Error {
    let unknown = error.get(ContextKind::InvalidArg).map(ToString::to_string).filter(|name| name.ends_with(".toml"));
    if let (ErrorKind::UnknownArgument, Some(name)) = (error.kind(), unknown) {
        let tip = format!("a configuration is named by `-c {name}`").into();
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip]));
    }
    error
}

/// Runs a command that waits for things on one thread.
fn wait_for<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("cannot start: {error}")))?;
    let done = runtime.block_on(work);
    // A thread may wait for a line on standard input that never comes; nobody waits for the thread.
    runtime.shutdown_background();
    done
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
