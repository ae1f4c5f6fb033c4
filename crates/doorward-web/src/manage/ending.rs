//! program -> api   end what rests on this
//! api     -> log   it has ended
//! nodes            follow the log; a gate or an issuer goes on, so its sockets are ended without
//! api              wait until it has landed
//! api -> program   a receipt

use doorward_auth::ports::{Change, Ending, What, Why};
use doorward_types::{KeyId, OwnerId, Rest, Subject, Timestamp};

use super::{Live, Problem, Receipt, Reply, route::Call};
use crate::Happening;

/// What may be named; exactly one of them.
const KINDS: [&str; 6] = ["sid", "jti", "key", "ticket", "issuer", "gate"];

/// Ends what rests on something, and gives the receipt. What has ended already has an empty one.
pub(super) async fn end(mut call: Call<'_>) -> Result<Reply, Problem> {
    call.query.end()?;
    let owner = call.meant_owner()?;
    let subject = call.body.subject("subject")?;
    let rests = rests(&mut call, subject.as_ref())?;
    call.body.end()?;
    let Ok([rest]) = <[Rest; 1]>::try_from(rests) else {
        let kinds = KINDS.map(|kind| format!("`{kind}`")).join(", ");
        return Err(Problem::of_field("subject", format!("exactly one of `subject`, {kinds}")));
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

fn rests(call: &mut Call<'_>, subject: Option<&Subject>) -> Result<Vec<Rest>, Problem> {
    let mut rests: Vec<_> = subject.map(Subject::rest).into_iter().collect();
    for kind in KINDS {
        rests.extend(call.body.text(kind)?.map(|value| Rest::on(kind, value)));
    }
    Ok(rests)
}

/// Ends everything that was issued before a time: of a subject, or of everybody whom the key may end.
pub(super) async fn not_before(mut call: Call<'_>) -> Result<Reply, Problem> {
    call.query.end()?;
    let owner = call.meant_owner()?;
    let subject = call.body.subject("subject")?;
    let at = past(&mut call)?;
    call.body.end()?;
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
