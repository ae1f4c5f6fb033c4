//! Versions, authentication, and how a session begins.

use doorward_backends::ninep::{
    Begun,
    trees::{Root, Session},
};
use doorward_session::Limits as SocketLimits;
use doorward_wire::ninep::{Fid, OpenMode, Reply, Request};

use crate::{
    clients::{ATTACH, VERSION, Way, clunk, enter, enter_by, open, read, walk, world, write},
    paper::Paper,
};

fn version(msize: u32, version: &str) -> Request<'_> {
    Request::Version { msize, version }
}

fn attach(fid: u32, afid: Fid) -> Request<'static> {
    Request::Attach { fid: Fid(fid), afid, uname: "root", aname: "/etc" }
}

#[tokio::test(start_paused = true)]
async fn a_size_is_negotiated_down_and_another_dialect_of_9p2000_is_answered_by_the_plain_one() {
    let world = world();
    let mut client = enter(&world, Paper::default()).await;
    for (asked, dialect, agreed) in
        [(8192, "9P2000", 8192), (u32::MAX, "9P2000.L", 65_536), (65_537, "9P2000.u", 65_536), (512, "9P2000", 512)]
    {
        client.asks(0xffff, version(asked, dialect)).await;
        client.hears(0xffff, Reply::Version { msize: agreed, version: "9P2000" }).await;
    }
    client.is_refused(version(511, "9P2000"), "msize is too small").await;
}

#[tokio::test(start_paused = true)]
async fn what_is_agreed_on_is_no_larger_than_what_the_gate_takes_as_one_message() {
    let world = world();
    let mut way = Way::of("bob");
    way.policy.limits = SocketLimits { message: 4096, ..way.policy.limits };
    let mut client = enter_by(&world, Paper::default(), way).await;
    client.asks(1, version(8192, "9P2000")).await;
    client.hears(1, Reply::Version { msize: 4096, version: "9P2000" }).await;
}

#[tokio::test(start_paused = true)]
async fn another_protocol_is_unknown_and_nothing_is_done_before_a_version() {
    let world = world();
    let mut client = enter(&world, Paper::default()).await;
    client.is_refused(ATTACH, "no version has been agreed on").await;
    for other in ["9P1999", "9P20000", "", "http"] {
        client.asks(1, version(8192, other)).await;
        client.hears(1, Reply::Version { msize: 8192, version: "unknown" }).await;
        client.is_refused(ATTACH, "no version has been agreed on").await;
    }
    client.begins().await;
}

#[tokio::test(start_paused = true)]
async fn c63_a_version_in_the_middle_of_things_aborts_them_and_clunks_every_fid() {
    let world = world();
    let paper = Paper::default();
    let mut client = enter(&world, paper.clone()).await;
    client.begins().await;
    client.opens(1, &["blocked"], OpenMode::READ).await;
    client.asks(5, read(1, 0, 10)).await;
    client.asks(6, walk(0, 2, &["slow"])).await;
    client.does(VERSION).await;
    paper.dropped.notified().await;
    paper.through.add_permits(10);
    for fid in [0, 1, 2] {
        client.is_refused(clunk(fid), "unknown fid").await;
    }
    // The tags are free, too.
    client.asks(5, ATTACH).await;
    assert!(matches!(client.hear_reply().await.reply(), Reply::Attach { .. }));
}

#[tokio::test(start_paused = true)]
async fn c63_nobody_is_asked_to_authenticate_and_names_count_for_nothing() {
    let world = world();
    let mut client = enter(&world, Root::default().with("session", Session)).await;
    client.does(VERSION).await;
    let auth = Request::Auth { afid: Fid(7), uname: "root", aname: "" };
    client.is_refused(auth, "no authentication required").await;
    client.is_refused(attach(0, Fid(7)), "no authentication required").await;
    for (fid, uname) in [(0, ""), (1, "root"), (2, "bob")] {
        client.does(Request::Attach { fid: Fid(fid), afid: Fid::NONE, uname, aname: "../etc" }).await;
        client.does(walk(fid, fid + 10, &["session"])).await;
        client.does(open(fid + 10, OpenMode::READ)).await;
        assert!(client.reads(fid + 10).await.starts_with("subject member:bob bob\n"));
    }
    client.is_refused(ATTACH, "duplicate fid").await;
    client.is_refused(attach(u32::MAX, Fid::NONE), "unknown fid").await;
}

#[tokio::test(start_paused = true)]
async fn one_who_has_authenticated_attaches_once_by_that_and_in_no_other_way() {
    let world = world();
    let way =
        Way { begun: Some(Begun { msize: 4096, afid: Some(Fid(7)), unread: bytes::Bytes::new() }), ..Way::of("bob") };
    let mut client = enter_by(&world, Paper::default(), way).await;
    assert_eq!(client.does(read(7, 0, 100)).await.data(), b"", "it has been read to its end");
    client.is_refused(write(7, 0, b"more"), "file not open for writing").await;
    client.is_refused(walk(7, 8, &["note"]), "walk in non-directory").await;
    client.is_refused(Request::Stat { fid: Fid(7) }, "stat prohibited").await;
    client.is_refused(open(7, OpenMode::READ), "file already open for I/O").await;
    client.is_refused(Request::Auth { afid: Fid(8), uname: "", aname: "" }, "permission denied").await;
    client.is_refused(attach(0, Fid::NONE), "authentication required").await;
    client.is_refused(attach(0, Fid(8)), "unknown fid").await;
    client.is_refused(attach(7, Fid(7)), "duplicate fid").await;
    client.does(attach(0, Fid(7))).await;
    client.is_refused(attach(1, Fid(7)), "permission denied").await;
    client.is_refused(attach(1, Fid(0)), "permission denied").await;
    client.does(clunk(7)).await;
    client.opens(1, &["note"], OpenMode::READ).await;
    assert_eq!(client.reads(1).await, "hello");
    // A new version forgets the authentication, and there is no other.
    client.does(VERSION).await;
    client.is_refused(attach(0, Fid(7)), "unknown fid").await;
    client.is_refused(attach(0, Fid::NONE), "authentication required").await;
}
