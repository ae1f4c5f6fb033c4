//! App key: the user proves to hold a key, and does not show it.
//!
//! user   -> socket    send key
//! user   -> socket    send proof
//! socket              require proof
//!
//! The key that is sent first is the public id alone. The prompt for the proof shows a fresh nonce. With `plain`, over a
//! secure line, the whole key may be sent instead, and is its own proof:
//!
//! user   -> socket    send key
//! socket              require proof
//!
//! A key that nobody knows, and one that was revoked, take the same steps and are refused at the last.

use std::{sync::Arc, time::Duration};

use doorward_types::{GateName, KeyId, KeyText, OwnerId, Rest, Secret, Transcript};
use serde::Deserialize;

use crate::{
    Ask, BoxFuture, Claimant, Conversation, Layer, Level, Proof, Refusal,
    crypto::{base64url, ed25519_public, ed25519_verifies, from_base64url, hex, sha256},
    layers::MACHINE,
    ports::{AppKey, AppKeys, Bounded, Clock, Ports, Rng},
    settings::Span,
};

const REQUIRE: &str = "socket requires proof";

/// `{ app_key = { ... } }`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AppKeyConfig {
    /// Whether the whole key may be sent instead of a proof, over a secure line. Whoever sees it then has the key.
    pub plain: bool,
    /// How long each of the two answers is waited for.
    pub timeout: Span,
}

impl Default for AppKeyConfig {
    fn default() -> Self {
        Self { plain: false, timeout: MACHINE }
    }
}

/// A key as it is made: its text for the holder, and the public half, which is all that is kept.
#[derive(Debug)]
pub struct NewAppKey {
    /// `dwk_...`: shown once, stored nowhere.
    pub text: Secret,
    /// What the key is known by.
    pub id: KeyId,
    /// The Ed25519 public key (RFC 8032).
    pub public: [u8; 32],
}

impl NewAppKey {
    /// Draws a key of 256 bits.
    pub fn draw(rng: &dyn Rng) -> Self {
        let seed = rng.bytes32();
        let public = public_half(&Secret::new(seed));
        Self { text: KeyText::AppKey.write(&seed), id: id_of(&public), public }
    }

    /// Reads a key back from its text: whoever holds it computes id and public half from it.
    pub fn read(text: &str) -> Result<Self, doorward_types::UnreadableKey> {
        let public = public_half(&KeyText::AppKey.read(text)?);
        Ok(Self { text: Secret::from_text(text), id: id_of(&public), public })
    }
}

/// The public id of a key: the first 16 bytes of the SHA-256 of its public half, in lowercase hex.
pub fn id_of(public: &[u8; 32]) -> KeyId {
    KeyId::new(hex(&sha256(&[public])[..16]))
}

/// A seed has 32 bytes by its type wherever this is called; zeros are no public key of anybody's.
fn public_half(seed: &Secret) -> [u8; 32] {
    ed25519_public(seed).unwrap_or_default()
}

/// The bytes that the proof signs: purpose [`Transcript::APP_KEY`], then the fields `owner`, `gate`, `nonce` and `key`, in
/// this order, each as the text that was shown with the prompt or sent.
///
/// The answer's field `proof` is the Ed25519 signature (RFC 8032) over them, as base64url without padding. A user who knows
/// owner and gate compares them with those shown before signing: that is what keeps a stranger's gate from passing a
/// question on.
pub fn transcript(owner: &OwnerId, gate: &GateName, nonce: &str, key: &KeyId) -> Vec<u8> {
    Transcript::of(Transcript::APP_KEY)
        .field("owner", owner.as_str().as_bytes())
        .field("gate", gate.as_str().as_bytes())
        .field("nonce", nonce.as_bytes())
        .field("key", key.as_str().as_bytes())
        .into_bytes()
}

/// The layer.
pub struct AppKeyLayer {
    plain: bool,
    timeout: Duration,
    app_keys: Bounded<dyn AppKeys>,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    /// What a proof by an unknown key is verified against, so that it takes as long.
    nobody: [u8; 32],
}

impl AppKeyLayer {
    /// Looks keys up in that port.
    pub fn new(config: &AppKeyConfig, ports: &Ports) -> Self {
        Self {
            plain: config.plain,
            timeout: config.timeout.duration(),
            app_keys: ports.bounded("app keys", &ports.app_keys),
            clock: Arc::clone(&ports.clock),
            rng: Arc::clone(&ports.rng),
            nobody: NewAppKey::draw(ports.rng.as_ref()).public,
        }
    }

    /// The proof has to verify, and the key has to be known and not revoked: all of it is looked at in any case.
    async fn by_proof(&self, id: &KeyId, nonce: &str, proof: &[u8], claimant: &Claimant) -> Result<AppKey, Refusal> {
        let found = self.app_keys.ask(REQUIRE, |keys| keys.find(claimant.owner(), id)).await?;
        let public = found.as_ref().map_or(&self.nobody, |key| &key.public);
        let message = transcript(claimant.owner(), claimant.gate(), nonce, id);
        let verifies = ed25519_verifies(public, &message, proof);
        let key = known(found, id)?;
        if verifies { Ok(key) } else { Err(Refusal::credential(REQUIRE, format!("the proof of key {id} is wrong"))) }
    }

    /// The whole key was sent: its public half has to be the one that is known.
    async fn by_text(&self, text: &Secret, claimant: &Claimant) -> Result<AppKey, Refusal> {
        let seed = KeyText::AppKey.read(text.reveal_text("to derive the public half").unwrap_or_default());
        let form = seed.as_ref().err().copied();
        let public = public_half(&seed.unwrap_or_else(|_| Secret::new([0; 32])));
        let id = id_of(&public);
        let found = self.app_keys.ask(REQUIRE, |keys| keys.find(claimant.owner(), &id)).await?;
        if !claimant.is_secure() {
            return Err(Refusal::credential(REQUIRE, "the whole key came over a line that others can read: revoke it"));
        }
        if let Some(form) = form {
            return Err(Refusal::credential(REQUIRE, form));
        }
        let key = known(found, &id)?;
        if key.public == public { Ok(key) } else { Err(Refusal::credential(REQUIRE, "another public half is known")) }
    }

    /// Verdict of the last step: the key's holder is proven, or it is refused.
    fn prove(
        &self,
        key: Result<AppKey, Refusal>,
        amr: &'static [&'static str],
        level: Level,
        claimant: &mut Claimant,
    ) -> Result<(), Refusal> {
        let key = key?;
        let rests_on = vec![Rest::on("key", key.id.as_str())];
        let proof = Proof { subject: Some(key.subject), amr, level, rests_on, ..Proof::default() };
        claimant.prove(self.name(), self.clock.now(), proof)
    }
}

fn known(found: Option<AppKey>, id: &KeyId) -> Result<AppKey, Refusal> {
    let id = id.as_str();
    match found {
        None if id.is_empty() => Err(Refusal::credential(REQUIRE, "what was sent is not the id of a key")),
        None => Err(Refusal::credential(REQUIRE, format!("no key {id} is known"))),
        Some(AppKey { revoked_at: Some(at), .. }) => {
            Err(Refusal::credential(REQUIRE, format!("key {id} was revoked at {at}")))
        }
        Some(key) => Ok(key),
    }
}

impl Layer for AppKeyLayer {
    fn name(&self) -> &'static str {
        "app_key"
    }

    fn gives_identity(&self) -> bool {
        true
    }

    fn unprompted_answers(&self) -> Option<usize> {
        self.plain.then_some(1)
    }

    fn verify<'a>(
        &'a self,
        conversation: &'a mut Conversation,
        claimant: &'a mut Claimant,
    ) -> BoxFuture<'a, Result<(), Refusal>> {
        Box::pin(async move {
            let answer = conversation.ask("user sends key", Ask::for_fields(&["key"], self.timeout)).await?;
            let text = answer.field("key").cloned().unwrap_or_else(|| Secret::from_text(""));
            let is_whole = text.reveal("to see its prefix").starts_with(KeyText::AppKey.prefix().as_bytes());
            if is_whole && self.plain {
                let key = self.by_text(&text, claimant).await;
                let proven = self.prove(key, &["key"], Level::Low, claimant);
                return conversation.hold(REQUIRE, proven);
            }
            // Whatever has not the form of an id may be a key, or a token: it is treated as an id that nobody has, and must not
            // get into the log.
            let id = match text.reveal_text("an id is public") {
                Some(id) if id.len() == 32 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) => {
                    KeyId::new(id)
                }
                _ => KeyId::new(""),
            };
            let nonce = base64url(&self.rng.bytes32());
            let ask = Ask::for_fields(&["proof"], self.timeout)
                .showing("nonce", nonce.as_str())
                .showing("owner", claimant.owner().as_str())
                .showing("gate", claimant.gate().as_str());
            let answer = conversation.ask("user sends proof", ask).await?;
            let proof = answer.text("proof", "a signature is public").and_then(from_base64url).unwrap_or_default();
            let key = self.by_proof(&id, &nonce, &proof, claimant).await;
            let proven = self.prove(key, &["pop", "swk"], Level::Substantial, claimant);
            conversation.hold(REQUIRE, proven)
        })
    }
}
