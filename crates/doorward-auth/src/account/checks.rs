mod not_right;
mod tries;

use std::sync::Arc;

use doorward_types::{AccountId, OwnerId, Secret, Subject};

pub use self::{
    not_right::{Lock, NotRight},
    tries::{Trier, tries_of_account, tries_of_name},
};
use super::{
    CodeKey, EntryKey, HashedPassword, Hashing, HashingError, HashingPlace, KeyEncryptionKey, Password, RecoveryCode,
    Sealed, TotpSeed, Verified, fold::folded,
};
use crate::ports::{
    Account, Accounts, Bounded, Clock, Entered, Factors, KeyEntries, KeyEntry, PortError, Ports, Rng, Sessions,
    Throttle, Totp,
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

/// By what a second factor was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecondFactor {
    /// A code of the phone.
    Totp,
    /// A recovery code, which is used up.
    RecoveryCode,
}

impl SecondFactor {
    /// Its word among the methods of a login (`amr`). That of a recovery code is ours: RFC 8176 has none.
    pub const fn method(self) -> &'static str {
        match self {
            Self::Totp => "otp",
            Self::RecoveryCode => "recovery",
        }
    }
}

/// The secret of an authenticator app as it is kept.
pub(super) fn unsealed(
    sealing: &KeyEncryptionKey,
    owner: &OwnerId,
    account: AccountId,
    sealed: Vec<u8>,
) -> Result<TotpSeed, NotRight> {
    let opened = sealing.open(&Sealed::from_bytes(sealed), &totp_row(owner, account));
    let secret = opened.map_err(|error| NotRight::Unusable(format!("the authenticator secret: {error}")))?;
    TotpSeed::from_secret(secret).ok_or_else(|| NotRight::Unusable("the authenticator secret is none".to_owned()))
}

/// The row that an account's authenticator secret is sealed for.
pub fn totp_row(owner: &OwnerId, account: AccountId) -> String {
    // An owner's name has no `/`, and the number stands last.
    format!("totp/{owner}/{account}")
}

impl Checks {
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
        let place = self.place_for(trier)?;
        let name = if username.len() <= Password::LONGEST { folded(username) } else { String::new() };
        let found = self.accounts.answer(|accounts| accounts.find_by_name(&trier.owner, &name)).await?;
        self.password_of(trier, place, tries_of_name(username), found, typed).await
    }

    /// The account of who is logged in, where the password is its: as [`password`](Self::password), and counted as that is.
    ///
    /// # Errors
    /// [`NotRight`].
    pub async fn own_password(&self, trier: &Trier, whose: &Subject, typed: &Secret) -> Result<Account, NotRight> {
        let place = self.place_for(trier)?;
        let id = number_of(whose)?;
        let found = self.accounts.answer(|accounts| accounts.find(&trier.owner, id)).await?;
        let name = found.as_ref().map_or_else(|| whose.uuid.clone(), |account| account.unique.clone());
        self.password_of(trier, place, tries_of_name(&name), found, typed).await
    }

    /// A place among those whose passwords are compared; `None` where all are taken but those that are kept for browsers that the
    /// account knows, and this may be one.
    fn place_for(&self, trier: &Trier) -> Result<Option<HashingPlace<'_>>, NotRight> {
        match self.hashing.place() {
            Ok(place) => Ok(Some(place)),
            Err(HashingError::Busy) if trier.browser.is_some() => Ok(None),
            Err(error) => Err(NotRight::Busy(error)),
        }
    }

    async fn password_of(
        &self,
        trier: &Trier,
        place: Option<HashingPlace<'_>>,
        tries: [u8; 32],
        found: Option<Account>,
        typed: &Secret,
    ) -> Result<Account, NotRight> {
        let whose = found.as_ref().map(Account::subject);
        let known = self.known_browser(trier, whose.as_ref()).await?;
        let place = match (place, known) {
            (Some(place), _) => place,
            (None, Some(_)) => self.hashing.kept_place().map_err(NotRight::Busy)?,
            (None, None) => return Err(NotRight::Busy(HashingError::Busy)),
        };
        let attempt = self.reserve_on(known, trier, Self::PASSWORD, tries, whose.as_ref()).await?;
        let wrong = |why| NotRight::Wrong { whose: whose.clone(), why };
        let Ok(password) = Password::read(typed) else {
            return Err(wrong("no password is so long".to_owned()));
        };
        let kept = found.as_ref().filter(|account| account.is_enabled());
        let hash = kept.map(|account| HashedPassword::from_secret(account.password.clone()));
        let verified = place.verify(&password, hash.as_ref(), self.rng.as_ref()).await;
        let rehashed = match verified {
            Ok(Verified::Right { rehashed }) => rehashed,
            Ok(Verified::Wrong) => return Err(wrong(wrong_password(found.as_ref(), &tries))),
            Err(HashingError::Busy) => return Err(NotRight::Busy(HashingError::Busy)),
            Err(HashingError::Unusable(why)) => return Err(NotRight::Unusable(why)),
        };
        let Some(account) = found else {
            return Err(wrong(wrong_password(None, &tries)));
        };
        self.throttle.answer(|throttle| throttle.was_right(attempt)).await?;
        if let Some(better) = rehashed {
            let (owner, id, before) = (&trier.owner, account.id, account.password.clone());
            // Where it cannot be kept, the next login tries again.
            let _ = self.accounts.answer(|accounts| accounts.rehash(owner, id, before, better.into_secret())).await;
        }
        Ok(account)
    }

    /// By what the account's second factor was shown: a code of its phone, or one of its recovery codes. Either is used up; a
    /// recovery code also ends a lock that wrong codes of the phone have brought.
    ///
    /// # Errors
    /// [`NotRight`]: for an account without a phone and a wrong code alike.
    pub async fn code(&self, trier: &Trier, whose: &Subject, typed: &Secret) -> Result<SecondFactor, NotRight> {
        match RecoveryCode::read(typed) {
            Some(code) => self.recovery_code(trier, whose, &code).await.map(|()| SecondFactor::RecoveryCode),
            None => self.totp(trier, whose, typed).await.map(|()| SecondFactor::Totp),
        }
    }

    /// Whether that is a code of the account's phone, which is used up.
    ///
    /// # Errors
    /// [`NotRight`].
    pub async fn totp(&self, trier: &Trier, whose: &Subject, typed: &Secret) -> Result<(), NotRight> {
        if !TotpSeed::can_be_code(typed) {
            return Err(NotRight::Unreadable);
        }
        let (owner, account) = (&trier.owner, number_of(whose)?);
        let attempt = self.reserve(trier, Self::TOTP, tries_of_account(account), Some(whose)).await?;
        let seed = match self.confirmed(owner, account).await? {
            Some(totp) => Some(unsealed(&self.sealing, owner, account, totp.sealed)?),
            None => None,
        };
        let step = seed.as_ref().unwrap_or(&self.nobody).step_of(typed, self.clock.now());
        let shown = match (step, seed) {
            (Some(step), Some(_)) => {
                let fresh = self.factors.answer(|factors| factors.use_totp_step(owner, account, step.0)).await?;
                if fresh { Ok(()) } else { Err("the code, or a later one, was used before") }
            }
            (_, None) => Err(NO_APP),
            (None, _) => Err("the code is none of this moment"),
        };
        self.settle(attempt, whose, shown).await
    }

    async fn recovery_code(&self, trier: &Trier, whose: &Subject, code: &RecoveryCode) -> Result<(), NotRight> {
        let (owner, account) = (&trier.owner, number_of(whose)?);
        let attempt = self.reserve(trier, Self::RECOVERY, tries_of_account(account), Some(whose)).await?;
        let (confirmed, now) = (self.confirmed(owner, account).await?, self.clock.now());
        let used = self.factors.answer(|factors| factors.use_recovery_code(owner, account, code.hash(), now)).await?;
        let shown = match (used, confirmed) {
            (true, Some(_)) => Ok(()),
            (false, Some(_)) => Err("it is none of the account's recovery codes, or was used before"),
            (_, None) => Err(NO_APP),
        };
        self.settle(attempt, whose, shown).await?;
        let tries = tries_of_account(account);
        Ok(self.throttle.answer(|throttle| throttle.forgive(owner, Self::TOTP, tries)).await?)
    }

    /// The account's authenticator app, where it counts.
    ///
    /// # Errors
    /// The store is down.
    pub async fn confirmed(&self, owner: &OwnerId, account: AccountId) -> Result<Option<Totp>, PortError> {
        let kept = self.factors.answer(|factors| factors.totp(owner, account)).await?;
        Ok(kept.filter(|totp| totp.confirmed_at.is_some()))
    }

    /// Whose key that is, and in which login it was made. It is used up.
    ///
    /// Wrong tries are counted by the key itself, which is void after ten; to guess one without its public part is 60 bits of
    /// work, within two minutes.
    ///
    /// # Errors
    /// [`NotRight`]: for an unknown key and a wrong one alike.
    pub async fn key_entry(&self, trier: &Trier, typed: &Secret) -> Result<KeyEntry, NotRight> {
        // Whose it would have been, nobody knows.
        let wrong = |why: String| NotRight::Wrong { whose: None, why };
        let Some(key) = EntryKey::read(typed) else {
            return Err(wrong("what was typed cannot be a key: one has 12 or 30 letters and digits".to_owned()));
        };
        let (hash, now) = (key.hash(&self.code_key), self.clock.now());
        match self.key_entries.answer(|entries| entries.enter(&trier.owner, key.id(), hash, now)).await? {
            Entered::Right(entry) => Ok(entry),
            Entered::Unknown => Err(wrong("there is no such key, or not any more".to_owned())),
            Entered::Wrong(tries) => Err(wrong(format!("the key is wrong, for the {tries}. time"))),
        }
    }
}

const NO_APP: &str = "the account has no authenticator app that counts";

/// The account that somebody is who was proven before.
fn number_of(whose: &Subject) -> Result<AccountId, NotRight> {
    let nobody = || NotRight::Wrong {
        whose: Some(whose.clone()),
        why: "whoever was proven before is no account of the site".to_owned(),
    };
    AccountId::of(whose).ok_or_else(nobody)
}

/// A name that nobody has is not repeated; four bytes of its hash show that two are the same.
fn wrong_password(account: Option<&Account>, tries: &[u8; 32]) -> String {
    match account {
        None => {
            let [a, b, c, d, ..] = tries;
            format!("there is no account of that name ({a:02x}{b:02x}{c:02x}{d:02x})")
        }
        Some(account) if !account.is_enabled() => format!("account {} is disabled", account.id),
        Some(account) => format!("the password of account {} is another", account.id),
    }
}
