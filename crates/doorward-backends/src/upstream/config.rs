use doorward_auth::settings::Span;
use serde::Deserialize;

use super::url::UpstreamUrl;

/// `backend = { upstream = { url = "ws://127.0.0.1:9000" } }`: an unchanged WebSocket server behind a gate.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpstreamConfig {
    /// Where the server is: `ws://host[:port][/path][?query]`. A gate whose path ends in `/*` appends what followed to the path.
    pub url: UpstreamUrl,
    /// The subprotocols that the server speaks, the preferred one first. Only for gates with conversation layers: those have
    /// to name a subprotocol to the user before the server is asked. A gate with handshake layers alone copies the server's choice.
    #[serde(default)]
    pub protocols: Vec<String>,
    /// How long it may take until the server has answered the upgrade: name, TCP and HTTP together.
    #[serde(default = "UpstreamConfig::five_seconds")]
    pub connect_timeout: Span,
    /// Which of the user's headers reach the server, besides those that every upgrade needs (`Host`, `Origin`): `["*"]` for all
    /// that are safe, or a list of names, or `[]`. Credentials, `X-Doorward-*` and hop-by-hop headers never do.
    #[serde(default = "UpstreamConfig::all_headers")]
    pub forward_headers: Vec<String>,
    /// Whether the server is told who the user is, in `X-Doorward-*` headers and a signed `X-Doorward-Assertion`.
    #[serde(default = "UpstreamConfig::yes")]
    pub identity: bool,
    /// The largest frame, in bytes of payload, that a user may send to the server. The gate holds no frame in memory whatever
    /// its size: this protects the server.
    #[serde(default = "UpstreamConfig::sixteen_mebibytes")]
    pub max_frame: usize,
}

impl UpstreamConfig {
    /// The settings of an upstream at `url`, all others at their defaults.
    pub fn at(url: UpstreamUrl) -> Self {
        Self {
            url,
            protocols: Vec::new(),
            connect_timeout: Self::five_seconds(),
            forward_headers: Self::all_headers(),
            identity: true,
            max_frame: Self::sixteen_mebibytes(),
        }
    }

    fn five_seconds() -> Span {
        Span::from_secs(5)
    }

    fn all_headers() -> Vec<String> {
        vec!["*".to_owned()]
    }

    fn yes() -> bool {
        true
    }

    fn sixteen_mebibytes() -> usize {
        16 << 20
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<UpstreamConfig, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn a_url_alone_is_enough() {
        let config = read(r#"{"url":"ws://127.0.0.1:9000"}"#).unwrap();
        assert_eq!(config.connect_timeout, Span::from_secs(5));
        assert_eq!(config.forward_headers, ["*"]);
        assert!(config.identity && config.protocols.is_empty());
    }

    #[test]
    fn every_key_can_be_set_and_no_other() {
        let config = read(
            r#"{"url":"ws://h","protocols":["chat"],"connect_timeout":"250ms","forward_headers":["cookie"],
                "identity":false,"max_frame":4096}"#,
        )
        .unwrap();
        assert_eq!(config.connect_timeout, Span::from_millis(250));
        assert_eq!((config.identity, config.max_frame), (false, 4096));
        assert!(read(r#"{"url":"ws://h","ulr":"x"}"#).unwrap_err().contains("ulr"));
        assert!(read("{}").unwrap_err().contains("url"));
        assert!(read(r#"{"url":"wss://h"}"#).unwrap_err().contains("not supported yet"));
    }
}
