//! Whether somebody has the password or the code of an account, for pages and programs alike.
//!
//! Known and unknown names take the same steps: the name is looked for, the try is counted by the hash of the name, and a password is
//! hashed, nobody's where there is no account.

use std::time::Duration;

use doorward_auth::{
    account::{
        Checks, HashedPassword, Password, RecoveryCode, Sealed, TotpSeed, Username, Verified, totp_row,
        tries_of_account, tries_of_name,
    },
    ports::{Account, Attempt, AttemptId, PortError, Reserved, Totp},
};
use doorward_types::{AccountId, OwnerId, Secret};

use crate::{desk::Desk, field::Span, sorry::Sorry, visit::Visit};

/// Passwords and codes of apps count here as they do at gates ([`Checks`]), so that a try counts wherever it is made. Recovery codes
/// count for themselves: they are the way back where wrong codes have locked the others.
const RECOVERY: &str = "recovery_code";
const REGISTER: &str = "register";

/// Why a try may not be made now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    /// Not before so much time.
    For(Duration),
    /// Not until somebody who may has unlocked it.
    Locked,
}

impl Held {
    /// What the user is told; the same for a name that nobody has.
    pub(crate) fn sentence(self) -> String {
        match self {
            Self::For(wait) => format!("There were too many wrong tries. Try again in {}.", Span(seconds(wait))),
            Self::Locked => {
                "There were too many wrong tries, so this is locked. Ask an owner of this site to unlock it.".to_owned()
            }
        }
    }

    /// After how long to come again. What is locked is not opened by waiting: somebody may look again tomorrow.
    pub(crate) fn wait(self) -> Duration {
        match self {
            Self::For(wait) => wait,
            Self::Locked => Duration::from_secs(24 * 60 * 60),
        }
    }
}

fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// How a try of a password came out.
#[derive(Debug)]
pub(crate) enum Tried {
    /// It is the password of this account, which lets its holder in.
    Right(Account),
    /// It is not; or there is no such account, or it lets nobody in.
    Wrong,
    /// It was not looked at.
    Held(Held),
}

/// How a try of a code came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    /// It is right, and used up.
    Right,
    /// It is wrong, or was used before.
    Wrong,
    /// It can be neither a code of an app nor a recovery code.
    Unreadable,
    /// It was not looked at.
    Held(Held),
}

impl Desk {
    /// Tries a name and a password.
    pub(crate) async fn try_password(&self, visit: &Visit, name: &str, password: &Secret) -> Result<Tried, Sorry> {
        let username = Username::parse(name).ok();
        let unique = username.as_ref().map_or(name, |username| username.unique());
        let account = self.ports().accounts.find_by_name(&visit.owner, unique).await?;
        self.try_password_of(visit, unique, account, password).await
    }

    /// Tries the password of who is logged in, once more.
    pub(crate) async fn try_own_password(
        &self,
        visit: &Visit,
        id: AccountId,
        password: &Secret,
    ) -> Result<Tried, Sorry> {
        let Some(account) = self.ports().accounts.find(&visit.owner, id).await? else { return Ok(Tried::Wrong) };
        let unique = account.unique.clone();
        self.try_password_of(visit, &unique, Some(account), password).await
    }

    async fn try_password_of(
        &self,
        visit: &Visit,
        unique: &str,
        account: Option<Account>,
        password: &Secret,
    ) -> Result<Tried, Sorry> {
        let account = account.filter(Account::is_enabled);
        let id = account.as_ref().map_or(AccountId(0), |account| account.id);
        // Before the try is counted: who is turned away because there is too much to do has not guessed.
        let place = self.parts.hashing.place()?;
        let attempt = match self.reserve(visit, Checks::PASSWORD, tries_of_name(unique), id).await? {
            Ok(attempt) => attempt,
            Err(held) => return Ok(Tried::Held(held)),
        };
        // What is too long for a password is nobody's; an empty one takes its place, so that the work is the same.
        let typed = Password::read(password);
        let readable = typed.is_ok();
        let typed = typed.or_else(|_| Password::read(&Secret::new([]))).map_err(|_| Sorry::Down)?;
        let kept = account.as_ref().filter(|_| readable).map(|account| account.password.clone());
        let kept = kept.map(HashedPassword::from_secret);
        match (place.verify(&typed, kept.as_ref(), self.rng()).await?, account) {
            (Verified::Right { rehashed }, Some(account)) => {
                self.ports().throttle.was_right(attempt).await?;
                if let Some(newer) = rehashed {
                    let before = account.password.clone();
                    let accounts = &self.ports().accounts;
                    accounts.rehash(&account.owner, account.id, before, newer.into_secret()).await?;
                }
                Ok(Tried::Right(account))
            }
            _ => {
                tracing::info!(name = %public(unique), source = %visit.peer.source, "a password was wrong");
                Ok(Tried::Wrong)
            }
        }
    }

    /// The account's authenticator app, where it counts.
    pub(crate) async fn confirmed_totp(&self, owner: &OwnerId, id: AccountId) -> Result<Option<Totp>, PortError> {
        Ok(self.ports().factors.totp(owner, id).await?.filter(|totp| totp.confirmed_at.is_some()))
    }

    /// Tries a code of the account's authenticator app, or one of its recovery codes.
    pub(crate) async fn try_code(&self, visit: &Visit, account: &Account, typed: &Secret) -> Result<Code, Sorry> {
        let text = typed.reveal_text("to see what kind it is").unwrap_or_default();
        let mut characters = text.chars().filter(|c| !c.is_whitespace());
        if characters.clone().count() == 6 && characters.all(|c| c.is_ascii_digit()) {
            self.try_totp(visit, account, typed).await
        } else {
            self.try_recovery(visit, account, typed).await
        }
    }

    async fn try_totp(&self, visit: &Visit, account: &Account, typed: &Secret) -> Result<Code, Sorry> {
        let attempt = match self.reserve(visit, Checks::TOTP, tries_of_account(account.id), account.id).await? {
            Ok(attempt) => attempt,
            Err(held) => return Ok(Code::Held(held)),
        };
        let Some(totp) = self.confirmed_totp(&account.owner, account.id).await? else { return Ok(Code::Wrong) };
        let Some(step) = self.opened(&account.owner, account.id, totp)?.step_of(typed, visit.now) else {
            tracing::info!(account = %account.id, source = %visit.peer.source, "a code was wrong");
            return Ok(Code::Wrong);
        };
        if !self.ports().factors.use_totp_step(&account.owner, account.id, step.0).await? {
            tracing::info!(account = %account.id, source = %visit.peer.source, "a code was used again");
            return Ok(Code::Wrong);
        }
        self.ports().throttle.was_right(attempt).await?;
        Ok(Code::Right)
    }

    async fn try_recovery(&self, visit: &Visit, account: &Account, typed: &Secret) -> Result<Code, Sorry> {
        let Some(code) = RecoveryCode::read(typed) else { return Ok(Code::Unreadable) };
        let attempt = match self.reserve(visit, RECOVERY, tries_of_account(account.id), account.id).await? {
            Ok(attempt) => attempt,
            Err(held) => return Ok(Code::Held(held)),
        };
        let factors = &self.ports().factors;
        if !factors.use_recovery_code(&account.owner, account.id, code.hash(), visit.now).await? {
            tracing::info!(account = %account.id, source = %visit.peer.source, "a recovery code was wrong");
            return Ok(Code::Wrong);
        }
        self.ports().throttle.was_right(attempt).await?;
        // It is the other way by which a factor that was locked comes back.
        self.ports().throttle.forgive(&account.owner, Checks::TOTP, tries_of_account(account.id)).await?;
        tracing::info!(account = %account.id, "a recovery code was used");
        Ok(Code::Right)
    }

    /// The secret of an authenticator app, unsealed.
    pub(crate) fn opened(&self, owner: &OwnerId, id: AccountId, totp: Totp) -> Result<TotpSeed, Sorry> {
        let opened = self.parts.sealing.open(&Sealed::from_bytes(totp.sealed), &totp_row(owner, id));
        let opened = opened.map_err(|error| error.to_string());
        opened.and_then(|seed| TotpSeed::from_secret(seed).ok_or_else(|| "it has another length".to_owned())).map_err(
            |error| {
                tracing::error!(account = %id, error, "the secret of an authenticator app cannot be opened");
                Sorry::Down
            },
        )
    }

    /// Takes a try to make an account, counted by the name that is wanted and by where it comes from.
    pub(crate) async fn reserve_registration(
        &self,
        visit: &Visit,
        unique: &str,
    ) -> Result<Result<AttemptId, Held>, PortError> {
        self.reserve(visit, REGISTER, tries_of_name(unique), AccountId(0)).await
    }

    /// Takes a try of a factor. A browser that has logged in as this account before is counted apart from all others.
    async fn reserve(
        &self,
        visit: &Visit,
        factor: &'static str,
        subject: [u8; 32],
        id: AccountId,
    ) -> Result<Result<AttemptId, Held>, PortError> {
        let device = match visit.shown.browser {
            Some(browser) if self.ports().sessions.knows_browser(&visit.owner, id, browser).await? => Some(browser),
            _ => None,
        };
        let attempt =
            Attempt { owner: visit.owner.clone(), factor, subject, device, source: visit.peer.source, at: visit.now };
        Ok(match self.ports().throttle.reserve(attempt).await? {
            Reserved::Go(attempt) => Ok(attempt),
            Reserved::Wait(until) => Err(Held::For(until.since(visit.now).max(Duration::from_secs(1)))),
            Reserved::Disabled => Err(Held::Locked),
        })
    }
}

/// A name in the log: enough of its hash to see that two are the same.
fn public(unique: &str) -> String {
    let [a, b, c, d, ..] = tries_of_name(unique);
    format!("{a:02x}{b:02x}{c:02x}{d:02x}")
}
