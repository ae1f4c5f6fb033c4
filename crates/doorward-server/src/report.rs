//! A decision in words and in JSON: what `doorward why` shows.

use std::fmt::Write;

use doorward_auth::{
    ports::{AuditRecord, Outcome},
    trail::{self, RungTrail},
};
use doorward_web::manage;
use serde_json::{Value, json};

/// A decision for a person: the ladder from top to bottom, each step with its mark.
fn decision_text(record: &AuditRecord) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_decision(&mut text, record);
    text
}

fn write_decision(text: &mut String, record: &AuditRecord) -> std::fmt::Result {
    writeln!(text, "trace    {}", record.trace)?;
    writeln!(text, "at       {} (took {} ms)", record.at, record.took_ms)?;
    writeln!(text, "gate     {} of {}, from {}", record.gate, record.owner, record.source)?;
    match &record.subject {
        Some(subject) => writeln!(text, "subject  {subject} ({})", subject.uuid)?,
        None => writeln!(text, "subject  nobody was proven")?,
    }
    match &record.outcome {
        Outcome::Admitted(socket) => writeln!(text, "verdict  admitted as socket {socket}")?,
        Outcome::Refused { reason, layer, step, detail } => {
            writeln!(text, "verdict  refused: {detail}")?;
            writeln!(text, "         by {layer}, at `{step}`; the peer was told {reason}")?;
        }
        Outcome::HungUp => writeln!(text, "verdict  none: the user left")?,
    }
    for rung in &record.trail {
        writeln!(text, "  {:<12} {}", mark(rung.outcome), rung.rung)?;
        write_steps(text, rung)?;
    }
    if record.trail.is_empty() && matches!(record.outcome, Outcome::Admitted(_)) {
        writeln!(text, "  the gate is open: there is no ladder")?;
    }
    Ok(())
}

fn write_steps(text: &mut String, rung: &RungTrail) -> std::fmt::Result {
    for step in &rung.steps {
        let layer = if rung.rung == step.layer { String::new() } else { format!("{}: ", step.layer) };
        write!(text, "    {:<10} {layer}{} (+{} ms)", mark(step.outcome), step.step, step.after_ms)?;
        match &step.detail {
            Some(detail) => writeln!(text, ": {detail}")?,
            None => writeln!(text)?,
        }
    }
    Ok(())
}

fn mark(outcome: trail::Outcome) -> &'static str {
    match outcome {
        trail::Outcome::Hit => "hit",
        trail::Outcome::Miss => "miss",
        trail::Outcome::Skipped => "skipped",
        trail::Outcome::NotReached => "not reached",
    }
}

/// Both forms, as they go over the control socket. An owner is told of decisions at its own gates alone; of others it hears what
/// it hears of none.
pub(crate) fn decision(record: Option<&AuditRecord>, owner: Option<&str>) -> Option<Value> {
    let record = record.filter(|record| owner.is_none_or(|owner| owner == record.owner.as_str()))?;
    Some(json!({ "json": manage::decision(record), "text": decision_text(record) }))
}

/// What is said of a trace id that the log does not have.
pub(crate) fn unknown_trace(trace: doorward_types::TraceId) -> String {
    format!("the audit log has no decision with the trace id {trace} (old rows are swept; see `[audit] keep`)")
}
