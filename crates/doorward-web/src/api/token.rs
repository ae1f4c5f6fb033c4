//! Token: a program logs in, and gets an access token for ten minutes and a refresh token for the next one.
//!
//! program -> site   post /api/token   name, password, code
//! site              count the try, compare hash, use the code up       as the pages do
//! site              open a login      without a cookie
//! site -> program   access token, refresh token
//!
//! program -> site   post /api/token   grant_type=refresh_token
//! site              rotate            each is used once; one that comes again ends its login
//! site -> program   access token, refresh token
//!
//! A refresh token opens no socket. Both are void when the login ends. JSON and forms are taken (RFC 6749, section 4.3).

use std::{sync::Arc, time::Duration};

use axum::{Router, extract::State, response::Response, routing::post};
use doorward_auth::{
    account::SecondFactor,
    ports::{Account, Ending, Refresh, Rotated, Session, What, Why},
};
use doorward_types::{KeyText, Rest, Secret};
use http::{HeaderMap, StatusCode, header::CONTENT_TYPE};
use serde::{Deserialize, Serialize};

use super::{ApiError, json};
use crate::{
    AccessClaims, By, Happening,
    cookies::hash,
    credentials::{Held, Missed},
    desk::Desk,
    form::{Form, is_kind},
    page::retry_after,
    sorry::Sorry,
    visit::Visit,
};

/// How long an access token holds.
const ACCESS: Duration = Duration::from_secs(10 * 60);
/// How long a login can be refreshed, where the site's logins may last so long.
const REFRESH: Duration = Duration::from_secs(12 * 60 * 60);

/// What a program asks, as it came.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    grant_type: Option<String>,
    username: Option<String>,
    password: Option<String>,
    code: Option<String>,
    refresh_token: Option<String>,
}

/// What a program asks.
enum Asked {
    Password { username: String, password: Secret, code: Option<Secret> },
    Refresh(Secret),
}

#[derive(Serialize)]
struct Granted<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_in: u64,
    refresh_token: &'a str,
}

/// Why nothing is granted.
enum Refused {
    /// The words of RFC 6749, section 5.2.
    Error(StatusCode, &'static str, &'static str),
    Held(Held),
    Sorry(Sorry),
}

const WRONG: Refused =
    Refused::Error(StatusCode::BAD_REQUEST, "invalid_grant", "the username or the password is wrong");
const ENDED: Refused = Refused::Error(
    StatusCode::BAD_REQUEST,
    "invalid_grant",
    "the refresh token is unknown, used or expired, or its login has ended; log in again",
);

impl From<Sorry> for Refused {
    fn from(sorry: Sorry) -> Self {
        Self::Sorry(sorry)
    }
}

impl From<doorward_auth::ports::PortError> for Refused {
    fn from(error: doorward_auth::ports::PortError) -> Self {
        Self::Sorry(error.into())
    }
}

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new().route("/api/token", post(answer))
}

async fn answer(State(desk): State<Arc<Desk>>, visit: Visit) -> Result<Response, Sorry> {
    let granted = match Asked::read(&visit.headers, &visit.body) {
        Err(refused) => Err(refused),
        Ok(Asked::Password { username, password, code }) => log_in(&desk, &visit, &username, &password, code).await,
        Ok(Asked::Refresh(token)) => refresh(&desk, &visit, &token).await,
    };
    match granted {
        Ok(response) => Ok(response),
        Err(Refused::Error(status, error, error_description)) => Ok(ApiError { error, error_description }.with(status)),
        Err(Refused::Held(held)) => {
            let (sentence, status) = (held.sentence(), StatusCode::TOO_MANY_REQUESTS);
            let error = ApiError { error: "temporarily_unavailable", error_description: &sentence };
            Ok(retry_after(error.with(status), held.wait()))
        }
        Err(Refused::Sorry(sorry)) => Err(sorry),
    }
}

async fn log_in(
    desk: &Desk,
    visit: &Visit,
    username: &str,
    password: &Secret,
    code: Option<Secret>,
) -> Result<Response, Refused> {
    let began = desk.begin(visit).await?;
    let account = match desk.try_password(visit, username, password).await? {
        Ok(account) => account,
        Err(Missed::Held(held)) => return Err(Refused::Held(held)),
        Err(Missed::Wrong | Missed::Unreadable) => return Err(WRONG),
    };
    let factors: &[&str] = match desk.confirmed_totp(&account.owner, account.id).await? {
        None => &["pwd"],
        Some(_) => {
            let second = second_factor(desk, visit, &account, code).await?;
            &["pwd", second.method()]
        }
    };
    let session = desk.open_for_program(visit, &account, factors, began).await?.ok_or(WRONG)?;
    let refresh = KeyText::Refresh.write(&desk.rng().bytes32());
    let kept = Refresh {
        owner: session.owner.clone(),
        account: session.account,
        sid: session.sid,
        expires_at: visit.now.plus(REFRESH.min(desk.parts.config.session_longest)),
    };
    desk.ports().refreshes.issue(hash(refresh.reveal("to hash it")), kept).await?;
    grant(desk, visit, &session, &refresh)
}

async fn second_factor(
    desk: &Desk,
    visit: &Visit,
    account: &Account,
    code: Option<Secret>,
) -> Result<SecondFactor, Refused> {
    let Some(code) = code else {
        let why = "this account has an authenticator app: send its code as `code`";
        return Err(Refused::Error(StatusCode::BAD_REQUEST, "mfa_required", why));
    };
    match desk.try_code(visit, account, &code).await? {
        Ok(second) => Ok(second),
        Err(Missed::Held(held)) => Err(Refused::Held(held)),
        Err(Missed::Wrong | Missed::Unreadable) => {
            let why = "the code is wrong, or was used before";
            Err(Refused::Error(StatusCode::BAD_REQUEST, "invalid_grant", why))
        }
    }
}

async fn refresh(desk: &Desk, visit: &Visit, token: &Secret) -> Result<Response, Refused> {
    let text = token.reveal_text("to check its form").unwrap_or_default();
    if KeyText::Refresh.read(text).is_err() {
        return Err(ENDED);
    }
    let next = KeyText::Refresh.write(&desk.rng().bytes32());
    let (before, after) = (hash(text.as_bytes()), hash(next.reveal("to hash it")));
    match desk.ports().refreshes.rotate(&visit.owner, before, after, visit.now).await? {
        Rotated::Next(refresh) => {
            let session =
                desk.ports().sessions.find_by_id(&refresh.owner, refresh.sid, visit.now).await?.ok_or(ENDED)?;
            desk.ports().sessions.seen(vec![(session.sid, visit.now)]).await?;
            grant(desk, visit, &session, &next)
        }
        Rotated::Reused(refresh) => {
            // One of the two who have it is not who it was given to, and nobody can tell which.
            let ending = Ending {
                owner: Some(refresh.owner.clone()),
                what: What::Rest(Rest::on("sid", refresh.sid.to_string())),
                why: Why::Revoked,
                change: None,
                at: visit.now,
            };
            desk.ports().revocations.end(ending).await?;
            let account = desk.ports().accounts.find(&refresh.owner, refresh.account).await?;
            let whose = account.map(|account| account.subject());
            desk.done(visit.event(whose, By::Somebody, Happening::TokenReused(refresh.sid)));
            Err(ENDED)
        }
        Rotated::Unknown => Err(ENDED),
    }
}

fn grant(desk: &Desk, visit: &Visit, session: &Session, refresh: &Secret) -> Result<Response, Refused> {
    let expires_at = visit.now.plus(ACCESS).min(session.expires_at);
    let claims = AccessClaims {
        owner: session.owner.clone(),
        account: session.account,
        username: session.username.clone(),
        sid: session.sid,
        id: u128::from_be_bytes(desk.rng().bytes16()).to_string(),
        factors: session.factors.clone(),
        issued_at: visit.now,
        expires_at,
    };
    let access = desk.parts.signer.sign(&claims);
    desk.given(visit.event(Some(session.subject()), By::Holder, Happening::TokenMinted(session.sid)))?;
    let granted = Granted {
        access_token: access.reveal_text("handed to who logged in").unwrap_or_default(),
        token_type: "Bearer",
        expires_in: expires_at.since(visit.now).as_secs(),
        refresh_token: refresh.reveal_text("handed to who logged in").unwrap_or_default(),
    };
    Ok(json(&granted)?)
}

impl Asked {
    fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, Refused> {
        const UNREADABLE: Refused = Refused::Error(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            "send a JSON object with `username` and `password` (and `code`), or with `grant_type` and `refresh_token`, once each",
        );
        let is_json = headers.get(CONTENT_TYPE).is_some_and(|kind| is_kind(kind.as_bytes(), b"application/json"));
        let raw = if is_json {
            serde_json::from_slice(body).map_err(|_| UNREADABLE)?
        } else {
            Raw::of(&Form::read(headers, body).map_err(|_| UNREADABLE)?)
        };
        match raw {
            Raw { grant_type: Some(kind), refresh_token: Some(token), .. } if kind == "refresh_token" => {
                Ok(Self::Refresh(Secret::from_text(token)))
            }
            Raw { grant_type, username: Some(username), password: Some(password), code, .. }
                if grant_type.as_deref().is_none_or(|kind| kind == "password") =>
            {
                let code = code.filter(|code| !code.is_empty()).map(Secret::from_text);
                Ok(Self::Password { username, password: Secret::from_text(password), code })
            }
            Raw { grant_type: Some(kind), .. } if !["password", "refresh_token"].contains(&kind.as_str()) => {
                let why = "the grants here are `password` and `refresh_token`";
                Err(Refused::Error(StatusCode::BAD_REQUEST, "unsupported_grant_type", why))
            }
            _ => Err(UNREADABLE),
        }
    }
}

impl Raw {
    fn of(form: &Form) -> Self {
        let field = |name| Some(form.text(name).to_owned()).filter(|value| !value.is_empty());
        Self {
            grant_type: field("grant_type"),
            username: field("username"),
            password: field("password"),
            code: field("code"),
            refresh_token: field("refresh_token"),
        }
    }
}
