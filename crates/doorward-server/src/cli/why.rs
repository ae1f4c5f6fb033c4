use clap::Args;
use doorward_auth::ports::Audit;
use doorward_types::{SocketId, TraceId};

use super::{ConfigFile, Failure, accounts, input, say, say_json, wait_for};
use crate::{control, report};

/// Explain a decision, layer by layer; or list what there is about an account or a socket.
#[derive(Debug, Args)]
pub(super) struct Why {
    /// The trace id that the peer was told, or that the log shows.
    #[arg(required_unless_present_any = ["user", "socket"])]
    trace: Option<TraceId>,
    /// List the decisions about this account, and what happened to it at the site, newest first.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["trace", "socket"])]
    user: Option<String>,
    /// List the decisions that let this socket in, and let it in once more.
    #[arg(long, value_name = "ID", conflicts_with = "trace")]
    socket: Option<SocketId>,
    /// List at most so many.
    #[arg(long, value_name = "N", default_value_t = 50)]
    at_most: usize,
    #[command(flatten)]
    file: ConfigFile,
    /// Only if it was at a gate, or at the site, of this owner.
    #[arg(long)]
    owner: Option<String>,
    /// For a script.
    #[arg(long)]
    json: bool,
}

impl Why {
    pub(super) fn run(self) -> Result<(), Failure> {
        let found = wait_for(async {
            match &self.trace {
                Some(trace) => self.decision(*trace).await,
                None => self.history().await,
            }
        })?;
        if self.json {
            say_json(&found["json"]);
        } else {
            say(found["text"].as_str().unwrap_or_default().trim_end());
        }
        Ok(())
    }

    async fn decision(&self, trace: TraceId) -> Result<serde_json::Value, Failure> {
        let owner = self.owner.clone();
        let request = control::Request::Why { owner, trace: trace.to_string() };
        if let Some(answer) = self.ask(&request).await? {
            return Ok(answer);
        }
        let record = self.file.open_store()?.find(trace).await?;
        report::decision(record.as_ref(), self.owner.as_deref())
            .ok_or_else(|| Failure::new(report::unknown_trace(trace)))
    }

    async fn history(&self) -> Result<serde_json::Value, Failure> {
        let (mut owner, mut subject) = (self.owner.clone(), None);
        if let Some(name) = &self.user {
            let of = input::owner(&self.file.load()?, self.owner.as_deref())?;
            let account = accounts::named(&self.file.open_store()?, &of, name).await?;
            subject = Some(account.subject().to_string());
            owner = Some(of.to_string());
        }
        let (socket, at_most) = (self.socket.map(|socket| socket.to_string()), self.at_most);
        let query = report::history_of(owner.as_deref(), subject.as_deref(), socket.as_deref(), at_most);
        let query = query.map_err(Failure::new)?;
        if let Some(answer) = self.ask(&control::Request::History { owner, subject, socket, at_most }).await? {
            return Ok(answer);
        }
        Ok(report::history(&self.file.open_store()?.search(query).await?))
    }

    /// A running server has rows that are not on disk yet; without one the store tells.
    async fn ask(&self, request: &control::Request) -> Result<Option<serde_json::Value>, Failure> {
        match control::ask(&self.file.control_socket()?, request).await {
            Err(control::Unreachable::NotRunning(_)) => Ok(None),
            answer => Ok(Some(answer?)),
        }
    }
}
