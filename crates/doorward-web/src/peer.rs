use std::net::IpAddr;

/// What the edge knows of a request's way here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerInfo {
    /// Where it comes from, as far as a trusted proxy says so.
    pub source: IpAddr,
    /// Whether the user's connection is TLS, here or before a trusted proxy.
    pub secure: bool,
    /// The `Host` header, lowercased, with its port where it names one.
    pub host: String,
}

impl PeerInfo {
    /// The origin of the page that a browser shows: `https://shop.example`.
    pub fn origin(&self) -> String {
        format!("{}://{}", if self.secure { "https" } else { "http" }, self.host)
    }

    /// The host without its port.
    pub fn host_name(&self) -> &str {
        match self.host.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or_default(),
            None => self.host.split(':').next().unwrap_or_default(),
        }
    }

    /// Whether a browser keeps secure cookies of such a page: over TLS, and on this machine's own names.
    pub(crate) fn keeps_secure_cookies(&self) -> bool {
        let name = self.host_name();
        let is_here = name == "localhost" || name.ends_with(".localhost");
        self.secure || is_here || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_origin_is_that_of_the_page_whatever_stands_between() {
        let peer = |host: &str, secure| PeerInfo { source: IpAddr::from([192, 0, 2, 7]), secure, host: host.into() };
        assert_eq!(peer("shop.example", true).origin(), "https://shop.example");
        assert_eq!(peer("[::1]:9410", false).origin(), "http://[::1]:9410");
        assert_eq!(peer("[::1]:9410", false).host_name(), "::1");
        assert_eq!(peer("shop.example:8443", true).host_name(), "shop.example");
        for (host, secure, keeps) in [
            ("shop.example", true, true),
            ("shop.example", false, false),
            ("127.0.0.1:9410", false, true),
            ("[::1]", false, true),
            ("demo.localhost:80", false, true),
            ("localhost.evil.example", false, false),
        ] {
            assert_eq!(peer(host, secure).keeps_secure_cookies(), keeps, "{host}");
        }
    }
}
