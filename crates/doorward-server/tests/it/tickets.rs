//! One-time tickets over the whole way: in a header, among the subprotocols, and over the socket.

use std::{sync::Arc, time::Duration};

use doorward_client::{ClimbError, ConnectError, Credentials, Options};
use doorward_types::Secret;
use tokio::sync::Barrier;

use crate::world::{World, both};

const GATES: &str = r#"
    [[gate]]
    name = "door"
    path = "/door"
    backend = { hub = {} }
    ladder = [{ ticket = { via = ["header", "subprotocol"] } }]
    [[gate]]
    name = "other"
    path = "/other"
    backend = { hub = {} }
    ladder = [{ ticket = { via = ["header", "subprotocol"] } }]
    [[gate]]
    name = "talk"
    path = "/talk"
    backend = { hub = {} }
    ladder = [{ ticket = { via = ["message"] } }]
    [[gate]]
    name = "page"
    path = "/page"
    origins = ["https://app.example", "https://other.example"]
    backend = { hub = {} }
    ladder = [{ ticket = { via = ["header"] } }]
"#;

/// Redeems a ticket as a client does: by the way of it, and answers whether it got in.
async fn redeem(world: &World, way: &str, ticket: &str) -> bool {
    let secret = Secret::from_text(ticket);
    let protocols = vec!["doorward.v1".to_owned(), format!("ticket.doorward.{ticket}")];
    let (path, options) = match way {
        "header" => ("/door", Options { ticket: Some(secret.clone()), ..Options::default() }),
        "subprotocol" => ("/door", Options { subprotocols: protocols, ..Options::default() }),
        _ => ("/talk", Options::default()),
    };
    match world.client(path, options).await {
        Ok(mut client) => {
            assert_eq!(client.subprotocol(), Some("doorward.v1"), "the ticket is never echoed");
            match client.climb(&mut Credentials::new().ticket(secret)).await {
                Ok(admitted) => {
                    assert_eq!(admitted.subject.unwrap().to_string(), "member:7");
                    true
                }
                Err(ClimbError::Refused(refused)) => {
                    assert_eq!(refused.code, 4401);
                    false
                }
                Err(other) => panic!("{other}"),
            }
        }
        Err(ConnectError::Refused { status, .. }) => {
            assert_eq!(status, 401);
            false
        }
        Err(other) => panic!("{other}"),
    }
}

both! {
    async fn c10_of_fifty_redemptions_at_once_exactly_one_is_admitted(carrier: Carrier) {
        const LIMITS: &str = "[limits]\nclimbing_per_source = 100\n";
        for way in ["header", "subprotocol", "message"] {
            let gate = if way == "message" { "talk" } else { "door" };
            let world = Arc::new(World::of(carrier, &format!("{LIMITS}{GATES}")).await);
            let ticket = world.ticket(gate, None).await;
            let together = Arc::new(Barrier::new(50));
            let tries: Vec<_> = (0..50)
                .map(|_| {
                    let (world, ticket, together) = (Arc::clone(&world), ticket.clone(), Arc::clone(&together));
                    tokio::spawn(async move {
                        together.wait().await;
                        redeem(&world, way, &ticket).await
                    })
                })
                .collect();
            let mut admitted = 0;
            for one in tries {
                admitted += usize::from(one.await.unwrap());
            }
            assert_eq!(admitted, 1, "by {way}");
            let verdicts = world.verdicts().await;
            assert_eq!(verdicts.iter().filter(|verdict| *verdict == "admitted").count(), 1);
            assert_eq!(verdicts.len(), 50);
            world.empties().await;
        }
    }

    async fn c11_an_expired_ticket_is_answered_as_an_unknown_one(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        let ticket = world.ticket("door", None).await;
        let used = world.ticket("door", None).await;
        assert!(redeem(&world, "header", &used).await);
        world.clock.advance(Duration::from_secs(30));
        // Well formed, and never minted: the third of the seed's.
        let elsewhere = World::of(carrier, GATES).await;
        let (_, _) = (elsewhere.ticket("door", None).await, elsewhere.ticket("door", None).await);
        let unknown = elsewhere.ticket("door", None).await;
        let malformed = "dwt_0000";
        let mut answers = Vec::new();
        for ticket in [ticket.as_str(), &used, &unknown, malformed] {
            answers.push(world.knock("/door", &format!("Doorward-Ticket: {ticket}\r\n")).await.err().unwrap());
        }
        answers.iter_mut().for_each(|answer| assert!(answer.trace.take().is_some()));
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
        assert_eq!(answers[0].status, 401);
    }

    async fn c12_a_ticket_shown_at_another_gate_is_refused_and_burned(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        let ticket = world.ticket("door", None).await;
        let header = format!("Doorward-Ticket: {ticket}\r\n");
        assert_eq!(world.knock("/other", &header).await.err().unwrap().status, 401);
        assert_eq!(world.knock("/door", &header).await.err().unwrap().status, 401, "it is gone");
        let fresh = world.ticket("door", None).await;
        assert!(redeem(&world, "header", &fresh).await);
    }

    async fn a_page_of_another_origin_neither_redeems_a_ticket_nor_burns_it(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        let ticket = world.ticket("page", Some("https://app.example")).await;
        let from = |origin: &str| format!("Origin: {origin}\r\nDoorward-Ticket: {ticket}\r\n");
        assert_eq!(world.knock("/page", &from("https://evil.example")).await.err().unwrap().status, 403);
        assert_eq!(world.knock("/page", &from("https://other.example")).await.err().unwrap().status, 401);
        let without = format!("Doorward-Ticket: {ticket}\r\n");
        assert_eq!(world.knock("/page", &without).await.err().unwrap().status, 401);
        assert!(world.knock("/page", &from("https://app.example")).await.is_ok());
        assert_eq!(world.knock("/page", &from("https://app.example")).await.err().unwrap().status, 401);
    }
}
