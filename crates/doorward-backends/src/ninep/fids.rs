//! What a client calls the places that it knows.

use std::sync::Arc;

use bytes::Bytes;

use doorward_wire::ninep::{Fid, OpenMode};

use super::{OpenFile, Trouble, listing::Listing, place::Place};

/// The fids of a connection. They lie side by side, since most connections have a few, and none has many.
pub(super) struct Fids {
    slots: Vec<Slot>,
    at_most: usize,
    /// How many have been taken, so that one that is used again is another one.
    taken: u64,
}

/// One use of a fid: it is over when the fid is clunked, and the next use is another one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Use {
    fid: Fid,
    number: u64,
}

pub(super) struct Slot {
    fid: Fid,
    number: u64,
    /// A request is at work on it that will change what it is.
    busy: bool,
    pub(super) is: Is,
}

/// What a fid stands for.
pub(super) enum Is {
    /// Something that is still being walked to.
    Reserved,
    /// An authentication that is done, and can be used once.
    Authentication { used: bool, unread: Bytes },
    /// A place.
    At(Arc<Place>),
    /// A directory that is open.
    Directory(Arc<Place>, Listing),
    /// A file that is open.
    File(Arc<Place>, OpenMode, Arc<dyn OpenFile>),
}

impl Is {
    /// Where it is.
    pub(super) fn place(&self) -> Option<&Arc<Place>> {
        match self {
            Self::Reserved | Self::Authentication { .. } => None,
            Self::At(place) | Self::Directory(place, _) | Self::File(place, ..) => Some(place),
        }
    }
}

impl Fids {
    pub(super) fn at_most(at_most: usize) -> Self {
        Self { slots: Vec::new(), at_most, taken: 0 }
    }

    /// What a fid stands for, where nothing is about to change that.
    pub(super) fn find(&mut self, fid: Fid) -> Result<(Use, &mut Slot), Trouble> {
        match self.slot(fid) {
            None | Some(Slot { is: Is::Reserved, .. }) => Err(Trouble::UnknownFid),
            Some(Slot { busy: true, .. }) => Err(Trouble::Busy),
            Some(slot) => Ok((Use { fid, number: slot.number }, slot)),
        }
    }

    /// The same use of a fid once more, where it is not over.
    pub(super) fn again(&mut self, one: Use) -> Option<&mut Slot> {
        self.slot(one.fid).filter(|slot| slot.number == one.number)
    }

    fn slot(&mut self, fid: Fid) -> Option<&mut Slot> {
        self.slots.iter_mut().find(|slot| slot.fid == fid)
    }

    /// Takes a fid that is not in use.
    pub(super) fn take(&mut self, fid: Fid, is: Is) -> Result<Use, Trouble> {
        if fid == Fid::NONE {
            return Err(Trouble::UnknownFid);
        }
        if self.slot(fid).is_some() {
            return Err(Trouble::DuplicateFid);
        }
        if self.slots.len() >= self.at_most {
            return Err(Trouble::TooManyFids);
        }
        self.taken += 1;
        if self.slots.is_empty() {
            // Whoever has attached and does nothing has one.
            self.slots.reserve_exact(1);
        }
        self.slots.push(Slot { fid, number: self.taken, busy: false, is });
        Ok(Use { fid, number: self.taken })
    }

    /// A request goes to work on it.
    pub(super) fn hold(&mut self, one: Use) {
        if let Some(slot) = self.again(one) {
            slot.busy = true;
        }
    }

    /// A request has done its work: it is something else from now on, or what it was.
    pub(super) fn release(&mut self, one: Use, becomes: Option<Is>) {
        let Some(slot) = self.again(one) else { return };
        slot.busy = false;
        match becomes {
            Some(is) => slot.is = is,
            None if matches!(slot.is, Is::Reserved) => self.slots.retain(|slot| slot.fid != one.fid),
            None => {}
        }
    }

    /// Forgets a fid, whatever is at work on it.
    pub(super) fn forget(&mut self, fid: Fid) -> Result<(Use, Is), Trouble> {
        let known = self.slots.iter().position(|slot| slot.fid == fid && !matches!(slot.is, Is::Reserved));
        let slot = self.slots.swap_remove(known.ok_or(Trouble::UnknownFid)?);
        Ok((Use { fid, number: slot.number }, slot.is))
    }

    /// Forgets all of them.
    pub(super) fn clear(&mut self) {
        self.slots = Vec::new();
    }

    /// The bytes of all listings.
    pub(super) fn listed(&self) -> usize {
        let held = |slot: &Slot| if let Is::Directory(_, listing) = &slot.is { listing.held() } else { 0 };
        self.slots.iter().map(held).sum()
    }

    /// Every file that is open.
    pub(super) fn open_files(&self) -> impl Iterator<Item = &Arc<dyn OpenFile>> {
        self.slots.iter().filter_map(|slot| if let Is::File(_, _, file) = &slot.is { Some(file) } else { None })
    }
}
