//! Places in a tree, and the walk from one to another.

use std::sync::Arc;

use doorward_auth::BoxFuture;
use doorward_wire::ninep::{Few, Qid};

use super::{Answer, Node, Trouble};

/// Where a fid points to, and the way back.
pub(super) struct Place {
    pub(super) node: Arc<dyn Node>,
    above: Option<Arc<Self>>,
    /// How many directories are above it.
    depth: usize,
}

/// How far a walk came.
pub(super) struct Walked {
    /// What it came by.
    pub(super) qids: Few<Qid>,
    /// Where it ended; `None` where it did not come through.
    pub(super) arrived: Option<Arc<Place>>,
}

impl Place {
    pub(super) fn root(node: Arc<dyn Node>) -> Arc<Self> {
        Arc::new(Self { node, above: None, depth: 0 })
    }

    /// The place of something that lies in this one.
    pub(super) fn below(self: &Arc<Self>, node: Arc<dyn Node>) -> Arc<Self> {
        Arc::new(Self { node, above: Some(Arc::clone(self)), depth: self.depth + 1 })
    }

    pub(super) fn is_root(&self) -> bool {
        self.above.is_none()
    }

    /// Walks by names that are known to be names. Where the first one leads nowhere that is an error; where a later one does,
    /// the walk ends there.
    pub(super) fn walk(self: &Arc<Self>, names: &[&str], depth: usize) -> Answer<Walked> {
        let mut walk = Walk { at: Arc::clone(self), qids: Few::default(), depth };
        for (number, name) in names.iter().enumerate() {
            let further = match walk.at.step(name, depth) {
                Answer::Now(further) => further,
                Answer::Later(further) => {
                    let names = names.iter().skip(number + 1).map(|name| (*name).to_owned()).collect();
                    return Answer::Later(Box::pin(walk.go_on(further, names)));
                }
            };
            if let Err(trouble) = walk.took(further) {
                return Answer::Now(walk.ended_by(trouble));
            }
        }
        Answer::Now(Ok(walk.arrived()))
    }

    fn step(self: &Arc<Self>, name: &str, depth: usize) -> Answer<Arc<Self>> {
        if !self.node.qid().is_directory() {
            return Trouble::WalkInNonDirectory.into();
        }
        if name == ".." {
            return Answer::Now(Ok(self.above.as_ref().map_or_else(|| Arc::clone(self), Arc::clone)));
        }
        if self.depth >= depth {
            return Trouble::NotFound.into();
        }
        let here = Arc::clone(self);
        self.node.walk(name).map(move |node| here.below(node))
    }
}

struct Walk {
    at: Arc<Place>,
    qids: Few<Qid>,
    depth: usize,
}

impl Walk {
    async fn go_on(
        mut self,
        mut further: BoxFuture<'static, Result<Arc<Place>, Trouble>>,
        names: Vec<String>,
    ) -> Result<Walked, Trouble> {
        let mut names = names.into_iter();
        loop {
            if let Err(trouble) = self.took(further.await) {
                return self.ended_by(trouble);
            }
            let Some(name) = names.next() else { return Ok(self.arrived()) };
            further = Box::pin(self.at.step(&name, self.depth).get());
        }
    }

    fn took(&mut self, further: Result<Arc<Place>, Trouble>) -> Result<(), Trouble> {
        self.at = further?;
        self.qids.push(self.at.node.qid());
        Ok(())
    }

    fn ended_by(self, trouble: Trouble) -> Result<Walked, Trouble> {
        if self.qids.is_empty() { Err(trouble) } else { Ok(Walked { qids: self.qids, arrived: None }) }
    }

    fn arrived(self) -> Walked {
        Walked { qids: self.qids, arrived: Some(self.at) }
    }
}
