//! A file tree at the edge: over a WebSocket after the handshake, and over TCP with the ladder in the authentication file.

use std::sync::Arc;

use doorward_types::CloseReason;
use doorward_wire::{
    ninep::{Data, Decoder, Few, Fid, OpenMode, Reply, Request, Tag, VERSION},
    websocket::frame::Opcode,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::{
    peer::{Heard, Peer},
    world::{Carrier, World, both},
};

const GATES: &str = r#"
    [[gate]]
    name = "files"
    path = "/files"
    backend = { 9p = {} }
    ladder = [{ bearer = {} }]
    [[gate]]
    name = "asking"
    path = "/asking"
    backend = { 9p = {} }
    ladder = [{ jwt = {} }]
    [[gate.channel]]
    name = "room"
    subscribe = "any"
    publish = "any"
    [[gate]]
    name = "everybodys"
    path = "/everybodys"
    backend = { 9p = {} }
    open = true
"#;

const ROOT: Fid = Fid(0);
const AFID: Fid = Fid(9);

fn message(tag: u16, request: &Request<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    request.write(Tag(tag), &mut bytes);
    bytes
}

fn version() -> Request<'static> {
    Request::Version { msize: 8192, version: VERSION }
}

fn attach(afid: Fid) -> Request<'static> {
    Request::Attach { fid: ROOT, afid, uname: "glenda", aname: "" }
}

fn open_cart(new: Fid) -> [Request<'static>; 2] {
    let walk = Request::Walk { fid: ROOT, new, names: Few::new(&["cart"]).unwrap() };
    [walk, Request::Open { fid: new, mode: OpenMode::READ }]
}

/// What a reply says, in short.
fn said(bytes: &[u8]) -> String {
    let mut decoder = Decoder::new(8192);
    let mut rest = bytes;
    let frame = decoder.next(&mut rest).unwrap().unwrap();
    match Reply::read(&frame).unwrap() {
        Reply::Error { text } => text.to_owned(),
        Reply::Read { data } => String::from_utf8_lossy(&data).into_owned(),
        other => format!("{other:?}").split([' ', '{']).next().unwrap().to_owned(),
    }
}

/// A file tool over TCP.
pub(crate) struct Tool {
    stream: TcpStream,
    tag: u16,
}

impl Tool {
    pub(crate) async fn of(world: &World) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let door = Arc::clone(&world.door);
        tokio::spawn(async move { door.serve_ninep(listener).await });
        let mut tool = Self { stream: TcpStream::connect(address).await.unwrap(), tag: 0 };
        assert_eq!(tool.asks(version()).await, "Version");
        tool
    }

    async fn sends(&mut self, request: Request<'_>) {
        self.tag += 1;
        self.stream.write_all(&message(self.tag, &request)).await.unwrap();
    }

    pub(crate) async fn hears(&mut self) -> Option<String> {
        let size = self.stream.read_u32_le().await.ok()?;
        let mut bytes = size.to_le_bytes().to_vec();
        bytes.resize(size as usize, 0);
        self.stream.read_exact(&mut bytes[4..]).await.ok()?;
        Some(said(&bytes))
    }

    async fn asks(&mut self, request: Request<'_>) -> String {
        self.sends(request).await;
        self.hears().await.unwrap()
    }

    pub(crate) async fn authenticates(&mut self, aname: &str) -> String {
        self.asks(Request::Auth { afid: AFID, uname: "glenda", aname }).await
    }

    /// The next line of the authentication file.
    pub(crate) async fn reads(&mut self) -> Value {
        let line = self.asks(Request::Read { fid: AFID, offset: 0, count: 4096 }).await;
        serde_json::from_str(&line).unwrap()
    }

    pub(crate) async fn writes(&mut self, answer: &Value) {
        let line = format!("{answer}\n");
        let said = self.asks(Request::Write { fid: AFID, offset: 0, data: Data(line.as_bytes()) }).await;
        assert_eq!(said, "Write");
    }
}

async fn binary(peer: &mut Peer, bytes: &[u8]) -> String {
    peer.frame(Opcode::Binary, bytes).await;
    match peer.hear().await {
        Heard::Binary(bytes) => said(&bytes),
        other => panic!("{other:?}"),
    }
}

both! {
    async fn a_websocket_is_let_in_by_the_handshake_and_speaks_9p_from_its_first_message(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        let token = world.token("bob", json!({}));
        let headers = format!("Authorization: Bearer {token}\r\nSec-WebSocket-Protocol: chat, 9p\r\n");
        let mut peer = world.knock("/files", &headers).await.unwrap();
        assert!(peer.head.contains("sec-websocket-protocol: 9p"), "{}", peer.head);
        assert_eq!(binary(&mut peer, &message(1, &version())).await, "Version");
        assert_eq!(binary(&mut peer, &message(2, &Request::Auth { afid: AFID, uname: "", aname: "" })).await, "no authentication required");
        assert_eq!(binary(&mut peer, &message(3, &attach(Fid::NONE))).await, "Attach");
        for (tag, request) in open_cart(Fid(1)).iter().enumerate() {
            binary(&mut peer, &message(4 + tag as u16, request)).await;
        }
        world.end("subject=member:bob").await;
        assert_eq!(peer.closes().await, [CloseReason::SessionEnded.code()]);
        world.empties().await;
    }

    async fn without_a_proof_there_is_no_101_and_no_9p(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        for headers in ["", "Authorization: Bearer a.b.c\r\n"] {
            assert_eq!(world.knock("/files", headers).await.err().unwrap().status, 401);
        }
    }

    async fn a_text_is_no_9p(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        let headers = format!("Authorization: Bearer {}\r\n", world.token("bob", json!({})));
        let mut peer = world.knock("/files", &headers).await.unwrap();
        peer.say("Tversion").await;
        assert_eq!(peer.closes().await, [CloseReason::UnsupportedData.code()]);
    }

    async fn a_ladder_that_talks_does_so_in_texts_before_the_first_byte_of_9p(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        let mut peer = world.admitted("/asking", &world.token("bob", json!({}))).await;
        assert_eq!(binary(&mut peer, &message(1, &version())).await, "Version");
        assert_eq!(binary(&mut peer, &message(2, &attach(Fid::NONE))).await, "Attach");
    }
}

#[tokio::test]
async fn over_tcp_the_ladder_is_climbed_in_the_authentication_file() {
    let world = World::of(Carrier::Memory, GATES).await;
    let mut tool = Tool::of(&world).await;
    assert!(tool.asks(attach(Fid::NONE)).await.starts_with("no such tree"), "there is more than one");
    assert_eq!(tool.authenticates("asking").await, "Auth");
    let ask = tool.reads().await;
    assert_eq!((&ask["event"], &ask["layer"]), (&json!("ask"), &json!("jwt")));
    assert!(tool.asks(attach(AFID)).await.starts_with("authentication required"));
    tool.writes(&json!({ "action": "auth", "kind": "jwt", "token": world.token("bob", json!({})) })).await;
    let admitted = tool.reads().await;
    assert_eq!((&admitted["event"], &admitted["subject"]["pk"]), (&json!("admitted"), &json!("bob")));
    assert_eq!(tool.asks(Request::Read { fid: AFID, offset: 0, count: 100 }).await, "", "the end of the file");
    assert!(tool.asks(attach(Fid::NONE)).await.contains("authentication"), "nobody attaches without it");
    assert_eq!(tool.asks(attach(AFID)).await, "Attach");
    for request in open_cart(Fid(1)) {
        tool.asks(request).await;
    }
    assert_eq!(tool.asks(Request::Read { fid: Fid(1), offset: 0, count: 100 }).await, "", "an empty cart");
    assert_eq!(world.verdicts().await, ["admitted"]);
    world.end("subject=member:bob").await;
    assert_eq!(tool.hears().await, None, "the end of the stream says it");
    world.empties().await;
}

#[tokio::test]
async fn over_tcp_a_wrong_answer_is_refused_and_the_connection_ends() {
    let world = World::of(Carrier::Memory, GATES).await;
    let mut tool = Tool::of(&world).await;
    assert_eq!(tool.authenticates("/asking").await, "Auth");
    tool.reads().await;
    tool.sends(Request::Read { fid: AFID, offset: 0, count: 4096 }).await;
    tool.writes_and_hears(&json!({ "action": "auth", "kind": "jwt", "token": "a.b.c" })).await;
    assert_eq!(world.verdicts().await, ["4401 jwt: socket requires token"]);
    world.empties().await;
}

#[tokio::test]
async fn over_tcp_a_gate_that_wants_what_a_tool_cannot_show_says_so_at_once() {
    let world = World::of(Carrier::Memory, GATES).await;
    let mut tool = Tool::of(&world).await;
    // It has nothing to ask: whoever attaches is judged by what a request shows, and a tool shows nothing.
    assert_eq!(tool.authenticates("files").await, "no authentication required");
    let attach = Request::Attach { fid: ROOT, afid: Fid::NONE, uname: "", aname: "files" };
    assert_eq!(tool.asks(attach).await, "You could not be authenticated.");
    assert_eq!(tool.hears().await, None);
    assert_eq!(world.verdicts().await.len(), 1);
}

#[tokio::test]
async fn over_tcp_an_open_gate_is_attached_to_without_more_ado() {
    let world = World::of(Carrier::Memory, GATES).await;
    let mut tool = Tool::of(&world).await;
    let attach = Request::Attach { fid: ROOT, afid: Fid::NONE, uname: "", aname: "everybodys" };
    assert_eq!(tool.asks(attach).await, "Attach");
}

#[tokio::test]
async fn over_tcp_whoever_lets_the_authentication_file_go_leaves() {
    let world = World::of(Carrier::Memory, GATES).await;
    let mut tool = Tool::of(&world).await;
    tool.authenticates("asking").await;
    tool.sends(Request::Clunk { fid: AFID }).await;
    assert_eq!(tool.hears().await, None);
    assert_eq!(world.verdicts().await, ["hung up"]);
    world.empties().await;
}

impl Tool {
    /// Writes a wrong answer while a read waits: both are answered, and then the stream ends.
    async fn writes_and_hears(&mut self, answer: &Value) {
        let line = answer.to_string();
        self.sends(Request::Write { fid: AFID, offset: 0, data: Data(line.as_bytes()) }).await;
        let mut heard = Vec::new();
        while let Some(said) = self.hears().await {
            heard.push(said);
        }
        assert_eq!(heard[0], "Write");
        let refused: Value = serde_json::from_str(&heard[1]).unwrap();
        assert_eq!((&refused["event"], &refused["code"]), (&json!("refused"), &json!(4401)));
        assert_eq!(heard.len(), 2);
    }
}
