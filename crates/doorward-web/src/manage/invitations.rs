//! program -> api      somebody may make an account
//! api -> accounts     keep the hash of the invitation
//! api -> program      the invitation, once

use std::time::Duration;

use doorward_auth::ports::Invitation;
use doorward_types::KeyText;
use serde_json::json;

use super::{Problem, Reply, accounts, route::Call};
use crate::cookies::hash;

/// How long an invitation holds where nobody says, and at the most.
const USUAL: Duration = Duration::from_secs(24 * 60 * 60);
const LONGEST: u64 = 30 * 24 * 60 * 60;

pub(super) async fn create(mut call: Call<'_>) -> Result<Reply, Problem> {
    call.query.end()?;
    let owner = call.owner_of_new()?;
    let role = accounts::role(&mut call)?;
    let holds = call.body.seconds("lasts", LONGEST)?.unwrap_or(USUAL);
    call.body.end()?;
    let text = KeyText::Invitation.write(&call.api.parts.rng.bytes32());
    let expires_at = call.now.plus(holds);
    let shown = json!({
        "invitation": text.reveal_text("it is shown to its maker, once").unwrap_or_default(),
        "owner": owner.as_str(),
        "role": role.as_str(),
        "expires_at": expires_at.to_string(),
    });
    let invitation = Invitation { owner, role, expires_at };
    call.api.parts.ports.accounts.invite(hash(text.reveal("to hash it")), invitation).await?;
    Ok(Reply::made(&shown))
}
