//! A file tree at the edge: over a WebSocket after the handshake, and over TCP with the ladder in the authentication file.

mod auth_file;
mod foreign;
mod meeting;
pub(crate) mod tool;
mod tree;
mod websocket;

use doorward_wire::ninep::{Decoder, Few, Fid, OpenMode, Reply, Request, Tag, VERSION};
use serde_json::{Value, json};

use crate::world::World;

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

pub(crate) fn auth(aname: &str) -> Request<'_> {
    Request::Auth { afid: AFID, uname: "glenda", aname }
}

fn attach(afid: Fid) -> Request<'static> {
    attach_to("", afid)
}

fn attach_to(aname: &str, afid: Fid) -> Request<'_> {
    Request::Attach { fid: ROOT, afid, uname: "glenda", aname }
}

fn walk<'a>(new: Fid, names: &[&'a str]) -> Request<'a> {
    Request::Walk { fid: ROOT, new, names: Few::new(names).unwrap() }
}

fn read(fid: Fid) -> Request<'static> {
    Request::Read { fid, offset: 0, count: 4096 }
}

fn open_cart(new: Fid) -> [Request<'static>; 2] {
    [walk(new, &["cart"]), Request::Open { fid: new, mode: OpenMode::READ }]
}

/// The answer to the layer of `asking`.
fn token(world: &World, subject: &str) -> Value {
    json!({ "action": "auth", "kind": "jwt", "token": world.token(subject, json!({})) })
}

/// What a reply says, in short.
fn said(bytes: &[u8]) -> String {
    let mut decoder = Decoder::new(8192);
    let mut rest = bytes;
    let frame = decoder.next(&mut rest).unwrap().unwrap();
    match Reply::read(&frame).unwrap() {
        Reply::Error { text } => text.to_owned(),
        Reply::Read { data } => String::from_utf8_lossy(&data).into_owned(),
        Reply::Version { msize, version } => format!("Version {msize} {version}"),
        other => format!("{other:?}").split([' ', '{']).next().unwrap().to_owned(),
    }
}
