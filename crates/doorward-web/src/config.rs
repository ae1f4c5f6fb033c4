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
    /// The domain whose sub-domains share the login; see [`SiteConfig::warnings`].
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

impl SiteConfig {
    /// What is to be said at the start: choices that are weaker than the default.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if let Some(domain) = &self.cookie_domain {
            warnings.push(format!(
                "`site.cookie_domain = \"{domain}\"`: every host under `{domain}` gets the cookie of a login and can set one of its own \
                 over it, so a login is as safe as the weakest of those hosts. Without it the cookies have the `__Host-` prefix and \
                 belong to one host; other hosts can let people in by tickets (`POST <gate>/ticket`)"
            ));
        }
        warnings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c90_a_shared_cookie_domain_is_warned_of_with_what_it_means_and_what_would_be_right() {
        assert_eq!(SiteConfig::default().warnings(), Vec::<String>::new());
        let shared = SiteConfig { cookie_domain: Some("shop.example".into()), ..SiteConfig::default() };
        let [warning] = shared.warnings().try_into().unwrap();
        for part in ["`site.cookie_domain = \"shop.example\"`", "weakest of those hosts", "`__Host-`", "tickets"] {
            assert!(warning.contains(part), "{warning}");
        }
    }
}
