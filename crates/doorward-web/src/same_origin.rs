//! Whether a `POST` comes from a page of the site itself. Browsers say where a request comes from, in headers that no page can set:
//!
//! 1. `Sec-Fetch-Site`: the site itself, or nobody (an address that was typed).
//! 2. Where that is missing (browsers before 2023): `Origin` has to be the site's own.
//! 3. Where both are missing it is no browser, and then it must not show a cookie.

use http::{HeaderMap, header::ORIGIN};

/// A request that another site may have sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Foreign {
    #[error("This form was sent from another website. Open the page here and send it again.")]
    Site,
    #[error(
        "The browser does not say where this form was sent from, and shows a cookie. Open the page in a current browser and send \
         it again."
    )]
    Unknown,
}

/// Lets a `POST` pass that a page of one of these origins has sent, or a program without cookies.
pub(crate) fn check(headers: &HeaderMap, own: &[&str]) -> Result<(), Foreign> {
    let mut sites = headers.get_all("sec-fetch-site").iter();
    match (sites.next(), sites.next()) {
        (Some(site), None) if matches!(site.as_bytes(), b"same-origin" | b"none") => return Ok(()),
        (Some(_), _) => return Err(Foreign::Site),
        (None, _) => {}
    }
    let mut origins = headers.get_all(ORIGIN).iter();
    match (origins.next(), origins.next()) {
        (Some(origin), None) => {
            let is_own = own.iter().any(|own| origin.as_bytes().eq_ignore_ascii_case(own.as_bytes()));
            if is_own { Ok(()) } else { Err(Foreign::Site) }
        }
        (Some(_), Some(_)) => Err(Foreign::Site),
        (None, _) if headers.contains_key(http::header::COOKIE) => Err(Foreign::Unknown),
        (None, _) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(lines: &[(&'static str, &'static str)]) -> Result<(), Foreign> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        check(&headers, &["https://shop.example"])
    }

    #[test]
    fn what_a_page_of_the_site_sends_passes() {
        for lines in [
            &[("sec-fetch-site", "same-origin"), ("origin", "https://shop.example"), ("cookie", "a=b")] as &[_],
            &[("sec-fetch-site", "none")],
            &[("origin", "https://shop.example"), ("cookie", "a=b")],
            &[("origin", "https://SHOP.example")],
            &[],
        ] {
            assert_eq!(checked(lines), Ok(()), "{lines:?}");
        }
    }

    #[test]
    fn c16_what_another_site_sends_does_not_also_where_it_is_a_sibling() {
        for lines in [
            &[("sec-fetch-site", "cross-site")] as &[_],
            &[("sec-fetch-site", "same-site"), ("origin", "https://shop.example")],
            &[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "")],
            &[("origin", "https://evil.example")],
            &[("origin", "null"), ("cookie", "a=b")],
            &[("origin", "http://shop.example")],
            &[("origin", "https://shop.example:444")],
            &[("origin", "https://shop.example.evil.example")],
            &[("origin", "https://shop.example"), ("origin", "https://evil.example")],
        ] {
            assert_eq!(checked(lines), Err(Foreign::Site), "{lines:?}");
        }
        assert_eq!(checked(&[("cookie", "a=b")]), Err(Foreign::Unknown));
    }
}
