//! Origin: a browser says which page opened the socket (RFC 6454), and only pages that the owner listed may.
//!
//! user   -> edge      show origin in the upgrade request
//! socket              check origin
//!
//! It keeps foreign pages from using a visitor's browser; it proves nothing about a program, which can send any origin.

use crate::{BoxFuture, Claimant, Fault, Handshake, HandshakeLayer, Refusal, claimant::Came};

/// The name of the layer.
pub const NAME: &str = "origin";

const STEP: &str = "socket checks origin";

/// Which origins may open a socket. A request without an origin comes from no browser and passes; `null` never does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origins {
    /// The page has to come from the host that the socket is on: host and port of `Origin` and `Host` are the same.
    SameHost,
    /// Exactly these.
    Listed(Vec<String>),
    /// Every page of the world.
    Everyone,
}

/// An entry of an origin list that no browser can ever send.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{entry}` is not an origin: {problem}")]
pub struct OriginError {
    /// The place in the list, from 0.
    pub at: usize,
    /// The entry.
    pub entry: String,
    /// What is wrong with it, and what would be right.
    pub problem: &'static str,
}

impl Origins {
    /// Reads the list of a configuration: none at all means the same host, `["*"]` everyone.
    pub fn read(list: Option<&[String]>) -> Result<Self, OriginError> {
        let Some(list) = list else { return Ok(Self::SameHost) };
        if list == ["*"] {
            return Ok(Self::Everyone);
        }
        let read = |(at, entry): (usize, &String)| {
            let entry = entry.to_ascii_lowercase();
            match problem_of(&entry) {
                None => Ok(entry),
                Some(problem) => Err(OriginError { at, entry, problem }),
            }
        };
        list.iter().enumerate().map(read).collect::<Result<_, _>>().map(Self::Listed)
    }

    /// Whether the page that opened a socket on that host and port may. `None` is a program, or so it says.
    ///
    /// # Errors
    /// Why it may not.
    pub fn admit(&self, origin: Option<&str>, host: &str, port: Option<u16>) -> Result<(), &'static str> {
        let Some(origin) = origin else { return Ok(()) };
        let origin = origin.to_ascii_lowercase();
        if problem_of(&origin).is_some() {
            return Err("the origin is `null` or not one that a browser sends");
        }
        match self {
            Self::Everyone => Ok(()),
            Self::Listed(list) if list.contains(&origin) => Ok(()),
            Self::Listed(_) => Err("the origin is not in the list"),
            Self::SameHost => match split(&origin) {
                Some((scheme, of, at)) if of == host && meant(scheme, at) == meant(scheme, port) => Ok(()),
                _ => Err("the origin is another host than the socket's"),
            },
        }
    }

    /// Whether what a browser sends by itself, its cookies, may count: the browser has to say which page opened the socket, and
    /// that page has to be an allowed one. Every page of the world is not.
    pub(crate) fn admit_cookies(&self, came: &Came) -> Result<(), &'static str> {
        match (self, came.origin.as_deref()) {
            (_, None) => Err("a cookie came without the origin of the page that sent it"),
            (Self::Everyone, _) => Err("a cookie may not come from every page of the world"),
            (_, origin) => self.admit(origin, &came.host, came.port),
        }
    }
}

/// A port that a scheme has anyway is as good as none.
fn meant(scheme: &str, port: Option<u16>) -> Option<u16> {
    match (scheme, port) {
        ("http", Some(80)) | ("https", Some(443)) => None,
        (_, port) => port,
    }
}

/// Scheme, host and port.
fn split(origin: &str) -> Option<(&str, &str, Option<u16>)> {
    let (scheme, authority) = origin.split_once("://")?;
    let bracketed = authority.rfind(']').map_or(0, |end| end + 1);
    match authority.get(bracketed..)?.rfind(':') {
        None => Some((scheme, authority, None)),
        Some(colon) => {
            let (host, port) = authority.split_at_checked(bracketed + colon)?;
            let digits = port.strip_prefix(':')?;
            let canonical = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
            Some((scheme, host, Some(digits.parse().ok().filter(|_| canonical)?)))
        }
    }
}

/// Why no browser sends this as an origin.
fn problem_of(origin: &str) -> Option<&'static str> {
    if origin == "null" {
        return Some("every sandboxed page of the world sends it");
    }
    let Some((scheme, authority)) = origin.split_once("://") else {
        return Some("it begins with a scheme, as in `https://app.example`");
    };
    let scheme_fits = scheme.starts_with(|c: char| c.is_ascii_lowercase())
        && scheme.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.'));
    if !scheme_fits {
        return Some("its scheme has characters that none has");
    }
    if authority.contains('*') {
        return Some("a part of it cannot be `*`; list each origin, or `*` alone for every page of the world");
    }
    if authority.contains(['/', '?', '#']) {
        return Some("it ends with host and port, without a path or a slash");
    }
    if authority.contains('@') {
        return Some("it has no user name");
    }
    if !authority.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'\'' | b'\\' | b',' | b';')) {
        return Some("it has characters that no host has; write an international name as `xn--...`");
    }
    match split(origin) {
        None => Some("its port is not a number from 1 to 65535"),
        Some((_, "", _)) => Some("it has no host"),
        Some((scheme, _, port)) if port.is_some() && meant(scheme, port).is_none() => {
            Some("browsers leave out the port that the scheme has anyway")
        }
        Some((_, host, _)) if host.contains(':') && !host.starts_with('[') => Some("it has more than one port"),
        Some(_) => None,
    }
}

/// The layer: see [`Origins`].
#[derive(Clone, Debug)]
pub struct Origin(pub Origins);

impl HandshakeLayer for Origin {
    fn name(&self) -> &'static str {
        NAME
    }

    fn step(&self) -> &'static str {
        STEP
    }

    fn verify<'a>(&'a self, handshake: &'a Handshake, _: &'a mut Claimant) -> BoxFuture<'a, Result<(), Refusal>> {
        let verdict = match handshake.origin.as_deref().map(std::str::from_utf8).transpose() {
            Ok(origin) => self.0.admit(origin, &handshake.host, handshake.port),
            Err(_) => Err("the origin is not text"),
        };
        let verdict = verdict.map_err(|detail| Refusal::new(Fault::NotAllowed, STEP, detail));
        Box::pin(std::future::ready(verdict))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(list: &[&str]) -> Result<Origins, OriginError> {
        Origins::read(Some(&list.iter().map(|entry| (*entry).to_owned()).collect::<Vec<_>>()))
    }

    #[test]
    fn an_entry_that_no_browser_sends_is_reported_at_its_place() {
        let wrong = [
            ("null", "sandboxed"),
            ("app.example", "begins with a scheme"),
            ("https://app.example/", "without a path or a slash"),
            ("https://app.example/chat", "without a path or a slash"),
            ("https://*.app.example", "list each origin"),
            ("https://bob@app.example", "no user name"),
            ("https://", "no host"),
            ("https://:8443", "no host"),
            ("https://app.example:", "port is not a number"),
            ("https://app.example:0", "port is not a number"),
            ("https://app.example:65536", "port is not a number"),
            ("https://app.example:08443", "port is not a number"),
            ("https://app.example:443", "leave out the port"),
            ("http://app.example:80", "leave out the port"),
            ("https://app.example:1:2", "more than one port"),
            ("https://bücher.example", "xn--"),
            ("https://a b", "no host has"),
        ];
        for (entry, problem) in wrong {
            let error = listed(&["https://good.example", entry]).unwrap_err();
            assert_eq!(error.at, 1, "{entry}");
            assert!(error.to_string().contains(problem), "{entry}: {error}");
        }
    }

    #[test]
    fn a_list_is_kept_in_lower_case_and_a_star_alone_is_everyone() {
        let good =
            ["https://App.Example", "http://localhost:8080", "https://[2001:db8::1]:8443", "capacitor://localhost"];
        let Ok(Origins::Listed(list)) = listed(&good) else { panic!("not a list") };
        assert_eq!(list[0], "https://app.example");
        assert_eq!(list.len(), 4);
        assert_eq!(listed(&["*"]), Ok(Origins::Everyone));
        assert_eq!(listed(&["https://a.example", "*"]).unwrap_err().at, 1);
        assert_eq!(Origins::read(None), Ok(Origins::SameHost));
        assert_eq!(listed(&[]), Ok(Origins::Listed(vec![])), "an empty list lets no page in");
    }
}
