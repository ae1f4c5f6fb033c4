use std::{future::Future, pin::Pin, time::Duration};

use doorward_types::Answer;

/// A boxed future, as [`Answers`] gives it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// An answer is expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The layer that asks.
    pub layer: String,
    /// The step of its script.
    pub step: String,
    /// The fields that the answer should have.
    pub fields: Vec<String>,
    /// What is shown with the question, by name: a nonce, a glyph.
    pub shows: Vec<(String, String)>,
    /// How long it is waited for.
    pub expires_in: Duration,
}

impl Ask {
    /// Something that is shown, by its name.
    pub fn shown(&self, name: &str) -> Option<&str> {
        shown(&self.shows, name)
    }
}

/// The next answer names which of these layers it is for, and is already the first answer to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choose {
    /// The first layer of each alternative.
    pub of: Vec<String>,
    /// Whether none of them may be taken.
    pub optional: bool,
    /// How long it is waited for.
    pub expires_in: Duration,
}

/// What was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// A layer, by the kind of the answer, and the first answer to it.
    Take(Answer),
    /// None of them.
    Skip,
}

/// Something is told, and no answer is expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tell {
    /// The layer that tells.
    pub layer: String,
    /// The step of its script.
    pub step: String,
    /// What is told, by name.
    pub shows: Vec<(String, String)>,
}

impl Tell {
    /// Something that is told, by its name.
    pub fn shown(&self, name: &str) -> Option<&str> {
        shown(&self.shows, name)
    }
}

/// Something elsewhere has to happen first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// The layer that waits.
    pub layer: String,
    /// The step of its script.
    pub step: String,
    /// What is waited for, by name.
    pub shows: Vec<(String, String)>,
    /// How long it is waited for.
    pub expires_in: Duration,
}

fn shown<'a>(shows: &'a [(String, String)], name: &str) -> Option<&'a str> {
    shows.iter().find(|(shown, _)| shown == name).map(|(_, value)| value.as_str())
}

/// The answering side gives up: nothing more is sent, and the climb ends.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Abort(String);

impl Abort {
    /// With the reason, for whoever called the climb.
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

/// Who answers the questions of a ladder: [`Credentials`](crate::Credentials), a person, or a test.
///
/// A question may take its time: the connection is kept alive meanwhile, and a question that the gate no longer waits for is
/// dropped.
pub trait Answers: Send {
    /// Answers that are sent before anything is asked: for gates that wait in silence for an offer.
    fn unprompted(&mut self) -> Vec<Answer> {
        Vec::new()
    }

    /// Answers a question. An answer without a kind gets the layer's name as its kind.
    fn ask<'a>(&'a mut self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, Abort>>;

    /// Chooses between layers.
    fn choose<'a>(&'a mut self, choose: &'a Choose) -> BoxFuture<'a, Result<Chosen, Abort>>;

    /// Hears what the gate tells.
    fn tell(&mut self, tell: &Tell) -> Result<(), Abort> {
        let _ = tell;
        Ok(())
    }

    /// Hears what the gate waits for.
    fn wait(&mut self, wait: &Wait) -> Result<(), Abort> {
        let _ = wait;
        Ok(())
    }

    /// Says something to the layer that waits, which has not asked: that it look again, for one. An answer without a kind gets the
    /// layer's name as its kind. By default nothing is ever said.
    ///
    /// While the gate waits, this is called again and again: after what was said is sent, and whenever the gate has said
    /// something. What was not ready by then is dropped, so it must not lose what it has taken.
    fn unasked<'a>(&'a mut self, wait: &'a Wait) -> BoxFuture<'a, Result<Answer, Abort>> {
        let _ = wait;
        Box::pin(std::future::pending())
    }
}
