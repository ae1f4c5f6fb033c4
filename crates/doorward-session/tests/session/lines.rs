//! The line while a ladder is climbed.

use std::{sync::Arc, task::Poll, time::Duration};

use doorward_session::{Gone, Line, Received};
use doorward_types::{CloseReason, Secret};
use doorward_wire::websocket::frame::{self, Opcode};
use tokio::time::Instant;

use crate::support::{Heard, Over, World, masked, over_both};

over_both!(
    messages_come_one_at_a_time_and_answers_go_out,
    pings_are_answered_while_a_message_is_awaited,
    a_ping_that_came_with_the_request_is_answered_behind_what_is_said_first,
    a_message_over_the_limit_is_a_violation,
    the_peers_close_is_answered_and_reported,
    what_is_not_decoded_goes_to_the_relay_as_it_came,
    a_line_is_closed_with_a_reason,
    a_hang_up_is_reported,
);

fn text(text: &str) -> Received {
    Received::Text(Secret::from_text(text))
}

async fn messages_come_one_at_a_time_and_answers_go_out(over: Over) {
    let world = World::over(over);
    let (transport, mut peer) = world.stream(4096).await;
    let mut line = Line::new(transport, masked(Opcode::Text, b"ahead"), 100);
    peer.write(&[masked(Opcode::Text, b"one"), masked(Opcode::Binary, b"two")].concat()).await;
    assert_eq!(line.receive().await, text("ahead"));
    assert_eq!(line.receive().await, text("one"));
    line.say("answer").await.unwrap();
    assert_eq!(line.receive().await, Received::Binary(Secret::from_text("two")));
    peer.hears("answer").await;
    assert_eq!(format!("{:?}", text("secret")), "Text(****)");
}

async fn pings_are_answered_while_a_message_is_awaited(over: Over) {
    let world = World::over(over);
    let (transport, mut peer) = world.stream(4096).await;
    let mut line = Line::new(transport, Vec::new(), 100);
    peer.frame(Opcode::Ping, b"?").await;
    peer.say("hi").await;
    assert_eq!(line.receive().await, text("hi"));
    assert_eq!(peer.hear().await, Heard::Pong("?".into()));
}

async fn a_ping_that_came_with_the_request_is_answered_behind_what_is_said_first(over: Over) {
    let world = World::over(over);
    let (transport, mut peer) = world.stream(4096).await;
    let ahead = [masked(Opcode::Ping, b"?"), masked(Opcode::Text, b"hi")].concat();
    let mut line = Line::new(transport, ahead, 100).saying(frame::text(b"first").to_vec());
    assert_eq!(line.receive().await, text("hi"));
    assert_eq!(peer.hear().await, Heard::Text("first".into()));
    assert_eq!(peer.hear().await, Heard::Pong("?".into()));
}

async fn a_message_over_the_limit_is_a_violation(over: Over) {
    let world = World::over(over);
    let (transport, mut peer) = world.stream(4096).await;
    let mut line = Line::new(transport, Vec::new(), 100);
    peer.write(&masked(Opcode::Text, &[b'x'; 101])).await;
    assert_eq!(line.receive().await, Received::Gone(Gone::Violation(CloseReason::TooBig)));
}

async fn the_peers_close_is_answered_and_reported(over: Over) {
    let world = World::over(over);
    let (transport, mut peer) = world.stream(4096).await;
    let mut line = Line::new(transport, Vec::new(), 100);
    peer.close(1001).await;
    assert_eq!(line.receive().await, Received::Gone(Gone::Closed { code: Some(1001) }));
    assert!(line.say("too late").await.is_err());
    let closing = tokio::spawn(line.close(CloseReason::Normal));
    assert_eq!(peer.hear().await, Heard::Close(Some(1001), String::new()));
    assert_eq!(peer.hear().await, Heard::End);
    drop(peer);
    closing.await.unwrap();
}

async fn what_is_not_decoded_goes_to_the_relay_as_it_came(over: Over) {
    let world = World::over(over);
    let (transport, mut peer) = world.stream(4096).await;
    let mut line = Line::new(transport, Vec::new(), 4096);
    let rest = [masked(Opcode::Text, b"for the relay"), masked(Opcode::Text, b"half a message")[..9].to_vec()].concat();
    peer.write(&[masked(Opcode::Text, b"hello"), rest.clone()].concat()).await;
    assert_eq!(line.receive().await, text("hello"));
    let (_, ahead) = line.into_bytes();
    assert!(rest.starts_with(&ahead) && !ahead.is_empty());
}

async fn a_line_is_closed_with_a_reason(over: Over) {
    let world = World::over(over);
    let (transport, mut peer) = world.stream(4096).await;
    let mut line = Line::new(transport, Vec::new(), 100);
    line.say("refused").await.unwrap();
    let closing = tokio::spawn(line.close(CloseReason::NotAuthenticated));
    peer.hears("refused").await;
    peer.hears_close(CloseReason::NotAuthenticated).await;
    assert_eq!(peer.hear().await, Heard::End);
    peer.say("but").await;
    peer.close(4401).await;
    closing.await.unwrap();
}

async fn a_hang_up_is_reported(over: Over) {
    let world = World::over(over);
    let (transport, peer) = world.stream(4096).await;
    let mut line = Line::new(Arc::clone(&transport), Vec::new(), 100);
    drop(peer);
    assert_eq!(line.receive().await, Received::Gone(Gone::HungUp));
}

#[tokio::test(start_paused = true)]
async fn closing_takes_two_seconds_at_the_most_whatever_the_peer_does() {
    let world = World::over(Over::Pipe);
    let (transport, _silent) = world.stream(4096).await;
    let began = Instant::now();
    Line::new(transport, Vec::new(), 100).close(CloseReason::TooSlow).await;
    assert_eq!(began.elapsed(), Duration::from_secs(1), "it does not answer");

    let (transport, _deaf) = world.stream(3).await;
    let began = Instant::now();
    Line::new(transport, Vec::new(), 100).close(CloseReason::TooSlow).await;
    assert_eq!(began.elapsed(), Duration::from_secs(1), "it does not read");

    let (transport, mut babbling) = world.stream(100).await;
    let began = Instant::now();
    let closing = tokio::spawn(Line::new(transport, Vec::new(), 100).close(CloseReason::TooSlow));
    babbling.hears_close(CloseReason::TooSlow).await;
    while !closing.is_finished() {
        assert!(began.elapsed() <= Duration::from_secs(2), "it never stops talking");
        babbling.try_say("and another thing").await;
        tokio::time::advance(Duration::from_millis(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn c25_a_few_pings_and_pongs_are_taken_before_the_admission_and_no_more() {
    for opcode in [Opcode::Ping, Opcode::Pong] {
        let world = World::over(Over::Pipe);
        let (transport, mut peer) = world.stream(4096).await;
        let mut line = Line::new(transport, Vec::new(), 100);
        let frame = masked(opcode, b"");
        peer.write(&[frame.repeat(64), masked(Opcode::Text, b"still here")].concat()).await;
        assert_eq!(line.receive().await, text("still here"));
        peer.write(&[frame, masked(Opcode::Text, b"and on")].concat()).await;
        assert_eq!(line.receive().await, Received::Gone(Gone::Violation(CloseReason::TooFast)));
        let closing = tokio::spawn(line.close(CloseReason::TooFast));
        while let Heard::Pong(_) = peer.hear().await {}
        drop(peer);
        closing.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_decoder_has_begun_with_goes_to_the_relay_as_it_came() {
    let world = World::over(Over::Pipe);
    let (transport, mut peer) = world.stream(4096).await;
    let mut line = Line::new(transport, Vec::new(), 4096);
    let mut half = Vec::new();
    frame::write_fragment(Opcode::Text, false, b"half a message", Some([1, 2, 3, 4]), &mut half);
    half.extend(masked(Opcode::Pong, b""));
    half.extend(&masked(Opcode::Text, b"of which more will come")[..5]);
    half[26] = 0x80; // its opcode: a continuation
    for piece in half.chunks(11) {
        peer.write(piece).await;
        let received = std::future::poll_fn(|context| Poll::Ready(line.poll_receive(context))).await;
        assert_eq!(received, Poll::Pending);
    }
    assert_eq!(line.into_bytes().1, half);
}

#[tokio::test(start_paused = true)]
async fn a_message_of_empty_fragments_comes_to_an_end() {
    let world = World::over(Over::Pipe);
    let (transport, mut peer) = world.stream(4096).await;
    let mut line = Line::new(transport, Vec::new(), 100);
    tokio::spawn(async move {
        let mut fragment = Vec::new();
        frame::write_fragment(Opcode::Text, false, b"", Some([1, 2, 3, 4]), &mut fragment);
        peer.write(&fragment).await;
        fragment.clear();
        frame::write_fragment(Opcode::Continuation, false, b"", Some([1, 2, 3, 4]), &mut fragment);
        for _ in 0..10_000 {
            peer.write(&fragment).await;
        }
    });
    assert_eq!(line.receive().await, Received::Gone(Gone::Violation(CloseReason::TooBig)));
}
