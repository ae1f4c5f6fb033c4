//! Of the `Cookie` header the two that are ours; all others are somebody else's affair.

use doorward_types::{CookieNames, Secret};

use super::Malformed;

/// The longest value of one of ours, in bytes: several times what the server makes.
const LONGEST: usize = 256;

/// The cookies of ours that an upgrade request shows, as they came.
#[derive(Clone, Debug, Default)]
pub struct ShownCookies {
    /// That of a login.
    pub session: Option<Secret>,
    /// That of the browser itself.
    pub browser: Option<Secret>,
}

impl ShownCookies {
    /// Reads the value of a `Cookie` header (RFC 6265, section 4.2.1). An empty value shows nothing.
    ///
    /// # Errors
    /// One of ours is there twice, with whatever values: a proxy before us, or the site, may have taken the other one. Or it is
    /// longer than any that was ever made.
    pub(super) fn read(header: &[u8], names: &CookieNames) -> Result<Self, Malformed> {
        let (mut session, mut browser) = (None, None);
        for pair in header.split(|byte| *byte == b';') {
            let Some(at) = pair.iter().position(|byte| *byte == b'=') else { continue };
            let (name, value) = pair.split_at(at);
            let name = name.trim_ascii();
            let place = if name == names.session.as_bytes() {
                &mut session
            } else if name == names.browser.as_bytes() {
                &mut browser
            } else {
                continue;
            };
            let value = value.get(1..).unwrap_or_default().trim_ascii();
            if value.len() > LONGEST {
                return Err(Malformed::Unreadable("cookie"));
            }
            if place.replace(Secret::new(value)).is_some() {
                return Err(Malformed::CookieTwice);
            }
        }
        let shown = |value: Option<Secret>| value.filter(|value| !value.is_empty());
        Ok(Self { session: shown(session), browser: shown(browser) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values that a header shows, of the login and of the browser.
    fn read(header: &[u8]) -> Result<[Option<String>; 2], Malformed> {
        let text = |value: Option<Secret>| Some(value?.reveal_text("a test")?.to_owned());
        ShownCookies::read(header, &CookieNames::default()).map(|shown| [text(shown.session), text(shown.browser)])
    }

    fn values(session: Option<&str>, browser: Option<&str>) -> Result<[Option<String>; 2], Malformed> {
        Ok([session.map(str::to_owned), browser.map(str::to_owned)])
    }

    #[test]
    fn ours_are_found_among_others_and_others_are_left_alone() {
        let both = b"theme=dark; __Host-doorward-session=dws_1; a=b=c;__Host-doorward-browser=dwb_1 ; flag";
        assert_eq!(read(both), values(Some("dws_1"), Some("dwb_1")));
        assert_eq!(read(b""), values(None, None));
        assert_eq!(read(b"a=1; a=1; =; ;;"), values(None, None), "two of somebody else's are no affair of ours");
        assert_eq!(read(b"__host-doorward-session=x; doorward-session=x"), values(None, None), "other names");
        assert_eq!(read(b"__Host-doorward-session="), values(None, None), "nothing is shown");
        assert_eq!(read(b"__Host-doorward-session"), values(None, None));
    }

    #[test]
    fn c17_one_of_ours_that_is_there_twice_is_refused_whatever_its_values() {
        for twice in [
            "session=a; __Host-doorward-session=b",
            "session=; a=1; __Host-doorward-session=b",
            "browser=a;__Host-doorward-browser=a",
        ] {
            assert_eq!(read(format!("__Host-doorward-{twice}").as_bytes()), Err(Malformed::CookieTwice), "{twice}");
        }
    }

    #[test]
    fn c22_a_value_is_bytes_of_any_kind_up_to_a_length() {
        for byte in 0..=255_u8 {
            let header = [b"__Host-doorward-session=", [byte; 3].as_slice()].concat();
            assert!(ShownCookies::read(&header, &CookieNames::default()).is_ok(), "{byte:#04x}");
        }
        let long = |length| format!("__Host-doorward-session={}", "x".repeat(length));
        assert!(read(long(256).as_bytes()).is_ok());
        assert_eq!(read(long(257).as_bytes()), Err(Malformed::Unreadable("cookie")));
    }
}
