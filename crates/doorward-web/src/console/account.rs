//! One account, as an owner sees it.
//!
//! owner -> site   get  /console/accounts/OWNER/NUMBER
//! owner -> site   post .../end             all of its logins; live sockets follow
//! owner -> site   post .../disable         and its logins end in the same act
//! owner -> site   post .../enable
//! owner -> site   post .../unlock          forget what was tried wrong
//! owner -> site   post .../password        a link by which its holder sets another one: see `reset`
//! owner -> site   post .../totp            hand its holder a picture to scan, and
//! owner -> site   post .../totp/confirm    take the code that their phone shows
//! owner -> site   post .../totp/remove     a lost phone; its logins end in the same act
//!
//! An account of another owner is not there. One of a higher role cannot be acted on, nor can one's own from here.

use std::sync::Arc;

use askama::Template;
use axum::{
    Router,
    extract::{Path, State},
    response::Response,
    routing::{get, post},
};
use doorward_auth::{
    account::{Checks, tries_of_account, tries_of_name},
    ports::{Account, Change, Ending, What, Why},
};
use doorward_types::{AccountId, OwnerId};
use http::StatusCode;

use crate::{
    Happening,
    desk::Desk,
    field::Ago,
    page::{Frame, go, page},
    pages::{Enrolment, sockets_of},
    rows::{LoginRows, Shown, SocketRows},
    sorry::Sorry,
    visit::Keeper,
};

#[derive(Template)]
#[template(path = "console_account.html")]
struct AccountPage {
    frame: Frame,
    address: String,
    owner: String,
    username: String,
    role: &'static str,
    made: Ago,
    is_enabled: bool,
    totp: bool,
    recovery_codes: usize,
    logins: LoginRows,
    sockets: SocketRows,
    may_act: bool,
    is_own: bool,
    done: Option<&'static str>,
}

/// Where the page of an account is.
pub(super) fn address(owner: &OwnerId, id: AccountId) -> String {
    let mut address = String::from("/console/accounts/");
    for byte in owner.as_str().bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => address.push(char::from(byte)),
            byte => address.push_str(&format!("%{byte:02X}")),
        }
    }
    format!("{address}/{id}")
}

pub(super) fn routes() -> Router<Arc<Desk>> {
    let at = |rest: &str| format!("/console/accounts/{{owner}}/{{id}}{rest}");
    Router::new()
        .route(&at(""), get(show))
        .route(&at("/end"), post(end))
        .route(&at("/disable"), post(disable))
        .route(&at("/enable"), post(enable))
        .route(&at("/unlock"), post(unlock))
        .route(&at("/totp"), post(begin_totp))
        .route(&at("/totp/confirm"), post(confirm_totp))
        .route(&at("/totp/remove"), post(remove_totp))
}

pub(super) type Named = Path<(String, u64)>;

/// The account of the address, where this keeper sees it.
async fn seen(desk: &Desk, keeper: &Keeper, Path((owner, id)): Named) -> Result<Account, Sorry> {
    let owner = OwnerId::new(owner);
    if !keeper.sees(&owner) {
        return Err(Sorry::NotFound);
    }
    desk.ports().accounts.find(&owner, AccountId(id)).await?.ok_or(Sorry::NotFound)
}

/// The account of the address, where this keeper may act on it.
pub(super) async fn in_hand(desk: &Desk, keeper: &Keeper, named: Named) -> Result<Account, Sorry> {
    let account = seen(desk, keeper, named).await?;
    if is_own(keeper, &account) || !keeper.outranks(account.role) { Err(Sorry::NotYours) } else { Ok(account) }
}

fn is_own(keeper: &Keeper, account: &Account) -> bool {
    let session = &keeper.0.session;
    session.owner == account.owner && session.account == account.id
}

async fn show(State(desk): State<Arc<Desk>>, keeper: Keeper, named: Named) -> Result<Response, Sorry> {
    let account = seen(&desk, &keeper, named).await?;
    let visit = &keeper.0.visit;
    let sessions = desk.ports().sessions.of_account(&account.owner, account.id, visit.now).await?;
    let sockets = sockets_of(&desk, &account.owner, account.subject()).await?;
    let account_page = AccountPage {
        frame: Frame::of(&desk, visit),
        address: address(&account.owner, account.id),
        owner: account.owner.to_string(),
        made: Ago::new(account.created_at, visit.now),
        is_enabled: account.is_enabled(),
        totp: desk.confirmed_totp(&account.owner, account.id).await?.is_some(),
        recovery_codes: desk.ports().factors.recovery_codes_left(&account.owner, account.id).await?,
        logins: LoginRows::new(sessions, None, visit),
        sockets: SocketRows::new(sockets, Shown::OfAccount, visit),
        is_own: is_own(&keeper, &account),
        may_act: !is_own(&keeper, &account) && keeper.outranks(account.role),
        done: visit.word("done").and_then(done),
        role: account.role.as_str(),
        username: account.username,
    };
    page(StatusCode::OK, &account_page)
}

async fn end(State(desk): State<Arc<Desk>>, keeper: Keeper, named: Named) -> Result<Response, Sorry> {
    let account = in_hand(&desk, &keeper, named).await?;
    end_all(&desk, &keeper, &account, Why::Revoked, None, Happening::SessionsEnded).await?;
    Ok(back(&account, "end"))
}

async fn disable(State(desk): State<Arc<Desk>>, keeper: Keeper, named: Named) -> Result<Response, Sorry> {
    let account = in_hand(&desk, &keeper, named).await?;
    let change = Some(Change::Disable(account.id));
    end_all(&desk, &keeper, &account, Why::Disabled, change, Happening::Disabled).await?;
    Ok(back(&account, "disable"))
}

async fn enable(State(desk): State<Arc<Desk>>, keeper: Keeper, named: Named) -> Result<Response, Sorry> {
    let account = in_hand(&desk, &keeper, named).await?;
    desk.ports().accounts.enable(&account.owner, account.id).await?;
    desk.done(keeper.event_of(&account, Happening::Enabled));
    Ok(back(&account, "enable"))
}

async fn unlock(State(desk): State<Arc<Desk>>, keeper: Keeper, named: Named) -> Result<Response, Sorry> {
    let account = in_hand(&desk, &keeper, named).await?;
    let (by_name, by_number) = (tries_of_name(&account.unique), tries_of_account(account.id));
    let locked = [(Checks::PASSWORD, by_name), (Checks::TOTP, by_number), (Checks::RECOVERY, by_number)];
    for (factor, subject) in locked {
        desk.ports().throttle.forgive(&account.owner, factor, subject).await?;
    }
    desk.done(keeper.event_of(&account, Happening::Unlocked));
    Ok(back(&account, "unlock"))
}

async fn begin_totp(State(desk): State<Arc<Desk>>, keeper: Keeper, named: Named) -> Result<Response, Sorry> {
    let account = in_hand(&desk, &keeper, named).await?;
    let visit = &keeper.0.visit;
    enrolment(&account).begin(&desk, Frame::of(&desk, visit), visit.now).await
}

async fn confirm_totp(State(desk): State<Arc<Desk>>, keeper: Keeper, named: Named) -> Result<Response, Sorry> {
    let account = in_hand(&desk, &keeper, named).await?;
    let visit = &keeper.0.visit;
    let (code, enrolled) = (visit.form()?.secret("code"), keeper.event_of(&account, Happening::TotpEnrolled));
    enrolment(&account).confirm(&desk, Frame::of(&desk, visit), &code, visit.now, enrolled).await
}

async fn remove_totp(State(desk): State<Arc<Desk>>, keeper: Keeper, named: Named) -> Result<Response, Sorry> {
    let account = in_hand(&desk, &keeper, named).await?;
    let change = Some(Change::RemoveTotp(account.id));
    end_all(&desk, &keeper, &account, Why::CredentialChanged, change, Happening::TotpRemoved).await?;
    Ok(back(&account, "totp"))
}

fn enrolment(account: &Account) -> Enrolment<'_> {
    let page = address(&account.owner, account.id);
    Enrolment {
        owner: &account.owner,
        account: account.id,
        username: &account.username,
        is_others: true,
        address: format!("{page}/totp"),
        back: page,
    }
}

pub(super) async fn end_all(
    desk: &Desk,
    keeper: &Keeper,
    account: &Account,
    why: Why,
    change: Option<Change>,
    what: Happening,
) -> Result<(), Sorry> {
    let ending = Ending {
        owner: Some(account.owner.clone()),
        what: What::Rest(account.subject().rest()),
        why,
        change,
        at: keeper.0.visit.now,
    };
    desk.ports().revocations.end(ending).await?;
    desk.done(keeper.event_of(account, what));
    Ok(())
}

fn back(account: &Account, done: &str) -> Response {
    go(&format!("{}?done={done}", address(&account.owner, account.id)))
}

fn done(word: &str) -> Option<&'static str> {
    Some(match word {
        "end" => "Every login of this account has ended, and its live sockets with them.",
        "disable" => "This account lets nobody in any more, and its logins have ended.",
        "enable" => "This account lets its holder in again.",
        "unlock" => "What was tried wrong is forgotten. The next try counts as the first.",
        "totp" => "The authenticator app is off, and every login has ended. The password alone logs this account in.",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_of_any_name_has_an_address() {
        assert_eq!(address(&OwnerId::new("acme"), AccountId(7)), "/console/accounts/acme/7");
        assert_eq!(address(&OwnerId::new("a/ü?"), AccountId(7)), "/console/accounts/a%2F%C3%BC%3F/7");
    }
}
