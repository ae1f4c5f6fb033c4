//! The built-in site: accounts, which the operator makes over the HTTP API, and the people who log in.
//!
//! load -> api    make an account     with a key that may do everything
//! user -> site   post name, password
//! site -> user   the cookie of a login

use super::exchange::{Answered, exchange, exchange_now};
use crate::{
    args::Load,
    error::{Error, Result},
    http::{self, Reply},
};
use serde_json::{Value, json};
use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

/// Everybody's: what is measured is the same for any. Letters and dashes, so that a form takes it as it is.
pub(crate) const PASSWORD: &str = "seven-quiet-lanterns-by-the-quay";

/// The cookie of a login.
const COOKIE: &str = "__Host-doorward-session=";

/// The HTTP API of the server under load.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    address: SocketAddr,
    key: String,
}

impl Api {
    /// The one that the command line names.
    pub(super) fn of(load: &Load) -> Result<Self> {
        let (Some(address), Some(file)) = (load.api, &load.api_key_file) else {
            return Err(Error::Usage("the HTTP API is asked here: name `--api` and `--api-key-file`".into()));
        };
        let key = String::from_utf8_lossy(&super::read(file)?).trim().to_owned();
        Ok(Self { address, key })
    }

    /// The one at that address, for who has that key.
    pub(crate) fn at(address: SocketAddr, key: String) -> Self {
        Self { address, key }
    }

    /// Where it is.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// A request to it, in bytes.
    pub(super) fn question(&self, path: &str, body: &Value) -> Vec<u8> {
        http::json(self.address, path, &self.key, body)
    }

    /// Lets an account log in no more.
    pub(crate) fn disable(&self, account: &str) -> Result<()> {
        self.post(&format!("/api/v1/accounts/{account}/disable"), &json!({}), 200).map(drop)
    }

    /// Makes an account; its id.
    pub(crate) fn account(&self, name: &str) -> Result<String> {
        let wanted = json!({ "owner": "default", "username": name, "password": PASSWORD });
        let made = self.post("/api/v1/accounts", &wanted, 201)?.answer;
        made["id"]
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| Error::Server(format!("made an account without an id: {made}")))
    }

    /// Ends the logins of an account; the receipt.
    pub(super) fn end(&self, account: &str) -> Result<Answered<Value>> {
        self.post(&format!("/api/v1/accounts/{account}/end"), &json!({}), 200)
    }

    fn post(&self, path: &str, body: &Value, status: u16) -> Result<Answered<Value>> {
        let request = self.question(path, body);
        let Answered { asked, heard, answer } = exchange_now(self.address, &request, Reply::whole)?;
        let answer = answer.expect(status)?.body;
        let answer = serde_json::from_slice(&answer).map_err(|_| Error::Server("answered what is no JSON".into()))?;
        Ok(Answered { asked, heard, answer })
    }
}

/// Logs somebody in, as a browser does: the cookie, as it is shown from then on.
pub(super) async fn log_in(from: Option<IpAddr>, target: SocketAddr, name: &str) -> Result<Answered<String>> {
    let Answered { asked, heard, answer } = try_to_log_in(from, target, name).await?;
    match answer {
        Tried::LoggedIn(answer) => Ok(Answered { asked, heard, answer }),
        Tried::Later(wait) => Err(Error::Server(format!("told somebody to log in {wait:?} later"))),
    }
}

/// What somebody hears who has the right password.
pub(super) enum Tried {
    /// The cookie, as it is shown from then on.
    LoggedIn(String),
    /// There are too many: after so long they may come again.
    Later(Duration),
}

/// The same where there may be too many who log in.
pub(super) async fn try_to_log_in(from: Option<IpAddr>, target: SocketAddr, name: &str) -> Result<Answered<Tried>> {
    let form = http::form(target, "/login", &[("username", name), ("password", PASSWORD)]);
    let Answered { asked, heard, answer } = exchange(from, target, &form, Reply::whole).await?;
    let answer = if let (503, Some(wait)) = (answer.status, answer.retry_after) {
        Tried::Later(wait)
    } else {
        let cookie = answer.expect(303)?.cookies.into_iter().find(|cookie| cookie.starts_with(COOKIE));
        Tried::LoggedIn(cookie.ok_or_else(|| Error::Server("logged somebody in without a cookie".into()))?)
    };
    Ok(Answered { asked, heard, answer })
}
