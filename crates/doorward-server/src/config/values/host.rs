use std::{fmt, net::IpAddr, str::FromStr};

use super::from_text;

/// A host name, lowercase and without a port: `socket.app.example`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Host(String);

impl Host {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Host {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let label = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
        };
        let address = text.parse::<IpAddr>().is_ok();
        match text.len() <= 253 && (address || text.split('.').all(label)) {
            true => Ok(Self(text.to_owned())),
            false => Err(format!(
                "`{text}` is not a host name; write it in lowercase, without scheme, port or path: `socket.app.example`"
            )),
        }
    }
}
from_text!(Host, "a host name such as \"socket.app.example\"");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_no_port_and_no_capitals() {
        assert!("socket.app.example".parse::<Host>().is_ok());
        assert!("192.0.2.7".parse::<Host>().is_ok());
        for text in ["", "App.example", "app.example:443", "https://app.example", "app..example", "-a.example", "a_b/c"]
        {
            assert!(text.parse::<Host>().is_err(), "{text}");
        }
    }
}
