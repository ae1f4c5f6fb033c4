use doorward_auth::{
    ports::{AuditQuery, AuditRecord, Outcome},
    trail::RungTrail,
};
use doorward_types::{CloseReason, GateName, OwnerId, SocketId, TraceId};
use rusqlite::{Connection, Row, ToSql, params, params_from_iter};

use super::{subject_at, time_at, to_column, unreadable};

/// How long the JSON of a trail may be, in bytes; and how long one text of a row, in characters.
const TRAIL: usize = 16 * 1024;
const TEXT: usize = 1024;

/// Writes a row. What a peer can make long is cut, so that no climb writes more than about 20 KiB.
pub(super) fn insert(connection: &Connection, record: &AuditRecord) -> rusqlite::Result<()> {
    let socket = record.outcome.socket().map(|socket| socket.as_bytes().to_vec());
    let (refused, happened, detail) = match &record.outcome {
        Outcome::Refused { reason, layer, step, detail } => (Some((reason, layer, step)), None, Some(detail)),
        Outcome::Happened { event, by, detail } => (None, Some((event, by)), Some(detail)),
        Outcome::Admitted(_) | Outcome::Readmitted(_) | Outcome::HungUp => (None, None, None),
    };
    connection
        .prepare_cached(
            "INSERT INTO audit (trace, at, took_ms, owner, gate, source, subject_kind, subject_pk, subject_uuid,
                                outcome, socket, reason, layer, step, event, by_whom, detail, trail)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
        )?
        .execute(params![
            record.trace.as_bytes(),
            to_column(record.at),
            i64::try_from(record.took_ms).unwrap_or(i64::MAX),
            record.owner.as_ref().map(OwnerId::as_str),
            record.gate.as_ref().map(GateName::as_str),
            record.source.map(|source| source.to_string()),
            record.subject.as_ref().map(|subject| &subject.kind),
            record.subject.as_ref().map(|subject| &subject.pk),
            record.subject.as_ref().map(|subject| &subject.uuid),
            record.outcome.verdict().as_str(),
            socket,
            refused.map(|(reason, ..)| reason.name()),
            refused.map(|(_, layer, _)| cut(layer, TEXT)),
            refused.map(|(.., step)| cut(step, TEXT)),
            happened.map(|(event, _)| cut(event, TEXT)),
            happened.map(|(_, by)| cut(by, TEXT)),
            detail.map(|detail| cut(detail, TEXT)),
            trail_text(&record.trail).map_err(unreadable)?,
        ])
        .map(|_| ())
}

/// The rows that are asked for, newest first. Only what is asked for is in the statement, so that the index of the owner serves.
pub(super) fn search(connection: &Connection, query: &AuditQuery) -> rusqlite::Result<Vec<AuditRecord>> {
    let subject = query.subject.as_ref();
    let asked: [(&str, Option<Box<dyn ToSql>>); 10] = [
        ("owner = ?", query.owner.as_ref().map(|owner| boxed(owner.as_str().to_owned()))),
        ("gate = ?", query.gate.as_ref().map(|gate| boxed(gate.as_str().to_owned()))),
        ("outcome = ?", query.verdict.map(|verdict| boxed(verdict.as_str()))),
        ("layer = ?", query.layer.as_ref().map(|layer| boxed(layer.clone()))),
        ("event = ?", query.event.as_ref().map(|event| boxed(event.clone()))),
        ("socket = ?", query.socket.map(|socket| boxed(socket.as_bytes().to_vec()))),
        ("subject_kind = ?", subject.map(|subject| boxed(subject.kind.clone()))),
        ("subject_pk = ?", subject.map(|subject| boxed(subject.pk.clone()))),
        ("at >= ?", query.since.map(|since| boxed(to_column(since)))),
        (
            "id < (SELECT max(id) FROM audit WHERE trace = ?)",
            query.before.map(|trace| boxed(trace.as_bytes().to_vec())),
        ),
    ];
    let mut statement = "SELECT * FROM audit WHERE 1".to_owned();
    let mut values = Vec::new();
    for (condition, value) in asked {
        if let Some(value) = value {
            statement.push_str(" AND ");
            statement.push_str(condition);
            values.push(value);
        }
    }
    statement.push_str(" ORDER BY id DESC LIMIT ?");
    values.push(boxed(i64::try_from(query.at_most).unwrap_or(i64::MAX)));
    connection.prepare_cached(&statement)?.query_map(params_from_iter(values), read)?.collect()
}

fn boxed(value: impl ToSql + 'static) -> Box<dyn ToSql> {
    Box::new(value)
}

/// Reads a row back.
pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<AuditRecord> {
    let outcome = match row.get::<_, String>("outcome")?.as_str() {
        "admitted" => Outcome::Admitted(SocketId::from_bytes(row.get("socket")?)),
        "readmitted" => Outcome::Readmitted(SocketId::from_bytes(row.get("socket")?)),
        "happened" => {
            Outcome::Happened { event: row.get("event")?, by: row.get("by_whom")?, detail: row.get("detail")? }
        }
        "hung_up" => Outcome::HungUp,
        _ => Outcome::Refused {
            reason: reason_named(&row.get::<_, String>("reason")?)?,
            layer: row.get("layer")?,
            step: row.get("step")?,
            detail: row.get("detail")?,
        },
    };
    let known = row.get::<_, Option<String>>("subject_pk")?.is_some();
    Ok(AuditRecord {
        trace: TraceId::from_bytes(row.get("trace")?),
        at: time_at(row, "at")?,
        took_ms: u64::try_from(row.get::<_, i64>("took_ms")?).unwrap_or(0),
        owner: row.get::<_, Option<String>>("owner")?.map(OwnerId::new),
        gate: row.get::<_, Option<String>>("gate")?.map(GateName::new),
        source: row.get::<_, Option<String>>("source")?.map(|source| source.parse()).transpose().map_err(unreadable)?,
        subject: known.then(|| subject_at(row)).transpose()?,
        outcome,
        trail: serde_json::from_str(&row.get::<_, String>("trail")?).map_err(unreadable)?,
    })
}

#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a close reason")]
struct UnknownReason(String);

fn reason_named(name: &str) -> rusqlite::Result<CloseReason> {
    let reason = CloseReason::ALL.iter().find(|reason| reason.name() == name);
    reason.copied().ok_or_else(|| unreadable(UnknownReason(name.to_owned())))
}

/// The trail as JSON. One that is too long loses the tail of its texts first, then its later steps, then its later rungs.
fn trail_text(trail: &[RungTrail]) -> serde_json::Result<String> {
    let mut text = serde_json::to_string(trail)?;
    let (mut characters, mut steps, mut rungs) = (TEXT, 64, 64);
    while text.len() > TRAIL && rungs > 0 {
        let mut short: Vec<RungTrail> = trail.iter().take(rungs).cloned().collect();
        for rung in &mut short {
            rung.rung = cut(&rung.rung, characters).to_owned();
            rung.steps.truncate(steps);
            for step in &mut rung.steps {
                step.layer = cut(&step.layer, characters).to_owned().into();
                step.step = cut(&step.step, characters).to_owned().into();
                step.detail = step.detail.as_deref().map(|detail| cut(detail, characters).to_owned());
            }
        }
        text = serde_json::to_string(&short)?;
        if characters > 64 {
            characters /= 2;
        } else if steps > 1 {
            steps /= 2;
        } else {
            rungs /= 2;
        }
    }
    Ok(text)
}

/// The first `characters` of a text.
fn cut(text: &str, characters: usize) -> &str {
    text.char_indices().nth(characters).map_or(text, |(end, _)| text.get(..end).unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use doorward_auth::trail::{Outcome as How, Step, Verb};

    use super::*;

    fn rung(steps: usize, detail: &str) -> RungTrail {
        let step = Step {
            layer: "jwt".into(),
            step: "require signature".into(),
            verb: Verb::Require,
            outcome: How::Miss,
            after_ms: 3,
            detail: Some(detail.to_owned()),
        };
        RungTrail { rung: "jwt".into(), outcome: How::Miss, steps: vec![step; steps] }
    }

    #[test]
    fn a_trail_of_ordinary_length_is_kept_as_it_is() {
        let trail = vec![rung(3, "the signature does not fit"), rung(1, "☂")];
        let text = trail_text(&trail).unwrap();
        assert_eq!(serde_json::from_str::<Vec<RungTrail>>(&text).unwrap(), trail);
    }

    #[test]
    fn a_trail_that_a_peer_made_long_is_cut_and_still_readable() {
        for trail in [vec![rung(2, &"☂\"".repeat(40_000))], vec![rung(5_000, "x")], vec![rung(1, "x"); 5_000]] {
            let text = trail_text(&trail).unwrap();
            assert!(text.len() <= TRAIL, "{} bytes", text.len());
            let read: Vec<RungTrail> = serde_json::from_str(&text).unwrap();
            assert_eq!(read[0].steps[0].layer, "jwt");
        }
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(cut("☂☂☂", 2), "☂☂");
        assert_eq!(cut("☂☂☂", 3), "☂☂☂");
    }
}
