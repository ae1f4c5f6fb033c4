use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use doorward_types::{OwnerId, Secret};

use super::{
    RungConfig, SiteTools,
    conversation::{
        app_key::AppKeyLayer,
        assert_login::{self, AssertLogin, AssertLoginConfig, Who},
        authenticator::{Authenticated, AuthenticatorConfig},
        challenge::{self, Challenge, ChallengeConfig, Variant, WeakSecret, Words},
        ident::{Ident, IdentConfig},
        jwt::{Jwt, JwtConfig},
        key_entry::KeyEntryLayer,
        offer::{Offer, OfferConfig},
        password::PasswordLayer,
        ticket::TicketInMessage,
        totp::TotpLayer,
    },
    handshake::{
        bearer::Bearer,
        origin::Origins,
        session::SessionInRequest,
        ticket::{TicketConfig, TicketInRequest},
    },
};
use crate::{
    Layer, OnExpiry, Rung, Step, TicketVia,
    ports::{Authenticator, Ports},
    settings::{NoSecret, ReadSecret, SecretText, Span, secret_of},
    token::Issuer,
};

/// What the rungs of a ladder are built with.
pub struct BuildContext<'a> {
    /// Whose gate it is: issuers of other owners do not count.
    pub owner: OwnerId,
    /// Clock, random numbers and stores.
    pub ports: Ports,
    /// The issuers of tokens, by name.
    pub issuers: &'a BTreeMap<String, Arc<Issuer>>,
    /// The claims that rules name: of a token only these are kept.
    pub kept_claims: Arc<[String]>,
    /// The authenticators that the embedding application has registered, by kind.
    pub authenticators: &'a BTreeMap<String, Arc<dyn Authenticator>>,
    /// How the file of a secret is read.
    pub read_secret: ReadSecret<'a>,
    /// The pages that may open a socket at the gate: those whose cookies count.
    pub origins: &'a Origins,
    /// What happens when a token expires of which its layer does not say it.
    pub on_expiry: OnExpiry,
    /// The built-in site of the owner, where there is one.
    pub site: Option<&'a SiteTools>,
}

/// A rung cannot be built: where inside of it, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct BuildError {
    /// The place inside the rung: `any[0][1].challenge.secret`.
    pub place: String,
    /// What is wrong.
    pub problem: Problem,
}

impl BuildError {
    fn at(place: impl Into<String>, problem: impl Into<Problem>) -> Self {
        Self { place: place.into(), problem: problem.into() }
    }

    fn below(self, place: impl std::fmt::Display) -> Self {
        let place = if self.place.is_empty() { place.to_string() } else { format!("{place}.{}", self.place) };
        Self { place, ..self }
    }
}

/// What is wrong with a rung.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// `any` or `optional` inside of another.
    #[error("`{0}` cannot stand inside of another list of layers")]
    Nested(&'static str),
    /// A list without layers.
    #[error("the list is empty")]
    EmptyList,
    /// A handshake layer where only layers that talk make sense.
    #[error("`{0}` is answered from the upgrade request and cannot stand here")]
    DoesNotTalk(&'static str),
    /// A part of an offer that needs a prompt.
    #[error("`{0}` needs a prompt, and an offer is made without")]
    NeedsPrompt(&'static str),
    /// No issuer of the owner goes by that name.
    #[error("there is no issuer `{name}`")]
    UnknownIssuer {
        /// The name.
        name: String,
        /// The names of the owner's issuers.
        known: Vec<String>,
    },
    /// The issuer is left out, and the owner has none or several.
    #[error("the issuer is left out, and there is not exactly one")]
    WhichIssuer {
        /// The names of the owner's issuers.
        known: Vec<String>,
    },
    /// No authenticator of that kind is registered.
    #[error("there is no authenticator of the kind `{kind}`")]
    UnknownAuthenticator {
        /// The kind.
        kind: String,
        /// The kinds that are registered.
        known: Vec<String>,
    },
    /// A secret is missing, given twice or unreadable.
    #[error(transparent)]
    Secret(#[from] NoSecret),
    /// A secret could be guessed.
    #[error(transparent)]
    Weak(#[from] WeakSecret),
    /// A setting that has no meaning with the others.
    #[error("it has no meaning with `{0}`")]
    Meaningless(&'static str),
    /// A step that could never be answered in time.
    #[error("nobody can answer within {0}")]
    TooShort(Span),
    /// The answer to a challenge may come after its nonce has died.
    #[error("{0} is longer than a nonce lives")]
    TooLong(Span),
    /// A socket may not wait so long.
    #[error("a socket may not wait for {0}")]
    WaitsTooLong(Span),
    /// Something is there to be shown, and cannot be.
    #[error("it is empty, or has characters that cannot be shown")]
    NotShowable,
    /// A layer of the built-in site, which is not there.
    #[error("`{0}` is a layer of the built-in site, and there is no site")]
    NoSite(&'static str),
    /// A layer that goes by cookies, where every page of the world may open a socket.
    #[error("every page of the world may open a socket here, and a browser sends its cookies whatever page asks it to")]
    CookiesFromEverywhere,
    /// A question without an answer, or answers without a question.
    #[error("a question and its answers belong together")]
    QuestionAndAnswers,
}

impl Problem {
    /// What would be right.
    pub fn hint(&self) -> String {
        let one_of = |what: &str, known: &[String]| match known {
            [] => format!("no {what} is known here"),
            known => format!("known here: `{}`", known.join("`, `")),
        };
        match self {
            Self::Nested(_) => "write the layers out in each branch".into(),
            Self::EmptyList => "give at least one layer, or leave the rung out".into(),
            Self::DoesNotTalk("ticket") => {
                "write `via = [\"message\"]` for a ticket that is sent over the socket".into()
            }
            Self::DoesNotTalk(_) => "`jwt` takes the same tokens over the open socket".into(),
            Self::NeedsPrompt(_) => "an offer takes `jwt`, and `app_key` with `plain = true`".into(),
            Self::UnknownIssuer { known, .. } => one_of("issuer of this owner", known),
            Self::WhichIssuer { known } => {
                format!("name one with `issuer = \"...\"`; {}", one_of("issuer of this owner", known))
            }
            Self::UnknownAuthenticator { known, .. } => one_of("authenticator", known),
            Self::Secret(NoSecret::Missing(name)) => format!("give `{name}` or `{name}_file`"),
            Self::Secret(NoSecret::Twice(name)) => format!("leave out `{name}` or `{name}_file`"),
            Self::Secret(NoSecret::Unreadable { .. }) => "check the path and who may read the file".into(),
            Self::Weak(WeakSecret::TooFewWords) => "write the phrase as words with spaces between".into(),
            Self::Weak(_) => "`openssl rand -hex 32` makes a good one".into(),
            Self::Meaningless(_) => "leave it out".into(),
            Self::TooShort(_) => "a machine's step has 5 s by default, a person's 60 s".into(),
            Self::TooLong(_) => format!("give {} or less", challenge::LONGEST),
            Self::WaitsTooLong(_) => format!("give {} or less", assert_login::LONGEST),
            Self::NoSite(_) => {
                "write `enabled = true` under `[site]` for the built-in site, or take another layer".into()
            }
            Self::CookiesFromEverywhere => "list the pages' origins in `origins`, as `\"https://app.example\"`".into(),
            Self::NotShowable => "write a character or a short text that users recognise".into(),
            Self::QuestionAndAnswers => "give both `question` and `answers`, or neither".into(),
        }
    }
}

/// What one entry of a branch stands for: a ticket may come in by two ways, so it stands for two alternatives.
type Alternatives = Vec<Step>;

impl RungConfig {
    /// Builds the rung.
    pub fn build(&self, context: &BuildContext<'_>) -> Result<Rung, BuildError> {
        match self {
            Self::Any(branches) => context.any(branches),
            Self::Optional(layers) => context.optional(layers),
            layer => {
                let mut alternatives = context.layer(layer).map_err(|error| error.below(self.name()))?;
                match (alternatives.pop(), alternatives.is_empty()) {
                    (Some(only), true) => Ok(Rung::One(only)),
                    (last, _) => {
                        alternatives.extend(last);
                        Ok(Rung::Any(alternatives.into_iter().map(|step| vec![step]).collect()))
                    }
                }
            }
        }
    }
}

impl BuildContext<'_> {
    fn any(&self, branches: &[Vec<RungConfig>]) -> Result<Rung, BuildError> {
        if branches.is_empty() {
            return Err(BuildError::at("any", Problem::EmptyList));
        }
        let mut built = Vec::new();
        for (at, branch) in branches.iter().enumerate() {
            if branch.is_empty() {
                return Err(BuildError::at(format!("any[{at}]"), Problem::EmptyList));
            }
            let mut ways: Vec<Vec<Step>> = vec![Vec::new()];
            for (place, layer) in branch.iter().enumerate() {
                let place = format!("any[{at}][{place}].{}", layer.name());
                let alternatives = self.layer(layer).map_err(|error| error.below(place))?;
                let longer = |way: &Vec<Step>| {
                    let with = |step: &Step| way.iter().chain([step]).cloned().collect();
                    alternatives.iter().map(with).collect::<Vec<_>>()
                };
                ways = ways.iter().flat_map(longer).collect();
            }
            built.append(&mut ways);
        }
        Ok(Rung::Any(built))
    }

    fn optional(&self, layers: &[RungConfig]) -> Result<Rung, BuildError> {
        if layers.is_empty() {
            return Err(BuildError::at("optional", Problem::EmptyList));
        }
        self.talking("optional", layers).map(Rung::Optional)
    }

    /// Layers that talk, in a list that is called `list`.
    fn talking(&self, list: &'static str, layers: &[RungConfig]) -> Result<Vec<Arc<dyn Layer>>, BuildError> {
        let mut talking = Vec::new();
        for (place, layer) in layers.iter().enumerate() {
            let place = format!("{list}[{place}]");
            let below = |error: BuildError| error.below(format!("{place}.{}", layer.name()));
            match self.layer(layer).map_err(below)?.as_slice() {
                [Step::Conversation(layer)] => talking.push(Arc::clone(layer)),
                _ => return Err(BuildError::at(place, Problem::DoesNotTalk(layer.name()))),
            }
        }
        Ok(talking)
    }

    fn layer(&self, layer: &RungConfig) -> Result<Alternatives, BuildError> {
        let one = |step| Ok(vec![step]);
        match layer {
            RungConfig::Ticket(config) => self.ticket(config),
            RungConfig::Bearer(config) => {
                let issuer = self.issuer(config.issuer.as_deref())?;
                let on_expiry = config.on_expiry.unwrap_or(self.on_expiry);
                one(Step::handshake(Bearer::new(issuer, Arc::clone(&self.kept_claims), on_expiry, &self.ports)))
            }
            RungConfig::Jwt(config) => {
                answerable(config.timeout)?;
                let issuer = self.issuer(config.issuer.as_deref())?;
                let config = JwtConfig { on_expiry: config.on_expiry.or(Some(self.on_expiry)), ..config.clone() };
                one(Step::conversation(Jwt::new(&config, issuer, Arc::clone(&self.kept_claims), &self.ports)))
            }
            RungConfig::AppKey(config) => {
                answerable(config.timeout)?;
                one(Step::conversation(AppKeyLayer::new(config, &self.ports)))
            }
            RungConfig::Challenge(config) => self.challenge(config).and_then(one),
            RungConfig::Ident(config) => self.ident(config).and_then(one),
            RungConfig::Offer(config) => self.offer(config).and_then(one),
            RungConfig::Authenticator(config) => self.authenticator(config).and_then(one),
            RungConfig::Session(_) => {
                self.site(layer.name())?;
                one(Step::handshake(SessionInRequest::new(self.origins_of_cookies()?, &self.ports)))
            }
            RungConfig::Password(config) => {
                answerable(config.timeout)?;
                one(Step::conversation(PasswordLayer::new(config, &self.ports, self.site(layer.name())?)))
            }
            RungConfig::AssertLogin(config) => self.assert_login(config).and_then(one),
            RungConfig::KeyEntry(config) => {
                answerable(config.timeout)?;
                one(Step::conversation(KeyEntryLayer::new(config, &self.ports, self.site(layer.name())?)))
            }
            RungConfig::Totp(config) => {
                answerable(config.timeout)?;
                one(Step::conversation(TotpLayer::new(config, &self.ports, self.site(layer.name())?)))
            }
            RungConfig::Any(_) | RungConfig::Optional(_) => Err(BuildError::at("", Problem::Nested(layer.name()))),
        }
    }

    fn ticket(&self, config: &TicketConfig) -> Result<Alternatives, BuildError> {
        let in_request: Vec<_> = config.via.iter().copied().filter(|via| *via != TicketVia::Message).collect();
        let in_message = config.via.contains(&TicketVia::Message);
        let mut alternatives = Vec::new();
        if !in_request.is_empty() {
            alternatives.push(Step::handshake(TicketInRequest::new(&self.ports, in_request)));
        }
        if in_message {
            let within = answerable(config.timeout)?;
            alternatives.push(Step::conversation(TicketInMessage::new(&self.ports, within)));
        }
        if alternatives.is_empty() { Err(BuildError::at("via", Problem::EmptyList)) } else { Ok(alternatives) }
    }

    fn issuer(&self, name: Option<&str>) -> Result<Arc<Issuer>, BuildError> {
        let ours: Vec<_> = self.issuers.iter().filter(|(_, issuer)| *issuer.owner() == self.owner).collect();
        let known = || ours.iter().map(|(name, _)| (*name).clone()).collect();
        let mut foreign = ours.iter().filter(|(_, issuer)| !issuer.is_own());
        let problem = match name {
            // The server's own is taken by its name alone: nobody gets in by the site who was not meant to.
            None => match (foreign.next(), foreign.next()) {
                (Some((_, only)), None) => return Ok(Arc::clone(only)),
                _ => Problem::WhichIssuer { known: known() },
            },
            Some(name) => match ours.iter().find(|(known, _)| *known == name) {
                Some((_, issuer)) => return Ok(Arc::clone(issuer)),
                None => Problem::UnknownIssuer { name: name.to_owned(), known: known() },
            },
        };
        Err(BuildError::at("issuer", problem))
    }

    fn challenge(&self, config: &ChallengeConfig) -> Result<Step, BuildError> {
        let meaningless = |given: bool, name: &'static str, with| match given {
            true => Err(BuildError::at(name, Problem::Meaningless(with))),
            false => Ok(()),
        };
        match config.variant {
            Variant::Proof => {
                const WITH: &str = "variant = \"proof\"";
                meaningless(config.words.is_some(), "words", WITH)?;
                meaningless(config.words_file.is_some(), "words_file", WITH)?;
                let timeout = config.timeout.unwrap_or(challenge::LONGEST);
                let within = answerable(timeout)?;
                if timeout > challenge::LONGEST {
                    return Err(BuildError::at("timeout", Problem::TooLong(timeout)));
                }
                let secret = self.secret("secret", config.secret.as_ref(), config.secret_file.as_deref())?;
                let secret = challenge::read_secret(&secret).map_err(|weak| BuildError::at("secret", weak))?;
                Ok(Step::conversation(Challenge::new(secret, within, &self.ports)))
            }
            Variant::Words => {
                const WITH: &str = "variant = \"words\"";
                meaningless(config.secret.is_some(), "secret", WITH)?;
                meaningless(config.secret_file.is_some(), "secret_file", WITH)?;
                let within = answerable(config.timeout.unwrap_or(super::PERSON))?;
                let phrase = self.secret("words", config.words.as_ref(), config.words_file.as_deref())?;
                let words = Words::new(&phrase, within, &self.ports).map_err(|weak| BuildError::at("words", weak))?;
                Ok(Step::conversation(words))
            }
        }
    }

    fn secret(&self, name: &'static str, here: Option<&SecretText>, file: Option<&Path>) -> Result<Secret, BuildError> {
        secret_of(name, here, file, self.read_secret).map_err(|problem| BuildError::at(name, problem))
    }

    fn ident(&self, config: &IdentConfig) -> Result<Step, BuildError> {
        answerable(config.timeout)?;
        let showable = |text: &str| !text.trim().is_empty() && !text.chars().any(char::is_control);
        for (name, text) in [("glyph", Some(&config.glyph)), ("question", config.question.as_ref())] {
            if text.is_some_and(|text| !showable(text)) {
                return Err(BuildError::at(name, Problem::NotShowable));
            }
        }
        let blank = |answer: &SecretText| answer.secret().reveal("to see that it is not blank").trim_ascii().is_empty();
        if config.question.is_some() == config.answers.is_empty() || config.answers.iter().any(blank) {
            return Err(BuildError::at("answers", Problem::QuestionAndAnswers));
        }
        Ok(Step::conversation(Ident::new(config, Arc::clone(&self.ports.clock))))
    }

    fn offer(&self, config: &OfferConfig) -> Result<Step, BuildError> {
        let within = answerable(config.timeout)?;
        if config.of.is_empty() {
            return Err(BuildError::at("of", Problem::EmptyList));
        }
        let parts = self.talking("of", &config.of)?;
        let prompted = parts.iter().position(|part| part.unprompted_answers().is_none()).unwrap_or_default();
        let offer = Offer::new(parts, within)
            .map_err(|layer| BuildError::at(format!("of[{prompted}]"), Problem::NeedsPrompt(layer)))?;
        Ok(Step::conversation(offer))
    }

    fn assert_login(&self, config: &AssertLoginConfig) -> Result<Step, BuildError> {
        answerable(config.timeout)?;
        if config.timeout > assert_login::LONGEST {
            return Err(BuildError::at("timeout", Problem::WaitsTooLong(config.timeout)));
        }
        let origins = match (config.who, config.same_browser) {
            (Who::Proven, _) => self.origins.clone(),
            (Who::Browser, true) => self.origins_of_cookies()?,
            (Who::Browser, false) => {
                return Err(BuildError::at("same_browser", Problem::Meaningless("who = \"browser\"")));
            }
        };
        self.site("assert_login")?;
        Ok(Step::conversation(AssertLogin::new(config, origins, &self.ports)))
    }

    fn site(&self, layer: &'static str) -> Result<&SiteTools, BuildError> {
        self.site.ok_or_else(|| BuildError::at("", Problem::NoSite(layer)))
    }

    /// The origins, for a layer that goes by cookies.
    fn origins_of_cookies(&self) -> Result<Origins, BuildError> {
        match self.origins {
            Origins::Everyone => Err(BuildError::at("", Problem::CookiesFromEverywhere)),
            origins => Ok(origins.clone()),
        }
    }

    fn authenticator(&self, config: &AuthenticatorConfig) -> Result<Step, BuildError> {
        let within = answerable(config.timeout)?;
        let Some(authenticator) = self.authenticators.get(&config.kind) else {
            let known = self.authenticators.keys().cloned().collect();
            let problem = Problem::UnknownAuthenticator { kind: config.kind.clone(), known };
            return Err(BuildError::at("kind", problem));
        };
        Ok(Step::conversation(Authenticated::new(Arc::clone(authenticator), within, &self.ports)))
    }
}

fn answerable(timeout: Span) -> Result<Duration, BuildError> {
    match timeout.duration() {
        Duration::ZERO => Err(BuildError::at("timeout", Problem::TooShort(timeout))),
        within => Ok(within),
    }
}
