//! What goes to and fro on an open connection, around the ladder.

use std::time::Duration;

use crate::peer::{Heard, connected, raw};
use doorward_client::{ClientError, Event, Message};
use doorward_types::{CloseReason, Reconnect};
use doorward_wire::websocket::frame::{self, Opcode};

#[tokio::test]
async fn requests_carry_ids_that_the_caller_gets() {
    let (mut client, mut peer) = connected().await;
    assert_eq!(client.subscribe("group", Some("3")).await.unwrap(), 1);
    assert_eq!(client.publish("news", None, &raw(r#"{"a": [1]}"#)).await.unwrap(), 2);
    assert_eq!(client.custom("roll", Some("dice"), None, Some(&raw("6"))).await.unwrap(), 3);
    assert_eq!(client.unsubscribe("group", Some("3")).await.unwrap(), 4);
    for expected in [
        r#"{"action":"subscribe","channel":"group","pk":"3","id":1}"#,
        r#"{"action":"publish","channel":"news","id":2,"message":{"a": [1]}}"#,
        r#"{"action":"roll","channel":"dice","id":3,"message":6}"#,
        r#"{"action":"unsubscribe","channel":"group","pk":"3","id":4}"#,
    ] {
        assert_eq!(peer.hear().await, Heard::text(expected));
    }
}

#[tokio::test]
async fn events_are_read_up_to_the_close_and_its_advice() {
    let (mut client, mut peer) = connected().await;
    peer.say(r#"{"event":"message","channel":"news","message":{"a":  1}}"#).await;
    peer.close(1012, "restart").await;
    let event = client.next_event().await.unwrap();
    let Some(Event::Message { channel, message, .. }) = event else { panic!("{event:?}") };
    assert_eq!((channel.as_str(), message.get()), ("news", r#"{"a":  1}"#));
    assert!(client.next_event().await.unwrap().is_none());
    let closed = client.closed().unwrap();
    assert_eq!((closed.close_reason(), closed.reconnect()), (Some(CloseReason::Restart), Reconnect::Later));
    assert_eq!(peer.hear().await, Heard::Close(Some(1012)), "a Close frame is answered");
    assert!(matches!(client.send("more").await, Err(ClientError::Closed)));
}

#[tokio::test]
async fn a_message_that_is_not_of_the_protocol_is_an_error_and_the_next_one_is_read() {
    let (mut client, mut peer) = connected().await;
    peer.say("hello").await;
    peer.say(r#"{"event":"published","id":1}"#).await;
    let error = client.next_event().await.unwrap_err().to_string();
    assert!(error.starts_with("the server's message is not of the protocol: "), "{error}");
    assert!(matches!(client.next_event().await, Ok(Some(Event::Published { .. }))));
}

#[tokio::test]
async fn messages_go_through_as_they_are_for_an_unchanged_server() {
    let (mut client, mut peer) = connected().await;
    client.send("any text").await.unwrap();
    client.send_binary(&[0, 255]).await.unwrap();
    assert_eq!(peer.hear().await, Heard::text("any text"));
    assert_eq!(peer.hear().await, Heard::Binary(vec![0, 255]));
    peer.write(&frame::binary(&[7; 40_000])).await;
    peer.say("back").await;
    assert_eq!(client.next_message().await.unwrap(), Some(Message::Binary(vec![7; 40_000])));
    assert_eq!(client.next_message().await.unwrap(), Some(Message::Text("back".into())));
}

#[tokio::test]
async fn pings_are_answered() {
    let (mut client, mut peer) = connected().await;
    peer.write(&frame::ping(b"still there?")).await;
    peer.say("x").await;
    client.next_message().await.unwrap();
    assert_eq!(peer.hear().await, Heard::Pong(b"still there?".to_vec()));
}

#[tokio::test]
async fn a_server_that_breaks_the_protocol_is_told_and_left() {
    let (mut client, mut peer) = connected().await;
    peer.write(&crate::peer::masked(Opcode::Text, b"servers do not mask")).await;
    assert!(matches!(client.next_message().await, Err(ClientError::Violation(_))));
    assert_eq!(peer.hear().await, Heard::Close(Some(1002)));
}

#[tokio::test]
async fn a_message_over_the_limit_is_told_by_its_header_alone() {
    let (mut client, mut peer) = connected().await;
    peer.write(&[0x82, 127, 0, 0, 0, 0, 0, 16, 0, 1]).await;
    assert!(matches!(client.next_message().await, Err(ClientError::Violation(_))));
    assert_eq!(peer.hear().await, Heard::Close(Some(1009)));
}

#[tokio::test]
async fn a_connection_that_ends_without_a_word_is_lost() {
    let (mut client, peer) = connected().await;
    peer.hang_up().await;
    let error = client.next_event().await.unwrap_err();
    assert_eq!(error.to_string(), "the connection is lost: it ended without a Close frame");
}

#[tokio::test(start_paused = true)]
async fn a_read_that_is_given_up_loses_nothing() {
    let (mut client, mut peer) = connected().await;
    let frame = frame::text(b"in two pieces");
    let (first, second) = frame.split_at(5);
    peer.write(first).await;
    let given_up = tokio::time::timeout(Duration::from_secs(1), client.next_message()).await;
    assert!(given_up.is_err());
    peer.write(second).await;
    assert_eq!(client.next_message().await.unwrap(), Some(Message::Text("in two pieces".into())));
}

#[tokio::test]
async fn a_goodbye_waits_for_the_other_side() {
    let (client, mut peer) = connected().await;
    let serving = async {
        assert_eq!(peer.hear().await, Heard::Close(Some(1000)));
        peer.say("one that was on its way").await;
        peer.close(1000, "").await;
    };
    let (said, ()) = tokio::join!(client.close(), serving);
    said.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_goodbye_that_nobody_answers_ends_all_the_same() {
    let (client, _peer) = connected().await;
    let before = tokio::time::Instant::now();
    assert!(matches!(client.close().await, Err(ClientError::Lost(_))));
    assert_eq!(before.elapsed(), Duration::from_secs(10));
}
