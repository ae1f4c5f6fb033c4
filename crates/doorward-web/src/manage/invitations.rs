//! program -> api      somebody may make an account
//! api -> accounts     keep the hash of the invitation
//! api -> program      the invitation, once, and as a link where it is known at which address the site is

use doorward_auth::{NewInvitation, ports::Invitation};
use doorward_types::OwnerId;
use serde_json::json;

use super::{Problem, Reply, accounts, route::Call};
use crate::Happening;

/// How many seconds an invitation holds at the most.
const LONGEST: u64 = 30 * 24 * 60 * 60;

pub(super) async fn create(mut call: Call<'_>) -> Result<Reply, Problem> {
    call.query.end()?;
    let owner = call.owner_of_new()?;
    let role = accounts::role(&mut call)?;
    let holds = call.body.seconds("lasts", LONGEST)?.unwrap_or(Invitation::LASTS);
    call.body.end()?;
    let (parts, expires_at) = (&call.api.parts, call.now.plus(holds));
    let invitation = Invitation { owner: owner.clone(), role, expires_at, first: false };
    let new = NewInvitation::to_register(&*parts.ports.accounts, &*parts.rng, invitation).await?;
    call.given(call.event(Some(&owner), None, Happening::Invited(role)))?;
    Ok(Reply::made(&json!({
        "invitation": new.text.reveal_text("it is shown to its maker, once").unwrap_or_default(),
        "url": url(&call, &owner, &new),
        "owner": owner.as_str(),
        "role": role.as_str(),
        "expires_at": expires_at.to_string(),
    })))
}

/// The link of an invitation, where it is known at which address its owner's site is.
pub(super) fn url(call: &Call<'_>, owner: &OwnerId, new: &NewInvitation) -> Option<String> {
    let link = new.link(&call.api.parts.gates.address_of(owner)?);
    link.reveal_text("it is shown to its maker, once").map(str::to_owned)
}
