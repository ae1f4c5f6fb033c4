//! Replays the ladders of `conformance/` against the layers themselves, without any transport: they have to say what every
//! transcript has the gate say, up to the verdict.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a file that does not fit fails the test")]

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use doorward_auth::{
    Claimant, Climb, ClimbEvent, Handshake, Ladder, Refusal, Start,
    layers::{BuildContext, RungConfig, handshake::origin::Origins},
    memory::{ManualClock, MemoryAppKeys, MemorySite, MemoryTickets, MemoryUsedTokens},
    ports::{ANSWER_WITHIN, Clock, Ports, Rng, SitePorts},
    token::{Issuer, IssuerConfig},
};
use doorward_testkit::transcript::{self, Party, Said, Stores, Transcript};
use doorward_types::{CookieNames, Cursor, GateName, OwnerId, Secret, SocketId, TraceId};
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

/// The gate of a file, while it is climbed.
struct Gate {
    climb: Climb,
    backend: String,
    clock: Arc<ManualClock>,
    stores: Stores,
}

/// The gate of the file, about to be climbed, or why its handshake layers let nobody that far.
async fn begin(file: &Transcript) -> Result<Gate, Refusal> {
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
    let origins: Option<Vec<String>> = gate.get("origins").map(|origins| origins.clone().try_into().unwrap());
    let origins = Origins::read(origins.as_deref()).unwrap();

    let clock = Arc::new(ManualClock::at(file.clock));
    let rng = Arc::new(Pinned::default());
    let (tickets, app_keys) = (Arc::new(MemoryTickets::new()), Arc::new(MemoryAppKeys::new()));
    let site = SitePorts::of(&Arc::new(MemorySite::new(Some(tickets.clone()), Some(app_keys.clone()))));
    let ports = Ports {
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        rng: Arc::clone(&rng) as Arc<dyn Rng>,
        tickets: tickets.clone(),
        app_keys: app_keys.clone(),
        used_tokens: Arc::new(MemoryUsedTokens::new(Arc::clone(&clock) as Arc<dyn Clock>)),
        site: site.clone(),
        answer_within: ANSWER_WITHIN.duration(),
    };
    let stores = Stores { tickets, app_keys, site };
    stores.fill(file).await;
    let (authenticators, site_tools) = (BTreeMap::new(), file.site_tools());
    let context = BuildContext {
        owner: owner.clone(),
        ports,
        issuers: &issuers,
        kept_claims: Arc::new([]),
        authenticators: &authenticators,
        read_secret: &no_files,
        origins: &origins,
        on_expiry: doorward_auth::OnExpiry::Close,
        site: site_tools.as_ref(),
    };
    let ladder: Vec<RungConfig> = gate.get("ladder").unwrap().clone().try_into().unwrap();
    let rungs = ladder.iter().map(|rung| rung.build(&context).unwrap()).collect();
    let ladder = Arc::new(Ladder::new(rungs).unwrap());

    let name = GateName::new(gate.get("name").unwrap().as_str().unwrap());
    let handshake = handshake(file);
    let start = Start {
        trace: TraceId::from_bytes([1; 16]),
        claimant: Claimant::new(owner, name, handshake.source, handshake.secure, BTreeMap::new()),
        handshake,
        as_of: Cursor::default(),
        choose_within: Duration::from_secs(60),
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
    };
    rng.0.lock().unwrap().extend(&file.random);
    let climb = Climb::begin(ladder, start).await?;
    let backend = gate.get("backend").and_then(|backend| backend.as_table()).and_then(|backend| backend.keys().next());
    Ok(Gate { climb, backend: backend.unwrap().clone(), clock, stores })
}

/// The upgrade request of the file, as the edge reads it.
fn handshake(file: &Transcript) -> Handshake {
    let names = CookieNames::default();
    let cookie = |name: &str| {
        let pairs = file.header("Cookie")?.split("; ");
        pairs
            .filter_map(|pair| pair.split_once('='))
            .find(|(of, _)| *of == name)
            .map(|(_, text)| Secret::from_text(text))
    };
    Handshake {
        source: IpAddr::V4(Ipv4Addr::LOCALHOST),
        secure: true,
        host: "gate.example".into(),
        port: None,
        origin: file.header("Origin").map(Into::into),
        variables: BTreeMap::new(),
        bearer: None,
        ticket: None,
        session: cookie(&names.session),
        browser: cookie(&names.browser),
    }
}

impl Gate {
    /// What the gate says next, as JSON; and with a verdict how it closes.
    async fn says(&mut self) -> (String, Option<Said>) {
        match self.climb.next().await {
            ClimbEvent::Say(prompt) => (json::prompt(&prompt), None),
            ClimbEvent::Admitted(admission) => {
                let socket = SocketId::from_bytes([2; 16]);
                (json::admitted(socket, admission.subject(), &self.backend, admission.expires_at()), None)
            }
            ClimbEvent::Refused(refusal) => says_no(&refusal),
        }
    }
}

fn says_no(refusal: &Refusal) -> (String, Option<Said>) {
    let reason = refusal.close_reason();
    let close = Said::Close { code: reason.code(), reason: reason.name().to_owned() };
    (json::refused(reason, reason.reconnect().after(), TraceId::from_bytes([1; 16])), Some(close))
}

/// What a gate that is refused to at the handshake says: a status, or a frame for who asked for that.
fn replay_refused(name: &str, file: &Transcript, refusal: &Refusal) {
    let (message, close) = says_no(refusal);
    let message = serde_json::from_str(&message).unwrap();
    for turn in &file.turns {
        let place = format!("{name}.transcript, line {}", turn.line);
        match &turn.said {
            // The close codes from 4400 on are the HTTP statuses, 4000 higher.
            Said::Status(status) => assert_eq!(refusal.close_reason().code(), 4000 + status, "{place}"),
            Said::Message(expected) => assert!(transcript::fits(expected, &message), "{place}: {refusal}"),
            said => assert_eq!(Some(said), close.as_ref(), "{place}"),
        }
    }
}

async fn replay(name: &str, file: &Transcript, mut gate: Gate) {
    let mut closing = None;
    for turn in &file.turns {
        let place = format!("{name}.transcript, line {}", turn.line);
        match (turn.by, &turn.said) {
            (Party::Gate, Said::Message(expected)) => {
                let (said, close) = gate.says().await;
                let read: Value = serde_json::from_str(&said).unwrap();
                assert!(transcript::fits(expected, &read), "{place}: the gate said {said}");
                closing = close;
                if read.get("event").and_then(Value::as_str) == Some("admitted") {
                    break;
                }
            }
            (Party::Gate, said) => assert_eq!(closing.as_ref(), Some(said), "{place}"),
            (Party::Client, Said::Message(message)) => {
                let answer = json::answer(message.to_string().as_bytes()).unwrap();
                assert!(gate.climb.answer(answer).is_ok(), "{place}: nobody had asked");
            }
            (Party::Client, _) => panic!("{place}: the client leaves before the verdict"),
            (Party::World, Said::Clock(time)) => gate.clock.set(*time),
            (Party::World, what) => gate.stores.happen(what, gate.clock.now()).await,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_layers_say_what_every_transcript_has_the_gate_say() {
    for (name, file) in transcript::conformance().unwrap() {
        match begin(&file).await {
            Ok(gate) => {
                assert_eq!(file.refused_with(), None, "{name}.transcript");
                replay(&name, &file, gate).await;
            }
            Err(refusal) => replay_refused(&name, &file, &refusal),
        }
    }
}
