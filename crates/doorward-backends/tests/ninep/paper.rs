//! A tree of files that do what a test wants: paper is patient.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use doorward_backends::ninep::{Answer, Entry, Node, OpenFile, Tree, Trouble, path_of};
use doorward_session::Socket;
use doorward_wire::ninep::{OpenMode, Qid};
use tokio::sync::{Notify, Semaphore};

/// A directory `desk` with the files `note` (plain), `slow` (each request waits until it is let through), `blocked` (a read waits
/// for ever), and any number of `drawer`s, each in the one before.
#[derive(Clone, Default)]
pub(crate) struct Paper(Arc<Desk>);

pub(crate) struct Desk {
    pub(crate) files: Mutex<BTreeMap<String, String>>,
    /// How many requests may go through `slow`.
    pub(crate) through: Arc<Semaphore>,
    /// Told when a blocked read has been dropped.
    pub(crate) dropped: Arc<Notify>,
    pub(crate) entries: Mutex<usize>,
}

impl Default for Desk {
    fn default() -> Self {
        let files = [("note".to_owned(), "hello".to_owned()), ("slow".to_owned(), "later".to_owned())];
        Self {
            files: Mutex::new(files.into()),
            through: Arc::new(Semaphore::new(0)),
            dropped: Arc::default(),
            entries: Mutex::new(0),
        }
    }
}

impl std::ops::Deref for Paper {
    type Target = Desk;

    fn deref(&self) -> &Desk {
        &self.0
    }
}

impl Paper {
    /// With so many entries more in its drawer.
    pub(crate) fn with_entries(self, entries: usize) -> Self {
        *self.entries.lock().unwrap() = entries;
        self
    }

    fn sheet(&self, path: Vec<String>) -> Arc<dyn Node> {
        Arc::new(Sheet { desk: self.clone(), path })
    }
}

impl Tree for Paper {
    fn root(&self, _: &Arc<Socket>) -> Option<Arc<dyn Node>> {
        Some(self.sheet(Vec::new()))
    }
}

struct Sheet {
    desk: Paper,
    path: Vec<String>,
}

impl Sheet {
    fn name(&self) -> &str {
        self.path.last().map_or("/", String::as_str)
    }

    fn later<T: Send + 'static>(&self, what: impl FnOnce() -> Result<T, Trouble> + Send + 'static) -> Answer<T> {
        if self.name() != "slow" {
            return Answer::Now(what());
        }
        let through = Arc::clone(&self.desk.through);
        Answer::Later(Box::pin(async move {
            through.acquire().await.unwrap().forget();
            what()
        }))
    }
}

impl Node for Sheet {
    fn qid(&self) -> Qid {
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let kind = if matches!(self.name(), "/" | "drawer") { Qid::DIRECTORY } else { 0 };
        Qid { kind, version: 0, path: path_of(&path) }
    }

    fn stat(&self) -> Answer<Entry> {
        let entry = Entry { name: self.name().to_owned().into(), qid: self.qid(), permissions: 0o600, length: 0 };
        self.later(move || Ok(entry))
    }

    fn walk(&self, name: &str) -> Answer<Arc<dyn Node>> {
        let known = ["drawer", "blocked"].contains(&name) || self.desk.files.lock().unwrap().contains_key(name);
        let path = self.path.iter().cloned().chain([name.to_owned()]).collect();
        let sheet = known.then(|| self.desk.sheet(path)).ok_or(Trouble::NotFound);
        if name != "slow" {
            return Answer::Now(sheet);
        }
        Sheet { desk: self.desk.clone(), path: vec!["slow".into()] }.later(|| sheet)
    }

    fn list(&self) -> Answer<Vec<Entry>> {
        let entries = *self.desk.entries.lock().unwrap();
        let entry = |number| Entry {
            name: format!("sheet {number}").into(),
            qid: Qid { path: number as u64, ..Qid::default() },
            permissions: 0o600,
            length: 1,
        };
        Answer::Now(Ok((0..entries).map(entry).collect()))
    }

    fn open(&self, _: OpenMode) -> Answer<Box<dyn OpenFile>> {
        let open = Sheet { desk: self.desk.clone(), path: self.path.clone() };
        self.later(move || Ok(Box::new(open) as _))
    }

    fn create(&self, name: &str, _: OpenMode) -> Answer<(Arc<dyn Node>, Box<dyn OpenFile>)> {
        if self.desk.files.lock().unwrap().contains_key(name) {
            return Trouble::Exists.into();
        }
        self.desk.files.lock().unwrap().insert(name.to_owned(), String::new());
        let path: Vec<String> = self.path.iter().cloned().chain([name.to_owned()]).collect();
        let open = Sheet { desk: self.desk.clone(), path: path.clone() };
        Answer::Now(Ok((self.desk.sheet(path), Box::new(open))))
    }

    fn is_removable(&self) -> bool {
        true
    }

    fn remove(&self) -> Answer<()> {
        let (desk, name) = (self.desk.clone(), self.name().to_owned());
        self.later(move || desk.files.lock().unwrap().remove(&name).map(drop).ok_or(Trouble::NotFound))
    }
}

/// Tells that a read has been dropped.
struct Dropped(Arc<Notify>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl OpenFile for Sheet {
    fn read(&self, offset: u64, count: usize) -> Answer<Bytes> {
        if self.name() == "blocked" {
            let dropped = Dropped(Arc::clone(&self.desk.dropped));
            return Answer::Later(Box::pin(async move {
                let _dropped = dropped;
                std::future::pending().await
            }));
        }
        let (desk, name) = (self.desk.clone(), self.name().to_owned());
        self.later(move || {
            let files = desk.files.lock().unwrap();
            let text = files.get(&name).ok_or(Trouble::NotFound)?.as_bytes();
            let start = text.len().min(offset as usize);
            Ok(Bytes::copy_from_slice(&text[start..text.len().min(start.saturating_add(count))]))
        })
    }

    fn write(&self, _: u64, data: &[u8]) -> Answer<u32> {
        let (desk, name) = (self.desk.clone(), self.name().to_owned());
        let data = String::from_utf8_lossy(data).into_owned();
        self.later(move || {
            let written = data.len() as u32;
            desk.files.lock().unwrap().insert(name, data);
            Ok(written)
        })
    }
}
