//! A decision in words and in JSON: what `doorward why` shows.

use std::fmt::Write;

use doorward_auth::{
    ports::{AuditQuery, AuditRecord, Outcome},
    trail::{self, RungTrail},
};
use doorward_types::{OwnerId, SocketId, Subject};
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
    let owner = record.owner.as_ref().map_or("every owner", OwnerId::as_str);
    let source =
        record.source.map_or_else(|| "on the machine, or by the HTTP API".to_owned(), |at| format!("from {at}"));
    match &record.gate {
        Some(gate) => writeln!(text, "gate     {gate} of {owner}, {source}")?,
        None => writeln!(text, "site     of {owner}, {source}")?,
    }
    if let Outcome::Happened { event, by, detail } = &record.outcome {
        return write_happened(text, record.subject.as_ref(), event, by, detail);
    }
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
        Outcome::Readmitted(socket) => writeln!(text, "verdict  let in once more, as socket {socket}")?,
        Outcome::Happened { .. } => {}
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

/// What happened at the site: no ladder was climbed.
fn write_happened(
    text: &mut String,
    subject: Option<&Subject>,
    event: &str,
    by: &str,
    detail: &str,
) -> std::fmt::Result {
    if let Some(subject) = subject {
        writeln!(text, "account  {subject} ({})", subject.uuid)?;
    }
    let detail = if detail.is_empty() { String::new() } else { format!(": {detail}") };
    writeln!(text, "event    {event}{detail}")?;
    writeln!(text, "         by {by}")
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
    let record = record
        .filter(|record| owner.is_none_or(|owner| record.owner.as_ref().is_some_and(|of| of.as_str() == owner)))?;
    Some(json!({ "json": manage::decision(record), "text": decision_text(record) }))
}

/// What is asked of the log: everything about a subject, or about a socket.
///
/// # Errors
/// One clear line, where one of them is none.
pub(crate) fn history_of(
    owner: Option<&str>,
    subject: Option<&str>,
    socket: Option<&str>,
    at_most: usize,
) -> Result<AuditQuery, String> {
    let subject = subject.map(|text| match text.split_once(':') {
        Some((kind, pk)) if !kind.is_empty() && !pk.is_empty() => {
            Ok(Subject { kind: kind.to_owned(), pk: pk.to_owned(), uuid: pk.to_owned() })
        }
        _ => Err(format!("`{text}` is no subject; write `kind:pk`, such as `member:7`")),
    });
    let socket = socket.map(|text| text.parse::<SocketId>().map_err(|error| format!("`{text}`: {error}")));
    let (owner, subject, socket) = (owner.map(OwnerId::new), subject.transpose()?, socket.transpose()?);
    Ok(AuditQuery { owner, subject, socket, at_most, ..AuditQuery::default() })
}

/// Decisions and events in both forms: a line each, and what `doorward why TRACE` says more of.
pub(crate) fn history(records: &[AuditRecord]) -> Value {
    let mut text = String::new();
    for record in records {
        let place = record.gate.as_ref().map_or("the site", |gate| gate.as_str());
        let what = match &record.outcome {
            Outcome::Admitted(socket) => format!("admitted as socket {socket}"),
            Outcome::Readmitted(socket) => format!("let in once more as socket {socket}"),
            Outcome::Refused { layer, detail, .. } => format!("refused by {layer}: {detail}"),
            Outcome::HungUp => "the user left before a verdict".to_owned(),
            Outcome::Happened { event, by, detail } if detail.is_empty() => format!("{event}, by {by}"),
            Outcome::Happened { event, by, detail } => format!("{event}: {detail}, by {by}"),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}  {}  {place:<16}  {what}", record.at, record.trace);
    }
    json!({ "json": records.iter().map(manage::decision).collect::<Vec<_>>(), "text": text })
}

/// What is said of a trace id that the log does not have.
pub(crate) fn unknown_trace(trace: doorward_types::TraceId) -> String {
    format!("the audit log has no decision with the trace id {trace} (old rows are swept; see `[audit] keep`)")
}
