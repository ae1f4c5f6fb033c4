//! The authentication file: what the ladder says is read of it, and what is written to it answers the ladder.

use std::{mem, sync::Arc, time::Duration};

use bytes::Bytes;
use doorward_auth::Refusal;
use doorward_backends::ninep::{Begun, Ninep, Trouble};
use doorward_session::{Backend, Received, Socket};
use doorward_types::{Answer, CloseReason, Prompt, TraceId};
use doorward_wire::{
    json,
    ninep::{AROUND_DATA, Data, Decoder, Fid, Qid, Reply, Request, Tag},
};
use serde::de::IgnoredAny;
use zeroize::Zeroizing;

use super::{GoOn, error, reply, trouble};
use crate::transports::{Heard, Voice, malformed};

/// How long whoever was refused may take to read why.
const READ_WITHIN: Duration = Duration::from_secs(1);

/// What is answered to whoever attaches without having authenticated.
pub(super) const AUTHENTICATE: &str = "authentication required: read and write the authentication file first";

/// What the file is called by the server.
pub(super) const QID: Qid = Qid { kind: Qid::AUTH, version: 0, path: u64::MAX };

/// The authentication file of one connection.
pub(super) struct AuthFile {
    ninep: Arc<Ninep>,
    decoder: Decoder,
    msize: u32,
    afid: Fid,
    /// What the ladder has said and nobody has read.
    lines: Zeroizing<Vec<u8>>,
    /// The read that waits.
    reading: Option<(Tag, u32)>,
    /// What was written of a line that is not at its end.
    written: Zeroizing<Vec<u8>>,
    /// The most that it may be.
    longest: usize,
}

/// What came of the requests of one read.
#[derive(Default)]
struct Done {
    says: Vec<u8>,
    answered: Option<Answer>,
    left: bool,
}

impl AuthFile {
    pub(super) fn of(ninep: Arc<Ninep>, afid: Fid, msize: u32, longest: usize) -> Self {
        Self {
            ninep,
            decoder: Decoder::new(msize),
            msize,
            afid,
            lines: Zeroizing::default(),
            reading: None,
            written: Zeroizing::default(),
            longest,
        }
    }

    /// Puts a line into the file, and answers the read that waits for one.
    fn tell(&mut self, line: &str) -> Vec<u8> {
        self.lines.extend_from_slice(line.as_bytes());
        self.lines.push(b'\n');
        self.give()
    }

    fn give(&mut self) -> Vec<u8> {
        let Some((tag, count)) = self.reading.filter(|_| !self.lines.is_empty()) else { return Vec::new() };
        self.reading = None;
        let most = count.min(self.msize.saturating_sub(AROUND_DATA)) as usize;
        let most = most.min(self.lines.len());
        let given: Zeroizing<Vec<u8>> = self.lines.drain(..most).collect::<Vec<_>>().into();
        reply(tag, &Reply::Read { data: Data(&given) })
    }

    fn take(&mut self, tag: Tag, request: &Request<'_>, done: &mut Done) -> Result<(), Refusal> {
        let is_in_use = self.reading.is_some_and(|(reading, _)| reading == tag);
        let why = match *request {
            // A flush is never answered by an error.
            Request::Flush { old } => {
                self.reading.take_if(|(tag, _)| *tag == old);
                done.says.extend(reply(tag, &Reply::Flush));
                return Ok(());
            }
            // A new session begins with a new connection.
            Request::Version { .. } => {
                done.left = true;
                return Ok(());
            }
            _ if is_in_use => Trouble::DuplicateTag,
            Request::Attach { .. } => {
                done.says.extend(error(tag, AUTHENTICATE));
                return Ok(());
            }
            Request::Auth { .. } => Trouble::PermissionDenied,
            _ if fid_of(request) != Some(self.afid) => Trouble::UnknownFid,
            Request::Read { count, .. } if self.reading.is_none() => {
                self.reading = Some((tag, count));
                done.says.extend(self.give());
                return Ok(());
            }
            Request::Read { .. } => Trouble::Busy,
            Request::Write { data, .. } => return self.write(tag, &data, done),
            // Whoever lets the file go does not want to be let in.
            Request::Clunk { .. } | Request::Remove { .. } => {
                done.left = true;
                return Ok(());
            }
            Request::Walk { .. } => Trouble::WalkInNonDirectory,
            Request::Open { .. } | Request::Create { .. } => Trouble::AlreadyOpen,
            Request::Stat { .. } => Trouble::StatProhibited,
            Request::Wstat { .. } => Trouble::WstatProhibited,
        };
        done.says.extend(trouble(tag, &why));
        Ok(())
    }

    fn write(&mut self, tag: Tag, data: &[u8], done: &mut Done) -> Result<(), Refusal> {
        self.written.extend_from_slice(data);
        if let Some(answer) = self.answer()?
            && done.answered.replace(answer).is_some()
        {
            return Err(malformed("a second answer came before the first was heard"));
        }
        let count = u32::try_from(data.len()).unwrap_or(u32::MAX);
        done.says.extend(reply(tag, &Reply::Write { count }));
        Ok(())
    }

    /// What was written so far as an answer, where it is one.
    fn answer(&mut self) -> Result<Option<Answer>, Refusal> {
        // What the next write could still complete is waited for.
        let whole = serde_json::from_slice::<IgnoredAny>(&self.written);
        let ends = self.written.last() == Some(&b'\n') || !whole.is_err_and(|error| error.is_eof());
        match json::answer(&self.written) {
            Ok(answer) => {
                self.written = Zeroizing::default();
                Ok(Some(answer))
            }
            Err(why) if ends || self.written.len() > self.longest => Err(malformed(why)),
            Err(_) => Ok(None),
        }
    }
}

/// The file that a request is about.
fn fid_of(request: &Request<'_>) -> Option<Fid> {
    match *request {
        Request::Walk { fid, .. }
        | Request::Open { fid, .. }
        | Request::Create { fid, .. }
        | Request::Read { fid, .. }
        | Request::Write { fid, .. }
        | Request::Clunk { fid }
        | Request::Remove { fid }
        | Request::Stat { fid }
        | Request::Wstat { fid, .. } => Some(fid),
        Request::Version { .. } | Request::Auth { .. } | Request::Attach { .. } | Request::Flush { .. } => None,
    }
}

impl Voice for AuthFile {
    fn prompt(&mut self, prompt: &Prompt) -> Vec<u8> {
        self.tell(&json::prompt(prompt))
    }

    fn hear(&mut self, received: &Received) -> Result<Heard, Refusal> {
        let Received::Binary(bytes) = received else { return Err(malformed("a 9P message is bytes")) };
        let mut rest = bytes.reveal("the messages of 9P are read out of it");
        let mut decoder = mem::replace(&mut self.decoder, Decoder::new(self.msize));
        let mut done = Done::default();
        while let Some(frame) = decoder.next(&mut rest).map_err(malformed)? {
            match Request::read(&frame) {
                Ok(request) => self.take(frame.tag, &request, &mut done)?,
                Err(why) => done.says.extend(error(frame.tag, &why.to_string())),
            }
        }
        self.decoder = decoder;
        Ok(match done {
            Done { left: true, .. } => Heard::Left,
            Done { answered: Some(answer), says, .. } => Heard::Answered(answer, says),
            Done { says, .. } => Heard::Said(says),
        })
    }

    fn admitted(&mut self, socket: &Arc<Socket>, backend: &str) -> Vec<u8> {
        let admission = socket.admission();
        self.tell(&json::admitted(socket.id(), admission.subject(), backend, admission.expires_at()))
    }

    fn refused(&mut self, reason: CloseReason, trace: TraceId) -> (Vec<u8>, Option<Duration>) {
        let says = self.tell(&json::refused(reason, reason.reconnect().after(), trace));
        (says, (!self.lines.is_empty()).then_some(READ_WITHIN))
    }

    /// Until the file has been read to its end, as it is read anyway.
    fn has_heard(&mut self, received: &Received) -> (Vec<u8>, bool) {
        match self.hear(received) {
            Ok(Heard::Said(says) | Heard::Alive(says) | Heard::Answered(_, says)) => (says, self.lines.is_empty()),
            Ok(Heard::Left) | Err(_) => (Vec::new(), true),
        }
    }

    fn backend(&mut self, _plain: Arc<dyn Backend>) -> Arc<dyn Backend> {
        let unread = Bytes::copy_from_slice(&self.lines);
        let begun = Begun { msize: self.msize, afid: Some(self.afid), unread };
        // A request may have come halfway while the ladder came to its verdict.
        let unheard = mem::replace(&mut self.decoder, Decoder::new(self.msize)).into_rest().into();
        Arc::new(GoOn { ninep: Arc::clone(&self.ninep), begun, unheard })
    }
}
