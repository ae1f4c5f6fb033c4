use std::future::{pending, ready};

use doorward_types::{Answer, Secret};

use crate::{
    Abort, Answers, Ask, BoxFuture, Choose, Chosen, Tell, Wait,
    proof::{AppKey, answer_challenge, challenge_secret},
};

/// Answers by itself what a machine can answer, and hands the rest to somebody else.
///
/// | layer | what it takes |
/// | --- | --- |
/// | `jwt` | a token |
/// | `ticket` | a ticket, where it is asked for over the socket |
/// | `app_key` | `dwk_...`: the key signs the gate's nonce and is not sent |
/// | `challenge` | `dwc_...`: picks the part and proves the secret |
/// | `ident` | the glyph that is expected; another one ends the climb |
/// | `offer` | what is sent without being asked |
///
/// Name the gate with [`at_gate`](Self::at_gate) where you know it: then nothing is signed for another one, and a stranger's
/// gate cannot pass your answers on.
#[derive(Default)]
pub struct Credentials {
    jwt: Option<Secret>,
    ticket: Option<Secret>,
    app_key: Option<AppKey>,
    challenge: Option<Secret>,
    glyph: Option<String>,
    recognised: bool,
    gate: Option<(String, String)>,
    offers: Vec<Answer>,
    otherwise: Option<Box<dyn Answers>>,
}

impl Credentials {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A signed token.
    #[must_use]
    pub fn jwt(self, token: Secret) -> Self {
        Self { jwt: Some(token), ..self }
    }

    /// A one-time ticket for gates that ask for it over the socket. For all others: [`Options::ticket`](crate::Options).
    #[must_use]
    pub fn ticket(self, ticket: Secret) -> Self {
        Self { ticket: Some(ticket), ..self }
    }

    /// An app key, as its text `dwk_...`.
    ///
    /// # Errors
    /// Where the text is no app key; it is not repeated.
    pub fn app_key(self, text: &str) -> Result<Self, Abort> {
        Ok(Self { app_key: Some(AppKey::read(text)?), ..self })
    }

    /// The secret of a challenge, as its text `dwc_...` or as at least 32 hexadecimal digits.
    ///
    /// # Errors
    /// Where the text is neither; it is not repeated.
    pub fn challenge(self, text: &str) -> Result<Self, Abort> {
        Ok(Self { challenge: Some(challenge_secret(text)?), ..self })
    }

    /// What the gate has to show of itself.
    #[must_use]
    pub fn glyph(self, glyph: impl Into<String>) -> Self {
        Self { glyph: Some(glyph.into()), ..self }
    }

    /// The gate that this is meant for. Nothing is signed for another one.
    #[must_use]
    pub fn at_gate(self, owner: impl Into<String>, gate: impl Into<String>) -> Self {
        Self { gate: Some((owner.into(), gate.into())), ..self }
    }

    /// An answer that is sent at once, without being asked; after those that were added before.
    #[must_use]
    pub fn offer(mut self, answer: Answer) -> Self {
        self.offers.push(answer);
        self
    }

    /// Who answers all else: a person.
    #[must_use]
    pub fn otherwise(self, answers: impl Answers + 'static) -> Self {
        Self { otherwise: Some(Box::new(answers)), ..self }
    }

    /// The answer to a question, where it can be given; `None` for somebody else.
    fn known(&self, ask: &Ask) -> Result<Option<Answer>, Abort> {
        let fields: Vec<&str> = ask.fields.iter().map(String::as_str).collect();
        let answer = Answer::to_layer(ask.layer.as_str());
        Ok(match (ask.layer.as_str(), fields.as_slice()) {
            ("jwt", ["token"]) => self.jwt.clone().map(|token| answer.with("token", token)),
            ("ticket", ["ticket"]) => self.ticket.clone().map(|ticket| answer.with("ticket", ticket)),
            ("app_key", ["key"]) => self.app_key.as_ref().map(|key| answer.with_text("key", key.id.as_str())),
            ("app_key", ["proof"]) => match &self.app_key {
                Some(key) => {
                    let (owner, gate) = (wanted(ask, "owner")?, wanted(ask, "gate")?);
                    self.require_gate(Some(owner), gate)?;
                    Some(answer.with_text("proof", key.sign(owner, gate, wanted(ask, "nonce")?)))
                }
                None => None,
            },
            ("challenge", ["partial", "proof"]) => match &self.challenge {
                Some(secret) => {
                    let gate = wanted(ask, "gate")?;
                    self.require_gate(None, gate)?;
                    let (nonce, statement) = (wanted(ask, "nonce")?, wanted(ask, "statement")?);
                    answer_challenge(secret, gate, nonce, statement)
                        .map(|(partial, proof)| answer.with_text("partial", partial).with_text("proof", proof))
                }
                None => None,
            },
            ("ident", ["accept"]) if self.recognised => Some(answer.with_text("accept", "yes")),
            _ => None,
        })
    }

    fn require_gate(&self, owner: Option<&str>, gate: &str) -> Result<(), Abort> {
        match &self.gate {
            Some((my_owner, my_gate)) if *my_gate != gate || owner.is_some_and(|owner| owner != my_owner) => {
                Err(Abort::new(format!(
                    "the gate calls itself `{}`, not `{my_gate}`: nothing was signed for it",
                    gate.escape_debug()
                )))
            }
            _ => Ok(()),
        }
    }

    /// The first answer to a layer, where the layer can be taken; a layer that shows something first is taken by its name.
    fn first_answer(&self, layer: &str) -> Option<Answer> {
        let answer = Answer::to_layer(layer);
        match layer {
            "jwt" => self.jwt.clone().map(|token| answer.with("token", token)),
            "ticket" => self.ticket.clone().map(|ticket| answer.with("ticket", ticket)),
            "app_key" => self.app_key.as_ref().map(|key| answer.with_text("key", key.id.as_str())),
            "challenge" => self.challenge.as_ref().map(|_| answer),
            "ident" => self.glyph.as_ref().map(|_| answer),
            _ => None,
        }
    }
}

/// What a gate has to show for a proof to be possible.
fn wanted<'a>(ask: &'a Ask, name: &str) -> Result<&'a str, Abort> {
    ask.shown(name).ok_or_else(|| Abort::new(format!("{} asks for a proof and shows no `{name}`", ask.layer)))
}

impl Answers for Credentials {
    fn unprompted(&mut self) -> Vec<Answer> {
        let mut offers = std::mem::take(&mut self.offers);
        if let Some(otherwise) = &mut self.otherwise {
            offers.extend(otherwise.unprompted());
        }
        offers
    }

    fn ask<'a>(&'a mut self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, Abort>> {
        match self.known(ask) {
            Ok(Some(answer)) => Box::pin(ready(Ok(answer))),
            Err(abort) => Box::pin(ready(Err(abort))),
            Ok(None) => match &mut self.otherwise {
                Some(otherwise) => otherwise.ask(ask),
                None => {
                    let wanted = ask.fields.join("`, `");
                    let said =
                        format!("the gate asks for `{wanted}` ({}: {}), which is not at hand", ask.layer, ask.step);
                    Box::pin(ready(Err(Abort::new(said))))
                }
            },
        }
    }

    fn choose<'a>(&'a mut self, choose: &'a Choose) -> BoxFuture<'a, Result<Chosen, Abort>> {
        if let Some(answer) = choose.of.iter().find_map(|layer| self.first_answer(layer)) {
            return Box::pin(ready(Ok(Chosen::Take(answer))));
        }
        match &mut self.otherwise {
            Some(otherwise) => otherwise.choose(choose),
            None if choose.optional => Box::pin(ready(Ok(Chosen::Skip))),
            None => {
                let of = choose.of.join("`, `");
                let said = format!("the gate takes `{of}`, and none of them is at hand");
                Box::pin(ready(Err(Abort::new(said))))
            }
        }
    }

    fn tell(&mut self, tell: &Tell) -> Result<(), Abort> {
        if let (Some(expected), "ident", Some(shown)) = (&self.glyph, tell.layer.as_str(), tell.shown("glyph")) {
            if expected != shown {
                let shown = shown.escape_debug();
                return Err(Abort::new(format!(
                    "the gate shows `{shown}` of itself, not `{expected}`: it may be another"
                )));
            }
            self.recognised = true;
        }
        self.otherwise.as_mut().map_or(Ok(()), |otherwise| otherwise.tell(tell))
    }

    fn wait(&mut self, wait: &Wait) -> Result<(), Abort> {
        self.otherwise.as_mut().map_or(Ok(()), |otherwise| otherwise.wait(wait))
    }

    fn unasked<'a>(&'a mut self, wait: &'a Wait) -> BoxFuture<'a, Result<Answer, Abort>> {
        match &mut self.otherwise {
            Some(otherwise) => otherwise.unasked(wait),
            None => Box::pin(pending()),
        }
    }
}
