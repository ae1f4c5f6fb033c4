//! Logins that still lack their second factor: kept on this server, for a few minutes, for the one browser that shows their cookie.
//!
//! They open nothing. What is here is gone with the process: whoever stood between the two pages begins again.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use doorward_auth::ports::Account;
use doorward_types::{AccountId, Timestamp};

use crate::opening::Began;

/// How long a login may take from the password to the code.
pub(crate) const LASTS: Duration = Duration::from_secs(5 * 60);
/// How many wrong codes end it.
const TRIES: u32 = 5;
/// No more are kept: each has cost somebody a right password.
const MOST: usize = 10_000;
/// No more of one account are kept, so that nobody takes all places by a password of their own; the oldest goes.
const MOST_OF_ONE: usize = 8;

/// A login whose password was right.
#[derive(Clone, Debug)]
pub(crate) struct Half {
    pub(crate) account: Account,
    /// Where to go afterwards.
    pub(crate) next: String,
    /// When the password was typed.
    pub(crate) began: Began,
    expires_at: Timestamp,
    tries: u32,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Halves(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    /// By the hash of their cookies.
    halves: HashMap<[u8; 32], Half>,
    /// The hashes of each account, the oldest first.
    of_account: HashMap<AccountId, VecDeque<[u8; 32]>>,
}

impl Kept {
    fn insert(&mut self, hash: [u8; 32], half: Half) {
        let account = half.account.id;
        let own = self.of_account.entry(account).or_default();
        own.push_back(hash);
        if own.len() > MOST_OF_ONE
            && let Some(oldest) = own.pop_front()
        {
            self.halves.remove(&oldest);
        }
        self.halves.insert(hash, half);
    }

    fn remove(&mut self, hash: [u8; 32]) -> Option<Half> {
        let half = self.halves.remove(&hash)?;
        if let Some(own) = self.of_account.get_mut(&half.account.id) {
            own.retain(|of_account| *of_account != hash);
            if own.is_empty() {
                self.of_account.remove(&half.account.id);
            }
        }
        Some(half)
    }

    fn forget(&mut self, now: Timestamp) {
        let over: Vec<_> =
            self.halves.iter().filter(|(_, half)| half.expires_at <= now).map(|(hash, _)| *hash).collect();
        for hash in over {
            self.remove(hash);
        }
    }
}

impl Halves {
    /// Keeps one. Answers `false` where there is no room.
    pub(crate) fn keep(&self, hash: [u8; 32], account: Account, next: String, began: Began, now: Timestamp) -> bool {
        let mut kept = self.lock();
        if kept.halves.len() >= MOST {
            kept.forget(now);
        }
        let has_room = kept.halves.len() < MOST;
        if has_room {
            kept.insert(hash, Half { account, next, began, expires_at: now.plus(LASTS), tries: 0 });
        }
        has_room
    }

    /// The one of that cookie, where it still holds.
    pub(crate) fn find(&self, hash: Option<[u8; 32]>, now: Timestamp) -> Option<Half> {
        self.lock().halves.get(&hash?).filter(|half| now < half.expires_at).cloned()
    }

    /// Takes it out: of two right codes at once one logs in.
    pub(crate) fn take(&self, hash: Option<[u8; 32]>, now: Timestamp) -> Option<Half> {
        self.lock().remove(hash?).filter(|half| now < half.expires_at)
    }

    /// Counts a wrong code. Answers whether another may be tried.
    pub(crate) fn was_wrong(&self, hash: Option<[u8; 32]>) -> bool {
        let Some(hash) = hash else { return false };
        let mut kept = self.lock();
        let Some(half) = kept.halves.get_mut(&hash) else { return false };
        half.tries += 1;
        let goes_on = half.tries < TRIES;
        if !goes_on {
            kept.remove(hash);
        }
        goes_on
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use doorward_auth::ports::Role;
    use doorward_types::{AccountId, OwnerId, Secret};

    const NOW: Timestamp = Timestamp::from_secs(1_795_312_386);

    fn account(number: u64) -> Account {
        Account {
            owner: OwnerId::new("acme"),
            id: AccountId(number),
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
        assert!(halves.keep([1; 32], account(7), "/account".into(), Began::at_the_beginning(NOW), NOW));
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
        halves.keep([1; 32], account(7), "/account".into(), Began::at_the_beginning(NOW), NOW);
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
            assert!(halves.keep(hash, account(number as u64), String::new(), Began::at_the_beginning(NOW), NOW));
        }
        assert!(!halves.keep([0xFF; 32], account(7), String::new(), Began::at_the_beginning(NOW), NOW));
        assert!(halves.keep([0xFF; 32], account(7), String::new(), Began::at_the_beginning(NOW), NOW.plus(LASTS)));
    }

    #[test]
    fn an_account_has_eight_at_a_time_and_leaves_the_places_of_all_others_free() {
        let halves = Halves::default();
        let began = Began::at_the_beginning(NOW);
        for number in 0..=255 {
            assert!(halves.keep([number; 32], account(7), String::new(), began, NOW));
        }
        let left: Vec<_> = (0..=255).filter(|number| halves.find(Some([*number; 32]), NOW).is_some()).collect();
        assert_eq!(left, (248..=255).collect::<Vec<u8>>());
        assert!(halves.take(Some([250; 32]), NOW).is_some());
        assert!(halves.keep([1; 32], account(7), String::new(), began, NOW), "a place that was given back");
        assert!(halves.find(Some([248; 32]), NOW).is_some());
    }
}
