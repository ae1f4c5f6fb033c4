//! Replays the ladders of `conformance/` against the layers themselves, without any transport: they have to say what every
//! transcript has the gate say.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a file that does not fit fails the test")]

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_lc_rs::digest;
use doorward_auth::{
    Claimant, Climb, ClimbEvent, Handshake, Ladder, Start,
    layers::{BuildContext, RungConfig, handshake::origin::Origins},
    memory::{ManualClock, MemoryAppKeys, MemorySite, MemoryTickets, MemoryUsedTokens},
    ports::{ANSWER_WITHIN, AppKey, AppKeys, Clock, Ports, Rng, SitePorts, Ticket, TicketBinding, Tickets},
    token::{Issuer, IssuerConfig},
};
use doorward_testkit::transcript::{self, Party, Said, Transcript};
use doorward_types::{Cursor, GateName, KeyId, OwnerId, SocketId, Subject, Timestamp, TraceId};
use doorward_wire::json;
use serde_json::Value;

/// Gives the bytes of the file, and zeros before the climb begins and after the file's are used up.
#[derive(Default)]
struct Pinned(Mutex<Vec<u8>>);

impl Rng for Pinned {
    fn fill(&self, bytes: &mut [u8]) {
        let mut left = self.0.lock().unwrap();
        bytes.fill(0);
        for byte in bytes {
            if left.is_empty() {
                break;
            }
            *byte = left.remove(0);
        }
    }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap()
}

fn time(value: &Value, name: &str) -> Option<Timestamp> {
    value.get(name).and_then(Value::as_u64).map(Timestamp::from_millis)
}

fn subject(value: &Value) -> Subject {
    let of = |name| text(value.get("subject").unwrap(), name).to_owned();
    Subject { kind: of("kind"), pk: of("pk"), uuid: of("uuid") }
}

/// What the file says that the gate's store holds.
async fn fill(file: &Transcript, tickets: &MemoryTickets, app_keys: &MemoryAppKeys) {
    for (sort, value) in &file.store {
        let owner = OwnerId::new(text(value, "owner"));
        match sort.as_str() {
            "app_key" => {
                let digits = text(value, "public");
                let public = std::array::from_fn(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap());
                let key = AppKey {
                    owner,
                    id: KeyId::new(text(value, "id")),
                    public,
                    subject: subject(value),
                    created_at: time(value, "created_at").unwrap(),
                    revoked_at: time(value, "revoked_at"),
                };
                assert_eq!(app_keys.add(key).await, Ok(true));
            }
            "ticket" => {
                let hash = digest::digest(&digest::SHA256, text(value, "text").as_bytes());
                let ticket = Ticket {
                    owner,
                    binding: TicketBinding::Gate(GateName::new(text(value, "gate"))),
                    origin: None,
                    subject: subject(value),
                    rests_on: vec![],
                    issued_at: file.clock,
                    expires_at: time(value, "expires_at").unwrap(),
                };
                tickets.mint(hash.as_ref().try_into().unwrap(), ticket).await.unwrap();
            }
            sort => panic!("no store holds a {sort}"),
        }
    }
}

/// The gate of the file, about to be climbed; and what is behind it.
async fn begin(file: &Transcript) -> (Climb, String) {
    let config: toml::Table = file.gate.parse().unwrap();
    let first = |list: &str| config.get(list).and_then(|list| list.get(0)).cloned();
    let owner = OwnerId::new(first("owner").unwrap().get("name").unwrap().as_str().unwrap());
    let gate = first("gate").unwrap();
    let no_files = |_: &Path| Err("a transcript needs no files".to_owned());
    let issuers: BTreeMap<String, Arc<Issuer>> = first("issuer")
        .map(|issuer| issuer.try_into::<IssuerConfig>().unwrap())
        .map(|issuer| (issuer.name.clone(), Arc::new(Issuer::build(&issuer, &owner, &no_files).unwrap())))
        .into_iter()
        .collect();

    let clock = Arc::new(ManualClock::at(file.clock));
    let rng = Arc::new(Pinned::default());
    let (tickets, app_keys) = (Arc::new(MemoryTickets::new()), Arc::new(MemoryAppKeys::new()));
    fill(file, &tickets, &app_keys).await;
    let ports = Ports {
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        rng: Arc::clone(&rng) as Arc<dyn Rng>,
        tickets,
        app_keys,
        used_tokens: Arc::new(MemoryUsedTokens::new(Arc::clone(&clock) as Arc<dyn Clock>)),
        site: SitePorts::of(&Arc::new(MemorySite::default())),
        answer_within: ANSWER_WITHIN.duration(),
    };
    let authenticators = BTreeMap::new();
    let context = BuildContext {
        owner: owner.clone(),
        ports,
        issuers: &issuers,
        kept_claims: Arc::new([]),
        authenticators: &authenticators,
        read_secret: &no_files,
        origins: &Origins::SameHost,
        site: None,
    };
    let ladder: Vec<RungConfig> = gate.get("ladder").unwrap().clone().try_into().unwrap();
    let rungs = ladder.iter().map(|rung| rung.build(&context).unwrap()).collect();
    let ladder = Arc::new(Ladder::new(rungs).unwrap());

    let source = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let name = GateName::new(gate.get("name").unwrap().as_str().unwrap());
    let start = Start {
        trace: TraceId::from_bytes([1; 16]),
        handshake: Handshake {
            source,
            secure: true,
            host: "gate.example".into(),
            port: None,
            origin: None,
            variables: BTreeMap::new(),
            bearer: None,
            ticket: None,
            session: None,
            browser: None,
        },
        claimant: Claimant::new(owner, name, source, true, BTreeMap::new()),
        as_of: Cursor::default(),
        choose_within: Duration::from_secs(60),
        clock,
    };
    rng.0.lock().unwrap().extend(&file.random);
    let climb = Climb::begin(ladder, start).await.unwrap_or_else(|refusal| panic!("{refusal}"));
    let backend = gate.get("backend").and_then(|backend| backend.as_table()).and_then(|backend| backend.keys().next());
    (climb, backend.unwrap().clone())
}

/// What the gate says next, as JSON; and with a verdict how it closes.
async fn says(climb: &mut Climb, backend: &str) -> (String, Option<Said>) {
    match climb.next().await {
        ClimbEvent::Say(prompt) => (json::prompt(&prompt), None),
        ClimbEvent::Admitted(admission) => {
            let socket = SocketId::from_bytes([2; 16]);
            (json::admitted(socket, admission.subject(), backend, admission.expires_at()), None)
        }
        ClimbEvent::Refused(refusal) => {
            let reason = refusal.close_reason();
            let close = Said::Close { code: reason.code(), reason: reason.name().to_owned() };
            (json::refused(reason, Duration::ZERO, TraceId::from_bytes([1; 16])), Some(close))
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_layers_say_what_every_transcript_has_the_gate_say() {
    for (name, file) in transcript::conformance().unwrap() {
        let (mut climb, backend) = begin(&file).await;
        let mut closing = None;
        for turn in &file.turns {
            let place = format!("{name}.transcript, line {}", turn.line);
            match (turn.by, &turn.said) {
                (Party::Gate, Said::Message(expected)) => {
                    let (said, close) = says(&mut climb, &backend).await;
                    let read: Value = serde_json::from_str(&said).unwrap();
                    assert!(transcript::fits(expected, &read), "{place}: the gate said {said}");
                    closing = close;
                    if text(&read, "event") == "admitted" {
                        break;
                    }
                }
                (Party::Gate, close @ Said::Close { .. }) => assert_eq!(closing.as_ref(), Some(close), "{place}"),
                (Party::Client, Said::Message(message)) => {
                    let answer = json::answer(message.to_string().as_bytes()).unwrap();
                    assert!(climb.answer(answer).is_ok(), "{place}: nobody had asked");
                }
                (Party::Client, Said::Close { .. }) => panic!("{place}: the client leaves before the verdict"),
            }
        }
    }
}
