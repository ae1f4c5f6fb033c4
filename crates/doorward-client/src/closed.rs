use std::{fmt, time::Duration};

use doorward_types::{CloseReason, Reconnect};

/// How a gate said no: its last words before it closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The close code.
    pub code: u16,
    /// The name of the close reason, as the gate wrote it.
    pub reason: String,
    /// Whether to come back.
    pub reconnect: Reconnect,
    /// Not before this has passed.
    pub after: Duration,
    /// What the operator finds the decision by: `doorward why TRACE`.
    pub trace: String,
}

impl Refused {
    /// The reason, where this version knows it.
    pub fn close_reason(&self) -> Option<CloseReason> {
        known(Some(self.code), &self.reason)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}:", self.code, self.reason)?;
        if let Some(reason) = self.close_reason() {
            write!(f, " {}", reason.sentence())?;
        }
        if self.code != NOTHING_IS_WRONG {
            write!(f, " {}", advice(self.reconnect))?;
        }
        if !self.after.is_zero() {
            write!(f, ", not before {:?}", self.after)?;
        }
        write!(f, " (trace {})", self.trace)
    }
}

/// How the other side closed (RFC 6455, section 5.5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// The close code; a Close frame may have none.
    pub code: Option<u16>,
    /// The reason that it gave; from a gate the name of a close reason.
    pub reason: String,
}

impl Closed {
    /// The reason, where this version knows it: by its name, or by its code where the name says nothing.
    pub fn close_reason(&self) -> Option<CloseReason> {
        known(self.code, &self.reason)
    }

    /// Whether to come back. Where the reason is not known: later.
    pub fn reconnect(&self) -> Reconnect {
        self.close_reason().map_or(Reconnect::Later, CloseReason::reconnect)
    }
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(f, "{code} {}", self.reason)?,
            None => f.write_str("without a code")?,
        }
        if let Some(reason) = self.close_reason() {
            write!(f, ": {}", reason.sentence())?;
        }
        Ok(())
    }
}

fn known(code: Option<u16>, name: &str) -> Option<CloseReason> {
    let with_code = |reason: &&CloseReason| Some(reason.code()) == code;
    let mut all = CloseReason::ALL.iter().filter(with_code);
    all.clone().find(|reason| reason.name() == name).or_else(|| all.next()).copied()
}

/// The code of a normal close (RFC 6455, section 7.4.1): whoever left, or was let go, needs no advice.
const NOTHING_IS_WRONG: u16 = 1000;

const fn advice(reconnect: Reconnect) -> &'static str {
    match reconnect {
        Reconnect::Never => "The same credentials would end the same way",
        Reconnect::Now => "Come back at once",
        Reconnect::Later => "Come back later",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_close_is_known_by_its_name_and_else_by_its_code() {
        let closed = |code, reason: &str| Closed { code, reason: reason.to_owned() };
        assert_eq!(closed(Some(4410), "expired").close_reason(), Some(CloseReason::Expired));
        assert_eq!(closed(Some(4410), "").close_reason(), Some(CloseReason::SessionEnded));
        assert_eq!(closed(Some(4401), "expired").close_reason(), Some(CloseReason::NotAuthenticated));
        assert_eq!(closed(Some(3000), "expired").close_reason(), None);
        assert_eq!(closed(None, "").reconnect(), Reconnect::Later);
        assert_eq!(closed(Some(1012), "restart").to_string(), "1012 restart: The server is restarting.");
    }

    #[test]
    fn a_refusal_says_what_to_do_and_what_to_quote() {
        let refused = |reason: CloseReason, after| Refused {
            code: reason.code(),
            reason: reason.name().to_owned(),
            reconnect: reason.reconnect(),
            after: Duration::from_secs(after),
            trace: "0af7".into(),
        };
        for (reason, after, said) in [
            (
                CloseReason::TooFast,
                2,
                "4429 too_fast: That was too much in too short a time. Come back later, not before 2s (trace 0af7)",
            ),
            (
                CloseReason::NotAuthenticated,
                0,
                "4401 not_authenticated: You could not be authenticated. The same credentials would end the same way (trace 0af7)",
            ),
            (CloseReason::Declined, 0, "1000 declined: You did not recognise this gate and left. (trace 0af7)"),
        ] {
            assert_eq!(refused(reason, after).to_string(), said);
        }
    }
}
