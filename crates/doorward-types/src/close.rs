use std::{fmt, time::Duration};

/// What a peer should do after its socket ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reconnect {
    /// Not with what was shown: it would end the same way.
    Never,
    /// At once: nothing is wrong with the peer.
    Now,
    /// After a while, with a growing delay.
    Later,
}

impl Reconnect {
    /// The word on the wire: `never`, `now` or `later`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Now => "now",
            Self::Later => "later",
        }
    }

    /// For how long whoever follows the advice stays away at least: five seconds where it is `later`. `after_ms` on the wire, and
    /// `Retry-After` of an HTTP answer.
    pub const fn after(self) -> Duration {
        match self {
            Self::Never | Self::Now => Duration::ZERO,
            Self::Later => Duration::from_secs(5),
        }
    }
}

impl fmt::Display for Reconnect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

macro_rules! close_reasons {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $name:literal, $sentence:literal, $reconnect:ident;)*) => {
        /// Why a socket ended: a numbered vocabulary. The number goes into the Close frame (RFC 6455, section 7.4).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum CloseReason { $($(#[$doc])* $variant,)* }

        impl CloseReason {
            /// Every reason, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The close code (RFC 6455, section 7.4): 1000 to 1015 as registered there, 4000 and up are Doorward's.
            pub const fn code(self) -> u16 {
                match self { $(Self::$variant => $code,)* }
            }

            /// The name on the wire and in the log. Unique, where a code may be shared.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// One sentence for a person.
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$variant => $sentence,)* }
            }

            /// What the peer should do next.
            pub const fn reconnect(self) -> Reconnect {
                match self { $(Self::$variant => Reconnect::$reconnect,)* }
            }
        }
    };
}

close_reasons! {
    /// The peer closed, or was answered and is done.
    Normal = 1000, "normal", "The connection was closed in the ordinary way.", Never;
    /// The user said no to what the gate showed of itself.
    Declined = 1000, "declined", "You did not recognise this gate and left.", Never;
    /// The server is leaving this connection.
    GoingAway = 1001, "going_away", "The server is going away.", Now;
    /// Nothing was heard in time after a ping.
    PingTimeout = 1001, "ping_timeout", "Nothing was heard from you in time.", Now;
    /// A frame broke the WebSocket protocol.
    ProtocolError = 1002, "protocol_error", "A frame broke the WebSocket protocol.", Never;
    /// A sort of message that this gate does not take.
    UnsupportedData = 1003, "unsupported_data", "This gate does not take that sort of message.", Never;
    /// Text that is not UTF-8.
    InvalidData = 1007, "invalid_data", "A text message was not UTF-8.", Never;
    /// Something that the policy of this gate forbids and no other reason names.
    PolicyViolation = 1008, "policy_violation", "The policy of this gate forbids that.", Never;
    /// A message over the size limit.
    TooBig = 1009, "too_big", "A message was larger than this gate allows.", Never;
    /// Something broke on our side.
    InternalError = 1011, "internal_error", "Something went wrong on the server.", Later;
    /// The upstream chose a subprotocol that was not offered to the user.
    UpstreamMismatch = 1011, "upstream_mismatch", "The server behind this gate speaks another subprotocol.", Later;
    /// The server restarts.
    Restart = 1012, "restart", "The server is restarting.", Later;
    /// Something that the decision depends on is down, or the server is full.
    TryLater = 1013, "try_later", "The server cannot decide just now.", Later;
    /// The server behind the gate cannot be reached.
    UpstreamDown = 1013, "upstream_down", "The server behind this gate cannot be reached.", Later;
    /// The peer read too slowly for what was sent to it.
    SlowConsumer = 1013, "slow_consumer", "You read too slowly for what was sent to you.", Later;
    /// The server behind the gate broke the WebSocket protocol.
    UpstreamBroken = 1014, "upstream_broken", "The server behind this gate broke the WebSocket protocol.", Later;
    /// A message before admission was not what the protocol asks for.
    Malformed = 4400, "malformed", "A message was not what the protocol asks for.", Never;
    /// Any credential that was missing, wrong, locked or used up, whatever part of it.
    NotAuthenticated = 4401, "not_authenticated", "You could not be authenticated.", Never;
    /// Known, but not allowed here.
    NotAllowed = 4403, "not_allowed", "You are not allowed here.", Never;
    /// A step of the ladder was not answered in time.
    TooSlow = 4408, "too_slow", "A step was not answered in time.", Later;
    /// Another connection of the same subject took this one's place.
    Replaced = 4409, "replaced", "Another connection took this one's place.", Never;
    /// The login, key or token that let this socket in has ended.
    SessionEnded = 4410, "session_ended", "The login that opened this connection has ended.", Never;
    /// The login, key or token that let this socket in has expired.
    Expired = 4410, "expired", "The login that opened this connection has expired.", Never;
    /// The gate was taken away or disabled.
    GateClosed = 4410, "gate_closed", "The gate that this connection came through was closed.", Never;
    /// Too many messages, attempts or connections.
    TooFast = 4429, "too_fast", "That was too much in too short a time.", Later;
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code(), self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_close_reason_has_its_own_name_and_a_whole_sentence() {
        let mut names: Vec<_> = CloseReason::ALL.iter().map(|reason| reason.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), CloseReason::ALL.len());
        assert!(CloseReason::ALL.iter().all(|reason| reason.sentence().ends_with('.')));
    }

    #[test]
    fn only_who_is_to_come_later_stays_away_for_a_while() {
        for reason in CloseReason::ALL {
            let waits = !reason.reconnect().after().is_zero();
            assert_eq!(waits, reason.reconnect() == Reconnect::Later, "{reason}");
        }
    }

    #[test]
    fn no_close_reason_uses_a_code_that_must_not_be_sent() {
        for reason in CloseReason::ALL {
            assert!(
                matches!(reason.code(), 1000..=1003 | 1007..=1014 | 4000..=4999),
                "{reason} must not go into a Close frame"
            );
        }
    }

    #[test]
    fn a_reason_fits_into_a_close_frame() {
        assert!(CloseReason::ALL.iter().all(|reason| reason.name().len() <= 123));
    }
}
