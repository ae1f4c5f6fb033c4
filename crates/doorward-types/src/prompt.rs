use std::time::Duration;

/// Something that is shown to the user with a prompt, by name: a nonce, a glyph, a question.
pub type Shown = Vec<(&'static str, String)>;

/// What a ladder says to a user while it is climbed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prompt {
    /// An answer is expected.
    Ask {
        /// The layer that asks.
        layer: &'static str,
        /// The step of its script.
        step: &'static str,
        /// The fields that the answer should have.
        fields: &'static [&'static str],
        /// What the user needs to see in order to answer.
        shows: Shown,
        /// How long it is waited for.
        expires_in: Duration,
    },
    /// The user's next message names, by its kind, which of these layers it takes.
    Choose {
        /// The first layer of each alternative.
        of: Vec<&'static str>,
        /// Whether `skip` is a choice too.
        optional: bool,
        /// How long it is waited for.
        expires_in: Duration,
    },
    /// The user is told something and need not answer.
    Tell {
        /// The layer that tells.
        layer: &'static str,
        /// The step of its script.
        step: &'static str,
        /// What is told.
        shows: Shown,
    },
    /// Something elsewhere has to happen first.
    Wait {
        /// The layer that waits.
        layer: &'static str,
        /// The step of its script.
        step: &'static str,
        /// What is waited for, and by which way, as the layer words it.
        shows: Shown,
        /// How long it is waited for.
        expires_in: Duration,
    },
}
