//! Before anybody is known: a version is agreed on, and a gate is named.

use std::sync::Arc;

use doorward_backends::ninep::{Agreed, Limits, Trouble};
use doorward_session::{Line, Received};
use doorward_wire::ninep::{Decoder, Fid, Request, Tag};
use zeroize::Zeroizing;

use super::{LARGEST, auth_file::AUTHENTICATE, error, reply, trouble};
use crate::{
    door::Door,
    gates::{Gate, NoTree},
    metrics::TurnedAway,
    transports::{MESSAGES, say},
};

/// For which gate somebody has come, and what was agreed on by then.
pub(super) struct Met {
    pub(super) gate: Arc<Gate>,
    /// The request that named it, to be answered.
    pub(super) tag: Tag,
    pub(super) wish: Wish,
    /// The largest message.
    pub(super) msize: u32,
    /// What came together with that request, behind it. There may be a credential in it.
    pub(super) unheard: Zeroizing<Vec<u8>>,
}

/// What somebody wants of a gate.
pub(super) enum Wish {
    /// To be asked, over that file.
    Authenticate(Fid),
    /// To be let in without: the request, whole.
    Attach(Vec<u8>),
}

/// Waits until a gate is named. `None` where the peer is gone, speaks something else, or does not come to the point.
pub(super) async fn meet(line: &mut Line, door: &Door) -> Option<Met> {
    let mut meeting = Meeting { decoder: Decoder::new(LARGEST), msize: None, requests: 0 };
    loop {
        let Received::Binary(bytes) = line.receive().await else { return None };
        let mut rest = bytes.reveal("the messages of 9P are read out of it");
        let mut says = Vec::new();
        let met = meeting.hear(&mut rest, door, &mut says).ok()?;
        if !says.is_empty() && !say(line, &says).await {
            return None;
        }
        if met.is_some() {
            return met;
        }
    }
}

/// The peer speaks something else, or does not come to the point.
struct NoNinep;

struct Meeting {
    decoder: Decoder,
    msize: Option<u32>,
    /// How many have come, in however many pieces.
    requests: usize,
}

impl Meeting {
    /// Reads up to the request that names a gate.
    fn hear(&mut self, rest: &mut &[u8], door: &Door, says: &mut Vec<u8>) -> Result<Option<Met>, NoNinep> {
        loop {
            self.decoder.set_msize(self.msize.unwrap_or(LARGEST));
            let Some(frame) = self.decoder.next(rest).map_err(|_| NoNinep)? else { return Ok(None) };
            self.requests += 1;
            if self.requests > MESSAGES {
                return Err(NoNinep);
            }
            let tag = frame.tag;
            let request = match Request::read(&frame) {
                Ok(request) => request,
                Err(malformed) => {
                    says.extend(error(tag, &malformed.to_string()));
                    continue;
                }
            };
            match (request, self.msize) {
                (Request::Version { msize, version }, _) => {
                    let agreed = Agreed::on(msize, version, &Limits::default(), most(door));
                    self.msize = agreed.as_ref().ok().and_then(Agreed::msize);
                    says.extend(agreed.map_or_else(|why| trouble(tag, &why), |agreed| reply(tag, &agreed.reply())));
                }
                (_, None) => return Err(NoNinep),
                (request, Some(msize)) => match named(door, tag, &request) {
                    Ok((gate, wish)) => {
                        return Ok(Some(Met { gate, tag, wish, msize, unheard: rest.to_vec().into() }));
                    }
                    Err(why) => says.extend(error(tag, &why)),
                },
            }
        }
    }
}

/// The largest message that every tree takes, since it is not known yet which it will be.
fn most(door: &Door) -> u32 {
    let message = door.gates.load().message_of_file_trees().and_then(|bytes| u32::try_from(bytes).ok());
    message.map_or(LARGEST, |bytes| bytes.min(LARGEST))
}

/// The gate that a request names, and what for.
fn named(door: &Door, tag: Tag, request: &Request<'_>) -> Result<(Arc<Gate>, Wish), String> {
    match *request {
        Request::Auth { afid: Fid::NONE, .. } => Err(Trouble::UnknownFid.to_string()),
        Request::Auth { afid, aname, .. } => {
            let gate = tree(door, aname)?;
            match gate.ladder.is_decided_at_handshake() {
                true => Err(Trouble::NoAuthentication.to_string()),
                false => Ok((gate, Wish::Authenticate(afid))),
            }
        }
        Request::Attach { afid, aname, .. } => {
            let gate = tree(door, aname)?;
            match (gate.ladder.is_decided_at_handshake(), afid) {
                (true, Fid::NONE) => {
                    let mut attach = Vec::new();
                    request.write(tag, &mut attach);
                    Ok((gate, Wish::Attach(attach)))
                }
                (true, _) => Err(Trouble::NoAuthentication.to_string()),
                (false, _) => Err(AUTHENTICATE.to_owned()),
            }
        }
        _ => Err(Trouble::UnknownFid.to_string()),
    }
}

fn tree(door: &Door, aname: &str) -> Result<Arc<Gate>, String> {
    door.gates.load().file_tree(aname).map_err(|none| {
        door.metrics.turned_away(TurnedAway::NoGate);
        match none {
            NoTree::Unnamed => "no such tree: name a gate with a file tree in `aname`".to_owned(),
            NoTree::OverWebSocketAlone(layer) => {
                format!("no such tree here: `{layer}` looks at a web request, so it is there over a WebSocket alone")
            }
        }
    })
}
