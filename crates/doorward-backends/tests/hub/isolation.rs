//! What one of many does costs and shows the others nothing.

use std::time::Duration;

use doorward_session::{Limits, SocketPolicy};
use doorward_types::CloseReason;
use doorward_wire::websocket::frame::Opcode;
use serde_json::{Value, json};

use crate::{
    support::{Dice, Heard, Over, World, masked, quiet, somebody},
    users::{User, enter, enter_with, hub, over_a_pipe, roomy},
};

#[tokio::test(start_paused = true)]
async fn nothing_crosses_between_owners_or_gates() {
    let world = over_a_pipe();
    let hub = hub(json!({"news": {"subscribe": "any", "publish": "any"}}));
    let places = [("acme", "fancy"), ("acme", "other"), ("other", "fancy"), ("acmef", "ancy")];
    let mut users = Vec::new();
    for (owner, gate) in places {
        let mut user = enter(&world, &hub, owner, gate, somebody("bob")).await;
        user.subscribes("news", Some("3")).await;
        users.push(user);
    }
    for (number, user) in users.iter_mut().enumerate() {
        user.says(json!({"action": "publish", "channel": "news", "pk": 3, "message": number})).await;
    }
    for (number, user) in users.iter_mut().enumerate() {
        user.says(json!({"action": "unsubscribe", "channel": "news"})).await;
        user.hears(json!({"event": "message", "channel": "news", "pk": "3", "message": number})).await;
        user.hears(json!({"event": "unsubscribed", "channel": "news"})).await;
    }
}

#[tokio::test(start_paused = true)]
async fn c66_nobody_ever_receives_anothers_canary() {
    const USERS: usize = 200;
    let world = over_a_pipe();
    let rule = json!({"claim": "own"});
    let hub = hub(json!({"own": {"subscribe": rule, "publish": rule}, "all": {"subscribe": "any", "publish": "any"}}));
    let dice = Dice::of(66);
    let canary = |number: usize| format!("canary-{number}");
    let join = async |number: usize| {
        let mut proof = somebody(&number.to_string());
        proof.claims.insert("own".into(), vec![canary(number)]);
        let mut user = enter_with(&world, &hub, ("acme", "fancy"), proof, roomy()).await;
        user.subscribes("own", Some(&canary(number))).await;
        user.subscribes("all", None).await;
        user
    };
    let mut users: Vec<User> = Vec::new();
    for number in 0..USERS {
        users.push(join(number).await);
    }
    for round in 0..40_u32 {
        for _ in 0..50 {
            let number = dice.below(USERS);
            let own = canary(number);
            let request = json!({"action": "publish", "channel": "own", "pk": own, "message": own});
            match dice.below(10) {
                // In the middle of a frame, and with frames on their way.
                0 => {
                    let half = masked(Opcode::Text, request.to_string().as_bytes());
                    users[number].peer.write(&half[..dice.below(half.len())]).await;
                    users[number] = join(number).await;
                }
                1 => {
                    users[number].over.abort();
                    users[number] = join(number).await;
                }
                2 => {
                    users[number].socket.end(CloseReason::SessionEnded);
                    users[number] = join(number).await;
                }
                _ => users[number].says(request).await,
            }
        }
        users[0].says(json!({"action": "publish", "channel": "all", "message": round})).await;
        for (number, user) in users.iter_mut().enumerate() {
            loop {
                let heard: Value = user.hears_something().await;
                match heard["channel"].as_str() {
                    Some("own") => assert_eq!(heard["message"], canary(number).as_str(), "user {number}"),
                    Some("all") if heard["message"] == round => break,
                    _ => panic!("user {number} heard {heard}"),
                }
            }
        }
    }
}

#[tokio::test]
async fn c27_one_that_stops_reading_ends_and_the_others_get_every_byte() {
    const SIZE: usize = 60_000;
    let world = World::over(Over::Tcp);
    let hub = hub(json!({"news": {"subscribe": "any", "publish": "any"}}));
    let policy = SocketPolicy { end_within: Duration::from_millis(100), ..quiet() };
    let policy = SocketPolicy { limits: Limits { outbox_bytes: 1 << 20, ..policy.limits }, ..policy };
    let join = async |name: &str| {
        let mut user = enter_with(&world, &hub, ("acme", "fancy"), somebody(name), policy.clone()).await;
        user.subscribes("news", None).await;
        user
    };
    let slow = join("slow").await;
    let mut others = Vec::new();
    for number in 0..20 {
        others.push(join(&number.to_string()).await);
    }
    let payload = "x".repeat(SIZE);
    let expected = format!(r#"{{"event":"message","channel":"news","message":"{payload}"}}"#);
    let mut published = 0;
    while published < 50 || slow.socket.is_open() {
        assert!(published < 2000, "the slow one was never noticed");
        others[0].says(json!({"action": "publish", "channel": "news", "message": payload})).await;
        published += 1;
        for user in &mut others {
            assert_eq!(user.peer.hear().await, Heard::Text(expected.clone()));
        }
    }
    assert_eq!(slow.socket.ended(), Some(CloseReason::SlowConsumer));
    slow.over.await.unwrap();
    assert_eq!(world.sockets.len(), 20);
}
