//! The rules of accounts: what a username, a password, a one-time code and a recovery code are, and how they are kept.
//!
//! **What it is:** rules. A value that is out of a parser here cannot be wrong, and each step asks for the value that the step
//! before yields. [`Checks`] alone asks the ports: whether what somebody typed is right, for sockets and pages alike.
//!
//! **What it is not:** a place where accounts live, or where tries are counted: those are ports.
//!
//! ```text
//!  what was typed            what is known of it              what is kept
//!
//!  "Bob "        ──▶ Username     shown, unique          ──▶  both texts
//!  "correct h…"  ──▶ Password ──▶ NewPassword (the rules) ──▶  HashedPassword (argon2id), by Hashing
//!  a seed        ──▶ TotpSeed     step of a code          ──▶  Sealed, under the KeyEncryptionKey; the step
//!  recovery code ──▶ RecoveryCode 120 bits                ──▶  its SHA-256
//!  entry key     ──▶ EntryKey     40 bits and more        ──▶  its id, its HMAC with the server's key
//! ```
//!
//! ```
//! use doorward_auth::account::{Password, PasswordRules, PasswordUse, Username};
//! use doorward_types::Secret;
//!
//! let bob = Username::parse("Bob")?;
//! assert_eq!((bob.shown(), bob.unique()), ("Bob", "bob"));
//!
//! let rules = PasswordRules::of_site("Shop", ["shop.example"]);
//! let read = |text: &str| Password::read(&Secret::from_text(text));
//! let weak = rules.check(read("password12345678")?, &bob, PasswordUse::Alone).unwrap_err();
//! assert!(weak.to_string().contains("most common passwords"));
//! assert!(rules.check(read("four words, none of them related")?, &bob, PasswordUse::Alone).is_ok());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod blocks;
mod checks;
mod codes;
mod enrolment;
mod fold;
mod hashed;
mod hashing;
mod password;
mod places;
mod qr;
mod sealed;
mod totp;
mod username;

pub use checks::{Checks, Lock, NotRight, SecondFactor, Trier, totp_row, tries_of_account, tries_of_name};
pub use codes::{CodeKey, EntryKey, RECOVERY_CODES, RecoveryCode};
pub use enrolment::{Confirmed, Enrolment};
pub use hashed::{HashedPassword, Work};
pub use hashing::{Hashing, HashingError, HashingPlace, Verified};
pub use password::{NewPassword, Password, PasswordRules, PasswordUse, TooLong, WeakPassword};
pub use qr::{NoQr, QrPicture};
pub use sealed::{KeyEncryptionKey, NotOpened, Sealed};
pub use totp::{TotpSeed, TotpStep};
pub use username::{Alphabet, UnusableUsername, Username};
