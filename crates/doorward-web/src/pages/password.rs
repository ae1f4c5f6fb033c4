//! Change the password.
//!
//! user -> site   post password, new password
//! site           count the try, compare hash
//! site           check new password
//! site           open the next login         in the place of this one
//! site           end all others              in one act with the new password
//! site -> user   logged in under the new id

use std::sync::Arc;

use askama::Template;
use axum::{Router, extract::State, response::Response, routing::get};
use doorward_auth::{
    account::{PasswordUse, Username},
    ports::{Change, Ending, What, Why},
};
use http::StatusCode;

use super::register::checked;
use crate::{
    Happening,
    credentials::Missed,
    desk::Desk,
    field::{Field, Problems},
    page::{Frame, go, page, retry_after},
    sorry::Sorry,
    visit::Member,
};

#[derive(Template)]
#[template(path = "password.html")]
struct PasswordPage {
    frame: Frame,
    problems: Problems,
    username: String,
    password: Field,
    new_password: Field,
}

#[derive(Default)]
struct Wrong {
    whole: Option<String>,
    password: Option<String>,
    new_password: Option<String>,
}

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new().route("/account/password", get(ask).post(answer))
}

async fn ask(State(desk): State<Arc<Desk>>, member: Member) -> Result<Response, Sorry> {
    let used = used(&desk, &member).await?;
    show(&desk, &member, StatusCode::OK, used, Wrong::default())
}

async fn answer(State(desk): State<Arc<Desk>>, member: Member) -> Result<Response, Sorry> {
    let (visit, session) = (&member.visit, &member.session);
    let form = visit.form()?;
    let began = desk.begin(visit).await?;
    let used = used(&desk, &member).await?;
    let wrong = |wrong| show(&desk, &member, StatusCode::UNPROCESSABLE_ENTITY, used, wrong);

    let username = Username::parse(&session.username).ok();
    let new = match checked(&desk, visit, username.as_ref(), &form.secret("new_password"), used) {
        Ok(new) => new,
        Err(why) => return wrong(Wrong { new_password: Some(why), ..Wrong::default() }),
    };
    let account = match desk.try_own_password(visit, &session.subject(), &form.secret("password")).await? {
        Ok(account) => account,
        Err(Missed::Wrong | Missed::Unreadable) => {
            let why = "This is not your present password.".to_owned();
            return wrong(Wrong { password: Some(why), ..Wrong::default() });
        }
        Err(Missed::Held(held)) => {
            let wrong = Wrong { whole: Some(held.sentence()), ..Wrong::default() };
            let response = show(&desk, &member, StatusCode::TOO_MANY_REQUESTS, used, wrong)?;
            return Ok(retry_after(response, held.wait()));
        }
    };
    let hashed = desk.parts.tools.hashing.hash(&new, desk.rng()).await?;

    let factors: Vec<_> = session.factors.iter().map(String::as_str).collect();
    let Some(opened) = desk.open(visit, &account, &factors, began).await? else { return Ok(go("/login")) };
    let ending = Ending {
        owner: Some(session.owner.clone()),
        what: What::Others { subject: session.subject(), keep: opened.session.sid },
        why: Why::CredentialChanged,
        change: Some(Change::Password(account.id, hashed.into_secret())),
        at: visit.now,
    };
    // The browser hears of its new login also where the rest fails: the old one is gone.
    let response = match desk.ports().revocations.end(ending).await {
        Ok(_) => {
            desk.done(member.event(Happening::PasswordChanged));
            go("/account?done=password")
        }
        Err(error) => axum::response::IntoResponse::into_response(Sorry::from(error)),
    };
    Ok(opened.tell(&desk, response))
}

/// Whether the password stands alone decides how long it has to be.
async fn used(desk: &Desk, member: &Member) -> Result<PasswordUse, Sorry> {
    let totp = desk.confirmed_totp(&member.session.owner, member.session.account).await?;
    Ok(if totp.is_some() { PasswordUse::WithSecondFactor } else { PasswordUse::Alone })
}

fn show(desk: &Desk, member: &Member, status: StatusCode, used: PasswordUse, wrong: Wrong) -> Result<Response, Sorry> {
    let hint = format!(
        "At least {} characters. Four words that have nothing to do with each other are easy to keep.",
        used.least()
    );
    let password = Field::password("Present password").error(wrong.password).first();
    let new_password = Field::new_password("New password").hint(hint).error(wrong.new_password);
    let problems = Problems::of(wrong.whole, &[&password, &new_password]);
    let username = member.session.username.clone();
    page(status, &PasswordPage { frame: Frame::of(desk, &member.visit), problems, username, password, new_password })
}
