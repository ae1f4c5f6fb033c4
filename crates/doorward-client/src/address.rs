use std::fmt;

use crate::ConnectError;

/// Where a gate is: `ws://host[:port]/path?query`, or `wss://` over TLS.
///
/// ```
/// let address: doorward_client::Address = "ws://gate.example/fancy?lang=de".parse()?;
/// assert_eq!(address.authority(), "gate.example");
/// assert_eq!(address.target(), "/fancy?lang=de");
/// # Ok::<(), doorward_client::ConnectError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    tls: bool,
    host: String,
    port: u16,
    authority: String,
    target: String,
}

impl Address {
    /// The host name or address, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether it is reached over TLS: `wss://`.
    pub fn is_tls(&self) -> bool {
        self.tls
    }

    /// The port; 80 where none was named, and 443 over TLS.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Host and port as the `Host` header has them.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Path and query, as the request line has them.
    pub fn target(&self) -> &str {
        &self.target
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "wss" } else { "ws" };
        write!(f, "{scheme}://{}{}", self.authority, self.target)
    }
}

impl std::str::FromStr for Address {
    type Err = ConnectError;

    fn from_str(url: &str) -> Result<Self, ConnectError> {
        let wrong = |what: &'static str| ConnectError::Url { what };
        let (tls, rest) = match url.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("ws") => (false, rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("wss") => (true, rest),
            _ => return Err(wrong("it begins with neither `ws://` nor `wss://`")),
        };
        if !rest.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(wrong("it has spaces, control characters or letters outside ASCII; write them as `%XX`"));
        }
        let rest = rest.split_once('#').map_or(rest, |(before, _)| before);
        let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(wrong("it names a user; credentials do not belong in a url"));
        }
        let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, after)) => (host, after.strip_prefix(':')),
            None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
        };
        let port = port
            .map_or(Ok(if tls { 443 } else { 80 }), str::parse)
            .map_err(|_| wrong("its port is not a number up to 65535"))?;
        if host.is_empty() {
            return Err(wrong("it has no host"));
        }
        let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        Ok(Self { tls, host: host.to_owned(), port, authority: authority.to_owned(), target })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(url: &str) -> Option<(String, u16, String, String)> {
        let address: Address = url.parse().ok()?;
        Some((address.host, address.port, address.authority, address.target))
    }

    #[test]
    fn an_address_has_host_port_and_target() {
        let is = |host: &str, port, authority: &str, target: &str| {
            Some((host.to_owned(), port, authority.to_owned(), target.to_owned()))
        };
        assert_eq!(parts("ws://gate.example"), is("gate.example", 80, "gate.example", "/"));
        assert_eq!(
            parts("WS://gate.example:8420/a/b?c=d#e"),
            is("gate.example", 8420, "gate.example:8420", "/a/b?c=d")
        );
        assert_eq!(parts("ws://gate.example?c=d"), is("gate.example", 80, "gate.example", "/?c=d"));
        assert_eq!(parts("ws://[::1]:9/x"), is("::1", 9, "[::1]:9", "/x"));
        assert_eq!(parts("wss://gate.example/x"), is("gate.example", 443, "gate.example", "/x"));
        assert_eq!(parts("WSS://[::1]:8420"), is("::1", 8420, "[::1]:8420", "/"));
        for url in ["ws://gate.example/", "wss://gate.example:1/x"] {
            let address: Address = url.parse().unwrap();
            assert_eq!((address.to_string().as_str(), address.is_tls()), (url, url.starts_with("wss")));
        }
        assert_eq!(parts("ws://[::1]"), is("::1", 80, "[::1]", "/"));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for url in ["", "gate.example", "http://x/", "wss://", "ws://", "ws:///path", "ws://x:99999/", "ws://x:/"] {
            assert_eq!(parts(url), None, "{url}");
        }
        for url in ["ws://user:pass@x/", "ws://x/a b", "ws://x/\r\nHost: y", "ws://x/ä"] {
            assert_eq!(parts(url), None, "{url}");
        }
    }
}
