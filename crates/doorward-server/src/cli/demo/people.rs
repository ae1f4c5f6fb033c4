//! The people of the demo's website, made before anybody comes.

use doorward_auth::{
    account::{
        Hashing, KeyEncryptionKey, Password, PasswordRules, PasswordUse, RecoveryCode, TotpSeed, TotpStep, Username,
        Work, totp_row,
    },
    ports::{Account, Accounts as _, Clock, Created, Factors as _, NewAccount, Rng as _, Role, SystemRng},
};
use doorward_client::{Abort, Answers, Ask, BoxFuture, Choose, Chosen};
use doorward_store::Store;
use doorward_types::{Answer, Secret, Subject};

use super::world::owner;
use crate::{cli::Failure, system::SystemClock};

/// Everybody who has an account.
pub(super) struct People {
    /// The owner's own: sees everybody's logins and sockets.
    pub(super) alice: Person,
    /// A user, who has nothing but a password.
    pub(super) bob: Person,
    /// A user with a phone. Her account is also whom the demo's key and tokens name.
    pub(super) carol: Person,
    /// Carol's.
    pub(super) phone: Phone,
}

/// One of them.
pub(super) struct Person {
    pub(super) account: Account,
    pub(super) password: Secret,
}

/// An authenticator app, and the recovery codes on paper beside it.
#[derive(Clone)]
pub(super) struct Phone {
    seed: TotpSeed,
    paper: Vec<RecoveryCode>,
}

impl People {
    /// Makes their accounts. The passwords are drawn: the demo may listen where others can reach it.
    pub(super) async fn make(store: &Store, sealing: &KeyEncryptionKey) -> Result<Self, Failure> {
        let hashing = Hashing::new(Work::default(), 1)?;
        let alice = Person::make("alice", Role::Owner, store, &hashing).await?;
        let bob = Person::make("bob", Role::User, store, &hashing).await?;
        let carol = Person::make("carol", Role::User, store, &hashing).await?;
        let phone = Phone::enrolled(&carol.account, store, sealing).await?;
        Ok(Self { alice, bob, carol, phone })
    }
}

impl Person {
    async fn make(name: &str, role: Role, store: &Store, hashing: &Hashing) -> Result<Self, Failure> {
        let mut drawn = [0; 8];
        SystemRng.fill(&mut drawn);
        let password = Secret::from_text(format!("{name}-{:016x}", u64::from_be_bytes(drawn)));
        let username = Username::parse(name)?;
        let checked =
            PasswordRules::of_site("", []).check(Password::read(&password)?, &username, PasswordUse::Alone)?;
        let hashed = hashing.hash(&checked, &SystemRng).await?;
        let account = NewAccount {
            owner: owner(),
            username: username.shown().to_owned(),
            unique: username.unique().to_owned(),
            role,
            password: hashed.into_secret(),
            invitation: None,
            at: SystemClock.now(),
        };
        match store.create(account).await? {
            Created::Account(account) => Ok(Self { account, password }),
            _ => Err(Failure::new(format!("the account `{name}` cannot be made"))),
        }
    }

    /// Whom every layer that recognises them names.
    pub(super) fn subject(&self) -> Subject {
        self.account.subject()
    }

    /// A line for whoever logs in as them.
    pub(super) fn line(&self) -> String {
        let Account { username, role, .. } = &self.account;
        let password = self.password.reveal_text("the demo shows its own people's passwords").unwrap_or_default();
        format!("{username:<6}  {:<6}  {password}", role.as_str())
    }
}

impl Phone {
    async fn enrolled(account: &Account, store: &Store, sealing: &KeyEncryptionKey) -> Result<Self, Failure> {
        let (seed, paper, now) = (TotpSeed::draw(&SystemRng), RecoveryCode::draw_all(&SystemRng), SystemClock.now());
        let (owner, id) = (&account.owner, account.id);
        let sealed = sealing.seal(seed.secret(), &totp_row(owner, id), &SystemRng).into_bytes();
        store.enrol_totp(owner, id, sealed.clone(), now).await?;
        // She typed the code that makes it count some minutes ago: the one of this moment is still to be had.
        let TotpStep(step) = TotpStep::at(now);
        let hashes = paper.iter().map(RecoveryCode::hash).collect();
        store.confirm_totp(owner, id, sealed, step.saturating_sub(10), hashes, now).await?;
        Ok(Self { seed, paper: paper.to_vec() })
    }

    /// Carol with her phone in her hand.
    pub(super) fn at_hand(&self) -> Reads {
        Reads(self.seed.code(TotpStep::at(SystemClock.now())))
    }

    /// Carol without it: a code of her paper, which is crossed out.
    pub(super) fn mislaid(&mut self) -> Reads {
        Reads(self.paper.pop().map_or_else(|| Secret::from_text(""), |code| code.shown()))
    }
}

/// Somebody who types in a code that they read off, and says no to all else.
pub(super) struct Reads(Secret);

impl Answers for Reads {
    fn ask<'a>(&'a mut self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, Abort>> {
        let answer = Answer::to_layer(ask.layer.as_str());
        let answer = match ask.layer.as_str() {
            "totp" => answer.with("code", self.0.clone()),
            _ => answer.with_text("accept", "no"),
        };
        Box::pin(async { Ok(answer) })
    }

    fn choose<'a>(&'a mut self, _: &'a Choose) -> BoxFuture<'a, Result<Chosen, Abort>> {
        Box::pin(async { Ok(Chosen::Skip) })
    }
}
