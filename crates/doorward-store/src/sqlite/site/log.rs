//! The log's rows, its counter, and the signal that it has grown.

use doorward_auth::ports::{LogEntry, What, Why};
use doorward_types::{Cursor, OwnerId, Rest, SessionId, Subject, Timestamp};
use rusqlite::{Connection, Row, params};
use tokio::sync::watch;

use super::{number_at, subject_at, time_at, to_column, to_integer, unreadable};

/// Tells whoever follows the log where it stands, as far as this process knows.
pub(in super::super) struct Appended(watch::Sender<Cursor>);

impl Appended {
    pub(in super::super) fn at(newest: Cursor) -> Self {
        Self(watch::Sender::new(newest))
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<Cursor> {
        self.0.subscribe()
    }

    /// What does the telling, for whoever commits.
    pub(super) fn teller(&self) -> impl Fn(Cursor) + Send + use<> {
        let sender = self.0.clone();
        move |newest| {
            sender.send_if_modified(|known| {
                let is_news = newest > *known;
                *known = newest.max(*known);
                is_news
            });
        }
    }
}

/// The cursor of the newest entry that there ever was.
pub(in super::super) fn newest(connection: &Connection) -> rusqlite::Result<Cursor> {
    connection
        .prepare_cached("SELECT newest FROM revocation_counter")?
        .query_row([], |row| number_at(row, "newest"))
        .map(Cursor)
}

/// Appends an entry under the next number. Nobody else has the counter until the transaction is over, so the order of the
/// numbers is the order of the commits.
pub(super) fn append(
    connection: &Connection,
    at: Timestamp,
    owner: Option<&OwnerId>,
    what: &What,
    why: Why,
) -> rusqlite::Result<Cursor> {
    let cursor = connection
        .prepare_cached("UPDATE revocation_counter SET newest = newest + 1 RETURNING newest")?
        .query_row([], |row| number_at(row, "newest"))
        .map(Cursor)?;
    let Columns { word, rest, subject, sid, browser, not_before } = Columns::of(what);
    connection
        .prepare_cached(
            "INSERT INTO revocations
             (cursor, at, owner, what, rest, subject_kind, subject_pk, subject_uuid, sid, browser, not_before, why)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?
        .execute(params![
            to_integer(cursor.0),
            to_column(at),
            owner.map(OwnerId::as_str),
            word,
            rest,
            subject.map(|subject| &subject.kind),
            subject.map(|subject| &subject.pk),
            subject.map(|subject| &subject.uuid),
            sid.map(SessionId::as_bytes),
            browser,
            not_before.map(to_column),
            why.as_str(),
        ])?;
    Ok(cursor)
}

/// What an entry is about, as columns.
#[derive(Default)]
struct Columns<'w> {
    word: &'static str,
    rest: Option<String>,
    subject: Option<&'w Subject>,
    sid: Option<&'w SessionId>,
    browser: Option<&'w [u8; 32]>,
    not_before: Option<Timestamp>,
}

impl<'w> Columns<'w> {
    fn of(what: &'w What) -> Self {
        match what {
            What::Rest(rest) => Self { word: "rest", rest: Some(rest.to_string()), ..Self::default() },
            What::Others { subject, keep } => {
                Self { word: "others", subject: Some(subject), sid: Some(keep), ..Self::default() }
            }
            What::NotBefore { subject, at } => {
                Self { word: "not_before", subject: subject.as_ref(), not_before: Some(*at), ..Self::default() }
            }
            What::LoggedIn { subject, sid, browser } => {
                let (subject, sid) = (Some(subject), Some(sid));
                Self { word: "logged_in", subject, sid, browser: browser.as_ref(), ..Self::default() }
            }
        }
    }
}

/// Reads an entry back.
pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<LogEntry> {
    let sid = || row.get("sid").map(SessionId::from_bytes);
    let what = match row.get::<_, String>("what")?.as_str() {
        "rest" => What::Rest(row.get::<_, String>("rest")?.parse().map_err(unreadable)?),
        "others" => What::Others { subject: subject_at(row)?, keep: sid()? },
        "not_before" => {
            let is_one_subjects = row.get::<_, Option<String>>("subject_pk")?.is_some();
            let subject = is_one_subjects.then(|| subject_at(row)).transpose()?;
            What::NotBefore { subject, at: time_at(row, "not_before")? }
        }
        _ => What::LoggedIn { subject: subject_at(row)?, sid: sid()?, browser: row.get("browser")? },
    };
    let why = row.get::<_, String>("why")?;
    Ok(LogEntry {
        cursor: Cursor(number_at(row, "cursor")?),
        at: time_at(row, "at")?,
        owner: row.get::<_, Option<String>>("owner")?.map(OwnerId::new),
        what,
        why: Why::read(&why).ok_or_else(|| unreadable(UnknownWhy(why)))?,
    })
}

#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no reason for an ending")]
struct UnknownWhy(String);

/// Whether that has ended, for the owner or for everybody, as far back as the log goes.
pub(in super::super) fn has_ended(connection: &Connection, owner: &OwnerId, rest: &Rest) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM revocations WHERE rest = ?1 AND (owner IS NULL OR owner = ?2)")?
        .exists(params![rest.to_string(), owner.as_str()])
}
