//! Register: make an account, by an invitation or where the site is open to everybody.
//!
//! user -> site   get /register#dwi_...       the invitation stays in the browser: what is after the # is never sent
//! user -> site   post name, password, invitation
//! site           check name and password     sentences at their fields
//! site           count the try               by name and source
//! site           hash password
//! site           make account                uses the invitation up in the same act
//! site -> user   logged in, to /account
//!
//! A part of the path or the query would stand in every log on the way, in the history and in what proxies keep. What is after the #
//! stands in none of them; the page's script moves it into the form, and without the script the link can be pasted there as it is.

use std::sync::Arc;

use askama::Template;
use axum::{Router, extract::State, response::Response, routing::get};
use doorward_auth::{
    account::{NewPassword, Password, PasswordUse, Username},
    hash_of_invitation,
    ports::{Created, NewAccount, Role},
};
use doorward_types::Secret;
use http::StatusCode;

use crate::{
    By, Happening,
    credentials::{Held, Missed},
    desk::Desk,
    field::{Field, Problems},
    page::{Frame, go, page, retry_after},
    sorry::Sorry,
    visit::Visit,
};

use super::next::next_of;

#[derive(Template)]
#[template(path = "register.html")]
struct Register {
    frame: Frame,
    problems: Problems,
    is_open: bool,
    /// The page that they came for.
    next: Option<String>,
    username: Field,
    password: Field,
    invitation: Field,
}

/// What is wrong, by field.
#[derive(Default)]
struct Wrong {
    whole: Option<String>,
    username: Option<String>,
    password: Option<String>,
    invitation: Option<String>,
}

impl Wrong {
    fn is_nothing(&self) -> bool {
        self.whole.is_none() && self.username.is_none() && self.password.is_none() && self.invitation.is_none()
    }
}

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new().route("/register", get(ask).post(answer))
}

async fn ask(State(desk): State<Arc<Desk>>, visit: Visit) -> Result<Response, Sorry> {
    show(&desk, &visit, StatusCode::OK, "", Wrong::default())
}

async fn answer(State(desk): State<Arc<Desk>>, visit: Visit) -> Result<Response, Sorry> {
    let form = visit.form()?;
    let typed = form.text("username");
    let mut wrong = Wrong::default();

    let began = desk.begin(&visit).await?;
    let username =
        Username::parse(typed).map_err(|why| wrong.username = Some(format!("{}.", capital(&why.to_string())))).ok();
    let password = checked(&desk, &visit, username.as_ref(), &form.secret("new_password"), PasswordUse::Alone);
    let password = password.map_err(|why| wrong.password = Some(why)).ok();
    let invitation = invited(&desk, &form.secret("invitation"));
    let invitation = invitation.map_err(|why| wrong.invitation = Some(why)).ok().flatten();
    let (true, Some(username), Some(password)) = (wrong.is_nothing(), username, password) else {
        return show(&desk, &visit, StatusCode::UNPROCESSABLE_ENTITY, typed, wrong);
    };

    // First, so that whoever is told that too much is going on has not failed.
    let place = desk.parts.tools.hashing.place()?;
    let attempt = match desk.try_to_register(&visit).await? {
        Ok(attempt) => attempt,
        Err(Missed::Held(held)) => return too_many(&desk, &visit, typed, held),
        Err(Missed::Wrong | Missed::Unreadable) => return Err(Sorry::Down),
    };
    if let Some(invitation) = invitation
        && desk.ports().accounts.invitation(&visit.owner, invitation, visit.now).await?.is_none()
    {
        let wrong = Wrong { invitation: Some(NOT_INVITED.into()), ..Wrong::default() };
        return show(&desk, &visit, StatusCode::UNPROCESSABLE_ENTITY, typed, wrong);
    }
    if desk.ports().accounts.find_by_name(&visit.owner, username.unique()).await?.is_some() {
        return taken(&desk, &visit, typed, &username);
    }
    let password = place.hash(&password, desk.rng()).await?;
    let account = NewAccount {
        owner: visit.owner.clone(),
        username: username.shown().to_owned(),
        unique: username.unique().to_owned(),
        role: Role::User,
        password: password.into_secret(),
        invitation,
        at: visit.now,
    };
    match desk.ports().accounts.create(account).await? {
        Created::Account(account) => {
            desk.checks.registered(attempt).await?;
            let made = Happening::Registered { role: account.role, invited: invitation.is_some() };
            desk.done(visit.event(Some(account.subject()), By::Holder, made));
            match desk.open(&visit, &account, &["pwd"], began).await? {
                Some(opened) => {
                    Ok(opened.tell(&desk, go(next_of(form.text("next")).unwrap_or("/account?done=register"))))
                }
                None => Ok(go("/login")),
            }
        }
        Created::Taken => taken(&desk, &visit, typed, &username),
        Created::NotInvited => {
            let wrong = Wrong { invitation: Some(NOT_INVITED.into()), ..Wrong::default() };
            show(&desk, &visit, StatusCode::UNPROCESSABLE_ENTITY, typed, wrong)
        }
    }
}

const NOT_INVITED: &str = "This invitation is used up, expired, or was never given. Ask whoever sent it for a new one.";

fn taken(desk: &Desk, visit: &Visit, typed: &str, username: &Username) -> Result<Response, Sorry> {
    let why = format!("“{}” is taken. Choose another name, or log in if it is yours.", username.shown());
    let wrong = Wrong { username: Some(why), ..Wrong::default() };
    show(desk, visit, StatusCode::CONFLICT, typed, wrong)
}

fn too_many(desk: &Desk, visit: &Visit, typed: &str, held: Held) -> Result<Response, Sorry> {
    let wrong = Wrong { whole: Some(held.sentence()), ..Wrong::default() };
    Ok(retry_after(show(desk, visit, StatusCode::TOO_MANY_REQUESTS, typed, wrong)?, held.wait()))
}

/// A password that an account may have, or the sentence that helps.
pub(super) fn checked(
    desk: &Desk,
    visit: &Visit,
    username: Option<&Username>,
    typed: &Secret,
    used: PasswordUse,
) -> Result<NewPassword, String> {
    let sentence = |why: String| format!("{}.", capital(&why));
    let password = Password::read(typed).map_err(|why| sentence(why.to_string()))?;
    // Where the name is unusable too, the password is looked at all the same, so that all that is wrong is said at once.
    let nobody = Username::parse("nobody").map_err(|why| why.to_string())?;
    let rules = desk.parts.gates.rules_of(&visit.owner);
    rules.check(password, username.unwrap_or(&nobody), used).map_err(|why| sentence(why.to_string()))
}

/// The hash of an invitation, from its text or from the whole link; nothing where the site is open and nothing was given.
fn invited(desk: &Desk, typed: &Secret) -> Result<Option<[u8; 32]>, String> {
    match hash_of_link(typed, "invitation")? {
        None if !desk.parts.config.register => {
            Err("Accounts here are by invitation. Paste the link that you were sent.".to_owned())
        }
        hash => Ok(hash),
    }
}

/// The hash of what somebody was sent, from its text or from the whole link; nothing where nothing was given.
pub(super) fn hash_of_link(typed: &Secret, called: &str) -> Result<Option<[u8; 32]>, String> {
    let text = typed.reveal_text("to take the link around it off").unwrap_or_default().trim();
    let text = text.rsplit_once('#').map_or(text, |(_, text)| text);
    if text.is_empty() {
        return Ok(None);
    }
    let unread =
        |_| format!("This is no whole {called}. Paste the link that you were sent, from its beginning to its end.");
    hash_of_invitation(text).map(Some).map_err(unread)
}

fn show(desk: &Desk, visit: &Visit, status: StatusCode, typed: &str, wrong: Wrong) -> Result<Response, Sorry> {
    let username = Field::username().value(typed).error(wrong.username).first();
    let hint = "At least 15 characters. Four words that have nothing to do with each other are easy to keep.";
    let password = Field::new_password("Password").hint(hint).error(wrong.password);
    let hint = "The link that you were sent, or what is in it after the #.";
    // The page's script has taken it out of the address: what is not in the form is lost.
    let invitation = Field::invitation().value(visit.typed("invitation")).hint(hint).error(wrong.invitation);
    let problems = Problems::of(wrong.whole, &[&username, &password, &invitation]);
    let is_open = desk.parts.config.register;
    let named = next_of(visit.word("next").unwrap_or_default()).map(str::to_owned);
    let next = named.or_else(|| next_of(&visit.typed("next")).map(str::to_owned));
    let frame = Frame::of(desk, visit);
    page(status, &Register { frame, problems, is_open, next, username, password, invitation })
}

/// A sentence begins with a capital.
pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
