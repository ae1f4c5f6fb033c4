//! program -> api      somebody may make an account
//! api -> accounts     keep the hash of the invitation
//! api -> program      the invitation, once

use std::time::Duration;

use doorward_auth::{NewInvitation, ports::Invitation};
use serde_json::json;

use super::{Problem, Reply, accounts, route::Call};
use crate::Happening;

/// How long an invitation holds where nobody says, and at the most.
const USUAL: Duration = Duration::from_secs(24 * 60 * 60);
const LONGEST: u64 = 30 * 24 * 60 * 60;

pub(super) async fn create(mut call: Call<'_>) -> Result<Reply, Problem> {
    call.query.end()?;
    let owner = call.owner_of_new()?;
    let role = accounts::role(&mut call)?;
    let holds = call.body.seconds("lasts", LONGEST)?.unwrap_or(USUAL);
    call.body.end()?;
    let NewInvitation { text, hash } = NewInvitation::draw(&*call.api.parts.rng);
    let expires_at = call.now.plus(holds);
    let shown = json!({
        "invitation": text.reveal_text("it is shown to its maker, once").unwrap_or_default(),
        "owner": owner.as_str(),
        "role": role.as_str(),
        "expires_at": expires_at.to_string(),
    });
    let invited = call.event(Some(&owner), None, Happening::Invited(role));
    let invitation = Invitation { owner, role, expires_at, first: false };
    call.api.parts.ports.accounts.invite(hash, invitation).await?;
    call.given(invited)?;
    Ok(Reply::made(&shown))
}
