//! One question and its answer on a connection of their own, and when they were.

use super::PATIENCE;
use crate::{
    clock,
    error::{Error, Result, Trying},
};
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Instant,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

/// An answer, as a whole.
#[derive(Debug)]
pub(super) struct Answered<T> {
    /// When the first byte of the question was about to be written, on a connection that stood.
    pub(super) asked: Instant,
    /// When the last byte of the answer had come.
    pub(super) heard: Instant,
    pub(super) answer: T,
}

/// Asks, and waits until `whole` finds a whole answer in what has come. `from` is the address to come from, where it matters.
pub(super) async fn exchange<T>(
    from: Option<IpAddr>,
    target: SocketAddr,
    question: &[u8],
    whole: impl Fn(&[u8]) -> Result<Option<T>>,
) -> Result<Answered<T>> {
    let answered = async {
        let mut stream = connect(from, target).await?;
        let asked = clock::now();
        stream.write_all(question).await.trying(format!("asking {target}"))?;
        let mut came = Vec::with_capacity(4096);
        loop {
            if stream.read_buf(&mut came).await.trying(format!("waiting for an answer of {target}"))? == 0 {
                return Err(Error::Server("hung up before its answer was whole".into()));
            }
            if let Some(answer) = whole(&came)? {
                return Ok(Answered { asked, heard: clock::now(), answer });
            }
        }
    };
    let late = |_| Error::TooSlow { what: format!("an answer of {target}"), limit: PATIENCE };
    tokio::time::timeout(PATIENCE, answered).await.map_err(late)?
}

/// The same for somebody who has nothing else to do meanwhile.
pub(super) fn exchange_now<T>(
    target: SocketAddr,
    question: &[u8],
    whole: impl Fn(&[u8]) -> Result<Option<T>>,
) -> Result<Answered<T>> {
    runtime()?.block_on(exchange(None, target, question, whole))
}

/// A connection for somebody who waits for what comes, from that address where it matters.
pub(crate) fn connect_now(from: Option<IpAddr>, target: SocketAddr) -> Result<std::net::TcpStream> {
    let stream = runtime()?.block_on(async { connect(from, target).await?.into_std().trying("a socket") })?;
    stream.set_nonblocking(false).trying("a socket's options")?;
    Ok(stream)
}

/// A runtime on this thread.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().trying("the tokio runtime")
}

/// An address of this machine for each of many who come, so that they are not one source. `None` where the target is none of this
/// machine's.
pub(crate) fn source(number: u16, target: SocketAddr) -> Option<IpAddr> {
    let [high, low] = number.saturating_add(1).to_be_bytes();
    matches!(target.ip(), IpAddr::V4(address) if address.is_loopback()).then(|| Ipv4Addr::new(127, 1, high, low).into())
}

async fn connect(from: Option<IpAddr>, target: SocketAddr) -> Result<TcpStream> {
    let connected = async {
        let socket = if target.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        if let Some(from) = from {
            socket.bind((from, 0).into())?;
        }
        let stream = socket.connect(target).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    };
    connected.await.trying(format!("connecting to {target}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::{Read, Write},
        net::TcpListener,
        thread,
    };

    /// Hears one byte of who comes, says its address in these pieces, and hangs up.
    fn server(pieces: &'static [&'static [u8]]) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let target = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (mut stream, from) = listener.accept().unwrap();
            stream.read_exact(&mut [0]).unwrap();
            stream.write_all(from.ip().to_string().as_bytes()).unwrap();
            for piece in pieces {
                stream.write_all(piece).unwrap();
            }
        });
        target
    }

    fn line(bytes: &[u8]) -> Result<Option<String>> {
        let text = String::from_utf8_lossy(bytes);
        Ok(text.strip_suffix('.').map(str::to_owned))
    }

    #[test]
    fn an_answer_is_waited_for_as_a_whole_and_comes_after_the_question() {
        let answered = exchange_now(server(&[b" and more", b"."]), b"?", line).unwrap();
        assert_eq!(answered.answer, "127.0.0.1 and more");
        assert!(answered.heard >= answered.asked);
    }

    #[test]
    fn half_an_answer_is_an_error() {
        let error = exchange_now(server(&[b" and"]), b"?", line).unwrap_err();
        assert!(error.to_string().contains("hung up before its answer was whole"), "{error}");
    }

    #[test]
    fn each_comes_from_an_address_of_its_own() {
        let target = server(&[b"."]);
        let from = source(300, target);
        let answered = runtime().unwrap().block_on(exchange(from, target, b"?", line)).unwrap();
        assert_eq!(answered.answer, "127.1.1.45");
        assert_ne!(source(0, target), source(1, target));
        assert_eq!(source(0, "192.0.2.7:80".parse().unwrap()), None);
    }
}
