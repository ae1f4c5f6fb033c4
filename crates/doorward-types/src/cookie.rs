use std::borrow::Cow;

/// The names of the two cookies by which a browser shows who it is: the edge reads them, the site sets them, and an upstream
/// never sees them.
///
/// ```
/// let names = doorward_types::CookieNames::default();
/// assert_eq!(names.session, "__Host-doorward-session");
/// assert!(names.is_ours(b"__Host-doorward-session") && !names.is_ours(b"sessionid"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookieNames {
    /// The cookie of a login.
    pub session: Cow<'static, str>,
    /// The cookie of the browser itself, which outlives its logins.
    pub browser: Cow<'static, str>,
}

impl Default for CookieNames {
    /// The names that a browser takes for this host alone, over TLS alone (RFC 6265bis, section 4.1.3).
    fn default() -> Self {
        Self { session: "__Host-doorward-session".into(), browser: "__Host-doorward-browser".into() }
    }
}

impl CookieNames {
    /// The names of cookies that all hosts of a domain share: browsers would refuse the prefix there.
    pub fn shared() -> Self {
        Self { session: "doorward-session".into(), browser: "doorward-browser".into() }
    }

    /// How the names of all cookies of Doorward begin, after a prefix that browsers know.
    const STEM: &[u8] = b"doorward-";

    /// Whether a cookie is one of these two, or of a name that Doorward keeps for itself. The case does not count: what a server
    /// may take for one of ours must not reach it.
    pub fn is_ours(&self, name: &[u8]) -> bool {
        let begins =
            |text: &[u8], with: &[u8]| text.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
        let stem = ["__Host-", "__Secure-"].iter().find(|prefix| begins(name, prefix.as_bytes()));
        let plain = stem.map_or(name, |prefix| name.get(prefix.len()..).unwrap_or_default());
        begins(plain, Self::STEM)
            || plain.eq_ignore_ascii_case(b"doorward")
            || [&self.session, &self.browser].iter().any(|ours| name.eq_ignore_ascii_case(ours.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_are_told_by_how_they_begin_in_whatever_case() {
        let names = CookieNames { session: "shop-login".into(), ..CookieNames::default() };
        for ours in [
            "__Host-doorward-session",
            "__host-DOORWARD-browser",
            "__Secure-doorward-session",
            "doorward-session",
            "Doorward-Anything",
            "__Host-doorward",
            "Shop-Login",
        ] {
            assert!(names.is_ours(ours.as_bytes()), "{ours}");
        }
        for other in ["", "session", "doorwards", "x-doorward-session", "__Host-", "__Host-other", "shop-login-2"] {
            assert!(!names.is_ours(other.as_bytes()), "{other}");
        }
    }
}
