//! The command line.

use crate::{ninep, raw::Mode, table::rows::Row};
use clap::{Parser, Subcommand};
use std::{net::SocketAddr, path::PathBuf};

/// Measures Doorward against what this machine can do at all.
#[derive(Debug, Parser)]
#[command(name = "doorward-bench", version)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run everything in turns and print the table.
    Table(Table),
    /// See whether verdicts that must look alike take alike long, and print every pair.
    Timing(Timing),
    /// See whether comparisons of secrets take as long for what is nearly right as for anything else.
    Compare {
        /// Measurements of each comparison.
        #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1000..))]
        samples: u32,
    },
    /// Run one raw baseline; it says `listening on ADDR` when it is ready.
    Raw {
        /// Which baseline.
        #[arg(long)]
        mode: Mode,
        /// Where `relay` relays to.
        #[arg(long)]
        upstream: Option<SocketAddr>,
        /// Seconds after which it ends by itself.
        #[arg(long, default_value_t = 600)]
        life: u64,
    },
    /// Put a load on a running server; prints one line of JSON.
    Load(Load),
    /// Run the WebSocket echo server that stands behind the relay rows.
    EchoUpstream {
        /// Seconds after which it ends by itself.
        #[arg(long, default_value_t = 600)]
        life: u64,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Table {
    /// One short round instead of three: about two minutes, for a look.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Only these rows.
    #[arg(long, value_delimiter = ',', value_name = "ROW,..")]
    pub(crate) only: Vec<Row>,
    /// The binary to measure; without it the `doorward` beside this program, and without that the baselines alone.
    #[arg(long, value_name = "PATH")]
    pub(crate) doorward: Option<PathBuf>,
    /// Rounds, instead of three (or one with `--quick`).
    #[arg(long)]
    pub(crate) rounds: Option<usize>,
    #[command(flatten)]
    pub(crate) processors: Processors,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Timing {
    /// The binary to time; without it the `doorward` beside this program.
    #[arg(long, value_name = "PATH")]
    pub(crate) doorward: Option<PathBuf>,
    /// Only the groups in whose name one of these words stands.
    #[arg(long, value_delimiter = ',', value_name = "WORD,..")]
    pub(crate) only: Vec<String>,
    /// Tries of each kind.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(10..))]
    pub(crate) tries: u32,
    #[command(flatten)]
    pub(crate) processors: Processors,
}

/// What runs where.
#[derive(Debug, clap::Args)]
pub(crate) struct Processors {
    /// Processor that the servers are pinned to.
    #[arg(long, default_value_t = 0)]
    pub(crate) server_cpu: usize,
    /// Processor that clients are pinned to, and the upstream.
    #[arg(long, default_value_t = 1)]
    pub(crate) client_cpu: usize,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Load {
    /// The server's address.
    #[arg(long)]
    pub(crate) target: SocketAddr,
    /// The server's process, whose time and memory are the figures.
    #[arg(long)]
    pub(crate) pid: u32,
    /// Path of a gate: upgrade and speak WebSocket. Without it: raw frames, as the baselines understand them.
    #[arg(long)]
    pub(crate) path: Option<String>,
    /// The issuer's secret: climb with a token signed with it. Without it there is no climb.
    #[arg(long)]
    pub(crate) secret_file: Option<PathBuf>,
    /// Show the token as `Authorization: Bearer` in the upgrade instead of in the conversation.
    #[arg(long, requires = "secret_file")]
    pub(crate) bearer: bool,
    /// Climb in the words of Socket.IO.
    #[arg(long, requires_all = ["path", "secret_file"])]
    pub(crate) events: bool,
    /// Go on in 9P once let in: agree on a version and attach.
    #[arg(long, requires_all = ["path", "secret_file"], conflicts_with = "events")]
    pub(crate) files: bool,
    /// The server's internal port, where the HTTP API is.
    #[arg(long, requires = "api_key_file", value_name = "ADDR")]
    pub(crate) api: Option<SocketAddr>,
    /// A key to it that may do everything.
    #[arg(long, requires = "api", value_name = "PATH")]
    pub(crate) api_key_file: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) scenario: Scenario,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Scenario {
    /// One publisher, many subscribers, a fixed number of messages in flight.
    Fanout {
        #[arg(long, default_value_t = 1000)]
        subscribers: usize,
        #[arg(long, default_value_t = 1)]
        window: usize,
        #[arg(long, default_value_t = 3.0)]
        seconds: f64,
    },
    /// Open sockets and let them be admitted.
    Connect {
        #[arg(long, default_value_t = 5000)]
        count: usize,
    },
    /// Come with a token of a wrong key and be refused.
    Refuse {
        #[arg(long, default_value_t = 2000)]
        count: usize,
    },
    /// Open sockets and look at the server's memory.
    Idle {
        #[arg(long, default_value_t = 5000)]
        count: usize,
        /// Echo one message of this many bytes through every socket first.
        #[arg(long)]
        carry: Option<usize>,
        /// Stop all climbs before their answer, then let all in at once.
        #[arg(long)]
        hold: bool,
    },
    /// Open sockets, run a command that ends them all, and wait for the last that hears it.
    End {
        #[arg(long, default_value_t = 10_000)]
        count: usize,
        /// A command that lists them in JSON, timed before the end; a `;` ends it.
        #[arg(long, num_args = 1.., allow_hyphen_values = true, value_terminator = ";", value_name = "WORD")]
        look: Vec<String>,
        /// The command that ends them; a `;` ends it.
        #[arg(
            long,
            required = true,
            num_args = 1..,
            allow_hyphen_values = true,
            value_terminator = ";",
            value_name = "WORD"
        )]
        command: Vec<String>,
    },
    /// Open sockets of one account of the built-in site, end it over the HTTP API, and wait for the last that hears it.
    EndAccount {
        #[arg(long, default_value_t = 10_000)]
        count: usize,
        /// How often; the sockets are opened anew each time.
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
        runs: u16,
    },
    /// Log people in at the built-in site, or have a baseline hash as many passwords.
    Logins {
        /// How many people have an account.
        #[arg(long, default_value_t = 50)]
        accounts: usize,
        /// How many log in at a time.
        #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
        at_once: u16,
        #[arg(long, default_value_t = 6.0)]
        seconds: f64,
    },
    /// Send each socket a message now and then, time its way to the server and back, and let people log in beside it.
    RoundTrips {
        #[arg(long, default_value_t = 300)]
        sockets: usize,
        /// Milliseconds from one message of a socket to its next.
        #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
        every_ms: u32,
        /// How many people try to log in all the time.
        #[arg(long, default_value_t = 500)]
        people: u16,
        #[arg(long, default_value_t = 12.0)]
        seconds: f64,
    },
    /// Have events of Socket.IO emitted over the HTTP API, a fixed number in flight.
    Emit {
        #[arg(long, default_value_t = 1000)]
        subscribers: usize,
        #[arg(long, default_value_t = 1)]
        window: usize,
        #[arg(long, default_value_t = 3.0)]
        seconds: f64,
    },
    /// Write and read files of 9P, one request under way on each connection.
    Files {
        #[arg(long, default_value_t = 100)]
        connections: usize,
        /// Bytes of each write and each read.
        #[arg(long, default_value_t = 4096, value_parser = clap::value_parser!(u32).range(3..=i64::from(ninep::MOST)))]
        bytes: u32,
        #[arg(long, default_value_t = 3.0)]
        seconds: f64,
    },
    /// Round trips over a relay.
    Echo {
        #[arg(long, default_value_t = 100)]
        connections: usize,
        #[arg(long, default_value_t = 1)]
        depth: usize,
        #[arg(long, default_value_t = 128)]
        bytes: usize,
        #[arg(long, default_value_t = 3.0)]
        seconds: f64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_command_has_options_of_its_own_up_to_the_semicolon() {
        let words = "x load --target 127.0.0.1:1 --pid 1 end --look list --json -c a ; --command end -c a --json";
        let Command::Load(load) = Args::try_parse_from(words.split(' ')).unwrap().command else { panic!("no load") };
        let Scenario::End { count, look, command } = load.scenario else { panic!("no ending") };
        assert_eq!(count, 10_000);
        assert_eq!(look, ["list", "--json", "-c", "a"]);
        assert_eq!(command, ["end", "-c", "a", "--json"]);
    }

    #[test]
    fn rows_are_named_in_a_list() {
        let args = Args::try_parse_from(["x", "table", "--only", "idle,connect"]).unwrap();
        let Command::Table(table) = args.command else { panic!("not a table") };
        assert_eq!(table.only, [Row::Idle, Row::Connect]);
        assert!(Args::try_parse_from(["x", "table", "--only", "idel"]).is_err());
    }
}
