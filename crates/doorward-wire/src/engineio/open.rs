use std::time::Duration;

use super::Revision;
use crate::write::Object;

/// What a gate tells in its first packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open<'a> {
    /// The id of the session. Whoever knows it and sends from the right place goes on with the session, so it is secret.
    pub sid: &'a str,
    /// Which transports may take over from this one: `websocket` or nothing.
    pub upgrades: &'a [&'a str],
    /// How often a sign of life is asked for; told in whole milliseconds.
    pub ping_interval: Duration,
    /// How long it is waited for; told in whole milliseconds.
    pub ping_timeout: Duration,
    /// The most bytes of one payload that is posted. Revision 3 does not tell it.
    pub max_payload: u64,
}

impl Open<'_> {
    /// The JSON of the packet.
    ///
    /// ```
    /// use doorward_wire::engineio::{Open, Packet, Revision};
    /// use std::time::Duration;
    ///
    /// let (ping_interval, ping_timeout) = (Duration::from_secs(25), Duration::from_secs(20));
    /// let open = Open { sid: "abc", upgrades: &["websocket"], ping_interval, ping_timeout, max_payload: 65_536 };
    /// let mut text = String::new();
    /// Packet::Open(&open.json(Revision::Four)).write_text(Revision::Four, &mut text);
    /// assert_eq!(
    ///     text,
    ///     r#"0{"sid":"abc","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":65536}"#
    /// );
    /// ```
    pub fn json(&self, revision: Revision) -> String {
        let object = Object::new("sid", self.sid)
            .list("upgrades", self.upgrades)
            .integer("pingInterval", milliseconds(self.ping_interval))
            .integer("pingTimeout", milliseconds(self.ping_timeout));
        match revision {
            Revision::Three => object.end(),
            Revision::Four => object.integer("maxPayload", self.max_payload).end(),
        }
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
