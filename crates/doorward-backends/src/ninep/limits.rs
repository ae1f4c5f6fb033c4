/// What one connection may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest message that is agreed on, in bytes. What the gate takes as one message is a limit too.
    pub msize: u32,
    /// A client that takes less than that is not served: an answer would not fit.
    pub least_msize: u32,
    /// How many fids.
    pub fids: usize,
    /// How many requests that are not answered.
    pub tags: usize,
    /// How many bytes the listings may have of the directories that it is reading, together.
    pub listings: usize,
    /// How deep a place may lie.
    pub depth: usize,
    /// After so many malformed messages in a row the socket ends.
    pub malformed: u8,
}

impl Default for Limits {
    fn default() -> Self {
        Self { msize: 64 * 1024, least_msize: 512, fids: 256, tags: 64, listings: 256 * 1024, depth: 64, malformed: 3 }
    }
}
