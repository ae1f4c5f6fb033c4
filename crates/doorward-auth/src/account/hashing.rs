//! Passwords are hashed beside the threads that serve sockets, a few at a time: whoever finds too many waiting hears so at once.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use doorward_types::Secret;
use tokio::sync::{Semaphore, oneshot};

use super::{
    NewPassword, Password,
    blocks::{Blocks, Lobby, Memory},
    hashed::{HashedPassword, Work, hash, is_outdated, is_that_of, unusable},
    places::{Place, Places},
};
use crate::ports::{BlockingThreads, Rng, Threads};

/// The salt and the password of nobody: what is hashed where there is no such account.
const NOBODY: [u8; 16] = *b"nobody's account";

/// How a password compares with what is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verified {
    /// It is the one.
    Right {
        /// What to keep from now on, where the work has changed since it was hashed.
        rehashed: Option<HashedPassword>,
    },
    /// It is not, or nothing is kept.
    Wrong,
}

/// Why a password was not hashed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashingError {
    /// Too many wait already. To be told: try later.
    #[error("too many passwords are being checked at this moment")]
    Busy,
    /// What is kept is no argon2 hash, or the hash could not be made.
    #[error("the password hash is unusable: {0}")]
    Unusable(String),
}

/// Hashes passwords, with argon2id, off the threads that serve sockets.
///
/// Each hash takes a core and 19 MiB for some 50 ms, so there are as many at a time as there are cores; twice as many may wait,
/// and whoever comes beyond that is told at once that it is busy. A quarter as many places again, at least one, are kept for browsers
/// that the account knows, which a flood of strangers so does not shut out. The memory of all logins together is so
/// bounded by cores x 19 MiB, however many come; while others wait it is handed on, and when nobody does it is given back.
pub struct Hashing {
    work: Work,
    /// For those who are at work.
    permits: Arc<Semaphore>,
    /// For those who are at work or wait.
    places: Places,
    lobby: Lobby,
    threads: Arc<dyn Threads>,
    /// A hash of nobody's password, as much work as any.
    nobody: HashedPassword,
}

impl Hashing {
    /// With that work, on so many cores, by the [`BlockingThreads`] of the runtime.
    ///
    /// # Errors
    /// What argon2 says against the work.
    pub fn new(work: Work, cores: usize) -> Result<Self, HashingError> {
        let cores = cores.max(1);
        let nobody = hash(&work, &NOBODY, &NOBODY, &mut Memory::default())?;
        let (permits, places) = (Arc::new(Semaphore::new(cores)), Places::on(cores));
        Ok(Self { work, permits, places, lobby: Lobby::default(), threads: Arc::new(BlockingThreads), nobody })
    }

    /// The same on other threads.
    #[must_use]
    pub fn on(self, threads: Arc<dyn Threads>) -> Self {
        Self { threads, ..self }
    }

    /// Hashes a password that an account is to have.
    ///
    /// # Errors
    /// [`HashingError::Busy`] at once where too many wait.
    pub async fn hash(&self, password: &NewPassword, rng: &dyn Rng) -> Result<HashedPassword, HashingError> {
        self.place()?.hash(password, rng).await
    }

    /// The hash of a password that nobody knows: for an account that is to have another one, and until then none.
    ///
    /// # Errors
    /// [`HashingError::Busy`] at once where too many wait.
    pub async fn hash_of_no_password(&self, rng: &dyn Rng) -> Result<HashedPassword, HashingError> {
        let (work, salt, unknown) = (self.work.clone(), rng.bytes16(), Secret::new(rng.bytes32()));
        self.place()?.run(move |memory| hash(&work, unknown.reveal("to hash it"), &salt, memory)).await
    }

    /// Takes a place among those who are at work or wait: for whoever has something to do before that must not be done in vain.
    ///
    /// # Errors
    /// [`HashingError::Busy`] where there is none.
    pub fn place(&self) -> Result<HashingPlace<'_>, HashingError> {
        self.at(self.places.take())
    }

    /// The same out of the places that are kept for whoever comes from a browser that the account knows.
    ///
    /// # Errors
    /// [`HashingError::Busy`] where there is none of these either.
    pub fn kept_place(&self) -> Result<HashingPlace<'_>, HashingError> {
        self.at(self.places.take_kept())
    }

    fn at(&self, place: Option<Place>) -> Result<HashingPlace<'_>, HashingError> {
        let place = place.ok_or(HashingError::Busy)?;
        Ok(HashingPlace { hashing: self, place, blocks: self.lobby.enter() })
    }
}

/// A place among those whose passwords are compared.
pub struct HashingPlace<'a> {
    hashing: &'a Hashing,
    place: Place,
    blocks: Arc<Blocks>,
}

impl HashingPlace<'_> {
    /// Hashes a password that an account is to have.
    ///
    /// # Errors
    /// What argon2 says against the work.
    pub async fn hash(self, password: &NewPassword, rng: &dyn Rng) -> Result<HashedPassword, HashingError> {
        let (work, salt, password) = (self.hashing.work.clone(), rng.bytes16(), password.password().clone());
        self.run(move |memory| hash(&work, password.secret().reveal("to hash it"), &salt, memory)).await
    }

    /// Compares a password with what is kept of an account; `None` where there is no such account, or it may not log in: that
    /// takes as long and is wrong.
    ///
    /// Where the work has changed since, the password is hashed anew in the same go, with a salt of `rng`.
    ///
    /// # Errors
    /// Where what is kept is unusable.
    pub async fn verify(
        self,
        password: &Password,
        kept: Option<&HashedPassword>,
        rng: &dyn Rng,
    ) -> Result<Verified, HashingError> {
        let is_known = kept.is_some();
        let kept = kept.unwrap_or(&self.hashing.nobody).clone();
        let (work, salt, password) = (self.hashing.work.clone(), rng.bytes16(), password.clone());
        self.run(move |memory| {
            let bytes = password.secret().reveal("to compare its hash");
            let kept = PasswordHash::new(kept.reveal_text("to compare it")).map_err(unusable)?;
            // The password of nobody is no secret.
            if !is_that_of(&kept, bytes, memory)? || !is_known {
                return Ok(Verified::Wrong);
            }
            let rehashed = if is_outdated(&kept, &work) { Some(hash(&work, bytes, &salt, memory)?) } else { None };
            Ok(Verified::Right { rehashed })
        })
        .await
    }

    /// Runs `job` when a core is free. Permit and place go with the job: whoever hangs up meanwhile gives neither back early.
    async fn run<T: Send + 'static>(
        self,
        job: impl FnOnce(&mut Memory) -> Result<T, HashingError> + Send + 'static,
    ) -> Result<T, HashingError> {
        let permit = Arc::clone(&self.hashing.permits).acquire_owned().await.map_err(|_| HashingError::Busy)?;
        let (held, blocks) = ((self.place, permit), self.blocks);
        let (tell, done) = oneshot::channel();
        self.hashing.threads.run(Box::new(move || {
            let mut memory = blocks.take();
            let done = job(&mut memory);
            blocks.leave(memory);
            drop((held, blocks));
            // Whoever has hung up need not be told.
            let _gone = tell.send(done);
        }));
        done.await.unwrap_or_else(|_| Err(HashingError::Unusable("it was begun and not finished".into())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        account::{PasswordRules, PasswordUse, Username},
        ports::SystemRng,
    };

    const RIGHT: &str = "a plum, a teapot, a moth";

    fn cheap(cores: usize) -> Hashing {
        Hashing::new(Work::dangerously_cheap_for_tests(), cores).unwrap()
    }

    fn typed(text: &str) -> Password {
        Password::read(&Secret::from_text(text)).unwrap()
    }

    fn new_password() -> NewPassword {
        let (rules, bob) = (PasswordRules::of_site("Shop", ["shop.example"]), Username::parse("bob").unwrap());
        rules.check(typed(RIGHT), &bob, PasswordUse::Alone).unwrap()
    }

    async fn verify(
        hashing: &Hashing,
        password: &Password,
        kept: Option<&HashedPassword>,
    ) -> Result<Verified, HashingError> {
        hashing.place()?.verify(password, kept, &SystemRng).await
    }

    async fn kept(hashing: &Hashing) -> HashedPassword {
        hashing.hash(&new_password(), &SystemRng).await.unwrap()
    }

    #[tokio::test]
    async fn a_password_is_known_again_and_no_other() {
        let hashing = cheap(1);
        let kept = kept(&hashing).await;
        assert!(kept.reveal_text("test").starts_with("$argon2id$v=19$m=8,t=1,p=1$"));
        assert_eq!(format!("{kept:?}"), "HashedPassword(****)");
        let verify = async |text| verify(&hashing, &typed(text), Some(&kept)).await.unwrap();
        assert_eq!(verify(RIGHT).await, Verified::Right { rehashed: None });
        assert_eq!(verify("a plum, a teapot, a mot").await, Verified::Wrong);
        assert_eq!(verify("A plum, a teapot, a moth").await, Verified::Wrong);
        assert_ne!(kept, self::kept(&hashing).await, "each has a salt of its own");
    }

    #[tokio::test]
    async fn nobody_has_a_password_not_even_that_of_nobody() {
        let hashing = cheap(1);
        for text in [RIGHT, "nobody's account", ""] {
            assert_eq!(verify(&hashing, &typed(text), None).await, Ok(Verified::Wrong));
        }
    }

    #[tokio::test]
    async fn a_password_that_was_hashed_with_other_work_is_hashed_anew_at_the_next_login() {
        let old = cheap(1);
        let kept = kept(&old).await;
        let new = Hashing::new(Work::new(64, 2).unwrap(), 1).unwrap();
        let Verified::Right { rehashed: Some(better) } = verify(&new, &typed(RIGHT), Some(&kept)).await.unwrap() else {
            panic!("it is right, and outdated");
        };
        assert!(better.reveal_text("test").starts_with("$argon2id$v=19$m=64,t=2,p=1$"));
        assert_eq!(verify(&new, &typed(RIGHT), Some(&better)).await, Ok(Verified::Right { rehashed: None }));
        assert_eq!(verify(&new, &typed("wrong"), Some(&kept)).await, Ok(Verified::Wrong));
    }

    #[tokio::test]
    async fn what_others_have_left_in_the_memory_changes_no_hash() {
        let hashing = cheap(1);
        let kept = kept(&hashing).await;
        let larger = Hashing::new(Work::new(64, 2).unwrap(), 1).unwrap();
        let kept_larger = self::kept(&larger).await;
        // Somebody is there all the time, so that all of them have the same memory.
        let _there = hashing.place().unwrap();
        let verify = async |text, kept| verify(&hashing, &typed(text), Some(kept)).await.unwrap();
        for _ in 0..2 {
            assert_eq!(verify(RIGHT, &kept).await, Verified::Right { rehashed: None });
            assert_eq!(verify("wrong", &kept).await, Verified::Wrong);
            assert!(matches!(verify(RIGHT, &kept_larger).await, Verified::Right { rehashed: Some(_) }));
            assert_eq!(verify("wrong", &kept_larger).await, Verified::Wrong);
        }
        let is_there = |blocks: &Blocks| std::iter::from_fn(|| blocks.left()).count();
        assert_eq!(is_there(&hashing.lobby.enter()), 1, "nobody has taken memory of the system but the first");
    }

    #[tokio::test]
    async fn when_nobody_hashes_or_waits_the_memory_is_given_back() {
        let hashing = cheap(1);
        for _ in 0..3 {
            kept(&hashing).await;
        }
        assert!(hashing.lobby.enter().left().is_none());
    }

    #[tokio::test]
    async fn what_is_kept_broken_is_an_error_and_lets_nobody_in() {
        let hashing = cheap(1);
        for text in ["", "hunter2", "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ", "$2b$12$abcdefghijklmnopqrstuv"] {
            let kept = HashedPassword::from_secret(Secret::from_text(text));
            let verified = verify(&hashing, &typed(RIGHT), Some(&kept)).await;
            assert!(!matches!(verified, Ok(Verified::Right { .. })), "{text}: {verified:?}");
        }
    }

    #[tokio::test]
    async fn c45_as_many_as_there_are_cores_are_hashed_twice_as_many_wait_and_the_rest_hears_at_once() {
        let hashing = cheap(2);
        // Two at work that do not come to an end.
        let at_work: Vec<_> =
            (0..2).map(|_| (hashing.place(), Arc::clone(&hashing.permits).try_acquire_owned())).collect();
        let password = typed(RIGHT);
        let verify = || Box::pin(verify(&hashing, &password, None));
        let mut waiting: Vec<_> = (0..4).map(|_| verify()).collect();
        for one in &mut waiting {
            assert!(futures_now(one).is_none(), "it waits");
        }
        assert_eq!(futures_now(&mut verify()), Some(Err(HashingError::Busy)));
        // Whoever hangs up makes room.
        waiting.pop();
        let mut next = verify();
        assert!(futures_now(&mut next).is_none());
        drop(at_work);
        for one in waiting.into_iter().chain([next]) {
            assert_eq!(one.await, Ok(Verified::Wrong));
        }
        assert_eq!((hashing.permits.available_permits(), hashing.places.free()), (2, (6, 1)));
    }

    /// Does no job.
    struct Broken;

    impl Threads for Broken {
        fn run(&self, _: Box<dyn FnOnce() + Send>) {}
    }

    #[tokio::test]
    async fn a_hash_that_no_thread_finishes_is_an_error_and_gives_everything_back() {
        let hashing = cheap(1).on(Arc::new(Broken));
        let verified = hashing.place().unwrap().verify(&typed(RIGHT), None, &SystemRng).await;
        assert_eq!(verified, Err(HashingError::Unusable("it was begun and not finished".into())));
        let panics = cheap(1).place().unwrap().run::<()>(|_| panic!("on purpose")).await;
        assert_eq!(panics, Err(HashingError::Unusable("it was begun and not finished".into())));
        assert_eq!((hashing.permits.available_permits(), hashing.places.free()), (1, (3, 1)));
    }

    #[tokio::test]
    async fn c45_whoever_hangs_up_at_work_gives_no_core_back_before_the_work_is_done() {
        let hashing = cheap(1);
        let (go, gone) = std::sync::mpsc::channel::<()>();
        let mut job = Box::pin(hashing.place().unwrap().run(move |_| {
            // Ends when the test lets it.
            let _ = gone.recv();
            Ok(())
        }));
        assert!(futures_now(&mut job).is_none());
        drop(job);
        let free = || (hashing.permits.available_permits(), hashing.places.free());
        assert_eq!(free(), (0, (2, 1)), "it is still hashed");
        drop(go);
        let _permit = hashing.permits.acquire().await.unwrap();
    }

    /// What the future gives when it is polled once.
    fn futures_now<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match std::pin::Pin::new(future).poll(&mut context) {
            std::task::Poll::Ready(value) => Some(value),
            std::task::Poll::Pending => None,
        }
    }
}
