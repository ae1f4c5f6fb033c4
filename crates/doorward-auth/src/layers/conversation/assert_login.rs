//! Assert login: the socket waits until its user is logged in at the built-in site.
//!
//! socket              require login
//!
//! Where the login is still to come, the socket says so and waits for it:
//!
//! user   -> website   log in
//! socket              wait for login
//! socket              require login
//!
//! Meanwhile the user may have it look at any time:
//!
//! user   -> socket    ask for check
//! socket -> user      answer not yet
//! user   -> website   log in
//! socket              wait for login
//! socket              require login
//!
//! Whose login it has to be a layer above has proven, or, with `who = "browser"`, the browser's own cookie says: it has to be a
//! login in that browser. To name somebody and wait for their login gets nobody in.

use std::{sync::Arc, time::Duration};

use doorward_types::{AccountId, Cursor, OwnerId};
use serde::Deserialize;

use crate::{
    BoxFuture, Claimant, Conversation, Fault, Layer, Refusal, Woken,
    layers::{handshake::origin::Origins, site::proof_of},
    ports::{Bounded, Clock, Ports, Revocations, Session, Sessions, What},
    settings::Span,
};

const WAIT: &str = "socket waits for login";
const CHECK: &str = "user asks for check";
const NOT_YET: &str = "socket answers not yet";
const REQUIRE: &str = "socket requires login";

/// How often it is looked for the login where nothing tells of one.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// How many times a user may have it look.
const CHECKS: u32 = 20;
/// How many entries of the log are read at a time.
const PAGE: usize = 100;

/// Whose login is waited for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// Whoever a layer above has proven.
    #[default]
    Proven,
    /// Whoever is logged in, or logs in, in the browser that has opened the socket.
    Browser,
}

/// `{ assert_login = { ... } }`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AssertLoginConfig {
    /// Whose login: `proven` (default), by a layer above, or of whoever uses the `browser` that has opened the socket.
    pub who: Who,
    /// Whether the login has to be in the browser that has opened the socket, where one has.
    pub same_browser: bool,
    /// How long the login is waited for, at most `10m`.
    pub timeout: Span,
}

impl Default for AssertLoginConfig {
    fn default() -> Self {
        Self { who: Who::Proven, same_browser: true, timeout: Span::from_secs(300) }
    }
}

/// The longest that a socket may wait (NIST SP 800-63B, 3.1.3.2).
pub(crate) const LONGEST: Span = Span::from_secs(600);

/// The layer.
pub struct AssertLogin {
    who: Who,
    same_browser: bool,
    timeout: Duration,
    origins: Origins,
    sessions: Bounded<dyn Sessions>,
    revocations: Bounded<dyn Revocations>,
    /// Told of every entry of the log; a port's signal waits for nothing, and needs no bound.
    signal: Arc<dyn Revocations>,
    clock: Arc<dyn Clock>,
}

/// The login that is looked for.
enum Wanted {
    /// One of that account, in that browser where one is said.
    Of(AccountId, Option<[u8; 32]>),
    /// One in that browser, written into the log after that cursor.
    In([u8; 32], Cursor),
}

impl AssertLogin {
    /// Looks logins up at that site. Cookies count that pages of these origins bring.
    pub fn new(config: &AssertLoginConfig, origins: Origins, ports: &Ports) -> Self {
        Self {
            who: config.who,
            same_browser: config.same_browser,
            timeout: config.timeout.duration(),
            origins,
            sessions: ports.bounded("sessions", &ports.site.sessions),
            revocations: ports.bounded("revocations", &ports.site.revocations),
            signal: Arc::clone(&ports.site.revocations),
            clock: Arc::clone(&ports.clock),
        }
    }

    /// The login, where it is there; otherwise which one to wait for.
    async fn begin(&self, claimant: &Claimant) -> Result<Result<Session, Wanted>, Refusal> {
        let mut wanted = match self.who {
            Who::Proven => {
                let Some(account) = claimant.subject().and_then(AccountId::of) else {
                    return Err(Refusal::credential(REQUIRE, "whoever was proven before is no account of the site"));
                };
                Wanted::Of(account, claimant.came().browser.filter(|_| self.same_browser))
            }
            Who::Browser => {
                let came = claimant.came();
                self.origins.admit_cookies(came).map_err(|why| Refusal::new(Fault::NotAllowed, REQUIRE, why))?;
                let Some(browser) = came.browser else {
                    return Err(Refusal::credential(REQUIRE, "no browser that the site knows has opened the socket"));
                };
                // What is in the log before this is looked up by the cookie of the login.
                let cursor = *self.signal.appended().borrow();
                if let Some(session) = self.shown(claimant.owner(), came.session).await? {
                    return Ok(Ok(session));
                }
                Wanted::In(browser, cursor)
            }
        };
        Ok(self.look(claimant.owner(), &mut wanted).await?.ok_or(wanted))
    }

    /// The login whose cookie the browser has shown.
    async fn shown(&self, owner: &OwnerId, cookie: Option<[u8; 32]>) -> Result<Option<Session>, Refusal> {
        let Some(hash) = cookie else { return Ok(None) };
        let now = self.clock.now();
        let found = self.sessions.ask(REQUIRE, |sessions| sessions.find(owner, hash, now)).await?;
        Ok(found.filter(|session| session.is_live(now)))
    }

    async fn look(&self, owner: &OwnerId, wanted: &mut Wanted) -> Result<Option<Session>, Refusal> {
        let now = self.clock.now();
        match wanted {
            Wanted::Of(account, browser) => {
                let account = *account;
                let found = self.sessions.ask(REQUIRE, |sessions| sessions.of_account(owner, account, now)).await?;
                let fits = |session: &Session| browser.is_none() || session.browser == *browser;
                Ok(found.into_iter().find(|session| session.is_live(now) && fits(session)))
            }
            Wanted::In(browser, cursor) => loop {
                let after = *cursor;
                let page = self.revocations.ask(REQUIRE, |log| log.read_after(after, PAGE)).await?;
                let whole = page.entries.len() < PAGE;
                for entry in page.entries {
                    *cursor = entry.cursor;
                    let What::LoggedIn { sid, browser: Some(of), .. } = entry.what else { continue };
                    if of != *browser || entry.owner.as_ref() != Some(owner) {
                        continue;
                    }
                    let found = self.sessions.ask(REQUIRE, |sessions| sessions.find_by_id(owner, sid, now)).await?;
                    if let Some(session) = found.filter(|session| session.is_live(now)) {
                        return Ok(Some(session));
                    }
                }
                if whole {
                    return Ok(None);
                }
            },
        }
    }

    /// Waits until the login is there.
    async fn wait(
        &self,
        owner: &OwnerId,
        mut wanted: Wanted,
        conversation: &mut Conversation,
    ) -> Result<Session, Refusal> {
        let waiting = conversation.begin_to_wait(WAIT, vec![("for", "login".to_owned())], self.timeout);
        let mut appended = self.signal.appended();
        let (mut checks, mut asked) = (0, false);
        loop {
            // Before it is looked, or what is written meanwhile would be told of by nothing.
            appended.mark_unchanged();
            if let Some(session) = self.look(owner, &mut wanted).await? {
                conversation.has_waited(waiting);
                return Ok(session);
            }
            if std::mem::take(&mut asked) {
                conversation.tell(NOT_YET, vec![("checks", (CHECKS - checks).to_string())]);
            }
            let told = async {
                // A log that tells nothing any more is looked at from time to time all the same.
                if tokio::time::timeout(LOOK_EVERY, appended.changed()).await.is_ok_and(|told| told.is_err()) {
                    tokio::time::sleep(LOOK_EVERY).await;
                }
            };
            match conversation.listen(&waiting, CHECK, told).await? {
                Woken::BySignal => {}
                Woken::ByUser(answer) if !answer.has_exactly(&["check"]) => {
                    return conversation.hold(CHECK, Err(Refusal::new(Fault::Malformed, CHECK, "it is no `check`")));
                }
                Woken::ByUser(_) if checks == CHECKS => {
                    return conversation.hold(CHECK, Err(Refusal::new(Fault::TooFast, CHECK, "too many checks")));
                }
                Woken::ByUser(_) => (checks, asked) = (checks + 1, true),
            }
        }
    }
}

impl Layer for AssertLogin {
    fn name(&self) -> &'static str {
        "assert_login"
    }

    fn gives_identity(&self) -> bool {
        true
    }

    fn needs_identity(&self) -> bool {
        self.who == Who::Proven
    }

    fn verify<'a>(
        &'a self,
        conversation: &'a mut Conversation,
        claimant: &'a mut Claimant,
    ) -> BoxFuture<'a, Result<(), Refusal>> {
        Box::pin(async move {
            let session = match self.begin(claimant).await {
                Ok(Ok(session)) => Ok(session),
                Ok(Err(wanted)) => Ok(self.wait(claimant.owner(), wanted, conversation).await?),
                Err(refusal) => Err(refusal),
            };
            let proven = session.and_then(|session| claimant.prove(self.name(), self.clock.now(), proof_of(session)));
            conversation.hold(REQUIRE, proven)
        })
    }
}
