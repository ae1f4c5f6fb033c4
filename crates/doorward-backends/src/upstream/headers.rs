//! Which of a user's headers reach an upstream.
//!
//! ```text
//! user -> gate       Host, Origin, Cookie, User-Agent ...   pass on, without what is ours
//!                    Authorization, Doorward-Ticket         credentials for the gate: stop here
//!                    X-Doorward-*, X-Forwarded-*, ...       claims of a gate: stop here, whoever makes them
//!                    Connection and what it names           for one hop: stop here
//! gate -> upstream   X-Forwarded-*, Forwarded, X-Real-IP    as the gate knows them, once
//! ```
//!
//! Servers behind CGI, WSGI or PHP fold `-` and `_` (and more) into one, so a name is judged by its letters and digits alone.

use std::{fmt::Write as _, net::IpAddr};

use doorward_types::CookieNames;
use doorward_wire::{
    json::SUBPROTOCOL,
    websocket::handshake::{Entry, Subprotocols},
};
use http::{HeaderMap, HeaderValue, header};

/// What a user's upgrade request says, as far as an upstream may need it.
#[derive(Clone, Copy, Debug)]
pub struct Visitor<'a> {
    /// The headers of the request, as they came.
    pub headers: &'a HeaderMap,
    /// Where the connection comes from, as far as trusted proxies tell.
    pub source: IpAddr,
    /// Whether the user's connection is TLS, as far as trusted proxies tell.
    pub tls: bool,
    /// The names of the cookies that are the gate's: those stop.
    pub cookies: &'a CookieNames,
    /// What followed the gate's path, if that ends in `/*`: the rest of the path, then `?` and the query, as they came.
    pub tail: Option<&'a str>,
}

/// What ends at a gate and at each hop (RFC 9110, section 7.6.1), or is written anew for the upstream.
const FOR_ONE_HOP: &[&str] = &[
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authentication-info",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// What only a gate or a proxy may say about a user. Servers that once stood behind another proxy may still believe its headers.
const FOR_GATES_TO_SAY: &[&str] = &[
    "authorization",
    "cf-connecting-ip",
    "fastly-client-ip",
    "forwarded",
    "remote-addr",
    "remote-email",
    "remote-groups",
    "remote-name",
    "remote-user",
    "true-client-ip",
    "via",
    "x-auth-email",
    "x-auth-groups",
    "x-auth-roles",
    "x-auth-subject",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-real-ip",
    "x-rewrite-url",
    "x-user",
    "x-username",
];

/// The same, as beginnings of names.
const FOR_GATES_TO_SAY_ALL: &[&str] = &[
    "cf-access-",
    "doorward-",
    "sec-websocket-",
    "ssl-client-",
    "tailscale-user-",
    "x-amzn-oidc-",
    "x-auth-request-",
    "x-auth-user",
    "x-authenticated-",
    "x-authentik-",
    "x-client-cert",
    "x-doorward-",
    "x-forwarded",
    "x-goog-authenticated-user-",
    "x-goog-iap-",
    "x-ms-client-principal",
    "x-original-",
    "x-pomerium-",
    "x-remote-",
    "x-ssl-client-",
    "x-webauth-",
];

/// The headers of `visitor` that reach an upstream, and those that the gate says about where they come from.
///
/// `wanted` narrows what passes on: `["*"]` is all, otherwise these names and `Origin`. `Host` is not among the result: see
/// [`host`].
pub(super) fn passing(visitor: &Visitor<'_>, wanted: &[String]) -> HeaderMap {
    let connection = named_by_connection(visitor.headers);
    let all = wanted.iter().any(|name| name == "*");
    let mut passing = HeaderMap::new();
    for (name, value) in visitor.headers {
        let plain = plain(name.as_str());
        let one_hop = FOR_ONE_HOP.contains(&&*plain) || connection.contains(&plain);
        let is_wanted = all || plain == "origin" || wanted.iter().any(|wanted| self::plain(wanted) == plain);
        if one_hop || !is_wanted || for_gates_to_say(&plain) {
            continue;
        }
        if plain != "cookie" {
            passing.append(name.clone(), value.clone());
        } else if let Some(cookies) = without_ours(value, visitor.cookies) {
            passing.append(header::COOKIE, cookies);
        }
    }
    say_where_from(visitor, &mut passing);
    passing
}

/// The `Host` header of `visitor`, which reaches the upstream as it came.
pub(super) fn host<'a>(visitor: &Visitor<'a>) -> Option<&'a HeaderValue> {
    visitor.headers.get(header::HOST).filter(|host| !host.is_empty())
}

/// The subprotocols that `visitor` offers to whoever is behind the gate: without those that carry a credential, and without the
/// gate's own. A value that cannot be read offers nothing.
pub(super) fn offered(visitor: &Visitor<'_>) -> Vec<String> {
    let mut offered: Vec<String> = Vec::new();
    for value in visitor.headers.get_all(header::SEC_WEBSOCKET_PROTOCOL) {
        let Ok(subprotocols) = Subprotocols::read(value.as_bytes()) else { return Vec::new() };
        for entry in subprotocols.iter().map(Entry::of) {
            if let Entry::Protocol(name) = entry
                && name != SUBPROTOCOL
                && !offered.iter().any(|before| before == name)
            {
                offered.push(name.to_owned());
            }
        }
    }
    offered
}

fn for_gates_to_say(plain: &str) -> bool {
    FOR_GATES_TO_SAY.contains(&plain) || FOR_GATES_TO_SAY_ALL.iter().any(|prefix| plain.starts_with(prefix))
}

/// A name as servers may fold it: lowercase, with `-` for everything that is neither letter nor digit.
fn plain(name: &str) -> String {
    name.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' }).collect()
}

fn named_by_connection(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(|name| plain(name.trim())).collect()
}

/// A `Cookie` header without our cookies; `None` where nothing is left.
fn without_ours(value: &HeaderValue, names: &CookieNames) -> Option<HeaderValue> {
    let mut kept = Vec::with_capacity(value.len());
    for cookie in value.as_bytes().split(|byte| *byte == b';').map(<[u8]>::trim_ascii) {
        let name = cookie.split(|byte| *byte == b'=').next().unwrap_or_default().trim_ascii_end();
        if cookie.is_empty() || names.is_ours(name) {
            continue;
        }
        if !kept.is_empty() {
            kept.extend_from_slice(b"; ");
        }
        kept.extend_from_slice(cookie);
    }
    HeaderValue::from_bytes(&kept).ok().filter(|cookies| !cookies.is_empty())
}

fn say_where_from(visitor: &Visitor<'_>, headers: &mut HeaderMap) {
    let proto = if visitor.tls { "https" } else { "http" };
    let mut forwarded = match visitor.source {
        IpAddr::V4(source) => format!("for={source};proto={proto}"),
        IpAddr::V6(source) => format!("for=\"[{source}]\";proto={proto}"),
    };
    if let Some(host) = host(visitor) {
        // Within a quoted string; a host with a quote or a backslash is none.
        if let Some(host) = host.to_str().ok().filter(|host| !host.contains(['"', '\\'])) {
            let _ = write!(forwarded, ";host=\"{host}\"");
        }
        headers.insert("x-forwarded-host", host.clone());
    }
    headers.insert("x-forwarded-proto", HeaderValue::from_static(proto));
    let source = visitor.source.to_string();
    for (name, value) in [("x-forwarded-for", &source), ("x-real-ip", &source), ("forwarded", &forwarded)] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use http::HeaderName;

    use super::*;

    fn headers(lines: &[(&str, &str)]) -> HeaderMap {
        let line =
            |(name, value): &(&str, &str)| (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
        let mut headers = HeaderMap::new();
        for (name, value) in lines.iter().map(line) {
            headers.append(name, value);
        }
        headers
    }

    static NAMES: LazyLock<CookieNames> = LazyLock::new(CookieNames::default);

    fn visitor(headers: &HeaderMap) -> Visitor<'_> {
        Visitor { headers, source: IpAddr::from([192, 0, 2, 7]), tls: true, cookies: &NAMES, tail: None }
    }

    fn all() -> Vec<String> {
        vec!["*".to_owned()]
    }

    fn values<'a>(headers: &'a HeaderMap, name: &str) -> Vec<&'a str> {
        headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
    }

    /// The names that pass on of a request with these lines, without those that the gate says.
    fn names_that_pass(lines: &[(&str, &str)]) -> Vec<String> {
        let passing = passing(&visitor(&headers(lines)), &all());
        let says = ["forwarded", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-real-ip"];
        let mut names: Vec<_> = passing.keys().map(|name| name.to_string()).collect();
        names.retain(|name| !says.contains(&name.as_str()));
        names
    }

    #[test]
    fn what_is_meant_for_the_server_passes_on() {
        for name in [
            "origin",
            "user-agent",
            "accept-language",
            "cookie",
            "x-request-id",
            "traceparent",
            "x-tenant",
            "x-auth-token",
        ] {
            assert_eq!(names_that_pass(&[(name, "a=b")]), [name]);
        }
    }

    #[test]
    fn credentials_for_the_gate_stop_at_the_gate() {
        for name in ["Authorization", "Proxy-Authorization", "Doorward-Ticket", "Sec-WebSocket-Protocol"] {
            assert_eq!(names_that_pass(&[(name, "secret")]), [""; 0], "{name}");
        }
    }

    #[test]
    fn extensions_are_not_offered_to_the_upstream() {
        assert_eq!(names_that_pass(&[("Sec-WebSocket-Extensions", "permessage-deflate")]), [""; 0]);
    }

    #[test]
    fn c31_what_only_a_gate_may_say_stops_in_every_spelling() {
        for name in [
            "X-Doorward-Subject",
            "x-doorward-assertion",
            "X_Doorward_Subject",
            "X-Doorward_Subject",
            "x_doorward-SUBJECT",
            "X.Doorward.Subject",
            "X-Doorward-Anything-New",
            "X_Forwarded_User",
            "X-Forwarded-User",
            "x-auth-user",
            "X_Auth_User",
            "X-Auth-Request-Email",
            "Remote-User",
            "Remote_User",
            "X-WEBAUTH-USER",
            "Doorward_Ticket",
            "Sec_WebSocket_Protocol",
        ] {
            assert_eq!(names_that_pass(&[(name, "eve")]), [""; 0], "{name}");
        }
    }

    #[test]
    fn c31_a_header_named_by_connection_stops_and_the_gates_own_cannot_be_named() {
        let request = headers(&[
            ("connection", "Upgrade, x-request-id"),
            ("connection", "X_Tenant,x-forwarded-for, forwarded ,cookie"),
            ("x-request-id", "1"),
            ("x-tenant", "acme"),
            ("user-agent", "test"),
            ("x-forwarded-for", "203.0.113.9"),
        ]);
        let passing = passing(&visitor(&request), &all());
        assert_eq!(values(&passing, "x-forwarded-for"), ["192.0.2.7"]);
        assert_eq!(values(&passing, "forwarded"), ["for=192.0.2.7;proto=https"]);
        assert_eq!(values(&passing, "user-agent"), ["test"]);
        for name in ["connection", "x-request-id", "x-tenant"] {
            assert!(!passing.contains_key(name), "{name}");
        }
    }

    #[test]
    fn c30_where_a_user_comes_from_is_said_by_the_gate_once() {
        let request = headers(&[
            ("host", "gate.example:8420"),
            ("x-forwarded-for", "203.0.113.9"),
            ("x-forwarded-for", "203.0.113.10"),
            ("x-forwarded-proto", "gopher"),
            ("x-forwarded-host", "evil.example"),
            ("x-forwarded-uri", "/admin"),
            ("x-forwarded-port", "1"),
            ("x-original-url", "/admin"),
            ("x_real_ip", "203.0.113.9"),
            ("forwarded", "for=203.0.113.9"),
            ("x-real-ip", "203.0.113.9"),
        ]);
        let passing = passing(&visitor(&request), &all());
        assert_eq!(values(&passing, "x-forwarded-for"), ["192.0.2.7"]);
        assert_eq!(values(&passing, "x-real-ip"), ["192.0.2.7"]);
        assert_eq!(values(&passing, "x-forwarded-proto"), ["https"]);
        assert_eq!(values(&passing, "x-forwarded-host"), ["gate.example:8420"]);
        assert_eq!(values(&passing, "forwarded"), ["for=192.0.2.7;proto=https;host=\"gate.example:8420\""]);
        assert_eq!(passing.len(), 5, "{passing:?}");
    }

    #[test]
    fn an_address_of_version_six_is_quoted_where_the_standard_asks_for_it() {
        let request = HeaderMap::new();
        let visitor = Visitor { source: "2001:db8::7".parse().unwrap(), tls: false, ..visitor(&request) };
        let passing = passing(&visitor, &all());
        assert_eq!(values(&passing, "forwarded"), ["for=\"[2001:db8::7]\";proto=http"]);
        assert_eq!(values(&passing, "x-forwarded-for"), ["2001:db8::7"]);
    }

    #[test]
    fn a_host_cannot_end_the_quoted_string_it_stands_in() {
        let request = headers(&[("host", "a\";for=\"203.0.113.9")]);
        let passing = passing(&visitor(&request), &all());
        assert_eq!(values(&passing, "forwarded"), ["for=192.0.2.7;proto=https"]);
    }

    #[test]
    fn our_cookies_stop_and_those_of_the_server_pass_on() {
        for (came, passes) in [
            ("a=1; __Host-doorward=secret; b=2", Some("a=1; b=2")),
            ("__Host-doorward-csrf=secret;a=1", Some("a=1")),
            ("__host-Doorward=secret; a=1", Some("a=1")),
            ("__Host-doorward=secret", None),
            ("__Host-doorward-session=dws_1; theme=dark; __Host-doorward-browser=dwb_1", Some("theme=dark")),
            ("doorward-session=dws_1;theme=dark;__Secure-doorward-browser=dwb_1", Some("theme=dark")),
            ("__Host-doorward-session =dws_1; a=1; DOORWARD-SESSION", Some("a=1")),
            ("session=1; doorwardish=2", Some("session=1; doorwardish=2")),
            ("__Host-other=1;;c=\"x y\"", Some("__Host-other=1; c=\"x y\"")),
        ] {
            let passing = passing(&visitor(&headers(&[("cookie", came)])), &all());
            assert_eq!(values(&passing, "cookie"), passes.into_iter().collect::<Vec<_>>(), "{came}");
        }
    }

    #[test]
    fn subprotocols_reach_the_upstream_in_their_order_without_what_is_the_gates() {
        let request = headers(&[
            ("sec-websocket-protocol", "doorward.v1, chat.v2, ticket.doorward.dwt_1, Ticket.Doorward.dwt_1, chat.v1"),
            ("sec-websocket-protocol", "BASE64URL.bearer.authorization.doorward.abc, chat.v2"),
        ]);
        assert_eq!(offered(&visitor(&request)), ["chat.v2", "chat.v1"]);
        assert_eq!(offered(&visitor(&headers(&[("sec-websocket-protocol", "chat, (no token)")]))), [""; 0]);
    }

    #[test]
    fn a_list_of_wanted_headers_narrows_what_passes_and_widens_nothing() {
        let request =
            headers(&[("user-agent", "t"), ("x-tenant", "a"), ("origin", "https://a"), ("authorization", "Bearer x")]);
        let wanted = ["X-Tenant".to_owned(), "Authorization".to_owned()];
        let passing = passing(&visitor(&request), &wanted);
        assert_eq!(values(&passing, "x-tenant"), ["a"]);
        assert_eq!(values(&passing, "origin"), ["https://a"]);
        assert!(!passing.contains_key("user-agent") && !passing.contains_key("authorization"));
    }
}
