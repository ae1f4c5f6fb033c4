use std::{sync::Arc, time::Duration};

use doorward_auth::{
    memory::{ManualClock, MemoryAppKeys, MemoryAudit, MemoryTickets, MemoryUsedTokens},
    ports::{
        AppKey, AppKeys, Audit, AuditRecord, Clock, Outcome, Rng, SystemRng, Ticket, TicketBinding, Tickets, UsedTokens,
    },
};
use doorward_testkit::World;
use doorward_types::{KeyId, OwnerId, TraceId};

use crate::support::later;

fn globex() -> OwnerId {
    OwnerId::new("globex")
}

#[tokio::test]
async fn a_ticket_is_taken_out_once_by_its_owner_and_not_after_its_expiry() {
    let tickets = MemoryTickets::new();
    let ticket = Ticket {
        owner: World::owner(),
        binding: TicketBinding::AnyGateOfOwner,
        origin: None,
        subject: World::member("bob"),
        rests_on: vec![],
        issued_at: World::NOW,
        expires_at: later(30),
    };
    tickets.mint([1; 32], ticket.clone()).await.unwrap();
    assert_eq!(tickets.consume(&globex(), [1; 32], World::NOW).await, Ok(None));
    assert_eq!(tickets.consume(&World::owner(), [1; 32], World::NOW).await, Ok(Some(ticket.clone())));
    assert_eq!(tickets.consume(&World::owner(), [1; 32], World::NOW).await, Ok(None));
    tickets.mint([2; 32], ticket).await.unwrap();
    assert_eq!(tickets.consume(&World::owner(), [2; 32], later(30)).await, Ok(None));
    assert_eq!(tickets.consume(&World::owner(), [2; 32], World::NOW).await, Ok(None), "it does not come back");
}

#[tokio::test]
async fn a_used_token_is_known_to_its_owner_and_issuer_until_it_expires() {
    let clock = Arc::new(ManualClock::at(World::NOW));
    let used = MemoryUsedTokens::new(clock.clone());
    let acme = World::owner();
    assert_eq!(used.use_once(&acme, "a", "1", later(60)).await, Ok(true));
    assert_eq!(used.use_once(&acme, "a", "1", later(60)).await, Ok(false));
    assert_eq!(used.use_once(&acme, "b", "1", later(60)).await, Ok(true));
    assert_eq!(used.use_once(&globex(), "a", "1", later(60)).await, Ok(true));
    clock.advance(Duration::from_secs(59));
    assert_eq!(used.use_once(&acme, "a", "1", later(60)).await, Ok(false));
    clock.advance(Duration::from_secs(1));
    assert_eq!(used.use_once(&acme, "a", "1", later(120)).await, Ok(true), "the mark may be forgotten");
}

#[tokio::test]
async fn app_keys_are_listed_oldest_first_and_revoked_once() {
    let keys = MemoryAppKeys::new();
    let key = |id: &str, secs| AppKey {
        owner: World::owner(),
        id: KeyId::new(id),
        public: [7; 32],
        subject: World::member("bob"),
        created_at: later(secs),
        revoked_at: None,
    };
    for (id, secs) in [("b", 2), ("a", 1), ("c", 2)] {
        assert_eq!(keys.add(key(id, secs)).await, Ok(true));
    }
    assert_eq!(keys.add(key("a", 9)).await, Ok(false));
    assert_eq!(keys.add(AppKey { owner: globex(), ..key("a", 9) }).await, Ok(true));
    let ids: Vec<_> = keys.list(&World::owner()).await.unwrap().into_iter().map(|key| key.id.to_string()).collect();
    assert_eq!(ids, ["a", "b", "c"]);
    let (owner, id) = (World::owner(), KeyId::new("a"));
    assert_eq!(keys.revoke(&owner, &id, later(5)).await, Ok(true));
    assert_eq!(keys.revoke(&owner, &id, later(6)).await, Ok(false));
    assert_eq!(keys.find(&owner, &id).await.unwrap().unwrap().revoked_at, Some(later(5)));
    assert_eq!(keys.find(&globex(), &id).await.unwrap().unwrap().revoked_at, None);
    assert_eq!(keys.revoke(&owner, &KeyId::new("x"), later(5)).await, Ok(false));
}

#[tokio::test]
async fn the_audit_log_keeps_the_newest_rows() {
    let audit = MemoryAudit::keeping(3);
    let row = |trace: u8, owner: OwnerId| AuditRecord {
        trace: TraceId::from_bytes([trace; 16]),
        at: World::NOW,
        took_ms: 1,
        owner: Some(owner),
        gate: Some(World::gate()),
        source: Some(World::handshake().source),
        subject: None,
        outcome: Outcome::HungUp,
        trail: vec![],
    };
    for trace in 1..=4 {
        audit.record(row(trace, if trace == 3 { globex() } else { World::owner() })).unwrap();
    }
    audit.flush().await.unwrap();
    assert_eq!(audit.find(TraceId::from_bytes([1; 16])).await, Ok(None));
    assert!(audit.find(TraceId::from_bytes([2; 16])).await.unwrap().is_some());
    let traces = |rows: Vec<AuditRecord>| rows.iter().map(|row| row.trace.as_bytes()[0]).collect::<Vec<_>>();
    assert_eq!(traces(audit.newest(None, 2).await.unwrap()), [4, 3]);
    assert_eq!(traces(audit.newest(Some(&World::owner()), 9).await.unwrap()), [4, 2]);
}

#[test]
fn the_systems_random_numbers_differ_and_a_clock_goes_where_it_is_set() {
    let rng: &dyn Rng = &SystemRng;
    assert_ne!(rng.bytes32(), rng.bytes32());
    let clock = ManualClock::at(World::NOW);
    clock.advance(Duration::from_secs(5));
    assert_eq!(clock.now(), later(5));
    clock.set(World::NOW);
    assert_eq!(clock.now(), World::NOW);
}
