//! The protocol of the hub.

use doorward_backends::hub::ChannelName;
use doorward_types::{CloseReason, GateName, OwnerId};
use doorward_wire::websocket::frame::Opcode;
use serde_json::{json, value::RawValue};

use crate::{
    support::{Heard, somebody},
    users::{enter, hub, over_a_pipe},
};

#[tokio::test(start_paused = true)]
async fn requests_are_answered_with_their_ids_and_a_pk_is_a_text_however_it_was_written() {
    let world = over_a_pipe();
    let hub = hub(json!({"group": {"subscribe": "any", "publish": "any"}}));
    let mut user = enter(&world, &hub, "acme", "fancy", somebody("bob")).await;
    user.says(json!({"action": "subscribe", "channel": "group", "pk": 3, "id": 1})).await;
    user.hears(json!({"event": "subscribed", "channel": "group", "pk": "3", "id": 1})).await;
    user.says(json!({"action": "publish", "channel": "group", "pk": "3", "message": "hi", "id": "two"})).await;
    user.hears(json!({"event": "message", "channel": "group", "pk": "3", "message": "hi"})).await;
    user.hears(json!({"event": "published", "id": "two"})).await;
    user.says(json!({"action": "publish", "channel": "group", "pk": 4, "message": "elsewhere", "id": 3})).await;
    user.hears(json!({"event": "published", "id": 3})).await;
    user.says(json!({"action": "unsubscribe", "channel": "group", "pk": "3", "id": 4})).await;
    user.hears(json!({"event": "unsubscribed", "channel": "group", "pk": "3", "id": 4})).await;
    user.says(json!({"action": "publish", "channel": "group", "pk": 3, "message": "hi", "id": 5})).await;
    user.hears(json!({"event": "published", "id": 5})).await;
}

#[tokio::test(start_paused = true)]
async fn a_payload_passes_through_as_it_was_written() {
    let world = over_a_pipe();
    let hub = hub(json!({"news": {"subscribe": "any", "publish": "any"}}));
    let mut user = enter(&world, &hub, "acme", "fancy", somebody("bob")).await;
    user.subscribes("news", None).await;
    let payload = r#"{ "b" : 1.0e+2,  "a":"\u0041", "b":2 }"#;
    user.peer.say(&format!(r#"{{"message": {payload} ,"channel":"news","action":"publish"}}"#)).await;
    user.peer.hears(&format!(r#"{{"event":"message","channel":"news","message":{payload}}}"#)).await;
}

#[tokio::test(start_paused = true)]
async fn a_payload_that_a_common_parser_throws_at_reaches_nobody_and_all_other_json_does() {
    let world = over_a_pipe();
    let hub = hub(json!({"news": {"subscribe": "any", "publish": "any"}}));
    let mut writer = enter(&world, &hub, "acme", "fancy", somebody("eve")).await;
    let mut reader = enter(&world, &hub, "acme", "fancy", somebody("bob")).await;
    reader.subscribes("news", None).await;
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let objects = format!("{}1{}", r#"{"a":"#.repeat(64), "}".repeat(64));
    let half = [r#""\ud800""#, r#""\udc00\ud800""#, r#"{"a":["\ud83dx"]}"#, r#"{"\udfff":1}"#].map(String::from);
    let says = |payload: &str| format!(r#"{{"action":"publish","channel":"news","message":{payload},"id":1}}"#);
    for payload in half.into_iter().chain([nested(64), nested(1000), nested(30_000), objects]) {
        writer.peer.say(&says(&payload)).await;
        writer.hears(json!({"event": "error", "code": "malformed"})).await;
        writer.subscribes("news", Some("7")).await;
    }
    let large = "9".repeat(5000);
    let deepest = nested(63);
    for payload in [
        r#""\ud83d\ude00 \\ud800 \u0000""#,
        "1e400",
        "-0",
        &large,
        r#"{"a":1,"a":2,"a":"\u2028"}"#,
        "\"[[[[[[[[\u{2028}\u{feff}\"",
        "null",
        &deepest,
    ] {
        writer.peer.say(&says(payload)).await;
        writer.hears(json!({"event": "published", "id": 1})).await;
        reader.peer.hears(&format!(r#"{{"event":"message","channel":"news","message":{payload}}}"#)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn everybody_who_is_subscribed_gets_a_message_and_nobody_else() {
    let world = over_a_pipe();
    let hub = hub(json!({"news": {"subscribe": "any", "publish": "any"}}));
    let mut users = Vec::new();
    for name in ["ann", "bob", "eve"] {
        users.push(enter(&world, &hub, "acme", "fancy", somebody(name)).await);
    }
    let [ann, bob, eve] = &mut users[..] else { unreachable!() };
    ann.subscribes("news", None).await;
    ann.subscribes("news", None).await;
    bob.subscribes("news", None).await;
    eve.says(json!({"action": "publish", "channel": "news", "message": 1, "id": 1})).await;
    eve.hears(json!({"event": "published", "id": 1})).await;
    for user in [ann, bob] {
        user.hears(json!({"event": "message", "channel": "news", "message": 1})).await;
        user.says(json!({"action": "unsubscribe", "channel": "news"})).await;
        user.hears(json!({"event": "unsubscribed", "channel": "news"})).await;
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_is_gone_is_subscribed_to_nothing() {
    let world = over_a_pipe();
    let hub = hub(json!({"news": {"subscribe": "any"}, "other": {"subscribe": "any"}}));
    let mut users = Vec::new();
    for number in 0..10 {
        let mut user = enter(&world, &hub, "acme", "fancy", somebody(&format!("{number}"))).await;
        user.subscribes("news", None).await;
        user.subscribes("other", Some("7")).await;
        users.push(user);
    }
    let payload = RawValue::from_string("1".into()).unwrap();
    let reached = |channel: &str, pk| {
        let (owner, gate) = (OwnerId::new("acme"), GateName::new("fancy"));
        hub.publish(&world.sockets, &owner, &gate, &channel.parse().unwrap(), pk, &payload)
    };
    assert_eq!((reached("news", None), reached("other", Some("7"))), (10, 10));
    for left in [8, 0] {
        while users.len() > left {
            let user = users.swap_remove(users.len() / 2);
            drop(user.peer);
            user.over.await.unwrap();
        }
        assert_eq!((reached("news", None), reached("other", Some("7"))), (left, left));
    }
}

#[tokio::test(start_paused = true)]
async fn a_logout_closes_the_socket_after_what_was_for_it() {
    let world = over_a_pipe();
    let hub = hub(json!({"news": {"subscribe": "any"}}));
    let mut user = enter(&world, &hub, "acme", "fancy", somebody("bob")).await;
    user.says(json!({"action": "subscribe", "channel": "news"})).await;
    user.says(json!({"action": "logout"})).await;
    user.hears(json!({"event": "subscribed", "channel": "news"})).await;
    user.peer.hears_close(CloseReason::Normal).await;
    assert_eq!(user.peer.hear().await, Heard::End);
}

#[tokio::test(start_paused = true)]
async fn what_the_hub_does_not_do_it_says() {
    let world = over_a_pipe();
    let hub = hub(json!({"news": {"subscribe": "any"}}));
    let mut user = enter(&world, &hub, "acme", "fancy", somebody("bob")).await;
    for action in ["presence", "history", "auth"] {
        user.says(json!({"action": action, "channel": "news", "id": 1})).await;
        user.hears(json!({"event": "error", "id": 1, "code": "not_supported"})).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_third_malformed_message_in_a_row_ends_the_socket() {
    let world = over_a_pipe();
    let hub = hub(json!({"news": {"subscribe": "any", "publish": "any"}}));
    let mut user = enter(&world, &hub, "acme", "fancy", somebody("bob")).await;
    for _ in 0..3 {
        user.peer.say("what?").await;
        user.hears(json!({"event": "error", "code": "malformed"})).await;
        user.peer.frame(Opcode::Binary, b"{}").await;
        user.hears(json!({"event": "error", "code": "malformed"})).await;
        user.subscribes("news", None).await;
    }
    user.says(json!({"action": "publish", "channel": "news", "id": 1})).await;
    user.hears(json!({"event": "error", "id": 1, "code": "malformed"})).await;
    user.says(json!({"action": "publish", "message": 1, "id": 2})).await;
    user.hears(json!({"event": "error", "id": 2, "code": "malformed"})).await;
    user.peer.say("[]").await;
    user.hears(json!({"event": "error", "code": "malformed"})).await;
    user.peer.hears_close(CloseReason::Malformed).await;
}

#[tokio::test(start_paused = true)]
async fn a_socket_has_128_subscriptions_at_most() {
    let world = over_a_pipe();
    let hub = hub(json!({"news": {"subscribe": "any"}}));
    let mut user = enter(&world, &hub, "acme", "fancy", somebody("bob")).await;
    for pk in 0..128 {
        user.subscribes("news", Some(&pk.to_string())).await;
    }
    user.says(json!({"action": "subscribe", "channel": "news", "pk": 128})).await;
    user.hears(json!({"event": "error", "code": "too_many_subscriptions"})).await;
    user.subscribes("news", Some("127")).await;
    user.says(json!({"action": "unsubscribe", "channel": "news"})).await;
    user.hears(json!({"event": "unsubscribed", "channel": "news"})).await;
    user.subscribes("news", Some("128")).await;
}

#[tokio::test(start_paused = true)]
async fn c62_a_name_that_a_broker_would_read_as_a_pattern_is_malformed() {
    let world = over_a_pipe();
    let hub = hub(json!({"news": {"subscribe": "any", "publish": "any"}}));
    for name in ["*", "ne?s", "news:3", "news\r\n", "news\0", "[news]", "", &"n".repeat(60_000)] {
        for action in ["subscribe", "publish", "custom"] {
            let mut user = enter(&world, &hub, "acme", "fancy", somebody("bob")).await;
            user.says(json!({"action": action, "channel": name, "message": 1})).await;
            user.hears(json!({"event": "error", "code": "malformed"})).await;
            user.says(json!({"action": action, "channel": "news", "pk": name, "message": 1})).await;
            user.hears(json!({"event": "error", "code": "malformed"})).await;
            drop(user.peer);
            user.over.await.unwrap();
        }
        assert!(serde_json::from_value::<ChannelName>(name.into()).is_err());
    }
}
