//! What happened in a run, in order: what the checker judges, and what a failing seed prints.

use std::{fmt, sync::Mutex, time::Duration};

use doorward_auth::ports::{LogEntry, Why};
use doorward_types::{SessionId, SocketId, Timestamp};

use super::{lock, machine::Time};

/// A connection: the client's number, and the how manieth of that client it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Connection {
    /// Whose.
    pub client: usize,
    /// Which.
    pub number: usize,
}

/// Who did it, or to whom it happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Actor {
    /// The world: faults, and the end.
    World,
    /// The store.
    Store,
    /// A node.
    Node(usize),
    /// A connection, seen from the kernel of the node.
    Connection(Connection),
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A fault began, which ends by itself. The text says which.
    Fault(String),
    /// The node is down, asleep, or apart from the store until then; or an answer of the store was lost, late, or not whole.
    NotWell {
        /// Until when.
        until: Duration,
        /// Whether nothing of the node runs meanwhile.
        asleep: bool,
    },
    /// The wall clock of the node was set, by so many milliseconds.
    ClockSet(i64),
    /// The node has begun, or begun anew.
    Started,
    /// The node is gone, with everything in it.
    Crashed,
    /// The store has written an entry into the revocation log.
    Committed(LogEntry),
    /// A login was asked for.
    LoggingIn {
        /// Whose browser.
        client: usize,
        /// The login.
        sid: SessionId,
        /// When it began, by the clock of the node.
        created_at: Timestamp,
    },
    /// A signal has reached the node.
    Signalled,
    /// An ending was asked for.
    Ending {
        /// How the node calls it.
        at: Timestamp,
        /// Why.
        why: Why,
        /// What, in words.
        what: String,
    },
    /// An ending has returned.
    Returned {
        /// How the node called it.
        at: Timestamp,
        /// The sockets that ended; `None` where the store did not answer.
        ended: Option<Vec<SocketId>>,
        /// Whether the node has carried it out.
        carried_out: bool,
    },
    /// Somebody was let in.
    Opened {
        /// Where.
        node: usize,
        /// As which socket.
        socket: SocketId,
        /// By which login.
        sid: SessionId,
        /// Whether its gate lets it wait for its login.
        waits: bool,
    },
    /// Somebody was not let in.
    Refused {
        /// Where.
        node: usize,
        /// Why.
        why: String,
    },
    /// The kernel has accepted the first byte of a frame of the application.
    Frame {
        /// Which, of the publisher.
        number: u64,
        /// For which user it is.
        user: usize,
        /// The login that the socket rested on when it was sent.
        by: SessionId,
    },
    /// The kernel has accepted a notice of the gate.
    Notice(Notice),
    /// The kernel has accepted a Close frame.
    Close {
        /// The code.
        code: u16,
        /// The reason.
        reason: String,
    },
    /// The node took a message of the client while the socket was open.
    Heard,
    /// The client reads no more, or reads again.
    Reads(bool),
    /// The client is gone without a word.
    Vanished,
    /// The node has let the connection go.
    Over,
    /// At the end: how a node stands.
    Final {
        /// What the registry counts.
        counted: usize,
        /// The sockets that it lists: whose connection, and by which login; `None` where it is suspended.
        live: Vec<(Connection, Option<SessionId>)>,
        /// Whether it knows what has ended.
        is_confirmed: bool,
    },
    /// At the end: a client that has the cookie of a login.
    Holds {
        /// The client.
        client: usize,
        /// The login.
        sid: SessionId,
    },
}

/// What a gate says of suspensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Suspended, because the login has ended.
    LoggedOut,
    /// Suspended, because nobody knows whether it has.
    Unconfirmed,
    /// It goes on.
    Resumed,
}

impl Notice {
    /// Every one.
    pub(super) const ALL: [Self; 3] = [Self::LoggedOut, Self::Unconfirmed, Self::Resumed];

    /// The text on the wire.
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::LoggedOut => "suspended: logged out",
            Self::Unconfirmed => "suspended: unconfirmed",
            Self::Resumed => "resumed",
        }
    }
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When, since the beginning of the world.
    pub at: Duration,
    /// Who.
    pub actor: Actor,
    /// What.
    pub event: Event,
}

/// Everything that happened so far.
pub(super) struct Log {
    time: Time,
    lines: Mutex<Vec<Line>>,
}

impl Log {
    pub(super) fn begins(time: Time) -> Self {
        Self { time, lines: Mutex::default() }
    }

    pub(super) fn time(&self) -> Time {
        self.time
    }

    pub(super) fn note(&self, actor: Actor, event: Event) {
        self.note_at(self.time.now(), actor, event);
    }

    /// Notes what began at a time, when it is known what it was.
    pub(super) fn note_at(&self, at: Duration, actor: Actor, event: Event) {
        lock(&self.lines).push(Line { at, actor, event });
    }

    /// All lines. What happened to different actors in the same millisecond has no order: it is put into one.
    pub(super) fn lines(&self) -> Vec<Line> {
        let mut lines = std::mem::take(&mut *lock(&self.lines));
        lines.sort_by_key(|line| (line.at, line.actor));
        lines
    }
}

impl fmt::Display for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "client {}.{}", self.client, self.number)
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::World => f.write_str("world"),
            Self::Store => f.write_str("store"),
            Self::Node(number) => write!(f, "node {number}"),
            Self::Connection(connection) => connection.fmt(f),
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>9.3} s  {:<12} ", self.at.as_secs_f64(), self.actor.to_string())?;
        match &self.event {
            Event::Fault(text) => f.write_str(text),
            Event::NotWell { until, asleep } => {
                write!(f, "{} until {:.3} s", if *asleep { "asleep" } else { "not well" }, until.as_secs_f64())
            }
            Event::Committed(LogEntry { cursor, what, why, .. }) => {
                write!(f, "entry {}: {} {what:?}", cursor.0, why.as_str())
            }
            Event::Ending { what, why, .. } => write!(f, "asked to end: {} {what}", why.as_str()),
            Event::Returned { ended: Some(ended), carried_out, .. } => {
                write!(f, "has ended it: {} sockets, carried out: {carried_out}", ended.len())
            }
            Event::Returned { ended: None, .. } => f.write_str("cannot say whether it has ended"),
            Event::Opened { node, sid, .. } => write!(f, "opened at node {node} by {sid}"),
            Event::Refused { node, why } => write!(f, "refused at node {node}: {why}"),
            Event::Frame { number, by, .. } => write!(f, "frame {number} by {by}"),
            event => write!(f, "{event:?}"),
        }
    }
}
