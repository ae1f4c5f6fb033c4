//! program -> api   end what rests on this
//! api     -> log   it has ended
//! nodes            follow the log; a gate or an issuer goes on, so its sockets are ended without
//! api              wait until it has landed
//! api -> program   a receipt

use doorward_auth::ports::{Change, Ending, What, Why};
use doorward_types::{KeyId, OwnerId, Rest, Timestamp};

use super::{Api, Live, Problem, Reply, route::Call};

/// What may be named; exactly one of them.
const KINDS: [&str; 6] = ["sid", "jti", "key", "ticket", "issuer", "gate"];

/// Ends what rests on something, and gives the receipt. What has ended already has an empty one.
pub(super) async fn end(mut call: Call<'_>) -> Result<Reply, Problem> {
    call.query.end()?;
    let owner = call.meant_owner()?;
    let rests = rests(&mut call)?;
    call.body.end()?;
    let Ok([rest]) = <[Rest; 1]>::try_from(rests) else {
        let kinds = KINDS.map(|kind| format!("`{kind}`")).join(", ");
        return Err(Problem::of_field("subject", format!("exactly one of `subject`, {kinds}")));
    };
    let change = match (&*rest.kind, &owner) {
        // What is written into the log has ended for ever, and a gate goes on.
        ("gate" | "issuer", owner) => {
            let receipt = call.api.parts.node.end_live(owner.as_ref(), Live::On(rest)).await?;
            return Ok(Reply::of(&receipt.document()));
        }
        // A key that has ended opens nothing any more, so it may as well be said of the key.
        ("key", Some(_)) => Some(Change::RevokeAppKey(KeyId::new(&*rest.value))),
        ("key", None) => return Err(Problem::of_field("owner", "the owner of the key")),
        _ => None,
    };
    carry_out(call.api, Ending { owner, what: What::Rest(rest), why: Why::Revoked, change, at: call.now }).await
}

fn rests(call: &mut Call<'_>) -> Result<Vec<Rest>, Problem> {
    let mut rests: Vec<_> = call.body.subject("subject")?.map(|subject| subject.rest()).into_iter().collect();
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
    let what = What::NotBefore { subject, at };
    carry_out(call.api, Ending { owner, what, why: Why::Revoked, change: None, at: call.now }).await
}

/// The field `at`: now, where it is not there. A time to come would keep everybody out until then.
pub(super) fn past(call: &mut Call<'_>) -> Result<Timestamp, Problem> {
    let at = call.body.time("at")?.unwrap_or(call.now);
    if at > call.now {
        return Err(Problem::of_field("at", format!("a time that is not after now, which is `{}`", call.now)));
    }
    Ok(at)
}

/// Writes an ending down, and waits for what comes of it.
pub(super) async fn carry_out(api: &Api, ending: Ending) -> Result<Reply, Problem> {
    let receipt = api.parts.node.end(ending).await?;
    Ok(Reply::of(&receipt.document()))
}

/// The ending of something of one owner's.
pub(super) fn of(owner: &OwnerId, what: What, why: Why, change: Option<Change>, call: &Call<'_>) -> Ending {
    Ending { owner: Some(owner.clone()), what, why, change, at: call.now }
}
