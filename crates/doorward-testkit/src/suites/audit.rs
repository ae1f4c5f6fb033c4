use std::net::IpAddr;

use doorward_auth::{
    ports::{Audit, AuditQuery, AuditRecord, Outcome, Verdict},
    trail,
};
use doorward_types::{CloseReason, GateName, SocketId, Subject, Timestamp, TraceId};

use super::{acme, globex, member};

/// Everything that [`Audit`] promises.
pub async fn audit(port: &dyn Audit) {
    a_row_is_found_by_its_trace_as_it_was_recorded(port).await;
    an_unknown_trace_is_none(port).await;
    the_newest_rows_come_first_and_each_owner_sees_its_own(port).await;
    a_search_finds_what_it_asks_for_and_goes_on_where_it_stopped(port).await;
    what_happens_at_the_site_is_found_by_its_word_and_a_socket_by_its_id(port).await;
}

fn record(number: u8) -> AuditRecord {
    AuditRecord {
        trace: TraceId::from_bytes([number; 16]),
        at: Timestamp::from_millis(1_000_000_123 + u64::from(number)),
        took_ms: 17,
        owner: Some(acme()),
        gate: Some(GateName::new("fancy")),
        source: Some(IpAddr::from([192, 0, 2, 7])),
        subject: Some(member("bob")),
        outcome: Outcome::Admitted(SocketId::from_bytes([number; 16])),
        trail: vec![trail::RungTrail {
            rung: "any of ticket | jwt".into(),
            outcome: trail::Outcome::Hit,
            steps: vec![trail::Step {
                layer: "jwt".into(),
                step: "require signature".into(),
                verb: trail::Verb::Require,
                outcome: trail::Outcome::Hit,
                after_ms: 3,
                detail: None,
            }],
        }],
    }
}

fn refused(number: u8) -> AuditRecord {
    AuditRecord {
        subject: None,
        source: Some("2001:db8::7".parse().unwrap()),
        outcome: Outcome::Refused {
            reason: CloseReason::Expired,
            layer: "jwt".into(),
            step: "require time".into(),
            detail: "it expired at \"noon\" ☂".into(),
        },
        trail: vec![],
        ..record(number)
    }
}

fn readmitted(number: u8) -> AuditRecord {
    AuditRecord { outcome: Outcome::Readmitted(SocketId::from_bytes([number; 16])), ..record(number) }
}

/// Something of the operator's, on the machine itself.
fn happened(number: u8) -> AuditRecord {
    let outcome = Outcome::Happened { event: "not_before".into(), by: "the operator".into(), detail: "☂".into() };
    AuditRecord { owner: None, gate: None, source: None, subject: None, outcome, trail: vec![], ..record(number) }
}

async fn a_row_is_found_by_its_trace_as_it_was_recorded(port: &dyn Audit) {
    let hung_up = AuditRecord { outcome: Outcome::HungUp, ..record(3) };
    for row in [record(1), refused(2), hung_up, readmitted(4), happened(5)] {
        port.record(row.clone()).unwrap();
        port.flush().await.unwrap();
        assert_eq!(port.find(row.trace).await, Ok(Some(row)));
    }
}

async fn an_unknown_trace_is_none(port: &dyn Audit) {
    assert_eq!(port.find(TraceId::from_bytes([0xEE; 16])).await, Ok(None));
}

async fn the_newest_rows_come_first_and_each_owner_sees_its_own(port: &dyn Audit) {
    let theirs = |number| AuditRecord { owner: Some(globex()), ..record(number) };
    for row in [record(10), theirs(11), refused(12), theirs(13), record(14)] {
        port.record(row).unwrap();
    }
    port.flush().await.unwrap();
    assert_eq!(port.newest(None, 3).await, Ok(vec![record(14), theirs(13), refused(12)]));
    assert_eq!(port.newest(Some(&acme()), 2).await, Ok(vec![record(14), refused(12)]));
    assert_eq!(port.newest(Some(&globex()), 9).await, Ok(vec![theirs(13), theirs(11)]));
}

async fn what_happens_at_the_site_is_found_by_its_word_and_a_socket_by_its_id(port: &dyn Audit) {
    let ours = AuditRecord { owner: Some(acme()), ..happened(31) };
    for row in [record(30), ours.clone(), readmitted(30), happened(32)] {
        port.record(row).unwrap();
    }
    port.flush().await.unwrap();
    let since = |owner| AuditQuery { owner, since: Some(record(30).at), at_most: 9, ..AuditQuery::default() };
    let event = |owner| AuditQuery { event: Some("not_before".into()), ..since(owner) };
    assert_eq!(port.search(event(Some(acme()))).await, Ok(vec![ours.clone()]), "what is everybody's was an owner's");
    assert_eq!(port.search(event(None)).await, Ok(vec![happened(32), ours]));
    let other = AuditQuery { event: Some("logged_in".into()), ..since(None) };
    assert_eq!(port.search(other).await, Ok(vec![]));
    let socket = Some(SocketId::from_bytes([30; 16]));
    let found = port.search(AuditQuery { socket, ..since(None) }).await;
    assert_eq!(found, Ok(vec![readmitted(30), record(30)]));
    let again = AuditQuery { verdict: Some(Verdict::Readmitted), ..since(None) };
    assert_eq!(port.search(again).await, Ok(vec![readmitted(30)]));
}

async fn a_search_finds_what_it_asks_for_and_goes_on_where_it_stopped(port: &dyn Audit) {
    let acme = || AuditQuery { owner: Some(acme()), since: Some(record(20).at), at_most: 9, ..AuditQuery::default() };
    let elsewhere = AuditRecord { gate: Some(GateName::new("plain")), ..record(22) };
    let hung_up = AuditRecord {
        outcome: Outcome::HungUp,
        subject: Some(Subject { pk: "8".into(), ..member("eve") }),
        ..record(23)
    };
    let theirs = AuditRecord { owner: Some(globex()), ..record(24) };
    for row in [record(20), refused(21), elsewhere.clone(), hung_up.clone(), theirs] {
        port.record(row).unwrap();
    }
    port.flush().await.unwrap();
    let all = vec![hung_up.clone(), elsewhere.clone(), refused(21), record(20)];
    let bob = AuditRecord { subject: Some(Subject { uuid: "robert".into(), ..member("bob") }), ..record(0) };
    for (query, found) in [
        (acme(), all.clone()),
        (AuditQuery { since: Some(hung_up.at), ..acme() }, vec![hung_up.clone()]),
        (AuditQuery { gate: Some(GateName::new("plain")), ..acme() }, vec![elsewhere.clone()]),
        (AuditQuery { verdict: Some(Verdict::Refused), ..acme() }, vec![refused(21)]),
        (AuditQuery { verdict: Some(Verdict::HungUp), ..acme() }, vec![hung_up.clone()]),
        (AuditQuery { verdict: Some(Verdict::Admitted), ..acme() }, vec![elsewhere.clone(), record(20)]),
        (AuditQuery { layer: Some("jwt".into()), ..acme() }, vec![refused(21)]),
        (AuditQuery { layer: Some("totp".into()), ..acme() }, vec![]),
        (AuditQuery { subject: bob.subject, ..acme() }, vec![elsewhere, record(20)]),
        (AuditQuery { at_most: 2, ..acme() }, all[..2].to_vec()),
        (AuditQuery { before: Some(all[1].trace), ..acme() }, all[2..].to_vec()),
        (AuditQuery { before: Some(TraceId::from_bytes([0xEE; 16])), ..acme() }, vec![]),
    ] {
        assert_eq!(port.search(query.clone()).await, Ok(found), "{query:?}");
    }
}
