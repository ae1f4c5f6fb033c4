use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use doorward_auth::{
    PresentedTicket, TicketVia,
    layers::handshake::path::{RequestPath, query_variables},
};
use doorward_types::{CookieNames, Secret};
use doorward_web::{BearerError, bearer};
use doorward_wire::websocket::handshake::{Entry, Subprotocols, TICKET_HEADER, accept_key};
use http::{
    HeaderMap, HeaderName, Method, Request, Version,
    header::{
        CONNECTION, CONTENT_LENGTH, COOKIE, HOST, ORIGIN, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
        SEC_WEBSOCKET_VERSION, TRANSFER_ENCODING, UPGRADE,
    },
};

use super::ShownCookies;

const TICKET: HeaderName = HeaderName::from_static(TICKET_HEADER);

/// The longest header value that is looked at, in bytes.
const LONGEST_VALUE: usize = 8 * 1024;

/// Why a request is not an upgrade that this server takes (RFC 6455, section 4.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Not a WebSocket upgrade at all.
    #[error("the request is not a WebSocket upgrade")]
    NotAnUpgrade,
    /// A header that may be there once is there twice.
    #[error("the header `{0}` is there twice")]
    Twice(&'static str),
    /// A header that has to be there is missing.
    #[error("the header `{0}` is missing")]
    Missing(&'static str),
    /// A header has a value that it cannot have.
    #[error("the header `{0}` has a value that it cannot have")]
    Unreadable(&'static str),
    /// Another version of the protocol than 13.
    #[error("the only version of the WebSocket protocol here is 13")]
    Version,
    /// A cookie of ours is there twice: a login could be taken for another.
    #[error("a cookie of this server is there twice")]
    CookieTwice,
    /// A credential among the subprotocols without a real subprotocol beside it, which alone may be echoed.
    #[error("a credential among the subprotocols needs a real subprotocol beside it")]
    NothingToEcho,
    /// A request body.
    #[error("an upgrade has no body")]
    Body,
    /// A path that could be read in two ways.
    #[error("the path is not readable")]
    Path,
    /// A query that cannot be decoded.
    #[error("the query is not readable")]
    Query,
}

/// What a request says of where it is for and who sends it: checked, and nothing of it looked up anywhere yet.
#[derive(Debug)]
pub struct Head {
    /// The path as it came, still percent-encoded.
    pub path: String,
    /// The query as it came, without the question mark.
    pub query: Option<String>,
    /// The `Host` header, lowercased.
    pub host: String,
    /// The `Origin` header as it came.
    pub origin: Option<Vec<u8>>,
    /// The bearer token.
    pub bearer: Option<Secret>,
    /// The one-time ticket.
    pub ticket: Option<PresentedTicket>,
    /// The cookies of ours that were shown.
    pub shown: ShownCookies,
    /// All headers as they came, for an upstream that wants them.
    pub headers: HeaderMap,
}

/// A checked upgrade request.
#[derive(Debug)]
pub struct Upgrade {
    /// What is in it as in every request; the credentials among the subprotocols count as if they were headers.
    pub head: Head,
    /// The answer to the `Sec-WebSocket-Key`.
    pub accept: [u8; 28],
    /// The subprotocols that were offered, without the credentials among them.
    pub protocols: Vec<String>,
}

impl Upgrade {
    /// Reads and checks a request, in which our own cookies have these names. Nothing of it is looked up anywhere yet.
    ///
    /// # Errors
    /// [`Malformed`]: what is wrong with it, in words that tell nothing of the gates.
    pub fn read<B>(request: &Request<B>, names: &CookieNames) -> Result<Self, Malformed> {
        let headers = request.headers();
        if request.method() != Method::GET || request.version() != Version::HTTP_11 || !asks_for_websocket(headers)? {
            return Err(Malformed::NotAnUpgrade);
        }
        if once(headers, &SEC_WEBSOCKET_VERSION, "sec-websocket-version")? != Some(b"13") {
            return Err(Malformed::Version);
        }
        if once(headers, &CONTENT_LENGTH, "content-length")?.is_some_and(|length| length != b"0")
            || headers.contains_key(TRANSFER_ENCODING)
        {
            return Err(Malformed::Body);
        }
        let key =
            once(headers, &SEC_WEBSOCKET_KEY, "sec-websocket-key")?.ok_or(Malformed::Missing("sec-websocket-key"))?;
        let accept = accept_key(key).ok_or(Malformed::Unreadable("sec-websocket-key"))?;
        let mut head = Head::read(request, names)?;
        let Offered { protocols, bearer, ticket } = Offered::read(headers)?;
        head.bearer = one_of("authorization", head.bearer, bearer)?;
        head.ticket = one_of(TICKET_HEADER, head.ticket, ticket)?;
        Ok(Self { head, accept, protocols })
    }
}

impl Head {
    /// Reads and checks what every request has, in which our own cookies have these names.
    ///
    /// # Errors
    /// As [`Upgrade::read`].
    pub fn read<B>(request: &Request<B>, names: &CookieNames) -> Result<Self, Malformed> {
        let headers = request.headers();
        let host = host(request)?;
        let origin = once(headers, &ORIGIN, "origin")?;
        if origin.is_some_and(|origin| visible(origin).is_none()) {
            return Err(Malformed::Unreadable("origin"));
        }
        let cookies = once(headers, &COOKIE, "cookie")?;
        if cookies.is_some_and(|cookies| cookies.iter().any(|byte| !matches!(byte, b' '..=b'~' | b'\t'))) {
            return Err(Malformed::Unreadable("cookie"));
        }
        let shown = ShownCookies::read(cookies.unwrap_or_default(), names)?;
        let (path, query) = (request.uri().path(), request.uri().query());
        let is_visible = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        // What no path can be is told apart from a path that nobody has; who asks learns nothing of the gates by that.
        if !is_visible(path) || RequestPath::read(path).is_err() {
            return Err(Malformed::Path);
        }
        if query.is_some_and(|query| !is_visible(query) || query_variables(query).is_err()) {
            return Err(Malformed::Query);
        }
        Ok(Self {
            path: path.to_owned(),
            query: query.map(str::to_owned),
            host,
            origin: origin.map(<[u8]>::to_vec),
            bearer: authorization(headers)?,
            ticket: ticket_header(headers)?,
            shown,
            headers: headers.clone(),
        })
    }

    /// The host that the request is for, without the port.
    pub fn host_name(&self) -> &str {
        match self.host.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or_default(),
            None => self.host.split(':').next().unwrap_or_default(),
        }
    }

    /// The port of the `Host` header, where it names one.
    pub fn host_port(&self) -> Option<u16> {
        self.host.rsplit_once(':').and_then(|(_, port)| port.parse().ok())
    }
}

/// The host that a request is for, lowercased, with its port where it names one: an upgrade, or a page or a program's.
///
/// # Errors
/// It is not there, there twice, or could be read as another.
pub(crate) fn host<B>(request: &Request<B>) -> Result<String, Malformed> {
    let host = once(request.headers(), &HOST, "host")?.ok_or(Malformed::Missing("host"))?;
    let host = visible(host).ok_or(Malformed::Unreadable("host"))?.to_ascii_lowercase();
    // A target in absolute form that names another host could be routed otherwise by a proxy before us.
    let elsewhere = request.uri().authority().is_some_and(|authority| !authority.as_str().eq_ignore_ascii_case(&host));
    if elsewhere || host.contains(['@', '/', '\\', ',']) { Err(Malformed::Unreadable("host")) } else { Ok(host) }
}

/// What the subprotocol header offers: real ones, and credentials.
struct Offered {
    protocols: Vec<String>,
    bearer: Option<Secret>,
    ticket: Option<PresentedTicket>,
}

impl Offered {
    fn read(headers: &HeaderMap) -> Result<Self, Malformed> {
        const NAME: &str = "sec-websocket-protocol";
        let mut offered = Self { protocols: Vec::new(), bearer: None, ticket: None };
        for value in headers.get_all(SEC_WEBSOCKET_PROTOCOL) {
            let entries = Subprotocols::read(value.as_bytes()).map_err(|_| Malformed::Unreadable(NAME))?;
            for entry in entries.iter() {
                match Entry::of(entry) {
                    Entry::Bearer(token) => {
                        let token = BASE64_URL_SAFE_NO_PAD.decode(token).map_err(|_| Malformed::Unreadable(NAME))?;
                        offered.bearer = one_of(NAME, offered.bearer, Some(Secret::new(token)))?;
                    }
                    Entry::Ticket(ticket) => {
                        let ticket = PresentedTicket { via: TicketVia::Subprotocol, text: Secret::from_text(ticket) };
                        offered.ticket = one_of(NAME, offered.ticket, Some(ticket))?;
                    }
                    Entry::Protocol(name) => offered.protocols.push(name.to_owned()),
                }
            }
        }
        let credentials = offered.bearer.is_some() || offered.ticket.is_some();
        if credentials && offered.protocols.is_empty() { Err(Malformed::NothingToEcho) } else { Ok(offered) }
    }
}

fn asks_for_websocket(headers: &HeaderMap) -> Result<bool, Malformed> {
    let upgrade = once(headers, &UPGRADE, "upgrade")?;
    let names = |value: &[u8], wanted: &[u8]| {
        value.split(|byte| *byte == b',').any(|token| token.trim_ascii().eq_ignore_ascii_case(wanted))
    };
    Ok(upgrade.is_some_and(|value| names(value, b"websocket"))
        && headers.get_all(CONNECTION).iter().any(|value| names(value.as_bytes(), b"upgrade")))
}

/// The value of a header that may be there once.
fn once<'a>(headers: &'a HeaderMap, name: &HeaderName, says: &'static str) -> Result<Option<&'a [u8]>, Malformed> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    match (first, values.next()) {
        (_, Some(_)) => Err(Malformed::Twice(says)),
        (Some(value), None) if value.len() > LONGEST_VALUE => Err(Malformed::Unreadable(says)),
        (first, None) => Ok(first.map(|value| value.as_bytes())),
    }
}

/// Visible ASCII, not empty.
fn visible(value: &[u8]) -> Option<&str> {
    (!value.is_empty() && value.iter().all(u8::is_ascii_graphic)).then(|| std::str::from_utf8(value).ok())?
}

fn authorization(headers: &HeaderMap) -> Result<Option<Secret>, Malformed> {
    const NAME: &str = "authorization";
    bearer(headers).map_err(|error| match error {
        BearerError::Twice => Malformed::Twice(NAME),
        BearerError::Unreadable => Malformed::Unreadable(NAME),
    })
}

fn ticket_header(headers: &HeaderMap) -> Result<Option<PresentedTicket>, Malformed> {
    let Some(value) = once(headers, &TICKET, TICKET_HEADER)? else { return Ok(None) };
    let text = Secret::from_text(visible(value).ok_or(Malformed::Unreadable(TICKET_HEADER))?);
    Ok(Some(PresentedTicket { via: TicketVia::Header, text }))
}

/// A credential that came in one way, or in the other, but not in both.
fn one_of<T>(name: &'static str, one: Option<T>, other: Option<T>) -> Result<Option<T>, Malformed> {
    match (one, other) {
        (Some(_), Some(_)) => Err(Malformed::Twice(name)),
        (one, other) => Ok(one.or(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> http::request::Builder {
        Request::get("/fancy/lobby?myid=bob")
            .header("host", "App.Example:8420")
            .header("connection", "keep-alive, Upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
    }

    fn read(builder: http::request::Builder) -> Result<Upgrade, Malformed> {
        Upgrade::read(&builder.body(()).unwrap(), &CookieNames::default())
    }

    #[test]
    fn an_ordinary_upgrade_is_read() {
        let upgrade = read(good().header("origin", "https://app.example")).unwrap();
        assert_eq!((upgrade.head.path.as_str(), upgrade.head.query.as_deref()), ("/fancy/lobby", Some("myid=bob")));
        assert_eq!(upgrade.head.host, "app.example:8420");
        // The answer that RFC 6455, section 1.3 gives for this key.
        assert_eq!(&upgrade.accept, b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn c17_a_header_that_may_be_there_once_is_refused_twice() {
        for (name, value) in [
            ("host", "app.example"),
            ("origin", "https://app.example"),
            ("cookie", "a=1"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("content-length", "0"),
            ("sec-websocket-version", "13"),
            ("authorization", "Bearer x"),
            ("doorward-ticket", "x"),
        ] {
            let twice = read(good().header(name, value).header(name, value)).err();
            assert_eq!(twice, Some(Malformed::Twice(name)));
        }
    }

    #[test]
    fn c22_raw_bytes_in_any_header_are_an_error_and_never_a_panic() {
        let long = vec![b'x'; 8 * 1024 + 1];
        for name in ["sec-websocket-protocol", "origin", "cookie", "authorization", "doorward-ticket", "host"] {
            for value in [&b"\x80\xff"[..], b"a\xc3\x28", &long] {
                let value = http::HeaderValue::from_bytes(value).unwrap();
                let mut request = good().body(()).unwrap();
                request.headers_mut().insert(http::HeaderName::from_static(name), value.clone());
                // Another scheme than Bearer is not ours to judge.
                let expected = match name {
                    "authorization" if value.len() < 100 => None,
                    _ => Some(Malformed::Unreadable(name)),
                };
                assert_eq!(Upgrade::read(&request, &CookieNames::default()).err(), expected, "{name}: {value:?}");
            }
        }
    }

    #[test]
    fn what_is_no_upgrade_is_told_apart_from_a_broken_one() {
        assert_eq!(read(Request::get("/fancy").header("host", "a")).err(), Some(Malformed::NotAnUpgrade));
        assert_eq!(read(good().method("POST")).err(), Some(Malformed::NotAnUpgrade));
        let request = |name, value| {
            let mut request = good().body(()).unwrap();
            request.headers_mut().insert(http::HeaderName::from_static(name), http::HeaderValue::from_static(value));
            Upgrade::read(&request, &CookieNames::default()).err()
        };
        assert_eq!(request("sec-websocket-version", "8"), Some(Malformed::Version));
        assert_eq!(request("sec-websocket-key", "c2hvcnQ="), Some(Malformed::Unreadable("sec-websocket-key")));
        assert_eq!(request("content-length", "5"), Some(Malformed::Body));
    }

    #[test]
    fn a_host_that_could_be_read_as_another_is_refused() {
        let host = |target: &str, host: &str| {
            let mut request = good().uri(target).body(()).unwrap();
            request.headers_mut().insert("host", host.parse().unwrap());
            Upgrade::read(&request, &CookieNames::default()).err()
        };
        assert_eq!(host("http://b.example/fancy", "a.example"), Some(Malformed::Unreadable("host")));
        assert_eq!(host("http://A.example/fancy", "a.example"), None);
        assert_eq!(host("/fancy", "user@a.example"), Some(Malformed::Unreadable("host")));
        assert_eq!(host("/fancy", "a.example,b.example"), Some(Malformed::Unreadable("host")));
    }

    #[test]
    fn a_credential_among_the_subprotocols_is_taken_out_and_needs_a_real_one_beside_it() {
        let entry = format!("base64url.bearer.authorization.doorward.{}", BASE64_URL_SAFE_NO_PAD.encode("a.b.c"));
        let upgrade = read(good().header("sec-websocket-protocol", format!("chat, {entry}"))).unwrap();
        assert_eq!(upgrade.protocols, ["chat"]);
        assert!(upgrade.head.bearer.is_some_and(|bearer| bearer.same_as(b"a.b.c")));
        assert_eq!(read(good().header("sec-websocket-protocol", &entry)).err(), Some(Malformed::NothingToEcho));
        let both =
            good().header("sec-websocket-protocol", format!("chat, {entry}")).header("authorization", "Bearer x");
        assert_eq!(read(both).err(), Some(Malformed::Twice("authorization")));
    }

    #[test]
    fn a_credential_in_another_case_is_a_credential_and_no_subprotocol_to_echo() {
        let entry = format!("BASE64URL.Bearer.Authorization.Doorward.{}", BASE64_URL_SAFE_NO_PAD.encode("a.b.c"));
        let upgrade =
            read(good().header("sec-websocket-protocol", format!("{entry}, Ticket.Doorward.dwt_1, chat"))).unwrap();
        assert_eq!(upgrade.protocols, ["chat"]);
        assert!(upgrade.head.bearer.is_some_and(|bearer| bearer.same_as(b"a.b.c")));
        assert!(upgrade.head.ticket.is_some_and(|ticket| ticket.text.same_as(b"dwt_1")));
    }

    #[test]
    fn the_cookies_of_a_login_and_of_the_browser_are_taken_by_the_names_that_they_have() {
        let request =
            good().header("cookie", "theme=dark; __Host-doorward-session=dws_1; shop=dws_2").body(()).unwrap();
        let shown = |names: &CookieNames| {
            let shown = Upgrade::read(&request, names).unwrap().head.shown;
            (shown.session.unwrap().reveal_text("a test").unwrap().to_owned(), shown.browser)
        };
        assert_eq!(shown(&CookieNames::default()), ("dws_1".to_owned(), None));
        assert_eq!(
            shown(&CookieNames { session: "shop".into(), ..CookieNames::default() }),
            ("dws_2".to_owned(), None)
        );
    }

    #[test]
    fn a_ticket_comes_in_its_header_or_among_the_subprotocols() {
        let by_header = read(good().header("doorward-ticket", "dwt_1")).unwrap();
        let by_entry = read(good().header("sec-websocket-protocol", "doorward.v1, ticket.doorward.dwt_1")).unwrap();
        let shown = |upgrade: &Upgrade| upgrade.head.ticket.as_ref().map(|ticket| (ticket.via, ticket.text.clone()));
        let text = Secret::from_text("dwt_1");
        assert_eq!(shown(&by_header), Some((TicketVia::Header, text.clone())));
        assert_eq!(shown(&by_entry), Some((TicketVia::Subprotocol, text)));
        assert_eq!(by_entry.protocols, ["doorward.v1"]);
    }
}
