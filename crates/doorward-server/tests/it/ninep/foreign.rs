//! A foreign client, that of the crate `ninep`: over a WebSocket, over TCP at a gate that asks nothing, and, since it knows no
//! authentication file itself, its messages alone for a ladder over TCP.

use std::{
    net::{SocketAddr, TcpStream},
    os::unix::net::UnixStream,
};

use doorward_wire::websocket::frame::Opcode;
use ninep::{
    fs::{Mode, Perm},
    sansio::protocol::{Data, NineP as _, Rdata, Rmessage, SharedBuf, Tdata, Tmessage},
    sync::{
        SyncNineP as _,
        client::{Client, Error},
    },
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    task::spawn_blocking,
};

use super::{GATES, token, tool::listen};
use crate::{
    peer::{Heard, Peer},
    world::{Carrier, World, both},
};

/// A WebSocket as the stream that the client wants.
fn stream_over(mut peer: Peer) -> UnixStream {
    let (near, far) = UnixStream::pair().unwrap();
    far.set_nonblocking(true).unwrap();
    let mut far = tokio::net::UnixStream::from_std(far).unwrap();
    tokio::spawn(async move {
        let mut bytes = vec![0; 4096];
        loop {
            tokio::select! {
                read = far.read(&mut bytes) => match read {
                    Ok(0) | Err(_) => return,
                    Ok(count) => peer.frame(Opcode::Binary, &bytes[..count]).await,
                },
                heard = peer.hear() => match heard {
                    Heard::Binary(bytes) => far.write_all(&bytes).await.unwrap(),
                    Heard::Ping => {}
                    _ => return,
                },
            }
        }
    });
    near
}

fn names(client: &Client, path: &str) -> Vec<String> {
    client.read_dir(path).unwrap().into_iter().map(|stat| stat.name).collect()
}

/// What the server says is wrong.
#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    match result.unwrap_err() {
        Error::Rerror { ename } => ename,
        other => panic!("{other}"),
    }
}

both! {
    async fn a_foreign_client_keeps_a_cart_over_a_websocket(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        let token = world.token("bob", json!({}));
        let peer = world.knock("/files", &format!("Authorization: Bearer {token}\r\n")).await.unwrap();
        let stream = stream_over(peer);
        let client = spawn_blocking(move || {
            let client = Client::new_from_unix_stream("glenda", "", stream).unwrap();
            assert!(client.read_str("/session").unwrap().starts_with("subject member:bob bob\ngate files\n"));
            client.create("/cart", "sku-7", Perm::from_bits_truncate(0o600), Mode::READ_WRITE).unwrap();
            // To begin again with a file, this client has to let it go.
            client.clunk_path("/cart/sku-7").unwrap();
            assert_eq!(client.read_str("/cart/sku-7").unwrap(), "1\n");
            client.clunk_path("/cart/sku-7").unwrap();
            assert_eq!(client.write_str("/cart/sku-7", 0, "3").unwrap(), 1);
            assert_eq!(refused(client.create("/cart", "sku-7", Perm::empty(), Mode::READ)), "file already exists");
            let stat = client.stat("/cart/sku-7").unwrap();
            assert_eq!((stat.name.as_str(), stat.owner.as_str(), stat.n_bytes), ("sku-7", "bob", 2));
            client.remove("/cart/sku-7").unwrap();
            assert_eq!(refused(client.stat("/nothing")), "file not found");
            assert_eq!(names(&client, "/cart"), [""; 0]);
            assert_eq!(names(&client, "/"), ["session", "cart", "channels"]);
            client
        });
        let client = client.await.unwrap();
        world.end("subject=member:bob").await;
        let after = spawn_blocking(move || client.stat("/session").map(drop));
        assert!(after.await.unwrap().is_err());
        world.empties().await;
    }
}

#[tokio::test]
async fn a_foreign_client_reads_the_tree_of_an_open_gate_over_tcp() {
    let world = World::of(Carrier::Memory, GATES).await;
    let address = listen(&world).await;
    let read = spawn_blocking(move || {
        let client = Client::new_tcp("glenda", address, "everybodys").unwrap();
        assert!(client.read_str("/session").unwrap().starts_with("subject none\ngate everybodys\n"));
        assert_eq!(names(&client, "/"), ["session", "channels"], "nobody has no cart");
        // One that asks wants the file that this client does not have.
        assert!(refused(Client::new_tcp("glenda", address, "asking")).starts_with("authentication required"));
    });
    read.await.unwrap();
    world.empties().await;
}

/// The messages of the crate, one request at a time.
struct Messages {
    stream: TcpStream,
    buffer: SharedBuf,
}

impl Messages {
    fn towards(address: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(address).unwrap(), buffer: SharedBuf::default() }
    }

    fn ask(&mut self, asked: Tdata) -> Rdata {
        Tmessage::new(5, asked).write_to(&mut self.stream).unwrap();
        let Rmessage { tag, content } = Rmessage::read_from(8192, &self.buffer, &mut self.stream).unwrap();
        assert_eq!(tag, 5);
        content
    }

    #[track_caller]
    fn read(&mut self, fid: u32) -> String {
        match self.ask(Tdata::read(fid, 0_u64, 4096_u32)) {
            Rdata::Read { data } => text(&data),
            other => panic!("{other:?}"),
        }
    }

    fn line(&mut self, fid: u32) -> Value {
        serde_json::from_str(&self.read(fid)).unwrap()
    }

    #[track_caller]
    fn walk(&mut self, new: u32, names: &[&str]) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let walked = self.ask(Tdata::walk(0_u32, new, names.clone()));
        assert!(matches!(&walked, Rdata::Walk { wqids } if wqids.len() == names.len()), "{walked:?}");
    }

    #[track_caller]
    fn open(&mut self, fid: u32, mode: Mode) {
        let opened = self.ask(Tdata::open(fid, mode.bits()));
        assert!(matches!(opened, Rdata::Open { .. }), "{opened:?}");
    }

    #[track_caller]
    fn write(&mut self, fid: u32, text: &str) {
        let written = self.ask(Tdata::write(fid, 0_u64, text.as_bytes().to_vec()));
        assert_eq!(written, Rdata::Write { count: text.len() as u32 });
    }
}

/// The bytes of a file, behind their number.
fn text(data: &Data) -> String {
    let mut bytes = vec![0; data.n_bytes()];
    data.write_bytes(&mut bytes).unwrap();
    String::from_utf8(bytes.split_off(4)).unwrap()
}

#[tokio::test]
async fn foreign_messages_climb_the_ladder_over_tcp_and_keep_a_cart() {
    let world = World::of(Carrier::Memory, GATES).await;
    let (address, answer) = (listen(&world).await, token(&world, "bob").to_string());
    let shopped = spawn_blocking(move || {
        let mut tool = Messages::towards(address);
        assert!(matches!(tool.ask(Tdata::version(65_535_u32, "9P2000")), Rdata::Version { msize: 8192, .. }));
        assert!(matches!(tool.ask(Tdata::auth(9_u32, "glenda", "asking")), Rdata::Auth { .. }));
        assert_eq!(tool.line(9)["event"], "ask");
        tool.write(9, &answer);
        assert_eq!(tool.line(9)["event"], "admitted");
        assert!(matches!(tool.ask(Tdata::attach(0_u32, 9_u32, "glenda", "")), Rdata::Attach { .. }));
        tool.walk(1, &["session"]);
        tool.open(1, Mode::READ);
        assert!(tool.read(1).starts_with("subject member:bob bob\ngate asking\n"));
        tool.walk(2, &["cart"]);
        let created = tool.ask(Tdata::create(2_u32, "sku-7", 0o600_u32, Mode::READ_WRITE.bits()));
        assert!(matches!(created, Rdata::Create { .. }), "{created:?}");
        tool.write(2, "3");
        tool.walk(3, &["cart", "sku-7"]);
        tool.open(3, Mode::READ);
        assert_eq!(tool.read(3), "3\n");
        assert_eq!(tool.ask(Tdata::remove(3_u32)), Rdata::Remove {});
    });
    shopped.await.unwrap();
    world.empties().await;
}
