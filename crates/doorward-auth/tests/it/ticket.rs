use std::sync::Arc;

use doorward_auth::{
    BoxFuture, Handshake, Ladder, PresentedTicket, TicketVia,
    layers::handshake::ticket::NewTicket,
    ports::{PortError, Ports, Session, Ticket, TicketBinding, Tickets},
};
use doorward_testkit::{Peer, World, script};
use doorward_types::{Cursor, GateName, OwnerId, Rest, Secret, Timestamp};
use serde_json::json;

use crate::{
    site::SiteWorld,
    support::{ladder, later, rung},
};

/// Makes a ticket of bob's for the gate `fancy`, or as `change` has it.
async fn ticket(world: &World, change: impl FnOnce(&mut Ticket)) -> Secret {
    let mut ticket = Ticket {
        owner: World::owner(),
        binding: TicketBinding::Gate(World::gate()),
        origin: None,
        subject: World::member("bob"),
        rests_on: vec![Rest::on("sid", "login-1")],
        issued_at: World::NOW,
        expires_at: later(30),
    };
    change(&mut ticket);
    let NewTicket { text, hash } = NewTicket::draw(world.rng.as_ref(), ticket.origin.as_deref());
    world.tickets.mint(hash, ticket).await.unwrap();
    text
}

fn shown(text: &Secret, via: TicketVia) -> Handshake {
    Handshake { ticket: Some(PresentedTicket { via, text: text.clone() }), ..World::handshake() }
}

fn header(text: &Secret) -> Handshake {
    shown(text, TicketVia::Header)
}

fn in_request(world: &World) -> Ladder {
    ladder(world, json!({ "ticket": { "via": ["header"] } }))
}

fn in_message(world: &World) -> Ladder {
    ladder(world, json!({ "ticket": { "via": ["message"] } }))
}

async fn sends(peer: &mut Peer, text: &Secret) -> String {
    peer.play("< ask ticket: user sends ticket").await;
    peer.say(doorward_types::Answer::to_layer("ticket").with("ticket", text.clone()));
    peer.hear().await.line
}

#[tokio::test(start_paused = true)]
async fn a_ticket_in_the_request_opens_once() {
    let world = World::new();
    let text = ticket(&world, |_| ()).await;
    let ladder = in_request(&world);
    let mut peer = world.knock(&ladder, header(&text)).await.unwrap();
    assert_eq!(peer.steps(), script::steps_of(include_str!("../../src/layers/handshake/ticket.rs")));
    let admission = peer.play("< admitted member:bob").await.unwrap().admission.unwrap();
    let kinds: Vec<_> = admission.rests_on().iter().map(|rest| rest.kind.as_ref()).collect();
    assert_eq!(kinds, ["gate", "subject", "sid", "ticket"]);
    assert_eq!(admission.expires_at(), None, "the ticket's expiry is not the socket's");
    let (refusal, _) = world.knock(&ladder, header(&text)).await.err().unwrap();
    assert!(refusal.detail.contains("unknown, used"), "{refusal}");
}

#[tokio::test(start_paused = true)]
async fn c3_an_admission_is_as_old_as_its_ticket() {
    let world = World::new();
    let minted = Timestamp::from_secs(World::NOW.as_secs() - 20);
    let text = ticket(&world, |ticket| ticket.issued_at = minted).await;
    let mut peer = world.knock(&in_request(&world), header(&text)).await.unwrap();
    let admission = peer.play("< admitted member:bob").await.unwrap().admission.unwrap();
    assert_eq!(admission.issued_at(), minted, "an ending of what is older would not reach it");
}

#[tokio::test(start_paused = true)]
async fn a_ticket_in_a_message_takes_the_steps_of_its_script() {
    let world = World::new();
    let text = ticket(&world, |_| ()).await;
    let mut peer = world.knock(&in_message(&world), World::handshake()).await.unwrap();
    assert_eq!(sends(&mut peer, &text).await, "admitted member:bob");
    assert_eq!(peer.steps(), script::steps_of(include_str!("../../src/layers/conversation/ticket.rs")));
}

#[tokio::test(start_paused = true)]
async fn silence_is_refused_at_the_limit() {
    let world = World::new();
    let mut peer = world.knock(&in_message(&world), World::handshake()).await.unwrap();
    peer.play("< ask ticket: user sends ticket\n< refused too_slow").await;
}

#[tokio::test(start_paused = true)]
async fn c10_of_fifty_redemptions_at_once_exactly_one_is_let_in() {
    let world = Arc::new(World::new());
    let text = ticket(&world, |_| ()).await;
    let mut running = tokio::task::JoinSet::new();
    for at in 0..50 {
        let (world, text) = (Arc::clone(&world), text.clone());
        running.spawn(async move {
            if at % 2 == 0 {
                world.knock(&in_request(&world), header(&text)).await.is_ok()
            } else {
                let mut peer = world.knock(&in_message(&world), World::handshake()).await.unwrap();
                sends(&mut peer, &text).await == "admitted member:bob"
            }
        });
    }
    let admitted = running.join_all().await.into_iter().filter(|admitted| *admitted).count();
    assert_eq!(admitted, 1);
}

#[tokio::test(start_paused = true)]
async fn c11_an_expired_ticket_is_refused_as_an_unknown_one() {
    let world = World::new();
    let expired = ticket(&world, |ticket| ticket.expires_at = World::NOW).await;
    let unknown = NewTicket::draw(world.rng.as_ref(), None).text;
    let ladder = in_request(&world);
    let (expired, expired_trail) = world.knock(&ladder, header(&expired)).await.err().unwrap();
    let (unknown, unknown_trail) = world.knock(&ladder, header(&unknown)).await.err().unwrap();
    assert_eq!(expired, unknown);
    assert_eq!(expired_trail[0].steps[0].step, unknown_trail[0].steps[0].step);
}

#[tokio::test(start_paused = true)]
async fn c12_a_ticket_for_another_gate_is_refused_and_burned() {
    let world = World::new();
    let text = ticket(&world, |ticket| ticket.binding = TicketBinding::Gate(GateName::new("other"))).await;
    let ladder = in_request(&world);
    let (refusal, _) = world.knock(&ladder, header(&text)).await.err().unwrap();
    assert!(refusal.detail.contains("another gate"), "{refusal}");
    let at_its_own = world.start(header(&text), GateName::new("other"));
    let again = doorward_auth::Climb::begin(Arc::new(ladder), at_its_own).await;
    assert!(again.is_err(), "it opens its own gate no more");
}

#[tokio::test(start_paused = true)]
async fn a_ticket_of_another_owner_is_unknown_and_stays_whole() {
    let world = World::new();
    let globex = OwnerId::new("globex");
    let NewTicket { text, hash } = NewTicket::draw(world.rng.as_ref(), None);
    let theirs = Ticket {
        owner: globex.clone(),
        binding: TicketBinding::AnyGateOfOwner,
        origin: None,
        subject: World::member("eve"),
        rests_on: vec![],
        issued_at: World::NOW,
        expires_at: later(30),
    };
    world.tickets.mint(hash, theirs).await.unwrap();
    assert!(world.knock(&in_request(&world), header(&text)).await.is_err());
    assert!(world.tickets.consume(&globex, hash, World::NOW).await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn an_owners_ticket_opens_any_of_the_owners_gates() {
    let world = World::new();
    let text = ticket(&world, |ticket| ticket.binding = TicketBinding::AnyGateOfOwner).await;
    assert!(world.knock(&in_request(&world), header(&text)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_ticket_for_a_page_is_not_burned_by_another_page() {
    let world = World::new();
    let text = ticket(&world, |ticket| ticket.origin = Some("https://app.example".into())).await;
    let from =
        |origin: Option<&str>| Handshake { origin: origin.map(|origin| origin.as_bytes().to_vec()), ..header(&text) };
    let ladder = in_request(&world);
    for wrong in [Some("https://evil.example"), Some("http://app.example"), None] {
        assert!(world.knock(&ladder, from(wrong)).await.is_err(), "{wrong:?}");
    }
    assert!(world.knock(&ladder, from(Some("https://App.example"))).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_ticket_for_a_page_works_over_the_socket_too() {
    let world = World::new();
    let text = ticket(&world, |ticket| ticket.origin = Some("https://app.example".into())).await;
    let from = |origin: &str| Handshake { origin: Some(origin.as_bytes().to_vec()), ..World::handshake() };
    let mut evil = world.knock(&in_message(&world), from("https://evil.example")).await.unwrap();
    assert_eq!(sends(&mut evil, &text).await, "refused not_authenticated");
    let mut good = world.knock(&in_message(&world), from("https://app.example")).await.unwrap();
    assert_eq!(sends(&mut good, &text).await, "admitted member:bob");
}

#[tokio::test(start_paused = true)]
async fn a_page_may_redeem_a_ticket_that_was_made_for_no_page() {
    let world = World::new();
    let text = ticket(&world, |_| ()).await;
    let from_page = Handshake { origin: Some(b"https://app.example".to_vec()), ..header(&text) };
    assert!(world.knock(&in_request(&world), from_page).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn only_the_ways_that_the_owner_takes_are_looked_at() {
    let world = World::new();
    let text = ticket(&world, |_| ()).await;
    let ladder = in_request(&world);
    let (refusal, _) = world.knock(&ladder, shown(&text, TicketVia::Subprotocol)).await.err().unwrap();
    assert!(refusal.detail.contains("not taken here"), "{refusal}");
    assert!(world.knock(&ladder, header(&text)).await.is_ok(), "it was not burned");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_a_ticket_is_told_before_any_store_is_asked() {
    let world = World::new();
    let good = ticket(&world, |_| ()).await;
    let good = good.reveal_text("test").unwrap();
    let typo = format!("{}0", good.strip_suffix(|_: char| true).unwrap());
    for text in ["", "dwt_", "dwk_00", "x", &typo, &good.to_uppercase(), &format!("{good} "), &"d".repeat(5000)] {
        let (refusal, _) = world.knock(&in_request(&world), header(&Secret::from_text(text))).await.err().unwrap();
        assert!(!refusal.detail.contains("unknown, used"), "{refusal}");
        assert!(text.len() < 5 || !refusal.detail.contains(text), "the text is not repeated");
    }
    let (refusal, _) = world.knock(&in_request(&world), World::handshake()).await.err().unwrap();
    assert_eq!(refusal.detail, "there is no ticket");
}

#[tokio::test(start_paused = true)]
async fn by_default_a_ticket_comes_in_the_request_or_over_the_socket() {
    let world = World::new();
    let ladder = ladder(&world, json!({ "ticket": {} }));
    assert!(!ladder.is_decided_at_handshake());
    let text = ticket(&world, |_| ()).await;
    let mut peer = world.knock(&ladder, shown(&text, TicketVia::Subprotocol)).await.unwrap();
    peer.play("< admitted member:bob").await;
    let text = ticket(&world, |_| ()).await;
    let mut peer = world.knock(&ladder, World::handshake()).await.unwrap();
    assert_eq!(sends(&mut peer, &text).await, "admitted member:bob");
    let mut peer = world.knock(&ladder, header(&text)).await.unwrap();
    assert_eq!(sends(&mut peer, &text).await, "refused not_authenticated", "used in the request or in a message");
}

/// Tickets that come out whatever was asked for, as a store with a fault would give them.
struct Careless(Ticket);

impl Tickets for Careless {
    fn mint<'a>(&'a self, _: [u8; 32], _: Ticket) -> BoxFuture<'a, Result<(), PortError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn consume<'a>(
        &'a self,
        _: &'a OwnerId,
        _: [u8; 32],
        _: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Ticket>, PortError>> {
        Box::pin(std::future::ready(Ok(Some(self.0.clone()))))
    }
}

#[tokio::test(start_paused = true)]
async fn an_admission_is_as_new_as_the_login_that_its_ticket_was_made_by_where_that_is_known() {
    let site = SiteWorld::new().await;
    let [first, second] = [site.log_in(site.bob, 1, None).await, site.log_in(site.bob, 2, None).await];
    let opened = async |session: &Session| site.kept(session).await.opened;
    let [first, second] = [(first.rest(), opened(&first).await), (second.rest(), opened(&second).await)];
    assert!(Cursor::default() < first.1 && first.1 < second.1);
    let ladder = in_request(&site.world);
    for (rests_on, expected) in [
        (vec![second.0.clone()], second.1),
        (vec![second.0.clone(), first.0], first.1),
        (vec![second.0, Rest::on("sid", "of another site")], Cursor::default()),
        (vec![], Cursor::default()),
    ] {
        let text = ticket(&site.world, |ticket| ticket.rests_on = rests_on.clone()).await;
        let mut peer = site.world.knock(&ladder, header(&text)).await.unwrap();
        let admission = peer.play("< admitted member:bob").await.unwrap().admission.unwrap();
        assert_eq!(admission.newer_than(), expected, "{rests_on:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn expiry_and_origin_are_looked_at_again_when_the_ticket_is_there() {
    let world = World::new();
    let text = NewTicket::draw(world.rng.as_ref(), None).text;
    for (expires_at, origin, reason) in [
        (World::NOW, None, Some("has expired")),
        (later(1), Some("https://app.example"), Some("another origin")),
        (later(1), None, None),
    ] {
        let ticket = Ticket {
            owner: World::owner(),
            binding: TicketBinding::AnyGateOfOwner,
            origin: origin.map(str::to_owned),
            subject: World::member("bob"),
            rests_on: vec![],
            issued_at: World::NOW,
            expires_at,
        };
        let ports = Ports { tickets: Arc::new(Careless(ticket)), ..world.ports() };
        let ladder = Ladder::new(vec![rung(&ports, json!({ "ticket": { "via": ["header"] } }))]).unwrap();
        let refusal = world.knock(&ladder, header(&text)).await.err().map(|(refusal, _)| refusal.detail);
        match reason {
            Some(reason) => assert!(refusal.unwrap().contains(reason)),
            None => assert_eq!(refusal, None),
        }
    }
}
