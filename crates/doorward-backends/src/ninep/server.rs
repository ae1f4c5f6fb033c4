//! What each request does.

mod work;

use std::{sync::Arc, task::Context};

use bytes::Bytes;
use doorward_session::Socket;
use doorward_types::CloseReason;
use doorward_wire::ninep::{AROUND_DATA, Data, Fid, Qid, Reply, Request, Tag};

use super::{
    Agreed, Answer, Begun, Entry, Limits, Ninep, Trouble,
    connection::Replies,
    fids::{Fids, Is, Slot},
    listing::{Listing, Whose},
    pending::{Done, Flush, On, Pending, Requests},
    place::Place,
};

/// The file server of one connection.
pub(super) struct Server {
    /// The tree, and what one connection may have of it.
    serves: Arc<Ninep>,
    socket: Arc<Socket>,
    whose: Whose,
    /// The largest message; `None` before a version has been agreed on.
    msize: Option<u32>,
    /// Whether an attach has to name an authentication.
    must_authenticate: bool,
    /// Once somebody has attached.
    root: Option<Arc<Place>>,
    fids: Fids,
    requests: Requests,
}

impl Server {
    pub(super) fn begun(serves: Arc<Ninep>, socket: &Arc<Socket>, begun: Option<Begun>) -> Self {
        let admission = socket.admission();
        let user = admission.subject().map_or("none", |subject| &subject.uuid);
        let since = u32::try_from(admission.first_at().as_secs()).unwrap_or(u32::MAX);
        let mut server = Self {
            fids: Fids::at_most(serves.limits.fids),
            serves,
            socket: Arc::clone(socket),
            whose: Whose { user: user.into(), since },
            msize: None,
            must_authenticate: begun.as_ref().is_some_and(|begun| begun.afid.is_some()),
            root: None,
            requests: Requests::default(),
        };
        if let Some(begun) = begun {
            server.msize = Some(begun.msize.min(server.most()));
            if let Some(afid) = begun.afid {
                // The first of all fids: there is room for it, and it is not taken.
                let _taken = server.fids.take(afid, Is::Authentication { used: false, unread: begun.unread });
            }
        }
        server
    }

    /// The largest message just now.
    pub(super) fn msize(&self) -> u32 {
        self.msize.unwrap_or(self.most())
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.serves.limits
    }

    /// The largest message that can be agreed on. A client may send each as one message of the gate.
    fn most(&self) -> u32 {
        let message = u32::try_from(self.socket.policy().limits.message).unwrap_or(u32::MAX);
        self.limits().msize.min(message).max(self.limits().least_msize)
    }

    /// Takes a request, and answers it where it is done at once. An `Err` ends the socket.
    pub(super) fn take(
        &mut self,
        tag: Tag,
        request: &Request<'_>,
        replies: &mut Replies<'_>,
    ) -> Result<(), CloseReason> {
        match request {
            Request::Version { msize, version } => self.version(tag, *msize, version, replies),
            Request::Flush { old } => return self.flush(tag, *old, replies),
            _ if self.msize.is_none() => replies.refuse(tag, &Trouble::NoVersion),
            _ if self.requests.has(tag) => replies.refuse(tag, &Trouble::DuplicateTag),
            Request::Clunk { fid } => self.clunk(tag, *fid, replies),
            Request::Remove { fid } => self.remove(tag, *fid, replies),
            _ if replies.are_of_a_suspended() => replies.refuse(tag, &Trouble::Suspended),
            _ if self.requests.count() >= self.limits().tags => replies.refuse(tag, &Trouble::TooManyRequests),
            Request::Auth { .. } if self.must_authenticate => replies.refuse(tag, &Trouble::PermissionDenied),
            Request::Auth { .. } => replies.refuse(tag, &Trouble::NoAuthentication),
            Request::Attach { fid, afid, .. } => match self.attach(*fid, *afid) {
                Ok(qid) => replies.say(tag, &Reply::Attach { qid }),
                Err(trouble) => replies.refuse(tag, &trouble),
            },
            other => match self.work(other) {
                Ok((on, answer)) => self.start(tag, on, answer, replies),
                Err(trouble) => replies.refuse(tag, &trouble),
            },
        }
        Ok(())
    }

    /// Does what is ready to be done.
    pub(super) fn turn(&mut self, replies: &mut Replies<'_>, context: &mut Context<'_>) {
        let mut at = 0;
        while let Some((Pending { tag, on, flushes, .. }, done)) = self.requests.poll_next(&mut at, context) {
            self.finish(tag, on, done, replies);
            flushes.into_iter().for_each(|tag| replies.say(tag, &Reply::Flush));
        }
    }

    /// The socket is suspended: what waits for it is dropped.
    pub(super) fn is_suspended(&self) {
        self.fids.open_files().for_each(|file| file.suspended());
    }

    /// Forgets everything that was agreed on.
    pub(super) fn reset(&mut self) {
        self.msize = None;
        self.requests.clear();
        self.fids.clear();
    }

    fn version(&mut self, tag: Tag, msize: u32, version: &str, replies: &mut Replies<'_>) {
        self.reset();
        match Agreed::on(msize, version, self.limits(), self.most()) {
            Ok(agreed) => {
                self.msize = agreed.msize();
                replies.say(tag, &agreed.reply());
            }
            Err(trouble) => replies.refuse(tag, &trouble),
        }
    }

    /// A flush is never answered by an error.
    fn flush(&mut self, tag: Tag, old: Tag, replies: &mut Replies<'_>) -> Result<(), CloseReason> {
        let has_room = self.requests.count() < self.limits().tags;
        match self.requests.flush(old) {
            Flush::WhenDone(flushes) if has_room => {
                flushes.push(tag);
                return Ok(());
            }
            Flush::WhenDone(_) => return Err(CloseReason::TooFast),
            Flush::TakenBack(on) => self.release(on, None),
            Flush::NotThere => {}
        }
        replies.say(tag, &Reply::Flush);
        Ok(())
    }

    fn attach(&mut self, fid: Fid, afid: Fid) -> Result<Qid, Trouble> {
        match self.must_authenticate {
            true if afid == Fid::NONE => return Err(Trouble::AuthenticationRequired),
            true if !matches!(self.fids.find(afid)?.1.is, Is::Authentication { used: false, .. }) => {
                return Err(Trouble::PermissionDenied);
            }
            false if afid != Fid::NONE => return Err(Trouble::NoAuthentication),
            _ => {}
        }
        let root = match &self.root {
            Some(root) => Arc::clone(root),
            None => Place::root(self.serves.tree.root(&self.socket).ok_or(Trouble::PermissionDenied)?),
        };
        let qid = root.node.qid();
        self.fids.take(fid, Is::At(Arc::clone(&root)))?;
        self.root = Some(root);
        if let Ok((_, slot)) = self.fids.find(afid)
            && let Is::Authentication { used, .. } = &mut slot.is
        {
            *used = true;
        }
        Ok(qid)
    }

    /// Frees the fid, whatever comes of it.
    fn clunk(&mut self, tag: Tag, fid: Fid, replies: &mut Replies<'_>) {
        match self.forget(fid, replies) {
            Ok(Is::File(place, mode, _)) if mode.removes_on_close() => {
                self.remove_from(tag, &place, |()| Done::Clunked, replies);
            }
            Ok(_) => replies.say(tag, &Reply::Clunk),
            Err(trouble) => replies.refuse(tag, &trouble),
        }
    }

    /// Frees the fid, whatever comes of it.
    fn remove(&mut self, tag: Tag, fid: Fid, replies: &mut Replies<'_>) {
        match self.forget(fid, replies) {
            Ok(is) => match is.place() {
                Some(place) => self.remove_from(tag, place, |()| Done::Removed, replies),
                None => replies.refuse(tag, &Trouble::RemoveProhibited),
            },
            Err(trouble) => replies.refuse(tag, &trouble),
        }
    }

    /// What the fid stood for. Reads that wait on it are over.
    fn forget(&mut self, fid: Fid, replies: &mut Replies<'_>) -> Result<Is, Trouble> {
        let (gone, is) = self.fids.forget(fid)?;
        for tag in self.requests.end_with(gone) {
            replies.refuse(tag, &Trouble::Clunked);
        }
        Ok(is)
    }

    fn remove_from(&mut self, tag: Tag, place: &Place, done: fn(()) -> Done, replies: &mut Replies<'_>) {
        if replies.are_of_a_suspended() {
            replies.refuse(tag, &Trouble::Suspended);
        } else if place.is_root() {
            replies.refuse(tag, &Trouble::RemoveProhibited);
        } else {
            let answer = place.node.remove().map(done);
            self.start(tag, On::Acts, answer, replies);
        }
    }

    fn start(&mut self, tag: Tag, on: On, answer: Answer<Done>, replies: &mut Replies<'_>) {
        match answer {
            Answer::Now(done) => self.finish(tag, on, done, replies),
            Answer::Later(work) => self.requests.push(Pending { tag, on, work, flushes: Vec::new() }),
        }
    }

    /// Answers a request, after what it does to its fid.
    fn finish(&mut self, tag: Tag, on: On, done: Result<Done, Trouble>, replies: &mut Replies<'_>) {
        let iounit = self.msize() - AROUND_DATA;
        match done {
            Err(trouble) => {
                self.release(on, None);
                replies.refuse(tag, &trouble);
            }
            Ok(Done::Walked(walked)) => {
                self.release(on, walked.arrived.map(Is::At));
                replies.say(tag, &Reply::Walk { qids: walked.qids });
            }
            Ok(Done::OpenedDirectory(place)) => {
                let qid = place.node.qid();
                self.release(on, Some(Is::Directory(place, Listing::default())));
                replies.say(tag, &Reply::Open { qid, iounit });
            }
            Ok(Done::Opened(place, mode, file)) => {
                let qid = place.node.qid();
                self.release(on, Some(Is::File(place, mode, file.into())));
                replies.say(tag, &Reply::Open { qid, iounit });
            }
            Ok(Done::Created(place, mode, file)) => {
                let qid = place.node.qid();
                self.release(on, Some(Is::File(place, mode, file.into())));
                replies.say(tag, &Reply::Create { qid, iounit });
            }
            Ok(Done::Listed(entries, count)) => {
                self.release(on, None);
                match self.listed(on, &entries, count) {
                    Ok(bytes) => replies.say(tag, &Reply::Read { data: Data(&bytes) }),
                    Err(trouble) => replies.refuse(tag, &trouble),
                }
            }
            Ok(Done::Read(bytes, count)) => {
                replies.say(tag, &Reply::Read { data: Data(bytes.get(..count).unwrap_or(&bytes)) });
            }
            Ok(Done::Written(count)) => replies.say(tag, &Reply::Write { count }),
            Ok(Done::Clunked) => replies.say(tag, &Reply::Clunk),
            Ok(Done::Removed) => replies.say(tag, &Reply::Remove),
            Ok(Done::Restated) => replies.say(tag, &Reply::Wstat),
            Ok(Done::Said(entry)) => {
                let stat = self.whose.stat(&entry);
                // The longest names are longer than the smallest messages.
                if stat.size() + 9 > usize::try_from(self.msize()).unwrap_or(usize::MAX) {
                    return replies.refuse(tag, &Trouble::SmallMsize);
                }
                replies.say(tag, &Reply::Stat { stat });
            }
        }
    }

    fn release(&mut self, on: On, becomes: Option<Is>) {
        if let Some(one) = on.held() {
            self.fids.release(one, becomes);
        }
    }

    /// The first part of a directory. The rest is kept for the reads that go on from there.
    fn listed(&mut self, on: On, entries: &[Entry], count: usize) -> Result<Bytes, Trouble> {
        let mut listing = Listing::of(entries, &self.whose);
        let size = listing.held();
        let bytes = listing.read(0, count)?;
        let Some(Slot { is: Is::Directory(_, kept), .. }) = on.held().and_then(|one| self.fids.again(one)) else {
            return Ok(bytes);
        };
        *kept = Listing::default();
        if self.fids.listed() + size > self.limits().listings {
            return Err(Trouble::TooManyListings);
        }
        if let Some(Slot { is: Is::Directory(_, kept), .. }) = on.held().and_then(|one| self.fids.again(one)) {
            *kept = listing;
        }
        Ok(bytes)
    }
}
