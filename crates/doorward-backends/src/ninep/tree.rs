use std::{
    borrow::Cow,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Arc,
};

use bytes::Bytes;
use doorward_auth::BoxFuture;
use doorward_session::Socket;
use doorward_wire::ninep::{OpenMode, Qid};

use super::Trouble;

/// What comes of something: at once, or when it is ready.
pub enum Answer<T> {
    /// At once.
    Now(Result<T, Trouble>),
    /// When it is ready. It is dropped with its connection, and where it is taken back.
    Later(BoxFuture<'static, Result<T, Trouble>>),
}

impl<T: Send + 'static> Answer<T> {
    /// Waits for it.
    pub async fn get(self) -> Result<T, Trouble> {
        match self {
            Self::Now(result) => result,
            Self::Later(result) => result.await,
        }
    }

    /// Something else, made of it.
    pub fn map<U>(self, make: impl FnOnce(T) -> U + Send + 'static) -> Answer<U> {
        match self {
            Self::Now(result) => Answer::Now(result.map(make)),
            Self::Later(result) => Answer::Later(Box::pin(async move { result.await.map(make) })),
        }
    }
}

impl<T> From<Trouble> for Answer<T> {
    fn from(trouble: Trouble) -> Self {
        Self::Now(Err(trouble))
    }
}

/// What a directory says of one of its entries, and a file of itself. Whose it is and when it was made is said by the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name.
    pub name: Cow<'static, str>,
    /// Which file it is.
    pub qid: Qid,
    /// Who may do what: nine bits, of which the first three are its user's.
    pub permissions: u32,
    /// How long it is, in bytes; 0 where nobody can tell.
    pub length: u64,
}

/// A tree of files. Each socket sees its own.
pub trait Tree: Send + Sync {
    /// The root, as this socket sees it; `None` where there is nothing for it to see. Called once for each connection, at the
    /// latest when something is looked for in it.
    fn root(&self, socket: &Arc<Socket>) -> Option<Arc<dyn Node>>;
}

/// A file or a directory of one connection's tree.
///
/// The calls come in the connection's own turn and must not block: what takes time is [`Answer::Later`]. Whether the socket
/// may do anything at all has been asked before.
pub trait Node: Send + Sync {
    /// Which file it is, and whether it is a directory.
    fn qid(&self) -> Qid;

    /// What there is to say of it now.
    fn stat(&self) -> Answer<Entry>;

    /// What lies in a directory under a name, which is not empty, has no `/` in it and is not `..`.
    fn walk(&self, name: &str) -> Answer<Arc<dyn Node>> {
        let _ = name;
        Trouble::NotFound.into()
    }

    /// What lies in a directory.
    fn list(&self) -> Answer<Vec<Entry>> {
        Answer::Now(Ok(Vec::new()))
    }

    /// Opens a file. The mode is one that is known; that a directory is only read has been seen to.
    fn open(&self, mode: OpenMode) -> Answer<Box<dyn OpenFile>> {
        let _ = mode;
        Trouble::PermissionDenied.into()
    }

    /// Makes a file in a directory, and opens it. The name is as in [`walk`](Self::walk).
    fn create(&self, name: &str, mode: OpenMode) -> Answer<(Arc<dyn Node>, Box<dyn OpenFile>)> {
        let _ = (name, mode);
        Trouble::CreateProhibited.into()
    }

    /// Whether [`remove`](Self::remove) may do anything: only such a file can be opened to be removed when it is clunked.
    fn is_removable(&self) -> bool {
        false
    }

    /// Removes it.
    fn remove(&self) -> Answer<()> {
        Trouble::RemoveProhibited.into()
    }
}

/// A file that is open, by one fid.
pub trait OpenFile: Send + Sync {
    /// At most `count` bytes from `offset` on; none at the end. It may wait for as long as the connection lives.
    fn read(&self, offset: u64, count: usize) -> Answer<Bytes> {
        let _ = (offset, count);
        Trouble::PermissionDenied.into()
    }

    /// Writes, and tells how many bytes.
    fn write(&self, offset: u64, data: &[u8]) -> Answer<u32> {
        let _ = (offset, data);
        Trouble::PermissionDenied.into()
    }

    /// The socket is suspended: what waits for it is dropped.
    fn suspended(&self) {}
}

/// The number under which a file of that path is known: the same for the same path.
pub fn path_of(path: &[&str]) -> u64 {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    hasher.finish()
}
