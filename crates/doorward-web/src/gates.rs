use doorward_auth::account::PasswordRules;
use doorward_types::{GateName, OwnerId};

/// A gate that lets people in, as the site shows it and makes tickets for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateInfo {
    /// Whose it is.
    pub owner: OwnerId,
    /// Its name.
    pub name: GateName,
    /// Its host, where it has one of its own.
    pub host: Option<String>,
    /// Its path, as it is configured; `None` where that is a secret.
    pub path: Option<String>,
    /// Its rungs from bottom to top, each in words: `session`, `totp or key_entry`.
    pub ladder: Vec<String>,
    /// What stands behind it: `hub`, `upstream`, `echo`, `9p`.
    pub backend: String,
    /// Whether it speaks Socket.IO.
    pub is_socketio: bool,
}

impl GateInfo {
    /// What to fill in where it is to be opened: its path, up to the `*` that stands for the rest. A `{variable}` stays, for a person
    /// to replace. `None` where the path is a secret.
    #[must_use]
    pub fn to_open(&self) -> Option<&str> {
        self.path.as_deref().map(|path| path.strip_suffix('*').unwrap_or(path))
    }

    /// Whether the page that tries gates speaks what is spoken there.
    #[must_use]
    pub fn can_be_tried(&self) -> bool {
        !self.is_socketio && self.backend != "9p"
    }

    /// Whether its path is one address, and no pattern.
    #[must_use]
    pub fn is_one_address(&self) -> bool {
        self.path.as_deref().is_some_and(|path| !path.contains(['*', '{']))
    }
}

/// The gates that are enabled, as the configuration has them at present: to the site there are no others.
pub trait Gates: Send + Sync {
    /// Whose site a request to that host (without port) is at.
    fn owner_of(&self, host: &str) -> OwnerId;

    /// The public address of the owner's site (`https://shop.example`), by which links lead to it; `None` where the configuration
    /// names none.
    fn address_of(&self, owner: &OwnerId) -> Option<String>;

    /// What a password of an account of that owner's must not be made of.
    fn rules_of(&self, owner: &OwnerId) -> PasswordRules;

    /// The gate at that host (without port) and path.
    fn find(&self, host: &str, path: &str) -> Option<GateInfo>;

    /// The owner's gates by their names; all for `None`.
    fn list(&self, owner: Option<&OwnerId>) -> Vec<GateInfo>;
}
