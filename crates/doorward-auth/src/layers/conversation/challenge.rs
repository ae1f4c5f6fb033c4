//! Challenge: the socket poses a statement; the user picks the right part of it, and proves to hold a secret.
//!
//! user   -> socket    send partial and proof
//! socket              require partial and proof
//!
//! The prompt shows the statement, a fresh nonce and the gate. Which word is the right one follows from the nonce and the
//! secret, so only who holds the secret can tell; the secret itself is never sent.
//!
//! With `variant = "words"`, for people: the prompt names two words of a phrase that the user knows.
//!
//! user   -> socket    send words
//! socket              require words
//!
//! That keeps strangers out. It proves little: whoever listens to a few answers knows the phrase.

use std::{path::PathBuf, sync::Arc, time::Duration};

use doorward_types::{GateName, KeyText, Secret, Transcript};
use serde::Deserialize;

use crate::{
    Ask, BoxFuture, Claimant, Conversation, Layer, Level, Proof, Refusal,
    crypto::{base64url, from_base64url, hmac_sha256},
    ports::{Clock, Ports, Rng},
    settings::{SecretText, Span},
};

/// How long a nonce lives at most.
pub(crate) const LONGEST: Span = Span::from_secs(30);

/// How a challenge is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Variant {
    /// By a machine, with a proof over what was posed: the secret itself is never sent.
    #[default]
    Proof,
    /// By a person, with two words out of a phrase that they know. Proves little; keeps strangers out.
    Words,
}

/// `{ challenge = { ... } }`
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ChallengeConfig {
    /// `proof` (default) or `words`.
    pub variant: Variant,
    /// For `proof`: the secret that the server made (`dwc_...`), or at least 32 hexadecimal digits.
    pub secret: Option<SecretText>,
    /// The file that holds the secret.
    pub secret_file: Option<PathBuf>,
    /// For `words`: the phrase that the user knows, at least four words.
    pub words: Option<SecretText>,
    /// The file that holds the phrase.
    pub words_file: Option<PathBuf>,
    /// How long the answer is waited for: 30 s where it is left out, which is also the most for `proof`; 60 s for `words`.
    pub timeout: Option<Span>,
}

/// Why a text is not a secret of a challenge. It never repeats the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakSecret {
    /// It has the prefix of a generated secret and is none.
    #[error("{0}")]
    Unreadable(doorward_types::UnreadableKey),
    /// It has fewer than 128 bits, or was made up by a person.
    #[error(
        "a secret that the server made (`dwc_...`) or at least 32 hexadecimal digits is needed, not a word of a person's"
    )]
    NotGenerated,
    /// A phrase with too few words.
    #[error("a phrase needs at least four words")]
    TooFewWords,
}

/// Draws a secret of 256 bits for a challenge: `dwc_...`
pub fn draw_secret(rng: &dyn Rng) -> Secret {
    KeyText::Challenge.write(&rng.bytes32())
}

/// The key of the HMACs: the 32 bytes of a `dwc_...` text, or the bytes that hexadecimal digits stand for.
pub fn read_secret(text: &Secret) -> Result<Secret, WeakSecret> {
    let text = text.reveal_text("to read it").ok_or(WeakSecret::NotGenerated)?.trim();
    if text.starts_with(KeyText::Challenge.prefix()) {
        return KeyText::Challenge.read(text).map_err(WeakSecret::Unreadable);
    }
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let pairs = text.as_bytes().chunks_exact(2).map(|pair| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    });
    match pairs.collect::<Option<Vec<u8>>>() {
        Some(bytes) if bytes.len() >= 16 && text.len() == 2 * bytes.len() => Ok(Secret::new(bytes)),
        _ => Err(WeakSecret::NotGenerated),
    }
}

/// Which word of a statement of `words` words is the right one, counted from 0.
///
/// HMAC-SHA-256 over the purpose [`Transcript::CHALLENGE_PICK`] and the fields `gate` and `nonce`, in this order, each as the
/// text that was shown; its first eight bytes as a big-endian number, modulo the number of words.
pub fn pick(secret: &Secret, gate: &GateName, nonce: &str, words: usize) -> usize {
    let transcript = Transcript::of(Transcript::CHALLENGE_PICK)
        .field("gate", gate.as_str().as_bytes())
        .field("nonce", nonce.as_bytes());
    let mac = hmac_sha256(secret, &transcript.into_bytes());
    let number = mac.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    usize::try_from(number % words.max(1) as u64).unwrap_or(0)
}

/// The proof: HMAC-SHA-256 over the purpose [`Transcript::CHALLENGE`] and the fields `gate`, `nonce`, `statement` and
/// `partial`, in this order, each as the text that was shown or is sent. It is sent as base64url without padding.
pub fn proof(secret: &Secret, gate: &GateName, nonce: &str, statement: &str, partial: &str) -> [u8; 32] {
    let transcript = Transcript::of(Transcript::CHALLENGE)
        .field("gate", gate.as_str().as_bytes())
        .field("nonce", nonce.as_bytes())
        .field("statement", statement.as_bytes())
        .field("partial", partial.as_bytes());
    hmac_sha256(secret, &transcript.into_bytes())
}

/// What statements are made of: words apart from the nonce, which is the last one.
const WORDS: [&str; 64] = [
    "acorn", "alder", "amber", "anvil", "apple", "arrow", "aspen", "badge", "basil", "beach", "birch", "bloom",
    "brook", "cabin", "candle", "canoe", "cedar", "chalk", "cliff", "cloud", "clover", "coral", "crane", "delta",
    "ember", "fable", "falcon", "feather", "fern", "flint", "forest", "garnet", "glade", "grove", "harbor", "hazel",
    "heron", "island", "ivory", "jasper", "juniper", "lantern", "larch", "linen", "lotus", "maple", "marble", "meadow",
    "mint", "moss", "oak", "ocean", "olive", "orchid", "pebble", "pine", "quartz", "raven", "reed", "sage", "silver",
    "thistle", "velvet", "willow",
];

/// How many words a statement has before the nonce.
const STATEMENT: usize = 8;

/// The layer, answered by machines.
pub struct Challenge {
    secret: Secret,
    timeout: Duration,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
}

impl Challenge {
    /// With the key of the HMACs; see [`read_secret`]. A nonce lives for `timeout`.
    pub fn new(secret: Secret, timeout: Duration, ports: &Ports) -> Self {
        Self { secret, timeout, clock: Arc::clone(&ports.clock), rng: Arc::clone(&ports.rng) }
    }
}

impl Layer for Challenge {
    fn name(&self) -> &'static str {
        "challenge"
    }

    fn verify<'a>(
        &'a self,
        conversation: &'a mut Conversation,
        claimant: &'a mut Claimant,
    ) -> BoxFuture<'a, Result<(), Refusal>> {
        Box::pin(async move {
            let gate = claimant.gate().clone();
            let nonce = base64url(&self.rng.bytes32());
            let mut words: Vec<&str> = self
                .rng
                .bytes16()
                .iter()
                .take(STATEMENT)
                .filter_map(|byte| WORDS.get(usize::from(byte % 64)))
                .copied()
                .collect();
            words.push(&nonce);
            let statement = words.join(" ");
            let ask = Ask::for_fields(&["partial", "proof"], self.timeout)
                .showing("statement", statement.as_str())
                .showing("nonce", nonce.as_str())
                .showing("gate", gate.as_str());
            let answer = conversation.ask("user sends partial and proof", ask).await?;
            let picked = words.get(pick(&self.secret, &gate, &nonce, words.len())).copied().unwrap_or_default();
            // Both are looked at before the verdict, and the proof has to be over the right part.
            let partial = answer.field("partial").is_some_and(|partial| partial.same_as(picked.as_bytes()));
            let given = answer.text("proof", "a code over public texts").and_then(from_base64url).unwrap_or_default();
            let proof = Secret::new(proof(&self.secret, &gate, &nonce, &statement, picked)).same_as(&given);
            let otherwise = match (partial, proof) {
                (false, false) => "partial and proof are wrong",
                (false, true) => "the partial is wrong",
                (true, _) => "the proof is wrong",
            };
            conversation.require("socket requires partial and proof", partial & proof, otherwise)?;
            let proof = Proof { amr: &["pop"], level: Level::Substantial, ..Proof::default() };
            claimant.prove(self.name(), self.clock.now(), proof)
        })
    }
}

/// The layer, answered by people.
pub struct Words {
    phrase: Vec<Secret>,
    timeout: Duration,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
}

impl Words {
    /// With the phrase that users know.
    pub fn new(phrase: &Secret, timeout: Duration, ports: &Ports) -> Result<Self, WeakSecret> {
        let phrase = phrase.reveal_text("to split it into words").unwrap_or_default().to_lowercase();
        let phrase: Vec<_> = phrase.split_whitespace().map(Secret::from_text).collect();
        if phrase.len() < 4 {
            return Err(WeakSecret::TooFewWords);
        }
        Ok(Self { phrase, timeout, clock: Arc::clone(&ports.clock), rng: Arc::clone(&ports.rng) })
    }

    /// Two different places, the earlier one first, counted from 0.
    fn two_places(&self) -> (usize, usize) {
        let count = self.phrase.len();
        let [a, b, ..] = self.rng.bytes16().map(usize::from);
        let first = a % count;
        let second = (first + 1 + b % (count - 1)) % count;
        (first.min(second), first.max(second))
    }
}

impl Layer for Words {
    fn name(&self) -> &'static str {
        "challenge"
    }

    fn verify<'a>(
        &'a self,
        conversation: &'a mut Conversation,
        claimant: &'a mut Claimant,
    ) -> BoxFuture<'a, Result<(), Refusal>> {
        Box::pin(async move {
            let (first, second) = self.two_places();
            let statement = format!("Send words {} and {} of the phrase, in this order.", first + 1, second + 1);
            let ask = Ask::for_fields(&["words"], self.timeout).showing("statement", statement);
            let answer = conversation.ask("user sends words", ask).await?;
            let given = answer.text("words", "to split it into words").unwrap_or_default().to_lowercase();
            let given: Vec<&str> = given.split_whitespace().collect();
            let right = [first, second].into_iter().enumerate().fold(given.len() == 2, |right, (at, place)| {
                let word = given.get(at).copied().unwrap_or_default();
                right & self.phrase.get(place).is_some_and(|known| known.same_as(word.as_bytes()))
            });
            conversation.require("socket requires words", right, "the words are wrong")?;
            let proof = Proof { amr: &["kba"], level: Level::None, ..Proof::default() };
            claimant.prove(self.name(), self.clock.now(), proof)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_generated_secret_of_128_bits_or_more_is_taken() {
        let read = |text: &str| read_secret(&Secret::from_text(text));
        assert!(
            read("000102030405060708090a0b0c0d0e0f").unwrap().same_as(&std::array::from_fn::<u8, 16, _>(|i| i as u8))
        );
        assert!(read("000102030405060708090A0B0C0D0E0F\n").is_ok());
        let made = KeyText::Challenge.write(&[7; 32]);
        assert!(read_secret(&made).unwrap().same_as(&[7; 32]));
        for text in
            ["", "correct horse battery staple", "000102030405060708090a0b0c0d0e", "000102030405060708090a0b0c0d0e0f0"]
        {
            assert_eq!(read(text), Err(WeakSecret::NotGenerated), "{text}");
        }
        assert!(matches!(read("dwc_0001"), Err(WeakSecret::Unreadable(_))));
    }

    #[test]
    fn the_word_list_has_no_doubles_and_no_spaces() {
        let mut words = WORDS.to_vec();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), 64);
        assert!(words.iter().all(|word| word.bytes().all(|byte| byte.is_ascii_lowercase())));
    }
}
