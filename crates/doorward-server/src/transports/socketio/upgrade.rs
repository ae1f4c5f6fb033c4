//! A session that has begun with long-polling goes over to a WebSocket.
//!
//! ```text
//! user   -> socket   GET ?EIO=4&transport=websocket&sid=...     101
//! user   -> socket   2probe
//! socket -> user     3probe                                     and 6, in answer to the GET that waits
//! user   -> socket   5                                          from here on the WebSocket alone
//! ```

use std::{net::IpAddr, sync::Arc, time::Duration};

use doorward_session::{Line, Received};
use doorward_types::CloseReason;
use doorward_wire::{
    engineio::{Packet, Revision},
    websocket::frame,
};
use hyper::upgrade::OnUpgrade;
use tokio::time::timeout;

use super::{
    Sessions,
    query::{Query, Way},
    session::Session,
    sessions::Binding,
};
use crate::{
    attend::take_back,
    edge::{Head, Pass},
    gates::Gate,
    transports::say,
};

/// How long a client may take from the 101 to its last word over the old transport.
const WITHIN: Duration = Duration::from_secs(10);

/// How much of what comes before the last word is read: the words of the protocol are short.
const LONGEST: usize = 512;

/// How many words a client may say until the last one: the two that there are, and a few signs of life.
const WORDS: usize = 16;

/// A session, and the place that the WebSocket's connection has until the session has it.
pub(crate) struct Probe {
    session: Arc<Session>,
    pass: Pass,
}

impl Probe {
    /// The session that the request is of, where there is one that a WebSocket may take over.
    pub(crate) fn of(
        sessions: &Sessions,
        gate: &Gate,
        query: &Query,
        source: IpAddr,
        head: &Head,
        pass: Pass,
    ) -> Option<Self> {
        let asks = query.transport == Some(Way::WebSocket);
        let (sid, revision) = (query.sid.as_ref().filter(|_| asks)?, query.revision?);
        let session = sessions.find(sid, revision, &Binding::of(gate, source, head))?;
        session.may_upgrade().then_some(Self { session, pass })
    }
}

/// Waits for the upgrade, and hands the WebSocket to the session. One that does not say the right words is closed; the session
/// goes on as before.
pub(crate) async fn take_over(on_upgrade: OnUpgrade, probe: Probe) {
    let Probe { session, pass } = probe;
    let Ok(upgraded) = on_upgrade.await else { return };
    let mut line = take_back(upgraded, LONGEST);
    if let Ok(true) = timeout(WITHIN, is_probed(&mut line, &session)).await {
        let (websocket, ahead) = line.into_bytes();
        if session.upgrade(Arc::clone(&websocket), &ahead) {
            return drop(pass);
        }
        return websocket.reset();
    }
    session.note_not_upgraded();
    line.close(CloseReason::Malformed).await;
}

async fn is_probed(line: &mut Line, session: &Session) -> bool {
    let mut probed = false;
    for _ in 0..WORDS {
        let Received::Text(text) = line.receive().await else { return false };
        let Some(text) = text.reveal_text("a word of the protocol is read out of it") else { return false };
        match Packet::from_text(session.revision(), text) {
            Ok(Packet::Ping("probe")) if !probed => {
                probed = true;
                if !say(line, &frame::text(b"3probe")).await {
                    return false;
                }
                session.note_probed();
            }
            // A client of the older revision asks for a sign of life also here.
            Ok(Packet::Ping("")) if session.revision() == Revision::Three => {}
            Ok(Packet::Upgrade) if probed => return true,
            _ => return false,
        }
    }
    false
}
