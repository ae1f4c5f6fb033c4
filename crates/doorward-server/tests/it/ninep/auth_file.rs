//! Over TCP, the ladder in the authentication file.

use doorward_types::CloseReason;
use doorward_wire::ninep::{Fid, OpenMode, Request, Stat, Tag};
use serde_json::{Value, json};

use super::{
    AFID, GATES, attach, auth, message, open_cart, read, token,
    tool::{Tool, write},
    version, walk,
};
use crate::world::{Carrier, World};

/// One that is asked at `asking`, and has not read what.
async fn asked(world: &World) -> Tool {
    let mut tool = Tool::of(world).await;
    assert_eq!(tool.asks(auth("asking")).await, "Auth");
    tool
}

#[tokio::test]
async fn the_ladder_is_climbed_in_the_authentication_file() {
    let world = World::of(Carrier::Memory, GATES).await;
    let mut tool = asked(&world).await;
    let ask = tool.reads().await;
    assert_eq!((&ask["event"], &ask["layer"]), (&json!("ask"), &json!("jwt")));
    assert!(tool.asks(attach(AFID)).await.starts_with("authentication required"));
    tool.writes(&token(&world, "bob")).await;
    let admitted = tool.reads().await;
    assert_eq!((&admitted["event"], &admitted["subject"]["pk"]), (&json!("admitted"), &json!("bob")));
    assert_eq!(tool.asks(read(AFID)).await, "", "the end of the file");
    assert!(tool.asks(attach(Fid::NONE)).await.contains("authentication"), "nobody attaches without it");
    assert_eq!(tool.asks(attach(AFID)).await, "Attach");
    for request in open_cart(Fid(1)) {
        tool.asks(request).await;
    }
    assert_eq!(tool.asks(read(Fid(1))).await, "", "an empty cart");
    assert_eq!(world.verdicts().await, ["admitted"]);
    world.end("subject=member:bob").await;
    assert_eq!(tool.hears().await, None, "the end of the stream says it");
    world.empties().await;
}

#[tokio::test]
async fn a_line_that_was_not_read_before_the_admission_is_read_after_it_in_parts() {
    let world = World::of(Carrier::Memory, GATES).await;
    let mut tool = asked(&world).await;
    tool.writes(&token(&world, "bob")).await;
    let mut lines = String::new();
    while lines.matches('\n').count() < 2 {
        let part = tool.asks(Request::Read { fid: AFID, offset: 7, count: 10 }).await;
        assert!((1..=10).contains(&part.len()), "{part}");
        lines.push_str(&part);
    }
    let events: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&events[0]["event"], &events[1]["event"]), (&json!("ask"), &json!("admitted")));
}

#[tokio::test]
async fn what_comes_together_with_the_request_that_names_the_gate_is_answered_too() {
    let world = World::of(Carrier::Memory, GATES).await;
    let mut tool = Tool::new(&world).await;
    let requests = tool.together([version(), auth("asking"), read(AFID)]);
    tool.bytes(&requests).await;
    assert_eq!(tool.hears_for().await, Some((1, "Version 8192 9P2000".into())));
    assert_eq!(tool.hears_for().await, Some((2, "Auth".into())));
    let (tag, line) = tool.hears_for().await.unwrap();
    assert_eq!((tag, line.contains("\"ask\"")), (3, true), "{line}");
}

#[tokio::test]
async fn a_request_that_has_come_halfway_when_the_ladder_is_climbed_is_heard_to_its_end() {
    let world = World::of(Carrier::Memory, GATES).await;
    for cut in [1, 4, 5, 18] {
        let mut tool = asked(&world).await;
        tool.reads().await;
        let line = token(&world, "bob").to_string();
        let answer = tool.together([read(AFID), write(AFID, line.as_bytes())]);
        let attach = tool.next(attach(AFID));
        let (before, after) = attach.split_at(cut);
        tool.bytes(&[answer.as_slice(), before].concat()).await;
        assert_eq!(tool.hears().await.as_deref(), Some("Write"));
        assert!(tool.hears().await.unwrap().contains("\"admitted\""));
        tool.bytes(after).await;
        assert_eq!(tool.hears().await.as_deref(), Some("Attach"), "cut at {cut}");
    }
}

#[tokio::test]
async fn an_answer_may_come_in_several_writes() {
    let world = World::of(Carrier::Memory, GATES).await;
    let mut tool = asked(&world).await;
    tool.reads().await;
    let line = token(&world, "bob").to_string();
    for part in line.as_bytes().chunks(100) {
        assert_eq!(tool.asks(write(AFID, part)).await, "Write");
    }
    assert_eq!(tool.reads().await["event"], "admitted");
}

/// Sends what is refused: each request in it is answered up to that, and then the stream ends.
async fn is_refused(world: &World, tool: &mut Tool, bytes: &[u8], reason: CloseReason) {
    let reads = tool.next(read(AFID));
    tool.bytes(&[reads.as_slice(), bytes].concat()).await;
    let heard = tool.hears_to_the_end().await;
    let refused: Value = serde_json::from_str(heard.last().unwrap()).unwrap();
    assert_eq!((&refused["event"], &refused["code"]), (&json!("refused"), &json!(reason.code())), "{heard:?}");
    world.empties().await;
}

#[tokio::test]
async fn a_wrong_answer_is_refused_and_the_connection_ends() {
    let world = World::of(Carrier::Memory, GATES).await;
    let mut tool = asked(&world).await;
    tool.reads().await;
    let line = json!({ "action": "auth", "kind": "jwt", "token": "a.b.c" }).to_string();
    let answer = tool.next(write(AFID, line.as_bytes()));
    is_refused(&world, &mut tool, &answer, CloseReason::NotAuthenticated).await;
    assert_eq!(world.verdicts().await, ["4401 jwt: socket requires token"]);
}

#[tokio::test]
async fn what_is_no_answer_is_malformed_and_so_are_two_at_once_and_one_without_an_end() {
    let world = World::of(Carrier::Memory, GATES).await;
    let line = token(&world, "bob").to_string();
    let long = "x".repeat(3000);
    let wrong: [&[&str]; 4] = [&["hello\n"], &["{}\n"], &[&line, &line], &[&long, &long]];
    for parts in wrong {
        let mut tool = asked(&world).await;
        tool.reads().await;
        let bytes: Vec<u8> = parts.iter().flat_map(|part| tool.next(write(AFID, part.as_bytes()))).collect();
        is_refused(&world, &mut tool, &bytes, CloseReason::Malformed).await;
    }
    let mut tool = asked(&world).await;
    tool.reads().await;
    is_refused(&world, &mut tool, &8193_u32.to_le_bytes(), CloseReason::Malformed).await;
}

#[tokio::test]
async fn what_cannot_become_an_answer_is_refused_without_the_end_of_a_line() {
    for no_answer in ["the key, please", "{}", r#"{"action":"subscribe","channel":"room"}"#] {
        let world = World::of(Carrier::Memory, GATES).await;
        let mut tool = asked(&world).await;
        tool.reads().await;
        let bytes = tool.next(write(AFID, no_answer.as_bytes()));
        is_refused(&world, &mut tool, &bytes, CloseReason::Malformed).await;
        assert_eq!(world.verdicts().await, ["4400 server: read a message"], "{no_answer}");
    }
}

#[tokio::test]
async fn more_than_32_messages_before_the_admission_are_too_many() {
    let world = World::of(Carrier::Memory, GATES).await;
    let mut tool = asked(&world).await;
    tool.reads().await;
    for _ in 1..32 {
        assert_eq!(tool.asks(Request::Flush { old: Tag(1) }).await, "Flush");
    }
    tool.sends(Request::Flush { old: Tag(1) }).await;
    let refused = tool.reads().await;
    assert_eq!((&refused["event"], &refused["code"]), (&json!("refused"), &json!(CloseReason::TooFast.code())));
    assert_eq!(tool.hears().await, None);
}

#[tokio::test]
async fn whoever_is_refused_can_read_why_for_a_second() {
    let world = World::of(Carrier::Memory, GATES).await;
    let mut tool = asked(&world).await;
    tool.reads().await;
    tool.writes(&json!({ "action": "auth", "kind": "jwt", "token": "a.b.c" })).await;
    assert_eq!(tool.reads().await["event"], "refused");
    assert_eq!(tool.hears().await, None);
    let mut tool = asked(&world).await;
    tool.reads().await;
    tool.writes(&json!({ "action": "auth", "kind": "jwt", "token": "a.b.c" })).await;
    // Nothing else goes on from here.
    tokio::time::pause();
    let before = tokio::time::Instant::now();
    assert_eq!(tool.hears().await, None, "one who does not read it");
    assert!(before.elapsed().as_secs() < 5, "{:?}", before.elapsed());
    world.empties().await;
}

#[tokio::test]
async fn c63_beside_the_file_there_is_nothing_and_of_the_file_nothing_but_to_read_and_to_write() {
    let world = World::of(Carrier::Memory, GATES).await;
    let mut tool = asked(&world).await;
    tool.reads().await;
    for request in [read(Fid(0)), write(Fid(0), b"x"), Request::Clunk { fid: Fid(0) }, walk(Fid(1), &["cart"])] {
        assert_eq!(tool.asks(request).await, "unknown fid", "{request:?}");
    }
    let of_the_file = [
        (Request::Open { fid: AFID, mode: OpenMode::READ }, "file already open for I/O"),
        (Request::Stat { fid: AFID }, "stat prohibited"),
        (Request::Wstat { fid: AFID, stat: Stat::UNTOUCHED }, "wstat prohibited"),
        (auth("asking"), "permission denied"),
    ];
    for (request, why) in of_the_file {
        assert_eq!(tool.asks(request).await, why);
    }
    tool.bytes(&[7, 0, 0, 0, 106, 3, 0]).await;
    assert_eq!(tool.hears().await.as_deref(), Some("message type 106 is not one that is taken here"));
    // A read waits: its tag is in use, and another has no place beside it.
    tool.bytes(&message(77, &read(AFID))).await;
    tool.bytes(&message(77, &write(AFID, b"{"))).await;
    assert_eq!(tool.hears_for().await, Some((77, "duplicate tag".into())));
    assert_eq!(tool.asks(read(AFID)).await, "fid is busy");
    assert_eq!(tool.asks(Request::Flush { old: Tag(78) }).await, "Flush");
    assert_eq!(tool.asks(read(AFID)).await, "fid is busy", "it was another one that was taken back");
    assert_eq!(tool.asks(Request::Flush { old: Tag(77) }).await, "Flush");
    tool.writes(&token(&world, "bob")).await;
    assert_eq!(tool.reads().await["event"], "admitted");
}

#[tokio::test]
async fn whoever_lets_the_file_go_leaves_and_so_does_whoever_begins_anew() {
    let world = World::of(Carrier::Memory, GATES).await;
    let ends = [Request::Clunk { fid: AFID }, Request::Remove { fid: AFID }, version()];
    for request in ends {
        let mut tool = asked(&world).await;
        tool.sends(request).await;
        assert_eq!(tool.hears().await, None, "{request:?}");
        world.empties().await;
    }
    assert_eq!(world.verdicts().await, ["hung up"; 3]);
}
