//! `doorward demo`: a server, real clients over real sockets, and the transcript of what they say.
//!
//! ```text
//!  world      a folder, a configuration, a running node, and what opens its gates
//!  people     who has an account of its website, and their phones
//!  browser    somebody at that website
//!  scenes     what is shown: each climbs a ladder and says what has to come of it
//!  narrator   prints what goes over the wire, without the secrets in it
//! ```

mod browser;
mod narrator;
mod people;
mod scenes;
mod world;

use clap::Args;
use tokio::signal::{
    ctrl_c,
    unix::{SignalKind, signal},
};

use super::{Failure, input, say};
use narrator::Narrator;
use world::World;

/// Show every ladder at work, with real clients, and what they say. Then stay up, for a browser.
///
/// It needs no file, and no network but this machine's own.
#[derive(Debug, Args)]
pub(super) struct Demo {
    /// End after the transcript: with 0 when every step went as told, with 1 otherwise. Without it the server stays up.
    #[arg(long)]
    once: bool,
    /// The address and port of the demo's server.
    #[arg(long, value_name = "ADDR", value_parser = input::listen, default_value = "127.0.0.1:0")]
    listen: std::net::SocketAddr,
}

impl Demo {
    pub(super) fn run(self) -> Result<(), Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(async {
            let mut world = World::make(self.listen).await?;
            let mut narrator = Narrator::default();
            narrator.line(format_args!(
                "a server on {}, its store and keys in {}",
                world.address(),
                world.folder().display()
            ));
            scenes::play(&mut world, &mut narrator).await;
            let verdict = narrator.verdict();
            if self.once || verdict.is_err() {
                world.close().await;
                return verdict;
            }
            verdict?;
            say(world.what_to_try());
            say("Ctrl-C ends it");
            let mut terminate = signal(SignalKind::terminate())?;
            tokio::select! {
                done = ctrl_c() => done?,
                _ = terminate.recv() => {}
            }
            world.close().await;
            Ok(())
        })
    }
}
