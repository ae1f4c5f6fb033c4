//! One client socket, from its connect to the moment it is ready, and the frames it hears after that.
//!
//! raw        peer -> server  a frame            server -> peer  a frame: ready
//! upgraded   peer -> server  GET with a bearer  server -> peer  101: ready
//! climb      peer -> server  GET                server -> peer  101
//!            server -> peer  ask                peer -> server  auth
//!            server -> peer  admitted: ready
//! events     peer -> server  GET                server -> peer  101, 0{...}
//!            peer -> server  40                 server -> peer  40{...}
//!            peer -> server  42["authentication",...]
//!            server -> peer  42["authenticated",true]: ready
//! files      as climb, up to admitted
//!            peer -> server  Tversion, Tattach
//!            server -> peer  Rversion, Rattach: ready

use crate::{
    clock, epoll,
    error::Result,
    frames, ninep,
    spoken::{MASK, event, response},
};
use mio::{event::Event, net::TcpStream};
use std::{
    io::{ErrorKind, Read},
    rc::Rc,
    time::Instant,
};

/// What a server of Socket.IO asks now and then, and the answer.
const SIGN_OF_LIFE: &[u8] = b"2";
const ALIVE: &[u8] = b"3";

/// How a peer becomes ready.
#[derive(Debug, Clone)]
pub(crate) enum Script {
    /// No handshake: says this (nothing, if empty) and is ready with the first frame that comes.
    Raw(Rc<[u8]>),
    /// Sends this upgrade request and is ready with the 101.
    Upgraded(Rc<[u8]>),
    /// Sends the request, then the answer (at once after the 101, or when told to), and is ready when admitted.
    Climb { request: Rc<[u8]>, answer: Option<Rc<[u8]>> },
    /// The same in the words of Socket.IO: sends the request, is in the namespace `/`, then sends the answer.
    Events { request: Rc<[u8]>, answer: Rc<[u8]> },
    /// As a climb, and goes on in 9P: ready at the root of the tree.
    Files { request: Rc<[u8]>, answer: Rc<[u8]> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Connecting,
    Upgrading,
    /// Waits for the first frame (raw) or the verdict (climb).
    Waiting,
    Ready,
    Ended,
}

/// A frame that a ready peer has heard.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heard<'a> {
    /// Last frame of its message.
    pub(crate) fin: bool,
    pub(crate) payload: &'a [u8],
}

pub(crate) struct Peer {
    stream: Option<TcpStream>,
    script: Script,
    pub(crate) phase: Phase,
    /// The server has asked for the first answer.
    pub(crate) asked: bool,
    /// The server has said `refused`.
    pub(crate) refused: bool,
    /// Status of an upgrade that was not answered with 101.
    pub(crate) status: Option<u16>,
    /// Code of the server's Close.
    pub(crate) close_code: Option<u16>,
    /// When that was read.
    pub(crate) closed_at: Option<Instant>,
    /// Bytes received since the connect.
    pub(crate) received: u64,
    rest: Vec<u8>,
    /// To be written: appended to freely, sent by `flush`.
    pub(crate) out: Vec<u8>,
}

impl Peer {
    pub(crate) fn new(stream: TcpStream, script: Script) -> Self {
        Self {
            stream: Some(stream),
            script,
            phase: Phase::Connecting,
            asked: false,
            refused: false,
            status: None,
            close_code: None,
            closed_at: None,
            received: 0,
            rest: Vec::new(),
            out: Vec::new(),
        }
    }

    /// How it ended, in words for an error.
    pub(crate) fn epitaph(&self) -> String {
        match (self.status, self.close_code) {
            (Some(status), _) => format!("answered an upgrade with {status}"),
            (None, Some(code)) => format!("closed a socket with {code}"),
            (None, None) => "hung up".to_owned(),
        }
    }

    /// Does what the event calls for and hands out what was heard once ready. The handler may append to `out`.
    pub(crate) fn serve(
        &mut self,
        event: &Event,
        scratch: &mut [u8],
        heard: impl FnMut(Heard<'_>, &mut Vec<u8>) -> Result<()>,
    ) -> Result<()> {
        if event.is_writable() && self.phase == Phase::Connecting {
            self.connected();
        }
        if (event.is_readable() || event.is_read_closed()) && self.phase != Phase::Connecting {
            self.read(scratch, heard)?;
        }
        self.flush();
        if self.phase == Phase::Ended {
            self.stream = None;
        }
        Ok(())
    }

    /// Writes what is to be written, as far as the socket takes it now.
    pub(crate) fn flush(&mut self) {
        let Some(stream) = self.stream.as_mut().filter(|_| !self.out.is_empty()) else { return };
        if self.phase == Phase::Connecting {
            return;
        }
        match epoll::write(stream, &self.out) {
            Ok(taken) if taken == self.out.len() => self.out.clear(),
            Ok(taken) => drop(self.out.drain(..taken)),
            Err(_) => self.phase = Phase::Ended,
        }
    }

    fn connected(&mut self) {
        let Some(stream) = &self.stream else { return };
        if let Ok(Some(_)) | Err(_) = stream.take_error() {
            self.phase = Phase::Ended;
            return;
        }
        // Not an error and not yet connected: another event will say so.
        if stream.peer_addr().is_err() {
            return;
        }
        let _ = stream.set_nodelay(true);
        let (opening, next) = match &self.script {
            Script::Raw(opening) => (opening, Phase::Waiting),
            Script::Upgraded(request)
            | Script::Climb { request, .. }
            | Script::Events { request, .. }
            | Script::Files { request, .. } => (request, Phase::Upgrading),
        };
        self.out.extend_from_slice(opening);
        self.phase = next;
    }

    fn read(&mut self, scratch: &mut [u8], mut heard: impl FnMut(Heard<'_>, &mut Vec<u8>) -> Result<()>) -> Result<()> {
        while let (Some(stream), false) = (self.stream.as_mut(), self.phase == Phase::Ended) {
            let count = match stream.read(scratch) {
                Ok(0) => 0,
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => 0,
            };
            let bytes = scratch.get(..count).unwrap_or_default();
            if bytes.is_empty() {
                self.phase = Phase::Ended;
                return Ok(());
            }
            self.received += count as u64;
            if self.rest.is_empty() {
                let done = self.digest(bytes, &mut heard)?;
                self.rest.extend_from_slice(bytes.get(done..).unwrap_or_default());
            } else {
                let mut rest = std::mem::take(&mut self.rest);
                rest.extend_from_slice(bytes);
                let done = self.digest(&rest, &mut heard)?;
                if done < rest.len() {
                    rest.drain(..done);
                    self.rest = rest;
                }
            }
            // A read that did not fill the buffer has emptied the socket; what comes later raises a new event.
            if count < scratch.len() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Takes whole pieces off the front; returns how many bytes they were.
    fn digest(&mut self, bytes: &[u8], heard: &mut impl FnMut(Heard<'_>, &mut Vec<u8>) -> Result<()>) -> Result<usize> {
        let mut done = 0;
        if self.phase == Phase::Upgrading {
            let Some((length, status)) = response(bytes)? else { return Ok(0) };
            done = length;
            self.upgraded(status);
        }
        while self.phase != Phase::Ended {
            let left = bytes.get(done..).unwrap_or_default();
            let Some(frame) = frames::first(left)? else { break };
            let payload = left.get(frame.start..frame.end).unwrap_or_default();
            done += frame.end;
            match frame.opcode {
                frames::PING => frames::append(&mut self.out, frames::PONG, Some(MASK), payload),
                frames::PONG => {}
                frames::CLOSE => {
                    self.close_code = payload.first_chunk().map(|code| u16::from_be_bytes(*code));
                    self.closed_at = Some(clock::now());
                    frames::append(&mut self.out, frames::CLOSE, Some(MASK), payload);
                    self.flush();
                    self.phase = Phase::Ended;
                }
                _ if matches!(self.script, Script::Events { .. }) && payload == SIGN_OF_LIFE => {
                    frames::append(&mut self.out, frames::TEXT, Some(MASK), ALIVE);
                }
                _ if self.phase == Phase::Ready => {
                    heard(Heard { fin: frame.fin, payload }, &mut self.out)?;
                }
                _ => self.verdict(payload),
            }
        }
        Ok(done)
    }

    fn upgraded(&mut self, status: u16) {
        if status != 101 {
            self.status = Some(status);
            self.phase = Phase::Ended;
            return;
        }
        self.phase = Phase::Waiting;
        match &self.script {
            Script::Climb { answer: Some(answer), .. } | Script::Files { answer, .. } => {
                self.out.extend_from_slice(answer)
            }
            Script::Climb { answer: None, .. } | Script::Events { .. } => {}
            Script::Upgraded(_) | Script::Raw(_) => self.phase = Phase::Ready,
        }
    }

    /// A frame before the peer is ready.
    fn verdict(&mut self, payload: &[u8]) {
        match &self.script {
            Script::Raw(_) => {
                self.phase = Phase::Ready;
                return;
            }
            Script::Events { answer, .. } => {
                if payload.starts_with(b"0") {
                    frames::append(&mut self.out, frames::TEXT, Some(MASK), b"40");
                } else if payload.starts_with(b"40") {
                    self.out.extend_from_slice(answer);
                } else if payload == br#"42["authenticated",true]"# {
                    self.phase = Phase::Ready;
                }
                return;
            }
            Script::Files { .. } if ninep::answered(payload).is_ok_and(|request| request == ninep::ATTACH) => {
                self.phase = Phase::Ready;
                return;
            }
            Script::Upgraded(_) | Script::Climb { .. } | Script::Files { .. } => {}
        }
        match event(payload).as_deref() {
            Some("admitted") if matches!(self.script, Script::Files { .. }) => {
                for request in [ninep::version(), ninep::attach()] {
                    frames::append(&mut self.out, frames::BINARY, Some(MASK), &request);
                }
            }
            Some("admitted") => self.phase = Phase::Ready,
            Some("refused") => self.refused = true,
            Some("ask") => self.asked = true,
            _ => {}
        }
    }
}
