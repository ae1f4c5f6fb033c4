//! Over TCP, the tree.

use std::time::Duration;

use doorward_wire::ninep::{Fid, OpenMode, Request, Tag};
use tokio::{io::AsyncWriteExt as _, time::timeout};

use super::{
    GATES, ROOT, attach_to, read,
    tool::{Tool, listen, write},
    version, walk,
};
use crate::world::{Carrier, World};

#[tokio::test]
async fn an_open_gate_is_attached_to_without_more_ado_and_what_comes_together_with_that_is_answered() {
    let world = World::of(Carrier::Memory, GATES).await;
    let mut tool = Tool::of(&world).await;
    assert_eq!(tool.asks(attach_to("everybodys", Fid::NONE)).await, "Attach");
    let mut tool = Tool::new(&world).await;
    let open = Request::Open { fid: Fid(1), mode: OpenMode::READ };
    let requests =
        tool.together([version(), attach_to("everybodys", Fid::NONE), walk(Fid(1), &["session"]), open, read(Fid(1))]);
    let (before, after) = requests.split_at(requests.len() - 5);
    tool.bytes(before).await;
    for (tag, expected) in [(1, "Version 8192 9P2000"), (2, "Attach"), (3, "Walk"), (4, "Open")] {
        assert_eq!(tool.hears_for().await, Some((tag, expected.into())));
    }
    tool.bytes(after).await;
    assert!(tool.hears().await.unwrap().starts_with("subject none\ngate everybodys\n"));
}

#[tokio::test]
async fn one_for_whom_there_is_no_room_is_told_so_in_answer_to_its_attach() {
    let world = World::of(Carrier::Memory, &format!("[limits]\nsockets_per_source = 1\n{GATES}")).await;
    let address = listen(&world).await;
    let mut first = Tool::at(address).await;
    let mut second = Tool::at(address).await;
    for tool in [&mut first, &mut second] {
        tool.asks(version()).await;
    }
    assert_eq!(first.asks(attach_to("everybodys", Fid::NONE)).await, "Attach");
    let told = second.asks(attach_to("everybodys", Fid::NONE)).await;
    assert_eq!(told, doorward_types::CloseReason::TryLater.sentence());
    assert_eq!(second.hears().await, None);
    assert_eq!(world.verdicts().await.len(), 2);
}

#[tokio::test]
async fn a_read_that_waits_is_taken_back_and_one_that_still_waits_ends_with_the_login() {
    let world = World::of(Carrier::Memory, GATES).await;
    let mut tool = Tool::admitted(&world, "bob").await;
    tool.opens(Fid(1), &["channels", "room", "3"], OpenMode::READ_WRITE).await;
    tool.bytes(&super::message(700, &read(Fid(1)))).await;
    assert_eq!(tool.asks(Request::Flush { old: Tag(700) }).await, "Flush");
    // It took nothing with it, and is not answered any more.
    assert_eq!(tool.asks(write(Fid(1), b"1")).await, "Write");
    assert_eq!(tool.asks(read(Fid(1))).await, "1\n");
    tool.sends(read(Fid(1))).await;
    // One more, so that the read has been heard.
    assert_eq!(tool.asks(walk(Fid(2), &[])).await, "Walk");
    world.end("subject=member:bob").await;
    assert_eq!(tool.hears_to_the_end().await, [""; 0]);
    world.empties().await;
}

#[tokio::test]
async fn c27_a_tool_that_never_reads_is_ended() {
    let limits = "[limits]\noutbox_bytes = \"64KiB\"\nmessages_per_second = 1000000\nmessage_burst = 1000000\n";
    let world = World::of(Carrier::Memory, &format!("{limits}{GATES}")).await;
    let mut tool = Tool::with_little_room(listen(&world).await).await;
    tool.asks(version()).await;
    tool.asks(attach_to("everybodys", Fid::NONE)).await;
    let up = [".."; 16];
    let many: Vec<u8> = (0..100).flat_map(|_| super::message(1, &walk(ROOT, &up))).collect();
    let writes = async { while tool.stream.write_all(&many).await.is_ok() {} };
    assert!(timeout(Duration::from_secs(10), writes).await.is_ok(), "it was never noticed");
    world.empties().await;
}
