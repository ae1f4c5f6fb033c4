//! program -> api      which logins hold? end this one
//! api -> sessions     look
//! api                 as in `ending`, for what rests on the login
//! api -> program      a page; a receipt

use doorward_auth::ports::{Session, What, Why};
use doorward_types::{AccountId, SessionId, Timestamp};
use serde_json::{Value, json};

use super::{Problem, Reply, accounts, ending, page::Window, route::Call};
use crate::Happening;

/// How many logins a list looks through, the newest first.
const LOOKED_THROUGH: usize = 10_000;

pub(super) async fn list(mut call: Call<'_>) -> Result<Reply, Problem> {
    let window = Window::read(&mut call.query)?;
    let owner = call.listed_owner()?;
    let account = call.query.read::<AccountId>("account", "the number of an account")?;
    let after = window.after(read_place)?;
    call.query.end()?;
    let sessions = &call.api.parts.ports.sessions;
    let mut found = match account {
        None => sessions.list(owner.as_ref(), call.now, LOOKED_THROUGH).await?,
        Some(account) => match accounts::find(&call, account).await? {
            Some(account) if owner.as_ref().is_none_or(|owner| *owner == account.owner) => {
                sessions.of_account(&account.owner, account.id, call.now).await?
            }
            _ => return Err(Problem::not_found("account")),
        },
    };
    found.sort_by_key(|session| std::cmp::Reverse(order(session)));
    found.retain(|session| after.is_none_or(|after| order(session) < after));
    found.truncate(window.and_one());
    Ok(Reply::of(&window.page(found, place, document)))
}

pub(super) async fn show(mut call: Call<'_>) -> Result<Reply, Problem> {
    call.query.end()?;
    Ok(Reply::of(&document(&find(&call).await?)))
}

pub(super) async fn end(mut call: Call<'_>) -> Result<Reply, Problem> {
    call.query.end()?;
    let session = find(&call).await?;
    accounts::may_change(&call, session.role)?;
    let what = What::Rest(session.rest());
    let ending = ending::of(&session.owner, what, Why::Revoked, None, &call);
    ending::carry_out(&call, ending, Some(session.subject()), Happening::SessionEnded(session.sid)).await
}

/// The login of that id, where the caller may end it; one of another site is nobody's here.
pub(super) async fn may_end(call: &Call<'_>, sid: &str) -> Result<Option<Session>, Problem> {
    let Ok(sid) = sid.parse() else { return Ok(None) };
    let found = look(call, sid).await?;
    if let Some(session) = &found {
        accounts::may_change(call, session.role)?;
    }
    Ok(found)
}

/// The login that the path names, where the caller sees it.
async fn find(call: &Call<'_>) -> Result<Session, Problem> {
    let not_found = || Problem::not_found("session");
    let sid = call.parameter.parse().map_err(|_| not_found())?;
    look(call, sid).await?.ok_or_else(not_found)
}

async fn look(call: &Call<'_>, sid: SessionId) -> Result<Option<Session>, Problem> {
    let owners = call.caller.owner.clone().map_or_else(|| call.api.parts.node.owners(), |owner| vec![owner]);
    for owner in owners {
        if let Some(session) = call.api.parts.ports.sessions.find_by_id(&owner, sid, call.now).await? {
            return Ok(Some(session));
        }
    }
    Ok(None)
}

fn document(session: &Session) -> Value {
    json!({
        "sid": session.sid.to_string(),
        "owner": session.owner.as_str(),
        "account": session.account.to_string(),
        "username": session.username,
        "role": session.role.as_str(),
        "factors": session.factors,
        "source": session.source.to_string(),
        "created_at": session.created_at.to_string(),
        "last_seen": session.last_seen.to_string(),
        "idle_until": session.last_seen.plus(session.idle).to_string(),
        "expires_at": session.expires_at.to_string(),
    })
}

/// The newest first, and of several at one moment the one with the highest id.
fn order(session: &Session) -> (Timestamp, SessionId) {
    (session.created_at, session.sid)
}

fn place(session: &Session) -> String {
    format!("{}-{}", session.created_at.as_millis(), session.sid)
}

fn read_place(text: &str) -> Option<(Timestamp, SessionId)> {
    let (at, sid) = text.split_once('-')?;
    Some((Timestamp::from_millis(at.parse().ok()?), sid.parse().ok()?))
}
