//! What Prometheus reads of a door: every number follows what happens, and is in the documentation.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Duration,
};

use doorward_testkit::tokens::TestKey;
use doorward_types::{GateName, OwnerId};
use serde_json::json;

use crate::{
    carrier::Carrier,
    issuer_keys::FETCHED,
    peer::{Peer, auth},
    world::{CHAT, World},
};

/// The value of a line of the text, by its name and labels as they stand there; 0 where there is none.
fn value(text: &str, series: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.map_or(0.0, |value| value.parse().unwrap())
}

fn text(world: &World) -> String {
    world.door.metrics().text(&world.door)
}

/// A world in which each thing that is counted has happened once.
async fn eventful() -> (World, Peer) {
    let chat = CHAT.replace("jwt = {}", "jwt = { issuer = \"site\" }");
    let world = World::of(Carrier::Memory, &format!("{chat}{FETCHED}")).await;
    let mut unknown = world.peer("/talk").await;
    let nobodys = TestKey::ed25519().sign(&json!({ "alg": "EdDSA", "typ": "JWT" }), &json!({}));
    unknown.json(auth("jwt", "token", &nobodys)).await;
    assert_eq!(unknown.closes().await, [1013]);
    let mut stays = world.admitted("/chat", &world.token("7", json!({}))).await;
    let mut ends = world.admitted("/chat", &world.token("8", json!({}))).await;
    world.end("subject=member:8").await;
    assert_eq!(ends.closes().await, [4410]);
    drop(world.peer("/chat").await);
    let mut refused = world.peer("/chat").await;
    refused.json(auth("jwt", "token", "nonsense")).await;
    refused.closes().await;
    assert!(world.knock("/nowhere", "").await.is_err());
    world.log.fill();
    let mut unwritten = world.peer("/chat").await;
    unwritten.json(auth("jwt", "token", &world.token("9", json!({})))).await;
    unwritten.closes().await;
    // Everybody who is gone has been let go.
    assert!(stays.hears_nothing().await);
    world.door.metrics().throttled("password");
    world.door.metrics().emitted(&OwnerId::new("acme"), &GateName::new("chat"));
    world.door.metrics().lease_age_from(|| Some(Duration::from_millis(1500)));
    (world, stays)
}

#[tokio::test(start_paused = true)]
async fn what_happens_at_a_gate_is_counted_by_gate_layer_and_reason() {
    let (world, _stays) = eventful().await;
    let text = text(&world);
    let at = r#"owner="acme",gate="chat""#;
    for (series, expected) in [
        (format!("doorward_admissions_total{{{at}}}"), 2.0),
        (format!("doorward_hang_ups_total{{{at}}}"), 1.0),
        (format!(r#"doorward_refusals_total{{{at},layer="jwt",reason="not_authenticated"}}"#), 1.0),
        (format!(r#"doorward_sockets{{{at},state="active"}}"#), 1.0),
        ("doorward_climbing".into(), 0.0),
        ("doorward_gates".into(), 3.0),
        (r#"doorward_issuer_keys{owner="acme",issuer="idp"}"#.into(), 0.0),
        (r#"doorward_issuer_key_fetches_total{owner="acme",issuer="idp",outcome="failed"}"#.into(), 1.0),
        (r#"doorward_turned_away_total{reason="no_gate"}"#.into(), 1.0),
        (r#"doorward_sockets_ended_total{reason="session_ended"}"#.into(), 1.0),
        (r#"doorward_sockets_ended_total{reason="hung_up"}"#.into(), 1.0),
        ("doorward_revocation_latency_seconds_count".into(), 1.0),
        (r#"doorward_revocation_latency_seconds_bucket{le="1.0"}"#.into(), 1.0),
        ("doorward_audit_rows_refused_total".into(), 1.0),
        ("doorward_audit_taking".into(), 0.0),
        (format!("doorward_emitted_events_total{{{at}}}"), 1.0),
        (r#"doorward_throttle_hits_total{factor="password"}"#.into(), 1.0),
        ("doorward_lease_age_seconds".into(), 1.5),
        (format!(r#"doorward_build_info{{version="{}"}}"#, env!("CARGO_PKG_VERSION")), 1.0),
    ] {
        assert!((value(&text, &series) - expected).abs() < 1e-9, "{series} is not {expected}\n{text}");
    }
    assert!(text.ends_with("# EOF\n"));
}

#[tokio::test(start_paused = true)]
async fn no_label_holds_what_a_peer_has_sent() {
    let world = World::of(Carrier::Memory, CHAT).await;
    let canary = "c4n4ry";
    let subject = format!("{canary}-who");
    let mut peer = world.admitted("/chat", &world.token(&subject, json!({ "jti": canary }))).await;
    peer.say(canary).await;
    peer.closes().await;
    let mut refused = world.peer("/chat").await;
    refused.json(auth("jwt", "token", canary)).await;
    refused.closes().await;
    let _no_gate = world.knock(&format!("/{canary}?{canary}"), &format!("Origin: https://{canary}\r\n")).await;
    let text = text(&world);
    assert!(value(&text, r#"doorward_turned_away_total{reason="no_gate"}"#) > 0.0);
    assert!(!text.contains(canary), "{text}");
}

#[tokio::test(start_paused = true)]
async fn without_a_lease_there_is_no_age_of_one() {
    let world = World::of(Carrier::Memory, CHAT).await;
    assert!(!text(&world).contains("lease"));
    world.door.metrics().lease_age_from(|| None);
    assert!(!text(&world).contains("lease"), "it has not been confirmed yet");
}

/// A row of the table: name, type, labels, help.
fn rows(text: &str) -> Vec<String> {
    let mut families: Vec<(String, String, String)> = Vec::new();
    let mut labels = BTreeMap::<String, BTreeSet<String>>::new();
    for line in text.lines() {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some("HELP"), Some(name), Some(help)) => {
                families.push((name.to_owned(), String::new(), help.to_owned()));
            }
            (Some("#"), Some("TYPE"), Some(name), Some(kind)) => {
                let family = families.iter_mut().find(|(known, ..)| known == name).unwrap();
                kind.clone_into(&mut family.1);
            }
            (Some(series), ..) => {
                let Some((name, in_braces)) = series.split_once('{') else { continue };
                let names = in_braces.trim_end_matches('}').split(',').filter_map(|label| label.split('=').next());
                labels.entry(name.to_owned()).or_default().extend(names.map(str::to_owned));
            }
            _ => {}
        }
    }
    let row = |(name, kind, help): (String, String, String)| {
        let name = match kind.as_str() {
            "counter" => format!("{name}_total"),
            "info" => format!("{name}_info"),
            _ => name,
        };
        let of = labels.get(&name).cloned().unwrap_or_default();
        let of = of.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
        format!("| `{name}` | {} | {of} | {help} |", if kind == "info" { "gauge" } else { &kind })
    };
    families.into_iter().map(row).collect()
}

/// With `UPDATE_DOCS=1` in the environment it writes the table instead.
#[tokio::test(start_paused = true)]
async fn the_table_of_metrics_in_the_documentation_is_up_to_date() {
    let (world, _stays) = eventful().await;
    let table = rows(&text(&world)).join("\n");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/metrics.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once("| --- | --- | --- | --- |\n").unwrap();
    let (written, after) = rest.split_once("\n\n").unwrap();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{before}| --- | --- | --- | --- |\n{table}\n\n{after}")).unwrap();
        return;
    }
    assert_eq!(written, table, "`UPDATE_DOCS=1 cargo test -p doorward-server metrics` writes it");
}
