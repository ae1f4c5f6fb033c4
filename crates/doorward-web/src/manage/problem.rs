use std::fmt::{Display, Write};

use bytes::Bytes;
use doorward_auth::Scope;
use doorward_types::Reconnect;
use http::{
    HeaderValue, Response, StatusCode,
    header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE},
};
use http_body_util::Full;
use serde_json::{Value, json};

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $status:ident, $name:literal, $title:literal;)*) => {
        /// What can be wrong with a request.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Kind { $($(#[$doc])* $variant,)* }

        impl Kind {
            const ALL: &[Self] = &[$(Self::$variant,)*];

            pub(super) const fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status,)* }
            }

            const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }
        }
    };
}

kinds! {
    /// A part of it cannot be read, or is not what it has to be.
    BadInput = BAD_REQUEST, "bad-input", "A part of the request is not what it has to be.";
    /// No key, or none that holds.
    NotAuthenticated = UNAUTHORIZED, "not-authenticated", "A key that holds is needed.";
    /// The key may not do that.
    NotAllowed = FORBIDDEN, "not-allowed", "The key may not do that.";
    /// It is not there, or not the key's owner's.
    NotFound = NOT_FOUND, "not-found", "There is no such thing here.";
    /// The address takes other methods.
    Method = METHOD_NOT_ALLOWED, "method", "The address takes another method.";
    /// The body did not come in time.
    TooSlow = REQUEST_TIMEOUT, "too-slow", "The body did not come in time.";
    /// Something else has that name.
    Taken = CONFLICT, "taken", "Something else has that name.";
    /// The body is too large.
    TooBig = PAYLOAD_TOO_LARGE, "too-big", "The body is too large.";
    /// The body is no JSON.
    NotJson = UNSUPPORTED_MEDIA_TYPE, "not-json", "The body has to be JSON.";
    /// A mistake of ours.
    Internal = INTERNAL_SERVER_ERROR, "internal", "Something went wrong here.";
    /// Something is down, or has no room.
    TryLater = SERVICE_UNAVAILABLE, "try-later", "It cannot be done just now.";
}

/// Why a request was not answered with what it asked for (RFC 9457).
#[derive(Debug)]
pub(super) struct Problem {
    kind: Kind,
    detail: String,
    /// The fields that are wrong, and what would be right.
    errors: Vec<(String, String)>,
    header: Option<(HeaderName, String)>,
}

impl Problem {
    pub(super) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), errors: Vec::new(), header: None }
    }

    /// A field that is not what it has to be.
    pub(super) fn of_field(field: &str, expected: impl Display) -> Self {
        Self::of_rule(field, format!("expected {expected}"))
    }

    /// A field that breaks a rule, and what would be right.
    pub(super) fn of_rule(field: &str, hint: impl Display) -> Self {
        let mut problem = Self::new(Kind::BadInput, format!("`{field}`: {hint}"));
        problem.errors.push((field.to_owned(), hint.to_string()));
        problem
    }

    pub(super) fn of_method(allowed: &str) -> Self {
        let mut problem = Self::new(Kind::Method, format!("the methods here are {allowed}"));
        problem.header = Some((ALLOW, allowed.to_owned()));
        problem
    }

    /// Nothing of that sort has that name for this caller.
    pub(super) fn not_found(what: &str) -> Self {
        Self::new(Kind::NotFound, format!("there is no such {what}"))
    }

    /// RFC 6750, section 3.1: where nothing was shown, nothing is said of it.
    pub(super) fn not_authenticated(shown: bool) -> Self {
        let (detail, challenge) = match shown {
            true => {
                ("the key or token is unknown, expired or revoked", r#"Bearer realm="doorward", error="invalid_token""#)
            }
            false => ("send `Authorization: Bearer dwa_...`", r#"Bearer realm="doorward""#),
        };
        let mut problem = Self::new(Kind::NotAuthenticated, detail);
        problem.header = Some((WWW_AUTHENTICATE, challenge.to_owned()));
        problem
    }

    /// The key has none of the scopes of which one is needed.
    pub(super) fn lacks(scopes: &[Scope]) -> Self {
        let words: Vec<_> = scopes.iter().map(|scope| scope.as_str()).collect();
        let detail = format!("this needs a key with the scope `{}`", words.join("` or `"));
        let mut problem = Self::new(Kind::NotAllowed, detail);
        let challenge = format!(r#"Bearer realm="doorward", error="insufficient_scope", scope="{}""#, words.join(" "));
        problem.header = Some((WWW_AUTHENTICATE, challenge));
        problem
    }

    fn document(&self) -> Value {
        let mut document = json!({
            "type": format!("/api/v1/problems#{}", self.kind.name()),
            "title": self.kind.title(),
            "status": self.kind.status().as_u16(),
            "detail": self.detail,
        });
        if !self.errors.is_empty() {
            let errors = self.errors.iter().map(|(field, hint)| json!({ "field": field, "hint": hint }));
            document["errors"] = errors.collect();
        }
        document
    }

    pub(super) fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::from(self.document().to_string()));
        *response.status_mut() = self.kind.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.kind == Kind::TryLater {
            headers.insert(RETRY_AFTER, HeaderValue::from(Reconnect::Later.after().as_secs()));
        }
        if let Some((name, value)) = self.header
            && let Ok(value) = HeaderValue::from_str(&value)
        {
            headers.insert(name, value);
        }
        response
    }
}

/// The page that the types of problems lead to.
pub(super) fn page() -> String {
    let mut page = "# Problems\n\nThe `type` of an error (RFC 9457) leads here.\n".to_owned();
    for kind in Kind::ALL {
        // Writing to a String cannot fail.
        let _ = write!(page, "\n## {}\n\n{}: {}\n", kind.name(), kind.status().as_u16(), kind.title());
    }
    page
}
