use std::sync::Arc;

use doorward_backends::echo::Echo;
use doorward_wire::websocket::frame::Opcode;

use crate::{
    support::{Heard, masked, somebody},
    users::{enter, over_a_pipe},
};

#[tokio::test(start_paused = true)]
async fn text_comes_back_as_text_and_binary_as_binary() {
    let world = over_a_pipe();
    let mut user = enter(&world, &Arc::new(Echo), "acme", "echo", somebody("bob")).await;
    user.peer.say("héllo").await;
    user.peer.hears("héllo").await;
    user.peer.frame(Opcode::Binary, &[0xff; 300]).await;
    assert_eq!(user.peer.hear().await, Heard::Binary(300));
    user.peer.say("").await;
    user.peer.hears("").await;
}

#[tokio::test(start_paused = true)]
async fn many_messages_in_one_read_come_back_in_order() {
    let world = over_a_pipe();
    let mut user = enter(&world, &Arc::new(Echo), "acme", "echo", somebody("bob")).await;
    let bytes: Vec<u8> = (0..200).flat_map(|number| masked(Opcode::Text, format!("{number}").as_bytes())).collect();
    user.peer.write(&bytes).await;
    for number in 0..200 {
        user.peer.hears(&format!("{number}")).await;
    }
    drop(user.peer);
    user.over.await.unwrap();
    assert!(world.sockets.is_empty());
}
