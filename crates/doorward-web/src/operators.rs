use doorward_auth::ports::{Accounts, PortError, Role};
use doorward_types::{AccountId, OwnerId, Subject};

/// Whether a subject is the account of an operator: whose logins no owner's key ends, and as whom it lets nobody in.
pub(crate) async fn is_operator(
    accounts: &dyn Accounts,
    owner: &OwnerId,
    subject: &Subject,
) -> Result<bool, PortError> {
    let Some(id) = AccountId::of(subject) else { return Ok(false) };
    Ok(accounts.find(owner, id).await?.is_some_and(|account| account.role == Role::Operator))
}
