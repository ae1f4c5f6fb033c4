use clap::Args;
use doorward_auth::ports::Audit;
use doorward_types::TraceId;

use super::{ConfigFile, Failure, say, say_json, wait_for};
use crate::{control, report};

/// Explain a decision, layer by layer.
#[derive(Debug, Args)]
pub(super) struct Why {
    /// The trace id that the peer was told, or that the log shows.
    trace: TraceId,
    #[command(flatten)]
    file: ConfigFile,
    /// Only if it was at a gate of this owner.
    #[arg(long)]
    owner: Option<String>,
    /// For a script.
    #[arg(long)]
    json: bool,
}

impl Why {
    pub(super) fn run(self) -> Result<(), Failure> {
        let decision = wait_for(self.find())?;
        if self.json {
            say_json(&decision["json"]);
        } else {
            say(decision["text"].as_str().unwrap_or_default().trim_end());
        }
        Ok(())
    }

    /// A running server has rows that are not on disk yet; without one the store tells.
    async fn find(&self) -> Result<serde_json::Value, Failure> {
        let socket = self.file.control_socket()?;
        let request = control::Request::Why { owner: self.owner.clone(), trace: self.trace.to_string() };
        match control::ask(&socket, &request).await {
            Err(control::Unreachable::NotRunning(_)) => {}
            answer => return Ok(answer?),
        }
        let store = self.file.open_store()?;
        let record = store.find(self.trace).await?;
        report::decision(record.as_ref(), self.owner.as_deref())
            .ok_or_else(|| Failure::new(report::unknown_trace(self.trace)))
    }
}
