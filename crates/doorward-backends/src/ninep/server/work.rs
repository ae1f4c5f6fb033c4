//! What is done about requests on files: what will come of each, and what that does to its fid.

use std::sync::Arc;

use doorward_wire::ninep::{AROUND_DATA, DIRECTORY, Data, Fid, OpenMode, Request, Stat};

use super::Server;
use crate::ninep::{
    Answer, Trouble,
    fids::Is,
    pending::{Done, On},
};

/// What is to be done about a request: what will come of it, and what that does to the fid.
pub(super) type Work = Result<(On, Answer<Done>), Trouble>;

impl Server {
    pub(super) fn work(&mut self, request: &Request<'_>) -> Work {
        match request {
            Request::Walk { fid, new, names } => self.walk(*fid, *new, names),
            Request::Open { fid, mode } => self.open(*fid, *mode),
            Request::Create { fid, name, permissions, mode } => self.create(*fid, name, *permissions, *mode),
            Request::Read { fid, offset, count } => self.read(*fid, *offset, *count),
            Request::Write { fid, offset, data } => self.write(*fid, *offset, data),
            Request::Stat { fid } => self.stat(*fid),
            Request::Wstat { fid, stat } => self.wstat(*fid, stat),
            Request::Version { .. }
            | Request::Auth { .. }
            | Request::Attach { .. }
            | Request::Flush { .. }
            | Request::Clunk { .. }
            | Request::Remove { .. } => Err(Trouble::PermissionDenied),
        }
    }

    fn walk(&mut self, fid: Fid, new: Fid, names: &[&str]) -> Work {
        let (one, slot) = self.fids.find(fid)?;
        let place = match &slot.is {
            Is::At(place) => Arc::clone(place),
            Is::Directory(..) | Is::File(..) => return Err(Trouble::WalkOfOpen),
            Is::Reserved | Is::Authentication { .. } => return Err(Trouble::WalkInNonDirectory),
        };
        if !names.iter().all(|name| is_a_name(name)) {
            return Err(Trouble::BadName);
        }
        let on = if new == fid { one } else { self.fids.take(new, Is::Reserved)? };
        self.fids.hold(on);
        Ok((On::Moves(on), place.walk(names, self.limits().depth).map(|walked| Done::Walked(Box::new(walked)))))
    }

    fn open(&mut self, fid: Fid, mode: OpenMode) -> Work {
        let (one, slot) = self.fids.find(fid)?;
        let Is::At(place) = &slot.is else { return Err(Trouble::AlreadyOpen) };
        if !mode.is_known() {
            return Err(Trouble::BadMode);
        }
        let place = Arc::clone(place);
        if place.node.qid().is_directory() {
            if mode != OpenMode::READ && mode != OpenMode::EXECUTE {
                return Err(Trouble::IsADirectory);
            }
            return Ok((On::Changes(one), Answer::Now(Ok(Done::OpenedDirectory(place)))));
        }
        if mode.removes_on_close() && !place.node.is_removable() {
            return Err(Trouble::PermissionDenied);
        }
        self.fids.hold(one);
        let answer = place.node.open(mode);
        Ok((On::Changes(one), answer.map(move |file| Done::Opened(place, mode, file))))
    }

    fn create(&mut self, fid: Fid, name: &str, permissions: u32, mode: OpenMode) -> Work {
        let (one, slot) = self.fids.find(fid)?;
        let Is::At(place) = &slot.is else { return Err(Trouble::AlreadyOpen) };
        if !place.node.qid().is_directory() {
            return Err(Trouble::CreateInNonDirectory);
        }
        if !is_a_name(name) || name == "." || name == ".." {
            return Err(Trouble::BadName);
        }
        if !mode.is_known() {
            return Err(Trouble::BadMode);
        }
        if permissions & DIRECTORY != 0 {
            return Err(Trouble::CreateProhibited);
        }
        let place = Arc::clone(place);
        self.fids.hold(one);
        let answer = place.node.create(name, mode);
        Ok((On::Changes(one), answer.map(move |(node, file)| Done::Created(place.below(node), mode, file))))
    }

    fn read(&mut self, fid: Fid, offset: u64, count: u32) -> Work {
        let count = usize::try_from(count.min(self.msize() - AROUND_DATA)).unwrap_or(usize::MAX);
        let (one, slot) = self.fids.find(fid)?;
        match &mut slot.is {
            Is::File(_, mode, file) if mode.reads() => {
                Ok((On::Looks(one), file.read(offset, count).map(move |bytes| Done::Read(bytes, count))))
            }
            Is::Directory(place, _) if offset == 0 => {
                let answer = place.node.list();
                self.fids.hold(one);
                Ok((On::Moves(one), answer.map(move |entries| Done::Listed(entries, count))))
            }
            Is::Directory(_, listing) => {
                let bytes = listing.read(offset, count)?;
                Ok((On::Looks(one), Answer::Now(Ok(Done::Read(bytes, count)))))
            }
            Is::Authentication { unread, .. } => {
                let data = unread.split_to(unread.len().min(count));
                Ok((On::Looks(one), Answer::Now(Ok(Done::Read(data, count)))))
            }
            Is::Reserved | Is::At(_) | Is::File(..) => Err(Trouble::NotOpenForReading),
        }
    }

    fn write(&mut self, fid: Fid, offset: u64, data: &Data<'_>) -> Work {
        match &self.fids.find(fid)?.1.is {
            Is::File(_, mode, file) if mode.writes() => Ok((On::Acts, file.write(offset, data).map(Done::Written))),
            _ => Err(Trouble::NotOpenForWriting),
        }
    }

    fn stat(&mut self, fid: Fid) -> Work {
        let (one, slot) = self.fids.find(fid)?;
        let place = slot.is.place().ok_or(Trouble::StatProhibited)?;
        Ok((On::Looks(one), place.node.stat().map(Done::Said)))
    }

    /// Nothing of what is said of a file can be changed. To change nothing asks that what was written is kept, which it is; and
    /// many clients set the length to nothing before they write.
    fn wstat(&mut self, fid: Fid, stat: &Stat<'_>) -> Work {
        let (one, slot) = self.fids.find(fid)?;
        let place = slot.is.place().ok_or(Trouble::WstatProhibited)?;
        let is_file = !place.node.qid().is_directory();
        if *stat == Stat::UNTOUCHED || (is_file && *stat == (Stat { length: 0, ..Stat::UNTOUCHED })) {
            return Ok((On::Looks(one), Answer::Now(Ok(Done::Restated))));
        }
        Err(Trouble::WstatProhibited)
    }
}

/// Whether it can be one of the names of a walk.
fn is_a_name(name: &str) -> bool {
    !name.is_empty() && !name.contains('/')
}
