//! What a connection does with what its peer sends.

use std::sync::Arc;

use doorward_session::{Ended, Limits, Line, SocketPolicy};
use doorward_types::CloseReason;
use doorward_wire::websocket::frame::{self, Opcode};

use crate::support::{Does, Heard, Over, World, climb, echo, masked, over_both, quiet, somebody};

over_both!(
    messages_in_any_split_are_handed_over_whole,
    what_was_read_before_the_admission_comes_first,
    pings_are_answered_and_pongs_are_not,
    a_broken_rule_is_answered_with_its_code_after_what_came_before,
    a_message_over_the_limit_is_refused_by_its_header,
    c68_a_panic_at_a_message_ends_that_socket_alone,
    c87_too_many_messages_end_the_socket,
    c87_pongs_and_fragments_count_as_messages_do,
    replies_beyond_the_outbox_go_out_while_the_read_is_worked_through,
);

async fn messages_in_any_split_are_handed_over_whole(over: Over) {
    let world = World::over(over);
    let mut served = world.serve(somebody("bob"), quiet(), echo()).await;
    let texts: Vec<String> = [0, 1, 125, 126, 4000, 60_000].map(|length| "ä".repeat(length / 2)).into();
    let bytes: Vec<u8> = texts.iter().flat_map(|text| masked(Opcode::Text, text.as_bytes())).collect();
    for size in [1000, 7, 70_000] {
        for piece in bytes.chunks(size) {
            served.peer.write(piece).await;
            tokio::task::yield_now().await;
        }
        for text in &texts {
            served.peer.hears(text).await;
        }
    }
}

async fn what_was_read_before_the_admission_comes_first(over: Over) {
    let world = World::over(over);
    let (transport, mut peer) = world.stream(1024).await;
    let (head, tail) = (masked(Opcode::Text, b"first"), masked(Opcode::Text, b"second"));
    let line = Line::new(Arc::clone(&transport), [head.as_slice(), &tail[..3]].concat(), 4096);
    peer.write(&tail[3..]).await;
    let admission = climb(somebody("bob"), world.sockets.cursor());
    let socket = world.sockets.register(admission, transport, quiet()).unwrap();
    socket.send(frame::text(b"admitted"));
    tokio::spawn(line.run(socket, Box::new(echo())));
    peer.hears("admitted").await;
    peer.hears("first").await;
    peer.hears("second").await;
}

async fn pings_are_answered_and_pongs_are_not(over: Over) {
    let world = World::over(over);
    let mut served = world.serve(somebody("bob"), quiet(), echo()).await;
    served.peer.frame(Opcode::Pong, b"unasked").await;
    served.peer.frame(Opcode::Ping, b"there?").await;
    assert_eq!(served.peer.hear().await, Heard::Pong("there?".into()));
    let pings: Vec<u8> = (0..50).flat_map(|number| masked(Opcode::Ping, format!("{number}").as_bytes())).collect();
    served.peer.write(&pings).await;
    served.peer.say("done").await;
    let mut pongs = Vec::new();
    while let Heard::Pong(payload) = served.peer.hear().await {
        pongs.push(payload);
    }
    let all: Vec<String> = (0..50).map(|number| number.to_string()).collect();
    assert_eq!(pongs, all, "a peer that reads gets every answer, in order");
}

async fn a_broken_rule_is_answered_with_its_code_after_what_came_before(over: Over) {
    let world = World::over(over);
    let mut served = world.serve(somebody("bob"), quiet(), echo()).await;
    let mut bytes = masked(Opcode::Text, b"fine");
    bytes.extend(b"\x81\x01x and it was not masked");
    served.peer.write(&bytes).await;
    served.peer.hears("fine").await;
    served.peer.hears_close(CloseReason::ProtocolError).await;
    assert_eq!(served.peer.hear().await, Heard::End);
    assert_eq!(served.over.await.unwrap(), Ended::For(CloseReason::ProtocolError));
}

async fn a_message_over_the_limit_is_refused_by_its_header(over: Over) {
    let world = World::over(over);
    let limits = Limits { message: 1000, ..quiet().limits };
    let mut served = world.serve(somebody("bob"), SocketPolicy { limits, ..quiet() }, echo()).await;
    served.peer.say(&"x".repeat(1000)).await;
    served.peer.hears(&"x".repeat(1000)).await;
    served.peer.write(&masked(Opcode::Text, &[b'x'; 1001])[..8]).await;
    served.peer.hears_close(CloseReason::TooBig).await;
}

async fn c68_a_panic_at_a_message_ends_that_socket_alone(over: Over) {
    let world = World::over(over);
    let faulty = || {
        Does::with(|socket, message| {
            assert_ne!(message.payload, b"fault", "a fault for the test");
            socket.send(frame::text(message.payload));
            Ok(())
        })
    };
    let mut one = world.serve(somebody("one"), quiet(), faulty()).await;
    let mut other = world.serve(somebody("other"), quiet(), faulty()).await;
    one.peer.say("fault").await;
    one.peer.hears_close(CloseReason::InternalError).await;
    assert_eq!(one.over.await.unwrap(), Ended::For(CloseReason::InternalError));
    other.peer.say("fine").await;
    other.peer.hears("fine").await;
    assert_eq!(world.sockets.len(), 1);
}

async fn c87_too_many_messages_end_the_socket(over: Over) {
    let world = World::over(over);
    let policy = SocketPolicy { limits: Limits::default(), ..quiet() };
    let mut served = world.serve(somebody("bob"), policy, echo()).await;
    let messages: Vec<u8> = (0..1000).flat_map(|_| masked(Opcode::Text, b"again")).collect();
    served.peer.write(&messages).await;
    let mut answers = 0;
    let last = loop {
        match served.peer.hear().await {
            Heard::Text(_) => answers += 1,
            last => break last,
        }
    };
    assert_eq!(last, Heard::Close(Some(4429), "too_fast".into()));
    assert!((60..70).contains(&answers), "a burst of 60 is taken, {answers} were");
}

async fn c87_pongs_and_fragments_count_as_messages_do(over: Over) {
    let mut begin = Vec::new();
    frame::write_fragment(Opcode::Text, false, b"", Some([1, 2, 3, 4]), &mut begin);
    let mut more = Vec::new();
    frame::write_fragment(Opcode::Continuation, false, b"", Some([1, 2, 3, 4]), &mut more);
    // What ends them would be answered where they were not counted.
    let (pong, text, last) = (masked(Opcode::Pong, b""), masked(Opcode::Text, b""), masked(Opcode::Continuation, b""));
    for (begin, more, end) in [(Vec::new(), pong, text), (begin, more, last)] {
        let world = World::over(over);
        let policy = SocketPolicy { limits: Limits::default(), ..quiet() };
        let mut served = world.serve(somebody("bob"), policy, echo()).await;
        served.peer.write(&[begin, more.repeat(100), end].concat()).await;
        served.peer.hears_close(CloseReason::TooFast).await;
    }
}

async fn replies_beyond_the_outbox_go_out_while_the_read_is_worked_through(over: Over) {
    let world = World::over(over);
    let limits = Limits { outbox_messages: 4, ..quiet().limits };
    let mut served = world.serve(somebody("bob"), SocketPolicy { limits, ..quiet() }, echo()).await;
    let messages: Vec<u8> = (0..1000).flat_map(|_| masked(Opcode::Text, b"again")).collect();
    served.peer.write(&messages).await;
    for _ in 0..1000 {
        served.peer.hears("again").await;
    }
}
