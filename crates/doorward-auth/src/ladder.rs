use std::{fmt, sync::Arc};

use crate::{
    HandshakeLayer, Layer,
    trail::{Outcome, RungTrail},
};

/// When a failed layer ends the climb.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verdict {
    /// The first layer that fails ends the climb.
    #[default]
    Each,
    /// A failed claimant climbs on as nobody and is refused at the end: which layer failed cannot be told from outside.
    End,
}

/// One layer on a ladder, of either sort.
#[derive(Clone)]
pub enum Step {
    /// Answered from the upgrade request.
    Handshake(Arc<dyn HandshakeLayer>),
    /// Talks over the open socket.
    Conversation(Arc<dyn Layer>),
}

impl Step {
    /// A handshake layer as a step.
    pub fn handshake(layer: impl HandshakeLayer + 'static) -> Self {
        Self::Handshake(Arc::new(layer))
    }

    /// A conversation layer as a step.
    pub fn conversation(layer: impl Layer + 'static) -> Self {
        Self::Conversation(Arc::new(layer))
    }

    /// The layer's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Handshake(layer) => layer.name(),
            Self::Conversation(layer) => layer.name(),
        }
    }

    pub(crate) fn is_handshake(&self) -> bool {
        matches!(self, Self::Handshake(_))
    }

    fn talking(&self) -> Option<&Arc<dyn Layer>> {
        match self {
            Self::Conversation(layer) => Some(layer),
            Self::Handshake(_) => None,
        }
    }

    fn gives_identity(&self) -> bool {
        match self {
            Self::Handshake(layer) => layer.gives_identity(),
            Self::Conversation(layer) => layer.gives_identity(),
        }
    }

    /// Whether it needs what only a request can show. A handshake layer that proves nobody passes whoever shows nothing.
    fn is_shown(&self) -> bool {
        self.is_handshake() && self.gives_identity()
    }

    fn needs_identity(&self) -> bool {
        match self {
            Self::Handshake(_) => false,
            Self::Conversation(layer) => layer.needs_identity(),
        }
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One item of a ladder.
#[derive(Clone)]
pub enum Rung {
    /// A layer that everybody has to pass.
    One(Step),
    /// Alternatives: the user takes one branch, and passes all of it.
    Any(Vec<Vec<Step>>),
    /// Layers that the user may take or skip; what was taken shows in the evidence.
    Optional(Vec<Arc<dyn Layer>>),
}

impl Rung {
    fn is_handshake(&self) -> bool {
        match self {
            Self::One(step) => step.is_handshake(),
            Self::Any(branches) => branches.iter().flatten().all(Step::is_handshake),
            Self::Optional(_) => false,
        }
    }

    /// As [`Ladder::only_from_a_request`].
    fn only_from_a_request(&self) -> Option<&'static str> {
        let shown = |branch: &Vec<Step>| branch.iter().find(|step| step.is_shown()).map(Step::name);
        match self {
            Self::One(step) => step.is_shown().then(|| step.name()),
            Self::Any(branches) => {
                // One way round is enough.
                let shown: Option<Vec<_>> = branches.iter().map(shown).collect();
                shown?.first().copied()
            }
            Self::Optional(_) => None,
        }
    }

    /// Its layers that talk.
    fn talking(&self) -> Vec<&Arc<dyn Layer>> {
        match self {
            Self::One(step) => step.talking().into_iter().collect(),
            Self::Any(branches) => branches.iter().flatten().filter_map(Step::talking).collect(),
            Self::Optional(layers) => layers.iter().collect(),
        }
    }

    /// Whether whoever is past this rung has a proven subject.
    fn gives_identity(&self) -> bool {
        match self {
            Self::One(step) => step.gives_identity(),
            Self::Any(branches) => branches.iter().all(|branch| branch.iter().any(Step::gives_identity)),
            Self::Optional(_) => false,
        }
    }
}

impl fmt::Display for Rung {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(step) => f.write_str(step.name()),
            Self::Any(branches) => {
                let names = |branch: &Vec<Step>| branch.iter().map(Step::name).collect::<Vec<_>>().join(" + ");
                let mut names: Vec<String> = branches.iter().map(names).collect();
                // A layer that is answered from the request or over the socket is a branch for either, and one thing to its reader.
                names.dedup();
                match names.as_slice() {
                    [only] => f.write_str(only),
                    names => write!(f, "any of {}", names.join(" | ")),
                }
            }
            Self::Optional(layers) => {
                write!(f, "optional {}", layers.iter().map(|layer| layer.name()).collect::<Vec<_>>().join(", "))
            }
        }
    }
}

impl fmt::Debug for Rung {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A ladder that cannot be climbed in a sensible way. Rungs are counted from 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LadderError {
    /// There is no rung.
    #[error("a ladder needs at least one layer; to let everybody in, say so with `open = true`")]
    Empty,
    /// `any` without a branch, a branch without a layer, or `optional` without a layer.
    #[error("rung {rung} has an empty list of layers")]
    EmptyRung {
        /// Which.
        rung: usize,
    },
    /// Two branches of an `any` begin with the same layer, so the user could not name one.
    #[error("two branches of `any` at rung {rung} begin with `{layer}`; each has to begin with another layer")]
    SameBeginning {
        /// Which.
        rung: usize,
        /// The layer.
        layer: &'static str,
    },
    /// A handshake layer stands below a conversation layer.
    #[error(
        "`{layer}` at rung {rung} is answered from the upgrade request and has to stand above the layers that talk"
    )]
    HandshakeBelow {
        /// Which.
        rung: usize,
        /// The layer.
        layer: &'static str,
    },
    /// A layer needs to know who the user is, and no layer above tells.
    #[error("`{layer}` at rung {rung} needs to know who the user is, and no layer above it proves that")]
    NeedsIdentity {
        /// Which.
        rung: usize,
        /// The layer.
        layer: &'static str,
    },
}

/// The ordered layers of a gate. It is never empty by accident: an open one has to be spelled out.
#[derive(Clone, Debug)]
pub struct Ladder {
    rungs: Vec<Rung>,
    verdict: Verdict,
}

impl Ladder {
    /// A ladder of these rungs, top first.
    pub fn new(rungs: Vec<Rung>) -> Result<Self, LadderError> {
        if rungs.is_empty() {
            return Err(LadderError::Empty);
        }
        let (mut talks, mut known) = (false, false);
        for (at, rung) in rungs.iter().enumerate() {
            check_lists(at, rung)?;
            check_order(at, rung, talks)?;
            check_identity(at, rung, known)?;
            talks |= !rung.is_handshake();
            known |= rung.gives_identity();
        }
        Ok(Self { rungs, verdict: Verdict::Each })
    }

    /// A ladder without layers: everybody gets in.
    pub fn open_to_everyone() -> Self {
        Self { rungs: Vec::new(), verdict: Verdict::Each }
    }

    /// When a failed layer ends the climb.
    #[must_use]
    pub fn with_verdict(mut self, verdict: Verdict) -> Self {
        self.verdict = verdict;
        self
    }

    /// Whether everybody gets in.
    pub fn is_open(&self) -> bool {
        self.rungs.is_empty()
    }

    /// Whether every layer is answered from the upgrade request, so that the verdict falls before the 101.
    pub fn is_decided_at_handshake(&self) -> bool {
        self.rungs.iter().all(Rung::is_handshake)
    }

    /// The layer that keeps everybody out who has sent no upgrade request: it proves who somebody is by what a request shows, and
    /// there is no way past it. `None` where there is none.
    pub fn only_from_a_request(&self) -> Option<&'static str> {
        self.rungs.iter().find_map(Rung::only_from_a_request)
    }

    /// The rungs, top first.
    pub fn rungs(&self) -> &[Rung] {
        &self.rungs
    }

    /// The layer of that name which talks: one that can be asked again over an open socket.
    pub fn talking(&self, name: &str) -> Option<&Arc<dyn Layer>> {
        self.rungs.iter().flat_map(Rung::talking).find(|layer| layer.name() == name)
    }

    /// Each rung in words, top first: `session`, `totp or key_entry`.
    pub fn in_words(&self) -> Vec<String> {
        self.rungs.iter().map(ToString::to_string).collect()
    }

    pub(crate) fn verdict(&self) -> Verdict {
        self.verdict
    }

    pub(crate) fn outline(&self) -> Vec<RungTrail> {
        self.rungs
            .iter()
            .map(|rung| RungTrail { rung: rung.to_string(), outcome: Outcome::NotReached, steps: Vec::new() })
            .collect()
    }
}

fn check_lists(rung: usize, what: &Rung) -> Result<(), LadderError> {
    let empty = match what {
        Rung::One(_) => false,
        Rung::Any(branches) => branches.is_empty() || branches.iter().any(Vec::is_empty),
        Rung::Optional(layers) => layers.is_empty(),
    };
    if empty {
        return Err(LadderError::EmptyRung { rung });
    }
    let mut beginnings: Vec<&'static str> = match what {
        Rung::One(_) => Vec::new(),
        // Branches that only look at the request are tried in turn; the user does not name them.
        Rung::Any(branches) => branches
            .iter()
            .filter_map(|branch| branch.iter().find(|step| !step.is_handshake()))
            .map(Step::name)
            .collect(),
        Rung::Optional(layers) => layers.iter().map(|layer| layer.name()).collect(),
    };
    beginnings.sort_unstable();
    match beginnings.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(LadderError::SameBeginning { rung, layer: pair[0] }),
        None => Ok(()),
    }
}

fn check_order(rung: usize, what: &Rung, talks: bool) -> Result<(), LadderError> {
    let below = |steps: &[Step], mut talks: bool| {
        for step in steps {
            if step.is_handshake() && talks {
                return Err(LadderError::HandshakeBelow { rung, layer: step.name() });
            }
            talks |= !step.is_handshake();
        }
        Ok(())
    };
    match what {
        Rung::One(step) => below(std::slice::from_ref(step), talks),
        Rung::Any(branches) => branches.iter().try_for_each(|branch| below(branch, talks)),
        Rung::Optional(_) => Ok(()),
    }
}

fn check_identity(rung: usize, what: &Rung, known: bool) -> Result<(), LadderError> {
    let unknown = |steps: &[Step]| {
        let mut known = known;
        for step in steps {
            if step.needs_identity() && !known {
                return Err(LadderError::NeedsIdentity { rung, layer: step.name() });
            }
            known |= step.gives_identity();
        }
        Ok(())
    };
    match what {
        Rung::One(step) => unknown(std::slice::from_ref(step)),
        Rung::Any(branches) => branches.iter().try_for_each(|branch| unknown(branch)),
        Rung::Optional(layers) => layers.iter().try_for_each(|layer| unknown(&[Step::Conversation(Arc::clone(layer))])),
    }
}
