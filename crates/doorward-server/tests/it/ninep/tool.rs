//! A file tool over TCP, byte by byte.

use std::{net::SocketAddr, sync::Arc};

use doorward_wire::ninep::{Data, Fid, OpenMode, Request};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpSocket, TcpStream},
};

use super::{AFID, attach, auth, message, read, said, version, walk};
use crate::world::World;

/// A file tool over TCP. Its requests are numbered from 1.
pub(crate) struct Tool {
    pub(crate) stream: TcpStream,
    tag: u16,
}

/// Listens for tools.
pub(crate) async fn listen(world: &World) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let door = Arc::clone(&world.door);
    tokio::spawn(async move { door.serve_ninep(listener).await });
    address
}

impl Tool {
    /// One that has agreed on a version.
    pub(crate) async fn of(world: &World) -> Self {
        let mut tool = Self::new(world).await;
        assert_eq!(tool.asks(version()).await, "Version 8192 9P2000");
        tool
    }

    /// One that has said nothing.
    pub(crate) async fn new(world: &World) -> Self {
        Self::at(listen(world).await).await
    }

    pub(crate) async fn at(address: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(address).await.unwrap(), tag: 0 }
    }

    /// One whose system takes no more than it has to.
    pub(crate) async fn with_little_room(address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        Self { stream: socket.connect(address).await.unwrap(), tag: 0 }
    }

    /// One that was let in with a token at `asking`, and is at the root.
    pub(crate) async fn admitted(world: &World, subject: &str) -> Self {
        let mut tool = Self::of(world).await;
        assert_eq!(tool.asks(auth("asking")).await, "Auth");
        tool.reads().await;
        tool.writes(&super::token(world, subject)).await;
        assert_eq!(tool.reads().await["event"], "admitted");
        assert_eq!(tool.asks(attach(AFID)).await, "Attach");
        tool
    }

    /// The next request, numbered.
    pub(crate) fn next(&mut self, request: Request<'_>) -> Vec<u8> {
        self.tag += 1;
        message(self.tag, &request)
    }

    /// The next requests, side by side.
    pub(crate) fn together<const N: usize>(&mut self, requests: [Request<'_>; N]) -> Vec<u8> {
        requests.into_iter().flat_map(|request| self.next(request)).collect()
    }

    pub(crate) async fn bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    pub(crate) async fn sends(&mut self, request: Request<'_>) {
        let message = self.next(request);
        self.bytes(&message).await;
    }

    /// What is said, and in answer to which request; `None` at the end of the stream.
    pub(crate) async fn hears_for(&mut self) -> Option<(u16, String)> {
        let size = self.stream.read_u32_le().await.ok()?;
        let mut bytes = size.to_le_bytes().to_vec();
        bytes.resize(size as usize, 0);
        self.stream.read_exact(&mut bytes[4..]).await.ok()?;
        Some((u16::from_le_bytes([bytes[5], bytes[6]]), said(&bytes)))
    }

    pub(crate) async fn hears(&mut self) -> Option<String> {
        self.hears_for().await.map(|(_, said)| said)
    }

    pub(crate) async fn asks(&mut self, request: Request<'_>) -> String {
        self.sends(request).await;
        let (tag, said) = self.hears_for().await.unwrap();
        assert_eq!(tag, self.tag, "{said}");
        said
    }

    /// The next line of the authentication file.
    pub(crate) async fn reads(&mut self) -> Value {
        let line = self.asks(read(AFID)).await;
        serde_json::from_str(&line).unwrap()
    }

    pub(crate) async fn writes(&mut self, answer: &Value) {
        let line = format!("{answer}\n");
        assert_eq!(self.asks(write(AFID, line.as_bytes())).await, "Write");
    }

    /// Opens a file, to be `fid`.
    pub(crate) async fn opens(&mut self, fid: Fid, path: &[&str], mode: OpenMode) {
        assert_eq!(self.asks(walk(fid, path)).await, "Walk");
        assert_eq!(self.asks(Request::Open { fid, mode }).await, "Open");
    }

    /// Whatever is still said, up to the end of the stream.
    pub(crate) async fn hears_to_the_end(&mut self) -> Vec<String> {
        let mut heard = Vec::new();
        while let Some(said) = self.hears().await {
            heard.push(said);
        }
        heard
    }
}

pub(crate) fn write(fid: Fid, data: &[u8]) -> Request<'_> {
    Request::Write { fid, offset: 0, data: Data(data) }
}
