//! Logins that still lack their second factor: kept on this server, for a few minutes, for the one browser that shows their cookie.
//!
//! They open nothing. What is here is gone with the process: whoever stood between the two pages begins again.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use doorward_auth::ports::Account;
use doorward_types::{Cursor, Timestamp};

/// How long a login may take from the password to the code.
pub(crate) const LASTS: Duration = Duration::from_secs(5 * 60);
/// How many wrong codes end it.
const TRIES: u32 = 5;
/// No more are kept: each has cost somebody a right password.
const MOST: usize = 10_000;

/// A login whose password was right.
#[derive(Clone, Debug)]
pub(crate) struct Half {
    pub(crate) account: Account,
    /// Where to go afterwards.
    pub(crate) next: String,
    /// Where the revocation log stood before the account was looked at.
    pub(crate) as_of: Cursor,
    expires_at: Timestamp,
    tries: u32,
}

/// All of them, by the hash of their cookies.
#[derive(Debug, Default)]
pub(crate) struct Halves(Mutex<HashMap<[u8; 32], Half>>);

impl Halves {
    /// Keeps one. Answers `false` where there is no room.
    pub(crate) fn keep(&self, hash: [u8; 32], account: Account, next: String, as_of: Cursor, now: Timestamp) -> bool {
        let mut halves = self.lock();
        if halves.len() >= MOST {
            halves.retain(|_, half| now < half.expires_at);
        }
        let has_room = halves.len() < MOST;
        if has_room {
            halves.insert(hash, Half { account, next, as_of, expires_at: now.plus(LASTS), tries: 0 });
        }
        has_room
    }

    /// The one of that cookie, where it still holds.
    pub(crate) fn find(&self, hash: Option<[u8; 32]>, now: Timestamp) -> Option<Half> {
        self.lock().get(&hash?).filter(|half| now < half.expires_at).cloned()
    }

    /// Takes it out: of two right codes at once one logs in.
    pub(crate) fn take(&self, hash: Option<[u8; 32]>, now: Timestamp) -> Option<Half> {
        self.lock().remove(&hash?).filter(|half| now < half.expires_at)
    }

    /// Counts a wrong code. Answers whether another may be tried.
    pub(crate) fn was_wrong(&self, hash: Option<[u8; 32]>) -> bool {
        let Some(hash) = hash else { return false };
        let mut halves = self.lock();
        let Some(half) = halves.get_mut(&hash) else { return false };
        half.tries += 1;
        let goes_on = half.tries < TRIES;
        if !goes_on {
            halves.remove(&hash);
        }
        goes_on
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 32], Half>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use doorward_auth::ports::Role;
    use doorward_types::{AccountId, OwnerId, Secret};

    const NOW: Timestamp = Timestamp::from_secs(1_795_312_386);

    fn bob() -> Account {
        Account {
            owner: OwnerId::new("acme"),
            id: AccountId(7),
            username: "bob".into(),
            unique: "bob".into(),
            role: Role::User,
            password: Secret::from_text("$argon2id$"),
            created_at: NOW,
            disabled_at: None,
        }
    }

    #[test]
    fn it_lasts_five_minutes_and_is_taken_once() {
        let halves = Halves::default();
        assert!(halves.keep([1; 32], bob(), "/account".into(), Cursor(1), NOW));
        let late = NOW.plus(LASTS);
        assert!(halves.find(Some([1; 32]), NOW).is_some());
        assert!(halves.find(Some([1; 32]), late).is_none());
        assert!(halves.find(Some([2; 32]), NOW).is_none(), "another browser");
        assert!(halves.find(None, NOW).is_none());
        assert!(halves.take(Some([1; 32]), NOW).is_some());
        assert!(halves.take(Some([1; 32]), NOW).is_none());
    }

    #[test]
    fn the_fifth_wrong_code_ends_it() {
        let halves = Halves::default();
        halves.keep([1; 32], bob(), "/account".into(), Cursor(1), NOW);
        let goes_on: Vec<_> = (0..6).map(|_| halves.was_wrong(Some([1; 32]))).collect();
        assert_eq!(goes_on, [true, true, true, true, false, false]);
        assert!(halves.find(Some([1; 32]), NOW).is_none());
    }

    #[test]
    fn where_all_places_are_taken_those_that_are_over_make_room() {
        let halves = Halves::default();
        for number in 0..MOST {
            let mut hash = [0; 32];
            hash[..8].copy_from_slice(&number.to_be_bytes());
            assert!(halves.keep(hash, bob(), String::new(), Cursor(1), NOW));
        }
        assert!(!halves.keep([0xFF; 32], bob(), String::new(), Cursor(1), NOW));
        assert!(halves.keep([0xFF; 32], bob(), String::new(), Cursor(1), NOW.plus(LASTS)));
    }
}
