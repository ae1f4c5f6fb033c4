use std::time::Duration;

use axum::response::{IntoResponse, Response};
use doorward_auth::{
    account::{HashingError, NotRight},
    ports::PortError,
};
use doorward_types::Reconnect;
use http::{HeaderValue, StatusCode, header::LOCATION};

/// Why a request gets no page of its own. The [`Site`](crate::Site) says it in the form that was asked for: a page, or JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sorry {
    /// There is no such page, or nothing under that name for this visitor.
    NotFound,
    /// Nobody is logged in; where to go afterwards.
    LogInFirst(Option<String>),
    /// The page is for others.
    NotYours,
    /// Another site may have sent the form.
    Foreign(String),
    /// What was sent cannot be read; why.
    Malformed(String),
    /// What was sent is longer than anything that is asked for here.
    TooLarge,
    /// What was sent did not come to an end.
    TooSlow,
    /// Too much to do at this moment.
    Busy,
    /// The store or another part is down; the log knows which.
    Down,
}

impl Sorry {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::LogInFirst(_) => StatusCode::SEE_OTHER,
            Self::NotYours | Self::Foreign(_) => StatusCode::FORBIDDEN,
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Busy | Self::Down => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// What a page says: a heading and a sentence.
    pub(crate) fn words(&self) -> (&'static str, String) {
        match self {
            Self::NotFound => ("There is nothing here", "The page has gone, or never was. Check the address.".into()),
            Self::LogInFirst(_) => ("Log in first", "This page is for somebody who is logged in.".into()),
            Self::NotYours => (
                "This page is not yours",
                "The console is for the owners of this site. Ask one of them if you need something from it.".into(),
            ),
            Self::Foreign(why) => ("Not sent from here", why.clone()),
            Self::Malformed(why) => ("That could not be read", format!("The browser sent something unusual: {why}.")),
            Self::TooLarge => ("That is too long", "A form here takes 64 KiB at most. Shorten what you sent.".into()),
            Self::TooSlow => ("That took too long", "The form did not arrive in time. Send it again.".into()),
            Self::Busy => ("Too many people at the door", "Try again in a few seconds; nothing is lost.".into()),
            Self::Down => (
                "Something is out of order",
                "The site cannot reach its store just now. What was begun may still have been done: look in a minute."
                    .into(),
            ),
        }
    }

    /// What a program is told: a word (RFC 6749, section 5.2, where it has one) and a sentence.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::LogInFirst(_) => "login_required",
            Self::NotYours | Self::Foreign(_) => "access_denied",
            Self::Malformed(_) | Self::TooLarge | Self::TooSlow => "invalid_request",
            Self::Busy | Self::Down => "temporarily_unavailable",
        }
    }

    /// After how long somebody may come again where the server has too much to do.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        matches!(self, Self::Busy | Self::Down).then_some(Reconnect::Later.after())
    }
}

impl From<PortError> for Sorry {
    fn from(error: PortError) -> Self {
        tracing::error!(%error, "a page could not be made");
        Self::Down
    }
}

impl From<HashingError> for Sorry {
    fn from(error: HashingError) -> Self {
        match error {
            HashingError::Busy => Self::Busy,
            HashingError::Unusable(error) => {
                tracing::error!(%error, "a password could not be hashed");
                Self::Down
            }
        }
    }
}

impl From<NotRight> for Sorry {
    /// Of a check that could not be made. (Why one was not passed is said where it is known what was asked.)
    fn from(not_right: NotRight) -> Self {
        match not_right {
            NotRight::Busy(error) => error.into(),
            NotRight::Down(error) => error.into(),
            error => {
                tracing::error!(%error, "a check could not be made");
                Self::Down
            }
        }
    }
}

impl IntoResponse for Sorry {
    /// A response without words: the site finds the reason in it, and says it.
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        let headers = response.headers_mut();
        if let Self::LogInFirst(next) = &self {
            let next = next.as_deref().filter(|next| *next != "/account").map(|next| format!("?next={next}"));
            let address = format!("/login{}", next.unwrap_or_default());
            headers.insert(LOCATION, HeaderValue::from_str(&address).unwrap_or(HeaderValue::from_static("/login")));
        }
        response.extensions_mut().insert(self);
        response
    }
}
