//! What the operator asks of a running door.

use serde_json::{Value, json};

use doorward_session::{SocketInfo, Target};
use doorward_types::{CloseReason, OwnerId, Rest, SocketId, TraceId};

use crate::{control::Request, door::Door, report};

impl Door {
    /// Does what the command line asks. The error is one clear line.
    pub async fn operate(&self, request: Request) -> Result<Value, String> {
        match request {
            Request::Health {} => Ok(self.health()),
            Request::ListSockets { owner, at_most } => {
                let owner = owner.map(OwnerId::new);
                let sockets: Vec<_> = self.sockets.list(owner.as_ref(), at_most).iter().map(socket_json).collect();
                Ok(json!({ "sockets": sockets, "total": self.sockets.len() }))
            }
            Request::EndSockets { owner, what } => self.end(owner, &what).await,
            Request::Why { trace } => self.why(&trace).await,
        }
    }

    /// What it holds.
    pub fn health(&self) -> Value {
        let (_, climbing) = self.caps.counts();
        json!({
            "status": if self.is_draining() { "draining" } else { "ok" },
            "sockets": self.sockets.len(),
            "climbing": climbing,
            "gates": self.gates.load().len(),
            "version": env!("CARGO_PKG_VERSION"),
        })
    }

    async fn end(&self, owner: Option<String>, what: &str) -> Result<Value, String> {
        let target = match (what.parse::<SocketId>(), what.parse::<Rest>()) {
            (Ok(socket), _) => Target::Socket(socket),
            (_, Ok(rest)) => Target::Rest(rest),
            (Err(_), Err(error)) => {
                return Err(format!("`{what}` is neither a socket id nor what sockets rest on: {error}"));
            }
        };
        let owner = owner.map(OwnerId::new);
        let receipt = self.sockets.end(owner.as_ref(), &target, CloseReason::SessionEnded).await;
        Ok(json!({
            "ended": receipt.sockets.len(),
            "within_ms": u64::try_from(receipt.within.as_millis()).unwrap_or(u64::MAX),
            "sockets": receipt.sockets.iter().map(ToString::to_string).collect::<Vec<_>>(),
        }))
    }

    async fn why(&self, trace: &str) -> Result<Value, String> {
        let trace: TraceId = trace.parse().map_err(|error| format!("`{trace}`: {error}"))?;
        self.audit.flush().await.map_err(|error| error.to_string())?;
        let record = self.audit.find(trace).await.map_err(|error| error.to_string())?;
        record.as_ref().map(report::decision).ok_or_else(|| report::unknown_trace(trace))
    }
}

fn socket_json(info: &SocketInfo) -> Value {
    json!({
        "socket": info.id.to_string(),
        "owner": info.owner.as_str(),
        "gate": info.gate.as_str(),
        "subject": info.subject.as_ref().map(ToString::to_string),
        "backend": info.backend,
        "since": info.since.to_string(),
        "last_seen": info.last_seen.to_string(),
        "expires_at": info.expires_at.map(|at| at.to_string()),
        "source": info.source.to_string(),
        "trace": info.trace.to_string(),
    })
}
