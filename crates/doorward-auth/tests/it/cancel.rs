//! Dropping a climb at every point where it can wait.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::{Arc, Mutex, Weak},
    task::{Context, Poll, Waker},
};

use doorward_auth::{
    BoxFuture, Climb, Ladder, PresentedTicket, TicketVia,
    layers::handshake::ticket::NewTicket,
    memory::MemoryTickets,
    ports::{PortError, Ports, Ticket, TicketBinding, Tickets},
};
use doorward_testkit::World;
use doorward_types::{Answer, OwnerId, Secret, Timestamp};
use serde_json::json;

use crate::support::{key, later, rung, token};

/// Tickets that make every caller wait once before and once after the act, and note what was given out.
struct Waiting {
    tickets: MemoryTickets,
    given: Mutex<usize>,
}

/// Pending once.
async fn a_turn() {
    let mut waited = false;
    poll_fn(|context| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl Tickets for Waiting {
    fn mint<'a>(&'a self, hash: [u8; 32], ticket: Ticket) -> BoxFuture<'a, Result<(), PortError>> {
        self.tickets.mint(hash, ticket)
    }

    fn consume<'a>(
        &'a self,
        owner: &'a OwnerId,
        hash: [u8; 32],
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Ticket>, PortError>> {
        Box::pin(async move {
            a_turn().await;
            let ticket = self.tickets.consume(owner, hash, now).await;
            *self.given.lock().unwrap() += usize::from(matches!(ticket, Ok(Some(_))));
            a_turn().await;
            ticket
        })
    }
}

struct Scene {
    world: World,
    tickets: Arc<Waiting>,
    ladder: Arc<Ladder>,
    text: Secret,
}

async fn scene() -> Scene {
    let world = World::new();
    let tickets = Arc::new(Waiting { tickets: MemoryTickets::new(), given: Mutex::new(0) });
    let ports = Ports { tickets: tickets.clone(), ..world.ports() };
    let rungs = vec![
        rung(&ports, json!({ "ticket": { "via": ["header"] } })),
        rung(&ports, json!({ "jwt": { "single_use": true } })),
        rung(&ports, json!({ "ident": { "glyph": "☂" } })),
    ];
    let NewTicket { text, hash } = NewTicket::draw(world.rng.as_ref(), None);
    let mut subject = World::member("7");
    subject.uuid = "7".into();
    let ticket = Ticket {
        owner: World::owner(),
        binding: TicketBinding::Gate(World::gate()),
        origin: None,
        subject,
        rests_on: vec![],
        issued_at: World::NOW,
        expires_at: later(30),
    };
    tickets.mint(hash, ticket).await.unwrap();
    Scene { world, tickets, ladder: Arc::new(Ladder::new(rungs).unwrap()), text }
}

/// A climb with its answers, as a driver would run it.
async fn run(scene: &Scene, ladder: Arc<Ladder>) -> Option<String> {
    let mut handshake = World::handshake();
    handshake.ticket = Some(PresentedTicket { via: TicketVia::Header, text: scene.text.clone() });
    let start = scene.world.start(handshake, World::gate());
    let mut peer = doorward_testkit::Peer::before(Climb::begin(ladder, start).await.ok()?);
    peer.hear().await;
    a_turn().await;
    peer.say(Answer::to_layer("jwt").with_text("token", token(&key())));
    peer.hear().await;
    peer.hear().await;
    a_turn().await;
    peer.say(Answer::to_layer("ident").with_text("accept", "yes"));
    Some(peer.hear().await.line)
}

#[tokio::test(start_paused = true)]
async fn c67_a_climb_dropped_at_any_point_leaves_nothing_behind_and_consumes_nothing_twice() {
    let mut polls = 0;
    loop {
        let scene = scene().await;
        let ladder = Arc::clone(&scene.ladder);
        let alive: Weak<Ladder> = Arc::downgrade(&ladder);
        let finished = {
            let mut running = pin!(run(&scene, ladder));
            let mut context = Context::from_waker(Waker::noop());
            (0..polls).find_map(|_| match running.as_mut().poll(&mut context) {
                Poll::Ready(line) => Some(line),
                Poll::Pending => None,
            })
            // Here the climb is dropped, whatever it was waiting for.
        };
        assert_eq!(alive.strong_count(), 1, "after {polls} polls the climb holds on to its ladder");
        let before = *scene.tickets.given.lock().unwrap();
        assert!(before <= 1);
        // Whoever comes with the same ticket now gets in exactly where the first had not consumed it.
        let again = run(&scene, Arc::clone(&scene.ladder)).await;
        assert_eq!(again.is_some(), before == 0, "after {polls} polls");
        assert_eq!(*scene.tickets.given.lock().unwrap(), 1, "a ticket is given out once");
        if let Some(line) = finished {
            assert_eq!(line.as_deref(), Some("admitted member:7"));
            break;
        }
        polls += 1;
        assert!(polls < 100, "the climb comes to an end");
    }
    assert!(polls >= 4, "there were points to drop it at: {polls}");
}

#[tokio::test(start_paused = true)]
async fn c67_a_secret_that_was_left_unheard_goes_with_the_climb() {
    let world = World::new();
    let ladder = Ladder::new(vec![rung(&world.ports(), json!({ "jwt": {} }))]).unwrap();
    let peer = world.knock(&ladder, World::handshake()).await.unwrap();
    peer.say(Answer::to_layer("jwt").with_text("token", token(&key())));
    drop(peer);
    let mut next = world.knock(&ladder, World::handshake()).await.unwrap();
    next.play("< ask jwt: user sends token").await;
    assert!(next.hears_nothing().await, "the next climb hears nothing of it");
}
