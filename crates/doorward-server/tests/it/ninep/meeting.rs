//! Over TCP, before anybody is known: a version, and a gate.

use std::time::Duration;

use doorward_wire::ninep::{Fid, Request, VERSION};
use tokio::time::{Instant, timeout};

use super::{
    AFID, GATES, ROOT, attach, attach_to, auth, message, read,
    tool::{Tool, listen},
    version, walk,
};
use crate::world::{Carrier, World};

fn offers(msize: u32, version: &str) -> Request<'_> {
    Request::Version { msize, version }
}

#[tokio::test]
async fn without_a_version_that_both_speak_nothing_goes_on() {
    let world = World::of(Carrier::Memory, GATES).await;
    let mut tool = Tool::new(&world).await;
    tool.sends(auth("asking")).await;
    assert_eq!(tool.hears().await, None, "none was offered");
    for dialect in ["9P", "9P1999", "9P20001", "", "Plan 9"] {
        let mut tool = Tool::of(&world).await;
        assert_eq!(tool.asks(offers(8192, dialect)).await, "Version 8192 unknown", "{dialect}");
        tool.sends(auth("asking")).await;
        assert_eq!(tool.hears().await, None, "{dialect} took back what was agreed on");
    }
    let mut tool = Tool::new(&world).await;
    for dialect in ["9P2000.u", "9P2000.L", "9P2000"] {
        assert_eq!(tool.asks(offers(8192, dialect)).await, "Version 8192 9P2000");
    }
    world.empties().await;
    assert_eq!(world.verdicts().await, [""; 0], "nobody came to a gate");
}

#[tokio::test]
async fn a_message_has_at_most_what_both_take_and_what_every_tree_takes() {
    let world = World::of(Carrier::Memory, GATES).await;
    let mut tool = Tool::new(&world).await;
    for too_little in [0, 24, 511] {
        assert_eq!(tool.asks(offers(too_little, VERSION)).await, "msize is too small");
    }
    assert_eq!(tool.asks(offers(u32::MAX, VERSION)).await, "Version 8192 9P2000");
    assert_eq!(tool.asks(offers(512, VERSION)).await, "Version 512 9P2000");
    // Told by the size alone.
    tool.bytes(&513_u32.to_le_bytes()).await;
    assert_eq!(tool.hears().await, None);
    let small = format!("{GATES}[gate.limits]\nmessage_bytes = \"4KiB\"\n");
    let world = World::of(Carrier::Memory, &small).await;
    assert_eq!(Tool::new(&world).await.asks(version()).await, "Version 4096 9P2000");
}

#[tokio::test]
async fn c24_a_size_that_no_message_has_ends_the_connection() {
    let world = World::of(Carrier::Memory, GATES).await;
    for size in [0_u32, 6, 8193, u32::MAX] {
        let mut tool = Tool::new(&world).await;
        tool.bytes(&size.to_le_bytes()).await;
        assert_eq!(tool.hears().await, None, "{size}");
    }
    // Neither is this the head of a request.
    let mut tool = Tool::new(&world).await;
    tool.bytes(b"GET / HTTP/1.1\r\n\r\n").await;
    assert_eq!(tool.hears().await, None);
    world.empties().await;
}

#[tokio::test]
async fn what_is_malformed_or_names_nothing_is_answered_and_the_gate_can_be_named_after_it() {
    let world = World::of(Carrier::Memory, GATES).await;
    let mut tool = Tool::of(&world).await;
    tool.bytes(&[8, 0, 0, 0, 120, 7, 0, 1]).await;
    assert_eq!(tool.hears_for().await, Some((7, "the message ends within `fid`".into())));
    for request in [walk(Fid(1), &["cart"]), read(AFID), Request::Clunk { fid: ROOT }] {
        assert_eq!(tool.asks(request).await, "unknown fid");
    }
    let nowhere = "no such tree: name a gate with a file tree in `aname`";
    for aname in ["", "nowhere", "/nowhere", "aski", "ASKING"] {
        assert_eq!(tool.asks(auth(aname)).await, nowhere, "{aname}");
        assert_eq!(tool.asks(attach_to(aname, Fid::NONE)).await, nowhere, "{aname}");
    }
    let unnamed = Request::Auth { afid: Fid::NONE, uname: "", aname: "asking" };
    assert_eq!(tool.asks(unnamed).await, "unknown fid");
    assert_eq!(tool.asks(auth("everybodys")).await, "no authentication required");
    assert_eq!(tool.asks(attach_to("everybodys", AFID)).await, "no authentication required");
    assert!(tool.asks(attach_to("asking", Fid::NONE)).await.starts_with("authentication required"));
    assert!(tool.asks(attach_to("asking", AFID)).await.starts_with("authentication required"));
    assert_eq!(tool.asks(auth("/asking")).await, "Auth");
}

#[tokio::test]
async fn a_gate_whose_ladder_looks_at_a_web_request_is_not_there_and_says_so() {
    let world = World::of(Carrier::Memory, GATES).await;
    let mut tool = Tool::of(&world).await;
    let elsewhere = "no such tree here: `bearer` looks at a web request, so it is there over a WebSocket alone";
    assert_eq!(tool.asks(auth("files")).await, elsewhere);
    assert_eq!(tool.asks(attach_to("/files", Fid::NONE)).await, elsewhere);
    assert_eq!(tool.asks(auth("asking")).await, "Auth", "another one is");
    // It does not count among those of which there is but one.
    let two = GATES.split("[[gate]]\n    name = \"everybodys\"").next().unwrap();
    let world = World::of(Carrier::Memory, two).await;
    assert_eq!(Tool::of(&world).await.asks(auth("")).await, "Auth");
    let one = GATES.split("[[gate]]\n    name = \"asking\"").next().unwrap();
    let world = World::of(Carrier::Memory, one).await;
    assert_eq!(Tool::of(&world).await.asks(attach(Fid::NONE)).await, elsewhere);
}

#[tokio::test(start_paused = true)]
async fn whoever_says_nothing_is_hung_up_on_after_five_seconds() {
    let world = World::of(Carrier::Memory, GATES).await;
    let mut tool = Tool::new(&world).await;
    let before = Instant::now();
    let heard = timeout(Duration::from_secs(60), tool.hears()).await;
    assert_eq!(heard, Ok(None));
    assert!(before.elapsed() <= Duration::from_secs(6), "{:?}", before.elapsed());
    world.empties().await;
}

#[tokio::test]
async fn c63_whoever_does_not_come_to_the_point_within_32_requests_is_hung_up_on_in_however_many_pieces_they_come() {
    let world = World::of(Carrier::Memory, GATES).await;
    let mut tool = Tool::of(&world).await;
    for byte in (1..32).flat_map(|_| message(1, &version())) {
        tool.bytes(&[byte]).await;
    }
    for _ in 1..32 {
        assert_eq!(tool.hears().await.as_deref(), Some("Version 8192 9P2000"));
    }
    tool.sends(version()).await;
    assert_eq!(tool.hears().await, None);
    let mut tool = Tool::of(&world).await;
    let together: Vec<u8> = (1..=32).flat_map(|_| message(1, &version())).collect();
    tool.bytes(&together).await;
    assert_eq!(tool.hears().await, None);
}

#[tokio::test]
async fn a_source_may_be_on_its_way_only_so_often_at_once() {
    let world = World::of(Carrier::Memory, &format!("[limits]\nclimbing_per_source = 2\n{GATES}")).await;
    let address = listen(&world).await;
    let mut tools = [Tool::at(address).await, Tool::at(address).await];
    for tool in &mut tools {
        tool.asks(version()).await;
    }
    let mut third = Tool::at(address).await;
    // It may be gone before it has said anything.
    let _gone = tokio::io::AsyncWriteExt::write_all(&mut third.stream, &message(1, &version())).await;
    assert_eq!(third.hears().await, None);
    drop(tools);
    world.empties().await;
    assert_eq!(Tool::at(address).await.asks(version()).await, "Version 8192 9P2000");
}
