//! What must hold whatever goes wrong.
//!
//! * After an ending nothing of the application is accepted, or heard, for a socket that rests on it, once its bound is over;
//!   and the socket closes.
//! * At the end nothing lives that rests on what has ended, and the registries count what lives.
//! * A suspended socket is sent nothing until it goes on, by a login of the same user in the same browser.
//! * Nobody is ever sent what was for another user.
//! * What a receipt says has ended has had its Close frame when it is given, and nothing after it.
//! * Nobody is told that a login has ended which has not, though a node hears late of the end of all that its user had before;
//!   where nothing goes wrong nobody is closed or suspended otherwise, and all who hold the cookie of a live login are connected.

use std::{collections::HashSet, time::Duration};

use doorward_types::SessionId;

use super::{
    Connection, ENDS_WITHIN, Event, Notice, Run,
    facts::{Facts, Login, ON_THE_NODE, Stay},
    measure::Path,
};

pub(super) fn check(run: &Run) -> Vec<String> {
    let facts = Facts::of(run);
    let mut wrong = Vec::new();
    for (connection, stay) in &facts.connections {
        let mut watch = Watch {
            facts: &facts,
            connection: *connection,
            stay,
            sid: stay.sid,
            waits: false,
            is_by_another: false,
            wrong: &mut wrong,
        };
        watch.judge();
    }
    receipts(&facts, &mut wrong);
    the_end(&facts, &mut wrong);
    wrong.sort();
    wrong.dedup();
    wrong
}

/// One connection, looked at from its first event to its last.
struct Watch<'w, 'r> {
    facts: &'w Facts<'r>,
    connection: Connection,
    stay: &'w Stay<'r>,
    /// The login that it rests on, as far as that is known.
    sid: SessionId,
    /// It is suspended because its login has ended.
    waits: bool,
    /// It has gone on since, and no frame has told by which login.
    is_by_another: bool,
    wrong: &'w mut Vec<String>,
}

impl Watch<'_, '_> {
    fn judge(&mut self) {
        let (mut is_suspended, mut is_closed) = (false, false);
        for (at, event) in &self.stay.events {
            match event {
                Event::Frame { user, by, number } => {
                    (self.sid, self.is_by_another) = (*by, false);
                    if is_closed || is_suspended {
                        self.say(*at, &format!("frame {number} came after a Close frame, or while it was suspended"));
                    }
                    self.is_theirs(*at, *user);
                    self.is_in_time(*at, "was sent a frame");
                }
                Event::Heard => {
                    if is_closed {
                        self.say(*at, "was heard after the Close frame");
                    } else if !is_suspended && !self.is_by_another {
                        self.is_in_time(*at, "was heard");
                    }
                }
                Event::Notice(Notice::Resumed) => {
                    self.is_by_another |= self.waits;
                    (is_suspended, self.waits) = (false, false);
                }
                Event::Notice(Notice::LoggedOut) => {
                    (is_suspended, self.waits) = (true, true);
                    self.is_explained(*at, "was suspended");
                }
                Event::Notice(Notice::Unconfirmed) => {
                    // What waits for its login is not suspended for anything else, so it went on in between.
                    self.is_by_another |= self.waits;
                    (is_suspended, self.waits) = (true, false);
                    if self.facts.run.shape.is_healthy {
                        self.say(*at, "was suspended though nothing was wrong");
                    }
                }
                Event::Close { reason, .. } => {
                    is_closed = true;
                    match reason.as_str() {
                        "session_ended" | "expired" => self.is_explained(*at, "was closed"),
                        _ if self.facts.run.shape.is_healthy => self.say(*at, &format!("was closed: {reason}")),
                        _ => {}
                    }
                }
                Event::Fault(what) => self.say(*at, what),
                _ => {}
            }
        }
        if !self.is_by_another {
            self.is_closed_in_time();
        }
    }

    fn is_theirs(&mut self, at: Duration, user: usize) {
        let client = self.connection.client;
        let login = self.facts.logins.get(&self.sid);
        if self.facts.run.users.get(client) != Some(&user) {
            self.say(at, "was sent what was for another user");
        }
        if login.is_none_or(|login| login.client != client || login.user != user) {
            self.say(at, "goes on by a login of another user, or of another browser");
        }
    }

    fn is_in_time(&mut self, at: Duration, what: &str) {
        let node = self.stay.node;
        let late = self.facts.ends(self.sid).find_map(|commit| {
            let (bound, path) = self.facts.bound(commit, node);
            (at > bound).then(|| format!("{what} {:?} after entry {} ({path})", at - commit.at, commit.entry.cursor.0))
        });
        if let Some(late) = late {
            self.say(at, &late);
        }
    }

    /// What has ended closes its sockets, unless they wait for it to come back.
    fn is_closed_in_time(&mut self) {
        let over = self.stay.events.iter().find(|(_, event)| matches!(event, Event::Over | Event::Close { .. }));
        let over = over.map_or(Duration::MAX, |(at, _)| *at);
        let closes = self.facts.ends(self.sid).filter(|commit| !(self.stay.waits && commit.entry.why.may_return()));
        let late = closes.into_iter().find_map(|commit| {
            let by = self.facts.closes_by(commit, self.stay.node, ENDS_WITHIN);
            (by < over && by < self.facts.until).then(|| {
                let entry = commit.entry.cursor.0;
                format!("was not closed by {:.3} s, after entry {entry}", by.as_secs_f64())
            })
        });
        if let Some(late) = late {
            self.say(self.facts.until, &late);
        }
    }

    /// What it rests on has ended, however late its node hears of the end of something older. Of one that went on by a login that is
    /// not known it is enough that any of its browser has.
    fn is_explained(&mut self, at: Duration, what: &str) {
        let is_meant = |sid: SessionId, login: &Login| match self.is_by_another {
            true => login.client == self.connection.client,
            false => sid == self.sid,
        };
        let theirs = self.facts.logins.iter().filter(|(sid, login)| is_meant(**sid, login));
        if !self.facts.a_clock_was_set && !theirs.flat_map(|(sid, _)| self.facts.ends(*sid)).any(|end| end.at <= at) {
            self.say(at, &format!("{what} though what it rests on has not ended"));
        }
    }

    fn say(&mut self, at: Duration, what: &str) {
        self.wrong.push(format!("{:.3} s: {} at node {}: {what}", at.as_secs_f64(), self.connection, self.stay.node));
    }
}

fn receipts(facts: &Facts<'_>, wrong: &mut Vec<String>) {
    for commit in &facts.commits {
        let Some(returned) = &commit.returned else { continue };
        let (at, entry) = (returned.at, commit.entry.cursor.0);
        let ended: HashSet<_> = returned.ended.iter().collect();
        for (connection, stay) in facts.connections.iter().filter(|(_, stay)| ended.contains(&stay.socket)) {
            let is_over =
                |(when, event): &(Duration, &Event)| *when <= at && matches!(event, Event::Close { .. } | Event::Over);
            if !stay.events.iter().any(is_over) {
                wrong.push(format!(
                    "{:.3} s: the receipt of entry {entry} came before {connection} was closed",
                    at.as_secs_f64()
                ));
            }
        }
        // A peer that does not read is reset, which takes the bound of its ending.
        let (bound, path) = facts.bound(commit, returned.node);
        if path == Path::SameNode && bound > commit.at + ON_THE_NODE + ENDS_WITHIN {
            wrong.push(format!("{:.3} s: the receipt of entry {entry} came late", at.as_secs_f64()));
        }
    }
}

fn the_end(facts: &Facts<'_>, wrong: &mut Vec<String>) {
    let long_ago = facts.until.saturating_sub(Duration::from_secs(10));
    let has_ended = |sid: SessionId, before: Duration| facts.ends(sid).any(|commit| commit.at < before);
    let (mut active, mut present) = (HashSet::new(), HashSet::new());
    for line in &facts.run.lines {
        let Event::Final { counted, live, is_confirmed } = &line.event else { continue };
        if *counted != live.len() {
            wrong.push(format!("at the end {} counts {counted} sockets and has {}", line.actor, live.len()));
        }
        if !is_confirmed {
            wrong.push(format!("at the end {} does not know what has ended", line.actor));
        }
        for (connection, sid) in live {
            present.insert(connection.client);
            let Some(sid) = sid else { continue };
            active.insert(connection.client);
            if has_ended(*sid, long_ago) {
                wrong.push(format!("at the end {connection} lives at {} by {sid}, which has ended", line.actor));
            }
        }
    }
    if facts.a_clock_was_set {
        return;
    }
    let connected = if facts.run.shape.is_healthy { active } else { present };
    for line in &facts.run.lines {
        if let Event::Holds { client, sid } = &line.event
            && !has_ended(*sid, Duration::MAX)
            && !connected.contains(client)
        {
            wrong.push(format!("at the end client {client} is not connected, though {sid} holds"));
        }
    }
}
