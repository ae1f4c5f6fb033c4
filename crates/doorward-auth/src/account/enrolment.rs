//! Putting an authenticator app on an account, for a page and the command line alike.
//!
//! begin     draw a secret, seal it, keep it   it does not count yet
//! holder    scan it, type one code of the app
//! confirm   make it count                     with new recovery codes, in one act

use doorward_types::{AccountId, OwnerId, Secret, Timestamp};

use super::{
    KeyEncryptionKey, NotRight, RecoveryCode, TotpSeed,
    checks::{totp_row, unsealed},
};
use crate::ports::{Factors, PortError, Rng};

/// An authenticator app that was begun and does not count yet.
#[derive(Debug)]
pub struct Enrolment {
    owner: OwnerId,
    account: AccountId,
    seed: TotpSeed,
    sealed: Vec<u8>,
}

/// What came of a code.
#[derive(Debug)]
pub enum Confirmed {
    /// It is right, and the app counts from now on. These codes stand in for a lost phone: they are shown once.
    Counts(Vec<RecoveryCode>),
    /// It is none of this time.
    Wrong,
    /// The secret is not there any more, or counts already: somebody else was faster.
    Overtaken,
}

impl Enrolment {
    /// Draws a secret and has it kept, in the place of an earlier one that never counted. `None` where the account has an app that
    /// counts, or where there is no such account.
    ///
    /// # Errors
    /// It cannot be kept.
    pub async fn begin(
        factors: &dyn Factors,
        sealing: &KeyEncryptionKey,
        rng: &dyn Rng,
        (owner, account): (&OwnerId, AccountId),
        now: Timestamp,
    ) -> Result<Option<Self>, PortError> {
        let seed = TotpSeed::draw(rng);
        let sealed = sealing.seal(seed.secret(), &totp_row(owner, account), rng).into_bytes();
        let is_begun = factors.enrol_totp(owner, account, sealed.clone(), now).await?;
        Ok(is_begun.then(|| Self { owner: owner.clone(), account, seed, sealed }))
    }

    /// The one that was begun before. `None` where there is none, or where it counts already.
    ///
    /// # Errors
    /// [`NotRight::Down`] and [`NotRight::Unusable`]: the secret cannot be had.
    pub async fn begun(
        factors: &dyn Factors,
        sealing: &KeyEncryptionKey,
        (owner, account): (&OwnerId, AccountId),
    ) -> Result<Option<Self>, NotRight> {
        let found = factors.totp(owner, account).await?.filter(|totp| totp.confirmed_at.is_none());
        let Some(totp) = found else { return Ok(None) };
        let seed = unsealed(sealing, owner, account, totp.sealed.clone())?;
        Ok(Some(Self { owner: owner.clone(), account, seed, sealed: totp.sealed }))
    }

    /// The secret, for the picture.
    pub fn seed(&self) -> &TotpSeed {
        &self.seed
    }

    /// Makes the app count, where the code is right.
    ///
    /// # Errors
    /// It cannot be written down.
    pub async fn confirm(
        &self,
        factors: &dyn Factors,
        rng: &dyn Rng,
        code: &Secret,
        now: Timestamp,
    ) -> Result<Confirmed, PortError> {
        let Some(step) = self.seed.step_of(code, now) else { return Ok(Confirmed::Wrong) };
        let codes = RecoveryCode::draw_all(rng);
        let hashes = codes.iter().map(RecoveryCode::hash).collect();
        let counts = factors.confirm_totp(&self.owner, self.account, self.sealed.clone(), step.0, hashes, now).await?;
        Ok(if counts { Confirmed::Counts(codes.into()) } else { Confirmed::Overtaken })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        account::{RECOVERY_CODES, TotpStep},
        memory::MemorySite,
        ports::{Accounts, Created, NewAccount, Role, SystemRng},
    };

    const NOW: Timestamp = Timestamp::from_secs(1_000_000);

    async fn bob(site: &MemorySite) -> (OwnerId, AccountId) {
        let owner = OwnerId::new("acme");
        let new = NewAccount {
            owner: owner.clone(),
            username: "bob".into(),
            unique: "bob".into(),
            role: Role::User,
            password: Secret::from_text(""),
            invitation: None,
            at: NOW,
        };
        let Ok(Created::Account(account)) = site.create(new).await else { panic!("it was not made") };
        (owner, account.id)
    }

    #[tokio::test]
    async fn an_app_counts_with_a_right_code_of_the_secret_that_is_kept_and_then_no_other_is_begun() {
        let (site, sealing) = (MemorySite::default(), KeyEncryptionKey::draw(&SystemRng));
        let (owner, id) = bob(&site).await;
        let of = (&owner, id);
        let begin = || Enrolment::begin(&site, &sealing, &SystemRng, of, NOW);
        let begun = || Enrolment::begun(&site, &sealing, of);
        assert!(begun().await.unwrap().is_none());
        let (first, second) = (begin().await.unwrap().unwrap(), begin().await.unwrap().unwrap());
        let code = |of: &Enrolment| of.seed().code(TotpStep::at(NOW));
        let confirm = async |of: &Enrolment, code: Secret| of.confirm(&site, &SystemRng, &code, NOW).await.unwrap();
        assert!(matches!(confirm(&second, Secret::from_text("no code")).await, Confirmed::Wrong));
        assert!(matches!(confirm(&first, code(&first)).await, Confirmed::Overtaken), "another is kept by now");
        let kept = begun().await.unwrap().unwrap();
        assert_eq!(kept.seed().base32(), second.seed().base32());
        let Confirmed::Counts(codes) = confirm(&kept, code(&second)).await else { panic!("it is right") };
        assert_eq!(codes.len(), RECOVERY_CODES);
        assert_eq!(site.recovery_codes_left(&owner, id).await, Ok(RECOVERY_CODES));
        assert!(begin().await.unwrap().is_none() && begun().await.unwrap().is_none());
        assert!(matches!(confirm(&kept, code(&second)).await, Confirmed::Overtaken));
    }
}
