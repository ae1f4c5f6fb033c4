use std::time::Duration;

use doorward_types::{AccountId, OwnerId, Secret, Subject, Timestamp};

use super::PortError;
use crate::BoxFuture;

/// What an account may do at the site.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Sees its own sessions and sockets.
    #[default]
    User,
    /// Sees the accounts and sockets of its owner.
    Owner,
    /// Sees everything.
    Operator,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::User, Self::Owner, Self::Operator];

    /// The word for it: `user`, `owner`, `operator`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Owner => "owner",
            Self::Operator => "operator",
        }
    }

    /// The role of that word.
    pub fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }
}

/// An account of the built-in site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Whose site it is at.
    pub owner: OwnerId,
    /// Its number.
    pub id: AccountId,
    /// Its name as its holder writes it.
    pub username: String,
    /// Its name as it is compared: no two accounts of an owner have the same.
    pub unique: String,
    /// What it may do.
    pub role: Role,
    /// The hash of its password, as a PHC string.
    pub password: Secret,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when it lets nobody in.
    pub disabled_at: Option<Timestamp>,
}

impl Account {
    /// Whom it proves.
    pub fn subject(&self) -> Subject {
        self.id.subject(self.username.clone())
    }

    /// Whether it lets its holder in.
    pub fn is_enabled(&self) -> bool {
        self.disabled_at.is_none()
    }
}

/// An account as it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAccount {
    /// Whose site it is at.
    pub owner: OwnerId,
    /// Its name as its holder writes it.
    pub username: String,
    /// Its name as it is compared.
    pub unique: String,
    /// What it may do; an invitation's role counts before this.
    pub role: Role,
    /// The hash of its password, as a PHC string.
    pub password: Secret,
    /// The hash of the invitation that it is made with: used up together with the making, or not at all.
    pub invitation: Option<[u8; 32]>,
    /// When it is made.
    pub at: Timestamp,
}

/// What became of a new account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Created {
    /// It is there.
    Account(Account),
    /// Another account of the owner has that name.
    Taken,
    /// The invitation is unknown, used or expired.
    NotInvited,
}

/// An invitation to make an account: the first one, or one that an owner hands out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// To whose site.
    pub owner: OwnerId,
    /// What the account will be able to do.
    pub role: Role,
    /// Until when it holds.
    pub expires_at: Timestamp,
    /// Whether it is to the site's first account: then it holds only while the owner has none, and a newer one takes its place.
    pub first: bool,
}

impl Invitation {
    /// How long an invitation holds where nobody says otherwise, unless it is used before.
    pub const LASTS: Duration = Duration::from_hours(3 * 24);
}

/// A link by which the holder of an account sets another password: handed out by an owner, good once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reset {
    /// At whose site.
    pub owner: OwnerId,
    /// Of which account.
    pub account: AccountId,
    /// Until when it holds.
    pub expires_at: Timestamp,
}

impl Reset {
    /// How long a link holds, unless it is used before.
    pub const LASTS: Duration = Duration::from_hours(24);
}

/// Accounts of the built-in site. What ends their logins (a new password, disabling) is a
/// [`Change`](super::Change) of [`Revocations::end`](super::Revocations::end).
pub trait Accounts: Send + Sync {
    /// Makes an account, and uses its invitation up, in one act.
    fn create<'a>(&'a self, account: NewAccount) -> BoxFuture<'a, Result<Created, PortError>>;

    /// The account with that number.
    fn find<'a>(&'a self, owner: &'a OwnerId, id: AccountId) -> BoxFuture<'a, Result<Option<Account>, PortError>>;

    /// The account with that name, as names are compared.
    fn find_by_name<'a>(
        &'a self,
        owner: &'a OwnerId,
        unique: &'a str,
    ) -> BoxFuture<'a, Result<Option<Account>, PortError>>;

    /// Accounts by their numbers, from the one after `after`; of all owners for `None`.
    fn list<'a>(
        &'a self,
        owner: Option<&'a OwnerId>,
        after: Option<AccountId>,
        at_most: usize,
    ) -> BoxFuture<'a, Result<Vec<Account>, PortError>>;

    /// Puts a newer hash of the same password in the place of `before`. Nothing happens where that has changed meanwhile.
    fn rehash<'a>(
        &'a self,
        owner: &'a OwnerId,
        id: AccountId,
        before: Secret,
        after: Secret,
    ) -> BoxFuture<'a, Result<(), PortError>>;

    /// Lets a disabled account in again; its logins of before do not come back. Answers `false` where there is none, or it was
    /// not disabled.
    fn enable<'a>(&'a self, owner: &'a OwnerId, id: AccountId) -> BoxFuture<'a, Result<bool, PortError>>;

    /// Keeps an invitation under the hash of its text.
    fn invite<'a>(&'a self, hash: [u8; 32], invitation: Invitation) -> BoxFuture<'a, Result<(), PortError>>;

    /// Keeps a link to set another password, under the hash of its text, in the place of an earlier one of that account. It is void
    /// as soon as the account gets another password in any way.
    fn offer_reset<'a>(&'a self, hash: [u8; 32], reset: Reset) -> BoxFuture<'a, Result<(), PortError>>;

    /// The link of that hash at that owner's site, where it still holds. It is not used up by this.
    fn reset<'a>(
        &'a self,
        owner: &'a OwnerId,
        hash: [u8; 32],
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Reset>, PortError>>;

    /// The same, and uses it up, durably, before it answers.
    fn take_reset<'a>(
        &'a self,
        owner: &'a OwnerId,
        hash: [u8; 32],
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Reset>, PortError>>;

    /// The invitation to that owner's site of that hash, where it still holds. It is not used up by this.
    fn invitation<'a>(
        &'a self,
        owner: &'a OwnerId,
        hash: [u8; 32],
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Invitation>, PortError>>;
}
