//! One question and its answer on a connection of their own, and when they were.

use super::PATIENCE;
use crate::{
    clock,
    error::{Error, Result, Trying},
};
use std::{net::SocketAddr, time::Instant};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
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

/// Asks, and waits until `whole` finds a whole answer in what has come.
pub(super) async fn exchange<T>(
    target: SocketAddr,
    question: &[u8],
    whole: impl Fn(&[u8]) -> Result<Option<T>>,
) -> Result<Answered<T>> {
    let answered = async {
        let mut stream = connect(target).await?;
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
    runtime()?.block_on(exchange(target, question, whole))
}

/// A runtime on this thread.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().trying("the tokio runtime")
}

async fn connect(target: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(target).await.trying(format!("connecting to {target}"))?;
    stream.set_nodelay(true).trying("a socket's options")?;
    Ok(stream)
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
}
