//! The log of a run, sorted by what it is about; and by when a node must have carried out an ending.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use doorward_auth::ports::{LogEntry, What};
use doorward_types::{Cursor, Rest, SessionId, SocketId, Timestamp};

use super::{Actor, Connection, Event, Run, link::ONE_WAY, measure::Path};

/// What is published: an ending is carried out on its own node within this.
pub(super) const ON_THE_NODE: Duration = Duration::from_secs(1);

/// What is published: and on other nodes, where the signal reaches them.
pub(super) const BY_SIGNAL: Duration = Duration::from_secs(2);

/// A monotonic time is counted in milliseconds.
const ROUNDING: Duration = Duration::from_millis(2);

/// What the log says.
pub(super) struct Facts<'r> {
    pub(super) run: &'r Run,
    pub(super) commits: Vec<Commit<'r>>,
    pub(super) logins: HashMap<SessionId, Login>,
    pub(super) connections: BTreeMap<Connection, Stay<'r>>,
    pub(super) until: Duration,
    /// A clock that is wrong may keep somebody out for nothing.
    pub(super) a_clock_was_set: bool,
    not_well: Vec<(usize, Span)>,
    signals: Vec<(usize, Duration)>,
    /// By login: which of the commits name it.
    names: HashMap<SessionId, Vec<usize>>,
}

/// An entry of the revocation log, and what came of asking for it.
pub(super) struct Commit<'r> {
    pub(super) at: Duration,
    pub(super) entry: &'r LogEntry,
    pub(super) returned: Option<Returned<'r>>,
}

/// An ending that was answered.
pub(super) struct Returned<'r> {
    pub(super) at: Duration,
    pub(super) node: usize,
    pub(super) ended: &'r [SocketId],
    pub(super) carried_out: bool,
}

/// A login, as far as the store has it.
pub(super) struct Login {
    pub(super) client: usize,
    pub(super) user: usize,
    created_at: Timestamp,
    cursor: Cursor,
}

/// A connection that was let in.
pub(super) struct Stay<'r> {
    pub(super) node: usize,
    pub(super) socket: SocketId,
    pub(super) opened: Duration,
    /// Its gate lets it wait for its login.
    pub(super) waits: bool,
    pub(super) sid: SessionId,
    pub(super) events: Vec<(Duration, &'r Event)>,
}

struct Span {
    from: Duration,
    until: Duration,
    asleep: bool,
}

impl<'r> Facts<'r> {
    pub(super) fn of(run: &'r Run) -> Self {
        let mut facts = Self {
            run,
            commits: Vec::new(),
            logins: HashMap::new(),
            connections: BTreeMap::new(),
            until: run.lines.last().map_or(Duration::ZERO, |line| line.at),
            a_clock_was_set: false,
            not_well: Vec::new(),
            signals: Vec::new(),
            names: HashMap::new(),
        };
        facts.read();
        facts.pair();
        facts.index();
        facts
    }

    fn read(&mut self) {
        for line in &self.run.lines {
            match (line.actor, &line.event) {
                (Actor::Store, Event::Committed(entry)) => {
                    if let What::LoggedIn { sid, .. } = &entry.what
                        && let Some(login) = self.logins.get_mut(sid)
                    {
                        login.cursor = entry.cursor;
                    }
                    self.commits.push(Commit { at: line.at, entry, returned: None });
                }
                (_, Event::LoggingIn { client, sid, created_at }) => {
                    let user = self.run.users.get(*client).copied().unwrap_or_default();
                    let login = Login { client: *client, user, created_at: *created_at, cursor: Cursor(u64::MAX) };
                    self.logins.insert(*sid, login);
                }
                (Actor::Node(node), Event::NotWell { until, asleep }) => {
                    self.not_well.push((node, Span { from: line.at, until: *until, asleep: *asleep }));
                }
                (_, Event::ClockSet(_)) => self.a_clock_was_set = true,
                (Actor::Node(node), Event::Signalled) => self.signals.push((node, line.at)),
                (Actor::Connection(connection), Event::Opened { node, socket, sid, waits }) => {
                    let (opened, events) = (line.at, Vec::new());
                    let (node, socket, sid, waits) = (*node, *socket, *sid, *waits);
                    let stay = Stay { node, socket, sid, waits, opened, events };
                    self.connections.insert(connection, stay);
                }
                (Actor::Connection(connection), event) => {
                    if let Some(stay) = self.connections.get_mut(&connection) {
                        stay.events.push((line.at, event));
                    }
                }
                _ => {}
            }
        }
    }

    /// Finds the entry of each ending that was answered.
    fn pair(&mut self) {
        let mut asked: HashMap<(usize, Timestamp), Vec<(&str, Duration)>> = HashMap::new();
        for line in &self.run.lines {
            match (line.actor, &line.event) {
                (Actor::Node(node), Event::Ending { at, what, .. }) => {
                    asked.entry((node, *at)).or_default().push((what, line.at));
                }
                (Actor::Node(node), Event::Returned { at, ended: Some(ended), carried_out }) => {
                    // Two that are called the same cannot be told apart.
                    let Some([(what, asked_at)]) = asked.get(&(node, *at)).map(Vec::as_slice) else { continue };
                    let entry = self.commits.iter_mut().find(|commit| {
                        commit.at >= *asked_at && commit.entry.at == *at && format!("{:?}", commit.entry.what) == **what
                    });
                    if let Some(entry) = entry {
                        let (at, carried_out) = (line.at, *carried_out);
                        entry.returned = Some(Returned { at, node, ended, carried_out });
                    }
                }
                _ => {}
            }
        }
    }

    fn index(&mut self) {
        let named = self.logins.keys().map(|sid| (*sid, self.name(*sid).collect::<Vec<_>>()));
        self.names = named.collect();
    }

    fn name(&self, sid: SessionId) -> impl Iterator<Item = usize> {
        /// What a clock that was ahead has issued ends by an entry of its own.
        const LAST: Timestamp = Timestamp::from_millis(u64::MAX);
        let login = self.logins.get(&sid);
        let subject = login.and_then(|login| self.run.subjects.get(login.user));
        let (rests, created_at) =
            ([Rest::on("sid", sid.to_string())], login.map_or_else(Timestamp::default, |login| login.created_at));
        let ends = move |(_, commit): &(usize, &Commit<'r>)| commit.entry.what.ends(subject, &rests, created_at, LAST);
        self.commits.iter().enumerate().filter(ends).map(|(at, _)| at)
    }

    /// The entries that mean the login by what they name, also those before it, oldest first.
    fn names(&self, sid: SessionId) -> impl Iterator<Item = &Commit<'r>> {
        self.names.get(&sid).into_iter().flatten().filter_map(|at| self.commits.get(*at))
    }

    /// What has ended the login, oldest first.
    pub(super) fn ends(&self, sid: SessionId) -> impl Iterator<Item = &Commit<'r>> {
        let began = self.logins.get(&sid).map_or(Cursor(u64::MAX), |login| login.cursor);
        self.names(sid).filter(move |commit| commit.entry.cursor > began)
    }

    /// Until when a node may let frames through on the strength of what has ended, and why so long.
    pub(super) fn bound(&self, commit: &Commit<'_>, node: usize) -> (Duration, Path) {
        let (at, shape) = (commit.at, &self.run.shape);
        if let Some(returned) = commit.returned.as_ref().filter(|it| it.node == node && it.carried_out)
            && self.is_well(node, at, at + ON_THE_NODE)
        {
            return (returned.at, Path::SameNode);
        }
        let by_signal = at + BY_SIGNAL;
        let is_signalled =
            self.signals.iter().any(|(to, signal)| *to == node && (at..at + BY_SIGNAL / 2).contains(signal));
        if is_signalled && self.is_well(node, at, by_signal) {
            return (by_signal, Path::Signalled);
        }
        let by_poll = at + shape.confirm_every + Duration::from_millis(ONE_WAY.1) * 5;
        if self.is_well(node, at, by_poll) {
            return (by_poll, Path::Polled);
        }
        let by_lease = at + shape.lasts + ROUNDING;
        let carried_out = commit.returned.as_ref().filter(|it| it.node == node && it.carried_out);
        (carried_out.map_or(by_lease, |returned| returned.at.min(by_lease)), Path::Alone)
    }

    /// Until when the connection must be closed, or reset.
    pub(super) fn closes_by(&self, commit: &Commit<'_>, node: usize, within: Duration) -> Duration {
        let (bound, path) = self.bound(commit, node);
        let bound = bound + within + if path == Path::Alone { self.run.shape.grace } else { Duration::ZERO };
        // Whoever sleeps closes nothing, and sends nothing.
        let naps = self.not_well.iter().filter(|(of, span)| *of == node && span.asleep && span.from <= bound);
        naps.map(|(_, span)| span.until + within).fold(bound, Duration::max)
    }

    /// Whether nothing kept the node from hearing what there is, in all that time.
    fn is_well(&self, node: usize, from: Duration, until: Duration) -> bool {
        let shape = &self.run.shape;
        let after = shape.answer_within + shape.confirm_every + Duration::from_millis(ONE_WAY.1) * 5;
        !self.not_well.iter().any(|(of, span)| *of == node && span.from <= until && from <= span.until + after)
    }
}
