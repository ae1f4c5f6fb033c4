//! Messages of 9P in messages of the gate.

use doorward_wire::ninep::{Fid, OpenMode, Reply, Request};

use crate::{
    clients::{ATTACH, VERSION, enter, open, read, request, walk, world},
    paper::Paper,
};

#[tokio::test(start_paused = true)]
async fn requests_come_in_any_split_and_each_answer_is_a_message_of_its_own() {
    let all: Vec<u8> = [
        request(0xffff, &VERSION),
        request(1, &ATTACH),
        request(2, &walk(0, 1, &["note"])),
        request(3, &open(1, OpenMode::READ)),
        request(4, &read(1, 0, 100)),
        request(5, &Request::Clunk { fid: Fid(1) }),
    ]
    .concat();
    for size in [1, 2, 7, 30, all.len()] {
        let world = world();
        let mut client = enter(&world, Paper::default()).await;
        for piece in all.chunks(size) {
            client.sends(piece).await;
        }
        client.hears(0xffff, Reply::Version { msize: 8192, version: "9P2000" }).await;
        for _ in 0..3 {
            assert_eq!(client.hear_reply().await.error(), None);
        }
        assert_eq!(client.hear_reply().await.data(), b"hello");
        client.hears(5, Reply::Clunk).await;
    }
}
