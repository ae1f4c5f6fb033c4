use std::net::IpAddr;

use doorward_auth::{
    BoxFuture,
    ports::{Attempt, AttemptId, PortError, Reserved, Throttle},
    throttle::{DAY, Failures, Next, Penalty, network_of, next_of, per_day},
};
use doorward_types::{OwnerId, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::{Store, earlier, number_at, time_at, to_column, to_integer};

const PORT: &str = "throttle";

impl Throttle for Store {
    fn reserve<'a>(&'a self, attempt: Attempt) -> BoxFuture<'a, Result<Reserved, PortError>> {
        Box::pin(async move {
            // Looked at first: whoever has to wait must not be able to keep the writer busy.
            let looked_at = attempt.clone();
            let standing = self.read(move |connection| Standing::of(connection, &looked_at)).await;
            let standing = standing.map_err(|error| error.of_port(PORT))?;
            if standing.corrected(attempt.at) == standing
                && let Some(refused) = refusal(standing.next(&attempt))
            {
                return Ok(refused);
            }
            self.writes(PORT, Some(attempt.at), move |connection| reserve(connection, &attempt)).await
        })
    }

    fn was_right<'a>(&'a self, attempt: AttemptId) -> BoxFuture<'a, Result<(), PortError>> {
        self.writes(PORT, None, move |connection| was_right(connection, attempt))
    }

    fn forgive<'a>(
        &'a self,
        owner: &'a OwnerId,
        factor: &'static str,
        subject: [u8; 32],
    ) -> BoxFuture<'a, Result<(), PortError>> {
        let owner = owner.clone();
        self.writes(PORT, None, move |connection| {
            for table in ["failures", "attempts"] {
                connection
                    .prepare_cached(&format!("DELETE FROM {table} WHERE owner = ?1 AND factor = ?2 AND subject = ?3"))?
                    .execute(params![owner.as_str(), factor, subject])?;
            }
            Ok(())
        })
    }
}

/// What is known of those who try: all that decides.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Standing {
    failures: Failures,
    penalty: Penalty,
    /// Of a factor that has a limit a day: when the try was made that is so many ago.
    so_many_ago: Option<Timestamp>,
}

impl Standing {
    fn of(connection: &Connection, attempt: &Attempt) -> rusqlite::Result<Self> {
        let Attempt { owner, factor, subject, source, at: now, .. } = attempt;
        let failures = connection
            .prepare_cached(
                "SELECT count, last FROM failures WHERE owner = ?1 AND factor = ?2 AND subject = ?3 AND device = ?4",
            )?
            .query_row(params![owner.as_str(), factor, subject, device(attempt)], |row| {
                Ok(Failures { count: row.get("count")?, last: time_at(row, "last")? })
            })
            .optional()?;
        let penalty = connection
            .prepare_cached("SELECT until FROM penalties WHERE source = ?1")?
            .query_row(params![source_of(*source)], |row| Ok(Penalty { until: time_at(row, "until")? }))
            .optional()?;
        let so_many_ago = match per_day(factor) {
            None => None,
            Some(limit) => connection
                .prepare_cached(
                    "SELECT at FROM attempts
                     WHERE owner = ?1 AND factor = ?2 AND subject = ?3 AND device = ?4 AND at > ?5
                     ORDER BY at DESC LIMIT 1 OFFSET ?6",
                )?
                .query_row(
                    params![
                        owner.as_str(),
                        factor,
                        subject,
                        device(attempt),
                        earlier(*now, DAY),
                        limit.saturating_sub(1)
                    ],
                    |row| time_at(row, "at"),
                )
                .optional()?,
        };
        Ok(Self { failures: failures.unwrap_or_default(), penalty: penalty.unwrap_or_default(), so_many_ago })
    }

    /// The same by a clock that may have been set back since.
    fn corrected(self, now: Timestamp) -> Self {
        let so_many_ago = self.so_many_ago.map(|at| at.min(now));
        Self { failures: self.failures.by(now), penalty: self.penalty.by(now), so_many_ago }
    }

    fn next(self, attempt: &Attempt) -> Next {
        next_of(attempt, self.failures, self.penalty, self.so_many_ago)
    }
}

fn refusal(next: Next) -> Option<Reserved> {
    match next {
        Next::Now => None,
        Next::NotBefore(time) => Some(Reserved::Wait(time)),
        Next::Disabled => Some(Reserved::Disabled),
    }
}

fn reserve(connection: &Connection, attempt: &Attempt) -> rusqlite::Result<Reserved> {
    let Attempt { owner, factor, subject, source, at: now, .. } = attempt;
    let known = Standing::of(connection, attempt)?;
    let standing = known.corrected(*now);
    let refused = refusal(standing.next(attempt));
    if refused.is_some() && standing == known {
        return Ok(refused.unwrap_or(Reserved::Disabled));
    }
    let of = params![owner.as_str(), factor, subject, device(attempt), to_column(*now)];
    connection
        .prepare_cached(
            "UPDATE attempts SET at = ?5 WHERE owner = ?1 AND factor = ?2 AND subject = ?3 AND device = ?4 AND at > ?5",
        )?
        .execute(of)?;
    let (failures, penalty) = match refused {
        Some(_) => (standing.failures, standing.penalty),
        None => (standing.failures.and_one(*now), standing.penalty.and_one(*now)),
    };
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO failures (owner, factor, subject, device, count, last) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![owner.as_str(), factor, subject, device(attempt), failures.count, to_column(failures.last)])?;
    connection
        .prepare_cached("INSERT OR REPLACE INTO penalties (source, until) VALUES (?1, ?2)")?
        .execute(params![source_of(*source), to_column(penalty.until)])?;
    if let Some(refused) = refused {
        return Ok(refused);
    }
    let id = connection
        .prepare_cached(
            "INSERT INTO attempts (owner, factor, subject, device, source, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6) RETURNING id",
        )?
        .query_row(
            params![owner.as_str(), factor, subject, device(attempt), source_of(*source), to_column(*now)],
            |row| number_at(row, "id"),
        )?;
    Ok(Reserved::Go(AttemptId(id)))
}

fn was_right(connection: &Connection, attempt: AttemptId) -> rusqlite::Result<()> {
    let source: Option<String> = connection
        .prepare_cached(
            "DELETE FROM failures WHERE (owner, factor, subject, device) IN
             (SELECT owner, factor, subject, device FROM attempts WHERE id = ?1)",
        )?
        .execute(params![to_integer(attempt.0)])
        .and_then(|_| {
            connection
                .prepare_cached("DELETE FROM attempts WHERE id = ?1 RETURNING source")?
                .query_row(params![to_integer(attempt.0)], |row| row.get("source"))
                .optional()
        })?;
    let Some(source) = source else { return Ok(()) };
    let penalty = connection
        .prepare_cached("SELECT until FROM penalties WHERE source = ?1")?
        .query_row(params![source], |row| Ok(Penalty { until: time_at(row, "until")? }))
        .optional()?;
    if let Some(penalty) = penalty {
        connection
            .prepare_cached("UPDATE penalties SET until = ?2 WHERE source = ?1")?
            .execute(params![source, to_column(penalty.less_one().until)])?;
    }
    Ok(())
}

/// The device as a column: empty where it is none that the subject knows.
fn device(attempt: &Attempt) -> &[u8] {
    attempt.device.as_ref().map_or(&[], |device| device)
}

fn source_of(address: IpAddr) -> String {
    network_of(address).to_string()
}
