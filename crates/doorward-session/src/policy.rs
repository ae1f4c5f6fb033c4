use std::{sync::Arc, time::Duration};

use crate::{Framing, Notices, PlainFrames, Renewal};

/// How much one admitted socket may send, and how much may wait for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest message that it may send, in bytes.
    pub message: usize,
    /// How many messages a second it may send for long. Zero: as many as it likes. Pings, pongs and the fragments of a message
    /// count as messages do.
    pub messages_per_second: u32,
    /// How many messages it may send at once, when it was quiet before.
    pub burst: u32,
    /// How many frames may wait for it before it counts as a slow consumer.
    pub outbox_messages: usize,
    /// How many bytes may wait for it before it counts as a slow consumer.
    pub outbox_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { message: 64 * 1024, messages_per_second: 20, burst: 60, outbox_messages: 256, outbox_bytes: 1024 * 1024 }
    }
}

/// What happens to a socket when its login ends, and may come back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnLogout {
    /// It is closed.
    #[default]
    Close,
    /// It is suspended, and waits for the login.
    Suspend,
}

/// What happens to a socket while its node cannot tell whether its login has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fail {
    /// It is suspended, and then closed.
    #[default]
    Closed,
    /// It goes on.
    Open,
}

/// What a gate decides about its sockets after their admission.
#[derive(Clone, Debug)]
pub struct SocketPolicy {
    /// The name of the backend, for lists.
    pub backend: &'static str,
    /// How much it may send, and how much may wait for it.
    pub limits: Limits,
    /// After how long a silence a ping goes out. `None`: never. A relay's peers are pinged by whoever is behind it.
    pub ping_every: Option<Duration>,
    /// How long after the ping something has to be heard, or the socket ends with `ping_timeout`.
    pub pong_within: Duration,
    /// The longest that a socket lives, whatever its proofs say.
    pub max_session: Option<Duration>,
    /// How long an ended socket has to take its Close frame before it is reset.
    pub end_within: Duration,
    /// How many sockets one subject may have with the owner. `None`: as many as they like.
    pub per_subject: Option<usize>,
    /// What happens when its login ends and may come back.
    pub on_logout: OnLogout,
    /// How long a suspended socket waits for its login.
    pub suspended_at_most: Duration,
    /// What happens while the node does not know what has ended.
    pub fail: Fail,
    /// How the socket's own words look on its wire.
    pub framing: Arc<dyn Framing>,
    /// What the peer is told of suspensions, where it can be told.
    pub notices: Option<Notices>,
    /// How its user is asked again when a proof expires, where that can be done.
    pub renewal: Option<Renewal>,
}

impl Default for SocketPolicy {
    fn default() -> Self {
        Self {
            backend: "none",
            limits: Limits::default(),
            ping_every: Some(Duration::from_secs(25)),
            pong_within: Duration::from_secs(10),
            max_session: None,
            end_within: Duration::from_secs(1),
            per_subject: Some(20),
            on_logout: OnLogout::Close,
            suspended_at_most: Duration::from_secs(30 * 60),
            fail: Fail::Closed,
            framing: Arc::new(PlainFrames),
            notices: None,
            renewal: None,
        }
    }
}
