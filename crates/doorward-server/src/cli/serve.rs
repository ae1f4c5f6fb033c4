use std::{net::SocketAddr, time::Duration};

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::{ConfigFile, Failure, input, say};
use crate::{
    config::{Loaded, Override, count},
    logging,
    node::{Extensions, Node, Running},
};

/// Run the server.
#[derive(Debug, Args)]
pub(super) struct Serve {
    #[command(flatten)]
    file: ConfigFile,
    /// The address and port that users connect to, instead of `[server] listen`.
    #[arg(long, value_name = "ADDR", value_parser = input::listen)]
    listen: Option<SocketAddr>,
}

impl Serve {
    pub(super) fn run(self) -> Result<(), Failure> {
        let overrides: Vec<_> = self.listen.iter().map(listen_at).collect();
        let loaded = self.file.load_with(&overrides)?;
        serve(&self.file, &overrides, loaded, |_| ())
    }
}

/// `--listen`, which wins over the configuration.
pub(super) fn listen_at(address: &SocketAddr) -> Override {
    Override { flag: "--listen", key: "server.listen", value: address.to_string() }
}

/// Serves until a signal comes: SIGTERM and SIGINT drain, SIGHUP reads the file again, under the same overrides.
pub(super) fn serve(
    file: &ConfigFile,
    overrides: &[Override],
    Loaded { config, warnings }: Loaded,
    ready: impl FnOnce(SocketAddr),
) -> Result<(), Failure> {
    let _log = logging::start(&config.log);
    for warning in &warnings {
        tracing::warn!("{}", warning.in_one_line());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut hang_up = signal(SignalKind::hangup())?;
        let mut over = config.server.shutdown.duration();
        let node = Node::open(config, &file.base(), Extensions::default()).await?;
        let running = node.listen().await?;
        // Of several addresses the first is the users'; behind the others stands what they are for.
        say(format_args!("listening on {}", running.public()));
        say(format_args!("listening on {} (internal)", running.internal()));
        if let Some(ninep) = running.ninep() {
            say(format_args!("listening on {ninep} (9P)"));
        }
        tracing::info!(
            "users connect to {}; probes, metrics and the HTTP API are on {}",
            running.public(),
            running.internal()
        );
        if let Some(link) = running.first_invitation().await? {
            let link = link.reveal_text("it is shown to whoever starts the server, once").unwrap_or_default();
            say(format_args!("make the first account at {link}"));
        }
        ready(running.public());
        loop {
            tokio::select! {
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                _ = hang_up.recv() => over = reload(file, overrides, &running).unwrap_or(over),
            }
        }
        let left = running.door().sockets().len();
        if left == 0 {
            tracing::info!("closing: no new connections");
        } else {
            let left = count(left, "socket");
            tracing::info!("closing: no new connections; {left} left, for {over:?} at most; Ctrl-C again ends now");
        }
        running
            .close_unless_hurried(over, async {
                interrupt.recv().await;
            })
            .await;
        Ok(())
    })
}

/// Reads the file again, and gives how long a shutdown may take now. A bad file changes nothing and is told; so is what a good one
/// does not change either, also where that is why it is not taken.
fn reload(file: &ConfigFile, overrides: &[Override], running: &Running) -> Option<Duration> {
    let reloaded =
        file.load_with(overrides).map_err(|failure| failure.to_string()).and_then(|Loaded { config, warnings }| {
            running.waiting(&config).iter().for_each(|waiting| tracing::warn!("{waiting}"));
            let done = running.reload(&config).map_err(|error| error.to_string())?;
            warnings.iter().for_each(|warning| tracing::warn!("{}", warning.in_one_line()));
            Ok((done, config.server.shutdown.duration()))
        });
    match reloaded {
        Ok((done, over)) => {
            tracing::info!("the gates were read again: {done}");
            Some(over)
        }
        Err(why) => {
            tracing::error!("the old configuration stays: {why}");
            None
        }
    }
}
