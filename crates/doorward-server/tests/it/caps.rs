//! How many there may be, on their way and in, and whose word is taken for where they come from.

use std::net::SocketAddr;

use serde_json::json;

use crate::{
    peer::{Peer, until_closed},
    world::{CHAT, Carrier, World},
};

#[tokio::test(start_paused = true)]
async fn c86_a_source_that_climbs_too_often_is_dropped_and_others_are_not() {
    let world = World::of(Carrier::Memory, &format!("[limits]\nclimbing_per_source = 3\n{CHAT}")).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(world.peer("/chat").await);
    }
    assert_eq!(until_closed(&mut world.dial().await).await, b"", "dropped before a byte of it was read");
    let neighbour = world.dial_from(([127, 0, 0, 2], 1).into()).await;
    assert!(Peer::upgrade(neighbour, "/chat", "").await.is_ok());
    // Whoever is let in makes room for the next one to climb.
    let token = world.token("7", json!({}));
    held[0].climbs(&token).await;
    assert!(world.knock("/chat", "").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn c86_a_source_has_so_many_sockets_and_the_node_too() {
    let limits = "[limits]\nsockets_per_source = 2\nsockets_per_node = 3\n";
    let world = World::of(Carrier::Memory, &format!("{limits}{CHAT}")).await;
    let token = |subject: &str| world.token(subject, json!({}));
    let _first = world.admitted("/chat", &token("1")).await;
    let second = world.admitted("/chat", &token("2")).await;
    assert_eq!(until_closed(&mut world.dial().await).await, b"");
    let far: SocketAddr = ([192, 0, 2, 1], 1).into();
    let from_afar = async || Peer::upgrade(world.dial_from(far).await, "/chat", "").await.unwrap();
    let mut third = from_afar().await;
    third.climbs(&token("3")).await;
    let mut fourth = from_afar().await;
    fourth.event().await;
    fourth.json(json!({ "action": "auth", "kind": "jwt", "token": token("4") })).await;
    assert_eq!(fourth.event().await["code"], 1013);
    assert_eq!(fourth.closes().await, [1013]);
    drop(second);
    while world.door.caps().counts().0 > 2 {
        tokio::task::yield_now().await;
    }
    from_afar().await.climbs(&token("4")).await;
}

#[tokio::test(start_paused = true)]
async fn c86_over_the_early_limit_a_share_of_newcomers_is_dropped_and_at_the_limit_all() {
    let limits = "[limits]\nclimbing_per_source = 60\nclimbing_early_drop = 20\nclimbing_per_node = 60\n";
    let world = World::of(Carrier::Memory, &format!("{limits}{CHAT}")).await;
    let mut held = Vec::new();
    let mut dropped_at = Vec::new();
    for number in 0..2000 {
        match world.knock("/chat", "").await {
            Ok(peer) => held.push(peer),
            Err(_) => dropped_at.push(number),
        }
    }
    assert_eq!(held.len(), 60);
    assert!(dropped_at[0] >= 20, "nobody is dropped below the early limit");
    assert!(dropped_at[0] < 60, "some are dropped below the limit of the node");
    drop(held);
    world.empties().await;
    assert!(world.knock("/chat", "").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn c30_the_word_of_a_trusted_proxy_counts_and_that_of_a_stranger_does_not() {
    let text = format!("[server]\ntrusted_proxies = [\"10.0.0.0/8\"]\n[limits]\nclimbing_per_source = 1\n{CHAT}");
    let world = World::of(Carrier::Memory, &text).await;
    let proxy: SocketAddr = ([10, 0, 0, 1], 1).into();
    let stranger: SocketAddr = ([192, 0, 2, 1], 1).into();
    let knock = async |from, forwarded: &str| {
        Peer::upgrade(world.dial_from(from).await, "/chat", &format!("X-Forwarded-For: {forwarded}\r\n")).await
    };
    let one = knock(proxy, "198.51.100.1").await;
    let other = knock(proxy, "198.51.100.2").await;
    assert!(one.is_ok() && other.is_ok(), "behind a proxy every user is a source");
    assert_eq!(knock(proxy, "6.6.6.6, 198.51.100.1").await.err().unwrap().status, 503, "the same user again");
    let lying = knock(stranger, "198.51.100.3").await;
    assert!(lying.is_ok());
    assert_eq!(knock(stranger, "198.51.100.4").await.err().unwrap().status, 0, "the stranger itself, dropped");
    drop((one, other, lying));
    world.empties().await;
    let sources: Vec<_> = world.rows().await.iter().map(|row| row.source.unwrap().to_string()).collect();
    assert!(sources.contains(&"192.0.2.1".to_owned()) && !sources.contains(&"198.51.100.3".to_owned()), "{sources:?}");
}
