use aws_lc_rs::digest;
use doorward_types::{CookieNames, KeyText, Secret};
use http::{HeaderMap, HeaderValue, header::COOKIE};

/// The longest value that is looked at, in bytes: several times what the server makes.
const LONGEST: usize = 256;
/// A year, in seconds.
const YEAR: u64 = 365 * 24 * 60 * 60;

/// The site's cookies: their names and attributes, in one place, so that what is set can be cleared again.
///
/// By default they have the `__Host-` prefix: a browser takes them for this host alone, over TLS alone. Pages of this machine
/// itself (`http://localhost`) count as secure in browsers, so that there is no weaker kind of cookie for trying things out.
#[derive(Clone, Debug)]
pub(crate) struct Cookies {
    names: CookieNames,
    domain: Option<String>,
}

/// One of the cookies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cookie {
    /// A login. It has no expiry date: the browser forgets it when it is closed.
    Session,
    /// The browser itself; it outlives logins, for a year.
    Browser,
    /// A login that still lacks its second factor.
    Half,
}

/// What a request shows, as the hashes under which it is kept.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Shown {
    pub(crate) session: Option<[u8; 32]>,
    pub(crate) browser: Option<[u8; 32]>,
    pub(crate) half: Option<[u8; 32]>,
}

impl Cookie {
    const ALL: [Self; 3] = [Self::Session, Self::Browser, Self::Half];

    /// In what form the server makes its value.
    const fn text(self) -> KeyText {
        match self {
            Self::Session | Self::Half => KeyText::Session,
            Self::Browser => KeyText::Browser,
        }
    }
}

impl Cookies {
    /// Of this host alone, or of a domain and all hosts under it.
    pub(crate) fn new(domain: Option<String>) -> Self {
        let names = if domain.is_some() { CookieNames::shared() } else { CookieNames::default() };
        Self { names, domain }
    }

    /// Whether other hosts get them, and can set them.
    pub(crate) fn are_shared(&self) -> bool {
        self.domain.is_some()
    }

    fn name(&self, cookie: Cookie) -> &str {
        match cookie {
            Cookie::Session => &self.names.session,
            Cookie::Browser => &self.names.browser,
            Cookie::Half if self.are_shared() => "doorward-login",
            Cookie::Half => "__Host-doorward-login",
        }
    }

    /// Sets a cookie.
    pub(crate) fn set(&self, cookie: Cookie, value: &Secret) -> Option<HeaderValue> {
        let age = match cookie {
            Cookie::Session => String::new(),
            Cookie::Browser => format!("; Max-Age={YEAR}"),
            Cookie::Half => format!("; Max-Age={}", crate::half::LASTS.as_secs()),
        };
        self.header(cookie, value.reveal_text("to set the cookie")?, &age)
    }

    /// Clears a cookie: the same attributes, or a browser keeps it.
    pub(crate) fn clear(&self, cookie: Cookie) -> Option<HeaderValue> {
        self.header(cookie, "", "; Max-Age=0")
    }

    fn header(&self, cookie: Cookie, value: &str, age: &str) -> Option<HeaderValue> {
        let domain = self.domain.as_ref().map_or(String::new(), |domain| format!("; Domain={domain}"));
        let text = format!("{}={value}; Path=/{domain}; Secure; HttpOnly; SameSite=Lax{age}", self.name(cookie));
        let mut header = HeaderValue::from_str(&text).ok()?;
        header.set_sensitive(true);
        Some(header)
    }

    /// What a request shows. One of ours that is there twice is not there: one of the two is somebody else's.
    pub(crate) fn read(&self, headers: &HeaderMap) -> Shown {
        let [session, browser, half] = Cookie::ALL.map(|cookie| self.one(cookie, headers));
        Shown { session, browser, half }
    }

    fn one(&self, cookie: Cookie, headers: &HeaderMap) -> Option<[u8; 32]> {
        let name = self.name(cookie);
        let pairs = headers.get_all(COOKIE).iter().flat_map(|header| header.as_bytes().split(|byte| *byte == b';'));
        let mut values = pairs.filter_map(|pair| {
            let at = pair.iter().position(|byte| *byte == b'=')?;
            let (found, value) = pair.split_at(at);
            (found.trim_ascii() == name.as_bytes()).then(|| value.get(1..).unwrap_or_default().trim_ascii())
        });
        let (value, None) = (values.next()?, values.next()) else { return None };
        let text = std::str::from_utf8(value).ok().filter(|text| text.len() <= LONGEST)?;
        cookie.text().read(text).ok()?;
        Some(hash(text.as_bytes()))
    }
}

/// The hash under which a secret of 256 bits is kept.
pub(crate) fn hash(text: &[u8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest::digest(&digest::SHA256, text).as_ref());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(cookies: &Cookies, header: &str) -> Shown {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, header.parse().unwrap());
        cookies.read(&headers)
    }

    fn text(kind: KeyText, byte: u8) -> String {
        kind.write(&[byte; 32]).reveal_text("test").unwrap().to_owned()
    }

    #[test]
    fn a_login_has_no_expiry_date_and_the_browser_has_a_year() {
        let cookies = Cookies::new(None);
        let set = |cookie| {
            let header = cookies.set(cookie, &Secret::from_text("x")).unwrap();
            assert!(header.is_sensitive());
            header.to_str().unwrap().to_owned()
        };
        assert_eq!(set(Cookie::Session), "__Host-doorward-session=x; Path=/; Secure; HttpOnly; SameSite=Lax");
        assert_eq!(
            set(Cookie::Browser),
            "__Host-doorward-browser=x; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=31536000"
        );
    }

    #[test]
    fn a_cookie_is_cleared_by_the_attributes_that_it_was_set_with() {
        for cookies in [Cookies::new(None), Cookies::new(Some("shop.example".into()))] {
            let set = cookies.set(Cookie::Session, &Secret::from_text("")).unwrap();
            let clear = cookies.clear(Cookie::Session).unwrap();
            assert_eq!(clear.to_str().unwrap(), format!("{}; Max-Age=0", set.to_str().unwrap()));
        }
    }

    #[test]
    fn in_a_shared_domain_the_names_lose_the_prefix_that_browsers_would_refuse_there() {
        let cookies = Cookies::new(Some("shop.example".into()));
        let set = cookies.set(Cookie::Session, &Secret::from_text("x")).unwrap();
        let expected = "doorward-session=x; Path=/; Domain=shop.example; Secure; HttpOnly; SameSite=Lax";
        assert_eq!(set.to_str().unwrap(), expected);
        let dws = text(KeyText::Session, 1);
        assert!(shown(&cookies, &format!("__Host-doorward-session={dws}")).session.is_none());
        assert!(shown(&cookies, &format!("doorward-session={dws}")).session.is_some());
    }

    #[test]
    fn c17_a_cookie_that_is_there_twice_is_not_there() {
        let cookies = Cookies::new(None);
        let [one, two] = [1, 2].map(|byte| text(KeyText::Session, byte));
        let twice = format!("__Host-doorward-session={one}; a=b; __Host-doorward-session={two}");
        assert!(shown(&cookies, &twice).session.is_none());
        assert_eq!(shown(&cookies, &format!("a=b;__Host-doorward-session={one}")).session, Some(hash(one.as_bytes())));
    }

    #[test]
    fn only_what_the_server_can_have_made_is_looked_for() {
        let cookies = Cookies::new(None);
        let browser = text(KeyText::Browser, 1);
        for value in ["", "dws_", "chosen-by-the-client", &browser, &"x".repeat(300)] {
            assert!(shown(&cookies, &format!("__Host-doorward-session={value}")).session.is_none(), "{value}");
        }
    }
}
