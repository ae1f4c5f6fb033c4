//! Small layers of known behaviour, and issuers.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use doorward_auth::{
    Ask, BoxFuture, Claimant, Conversation, Fault, Handshake, HandshakeLayer, Ladder, Layer, Proof, Refusal, Rung,
    Step,
    layers::{BuildContext, RungConfig, SiteTools, handshake::origin::Origins},
    ports::{PortError, Ports},
    token::{Issuer, IssuerConfig},
};
use doorward_testkit::{World, tokens::TestKey};
use doorward_types::{Answer, Secret, Subject, Timestamp};
use serde_json::{Value, json};

/// A layer that wants a word, and proves a member where it is told whom.
pub(crate) struct Word {
    pub(crate) name: &'static str,
    pub(crate) word: &'static str,
    pub(crate) proves: Option<&'static str>,
    pub(crate) needs_identity: bool,
}

impl Word {
    pub(crate) fn named(name: &'static str) -> Self {
        Self { name, word: "right", proves: None, needs_identity: false }
    }

    pub(crate) fn of(name: &'static str, member: &'static str) -> Self {
        Self { proves: Some(member), ..Self::named(name) }
    }

    pub(crate) fn step(self) -> Step {
        Step::conversation(self)
    }

    pub(crate) fn rung(self) -> Rung {
        Rung::One(self.step())
    }
}

pub(crate) const WORD_TIMEOUT: Duration = Duration::from_secs(5);

impl Layer for Word {
    fn name(&self) -> &'static str {
        self.name
    }

    fn gives_identity(&self) -> bool {
        self.proves.is_some()
    }

    fn needs_identity(&self) -> bool {
        self.needs_identity
    }

    fn verify<'a>(
        &'a self,
        conversation: &'a mut Conversation,
        claimant: &'a mut Claimant,
    ) -> BoxFuture<'a, Result<(), Refusal>> {
        Box::pin(async move {
            let answer = conversation.ask("user sends word", Ask::for_fields(&["word"], WORD_TIMEOUT)).await?;
            let right = answer.text("word", "test") == Some(self.word);
            conversation.require("socket requires word", right, "wrong word")?;
            let subject = self.proves.map(World::member);
            claimant.prove(self.name, World::NOW, Proof { subject, ..Proof::default() })
        })
    }
}

/// A handshake layer that wants the query variable of its own name, and proves a member where it is told whom.
pub(crate) struct Flag {
    pub(crate) name: &'static str,
    pub(crate) proves: Option<&'static str>,
}

impl Flag {
    pub(crate) fn named(name: &'static str) -> Self {
        Self { name, proves: None }
    }

    pub(crate) fn of(name: &'static str, member: &'static str) -> Self {
        Self { name, proves: Some(member) }
    }

    pub(crate) fn step(self) -> Step {
        Step::handshake(self)
    }

    pub(crate) fn rung(self) -> Rung {
        Rung::One(self.step())
    }
}

impl HandshakeLayer for Flag {
    fn name(&self) -> &'static str {
        self.name
    }

    fn step(&self) -> &'static str {
        "socket checks flag"
    }

    fn gives_identity(&self) -> bool {
        self.proves.is_some()
    }

    fn verify<'a>(
        &'a self,
        handshake: &'a Handshake,
        claimant: &'a mut Claimant,
    ) -> BoxFuture<'a, Result<(), Refusal>> {
        Box::pin(async move {
            if !handshake.variables.contains_key(self.name) {
                return Err(Refusal::new(Fault::Credential, "socket checks flag", "no flag"));
            }
            let subject = self.proves.map(World::member);
            claimant.prove(self.name, World::NOW, Proof { subject, ..Proof::default() })
        })
    }
}

/// A request that shows these flags.
pub(crate) fn flags(names: &[&str]) -> Handshake {
    let variables = names.iter().map(|name| ((*name).to_owned(), String::new())).collect();
    Handshake { variables, ..World::handshake() }
}

pub(crate) fn word(kind: &str, word: &str) -> Answer {
    Answer::to_layer(kind).with_text("word", word)
}

/// The issuer `site`, which signs with that key; `more` goes over the defaults.
pub(crate) fn issuer(key: &TestKey, more: Value) -> Issuer {
    let mut config = json!({
        "name": "site", "issuer": "https://site.example", "audience": "doorward", "algorithms": [key.alg()],
    });
    match key {
        TestKey::Hmac(_, secret) => config["secret"] = String::from_utf8(secret.clone()).unwrap().into(),
        _ => config["public_key_file"] = "public.pem".into(),
    }
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let config: IssuerConfig = serde_json::from_value(config).unwrap();
    let (public, private) = (key.public_pem(), key.private_pem());
    let read = |path: &std::path::Path| match path.to_str() {
        Some("public.pem") => Ok(Secret::from_text(public.as_str())),
        Some("private.pem") => Ok(Secret::from_text(private.as_str())),
        _ => Err("no such file".to_owned()),
    };
    Issuer::build(&config, &World::owner(), &read).unwrap()
}

pub(crate) fn key() -> TestKey {
    TestKey::secret(b"0123456789abcdef0123456789abcdef")
}

/// Claims of an access token that is good now.
pub(crate) fn claims() -> Value {
    let now = World::NOW.as_secs();
    json!({
        "iss": "https://site.example", "aud": "doorward", "sub": "7", "iat": now - 10, "exp": now + 60, "jti": "token-1",
    })
}

pub(crate) fn at_jwt(key: &TestKey) -> Value {
    json!({ "alg": key.alg(), "typ": "at+jwt" })
}

/// A good token of the issuer with that key.
pub(crate) fn token(key: &TestKey) -> String {
    key.sign(&at_jwt(key), &claims())
}

/// A rung as an owner writes it, with the issuer `site` (and [`key`]).
pub(crate) fn rung(ports: &Ports, config: Value) -> Rung {
    let config: RungConfig = serde_json::from_value(config).unwrap();
    context(ports, &Origins::SameHost, None, |context| config.build(context)).unwrap()
}

/// What rungs are built with at the owner `acme`, who has the issuer `site`.
pub(crate) fn context<T>(
    ports: &Ports,
    origins: &Origins,
    site: Option<&SiteTools>,
    build: impl FnOnce(&BuildContext<'_>) -> T,
) -> T {
    let issuers = [("site".to_owned(), Arc::new(issuer(&key(), json!({}))))].into();
    build(&BuildContext {
        owner: World::owner(),
        ports: ports.clone(),
        issuers: &issuers,
        kept_claims: ["groups".to_owned(), "level".to_owned()].into(),
        authenticators: &Default::default(),
        read_secret: &|_| Err("no such file".to_owned()),
        origins,
        on_expiry: doorward_auth::OnExpiry::Close,
        site,
    })
}

/// A ladder of one such rung.
pub(crate) fn ladder(world: &World, config: Value) -> Ladder {
    Ladder::new(vec![rung(&world.ports(), config)]).unwrap()
}

pub(crate) fn later(secs: u64) -> Timestamp {
    World::NOW.plus(Duration::from_secs(secs))
}

/// The bytes that a proof is made over, written down without the code that checks them: four bytes of length before each.
pub(crate) fn transcript(purpose: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    let texts = std::iter::once(purpose).chain(fields.iter().flat_map(|(name, value)| [*name, *value]));
    texts.flat_map(|text| [&(text.len() as u32).to_be_bytes()[..], text.as_bytes()].concat()).collect()
}

/// A handshake layer that looks something up in what is down.
pub(crate) struct Down;

impl HandshakeLayer for Down {
    fn name(&self) -> &'static str {
        "down"
    }

    fn step(&self) -> &'static str {
        "socket checks what is down"
    }

    fn verify<'a>(&'a self, _: &'a Handshake, _: &'a mut Claimant) -> BoxFuture<'a, Result<(), Refusal>> {
        let down = PortError { port: "store", detail: "no connection".into() };
        Box::pin(std::future::ready(Err(down.refuse(self.step()))))
    }
}

/// A layer that hears nothing, and notes whom it was told about.
pub(crate) struct Mute(pub(crate) Arc<Mutex<Vec<Option<Subject>>>>);

impl Layer for Mute {
    fn name(&self) -> &'static str {
        "mute"
    }

    fn verify<'a>(&'a self, _: &'a mut Conversation, claimant: &'a mut Claimant) -> BoxFuture<'a, Result<(), Refusal>> {
        self.0.lock().unwrap().push(claimant.subject().cloned());
        Box::pin(std::future::ready(Ok(())))
    }
}

/// A ladder of these rungs.
pub(crate) fn rungs(rungs: Vec<Rung>) -> Ladder {
    Ladder::new(rungs).unwrap()
}
