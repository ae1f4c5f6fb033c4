//! Reset: set another password by a link that an owner has handed out.
//!
//! owner -> user   link                       /reset#dwi_...: what is after the # is never sent
//! user -> site    get /reset
//! user -> site    post link, new password
//! site            look link up               one sentence for unknown, used, expired and disabled
//! site            check new password
//! site            use link up
//! site            set password               and end all logins in the same act
//! site -> user    to /login
//!
//! Nobody is logged in by a link: where the account has an authenticator app, its code is asked for all the same.

use std::sync::Arc;

use askama::Template;
use axum::{Router, extract::State, response::Response, routing::get};
use doorward_auth::{
    account::{Checks, PasswordUse, Username, tries_of_name},
    ports::{Account, Change, Ending, What, Why},
};
use doorward_types::Secret;
use http::StatusCode;

use super::register::{checked, hash_of_link};
use crate::{
    By, Happening,
    desk::Desk,
    field::{Field, Problems},
    page::{Frame, go, page},
    sorry::Sorry,
    visit::Visit,
};

const VOID: &str = "This link is used up, expired, or was never given. Ask whoever sent it for a new one.";

#[derive(Template)]
#[template(path = "reset.html")]
struct ResetPage {
    frame: Frame,
    problems: Problems,
    new_password: Field,
    link: Field,
}

#[derive(Default)]
struct Wrong {
    new_password: Option<String>,
    link: Option<String>,
}

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new().route("/reset", get(ask).post(answer))
}

async fn ask(State(desk): State<Arc<Desk>>, visit: Visit) -> Result<Response, Sorry> {
    show(&desk, &visit, StatusCode::OK, Wrong::default())
}

async fn answer(State(desk): State<Arc<Desk>>, visit: Visit) -> Result<Response, Sorry> {
    let form = visit.form()?;
    let wrong = |wrong| show(&desk, &visit, StatusCode::UNPROCESSABLE_ENTITY, wrong);
    let void = || wrong(Wrong { link: Some(VOID.to_owned()), ..Wrong::default() });

    let hash = match hash_of_link(&form.secret("invitation"), "link") {
        Ok(Some(hash)) => hash,
        Ok(None) => {
            let why = "Paste the link that you were sent.".to_owned();
            return wrong(Wrong { link: Some(why), ..Wrong::default() });
        }
        Err(why) => return wrong(Wrong { link: Some(why), ..Wrong::default() }),
    };
    let Some(account) = account_of(&desk, &visit, hash).await? else { return void() };
    let has_app = desk.confirmed_totp(&account.owner, account.id).await?.is_some();
    let used = if has_app { PasswordUse::WithSecondFactor } else { PasswordUse::Alone };
    let username = Username::parse(&account.username).ok();
    let new = match checked(&desk, &visit, username.as_ref(), &form.secret("new_password"), used) {
        Ok(new) => new,
        Err(why) => return wrong(Wrong { new_password: Some(why), ..Wrong::default() }),
    };
    let hashed = desk.parts.tools.hashing.hash(&new, desk.rng()).await?;
    if desk.ports().accounts.take_reset(&visit.owner, hash, visit.now).await?.is_none() {
        return void();
    }
    set(&desk, &visit, &account, hashed.into_secret()).await?;
    Ok(go("/login?done=reset"))
}

/// The account that the link is for, where both hold.
async fn account_of(desk: &Desk, visit: &Visit, hash: [u8; 32]) -> Result<Option<Account>, Sorry> {
    let accounts = &desk.ports().accounts;
    let Some(reset) = accounts.reset(&visit.owner, hash, visit.now).await? else { return Ok(None) };
    Ok(accounts.find(&reset.owner, reset.account).await?.filter(Account::is_enabled))
}

async fn set(desk: &Desk, visit: &Visit, account: &Account, hashed: Secret) -> Result<(), Sorry> {
    let ending = Ending {
        owner: Some(account.owner.clone()),
        what: What::Rest(account.subject().rest()),
        why: Why::CredentialChanged,
        change: Some(Change::Password(account.id, hashed)),
        at: visit.now,
    };
    desk.ports().revocations.end(ending).await?;
    desk.done(visit.event(Some(account.subject()), By::Holder, Happening::PasswordReset));
    // Whoever was locked out by wrong tries of the old one gets in by the new one.
    let tries = tries_of_name(&account.unique);
    desk.ports().throttle.forgive(&account.owner, Checks::PASSWORD, tries).await?;
    Ok(())
}

fn show(desk: &Desk, visit: &Visit, status: StatusCode, wrong: Wrong) -> Result<Response, Sorry> {
    let hint = "At least 15 characters (8 with an authenticator app). Four words that have nothing to do with each other are \
                easy to keep.";
    let new_password = Field::new_password("New password").hint(hint).error(wrong.new_password).first();
    let hint = "The link that you were sent, or what is in it after the #.";
    // The page's script has taken it out of the address: what is not in the form is lost.
    let link = Field::reset_link().value(visit.typed("invitation")).hint(hint).error(wrong.link);
    let problems = Problems::of(None, &[&new_password, &link]);
    page(status, &ResetPage { frame: Frame::of(desk, visit), problems, new_password, link })
}
