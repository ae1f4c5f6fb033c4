use std::collections::BTreeMap;

use doorward_wire::engineio::Revision;

use crate::gates::Gate;

/// What the query of a request says of Engine.IO.
#[derive(Debug, Default)]
pub(crate) struct Query {
    /// Which revision; `None` for one that is not spoken here, and for none.
    pub(crate) revision: Option<Revision>,
    /// Whether the request is for a WebSocket, or for long-polling; `None` for neither.
    pub(crate) transport: Option<Way>,
    /// The session that it is of.
    pub(crate) sid: Option<String>,
    /// Whether the client reads no bytes.
    pub(crate) base64: bool,
    /// Whether the answer is to be a script.
    pub(crate) script: bool,
}

/// One of the two transports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Polling,
    WebSocket,
}

impl Query {
    /// As [`take`](Self::take), where the gate speaks Socket.IO.
    pub(crate) fn take_for(gate: &Gate, variables: &mut BTreeMap<String, String>) -> Option<Self> {
        gate.socketio.as_ref().map(|_| Self::take(variables))
    }

    /// Takes what is of Engine.IO out of the variables of a request: an id of a session is nothing for rules and backends.
    pub(crate) fn take(variables: &mut BTreeMap<String, String>) -> Self {
        let mut take = |name: &str| variables.remove(name);
        // What keeps caches away.
        let _never_twice = take("query.t");
        Self {
            revision: take("query.EIO").as_deref().and_then(Revision::from_query),
            transport: match take("query.transport").as_deref() {
                Some("polling") => Some(Way::Polling),
                Some("websocket") => Some(Way::WebSocket),
                _ => None,
            },
            sid: take("query.sid"),
            base64: take("query.b64").is_some_and(|said| said != "0"),
            script: take("query.j").is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_of_engine_io_is_taken_out_and_the_rest_is_left() {
        let said = [
            ("EIO", "4"),
            ("transport", "polling"),
            ("sid", "x"),
            ("b64", "1"),
            ("j", "0"),
            ("t", "abc"),
            ("room", "red"),
        ];
        let mut variables = said.map(|(name, value)| (format!("query.{name}"), value.to_owned())).into();
        let query = Query::take(&mut variables);
        assert_eq!(variables.into_iter().collect::<Vec<_>>(), [("query.room".to_owned(), "red".to_owned())]);
        assert_eq!((query.revision, query.transport), (Some(Revision::Four), Some(Way::Polling)));
        assert_eq!((query.sid.as_deref(), query.base64, query.script), (Some("x"), true, true));
    }

    #[test]
    fn what_is_not_spoken_here_is_nothing() {
        let take =
            |name: &str, value: &str| Query::take(&mut BTreeMap::from([(format!("query.{name}"), value.to_owned())]));
        assert_eq!(take("EIO", "5").revision, None);
        assert_eq!(take("transport", "flashsocket").transport, None);
        assert!(!take("b64", "0").base64);
    }
}
