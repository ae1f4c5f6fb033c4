//! Clients of a file server, and how they get in.

use std::sync::Arc;

use doorward_auth::Proof;
use doorward_backends::ninep::{Begun, Limits, Ninep, Tree};
use doorward_session::{AnyStream, Backend as _, Line, Socket, SocketPolicy, Transport};
use doorward_types::CloseReason;
use doorward_wire::{
    ninep::{self, Few, Fid, OpenMode, Reply, Request, Stat, Tag},
    websocket::{Decoder, Event, Input, Limits as FrameLimits, MessageKind, frame::Opcode},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
    task::JoinHandle,
};

use crate::support::{Over, World, climb_at, masked, quiet, somebody};

/// One client, and the socket that it has.
pub(crate) struct Client {
    pub(crate) stream: DuplexStream,
    pub(crate) socket: Arc<Socket>,
    pub(crate) over: JoinHandle<()>,
    frames: Decoder,
    bytes: Vec<u8>,
}

/// What a client heard.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// One message, by itself in a binary one.
    Message(Vec<u8>),
    Close(Option<u16>, String),
    End,
}

pub(crate) fn world() -> World {
    World::over(Over::Pipe)
}

/// How somebody gets in.
pub(crate) struct Way {
    pub(crate) proof: Proof,
    pub(crate) policy: SocketPolicy,
    pub(crate) limits: Limits,
    pub(crate) begun: Option<Begun>,
    /// How many bytes lie in the pipe.
    pub(crate) room: usize,
}

impl Way {
    pub(crate) fn of(name: &str) -> Self {
        Self {
            proof: somebody(name),
            policy: SocketPolicy { backend: "9p", ..quiet() },
            limits: Limits::default(),
            begun: None,
            room: 256 * 1024,
        }
    }
}

/// Lets bob in.
pub(crate) async fn enter(world: &World, tree: impl Tree + 'static) -> Client {
    enter_by(world, tree, Way::of("bob")).await
}

pub(crate) async fn enter_by(world: &World, tree: impl Tree + 'static, way: Way) -> Client {
    let (ours, stream) = duplex(way.room);
    let transport: Arc<dyn Transport> = Arc::new(AnyStream::new(ours));
    let line = Line::new(Arc::clone(&transport), Vec::new(), 4096);
    let admission = climb_at("acme", "files", way.proof, world.sockets.cursor());
    let socket = world.sockets.register(admission, transport, way.policy).unwrap();
    let server = Arc::new(Ninep::new(tree).with_limits(way.limits));
    let serving = match way.begun {
        Some(begun) => server.go_on(Arc::clone(&socket), line, begun),
        None => server.serve(Arc::clone(&socket), line),
    };
    let frames = Decoder::client(FrameLimits { message: 1 << 20 });
    Client { stream, socket, over: tokio::spawn(serving), frames, bytes: Vec::new() }
}

pub(crate) fn request(tag: u16, request: &Request<'_>) -> Vec<u8> {
    let mut message = Vec::new();
    request.write(Tag(tag), &mut message);
    message
}

pub(crate) fn walk<'a>(fid: u32, new: u32, names: &[&'a str]) -> Request<'a> {
    Request::Walk { fid: Fid(fid), new: Fid(new), names: Few::new(names).unwrap() }
}

pub(crate) fn open(fid: u32, mode: OpenMode) -> Request<'static> {
    Request::Open { fid: Fid(fid), mode }
}

pub(crate) fn read(fid: u32, offset: u64, count: u32) -> Request<'static> {
    Request::Read { fid: Fid(fid), offset, count }
}

pub(crate) fn write(fid: u32, offset: u64, data: &[u8]) -> Request<'_> {
    Request::Write { fid: Fid(fid), offset, data: ninep::Data(data) }
}

pub(crate) fn clunk(fid: u32) -> Request<'static> {
    Request::Clunk { fid: Fid(fid) }
}

pub(crate) const ATTACH: Request<'_> = Request::Attach { fid: Fid(0), afid: Fid::NONE, uname: "", aname: "" };

pub(crate) const VERSION: Request<'_> = Request::Version { msize: 8192, version: ninep::VERSION };

impl Client {
    pub(crate) async fn sends(&mut self, bytes: &[u8]) {
        self.stream.write_all(&masked(Opcode::Binary, bytes)).await.unwrap();
    }

    pub(crate) async fn asks(&mut self, tag: u16, asked: Request<'_>) {
        self.sends(&request(tag, &asked)).await;
    }

    pub(crate) async fn hear(&mut self) -> Heard {
        loop {
            let mut bytes = std::mem::take(&mut self.bytes);
            let mut input = Input::new(&mut bytes);
            let heard = match self.frames.next(&mut input).unwrap() {
                Some(Event::Message(message)) => {
                    assert_eq!(message.kind, MessageKind::Binary);
                    Some(Heard::Message(message.payload.to_vec()))
                }
                Some(Event::Close(close)) => Some(Heard::Close(close.code, close.reason.into())),
                Some(_) => continue,
                None => None,
            };
            self.bytes = input.rest().to_vec();
            if let Some(heard) = heard {
                return heard;
            }
            let mut buffer = vec![0; 64 * 1024];
            match self.stream.read(&mut buffer).await.unwrap() {
                0 => return Heard::End,
                count => self.bytes.extend_from_slice(&buffer[..count]),
            }
        }
    }

    /// The next answer, and for what.
    pub(crate) async fn hear_reply(&mut self) -> Told {
        match self.hear().await {
            Heard::Message(message) => Told(message),
            other => panic!("no answer: {other:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn hears(&mut self, tag: u16, reply: Reply<'_>) -> impl Future<Output = ()> {
        let at = std::panic::Location::caller();
        async move {
            let told = self.hear_reply().await;
            let mut expected = Vec::new();
            reply.write(Tag(tag), &mut expected);
            assert!(told.0 == expected, "{told:?} instead of {tag}: {reply:?} at {at}");
        }
    }

    #[track_caller]
    pub(crate) fn hears_error(&mut self, tag: u16, text: &str) -> impl Future<Output = ()> {
        self.hears(tag, Reply::Error { text })
    }

    /// Asks, and gives what it is answered.
    pub(crate) async fn told(&mut self, asked: Request<'_>) -> Told {
        self.asks(9, asked).await;
        let told = self.hear_reply().await;
        assert_eq!(told.tag(), Tag(9), "{told:?} to {asked:?}");
        told
    }

    #[track_caller]
    pub(crate) fn is_refused(&mut self, asked: Request<'_>, text: &str) -> impl Future<Output = ()> {
        let at = std::panic::Location::caller();
        async move {
            let told = self.told(asked).await;
            assert_eq!(told.error(), Some(text), "{told:?} to {asked:?} at {at}");
        }
    }

    #[track_caller]
    pub(crate) fn does(&mut self, asked: Request<'_>) -> impl Future<Output = Told> {
        let at = std::panic::Location::caller();
        async move {
            let told = self.told(asked).await;
            assert_eq!(told.error(), None, "to {asked:?} at {at}");
            told
        }
    }

    /// Agrees on a version, and is at the root with fid 0.
    pub(crate) async fn begins(&mut self) {
        self.does(VERSION).await;
        self.does(ATTACH).await;
    }

    /// Opens what lies at a path.
    pub(crate) async fn opens(&mut self, fid: u32, path: &[&str], mode: OpenMode) {
        self.does(walk(0, fid, path)).await;
        self.does(open(fid, mode)).await;
    }

    pub(crate) async fn reads(&mut self, fid: u32) -> String {
        String::from_utf8(self.does(read(fid, 0, 4096)).await.data().to_vec()).unwrap()
    }

    /// The names in a directory.
    pub(crate) async fn lists(&mut self, path: &[&str]) -> Vec<String> {
        self.opens(999, path, OpenMode::READ).await;
        let listed = self.does(read(999, 0, 8000)).await;
        self.does(clunk(999)).await;
        names(listed.data())
    }

    pub(crate) async fn hears_close(&mut self, reason: CloseReason) {
        assert_eq!(self.hear().await, Heard::Close(Some(reason.code()), reason.name().into()));
    }
}

/// The names in what was read of a directory: whole records.
pub(crate) fn names(mut records: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    while !records.is_empty() {
        names.push(Stat::read(&mut records).unwrap().name.to_owned());
    }
    names
}

/// An answer.
pub(crate) struct Told(pub(crate) Vec<u8>);

impl Told {
    fn frame(&self) -> ninep::Frame<'_> {
        let size = u32::from_le_bytes(*self.0.first_chunk().unwrap());
        assert_eq!(size as usize, self.0.len(), "one 9P message in one of the gate's");
        let tag = Tag(u16::from_le_bytes([self.0[5], self.0[6]]));
        ninep::Frame { kind: self.0[4], tag, body: &self.0[7..] }
    }

    pub(crate) fn tag(&self) -> Tag {
        self.frame().tag
    }

    pub(crate) fn reply(&self) -> Reply<'_> {
        Reply::read(&self.frame()).unwrap()
    }

    pub(crate) fn error(&self) -> Option<&str> {
        if let Reply::Error { text } = self.reply() { Some(text) } else { None }
    }

    pub(crate) fn data(&self) -> &[u8] {
        let Reply::Read { data } = self.reply() else { panic!("{self:?} is no read") };
        data.0
    }
}

impl std::fmt::Debug for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {:?}", self.tag(), self.reply())
    }
}
