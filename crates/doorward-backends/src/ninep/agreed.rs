use doorward_wire::ninep::{Reply, UNKNOWN, VERSION};

use super::{Limits, Trouble};

/// What comes of `Tversion`: the dialect, and how large a message can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreed {
    msize: u32,
    is_spoken: bool,
}

impl Agreed {
    /// What is agreed on of what a client offers, where no message may have more than `most` bytes. The dialects that begin with
    /// `9P2000.` are answered by `9P2000`, as the manual has it.
    ///
    /// # Errors
    /// [`Trouble::SmallMsize`]: the client takes so little that an answer would not fit.
    pub fn on(msize: u32, version: &str, limits: &Limits, most: u32) -> Result<Self, Trouble> {
        if msize < limits.least_msize {
            return Err(Trouble::SmallMsize);
        }
        let is_spoken = version.strip_prefix(VERSION).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        Ok(Self { msize: msize.min(most.max(limits.least_msize)), is_spoken })
    }

    /// The largest message of the session, in bytes; `None` where there is no dialect that both speak.
    pub fn msize(&self) -> Option<u32> {
        self.is_spoken.then_some(self.msize)
    }

    /// What the client is told.
    pub fn reply(&self) -> Reply<'static> {
        Reply::Version { msize: self.msize, version: if self.is_spoken { VERSION } else { UNKNOWN } }
    }
}
