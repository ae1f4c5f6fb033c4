use std::{
    borrow::Cow,
    sync::{Arc, OnceLock},
};

use doorward_session::Socket;
use doorward_wire::ninep::Qid;

use crate::ninep::{Answer, Entry, Node, Tree, Trouble, path_of};

/// A directory of trees, each under a name. What a socket sees nothing of is not in it.
#[derive(Default)]
pub struct Root {
    trees: Arc<Vec<(&'static str, Arc<dyn Tree>)>>,
}

impl Root {
    /// Adds a tree. Its name is not empty and has no `/` in it.
    #[must_use]
    pub fn with(mut self, name: &'static str, tree: impl Tree + 'static) -> Self {
        Arc::make_mut(&mut self.trees).push((name, Arc::new(tree)));
        self
    }
}

impl Tree for Root {
    fn root(&self, socket: &Arc<Socket>) -> Option<Arc<dyn Node>> {
        Some(Arc::new(Joined { trees: Arc::clone(&self.trees), socket: Arc::clone(socket), seen: OnceLock::new() }))
    }
}

/// What one socket sees, from when it first looks: whoever has attached and does nothing costs little.
struct Joined {
    trees: Arc<Vec<(&'static str, Arc<dyn Tree>)>>,
    socket: Arc<Socket>,
    seen: OnceLock<Vec<(&'static str, Arc<dyn Node>)>>,
}

impl Joined {
    fn seen(&self) -> &[(&'static str, Arc<dyn Node>)] {
        let see = |(name, tree): &(&'static str, Arc<dyn Tree>)| Some((*name, tree.root(&self.socket)?));
        self.seen.get_or_init(|| self.trees.iter().filter_map(see).collect())
    }
}

impl Node for Joined {
    fn qid(&self) -> Qid {
        directory(&[])
    }

    fn stat(&self) -> Answer<Entry> {
        Answer::Now(Ok(entry_of_directory("/", self.qid())))
    }

    fn walk(&self, name: &str) -> Answer<Arc<dyn Node>> {
        let found = self.seen().iter().find(|(known, _)| *known == name).map(|(_, node)| Arc::clone(node));
        Answer::Now(found.ok_or(Trouble::NotFound))
    }

    fn list(&self) -> Answer<Vec<Entry>> {
        let nodes: Vec<_> = self.seen().iter().map(|(_, node)| Arc::clone(node)).collect();
        Answer::Later(Box::pin(async move {
            let mut entries = Vec::with_capacity(nodes.len());
            for node in nodes {
                entries.push(node.stat().get().await?);
            }
            Ok(entries)
        }))
    }
}

/// The qid of the directory with that path.
pub(super) fn directory(path: &[&str]) -> Qid {
    Qid { kind: Qid::DIRECTORY, version: 0, path: path_of(path) }
}

/// The qid of the file with that path.
pub(super) fn file(path: &[&str]) -> Qid {
    Qid { kind: 0, version: 0, path: path_of(path) }
}

pub(super) fn entry_of_directory(name: impl Into<Cow<'static, str>>, qid: Qid) -> Entry {
    Entry { name: name.into(), qid, permissions: 0o500, length: 0 }
}
