//! Where somebody goes once they are logged in: to a page of this host, and to no other.

/// The page that is named, where it is one of this host: of the site, or of an application beside it.
pub(super) fn next_of(text: &str) -> Option<&str> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.'));
    let is_here = text.starts_with('/') && !text.contains("//");
    let is_straight = !text.split('/').any(|part| matches!(part, "." | ".."));
    (is_here && is_plain && is_straight).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_login_nobody_is_sent_to_another_site() {
        for here in ["/account", "/account/key", "/console/sockets", "/try", "/", "/shop", "/shop/sku-7.html"] {
            assert_eq!(next_of(here), Some(here));
        }
        for other in [
            "",
            "shop",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/shop//evil.example",
            "/account/../x",
            "/./x",
            "/account/x y",
            "/account?x",
            "/account\r\nx",
        ] {
            assert_eq!(next_of(other), None, "{other}");
        }
    }
}
