use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    str::FromStr,
};

use super::from_text;

/// An address and a port to listen on: `127.0.0.1:8420`, `[::]:443`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen(pub SocketAddr);

impl Listen {
    /// A port that this machine alone can reach.
    pub const fn local(port: u16) -> Self {
        Self(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port))
    }

    /// Whether others than this machine can reach it.
    pub fn is_public(self) -> bool {
        !self.0.ip().to_canonical().is_loopback()
    }

    /// Whether the two cannot both be listened on. Port 0 is any that is free.
    pub fn overlaps(self, other: Self) -> bool {
        let (one, other) = (self.0, other.0);
        let is_everywhere = one.ip().is_unspecified() || other.ip().is_unspecified();
        one.port() == other.port() && one.port() != 0 && (one.ip() == other.ip() || is_everywhere)
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(Self).map_err(|_| {
            format!("`{text}` is not an address and a port; write numbers, as in `127.0.0.1:8420` or `[::]:8420`")
        })
    }
}
from_text!(Listen, "an address and a port such as \"127.0.0.1:8420\"");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_not_public() {
        for (text, public) in [
            ("127.0.0.1:1", false),
            ("[::1]:1", false),
            ("[::ffff:127.0.0.1]:1", false),
            ("0.0.0.0:1", true),
            ("[::]:1", true),
        ] {
            assert_eq!(text.parse::<Listen>().unwrap().is_public(), public, "{text}");
        }
    }
}
