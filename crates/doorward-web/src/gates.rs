use doorward_types::{GateName, OwnerId};

/// A gate, as the site shows it and makes tickets for it.
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
    /// What stands behind it: `hub`, `upstream`, `echo`.
    pub backend: String,
    /// Whether it lets anybody in at present.
    pub enabled: bool,
}

/// The gates, as the configuration has them at present.
pub trait Gates: Send + Sync {
    /// Whose site a request to that host (without port) is at.
    fn owner_of(&self, host: &str) -> OwnerId;

    /// The gate at that host (without port) and path, where it is enabled.
    fn find(&self, host: &str, path: &str) -> Option<GateInfo>;

    /// The owner's gates by their names; all for `None`.
    fn list(&self, owner: Option<&OwnerId>) -> Vec<GateInfo>;
}
