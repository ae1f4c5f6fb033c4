//! How a login begins: its id and its secret are the server's, always new, and kept as a hash.

use axum::response::Response;
use doorward_auth::ports::{Account, NewSession, PortError, Session};
use doorward_types::{Cursor, KeyText, Secret, SessionId, Timestamp};

use crate::{
    By, Happening,
    cookies::{Cookie, hash},
    desk::Desk,
    page::with_cookies,
    sorry::Sorry,
    visit::Visit,
};

/// When somebody began to show who they are. What ends from then on ends the login that comes of it, and does not let it begin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Began {
    /// Where the revocation log stood, before the account was looked at.
    as_of: Cursor,
    at: Timestamp,
}

#[cfg(test)]
impl Began {
    pub(crate) fn at_the_beginning(at: Timestamp) -> Self {
        Self { as_of: Cursor::default(), at }
    }
}

/// A login that has begun.
pub(crate) struct Opened {
    pub(crate) session: Session,
    cookie: Secret,
    /// The browser's own cookie, where it has to be set.
    browser: Option<Secret>,
}

impl Opened {
    /// Tells the browser.
    pub(crate) fn tell(&self, desk: &Desk, response: Response) -> Response {
        let mut cookies = vec![(Cookie::Session, Some(&self.cookie)), (Cookie::Half, None)];
        cookies.extend(self.browser.as_ref().map(|browser| (Cookie::Browser, Some(browser))));
        with_cookies(response, desk, &cookies)
    }
}

impl Desk {
    /// Logs an account in, in the browser that sends this. A login that is there already ends in the same act. `None` where the
    /// account lets nobody in any more, or where what it rests on has ended since it `began`.
    pub(crate) async fn open(
        &self,
        visit: &Visit,
        account: &Account,
        factors: &[&str],
        began: Began,
    ) -> Result<Option<Opened>, Sorry> {
        let cookie = KeyText::Session.write(&self.rng().bytes32());
        let (browser, is_new) = match visit.shown.browser {
            Some(shown) if self.may_keep(account, shown).await? => (shown, None),
            _ => {
                let text = KeyText::Browser.write(&self.rng().bytes32());
                (hash(text.reveal("to hash it")), Some(text))
            }
        };
        let session = self.session(visit, account, factors, Some(browser), began.at);
        let new = NewSession {
            hash: Some(hash(cookie.reveal("to hash it"))),
            session: session.clone(),
            replaces: visit.session.as_ref().map(|session| session.sid),
            at_most: self.parts.config.sessions_per_account,
            as_of: began.as_of,
        };
        self.parts.journal.is_taking()?;
        let Some(opened) = self.ports().sessions.open(new).await? else { return Ok(None) };
        self.logged_in(visit, &session)?;
        Ok(Some(Opened { session: Session { opened, ..session }, cookie, browser: is_new }))
    }

    /// Logs an account in for a program, which has no cookie.
    pub(crate) async fn open_for_program(
        &self,
        visit: &Visit,
        account: &Account,
        factors: &[&str],
        began: Began,
    ) -> Result<Option<Session>, Sorry> {
        let session = self.session(visit, account, factors, None, began.at);
        let at_most = self.parts.config.sessions_per_account;
        let new = NewSession { hash: None, session: session.clone(), replaces: None, at_most, as_of: began.as_of };
        self.parts.journal.is_taking()?;
        let Some(opened) = self.ports().sessions.open(new).await? else { return Ok(None) };
        self.logged_in(visit, &session)?;
        Ok(Some(Session { opened, ..session }))
    }

    /// Whoever has logged in is told so when it is written down, and not before.
    fn logged_in(&self, visit: &Visit, session: &Session) -> Result<(), PortError> {
        let (sid, factors) = (session.sid, session.factors.clone());
        self.given(visit.event(Some(session.subject()), By::Holder, Happening::LoggedIn { sid, factors }))
    }

    /// Somebody begins to show who they are. The store is asked where the log stands: a signal that says too much would have a login
    /// begin that an ending has overtaken.
    pub(crate) async fn begin(&self, visit: &Visit) -> Result<Began, Sorry> {
        Ok(Began { as_of: self.ports().revocations.newest().await?, at: visit.now })
    }

    /// Whether the browser goes on under the cookie that it shows. Where other hosts can set cookies here, one of them may have
    /// given the browser cookies of somebody else's, also of a whole login: only a browser in which this very account has logged in
    /// before is taken for itself.
    async fn may_keep(&self, account: &Account, shown: [u8; 32]) -> Result<bool, Sorry> {
        if !self.cookies.are_shared() {
            return Ok(true);
        }
        Ok(self.ports().sessions.knows_browser(&account.owner, account.id, shown).await?)
    }

    fn session(
        &self,
        visit: &Visit,
        account: &Account,
        factors: &[&str],
        browser: Option<[u8; 32]>,
        began: Timestamp,
    ) -> Session {
        Session {
            owner: account.owner.clone(),
            sid: SessionId::from_bytes(self.rng().bytes16()),
            account: account.id,
            username: account.username.clone(),
            role: account.role,
            browser,
            factors: factors.iter().map(|factor| (*factor).to_owned()).collect(),
            source: visit.peer.source,
            agent: visit.agent(),
            created_at: began,
            last_seen: visit.now,
            idle: self.parts.config.session_idle,
            expires_at: began.plus(self.parts.config.session_longest),
            opened: Cursor::default(),
        }
    }
}
