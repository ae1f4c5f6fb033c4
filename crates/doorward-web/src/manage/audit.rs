//! program -> api      who was let in, who was not, and what happened at the site?
//! api -> audit log    write what waits, and look
//! api -> program      a page; a decision, step by step

use doorward_auth::ports::{AuditQuery, AuditRecord, Outcome, Verdict};
use doorward_types::{GateName, TraceId};
use serde_json::{Value, json};

use super::{Problem, Reply, page::Window, route::Call};

/// The newest decisions first.
pub(super) async fn search(mut call: Call<'_>) -> Result<Reply, Problem> {
    let window = Window::read(&mut call.query)?;
    let query = AuditQuery {
        owner: call.listed_owner()?,
        gate: call.query.text("gate")?.map(GateName::new),
        verdict: call.query.word("outcome", &Verdict::ALL, Verdict::as_str)?,
        layer: call.query.text("layer")?,
        event: call.query.text("event")?,
        socket: call.query.read("socket", "the id of a socket")?,
        subject: call.query.subject("subject")?,
        since: call.query.time("since")?,
        before: window.after(|after| after.parse::<TraceId>().ok())?,
        at_most: window.and_one(),
    };
    call.query.end()?;
    let audit = &call.api.parts.audit;
    audit.flush().await?;
    let found = audit.search(query).await?;
    Ok(Reply::of(&window.page(found, |record| record.trace.to_string(), decision)))
}

pub(super) async fn show(mut call: Call<'_>) -> Result<Reply, Problem> {
    call.query.end()?;
    let not_found = || Problem::not_found("decision");
    let trace: TraceId = call.parameter.parse().map_err(|_| not_found())?;
    let audit = &call.api.parts.audit;
    audit.flush().await?;
    let found = audit.find(trace).await?.filter(|record| is_seen(&call, record));
    found.map(|record| Reply::of(&decision(&record))).ok_or_else(not_found)
}

/// What concerns all owners the operator sees.
fn is_seen(call: &Call<'_>, record: &AuditRecord) -> bool {
    record.owner.as_ref().map_or(call.caller.is_operator(), |owner| call.caller.sees(owner))
}

/// A decision as a document, step by step.
pub fn decision(record: &AuditRecord) -> Value {
    let outcome = match &record.outcome {
        Outcome::Admitted(socket) => json!({ "verdict": "admitted", "socket": socket.to_string() }),
        Outcome::Refused { reason, layer, step, detail } => json!({
            "verdict": "refused", "code": reason.code(), "reason": reason.name(),
            "layer": layer, "step": step, "detail": detail,
        }),
        Outcome::HungUp => json!({ "verdict": "hung_up" }),
        Outcome::Readmitted(socket) => json!({ "verdict": "readmitted", "socket": socket.to_string() }),
        Outcome::Happened { event, by, detail } => {
            json!({ "verdict": "happened", "event": event, "by": by, "detail": detail })
        }
    };
    json!({
        "trace": record.trace.to_string(),
        "at": record.at.to_string(),
        "took_ms": record.took_ms,
        "owner": record.owner.as_ref().map(|owner| owner.as_str()),
        "gate": record.gate.as_ref().map(|gate| gate.as_str()),
        "source": record.source.map(|source| source.to_string()),
        "subject": record.subject.as_ref().map(ToString::to_string),
        "outcome": outcome,
        "ladder": record.trail,
    })
}
