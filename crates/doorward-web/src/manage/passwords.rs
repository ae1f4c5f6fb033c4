//! program -> api      set another password; or make a link by which the holder does
//! api                 may this key give what the account may? whoever has its password logs in as it
//! api                 as in `ending`, for what rests on the account, in one act with the new password (or none)
//! api -> accounts     keep the hash of the link
//! api -> program      a receipt; the link, once

use std::fmt::Display;

use doorward_auth::{
    NewInvitation,
    account::{Checks, HashedPassword, HashingError, Password, PasswordUse, Username, tries_of_name},
    ports::{Account, Change, Ending, Reset, What, Why},
};
use doorward_types::{OwnerId, Secret};
use serde_json::json;

use super::{
    Kind, Problem, Reply,
    accounts::{changeable, may_give},
    ending,
    fields::needed,
    invitations,
    route::Call,
};
use crate::Happening;

/// Sets another password, and ends all logins.
pub(super) async fn set(mut call: Call<'_>) -> Result<Reply, Problem> {
    call.query.end()?;
    let password = needed("password", call.body.secret("password")?, "the new password of the account")?;
    call.body.end()?;
    let account = changeable(&call).await?;
    may_give(&call, account.role)?;
    let ports = &call.api.parts.ports;
    let totp = ports.factors.totp(&account.owner, account.id).await?;
    let has_app = totp.is_some_and(|totp| totp.confirmed_at.is_some());
    let used = if has_app { PasswordUse::WithSecondFactor } else { PasswordUse::Alone };
    let name = Username::parse(&account.username).map_err(|error| Problem::of_rule("username", error))?;
    let hashed = hash(&call, &account.owner, &name, &password, used).await?;
    let ending = changed(&call, &account, hashed);
    let reply = ending::carry_out(&call, ending, Some(account.subject()), Happening::PasswordChanged).await?;
    // Whoever was locked out by wrong tries of the old one gets in by the new one.
    ports.throttle.forgive(&account.owner, Checks::PASSWORD, tries_of_name(&account.unique)).await?;
    Ok(reply)
}

/// Ends all logins, has the old password open nothing any more, and gives a link by which its holder sets another one.
pub(super) async fn reset(mut call: Call<'_>) -> Result<Reply, Problem> {
    call.query.end()?;
    call.body.end()?;
    let account = changeable(&call).await?;
    may_give(&call, account.role)?;
    let parts = &call.api.parts;
    let none = parts.hashing.hash_of_no_password(&*parts.rng).await.map_err(not_hashed)?;
    let ending = changed(&call, &account, none.into_secret());
    let receipt = ending::ended(&call, ending, Some(account.subject()), Happening::SessionsEnded).await?;
    let expires_at = call.now.plus(Reset::LASTS);
    let reset = Reset { owner: account.owner.clone(), account: account.id, expires_at };
    let new = NewInvitation::to_reset(&*parts.ports.accounts, &*parts.rng, reset).await?;
    let made = Happening::ResetLinkMade(expires_at);
    call.given(call.event(Some(&account.owner), Some(account.subject()), made))?;
    Ok(Reply::made(&json!({
        "reset": new.text.reveal_text("it is shown to its maker, once").unwrap_or_default(),
        "url": invitations::url(&call, &account.owner, &new),
        "expires_at": expires_at.to_string(),
        "receipt": receipt.document(),
    })))
}

fn changed(call: &Call<'_>, account: &Account, hash: Secret) -> Ending {
    let what = What::Rest(account.subject().rest());
    ending::of(&account.owner, what, Why::CredentialChanged, Some(Change::Password(account.id, hash)), call)
}

/// The hash of a password that an account of that name may have at that owner's site.
pub(super) async fn hash(
    call: &Call<'_>,
    owner: &OwnerId,
    name: &Username,
    typed: &Secret,
    used: PasswordUse,
) -> Result<Secret, Problem> {
    let weak = |error: &dyn Display| Problem::of_rule("password", error);
    let parts = &call.api.parts;
    let typed = Password::read(typed).map_err(|error| weak(&error))?;
    let password = parts.gates.rules_of(owner).check(typed, name, used).map_err(|error| weak(&error))?;
    parts.hashing.hash(&password, &*parts.rng).await.map(HashedPassword::into_secret).map_err(not_hashed)
}

fn not_hashed(error: HashingError) -> Problem {
    tracing::warn!(%error, "a password was not hashed");
    Problem::new(Kind::TryLater, "the password cannot be hashed just now")
}
