use std::net::IpAddr;

use crate::config::Network;

/// The reverse proxies whose word is taken for where a connection comes from. With an empty list nobody's is.
#[derive(Clone, Debug, Default)]
pub struct Proxies(Vec<Network>);

impl Proxies {
    /// These networks.
    pub fn new(networks: Vec<Network>) -> Self {
        Self(networks)
    }

    /// Whether the word of `peer` is taken.
    pub fn trust(&self, peer: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(peer))
    }

    /// Where a request of `peer` comes from: the last address in `X-Forwarded-For` that is not a trusted proxy itself, or
    /// the peer where that is not trusted, says nothing, or says something unreadable.
    pub fn source<'a>(&self, peer: IpAddr, forwarded_for: impl DoubleEndedIterator<Item = &'a str>) -> IpAddr {
        if !self.trust(peer) {
            return peer;
        }
        let mut source = peer;
        for address in forwarded_for.rev().flat_map(|header| header.rsplit(',')) {
            match address.trim().parse::<IpAddr>() {
                Ok(address) => source = address,
                Err(_) => break,
            }
            if !self.trust(source) {
                break;
            }
        }
        source
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(networks: &[&str]) -> Proxies {
        Proxies::new(networks.iter().map(|network| network.parse().unwrap()).collect())
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn c30_forwarding_headers_of_a_stranger_are_ignored() {
        let nobody = proxies(&[]);
        assert_eq!(nobody.source(ip("192.0.2.1"), ["198.51.100.7"].into_iter()), ip("192.0.2.1"));
        let other = proxies(&["10.0.0.0/8"]);
        assert_eq!(other.source(ip("192.0.2.1"), ["198.51.100.7"].into_iter()), ip("192.0.2.1"));
    }

    #[test]
    fn c30_a_trusted_proxy_tells_the_last_address_that_is_not_a_proxy() {
        let proxies = proxies(&["10.0.0.0/8", "127.0.0.1"]);
        let told = |headers: &[&'static str]| proxies.source(ip("127.0.0.1"), headers.iter().copied());
        assert_eq!(told(&["198.51.100.7"]), ip("198.51.100.7"));
        assert_eq!(told(&["6.6.6.6, 198.51.100.7, 10.1.2.3"]), ip("198.51.100.7"), "the first is the client's own lie");
        assert_eq!(told(&["6.6.6.6", "198.51.100.7"]), ip("198.51.100.7"));
        assert_eq!(told(&["nonsense"]), ip("127.0.0.1"));
        assert_eq!(told(&[]), ip("127.0.0.1"));
    }
}
