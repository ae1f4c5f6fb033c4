//! Requests that are taken back.

use doorward_wire::ninep::{Fid, OpenMode, Reply, Request, Tag};

use crate::{
    clients::{Way, clunk, enter, enter_by, open, read, walk, world, write},
    paper::Paper,
};
use doorward_backends::ninep::Limits;
use doorward_types::CloseReason;

fn flush(old: u16) -> Request<'static> {
    Request::Flush { old: Tag(old) }
}

#[tokio::test(start_paused = true)]
async fn c63_a_flush_of_nothing_is_answered_and_so_is_one_before_a_version_and_one_of_itself() {
    let world = world();
    let mut client = enter(&world, Paper::default()).await;
    client.asks(3, flush(77)).await;
    client.hears(3, Reply::Flush).await;
    client.begins().await;
    for old in [77, 9, 0xffff] {
        client.asks(9, flush(old)).await;
        client.hears(9, Reply::Flush).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_read_that_waits_is_taken_back_and_not_answered() {
    let world = world();
    let paper = Paper::default();
    let mut client = enter(&world, paper.clone()).await;
    client.begins().await;
    client.opens(1, &["blocked"], OpenMode::READ).await;
    client.opens(2, &["note"], OpenMode::READ).await;
    client.asks(5, read(1, 0, 10)).await;
    // Others go on meanwhile.
    assert_eq!(client.reads(2).await, "hello");
    client.asks(6, flush(5)).await;
    client.hears(6, Reply::Flush).await;
    paper.dropped.notified().await;
    client.asks(5, read(2, 0, 10)).await;
    assert_eq!(client.hear_reply().await.data(), b"hello");
    // With the tag of what it takes back.
    client.asks(5, read(1, 0, 10)).await;
    client.asks(5, flush(5)).await;
    client.hears(5, Reply::Flush).await;
}

#[tokio::test(start_paused = true)]
async fn a_walk_that_is_taken_back_frees_its_fid() {
    let world = world();
    let mut client = enter(&world, Paper::default()).await;
    client.begins().await;
    client.asks(5, walk(0, 1, &["slow"])).await;
    client.asks(6, walk(0, 0, &["slow"])).await;
    for tag in [5, 6] {
        client.asks(7, flush(tag)).await;
        client.hears(7, Reply::Flush).await;
    }
    client.does(walk(0, 1, &["note"])).await;
}

#[tokio::test(start_paused = true)]
async fn what_changes_something_is_done_and_answered_before_its_flushes_in_their_order() {
    let world = world();
    let paper = Paper::default();
    let mut client = enter(&world, paper.clone()).await;
    client.begins().await;
    paper.through.add_permits(2);
    client.opens(1, &["slow"], OpenMode::READ_WRITE).await;
    client.asks(5, write(1, 0, b"new")).await;
    client.asks(6, flush(5)).await;
    client.asks(7, flush(5)).await;
    // Another request is answered meanwhile, and these are not.
    client.does(walk(0, 2, &["note"])).await;
    paper.through.add_permits(1);
    client.hears(5, Reply::Write { count: 3 }).await;
    client.hears(6, Reply::Flush).await;
    client.hears(7, Reply::Flush).await;
    assert_eq!(paper.files.lock().unwrap()["slow"], "new");
}

#[tokio::test(start_paused = true)]
async fn c63_a_tag_that_is_in_use_is_refused_and_a_flush_with_it_is_not() {
    let world = world();
    let paper = Paper::default();
    let mut client = enter(&world, paper.clone()).await;
    client.begins().await;
    client.opens(1, &["blocked"], OpenMode::READ).await;
    client.asks(5, read(1, 0, 10)).await;
    client.asks(5, read(1, 0, 10)).await;
    client.hears_error(5, "duplicate tag").await;
    client.asks(5, clunk(0)).await;
    client.hears_error(5, "duplicate tag").await;
    client.asks(6, flush(5)).await;
    client.hears(6, Reply::Flush).await;
    client.does(clunk(0)).await;
}

#[tokio::test(start_paused = true)]
async fn a_clunk_ends_the_reads_that_wait_on_its_fid_and_is_answered_after_them() {
    let world = world();
    let paper = Paper::default();
    let mut client = enter(&world, paper.clone()).await;
    client.begins().await;
    client.opens(1, &["blocked"], OpenMode::READ).await;
    client.opens(2, &["blocked"], OpenMode::READ).await;
    for (tag, fid) in [(4, 1), (5, 2), (6, 1)] {
        client.asks(tag, read(fid, 0, 10)).await;
    }
    client.asks(7, clunk(1)).await;
    client.hears_error(4, "fid was clunked").await;
    client.hears_error(6, "fid was clunked").await;
    client.hears(7, Reply::Clunk).await;
    client.asks(8, Request::Remove { fid: Fid(2) }).await;
    client.hears_error(5, "fid was clunked").await;
    client.hears_error(8, "file not found").await;
}

#[tokio::test(start_paused = true)]
async fn a_fid_that_is_clunked_while_it_is_opened_is_not_opened_and_can_be_another_one() {
    let world = world();
    let paper = Paper::default();
    let mut client = enter(&world, paper.clone()).await;
    client.begins().await;
    paper.through.add_permits(1);
    client.does(walk(0, 1, &["slow"])).await;
    client.asks(5, open(1, OpenMode::READ)).await;
    client.does(clunk(1)).await;
    client.does(walk(0, 1, &["note"])).await;
    paper.through.add_permits(1);
    assert!(matches!(client.hear_reply().await.reply(), Reply::Open { .. }));
    client.is_refused(read(1, 0, 1), "file not open for reading").await;
}

#[tokio::test(start_paused = true)]
async fn more_flushes_than_there_can_be_requests_end_the_socket() {
    let world = world();
    let paper = Paper::default();
    let limits = Limits { tags: 4, ..Limits::default() };
    let mut client = enter_by(&world, paper.clone(), Way { limits, ..Way::of("bob") }).await;
    client.begins().await;
    paper.through.add_permits(2);
    client.opens(1, &["slow"], OpenMode::WRITE).await;
    client.asks(1, write(1, 0, b"new")).await;
    for tag in 2..=5 {
        client.asks(tag, flush(1)).await;
    }
    client.hears_close(CloseReason::TooFast).await;
}
