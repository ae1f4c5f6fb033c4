use std::net::IpAddr;

use http::HeaderMap;

use super::Proxies;

/// How a request came here, as far as that is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Came {
    /// From where.
    pub(crate) source: IpAddr,
    /// Whether the user's own connection is TLS: here, or before a proxy that is trusted.
    pub(crate) tls: bool,
    /// Whether nobody but the user can have read or changed it.
    pub(crate) secure: bool,
}

impl Came {
    /// Of a request with those headers that `peer` sent. `over_tls` says whether the connection here is TLS.
    pub(crate) fn of(proxies: &Proxies, headers: &HeaderMap, peer: IpAddr, over_tls: bool) -> Self {
        let source = proxies.source(peer, forwarded_for(headers));
        let (tls, secure) = match (was_forwarded(headers), proxies.trust(peer)) {
            (true, true) => (forwarded_as_tls(headers), forwarded_as_tls(headers)),
            // Through a proxy that is not trusted a connection is not as good as it looks.
            (true, false) => (over_tls, false),
            (false, _) => (over_tls, over_tls || peer.is_loopback()),
        };
        Self { source, tls, secure }
    }
}

/// Whether a proxy says that the user's connection is TLS; one that says it twice says nothing.
fn forwarded_as_tls(headers: &HeaderMap) -> bool {
    let mut protos = headers.get_all("x-forwarded-proto").iter();
    let is_https = protos.next().is_some_and(|proto| proto.as_bytes().eq_ignore_ascii_case(b"https"));
    is_https && protos.next().is_none()
}

/// Whether the request has been through a proxy, as far as it says so itself.
fn was_forwarded(headers: &HeaderMap) -> bool {
    ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"]
        .iter()
        .any(|name| headers.contains_key(*name))
}

/// The values of `X-Forwarded-For`, in their order; what is no text is left out.
fn forwarded_for(headers: &HeaderMap) -> impl DoubleEndedIterator<Item = &str> {
    headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROXY: [u8; 4] = [10, 0, 0, 1];

    fn came(headers: &[(&'static str, &'static str)], peer: [u8; 4], over_tls: bool) -> Came {
        let proxies = Proxies::new(vec!["10.0.0.0/8".parse().unwrap()]);
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        Came::of(&proxies, &map, peer.into(), over_tls)
    }

    #[test]
    fn c30_a_connection_is_as_good_as_what_is_known_of_it() {
        let of = |came: Came| (came.tls, came.secure);
        assert_eq!(of(came(&[], [192, 0, 2, 1], true)), (true, true));
        assert_eq!(of(came(&[], [192, 0, 2, 1], false)), (false, false));
        assert_eq!(of(came(&[], [127, 0, 0, 1], false)), (false, true));
        assert_eq!(of(came(&[("x-forwarded-proto", "HTTPS")], PROXY, false)), (true, true));
        assert_eq!(of(came(&[("via", "1.1 proxy")], PROXY, true)), (false, false), "a proxy that says nothing of TLS");
        let twice = [("x-forwarded-proto", "https"), ("x-forwarded-proto", "https")];
        assert_eq!(of(came(&twice, PROXY, false)), (false, false), "one that says it twice says nothing");
        let stranger = came(&[("x-forwarded-proto", "https"), ("x-forwarded-for", "192.0.2.9")], [127, 0, 0, 1], false);
        assert_eq!((of(stranger), stranger.source), ((false, false), [127, 0, 0, 1].into()));
    }
}
