//! What is kept of a password: argon2id (RFC 9106), with its parameters and its salt beside it.

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::phc::{Output, ParamsString, PasswordHash, Salt},
};
use doorward_types::Secret;

use super::{HashingError, blocks::Memory};

/// How much work it is to try a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work(Params);

impl Work {
    /// argon2id with so many KiB of memory and so many passes, in one lane.
    ///
    /// # Errors
    /// What argon2 says against it: fewer than 8 KiB, no pass.
    pub fn new(kibibytes: u32, passes: u32) -> Result<Self, argon2::Error> {
        Params::new(kibibytes, passes, 1, Some(Params::DEFAULT_OUTPUT_LEN)).map(Self)
    }

    /// Next to none, so that a thousand logins take no time: for tests. A store that was filled so is worth nothing.
    pub fn dangerously_cheap_for_tests() -> Self {
        Self(Params::new(Params::MIN_M_COST, 1, 1, Some(Params::DEFAULT_OUTPUT_LEN)).unwrap_or_default())
    }
}

impl Default for Work {
    /// 19 MiB and two passes in one lane: OWASP's recommendation, and argon2's default.
    fn default() -> Self {
        Self(Params::DEFAULT)
    }
}

/// A password as it is kept: argon2id with its parameters and salt, in PHC string format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashedPassword(Secret);

impl HashedPassword {
    /// As a store gives it back.
    pub fn from_secret(phc: Secret) -> Self {
        Self(phc)
    }

    /// The PHC string, to be stored. Whoever has it can try passwords against it.
    pub fn into_secret(self) -> Secret {
        self.0
    }

    pub(super) fn reveal_text(&self, reason: &'static str) -> &str {
        self.0.reveal_text(reason).unwrap_or_default()
    }
}

pub(super) fn hash(
    work: &Work,
    password: &[u8],
    salt: &[u8; 16],
    memory: &mut Memory,
) -> Result<HashedPassword, HashingError> {
    let (algorithm, version, params) = (Algorithm::Argon2id, Version::V0x13, work.0.clone());
    let hashed = PasswordHash {
        algorithm: algorithm.ident(),
        version: Some(version.into()),
        params: ParamsString::try_from(&params).map_err(unusable)?,
        salt: Some(Salt::new(salt).map_err(unusable)?),
        hash: Some(output(Argon2::new(algorithm, version, params), password, salt, memory)?),
    };
    Ok(HashedPassword(Secret::from_text(hashed.to_string())))
}

/// Whether what is kept is that of this password.
pub(super) fn is_that_of(kept: &PasswordHash, password: &[u8], memory: &mut Memory) -> Result<bool, HashingError> {
    let (Some(salt), Some(hash)) = (&kept.salt, &kept.hash) else { return Ok(false) };
    let algorithm = Algorithm::try_from(kept.algorithm.as_str()).map_err(unusable)?;
    let version = kept.version.map(Version::try_from).transpose().map_err(unusable)?.unwrap_or_default();
    let argon2 = Argon2::new(algorithm, version, Params::try_from(kept).map_err(unusable)?);
    // Outputs are compared in constant time.
    Ok(*hash == output(argon2, password, salt, memory)?)
}

fn output(argon2: Argon2<'_>, password: &[u8], salt: &[u8], memory: &mut Memory) -> Result<Output, HashingError> {
    let length = argon2.params().output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
    let blocks = memory.at_least(argon2.params().block_count()).map_err(unusable)?;
    let mut bytes = [0; Output::MAX_LENGTH];
    let out = bytes.get_mut(..length).ok_or_else(|| unusable("the hash is too long"))?;
    argon2.hash_password_into_with_memory(password, salt, &mut *out, blocks).map_err(unusable)?;
    Output::new(out).map_err(unusable)
}

pub(super) fn unusable(error: impl std::fmt::Display) -> HashingError {
    HashingError::Unusable(error.to_string())
}

pub(super) fn is_outdated(kept: &PasswordHash, work: &Work) -> bool {
    let same = Params::try_from(kept).is_ok_and(|params| {
        let wanted = &work.0;
        (params.m_cost(), params.t_cost(), params.p_cost()) == (wanted.m_cost(), wanted.t_cost(), wanted.p_cost())
    });
    !same || kept.algorithm != Algorithm::Argon2id.ident() || kept.version != Some(Version::V0x13.into())
}
