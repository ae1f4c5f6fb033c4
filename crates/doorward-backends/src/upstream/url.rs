use std::fmt;

use http::{Uri, uri::Scheme};

/// Where an upstream is: `ws://host[:port][/path][?query]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamUrl {
    host: String,
    port: u16,
    path: String,
    query: Option<String>,
}

/// A URL that cannot be an upstream's. Says what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnusableUrl {
    /// It is not a URL.
    #[error("`{0}` is not a URL; write it as `ws://127.0.0.1:9000/path`")]
    NotAUrl(String),
    /// The scheme is not `ws`.
    #[error("an upstream is reached by `ws://`, not by `{0}://`")]
    Scheme(String),
    /// TLS towards the upstream.
    #[error("`wss://` upstreams are not supported yet; use `ws://` over a private network or a local TLS tunnel")]
    TlsNotYet,
    /// A name or password before the host.
    #[error("an upstream's URL has no user name or password")]
    UserInfo,
}

/// What follows a gate's path does not lead below the upstream's path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the path leads out of the upstream's own path, or has bytes that no path has")]
pub struct BadTail;

impl UpstreamUrl {
    /// The host name or address, an IPv6 address without its brackets.
    pub fn host(&self) -> &str {
        self.host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(&self.host)
    }

    /// The port; 80 where the URL names none.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Host and port as a `Host` header has them.
    pub fn authority(&self) -> String {
        match self.port {
            80 => self.host.clone(),
            port => format!("{}:{port}", self.host),
        }
    }

    /// Scheme, host and port (RFC 6454): the audience of an assertion.
    pub fn origin(&self) -> String {
        format!("ws://{}", self.authority())
    }

    /// The request target. `tail` is what followed a gate's path that ends in `/*`, as it came in the request: the rest of the
    /// path, then the query. An exact gate path has none, and the target is the URL's own.
    ///
    /// A query of the URL stays in front of the one that came.
    ///
    /// # Errors
    /// [`BadTail`] where a segment is `.` or `..`, between slashes or backslashes and percent-encoded or not, or where a byte could
    /// end the request line.
    pub fn target(&self, tail: Option<&str>) -> Result<String, BadTail> {
        let (path, query) = match tail {
            None => return Ok(join(self.path.clone(), [self.query.as_deref(), None])),
            Some(tail) => tail.split_once('?').map_or((tail, None), |(path, query)| (path, Some(query))),
        };
        if !tail.unwrap_or_default().bytes().all(|byte| matches!(byte, b'!'..=b'~') && byte != b'#') {
            return Err(BadTail);
        }
        let path = path.strip_prefix('/').unwrap_or(path);
        if leads_astray(path) {
            return Err(BadTail);
        }
        let mut target = self.path.clone();
        if !target.ends_with('/') {
            target.push('/');
        }
        target.push_str(path);
        Ok(join(target, [self.query.as_deref(), query]))
    }
}

/// Whether a path has a segment that may mean something other than a name below the one before it. An upstream may decode before
/// it splits, so encoded dots and slashes count as what they stand for.
fn leads_astray(path: &str) -> bool {
    let decoded =
        path.to_ascii_lowercase().replace("%2e", ".").replace("%2f", "/").replace("%5c", "\\").replace("%3b", ";");
    // Some servers drop what follows a semicolon before they look.
    let name = |segment: &str| segment.split(';').next().is_some_and(|name| matches!(name, "." | ".."));
    decoded.split(['/', '\\']).any(name)
}

fn join(mut target: String, queries: [Option<&str>; 2]) -> String {
    let mut before = '?';
    for query in queries.into_iter().flatten().filter(|query| !query.is_empty()) {
        target.push(before);
        target.push_str(query);
        before = '&';
    }
    target
}

impl std::str::FromStr for UpstreamUrl {
    type Err = UnusableUrl;

    fn from_str(text: &str) -> Result<Self, UnusableUrl> {
        let not_a_url = || UnusableUrl::NotAUrl(text.to_owned());
        let uri: Uri = text.parse().map_err(|_| not_a_url())?;
        match uri.scheme().map(Scheme::as_str) {
            Some(scheme) if scheme.eq_ignore_ascii_case("ws") => {}
            Some(scheme) if scheme.eq_ignore_ascii_case("wss") => return Err(UnusableUrl::TlsNotYet),
            Some(scheme) => return Err(UnusableUrl::Scheme(scheme.to_owned())),
            None => return Err(not_a_url()),
        }
        let authority = uri.authority().filter(|authority| !authority.host().is_empty()).ok_or_else(not_a_url)?;
        if authority.as_str().contains('@') {
            return Err(UnusableUrl::UserInfo);
        }
        let port = match authority.as_str().strip_prefix(authority.host()) {
            Some("") => 80,
            Some(_) => authority.port_u16().filter(|port| *port != 0).ok_or_else(not_a_url)?,
            None => return Err(not_a_url()),
        };
        Ok(Self {
            host: authority.host().to_ascii_lowercase(),
            port,
            path: match uri.path() {
                "" => "/".to_owned(),
                path => path.to_owned(),
            },
            query: uri.query().map(str::to_owned),
        })
    }
}

impl fmt::Display for UpstreamUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin(), self.path)
    }
}

impl<'de> serde::Deserialize<'de> for UpstreamUrl {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> UpstreamUrl {
        text.parse().unwrap()
    }

    #[test]
    fn a_url_has_a_host_a_port_and_an_origin() {
        let parts = |text: &str| {
            let url = url(text);
            (url.host().to_owned(), url.port(), url.origin())
        };
        assert_eq!(parts("ws://127.0.0.1:9000"), ("127.0.0.1".into(), 9000, "ws://127.0.0.1:9000".into()));
        assert_eq!(parts("WS://App.Example/x"), ("app.example".into(), 80, "ws://app.example".into()));
        assert_eq!(parts("ws://app.example:80/x"), ("app.example".into(), 80, "ws://app.example".into()));
        assert_eq!(parts("ws://[::1]:9000/x"), ("::1".into(), 9000, "ws://[::1]:9000".into()));
    }

    #[test]
    fn what_cannot_be_an_upstream_is_told_with_what_would_be_right() {
        let wrong = |text: &str| text.parse::<UpstreamUrl>().unwrap_err();
        assert_eq!(wrong("wss://app.example"), UnusableUrl::TlsNotYet);
        assert!(wrong("wss://app.example").to_string().contains("not supported yet"));
        assert_eq!(wrong("http://app.example"), UnusableUrl::Scheme("http".into()));
        assert_eq!(wrong("ws://bob:secret@app.example"), UnusableUrl::UserInfo);
        for text in ["", "127.0.0.1:9000", "/path", "ws://", "ws://host:0", "ws://host:99999", "ws://a b"] {
            assert_eq!(wrong(text), UnusableUrl::NotAUrl(text.into()), "{text}");
        }
    }

    #[test]
    fn an_exact_gate_path_leads_to_the_urls_own_target() {
        assert_eq!(url("ws://h").target(None), Ok("/".into()));
        assert_eq!(url("ws://h/chat?v=2").target(None), Ok("/chat?v=2".into()));
    }

    #[test]
    fn a_tail_and_its_query_go_below_the_urls_path() {
        for (base, tail, target) in [
            ("ws://h", "a/b?x=1", "/a/b?x=1"),
            ("ws://h/", "", "/"),
            ("ws://h/chat", "a", "/chat/a"),
            ("ws://h/chat/", "a", "/chat/a"),
            ("ws://h/chat", "/a", "/chat/a"),
            ("ws://h/chat?v=2", "a?x=/../1", "/chat/a?v=2&x=/../1"),
            ("ws://h/chat?v=2", "a?", "/chat/a?v=2"),
            ("ws://h/chat", "a..b/...", "/chat/a..b/..."),
            ("ws://h/chat", "team%2Froom", "/chat/team%2Froom"),
        ] {
            assert_eq!(url(base).target(Some(tail)), Ok(target.into()), "{base} {tail}");
        }
    }

    #[test]
    fn a_tail_cannot_lead_out_of_the_urls_path() {
        for tail in [
            "..",
            "../admin",
            "a/../../admin",
            "a/..",
            ".",
            "./a",
            "%2e%2e/admin",
            "%2E./admin",
            ".%2e?x",
            "a\\..\\b",
            "a%5c..",
            "..%2fadmin",
            "..;/admin",
            "a/..%3bx/admin",
            "a b",
            "a\r\nX: y",
            "a#b",
            "ü",
        ] {
            assert_eq!(url("ws://h/chat").target(Some(tail)), Err(BadTail), "{tail}");
        }
    }
}
