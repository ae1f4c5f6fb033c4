use std::{path::Path, time::Duration};

use super::{Algorithm, IssuerConfig, IssuerError};
use crate::settings::{NoSecret, ReadSecret, Span};

/// Where the keys of an issuer are published, and what is to be kept to when they are fetched. All of it is the owner's word:
/// nothing that a token says is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPlace {
    /// What `iss` has to be, exactly.
    pub issuer: String,
    /// The address.
    pub at: KeysAt,
    /// The algorithms that the keys are for; others are not looked at.
    pub algorithms: Vec<Algorithm>,
    /// The certificates, in PEM, that are trusted there; those that the machine trusts where there are none.
    pub trusted: Option<Vec<u8>>,
    /// Whether they may come from a private address or this machine, and over `http://`.
    pub allow_private: bool,
    /// How long one fetch may take.
    pub within: Duration,
    /// How long keys are used that should be fetched again and cannot be.
    pub max_stale: Duration,
}

/// The address that keys are published at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeysAt {
    /// This one (JWKS, RFC 7517).
    Url(String),
    /// The one that the issuer names in its description, which is at this address (OpenID Connect Discovery 1.0, section 4). The
    /// `issuer` of the description has to be [`KeyPlace::issuer`], exactly.
    Discovery(String),
}

/// A fetch that takes longer is none that somebody waits for.
const LONGEST_FETCH: Span = Span::from_secs(60);

/// Keys that nobody has seen for longer are no keys.
const LONGEST_STALE: Span = Span::from_secs(24 * 60 * 60);

impl KeyPlace {
    /// Where the issuer's keys are fetched; `None` where they are not.
    pub(super) fn of(
        config: &IssuerConfig,
        algorithm: Algorithm,
        read: ReadSecret<'_>,
    ) -> Result<Option<Self>, IssuerError> {
        let (setting, at) = match (&config.jwks_url, config.discover) {
            (Some(_), true) => return Err(IssuerError::KeysTwice("jwks_url", "discover")),
            (Some(url), false) => ("jwks_url", KeysAt::Url(url.clone())),
            (None, true) => {
                let before = config.issuer.strip_suffix('/').unwrap_or(&config.issuer);
                ("discover", KeysAt::Discovery(format!("{before}/.well-known/openid-configuration")))
            }
            (None, false) => {
                for (setting, given) in [("ca_file", config.ca_file.is_some()), ("allow_private", config.allow_private)]
                {
                    if given {
                        return Err(IssuerError::NothingFetched(setting));
                    }
                }
                return Ok(None);
            }
        };
        if algorithm.is_symmetric() {
            return Err(IssuerError::WrongKeySort(setting, algorithm));
        }
        for (other, given) in [
            ("secret", config.secret.is_some()),
            ("secret_file", config.secret_file.is_some()),
            ("public_key_file", config.public_key_file.is_some()),
            ("private_key_file", config.private_key_file.is_some()),
        ] {
            if given {
                return Err(IssuerError::KeysTwice(other, setting));
            }
        }
        let (KeysAt::Url(url) | KeysAt::Discovery(url)) = &at;
        if let Err(problem) = fetchable(url, config.allow_private) {
            // Where keys are discovered, it is the issuer's own address that is wrong.
            let setting = if config.discover { "issuer" } else { setting };
            return Err(IssuerError::Address { setting, problem });
        }
        for (setting, span, longest) in
            [("fetch_timeout", config.fetch_timeout, LONGEST_FETCH), ("max_stale", config.max_stale, LONGEST_STALE)]
        {
            if span > longest || (span.duration() == Duration::ZERO && setting == "fetch_timeout") {
                return Err(IssuerError::Span { setting, span, longest });
            }
        }
        Ok(Some(Self {
            issuer: config.issuer.clone(),
            at,
            algorithms: config.algorithms.clone(),
            trusted: config.ca_file.as_deref().map(|path| certificates(path, read)).transpose()?,
            allow_private: config.allow_private,
            within: config.fetch_timeout.duration(),
            max_stale: config.max_stale.duration(),
        }))
    }
}

fn certificates(path: &Path, read: ReadSecret<'_>) -> Result<Vec<u8>, IssuerError> {
    let unreadable = |reason| NoSecret::Unreadable { path: path.to_owned(), reason };
    Ok(read(path).map_err(unreadable)?.reveal("certificates, which are public").to_vec())
}

/// Whether keys may be fetched from that address: by TLS, or within walls by HTTP.
fn fetchable(url: &str, allow_private: bool) -> Result<(), &'static str> {
    let (is_tls, rest) = match url.split_once("://") {
        Some(("https", rest)) => (true, rest),
        Some(("http", rest)) => (false, rest),
        _ => return Err("it does not begin with `https://`"),
    };
    if !is_tls && !allow_private {
        return Err(
            "it begins with `http://`, where whoever is on the way can put in keys of their own; write `https://`, or within walls of your own `allow_private = true`",
        );
    }
    if !rest.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("it has spaces, control characters or letters outside ASCII; write them as `%XX`");
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err("it names a user; credentials do not belong in an address");
    }
    if authority.is_empty() || authority.starts_with(':') {
        return Err("it names no host");
    }
    if rest.contains('#') {
        return Err("it has a fragment, `#...`, which no server is ever sent");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_fetched_over_tls_or_where_the_owner_says_so_within_walls() {
        for url in ["https://login.example/realms/a/keys", "https://login.example:8443", "https://[2001:db8::1]/k?x=1"]
        {
            assert_eq!(fetchable(url, false), Ok(()), "{url}");
        }
        assert!(fetchable("http://login.example/keys", false).unwrap_err().contains("allow_private = true"));
        assert_eq!(fetchable("http://login.example/keys", true), Ok(()));
    }

    #[test]
    fn an_address_that_is_none_is_told_what_is_wrong_with_it() {
        for (url, said) in [
            ("login.example/keys", "does not begin"),
            ("file:///etc/passwd", "does not begin"),
            ("HTTPS://login.example", "does not begin"),
            ("https://login.example/a b", "spaces"),
            ("https://login.example/\r\nHost: x", "control characters"),
            ("https://user:word@login.example/", "names a user"),
            ("https:///keys", "names no host"),
            ("https://:443/keys", "names no host"),
            ("https://login.example/keys#a", "fragment"),
        ] {
            let problem = fetchable(url, true).unwrap_err();
            assert!(problem.contains(said), "{url}: {problem}");
        }
    }
}
