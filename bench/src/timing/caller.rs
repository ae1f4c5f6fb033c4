//! One blocking client that says what it is told to, and looks at the clock once.

use crate::{
    clock,
    error::{Error, Result, Trying},
    frames,
    load::exchange::connect_now,
    spoken::response,
};
use serde_json::Value;
use std::{
    io::{Read, Write},
    net::{IpAddr, SocketAddr, TcpStream},
    time::Duration,
};

/// No answer may take longer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Within this time the gate is done with what came before the last message, and waits.
const SETTLE: Duration = Duration::from_millis(2);

/// What is said and heard before the clock starts.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Say(Vec<u8>),
    /// A response with this status.
    Status(u16),
    /// A message with this event.
    Event(&'static str),
}

/// How a try has to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A response with this status.
    Status(u16),
    /// `refused`, and a Close frame, both with this code.
    Refused(u16),
    /// The error `permission_denied`, and the socket goes on.
    Denied,
}

pub(super) struct Caller {
    stream: TcpStream,
    /// Received, and not yet looked at.
    rest: Vec<u8>,
}

impl Caller {
    pub(super) fn connect(target: SocketAddr) -> Result<Self> {
        Self::over(TcpStream::connect(target).trying(format!("connecting to {target}"))?)
    }

    /// One that comes from that address of this machine.
    pub(super) fn connect_from(from: Option<IpAddr>, target: SocketAddr) -> Result<Self> {
        Self::over(connect_now(from, target)?)
    }

    fn over(stream: TcpStream) -> Result<Self> {
        stream.set_nodelay(true).and_then(|()| stream.set_read_timeout(Some(PATIENCE))).trying("a socket's options")?;
        Ok(Self { stream, rest: Vec::new() })
    }

    /// Goes through these steps.
    pub(super) fn follow(&mut self, steps: &[Step]) -> Result<()> {
        for step in steps {
            match step {
                Step::Say(bytes) => self.stream.write_all(bytes).trying("saying something")?,
                Step::Status(status) => self.status(*status)?,
                Step::Event(name) => drop(self.event(name)?),
            }
        }
        Ok(())
    }

    /// Says the last message and waits for the first byte of what comes back.
    pub(super) fn time(&mut self, last: &[u8]) -> Result<Duration> {
        clock::pause(SETTLE);
        self.nothing_came()?;
        let begun = clock::now();
        self.stream.write_all(last).trying("saying the last message")?;
        self.read()?;
        Ok(clock::now() - begun)
    }

    /// Hears the rest of a verdict; an error if it is another one.
    pub(super) fn hear(&mut self, verdict: Verdict) -> Result<()> {
        match verdict {
            Verdict::Status(status) => self.status(status),
            Verdict::Refused(code) => {
                let refused = self.event("refused")?;
                let (opcode, payload) = self.frame()?;
                let closed = payload.first_chunk().map(|code| u16::from_be_bytes(*code));
                match (opcode, closed) {
                    (frames::CLOSE, Some(closed)) if closed == code && refused["code"] == code => Ok(()),
                    _ => Err(Error::Server(format!("said {refused} and closed with {closed:?}"))),
                }
            }
            Verdict::Denied => {
                let error = self.event("error")?;
                if error["code"] == "permission_denied" { Ok(()) } else { Err(Error::Server(format!("said {error}"))) }
            }
        }
    }

    /// Nothing may come before the last message: what came would be in the measured time.
    fn nothing_came(&mut self) -> Result<()> {
        self.stream.set_nonblocking(true).trying("a socket's options")?;
        let came = self.stream.read(&mut [0; 256]);
        self.stream.set_nonblocking(false).trying("a socket's options")?;
        match came {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock && self.rest.is_empty() => Ok(()),
            _ => Err(Error::Server("said something before the last message".into())),
        }
    }

    fn read(&mut self) -> Result<()> {
        let mut bytes = [0; 4096];
        let count = self.stream.read(&mut bytes).trying("waiting for an answer")?;
        if count == 0 {
            return Err(Error::Server("hung up".into()));
        }
        self.rest.extend_from_slice(bytes.get(..count).unwrap_or_default());
        Ok(())
    }

    fn status(&mut self, expected: u16) -> Result<()> {
        loop {
            match response(&self.rest)? {
                Some((length, status)) if status == expected => {
                    self.rest.drain(..length);
                    return Ok(());
                }
                Some((_, status)) => return Err(Error::Server(format!("answered {status} where {expected} was due"))),
                None => self.read()?,
            }
        }
    }

    fn event(&mut self, name: &str) -> Result<Value> {
        let (opcode, payload) = self.frame()?;
        let said: Value = serde_json::from_slice(&payload).unwrap_or_default();
        if opcode == frames::TEXT && said["event"] == name {
            return Ok(said);
        }
        Err(Error::Server(format!("said `{}` where `{name}` was due", String::from_utf8_lossy(&payload))))
    }

    /// The next frame: its opcode and its payload.
    fn frame(&mut self) -> Result<(u8, Vec<u8>)> {
        loop {
            if let Some(frame) = frames::first(&self.rest)? {
                let payload = self.rest.get(frame.start..frame.end).unwrap_or_default().to_vec();
                self.rest.drain(..frame.end);
                return Ok((frame.opcode, payload));
            }
            self.read()?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{net::TcpListener, thread};

    /// A gate that says `before` at once and `after` to the first thing that it hears.
    fn gate(before: Vec<u8>, after: Vec<u8>) -> Caller {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let target = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(&before).unwrap();
            let _ = stream.read(&mut [0; 64]);
            let _ = stream.write_all(&after);
        });
        Caller::connect(target).unwrap()
    }

    fn text(message: &str) -> Vec<u8> {
        frames::encode(frames::TEXT, None, message.as_bytes())
    }

    fn refused(code: u16, closed: u16) -> Vec<u8> {
        let said = text(&format!(r#"{{"event":"refused","code":{code}}}"#));
        [said, frames::encode(frames::CLOSE, None, &closed.to_be_bytes())].concat()
    }

    #[test]
    fn a_verdict_is_timed_and_heard_to_its_end() {
        let mut caller = gate(text(r#"{"event":"ask"}"#), refused(4401, 4401));
        caller.follow(&[Step::Event("ask")]).unwrap();
        assert!(caller.time(b"?").unwrap() > Duration::ZERO);
        caller.hear(Verdict::Refused(4401)).unwrap();
    }

    #[test]
    fn another_verdict_than_the_expected_one_is_an_error() {
        let heard = |said: Vec<u8>, verdict| {
            let mut caller = gate(Vec::new(), said);
            caller.time(b"?").unwrap();
            caller.hear(verdict)
        };
        let denied = text(r#"{"event":"error","code":"permission_denied"}"#);
        assert!(heard(denied.clone(), Verdict::Denied).is_ok());
        assert!(heard(text(r#"{"event":"error","code":"malformed"}"#), Verdict::Denied).is_err());
        assert!(heard(text(r#"{"event":"admitted"}"#), Verdict::Refused(4401)).is_err());
        assert!(heard(refused(4401, 4400), Verdict::Refused(4401)).is_err());
        assert!(heard(refused(4408, 4408), Verdict::Refused(4401)).is_err());
        let head = b"HTTP/1.1 404 Not Found\r\n\r\n".to_vec();
        assert!(heard(head.clone(), Verdict::Status(404)).is_ok());
        assert!(heard(head, Verdict::Status(401)).is_err());
    }

    #[test]
    fn a_word_before_the_last_message_is_an_error() {
        let early = [text(r#"{"event":"ask"}"#), text(r#"{"event":"tell"}"#)].concat();
        let mut caller = gate(early, refused(4401, 4401));
        // Both come in one segment, so the second is there when the first has been heard.
        caller.follow(&[Step::Event("ask")]).unwrap();
        assert!(caller.time(b"?").is_err());
    }
}
