use std::{fmt, sync::Arc};

use axum::extract::FromRequestParts;
use bytes::Bytes;
use doorward_auth::{
    account::Trier,
    ports::{Account, PortError, Role, Session},
};
use doorward_types::{OwnerId, SessionId, Subject, Timestamp};
use http::{HeaderMap, Method, header::USER_AGENT, request::Parts};

use crate::{By, Event, Happening, PeerInfo, cookies::Shown, desk::Desk, form::Form, sorry::Sorry};

/// How much of what a browser calls itself is kept.
const LONGEST_AGENT: usize = 256;

/// One request, and who sends it.
#[derive(Clone)]
pub(crate) struct Visit {
    /// Whose site this is.
    pub(crate) owner: OwnerId,
    pub(crate) peer: PeerInfo,
    pub(crate) now: Timestamp,
    pub(crate) shown: Shown,
    /// The login, where there is one.
    pub(crate) session: Option<Session>,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Visit {
    /// Whoever sends this request. The login counts as used by it, which is noted now and then.
    pub(crate) async fn of(desk: &Desk, parts: &Parts, peer: PeerInfo, body: Bytes) -> Result<Self, PortError> {
        let now = desk.now();
        let owner = desk.parts.gates.owner_of(peer.host_name());
        let shown = desk.cookies.read(&parts.headers);
        let session = match shown.session {
            Some(hash) => desk.ports().sessions.find(&owner, hash, now).await?,
            None => None,
        };
        // A page that fetches its lists again is open, not used: it must not keep a login alive for ever.
        let is_used = !parts.uri.path().ends_with("/live");
        if let Some(session) = &session
            && is_used
            && session.is_use_noted(now)
        {
            desk.ports().sessions.seen(vec![(session.sid, now)]).await?;
        }
        Ok(Self {
            owner,
            peer,
            now,
            shown,
            session,
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: parts.headers.clone(),
            body,
        })
    }

    /// Whoever sends it, as tries of a secret are counted.
    pub(crate) fn trier(&self) -> Trier {
        Trier { owner: self.owner.clone(), source: self.peer.source, browser: self.shown.browser }
    }

    /// Something of an account's, which this request brings about.
    pub(crate) fn event(&self, whose: Option<Subject>, by: By, what: Happening) -> Event {
        Event { owner: Some(self.owner.clone()), whose, source: Some(self.peer.source), by, what }
    }

    /// What was sent as a form.
    pub(crate) fn form(&self) -> Result<Form, Sorry> {
        Form::read(&self.headers, &self.body).map_err(|why| Sorry::Malformed(why.to_string()))
    }

    /// What stands in a field of the form that was sent; nothing where none was.
    pub(crate) fn typed(&self, field: &str) -> String {
        self.form().map(|form| form.text(field).to_owned()).unwrap_or_default()
    }

    /// What the browser or program calls itself.
    pub(crate) fn agent(&self) -> String {
        let agent = self.headers.get(USER_AGENT).map(|agent| String::from_utf8_lossy(agent.as_bytes()));
        let printable = agent.iter().flat_map(|agent| agent.chars()).filter(|c| !c.is_control());
        printable.take(LONGEST_AGENT).collect()
    }

    /// Whether a part of a page is asked for, to be put into the page that is there.
    pub(crate) fn wants_part(&self) -> bool {
        self.headers.contains_key("hx-request")
    }

    /// A word of the query, where it is a simple one.
    pub(crate) fn word(&self, name: &str) -> Option<&str> {
        let pairs = self.query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.into_iter().find(|(found, _)| *found == name).map(|(_, value)| value)
    }
}

/// Without headers and body: there are cookies, tokens and passwords in them.
impl fmt::Debug for Visit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { owner, peer, now, path, session, .. } = self;
        let sid = session.as_ref().map(|session| session.sid);
        let mut shown = f.debug_struct("Visit");
        shown.field("owner", owner).field("peer", peer).field("now", now).field("path", path).field("sid", &sid);
        shown.finish_non_exhaustive()
    }
}

impl FromRequestParts<Arc<Desk>> for Visit {
    type Rejection = Sorry;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Desk>) -> Result<Self, Sorry> {
        parts.extensions.get::<Self>().cloned().ok_or(Sorry::NotFound)
    }
}

/// Somebody who is logged in.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) visit: Visit,
    pub(crate) session: Session,
}

impl Member {
    pub(crate) fn sid(&self) -> SessionId {
        self.session.sid
    }

    /// Something that they have brought about for themselves.
    pub(crate) fn event(&self, what: Happening) -> Event {
        self.visit.event(Some(self.session.subject()), By::Holder, what)
    }
}

impl FromRequestParts<Arc<Desk>> for Member {
    type Rejection = Sorry;

    async fn from_request_parts(parts: &mut Parts, desk: &Arc<Desk>) -> Result<Self, Sorry> {
        let visit = Visit::from_request_parts(parts, desk).await?;
        match visit.session.clone() {
            Some(session) => Ok(Self { visit, session }),
            // Where it was a form, its address has no page to come back to.
            None if parts.method == Method::GET => Err(Sorry::LogInFirst(Some(visit.path))),
            None => Err(Sorry::LogInFirst(None)),
        }
    }
}

/// Somebody who may see the console: of one owner, or of all.
#[derive(Clone, Debug)]
pub(crate) struct Keeper(pub(crate) Member);

impl Keeper {
    /// Whose things are shown: those of the one owner, or everybody's for `None`.
    pub(crate) fn scope(&self) -> Option<&OwnerId> {
        (self.0.session.role != Role::Operator).then_some(&self.0.session.owner)
    }

    /// Whether the things of that owner are shown.
    pub(crate) fn sees(&self, owner: &OwnerId) -> bool {
        self.scope().is_none_or(|scope| scope == owner)
    }

    /// Something that they have brought about for another account.
    pub(crate) fn event_of(&self, account: &Account, what: Happening) -> Event {
        Event::of(account, By::Account(self.0.session.subject()), what).from(self.0.visit.peer.source)
    }

    /// Whether an account of that role may be acted on: nobody reaches above themselves.
    pub(crate) fn outranks(&self, role: Role) -> bool {
        self.0.session.role >= role
    }
}

impl FromRequestParts<Arc<Desk>> for Keeper {
    type Rejection = Sorry;

    async fn from_request_parts(parts: &mut Parts, desk: &Arc<Desk>) -> Result<Self, Sorry> {
        let member = Member::from_request_parts(parts, desk).await?;
        if member.session.role >= Role::Owner { Ok(Self(member)) } else { Err(Sorry::NotYours) }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use http::header::{AUTHORIZATION, COOKIE};

    use super::*;

    #[test]
    fn no_secret_of_a_request_is_printed() {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, "__Host-doorward-session=dws_s3cret".parse().unwrap());
        headers.insert(AUTHORIZATION, "Bearer s3cret".parse().unwrap());
        let visit = Visit {
            owner: OwnerId::new("acme"),
            peer: PeerInfo { source: IpAddr::from([192, 0, 2, 7]), secure: true, host: "shop.example".into() },
            now: Timestamp::from_secs(1),
            shown: Shown { session: Some([0xAB; 32]), ..Shown::default() },
            session: None,
            path: "/login".into(),
            query: "invitation=s3cret".into(),
            headers,
            body: Bytes::from_static(b"username=bob&password=s3cret"),
        };
        assert_eq!(
            format!("{visit:?}"),
            "Visit { owner: OwnerId(\"acme\"), peer: PeerInfo { source: 192.0.2.7, secure: true, host: \"shop.example\" }, \
             now: Timestamp(1000), path: \"/login\", sid: None, .. }"
        );
    }
}
