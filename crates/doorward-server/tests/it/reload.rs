//! A configuration that is read again: what it does to the gates, and to whoever is in or on the way in.

use std::{collections::BTreeMap, path::Path, time::Duration};

use doorward_server::{Extensions, Reloaded, config, control::Request};
use doorward_types::Secret;
use serde_json::json;
use tokio::time::Instant;

use crate::{
    peer::{Heard, Peer},
    world::{CHAT, Carrier, World},
};

const OVER: Duration = Duration::from_secs(20);

const GATE_CLOSED: (u16, &str) = (4410, "gate_closed");
const RESTART: (u16, &str) = (1012, "restart");

async fn says(peer: &mut Peer, action: &str, channel: &str) {
    peer.json(json!({ "action": action, "channel": channel, "pk": "1", "message": action, "id": 1 })).await;
}

/// Asks a gate to be subscribed, and gives how that went.
async fn subscribes(peer: &mut Peer, channel: &str) -> String {
    says(peer, "subscribe", channel).await;
    peer.event().await["event"].as_str().unwrap().to_owned()
}

async fn member(world: &World, subject: &str) -> Peer {
    world.admitted("/chat", &world.token(subject, json!({ "rooms": ["1"] }))).await
}

/// Somebody in the middle of the ladder, who goes on.
async fn goes_on(mut climbing: Peer, world: &World) -> Vec<Heard> {
    climbing.json(json!({ "action": "auth", "kind": "jwt", "token": world.token("late", json!({})) })).await;
    climbing.rest().await
}

fn ends_with(heard: &[Heard], (code, name): (u16, &str)) -> bool {
    heard.last() == Some(&Heard::Close(code, name.to_owned()))
}

/// The gate `chat`, with something written otherwise.
fn chat_with(from: &str, to: &str) -> String {
    assert!(CHAT.contains(from));
    CHAT.replace(from, to)
}

#[tokio::test(start_paused = true)]
async fn who_was_there_before_a_reload_and_who_comes_after_it_hear_each_other() {
    let world = World::of(Carrier::Memory, CHAT).await;
    let mut before = member(&world, "1").await;
    assert_eq!(subscribes(&mut before, "room").await, "subscribed");
    let more = "[[gate]]\nname = \"echo\"\npath = \"/echo\"\nbackend = { echo = {} }\nopen = true\n";
    let reloaded = world.reload(&format!("{CHAT}{more}"), OVER);
    assert_eq!(reloaded, Reloaded { kept: 1, added: 1, ..Reloaded::default() });
    let mut after = member(&world, "2").await;
    assert_eq!(subscribes(&mut after, "room").await, "subscribed");
    for (from, to) in [(0, 1), (1, 0)] {
        let peers = [&mut before, &mut after];
        says(peers[from], "publish", "room").await;
        assert_eq!(peers[to].event().await["message"], "publish");
        assert_eq!(peers[from].event().await["event"], "message");
        assert_eq!(peers[from].event().await["event"], "published");
    }
}

#[tokio::test(start_paused = true)]
async fn changed_rules_hold_at_once_and_end_a_subscription_that_they_do_not_allow() {
    let world = World::of(Carrier::Memory, CHAT).await;
    let (mut in_room, mut in_news) = (member(&world, "1").await, member(&world, "2").await);
    assert_eq!(subscribes(&mut in_room, "room").await, "subscribed");
    assert_eq!(subscribes(&mut in_news, "news").await, "subscribed");
    let reloaded = world.reload(&chat_with("subscribe = { claim = \"rooms\" }", "subscribe = \"nobody\""), OVER);
    assert_eq!(reloaded, Reloaded { changed: 1, closed: 1, ..Reloaded::default() });
    assert!(ends_with(&in_room.rest().await, RESTART));
    assert_eq!(subscribes(&mut in_news, "room").await, "error");
    assert_eq!(subscribes(&mut in_news, "news").await, "subscribed");
}

#[tokio::test(start_paused = true)]
async fn a_gate_that_is_taken_away_or_disabled_ends_its_sockets_and_the_climbs_to_it() {
    let others = CHAT.replace("chat", "other");
    for without in [String::new(), chat_with("name = \"chat\"", "name = \"chat\"\nenabled = false")] {
        let world = World::of(Carrier::Memory, &format!("{CHAT}{others}")).await;
        let mut at_chat = member(&world, "1").await;
        let mut at_other = world.admitted("/other", &world.token("1", json!({}))).await;
        let mut climbing = world.peer("/chat").await;
        climbing.event().await;
        let reloaded = world.reload(&format!("{without}{others}"), OVER);
        assert_eq!(reloaded, Reloaded { kept: 1, removed: 1, closed: 1, ..Reloaded::default() });
        assert_eq!(at_chat.rest().await, [Heard::Close(GATE_CLOSED.0, GATE_CLOSED.1.into())]);
        assert!(ends_with(&goes_on(climbing, &world).await, GATE_CLOSED));
        assert_eq!(world.knock("/chat", "").await.err().unwrap().status, 404);
        assert_eq!(subscribes(&mut at_other, "news").await, "subscribed");
        let verdicts = world.verdicts().await;
        assert_eq!(verdicts, ["admitted", "admitted", "4410 server: register the socket"]);
        // What comes back under its old name is a new gate.
        assert_eq!(world.reload(&format!("{CHAT}{others}"), OVER).added, 1);
        member(&world, "1").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_gate_with_another_backend_has_its_sockets_come_again_spread_over_the_time() {
    let roomy = "[limits]\nclimbing_per_source = 500\nsockets_per_source = 1000\n";
    let world = World::of(Carrier::Memory, &format!("{roomy}{CHAT}")).await;
    let mut leaving = Vec::new();
    for number in 0..40 {
        leaving.push(member(&world, &number.to_string()).await);
    }
    let mut climbing = world.peer("/chat").await;
    climbing.event().await;
    let began = Instant::now();
    let channels = CHAT.find("[[gate.channel]]").unwrap();
    let echo = CHAT[..channels].replace("hub", "echo");
    let reloaded = world.reload(&format!("{roomy}{echo}"), OVER);
    assert_eq!(reloaded, Reloaded { changed: 1, leaving: 40, ..Reloaded::default() });
    assert!(ends_with(&goes_on(climbing, &world).await, RESTART), "it would have come to the old backend");
    let mut after = member(&world, "after").await;
    after.say("back").await;
    assert_eq!(after.hear().await, Heard::Text("back".into()), "who comes now finds the new backend at once");
    let leaving: Vec<_> = leaving
        .into_iter()
        .map(|mut peer| {
            tokio::spawn(async move {
                assert!(ends_with(&peer.rest().await, RESTART));
                began.elapsed().as_secs()
            })
        })
        .collect();
    let mut times = std::collections::BTreeSet::new();
    for one in leaving {
        times.insert(one.await.unwrap());
    }
    assert!(times.len() > 10 && times.last() <= Some(&21), "spread over {times:?}");
    let listed = world.operate(Request::ListSockets { owner: None, at_most: 10 }).await;
    assert_eq!(listed["sockets"][0]["subject"], "member:after");
}

#[tokio::test(start_paused = true)]
async fn a_changed_ladder_is_for_whoever_comes_and_sockets_rest_as_they_were_admitted() {
    let world = World::of(Carrier::Memory, CHAT).await;
    let mut before = member(&world, "1").await;
    let reloaded = world.reload(&chat_with("{ jwt = {} }", "{ jwt = {} }, { ident = { glyph = \"☂\" } }"), OVER);
    assert_eq!(reloaded, Reloaded { changed: 1, ..Reloaded::default() });
    assert_eq!(subscribes(&mut before, "room").await, "subscribed");
    let mut after = world.peer("/chat").await;
    after.event().await;
    after.json(json!({ "action": "auth", "kind": "jwt", "token": world.token("2", json!({})) })).await;
    assert_eq!(after.event().await["layer"], "ident");
}

#[tokio::test(start_paused = true)]
async fn c65_what_cannot_be_put_together_changes_nothing_and_every_mistake_is_told() {
    let world = World::of(Carrier::Memory, CHAT).await;
    let mut before = member(&world, "1").await;
    assert_eq!(subscribes(&mut before, "room").await, "subscribed");
    // Files that can be read when the configuration is checked, and no more when it is put together.
    let broken = r#"
        [[owner]]
        name = "acme"
        [[owner]]
        name = "other"
        [[issuer]]
        name = "site"
        owner = "acme"
        issuer = "https://site.example"
        audience = "doorward"
        algorithms = ["HS256"]
        secret_file = "gone.secret"
        [[gate]]
        name = "needs-it"
        owner = "acme"
        path = "/chat"
        backend = { echo = {} }
        ladder = [{ jwt = {} }]
        [[gate]]
        name = "first"
        owner = "other"
        path = "/first"
        backend = { echo = {} }
        ladder = [{ challenge = { secret_file = "gone.too" } }]
        [[gate]]
        name = "second"
        owner = "other"
        path = "/second"
        backend = { echo = {} }
        ladder = [{ challenge = { secret_file = "gone.as.well" } }]
    "#;
    let there = |_: &Path| Ok(Secret::from_text("0123456789abcdef0123456789abcdef"));
    let authenticators = Extensions::default().authenticators;
    let loaded = config::load_for(&authenticators, broken, "test.toml", &BTreeMap::new(), &[], &there).unwrap();
    let errors = world.door.reload(&loaded.config, &world.tools, OVER).unwrap_err().to_string();
    let lines: Vec<_> = errors.lines().collect();
    let begin = ["issuer `site` of `acme`: ", "gate `first` of `other`: ", "gate `second` of `other`: "];
    assert_eq!(lines.len(), begin.len(), "{errors}");
    assert!(lines.iter().zip(begin).all(|(line, begin)| line.starts_with(begin)), "{errors}");
    let mut after = member(&world, "2").await;
    says(&mut after, "publish", "room").await;
    assert_eq!(before.event().await["message"], "publish");
    assert!(world.knock("/first", "").await.is_err());
}
