//! program -> api   end what rests on this
//! api              may this key end that?
//! api     -> log   it has ended
//! nodes            follow the log; a gate or an issuer goes on, so its sockets are ended without
//! api              wait until it has landed
//! api -> program   a receipt

use doorward_auth::{
    Scope,
    ports::{Change, Ending, What, Why},
};
use doorward_types::{KeyId, OwnerId, Rest, Subject, Timestamp};

use super::{Problem, Reply, accounts, route::Call, sessions};
use crate::{
    Happening,
    live::{Live, Receipt},
};

/// What may be named, exactly one of them, and what a key has to be allowed to end it: what ends for ever is a login, a key or
/// a ticket, and a gate and an issuer lose the sockets that they have alone.
const KINDS: [(&str, Scope); 7] = [
    ("subject", Scope::SessionsEnd),
    ("sid", Scope::SessionsEnd),
    ("jti", Scope::SessionsEnd),
    ("key", Scope::KeysWrite),
    ("ticket", Scope::TicketsWrite),
    ("issuer", Scope::SocketsEnd),
    ("gate", Scope::SocketsEnd),
];

/// One of them is needed at the least.
pub(super) const SCOPES: &[Scope] = &[Scope::SocketsEnd, Scope::SessionsEnd, Scope::KeysWrite, Scope::TicketsWrite];

/// Ends what rests on something, and gives the receipt. What has ended already has an empty one.
pub(super) async fn end(mut call: Call<'_>) -> Result<Reply, Problem> {
    call.query.end()?;
    let owner = call.meant_owner()?;
    let subject = call.body.subject("subject")?;
    let rests = rests(&mut call, subject.as_ref())?;
    call.body.end()?;
    let Ok([(rest, scope)]) = <[(Rest, Scope); 1]>::try_from(rests) else {
        let kinds = KINDS.map(|(kind, _)| format!("`{kind}`")).join(", ");
        return Err(Problem::of_field("subject", format!("exactly one of {kinds}")));
    };
    call.caller.must(scope)?;
    accounts::may_end_subject(&call, subject.as_ref()).await?;
    let login = if rest.kind == "sid" { sessions::may_end(&call, &rest.value).await? } else { None };
    // The log of decisions says whose login it was, to its owner too.
    let (owner, subject) = match login {
        Some(login) => (Some(login.owner.clone()), Some(login.subject())),
        None => (owner, subject),
    };
    let change = match (&*rest.kind, &owner) {
        // What is written into the log has ended for ever, and a gate goes on.
        ("gate" | "issuer", owner) => {
            let happened = Happening::RestEnded(rest.to_string());
            let receipt = call.api.parts.node.end_live(owner.as_ref(), Live::On(rest)).await?;
            call.done(call.event(owner.as_ref(), None, happened));
            return Ok(Reply::of(&receipt.document()));
        }
        // A key that has ended opens nothing any more, so it may as well be said of the key.
        ("key", Some(_)) => Some(Change::RevokeAppKey(KeyId::new(&*rest.value))),
        ("key", None) => return Err(Problem::of_field("owner", "the owner of the key")),
        _ => None,
    };
    let (whose, happened) = (subject, Happening::RestEnded(rest.to_string()));
    let ending = Ending { owner, what: What::Rest(rest), why: Why::Revoked, change, at: call.now };
    carry_out(&call, ending, whose, happened).await
}

/// What is named, and the scope that it takes.
fn rests(call: &mut Call<'_>, subject: Option<&Subject>) -> Result<Vec<(Rest, Scope)>, Problem> {
    let mut rests = Vec::new();
    for (kind, scope) in KINDS {
        let named = match kind {
            "subject" => subject.map(Subject::rest),
            kind => call.body.text(kind)?.map(|value| Rest::on(kind, value)),
        };
        rests.extend(named.map(|rest| (rest, scope)));
    }
    Ok(rests)
}

/// Ends everything that was issued before a time: of a subject, or of everybody of the owner's, an operator among them too: it is
/// for the hour when nobody knows whose secrets are out.
pub(super) async fn not_before(mut call: Call<'_>) -> Result<Reply, Problem> {
    call.query.end()?;
    let owner = call.meant_owner()?;
    let subject = call.body.subject("subject")?;
    let at = past(&mut call)?;
    call.body.end()?;
    accounts::may_end_subject(&call, subject.as_ref()).await?;
    let what = What::NotBefore { subject: subject.clone(), at };
    let ending = Ending { owner, what, why: Why::Revoked, change: None, at: call.now };
    carry_out(&call, ending, subject, Happening::NotBefore(at)).await
}

/// The field `at`: now, where it is not there. A time to come would keep everybody out until then.
pub(super) fn past(call: &mut Call<'_>) -> Result<Timestamp, Problem> {
    let at = call.body.time("at")?.unwrap_or(call.now);
    if at > call.now {
        return Err(Problem::of_field("at", format!("a time that is not after now, which is `{}`", call.now)));
    }
    Ok(at)
}

/// Ends something, waits for what comes of it, and has it in the audit log as that.
pub(super) async fn carry_out(
    call: &Call<'_>,
    ending: Ending,
    whose: Option<Subject>,
    what: Happening,
) -> Result<Reply, Problem> {
    Ok(Reply::of(&ended(call, ending, whose, what).await?.document()))
}

/// The same, for an answer of which the receipt is a part.
pub(super) async fn ended(
    call: &Call<'_>,
    ending: Ending,
    whose: Option<Subject>,
    what: Happening,
) -> Result<Receipt, Problem> {
    let owner = ending.owner.clone();
    let receipt = call.api.parts.node.end(ending).await?;
    call.done(call.event(owner.as_ref(), whose, what));
    Ok(receipt)
}

/// The ending of something of one owner's.
pub(super) fn of(owner: &OwnerId, what: What, why: Why, change: Option<Change>, call: &Call<'_>) -> Ending {
    Ending { owner: Some(owner.clone()), what, why, change, at: call.now }
}
