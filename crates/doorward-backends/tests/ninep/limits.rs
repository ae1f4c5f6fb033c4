//! What one connection may have.

use doorward_backends::ninep::Limits;
use doorward_session::{Limits as SocketLimits, SocketPolicy};
use doorward_types::CloseReason;
use doorward_wire::ninep::{Fid, OpenMode, Reply, Request, Tag};

use crate::{
    clients::{ATTACH, Way, clunk, enter, enter_by, open, read, request, walk, world},
    paper::Paper,
    support::quiet,
};

#[tokio::test(start_paused = true)]
async fn c63_of_ten_thousand_fids_256_are_had_and_one_that_is_clunked_makes_room() {
    let world = world();
    let mut client = enter(&world, Paper::default()).await;
    client.begins().await;
    for fid in 1..10_000 {
        let told = client.told(walk(0, fid, &[])).await;
        assert_eq!(told.error(), (fid >= 256).then_some("too many fids"), "fid {fid}");
    }
    client.is_refused(Request::Attach { fid: Fid(300), afid: Fid::NONE, uname: "", aname: "" }, "too many fids").await;
    client.does(clunk(1)).await;
    client.does(walk(0, 10_000, &["note"])).await;
    client.is_refused(walk(0, 10_001, &["slow"]), "too many fids").await;
}

#[tokio::test(start_paused = true)]
async fn c63_of_many_requests_that_wait_64_do_and_the_others_are_refused() {
    let world = world();
    let mut client = enter(&world, Paper::default()).await;
    client.begins().await;
    client.opens(1, &["blocked"], OpenMode::READ).await;
    for tag in 100..200 {
        client.asks(tag, read(1, 0, 10)).await;
    }
    for tag in 164..200 {
        client.hears_error(tag, "too many requests at once").await;
    }
    client.is_refused(walk(0, 2, &[]), "too many requests at once").await;
    // What makes room is not refused.
    client.asks(9, Request::Flush { old: Tag(100) }).await;
    client.hears(9, Reply::Flush).await;
    client.does(walk(0, 2, &[])).await;
    client.asks(101, read(1, 0, 10)).await;
    client.hears_error(101, "duplicate tag").await;
    client.asks(9, clunk(1)).await;
    for tag in 101..164 {
        client.hears_error(tag, "fid was clunked").await;
    }
    client.hears(9, Reply::Clunk).await;
}

#[tokio::test(start_paused = true)]
async fn the_listings_of_all_directories_have_a_bound_together() {
    let world = world();
    let limits = Limits { listings: 2000, ..Limits::default() };
    let mut client = enter_by(&world, Paper::default().with_entries(10), Way { limits, ..Way::of("bob") }).await;
    client.begins().await;
    for fid in 1..=4 {
        client.opens(fid, &["drawer"], OpenMode::READ).await;
    }
    // Ten entries have 630 bytes.
    for fid in 1..=3 {
        client.does(read(fid, 0, 100)).await;
    }
    client.is_refused(read(4, 0, 100), "too many directories are being read").await;
    client.does(read(1, 0, 100)).await;
    client.does(clunk(1)).await;
    client.does(read(4, 0, 100)).await;
}

#[tokio::test(start_paused = true)]
async fn c24_a_size_that_is_not_agreed_on_ends_the_socket_by_its_four_bytes() {
    for (size, reason) in
        [(8193_u32, CloseReason::TooBig), (u32::MAX, CloseReason::TooBig), (6, CloseReason::Malformed)]
    {
        let world = world();
        let mut client = enter(&world, Paper::default()).await;
        client.begins().await;
        client.sends(&size.to_le_bytes()).await;
        client.hears_close(reason).await;
    }
    let world = world();
    let mut client = enter(&world, Paper::default()).await;
    client.sends(&65_537_u32.to_le_bytes()).await;
    client.hears_close(CloseReason::TooBig).await;
}

#[tokio::test(start_paused = true)]
async fn the_third_malformed_message_in_a_row_ends_the_socket() {
    let world = world();
    let mut client = enter(&world, Paper::default()).await;
    client.begins().await;
    for _ in 0..2 {
        client.sends(&[8, 0, 0, 0, 120, 7, 0, 1]).await;
        client.hears_error(7, "the message ends within `fid`").await;
        client.sends(&[7, 0, 0, 0, 106, 7, 0]).await;
        client.hears_error(7, "message type 106 is not one that is taken here").await;
        client.does(walk(0, 0, &[])).await;
    }
    for _ in 0..3 {
        client.sends(&[7, 0, 0, 0, 121, 7, 0]).await;
        client.hears_error(7, "message type 121 is not one that is taken here").await;
    }
    client.hears_close(CloseReason::Malformed).await;
}

#[tokio::test(start_paused = true)]
async fn a_text_message_ends_the_socket() {
    let world = world();
    let mut client = enter(&world, Paper::default()).await;
    let text = crate::support::masked(doorward_wire::websocket::frame::Opcode::Text, b"hello");
    tokio::io::AsyncWriteExt::write_all(&mut client.stream, &text).await.unwrap();
    client.hears_close(CloseReason::UnsupportedData).await;
}

#[tokio::test(start_paused = true)]
async fn many_requests_in_one_message_count_as_many() {
    let world = world();
    let limits = SocketLimits { messages_per_second: 1, burst: 10, ..quiet().limits };
    let mut client =
        enter_by(&world, Paper::default(), Way { policy: SocketPolicy { limits, ..quiet() }, ..Way::of("bob") }).await;
    client.begins().await;
    let mut many = Vec::new();
    for tag in 0..20 {
        many.extend(request(tag, &walk(0, 0, &[])));
    }
    client.sends(&many).await;
    for _ in 0..8 {
        client.hear_reply().await;
    }
    client.hears_close(CloseReason::TooFast).await;
}

#[tokio::test(start_paused = true)]
async fn c27_a_client_that_reads_nothing_is_ended_as_a_slow_consumer() {
    let world = world();
    let limits = SocketLimits { outbox_bytes: 64 * 1024, ..quiet().limits };
    let policy = SocketPolicy { limits, ..quiet() };
    let paper = Paper::default();
    paper.files.lock().unwrap().insert("note".into(), "x".repeat(8000));
    let mut client = enter_by(&world, paper, Way { policy, room: 16 * 1024, ..Way::of("bob") }).await;
    client.begins().await;
    client.opens(1, &["note"], OpenMode::READ).await;
    let mut asked = 0;
    while client.socket.is_open() {
        assert!(asked < 100, "the slow one was never noticed");
        client.asks(asked, read(1, 0, 8000)).await;
        tokio::task::yield_now().await;
        asked += 1;
    }
    assert_eq!(client.socket.ended(), Some(CloseReason::SlowConsumer));
    assert!(asked < 20, "{asked} answers of 8,000 bytes waited");
    client.over.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_session_is_over_when_the_client_closes() {
    let world = world();
    let paper = Paper::default();
    let mut client = enter(&world, paper.clone()).await;
    client.does(crate::clients::VERSION).await;
    client.does(ATTACH).await;
    client.opens(1, &["blocked"], OpenMode::READ).await;
    client.asks(1, read(1, 0, 1)).await;
    client.does(open(0, OpenMode::READ)).await;
    drop(client.stream);
    paper.dropped.notified().await;
    client.over.await.unwrap();
}
