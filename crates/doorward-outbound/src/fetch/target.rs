use http::{Uri, uri::Scheme};

use super::FetchError;

/// An address, taken apart.
pub(super) struct Target {
    pub(super) tls: bool,
    /// Without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) authority: String,
    pub(super) path: String,
}

impl Target {
    pub(super) fn read(url: &str, allow_private: bool) -> Result<Self, FetchError> {
        let uri: Uri = url.parse().map_err(|_| FetchError::Url("it cannot be read"))?;
        let tls = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP && allow_private => false,
            Some(scheme) if *scheme == Scheme::HTTP => return Err(FetchError::NoTls),
            _ => return Err(FetchError::Url("it begins with neither `https://` nor `http://`")),
        };
        let authority = uri.authority().ok_or(FetchError::Url("it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(FetchError::Url("it names a user; credentials do not belong in an address"));
        }
        let host = authority.host();
        let port = match authority.as_str().strip_prefix(host) {
            None | Some("") => {
                if tls {
                    443
                } else {
                    80
                }
            }
            Some(_) => authority.port_u16().ok_or(FetchError::Url("its port is no number"))?,
        };
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if host.is_empty() {
            return Err(FetchError::Url("it names no host"));
        }
        Ok(Self {
            tls,
            host: host.to_owned(),
            port,
            authority: authority.to_string(),
            path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
        })
    }
}
