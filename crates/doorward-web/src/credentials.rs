//! Whether somebody has the password or the code of an account, as pages and programs are told.
//!
//! ```text
//! page -> Checks   who tries, what was typed        counted, hashed and used up there, for sockets and pages alike
//! page             right: the account; wrong: said to nobody but the log; locked: until when
//! ```

use std::time::Duration;

use doorward_auth::{
    account::{Lock, NotRight, SecondFactor, TotpSeed},
    ports::{Account, AttemptId, PortError, Totp},
};
use doorward_types::{AccountId, OwnerId, Secret, Subject, Timestamp};

use crate::{By, Happening, desk::Desk, field::Span, sorry::Sorry, visit::Visit};

/// Why something that was typed has let nobody in. An unknown name, a disabled account and a wrong password are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missed {
    /// It is wrong, or was used before.
    Wrong,
    /// It can be neither a code of an app nor a recovery code.
    Unreadable,
    /// It was not looked at.
    Held(Held),
}

/// Why a try may not be made now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    /// Not before so much time.
    For(Duration),
    /// Not until somebody who may has unlocked it.
    Locked,
}

impl Held {
    fn of(lock: Lock, now: Timestamp) -> Self {
        match lock {
            Lock::Until(at) => Self::For(at.since(now).max(Duration::from_secs(1))),
            Lock::UntilRecovered => Self::Locked,
        }
    }

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

impl Desk {
    /// Tries a name and a password.
    pub(crate) async fn try_password(
        &self,
        visit: &Visit,
        name: &str,
        password: &Secret,
    ) -> Result<Result<Account, Missed>, Sorry> {
        self.told(visit, "password", self.checks.password(&visit.trier(), name, password).await)
    }

    /// Tries the password of who is logged in, once more.
    pub(crate) async fn try_own_password(
        &self,
        visit: &Visit,
        whose: &Subject,
        password: &Secret,
    ) -> Result<Result<Account, Missed>, Sorry> {
        self.told(visit, "present password", self.checks.own_password(&visit.trier(), whose, password).await)
    }

    /// Tries a code of the account's authenticator app, or one of its recovery codes.
    pub(crate) async fn try_code(
        &self,
        visit: &Visit,
        account: &Account,
        typed: &Secret,
    ) -> Result<Result<SecondFactor, Missed>, Sorry> {
        let whose = account.subject();
        let tried = self.told(visit, "code", self.checks.code(&visit.trier(), &whose, typed).await)?;
        if tried == Ok(SecondFactor::RecoveryCode) {
            self.given(visit.event(Some(whose), By::Holder, Happening::RecoveryCodeUsed))?;
        }
        Ok(tried)
    }

    /// Tries what shows once more who is logged in: a code of the app, where it can be one, and otherwise the password.
    pub(crate) async fn try_proof(
        &self,
        visit: &Visit,
        whose: &Subject,
        typed: &Secret,
    ) -> Result<Result<(), Missed>, Sorry> {
        // No password is so short.
        if TotpSeed::can_be_code(typed) {
            return self.told(visit, "code", self.checks.totp(&visit.trier(), whose, typed).await);
        }
        Ok(self.try_own_password(visit, whose, typed).await?.map(drop))
    }

    /// Takes a try to make an account.
    pub(crate) async fn try_to_register(&self, visit: &Visit) -> Result<Result<AttemptId, Missed>, Sorry> {
        self.told(visit, "registration", self.checks.register(&visit.trier()).await)
    }

    /// The account's authenticator app, where it counts.
    pub(crate) async fn confirmed_totp(&self, owner: &OwnerId, id: AccountId) -> Result<Option<Totp>, PortError> {
        self.checks.confirmed(owner, id).await
    }

    /// What a page makes of it: precise for the log, and uniform for who tries.
    fn told<T>(
        &self,
        visit: &Visit,
        step: &'static str,
        tried: Result<T, NotRight>,
    ) -> Result<Result<T, Missed>, Sorry> {
        let why = match tried {
            Ok(right) => return Ok(Ok(right)),
            Err(why) => why,
        };
        let (whose, missed) = match &why {
            NotRight::Wrong { whose, .. } => (whose.clone(), Missed::Wrong),
            NotRight::Locked { whose, lock, .. } => (whose.clone(), Missed::Held(Held::of(*lock, visit.now))),
            // Nothing was tried.
            NotRight::Unreadable => return Ok(Err(Missed::Unreadable)),
            NotRight::Busy(_) | NotRight::Down(_) | NotRight::Unusable(_) => return Err(why.into()),
        };
        self.done(visit.event(whose, By::Somebody, Happening::LoginRefused { step, why }));
        Ok(Err(missed))
    }
}
