use std::{net::IpAddr, sync::Arc};

use doorward_types::{AccountId, OwnerId, Secret};

use super::{
    CodeKey, EntryKey, HashedPassword, Hashing, HashingError, KeyEncryptionKey, Password, RecoveryCode, Sealed,
    TotpSeed, Verified, fold::folded,
};
use crate::{
    crypto::sha256,
    ports::{
        Account, Accounts, Attempt, AttemptId, Bounded, Clock, Entered, Factors, KeyEntries, KeyEntry, PortError,
        Ports, Reserved, Rng, Sessions, Throttle,
    },
};

/// Checks what people know and have: the layers of a socket and the site's own login both do it here, so that a try counts the
/// same wherever it is made.
///
/// A try is reserved in the throttle before it is looked at, and counts as a failure until it was right. An account that is
/// not there, or may not log in, costs the same work and the same words as a wrong password.
pub struct Checks {
    accounts: Bounded<dyn Accounts>,
    sessions: Bounded<dyn Sessions>,
    throttle: Bounded<dyn Throttle>,
    factors: Bounded<dyn Factors>,
    key_entries: Bounded<dyn KeyEntries>,
    hashing: Arc<Hashing>,
    sealing: KeyEncryptionKey,
    code_key: CodeKey,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    /// What codes are compared with where there is no phone.
    nobody: TotpSeed,
}

/// Whoever tries.
#[derive(Clone, Debug)]
pub struct Trier {
    /// At whose site.
    pub owner: OwnerId,
    /// From where.
    pub source: IpAddr,
    /// The hash of the browser's own cookie, where it shows one.
    pub browser: Option<[u8; 32]>,
}

/// By what a second factor was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecondFactor {
    /// A code of the phone.
    Totp,
    /// A recovery code, which is used up.
    RecoveryCode,
}

/// Why a check failed. Outside, the first two are one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotRight {
    /// It is wrong. Says what of it, for the log alone.
    #[error("{0}")]
    Wrong(String),
    /// It was not looked at: there were too many wrong ones. Says how long, for the log alone.
    #[error("locked: {0}")]
    Locked(String),
    /// Too many passwords are being checked. To be told: try later.
    #[error(transparent)]
    Busy(HashingError),
    /// What it depends on is down. To be told: try later.
    #[error(transparent)]
    Down(#[from] PortError),
    /// What is kept of the account cannot be used, by our own fault.
    #[error("what is kept of it is unusable: {0}")]
    Unusable(String),
}

/// The row that an account's authenticator secret is sealed for.
pub fn totp_row(owner: &OwnerId, account: AccountId) -> String {
    // An owner's name has no `/`, and the number stands last.
    format!("totp/{owner}/{account}")
}

/// Under what a throttle counts the tries of a name that was given, whether there is such an account or not.
pub fn tries_of_name(given: &str) -> [u8; 32] {
    let name = if given.len() <= Password::LONGEST { folded(given) } else { given.to_owned() };
    sha256(&[b"doorward tries v1\0name\0", name.as_bytes()])
}

/// Under what a throttle counts the tries of a known account.
pub fn tries_of_account(account: AccountId) -> [u8; 32] {
    sha256(&[b"doorward tries v1\0account\0", account.to_string().as_bytes()])
}

impl Checks {
    /// The factor under which a throttle counts passwords.
    pub const PASSWORD: &'static str = "password";
    /// The factor under which a throttle counts codes of phones, and recovery codes.
    pub const TOTP: &'static str = "totp";

    /// With what the site keeps. `sealing` is the server's key.
    pub fn new(ports: &Ports, hashing: Arc<Hashing>, sealing: KeyEncryptionKey) -> Self {
        let site = &ports.site;
        Self {
            accounts: ports.bounded("accounts", &site.accounts),
            sessions: ports.bounded("sessions", &site.sessions),
            throttle: ports.bounded("throttle", &site.throttle),
            factors: ports.bounded("factors", &site.factors),
            key_entries: ports.bounded("key entries", &site.key_entries),
            hashing,
            code_key: sealing.code_key(),
            sealing,
            clock: Arc::clone(&ports.clock),
            rng: Arc::clone(&ports.rng),
            nobody: TotpSeed::draw(ports.rng.as_ref()),
        }
    }

    /// The account of that name, where the password is its.
    ///
    /// # Errors
    /// [`NotRight`]: for an unknown name, a disabled account and a wrong password alike.
    pub async fn password(&self, trier: &Trier, username: &str, typed: &Secret) -> Result<Account, NotRight> {
        // First: whoever is told that it is busy has tried nothing.
        let place = self.hashing.place().map_err(NotRight::Busy)?;
        let name = if username.len() <= Password::LONGEST { folded(username) } else { String::new() };
        let found = self.accounts.answer(|accounts| accounts.find_by_name(&trier.owner, &name)).await?;
        let id = found.as_ref().map(|account| account.id);
        let attempt = self.reserve(trier, Self::PASSWORD, tries_of_name(username), id).await?;
        let Ok(password) = Password::read(typed) else {
            return Err(NotRight::Wrong("no password is so long".to_owned()));
        };
        let kept = found.as_ref().filter(|account| account.is_enabled());
        let hash = kept.map(|account| HashedPassword::from_secret(account.password.clone()));
        let verified = place.verify(&password, hash.as_ref(), self.rng.as_ref()).await;
        let rehashed = match verified {
            Ok(Verified::Right { rehashed }) => rehashed,
            Ok(Verified::Wrong) => return Err(NotRight::Wrong(wrong_password(found.as_ref()))),
            Err(HashingError::Busy) => return Err(NotRight::Busy(HashingError::Busy)),
            Err(HashingError::Unusable(why)) => return Err(NotRight::Unusable(why)),
        };
        let Some(account) = found else {
            return Err(NotRight::Wrong(wrong_password(None)));
        };
        self.throttle.answer(|throttle| throttle.was_right(attempt)).await?;
        if let Some(better) = rehashed {
            let (owner, id, before) = (&trier.owner, account.id, account.password.clone());
            // Where it cannot be kept, the next login tries again.
            let _ = self.accounts.answer(|accounts| accounts.rehash(owner, id, before, better.into_secret())).await;
        }
        Ok(account)
    }

    /// By what the account's second factor was shown: a code of its phone, or one of its recovery codes. Either is used up.
    ///
    /// # Errors
    /// [`NotRight`]: for an account without a phone and a wrong code alike.
    pub async fn totp(&self, trier: &Trier, account: AccountId, typed: &Secret) -> Result<SecondFactor, NotRight> {
        let owner = &trier.owner;
        let attempt = self.reserve(trier, Self::TOTP, tries_of_account(account), Some(account)).await?;
        let kept = self.factors.answer(|factors| factors.totp(owner, account)).await?;
        let confirmed = kept.filter(|totp| totp.confirmed_at.is_some());
        let now = self.clock.now();
        let shown = if let Some(code) = RecoveryCode::read(typed) {
            let used =
                self.factors.answer(|factors| factors.use_recovery_code(owner, account, code.hash(), now)).await?;
            match (used, &confirmed) {
                (true, Some(_)) => Ok(SecondFactor::RecoveryCode),
                (false, Some(_)) => Err("it is none of the account's recovery codes, or was used before"),
                (_, None) => Err("the account has no authenticator app that counts"),
            }
        } else {
            let seed = match &confirmed {
                Some(totp) => Some(self.seed(owner, account, totp.sealed.clone())?),
                None => None,
            };
            let step = seed.as_ref().unwrap_or(&self.nobody).step_of(typed, now);
            match (step, seed) {
                (Some(step), Some(_)) => {
                    let fresh = self.factors.answer(|factors| factors.use_totp_step(owner, account, step.0)).await?;
                    if fresh { Ok(SecondFactor::Totp) } else { Err("the code, or a later one, was used before") }
                }
                (_, None) => Err("the account has no authenticator app that counts"),
                (None, _) => Err("the code is none of this moment"),
            }
        };
        let shown = shown.map_err(|why| NotRight::Wrong(why.to_owned()))?;
        self.throttle.answer(|throttle| throttle.was_right(attempt)).await?;
        Ok(shown)
    }

    fn seed(&self, owner: &OwnerId, account: AccountId, sealed: Vec<u8>) -> Result<TotpSeed, NotRight> {
        let opened = self.sealing.open(&Sealed::from_bytes(sealed), &totp_row(owner, account));
        let secret = opened.map_err(|error| NotRight::Unusable(format!("the authenticator secret: {error}")))?;
        TotpSeed::from_secret(secret).ok_or_else(|| NotRight::Unusable("the authenticator secret is none".to_owned()))
    }

    /// Whose key that is, and in which login it was made. It is used up.
    ///
    /// Wrong tries are counted by the key itself, which is void after ten; to guess one without its public part is 60 bits of
    /// work, within two minutes.
    ///
    /// # Errors
    /// [`NotRight`]: for an unknown key and a wrong one alike.
    pub async fn key_entry(&self, trier: &Trier, typed: &Secret) -> Result<KeyEntry, NotRight> {
        let Some(key) = EntryKey::read(typed) else {
            return Err(NotRight::Wrong("no key looks like that".to_owned()));
        };
        let (hash, now) = (key.hash(&self.code_key), self.clock.now());
        match self.key_entries.answer(|entries| entries.enter(&trier.owner, key.id(), hash, now)).await? {
            Entered::Right(entry) => Ok(entry),
            Entered::Unknown => Err(NotRight::Wrong("there is no such key, or not any more".to_owned())),
            Entered::Wrong(tries) => Err(NotRight::Wrong(format!("the key is wrong, for the {tries}. time"))),
        }
    }

    /// Takes a try. A browser that the account has logged in with before has a count of its own.
    async fn reserve(
        &self,
        trier: &Trier,
        factor: &'static str,
        subject: [u8; 32],
        account: Option<AccountId>,
    ) -> Result<AttemptId, NotRight> {
        let owner = &trier.owner;
        let mut device = None;
        if let Some(browser) = trier.browser {
            // Nobody has the number 0: an unknown account is looked up as a known one is.
            let account = account.unwrap_or(AccountId(0));
            let known = self.sessions.answer(|sessions| sessions.knows_browser(owner, account, browser)).await?;
            device = known.then_some(browser);
        }
        let (owner, source, at) = (owner.clone(), trier.source, self.clock.now());
        let attempt = Attempt { owner, factor, subject, device, source, at };
        match self.throttle.answer(|throttle| throttle.reserve(attempt)).await? {
            Reserved::Go(attempt) => Ok(attempt),
            Reserved::Wait(until) => Err(NotRight::Locked(format!("{factor} may be tried again at {until}"))),
            Reserved::Disabled => Err(NotRight::Locked(format!("{factor} is disabled until it is recovered"))),
        }
    }
}

fn wrong_password(account: Option<&Account>) -> String {
    match account {
        None => "there is no account of that name".to_owned(),
        Some(account) if !account.is_enabled() => format!("account {} is disabled", account.id),
        Some(account) => format!("the password of account {} is another", account.id),
    }
}
