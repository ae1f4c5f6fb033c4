use std::time::Duration;

/// What the operator says of the site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteConfig {
    /// What the site is called, on its pages and in authenticator apps.
    pub name: String,
    /// The public address (`https://shop.example`), where it is not what requests name as their host: links and origins are of it.
    pub url: Option<String>,
    /// Whether everybody may make an account; otherwise only who has an invitation.
    pub register: bool,
    /// The domain whose sub-domains share the login: then every host below it can set a cookie over that of a login.
    pub cookie_domain: Option<String>,
    /// After how long without use a login ends.
    pub session_idle: Duration,
    /// After how long a login ends however much it is used.
    pub session_longest: Duration,
    /// How many logins an account may have; one more, and the oldest ends.
    pub sessions_per_account: usize,
}

impl Default for SiteConfig {
    fn default() -> Self {
        Self {
            name: "Doorward".to_owned(),
            url: None,
            register: false,
            cookie_domain: None,
            session_idle: Duration::from_secs(30 * 60),
            session_longest: Duration::from_secs(12 * 60 * 60),
            sessions_per_account: 100,
        }
    }
}
