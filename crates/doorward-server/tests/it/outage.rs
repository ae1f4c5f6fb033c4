//! What becomes of those who come while the store, or an upstream, does not answer.

use std::{future::pending, sync::Arc, time::Duration};

use doorward_auth::{
    BoxFuture,
    ports::{AuditRecord, Outcome as Verdict, PortError, Ticket, Tickets},
    trail::Outcome,
};
use doorward_server::Extensions;
use doorward_types::{OwnerId, Timestamp};
use serde_json::json;
use tokio::{io::AsyncWriteExt, net::TcpListener, sync::Notify, time::Instant};

use crate::{
    peer,
    world::{Carrier, SITE, World, both},
};

const GATE: &str = r#"
    [[gate]]
    name = "guarded"
    path = "/guarded"
    backend = { hub = {} }
    ladder = [{ bearer = {} }, { ticket = { via = ["header"] } }]
"#;

/// A store of tickets that never says which it has, only when it is asked.
#[derive(Default)]
struct Silent {
    asked: Notify,
}

impl Tickets for Silent {
    fn mint<'a>(&'a self, _: [u8; 32], _: Ticket) -> BoxFuture<'a, Result<(), PortError>> {
        Box::pin(async { Ok(()) })
    }

    fn consume<'a>(
        &'a self,
        _: &'a OwnerId,
        _: [u8; 32],
        _: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Ticket>, PortError>> {
        self.asked.notify_one();
        Box::pin(pending())
    }
}

async fn world(carrier: Carrier, limits: &str) -> World {
    with(carrier, limits, Arc::default()).await
}

async fn with(carrier: Carrier, limits: &str, store: Arc<Silent>) -> World {
    World::keeping(carrier, &format!("{SITE}{limits}{GATE}"), Extensions::default(), store).await
}

/// The headers of somebody who shows a good token and a ticket.
async fn headers(world: &World) -> String {
    let (token, ticket) = (world.token("7", json!({})), world.ticket("guarded", None).await);
    format!("Authorization: Bearer {token}\r\nDoorward-Ticket: {ticket}\r\n")
}

/// The one row, which says who it was, and what happened up to the ticket.
async fn row(world: &World, ticket: Outcome) -> AuditRecord {
    world.empties().await;
    let mut rows = world.rows().await;
    assert_eq!(rows.len(), 1, "{:?}", world.verdicts().await);
    let row = rows.remove(0);
    assert_eq!(row.subject.as_ref().map(ToString::to_string).as_deref(), Some("member:7"));
    let rungs: Vec<_> = row.trail.iter().map(|rung| (rung.rung.as_str(), rung.outcome, rung.steps.len())).collect();
    let asked = usize::from(ticket != Outcome::NotReached);
    assert_eq!(rungs, [("origin", Outcome::Hit, 1), ("bearer", Outcome::Hit, 1), ("ticket", ticket, asked)]);
    row
}

both! {
    async fn one_that_leaves_while_the_store_is_asked_is_written_down_with_the_steps_so_far(carrier: Carrier) {
        let store = Arc::new(Silent::default());
        let world = with(carrier, "", Arc::clone(&store)).await;
        let request = peer::head("/guarded", &headers(&world).await);
        let mut stream = world.dial().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        store.asked.notified().await;
        drop(stream);
        assert_eq!(row(&world, Outcome::NotReached).await.outcome, Verdict::HungUp);
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_waits_for_a_silent_store_is_told_to_try_later_and_the_log_which_it_was() {
    let world = world(Carrier::Memory, "").await;
    let since = Instant::now();
    let refused = world.knock("/guarded", &headers(&world).await).await.err().unwrap();
    assert_eq!((refused.status, since.elapsed().as_secs()), (503, 3));
    row(&world, Outcome::Miss).await;
    assert_eq!(world.verdicts().await, ["1013 ticket: socket checks ticket"]);
}

#[tokio::test(start_paused = true)]
async fn a_store_may_be_waited_for_as_long_as_the_operator_says() {
    let world = world(Carrier::Memory, "[limits]\ndependency_timeout = \"700ms\"\n").await;
    let since = Instant::now();
    let refused = world.knock("/guarded", &headers(&world).await).await.err().unwrap();
    assert_eq!((refused.status, since.elapsed()), (503, Duration::from_millis(700)));
}

#[tokio::test(start_paused = true)]
async fn the_layers_of_the_request_together_are_waited_for_five_seconds_and_the_row_has_their_steps() {
    let world = world(Carrier::Memory, "[limits]\ndependency_timeout = \"1m\"\n").await;
    let since = Instant::now();
    let refused = world.knock("/guarded", &headers(&world).await).await.err().unwrap();
    assert_eq!((refused.status, since.elapsed().as_secs()), (503, 5));
    row(&world, Outcome::NotReached).await;
    assert_eq!(world.verdicts().await, ["1013 server: handshake"]);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_at_the_handshake_says_who_had_been_proven() {
    let world = world(Carrier::Memory, "").await;
    let bearer = format!("Authorization: Bearer {}\r\n", world.token("7", json!({})));
    assert_eq!(world.knock("/guarded", &bearer).await.err().unwrap().status, 401);
    row(&world, Outcome::Miss).await;
}

#[tokio::test]
async fn one_that_leaves_while_an_upstream_is_asked_is_written_down_with_who_it_was() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gate = format!(
        r#"
        [[gate]]
        name = "behind"
        path = "/behind"
        backend = {{ upstream = {{ url = "ws://{}" }} }}
        ladder = [{{ bearer = {{}} }}]
        "#,
        upstream.local_addr().unwrap()
    );
    let world = World::of(Carrier::Tcp, &gate).await;
    let bearer = format!("Authorization: Bearer {}\r\n", world.token("7", json!({})));
    let mut stream = world.dial().await;
    stream.write_all(peer::head("/behind", &bearer).as_bytes()).await.unwrap();
    let _asked = upstream.accept().await.unwrap();
    drop(stream);
    world.empties().await;
    let rows = world.rows().await;
    assert_eq!(world.verdicts().await, ["hung up"]);
    assert_eq!(rows[0].subject.as_ref().map(ToString::to_string).as_deref(), Some("member:7"));
    assert!(rows[0].trail.iter().all(|rung| rung.outcome == Outcome::Hit), "{:?}", rows[0].trail);
}
