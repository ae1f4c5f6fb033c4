//! How tries are counted: by whom, under what, and with which answer of the throttle.

use std::net::IpAddr;

use doorward_types::{AccountId, OwnerId, Subject};

use super::{Checks, Lock, NotRight};
use crate::{
    account::{Password, fold::folded},
    crypto::sha256,
    ports::{Attempt, AttemptId, PortError, Reserved},
    throttle::network_of,
};

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

/// Under what a throttle counts the tries of a name that was given, whether there is such an account or not.
pub fn tries_of_name(given: &str) -> [u8; 32] {
    let name = if given.len() <= Password::LONGEST { folded(given) } else { given.to_owned() };
    sha256(&[b"doorward tries v1\0name\0", name.as_bytes()])
}

/// Under what a throttle counts the tries of a known account.
pub fn tries_of_account(account: AccountId) -> [u8; 32] {
    sha256(&[b"doorward tries v1\0account\0", account.to_string().as_bytes()])
}

/// Under what a throttle counts those who want an account: by where they come from, since a count by the name that they want would
/// let a stranger keep the name from whoever was invited.
fn tries_of_source(source: IpAddr) -> [u8; 32] {
    sha256(&[b"doorward tries v1\0source\0", network_of(source).to_string().as_bytes()])
}

impl Checks {
    /// The factor under which a throttle counts passwords.
    pub const PASSWORD: &'static str = "password";
    /// The factor under which a throttle counts codes of phones.
    pub const TOTP: &'static str = "totp";
    /// The factor under which a throttle counts recovery codes: for themselves, since they are the way back where wrong codes have
    /// locked the others.
    pub const RECOVERY: &'static str = "recovery_code";
    /// The factor under which a throttle counts those who want an account.
    pub const REGISTER: &'static str = "register";

    /// Takes a try to make an account, counted by where it comes from. It counts as a failure until
    /// [the account was made](Self::registered).
    ///
    /// # Errors
    /// [`NotRight::Locked`], or what it depends on is down.
    pub async fn register(&self, trier: &Trier) -> Result<AttemptId, NotRight> {
        self.reserve(trier, Self::REGISTER, tries_of_source(trier.source), None).await
    }

    /// The account of that try was made.
    ///
    /// # Errors
    /// The throttle is down.
    pub async fn registered(&self, attempt: AttemptId) -> Result<(), PortError> {
        self.throttle.answer(|throttle| throttle.was_right(attempt)).await
    }

    /// Takes a try. A browser that the account has logged in with before has a count of its own.
    pub(super) async fn reserve(
        &self,
        trier: &Trier,
        factor: &'static str,
        subject: [u8; 32],
        whose: Option<&Subject>,
    ) -> Result<AttemptId, NotRight> {
        let device = self.known_browser(trier, whose).await?;
        self.reserve_on(device, trier, factor, subject, whose).await
    }

    /// The browser that tries, where the account has logged in with it before.
    pub(super) async fn known_browser(
        &self,
        trier: &Trier,
        whose: Option<&Subject>,
    ) -> Result<Option<[u8; 32]>, PortError> {
        let Some(browser) = trier.browser else { return Ok(None) };
        // Nobody has the number 0: an unknown account is looked up as a known one is.
        let (owner, account) = (&trier.owner, whose.and_then(AccountId::of).unwrap_or(AccountId(0)));
        let known = self.sessions.answer(|sessions| sessions.knows_browser(owner, account, browser)).await?;
        Ok(known.then_some(browser))
    }

    /// Takes a try that was made on that known browser, or on none.
    pub(super) async fn reserve_on(
        &self,
        device: Option<[u8; 32]>,
        trier: &Trier,
        factor: &'static str,
        subject: [u8; 32],
        whose: Option<&Subject>,
    ) -> Result<AttemptId, NotRight> {
        let (owner, source, at) = (trier.owner.clone(), trier.source, self.clock.now());
        let attempt = Attempt { owner, factor, subject, device, source, at };
        let locked = |lock| Err(NotRight::Locked { whose: whose.cloned(), factor, lock });
        match self.throttle.answer(|throttle| throttle.reserve(attempt)).await? {
            Reserved::Go(attempt) => Ok(attempt),
            Reserved::Wait(until) => locked(Lock::Until(until)),
            Reserved::Disabled => locked(Lock::UntilRecovered),
        }
    }

    /// Says of a try that it was right; a wrong one counts already.
    pub(super) async fn settle(
        &self,
        attempt: AttemptId,
        whose: &Subject,
        shown: Result<(), &'static str>,
    ) -> Result<(), NotRight> {
        shown.map_err(|why| NotRight::Wrong { whose: Some(whose.clone()), why: why.to_owned() })?;
        Ok(self.throttle.answer(|throttle| throttle.was_right(attempt)).await?)
    }
}
