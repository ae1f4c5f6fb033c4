use std::{fmt, time::Duration};

use super::{Event, Notice, Run, facts::Facts};

/// How a node has heard of an ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Path {
    /// It was asked for there.
    SameNode,
    /// A signal came.
    Signalled,
    /// No signal came, and it read the log all the same.
    Polled,
    /// Something kept it from reading the log: it was apart, asleep or gone, or answers were lost.
    Alone,
}

/// How long one ending took on one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measured {
    /// How the node has heard of it.
    pub path: Path,
    /// From the commit of the ending until the last of its sockets there was closed, suspended or gone.
    pub took: Duration,
}

/// How long the endings of a run took on each node that had sockets to close for them.
pub(super) fn measure(run: &Run) -> Vec<Measured> {
    let facts = Facts::of(run);
    let mut measured = Vec::new();
    for commit in &facts.commits {
        for node in 0..run.shape.nodes {
            let stays = facts.connections.values().filter(|stay| stay.node == node);
            // Those that stood on it when it ended, and on nothing that had ended before.
            let last = stays.filter_map(|stay| {
                let is_first =
                    facts.ends(stay.sid).next().is_some_and(|first| first.entry.cursor == commit.entry.cursor);
                let stops = |event: &Event| {
                    matches!(
                        event,
                        Event::Close { .. } | Event::Over | Event::Notice(Notice::LoggedOut | Notice::Unconfirmed)
                    )
                };
                let (stopped, _) = stay.events.iter().find(|(_, event)| stops(event))?;
                (is_first && stay.opened < commit.at && *stopped >= commit.at).then(|| *stopped - commit.at)
            });
            if let Some(took) = last.max() {
                measured.push(Measured { path: facts.bound(commit, node).1, took });
            }
        }
    }
    measured
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SameNode => "same node",
            Self::Signalled => "other node, by signal",
            Self::Polled => "signal lost",
            Self::Alone => "node apart, asleep or gone",
        })
    }
}
