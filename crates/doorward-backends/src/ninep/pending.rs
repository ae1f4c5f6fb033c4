//! Requests that are not answered yet.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use doorward_auth::BoxFuture;
use doorward_wire::ninep::{OpenMode, Tag};

use super::{Entry, OpenFile, Trouble, fids::Use, place::Place, place::Walked};

/// What has come of a request.
pub(super) enum Done {
    Walked(Box<Walked>),
    OpenedDirectory(Arc<Place>),
    Opened(Arc<Place>, OpenMode, Box<dyn OpenFile>),
    Created(Arc<Place>, OpenMode, Box<dyn OpenFile>),
    Listed(Vec<Entry>, usize),
    Read(Bytes, usize),
    Written(u32),
    Clunked,
    Removed,
    Said(Entry),
    Restated,
}

/// A request that is at work.
pub(super) struct Pending {
    pub(super) tag: Tag,
    pub(super) on: On,
    pub(super) work: BoxFuture<'static, Result<Done, Trouble>>,
    /// Who waits for it to be done, since it cannot be taken back.
    pub(super) flushes: Vec<Tag>,
}

/// What a request does to the fid that it is on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum On {
    /// It only looks: it can be taken back, and ends with the fid.
    Looks(Use),
    /// It only looks, and the fid is another one afterwards.
    Moves(Use),
    /// It changes something, and the fid is another one afterwards.
    Changes(Use),
    /// It changes something, and the fid stays as it is or is gone.
    Acts,
}

impl On {
    /// The fid that nobody else can use meanwhile.
    pub(super) fn held(self) -> Option<Use> {
        match self {
            Self::Moves(one) | Self::Changes(one) => Some(one),
            Self::Looks(_) | Self::Acts => None,
        }
    }
}

/// All that are at work, in the order in which they came.
#[derive(Default)]
pub(super) struct Requests(Vec<Pending>);

impl Requests {
    /// How many tags wait for an answer.
    pub(super) fn count(&self) -> usize {
        self.0.iter().map(|pending| 1 + pending.flushes.len()).sum()
    }

    pub(super) fn has(&self, tag: Tag) -> bool {
        self.0.iter().any(|pending| pending.tag == tag || pending.flushes.contains(&tag))
    }

    pub(super) fn push(&mut self, pending: Pending) {
        self.0.push(pending);
    }

    /// What to do about a request that is not to be answered any more.
    pub(super) fn flush(&mut self, old: Tag) -> Flush<'_> {
        let Some(place) = self.0.iter().position(|pending| pending.tag == old) else { return Flush::NotThere };
        match self.0[place].on {
            On::Looks(_) | On::Moves(_) => Flush::TakenBack(self.0.remove(place).on),
            On::Changes(_) | On::Acts => Flush::WhenDone(&mut self.0[place].flushes),
        }
    }

    /// Those that only looked at a fid that is gone.
    pub(super) fn end_with(&mut self, one: Use) -> Vec<Tag> {
        self.0.extract_if(.., |pending| pending.on == On::Looks(one)).map(|pending| pending.tag).collect()
    }

    pub(super) fn clear(&mut self) {
        self.0 = Vec::new();
    }

    /// The next that is done, from `at` on; `at` is moved on behind those that are not.
    pub(super) fn poll_next(
        &mut self,
        at: &mut usize,
        context: &mut Context<'_>,
    ) -> Option<(Pending, Result<Done, Trouble>)> {
        while let Some(pending) = self.0.get_mut(*at) {
            match pending.work.as_mut().poll(context) {
                Poll::Pending => *at += 1,
                Poll::Ready(done) => return Some((self.0.remove(*at), done)),
            }
        }
        // A connection that has nothing to wait for holds nothing.
        if self.0.is_empty() {
            self.clear();
        }
        None
    }
}

/// What becomes of a request that is flushed.
pub(super) enum Flush<'r> {
    /// It has been answered, or never was.
    NotThere,
    /// It is gone, and was on that.
    TakenBack(On),
    /// It will be answered, and these flushes after it.
    WhenDone(&'r mut Vec<Tag>),
}
