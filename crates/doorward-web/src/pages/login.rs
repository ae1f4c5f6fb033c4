//! Log in: a name and a password, and where the account has an authenticator app, a code on a second page.
//!
//! user -> site   get /login
//! user -> site   post name, password
//! site           count the try               by name, source, browser
//! site           compare hash                nobody's where there is no such account
//! site -> user   logged in                   without an authenticator app
//! site -> user   to /login/code              with one: kept here for five minutes, for this browser
//! user -> site   post code
//! site           count the try               apart from the password's
//! site           use the code up
//! site -> user   logged in

use std::sync::Arc;

use askama::Template;
use axum::{Router, extract::State, response::Response, routing::get};
use doorward_auth::ports::Account;
use doorward_types::KeyText;
use http::StatusCode;

use crate::{
    cookies::{Cookie, hash},
    credentials::Missed,
    desk::Desk,
    field::{Field, Problems},
    opening::Began,
    page::{Frame, go, page, retry_after, with_cookies},
    sorry::Sorry,
    visit::Visit,
};

use super::next::next_of;

/// The page of an account.
const ACCOUNT: &str = "/account";
/// Unknown and wrong alike.
const WRONG: &str = "The username or the password is wrong. Check both; capitals count in the password.";

#[derive(Template)]
#[template(path = "login.html")]
struct LogIn {
    frame: Frame,
    problems: Problems,
    may_register: bool,
    begin_again: bool,
    /// The browser shows the cookie of a login that is none any more.
    has_ended: bool,
    is_reset: bool,
    next: String,
    /// Whether that is another page than the one where everybody goes.
    elsewhere: bool,
    username: Field,
    password: Field,
}

#[derive(Template)]
#[template(path = "code.html")]
struct SecondFactor {
    frame: Frame,
    problems: Problems,
    username: String,
    code: Field,
}

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new().route("/login", get(ask).post(answer)).route("/login/code", get(ask_code).post(answer_code))
}

async fn ask(State(desk): State<Arc<Desk>>, visit: Visit) -> Result<Response, Sorry> {
    let next = next(visit.word("next").unwrap_or_default());
    if visit.session.is_some() {
        return Ok(go(next));
    }
    show(&desk, &visit, StatusCode::OK, "", next, None)
}

async fn answer(State(desk): State<Arc<Desk>>, visit: Visit) -> Result<Response, Sorry> {
    let form = visit.form()?;
    let (typed, next) = (form.text("username"), next(form.text("next")));
    let began = desk.begin(&visit).await?;
    match desk.try_password(&visit, typed, &form.secret("password")).await? {
        Err(Missed::Wrong | Missed::Unreadable) => {
            show(&desk, &visit, StatusCode::UNAUTHORIZED, typed, next, Some(WRONG.to_owned()))
        }
        Err(Missed::Held(held)) => {
            let response = show(&desk, &visit, StatusCode::TOO_MANY_REQUESTS, typed, next, Some(held.sentence()))?;
            Ok(retry_after(response, held.wait()))
        }
        Ok(account) => match desk.confirmed_totp(&account.owner, account.id).await? {
            None => open(&desk, &visit, &account, &["pwd"], next, began).await,
            Some(_) => keep_half(&desk, &visit, account, next, began),
        },
    }
}

/// The password was right, and a code is wanted: that is remembered here, for who shows the cookie.
fn keep_half(desk: &Desk, visit: &Visit, account: Account, next: &str, began: Began) -> Result<Response, Sorry> {
    let cookie = KeyText::Session.write(&desk.rng().bytes32());
    if !desk.halves.keep(hash(cookie.reveal("to hash it")), account, next.to_owned(), began, visit.now) {
        return Err(Sorry::Busy);
    }
    Ok(with_cookies(go("/login/code"), desk, &[(Cookie::Half, Some(&cookie))]))
}

async fn ask_code(State(desk): State<Arc<Desk>>, visit: Visit) -> Result<Response, Sorry> {
    match desk.halves.find(visit.shown.half, visit.now) {
        Some(half) => show_code(&desk, &visit, StatusCode::OK, &half.account, None),
        None => Ok(go("/login")),
    }
}

async fn answer_code(State(desk): State<Arc<Desk>>, visit: Visit) -> Result<Response, Sorry> {
    let form = visit.form()?;
    let Some(half) = desk.halves.find(visit.shown.half, visit.now) else { return Ok(begin_again(&desk)) };
    let account = &half.account;
    let wrong = match desk.try_code(&visit, account, &form.secret("code")).await? {
        Ok(second) => {
            // Whoever takes it out logs in, with what the account is now.
            let Some(half) = desk.halves.take(visit.shown.half, visit.now) else { return Ok(begin_again(&desk)) };
            return open(&desk, &visit, &half.account, &["pwd", second.method()], &half.next, half.began).await;
        }
        Err(Missed::Held(held)) => {
            let response = show_code(&desk, &visit, StatusCode::TOO_MANY_REQUESTS, account, Some(held.sentence()))?;
            return Ok(retry_after(response, held.wait()));
        }
        Err(Missed::Unreadable) => {
            let why = "A code of the app has six digits, and a recovery code has 24 letters and digits.";
            return show_code(&desk, &visit, StatusCode::UNPROCESSABLE_ENTITY, account, Some(why.into()));
        }
        Err(Missed::Wrong) => {
            "This code is wrong, or was used before. Wait for the next one, and see that the phone's clock is right."
        }
    };
    if desk.halves.was_wrong(visit.shown.half) {
        show_code(&desk, &visit, StatusCode::UNAUTHORIZED, account, Some(wrong.to_owned()))
    } else {
        Ok(begin_again(&desk))
    }
}

fn begin_again(desk: &Desk) -> Response {
    with_cookies(go("/login?again=1"), desk, &[(Cookie::Half, None)])
}

async fn open(
    desk: &Desk,
    visit: &Visit,
    account: &Account,
    factors: &[&str],
    next: &str,
    began: Began,
) -> Result<Response, Sorry> {
    match desk.open(visit, account, factors, began).await? {
        Some(opened) => Ok(opened.tell(desk, go(next))),
        None => show(desk, visit, StatusCode::UNAUTHORIZED, "", next, Some(WRONG.to_owned())),
    }
}

/// Where nothing is named: the account.
fn next(text: &str) -> &str {
    next_of(text).unwrap_or(ACCOUNT)
}

fn show(
    desk: &Desk,
    visit: &Visit,
    status: StatusCode,
    typed: &str,
    next: &str,
    wrong: Option<String>,
) -> Result<Response, Sorry> {
    let is_reset = visit.word("done") == Some("reset");
    let login = LogIn {
        frame: Frame::of(desk, visit),
        problems: Problems::of(wrong, &[]),
        may_register: desk.parts.config.register,
        begin_again: visit.word("again").is_some(),
        has_ended: status == StatusCode::OK && visit.shown.session.is_some() && !is_reset,
        is_reset,
        next: next.to_owned(),
        elsewhere: next != ACCOUNT,
        username: Field::username().value(typed).first(),
        password: Field::password("Password"),
    };
    page(status, &login)
}

fn show_code(
    desk: &Desk,
    visit: &Visit,
    status: StatusCode,
    account: &Account,
    wrong: Option<String>,
) -> Result<Response, Sorry> {
    let hint = "The six digits that your authenticator app shows, or one of your recovery codes.";
    let code = Field::code(true).hint(hint).error(wrong).first();
    let problems = Problems::of(None, &[&code]);
    page(status, &SecondFactor { frame: Frame::of(desk, visit), problems, username: account.username.clone(), code })
}
