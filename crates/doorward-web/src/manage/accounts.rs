//! program -> api      make, show, disable, enable an account; end its logins
//! api                 username and password are what they have to be
//! api -> accounts     make, look, enable
//! api                 as in `ending`, for what rests on the account
//! api -> program      the account; a receipt

use doorward_auth::{
    Scope,
    account::{PasswordUse, Username},
    ports::{Account, Change, Created, NewAccount, Role, What, Why},
};
use doorward_types::{AccountId, OwnerId, Subject};
use serde_json::{Value, json};

use super::{
    Kind, Problem, Reply,
    ending::{self, past},
    fields::needed,
    page::Window,
    passwords,
    route::Call,
};
use crate::{Happening, operators::is_operator};

pub(super) async fn list(mut call: Call<'_>) -> Result<Reply, Problem> {
    let window = Window::read(&mut call.query)?;
    let owner = call.listed_owner()?;
    let after = window.after(|after| after.parse::<AccountId>().ok())?;
    call.query.end()?;
    let found = call.api.parts.ports.accounts.list(owner.as_ref(), after, window.and_one()).await?;
    Ok(Reply::of(&window.page(found, |account| account.id.to_string(), document)))
}

pub(super) async fn create(mut call: Call<'_>) -> Result<Reply, Problem> {
    call.query.end()?;
    let owner = call.owner_of_new()?;
    let username = needed("username", call.body.text("username")?, "the name of the account")?;
    let password = needed("password", call.body.secret("password")?, "the password of the account")?;
    let role = role(&mut call)?;
    call.body.end()?;
    let name = Username::parse(&username).map_err(|error| Problem::of_rule("username", error))?;
    let password = passwords::hash(&call, &owner, &name, &password, PasswordUse::Alone).await?;
    let account = NewAccount {
        owner,
        username: name.shown().to_owned(),
        unique: name.unique().to_owned(),
        role,
        password,
        invitation: None,
        at: call.now,
    };
    match call.api.parts.ports.accounts.create(account).await? {
        Created::Account(account) => {
            let made = Happening::Registered { role, invited: false };
            call.done(call.event(Some(&account.owner), Some(account.subject()), made));
            Ok(Reply::made(&document(&account)))
        }
        Created::Taken => Err(Problem::new(Kind::Taken, "another account of this owner has that name")),
        Created::NotInvited => Err(Problem::new(Kind::Internal, "an invitation was asked for that nobody had named")),
    }
}

/// The field `role`, where the caller may give it.
pub(super) fn role(call: &mut Call<'_>) -> Result<Role, Problem> {
    let role = call.body.word("role", &Role::ALL, Role::as_str)?.unwrap_or_default();
    may_give(call, role)?;
    Ok(role)
}

/// Nobody gives more than they have: who logs in with the role `owner` or `operator` has every scope.
pub(super) fn may_give(call: &Call<'_>, role: Role) -> Result<(), Problem> {
    if role == Role::Operator && !call.caller.is_operator() {
        return Err(Problem::new(Kind::NotAllowed, "only a key of the operator's gives the role `operator`"));
    }
    if let Some(missing) = Scope::ALL.iter().find(|scope| role >= Role::Owner && !call.caller.may(**scope)) {
        let (role, missing) = (role.as_str(), missing.as_str());
        let detail = format!("the role `{role}` has every scope, and this key does not have `{missing}` to give");
        return Err(Problem::new(Kind::NotAllowed, detail));
    }
    Ok(())
}

pub(super) async fn show(mut call: Call<'_>) -> Result<Reply, Problem> {
    call.query.end()?;
    Ok(Reply::of(&document(&named(&call).await?)))
}

pub(super) async fn disable(mut call: Call<'_>) -> Result<Reply, Problem> {
    call.query.end()?;
    call.body.end()?;
    let account = changeable(&call).await?;
    let (what, change) = (What::Rest(account.subject().rest()), Some(Change::Disable(account.id)));
    let ending = ending::of(&account.owner, what, Why::Disabled, change, &call);
    ending::carry_out(&call, ending, Some(account.subject()), Happening::Disabled).await
}

pub(super) async fn enable(mut call: Call<'_>) -> Result<Reply, Problem> {
    call.query.end()?;
    call.body.end()?;
    let account = changeable(&call).await?;
    may_give(&call, account.role)?;
    call.api.parts.ports.accounts.enable(&account.owner, account.id).await?;
    call.done(call.event(Some(&account.owner), Some(account.subject()), Happening::Enabled));
    Ok(Reply::of(&document(&named(&call).await?)))
}

pub(super) async fn end(mut call: Call<'_>) -> Result<Reply, Problem> {
    call.query.end()?;
    call.body.end()?;
    let account = changeable(&call).await?;
    let what = What::Rest(account.subject().rest());
    let ending = ending::of(&account.owner, what, Why::Revoked, None, &call);
    ending::carry_out(&call, ending, Some(account.subject()), Happening::SessionsEnded).await
}

pub(super) async fn not_before(mut call: Call<'_>) -> Result<Reply, Problem> {
    call.query.end()?;
    let at = past(&mut call)?;
    call.body.end()?;
    let account = changeable(&call).await?;
    let what = What::NotBefore { subject: Some(account.subject()), at };
    let ending = ending::of(&account.owner, what, Why::Revoked, None, &call);
    ending::carry_out(&call, ending, Some(account.subject()), Happening::NotBefore(at)).await
}

/// The account that the path names, where the caller sees it.
async fn named(call: &Call<'_>) -> Result<Account, Problem> {
    let id = call.parameter.parse().map_err(|_| Problem::not_found("account"))?;
    find(call, id).await?.ok_or_else(|| Problem::not_found("account"))
}

/// The same, where the caller may change it.
pub(super) async fn changeable(call: &Call<'_>) -> Result<Account, Problem> {
    let account = named(call).await?;
    may_change(call, account.role)?;
    Ok(account)
}

/// Whether the caller may change an account of that role, and end its logins: an operator's is for operators alone.
pub(super) fn may_change(call: &Call<'_>, role: Role) -> Result<(), Problem> {
    if role == Role::Operator && !call.caller.is_operator() {
        let detail =
            "only a key of the operator's changes an account of an operator, ends its logins and lets anybody in as it";
        return Err(Problem::new(Kind::NotAllowed, detail));
    }
    Ok(())
}

/// The same, where the logins of a subject are ended, if one is named.
pub(super) async fn may_end_subject(call: &Call<'_>, subject: Option<&Subject>) -> Result<(), Problem> {
    match (subject, &call.caller.owner) {
        (Some(subject), Some(owner)) => may_act_as(call, owner, subject).await,
        // An operator's key ends all of them.
        _ => Ok(()),
    }
}

/// The same, where somebody is let in as that subject.
pub(super) async fn may_act_as(call: &Call<'_>, owner: &OwnerId, subject: &Subject) -> Result<(), Problem> {
    let is_operator = is_operator(&*call.api.parts.ports.accounts, owner, subject).await?;
    may_change(call, if is_operator { Role::Operator } else { Role::User })
}

/// The account with that number, where the caller sees it.
pub(super) async fn find(call: &Call<'_>, id: AccountId) -> Result<Option<Account>, Problem> {
    let before = id.0.checked_sub(1).map(AccountId);
    let accounts = &call.api.parts.ports.accounts;
    let next = accounts.list(call.caller.owner.as_ref(), before, 1).await?;
    Ok(next.into_iter().find(|account| account.id == id))
}

fn document(account: &Account) -> Value {
    json!({
        "id": account.id.to_string(),
        "owner": account.owner.as_str(),
        "username": account.username,
        "role": account.role.as_str(),
        "subject": account.subject().to_string(),
        "created_at": account.created_at.to_string(),
        "disabled_at": account.disabled_at.map(|at| at.to_string()),
    })
}
