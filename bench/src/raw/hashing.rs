//! Passwords with nothing around them, on one thread.
//!
//! user   -> server  a frame: the password
//! server            hash it, compare
//! server -> user    the same frame
//!
//! The work is what Doorward does by default, and what it is compared with was made by Doorward's own code. The memory of the hash is
//! taken once and used for all, which is the least that can be done.

use crate::{
    epoll::{Peers, Service},
    error::{Error, Result, Trying},
    frames,
    load::site::PASSWORD,
};
use argon2::{Algorithm, Argon2, Block, Params, Version, password_hash::phc::PasswordHash};
use doorward_auth::{
    account::{Hashing, Password, PasswordRules, PasswordUse, Username, Work},
    ports::SystemRng,
};
use doorward_types::Secret;

/// One account's password as it is kept, and what is needed to compare another with it.
pub(super) struct Hasher {
    argon2: Argon2<'static>,
    salt: Vec<u8>,
    kept: Vec<u8>,
    memory: Vec<Block>,
}

impl Hasher {
    pub(super) fn new() -> Result<Self> {
        let text = hashed()?;
        let bad =
            |error: &dyn std::fmt::Display| Error::Usage(format!("the hash of a password has no known form: {error}"));
        let kept = PasswordHash::new(&text).map_err(|error| bad(&error))?;
        let params = Params::try_from(&kept).map_err(|error| bad(&error))?;
        let is_known = kept.algorithm == Algorithm::Argon2id.ident() && kept.version == Some(Version::V0x13.into());
        let (Some(salt), Some(hash), true) = (kept.salt, kept.hash, is_known) else { return Err(bad(&text)) };
        let memory = vec![Block::default(); params.block_count()];
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        Ok(Self { argon2, salt: salt.as_ref().to_vec(), kept: hash.as_bytes().to_vec(), memory })
    }

    fn is_right(&mut self, password: &[u8]) -> bool {
        let mut hash = vec![0; self.kept.len()];
        let hashed = self.argon2.hash_password_into_with_memory(password, &self.salt, &mut hash, &mut self.memory);
        hashed.is_ok() && hash == self.kept
    }
}

/// The password of everybody, as a store keeps it.
fn hashed() -> Result<String> {
    let failed = |error: &dyn std::fmt::Display| Error::Usage(format!("the password cannot be hashed: {error}"));
    let name = Username::parse("somebody").map_err(|error| failed(&error))?;
    let typed = Password::read(&Secret::from_text(PASSWORD)).map_err(|error| failed(&error))?;
    let rules = PasswordRules::of_site("Bench", ["bench.example"]);
    let password = rules.check(typed, &name, PasswordUse::Alone).map_err(|error| failed(&error))?;
    let hashing = Hashing::new(Work::default(), 1).map_err(|error| failed(&error))?;
    let runtime = tokio::runtime::Builder::new_current_thread().build().trying("the tokio runtime")?;
    let kept = runtime.block_on(hashing.hash(&password, &SystemRng)).map_err(|error| failed(&error))?.into_secret();
    Ok(kept.reveal_text("to hash with its parameters").unwrap_or_default().to_owned())
}

impl Service for Hasher {
    fn heard(&mut self, from: usize, bytes: &mut [u8], peers: &mut Peers) -> Result<usize> {
        let Some(frame) = frames::first(bytes)? else { return Ok(0) };
        if !self.is_right(bytes.get(frame.start..frame.end).unwrap_or_default()) {
            return Err(Error::Usage("a peer has sent a wrong password".into()));
        }
        peers.send(from, bytes.get(..frame.end).unwrap_or_default());
        Ok(frame.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_right_and_another_is_not() {
        let mut hasher = Hasher::new().unwrap();
        assert!(hasher.is_right(PASSWORD.as_bytes()));
        assert!(!hasher.is_right(b"another"));
        // Nothing of the one before is left in the memory that matters.
        assert!(hasher.is_right(PASSWORD.as_bytes()));
    }
}
