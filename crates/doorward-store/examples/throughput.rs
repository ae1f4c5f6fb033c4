//! How many single uses and audit rows the store takes in a second, each on disk before it is answered, and what one costs.
//!
//! `cargo run --release -p doorward-store --example throughput [FOLDER]`; the folder decides which disk is measured.
#![expect(clippy::print_stdout, reason = "this is a program that prints figures")]

use std::{error::Error, fs, net::IpAddr, sync::Arc, time::Duration};

use doorward_auth::{
    ports::{Audit, AuditRecord, Outcome, Ticket, TicketBinding, Tickets, UsedTokens},
    trail,
};
use doorward_store::Store;
use doorward_types::{CloseReason, GateName, OwnerId, Subject, Timestamp, TraceId};
use tokio::{task::JoinSet, time::Instant};

const NOW: Timestamp = Timestamp::from_secs(1_000_000);
const ROUNDS: u64 = 200;

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    let path = format!("{folder}/throughput-{}.db", std::process::id());
    let store = Arc::new(Store::open(&path)?);
    println!("{:<34} {:>10} {:>14}", "", "per second", "CPU us for one");
    for callers in [1, 16, 256] {
        let rounds = if callers == 1 { 4 * ROUNDS } else { ROUNDS };
        let minted = Arc::clone(&store);
        measure(&format!("mint a ticket, {callers} at once"), callers, rounds, move |number| {
            let store = Arc::clone(&minted);
            async move { Ok(store.mint(hash(number), ticket()).await?) }
        })
        .await?;
        let consumed = Arc::clone(&store);
        measure(&format!("consume a ticket, {callers} at once"), callers, rounds, move |number| {
            let store = Arc::clone(&consumed);
            async move {
                let ticket = store.consume(&OwnerId::new("acme"), hash(number), NOW).await?;
                ticket.map(|_| ()).ok_or_else(|| "the ticket was not there".into())
            }
        })
        .await?;
        let used = Arc::clone(&store);
        measure(&format!("use a token id, {callers} at once"), callers, rounds, move |number| {
            let store = Arc::clone(&used);
            async move {
                let id = format!("{callers}-{number}");
                store.use_once(&OwnerId::new("acme"), "https://id.example", &id, NOW).await.map(|_| ())?;
                Ok(())
            }
        })
        .await?;
    }
    let recorded = Arc::clone(&store);
    measure("record a climb of 3 rungs", 1, 50_000, move |number| {
        let store = Arc::clone(&recorded);
        async move {
            while store.record(row(number)).is_err() {
                store.flush().await?;
            }
            Ok(())
        }
    })
    .await?;
    drop(store);
    for end in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(format!("{path}{end}"));
    }
    Ok(())
}

/// Runs `rounds` of `one` for each of `callers` side by side, and prints what that took.
async fn measure<F>(
    what: &str,
    callers: u64,
    rounds: u64,
    one: impl Fn(u64) -> F + Clone + Send + 'static,
) -> Result<(), Failure>
where
    F: Future<Output = Result<(), Failure>> + Send,
{
    let (began, cpu) = (Instant::now(), cpu_time());
    let mut running = JoinSet::new();
    for caller in 0..callers {
        let one = one.clone();
        running.spawn(async move {
            for round in 0..rounds {
                one(caller * rounds + round).await?;
            }
            Ok::<_, Failure>(())
        });
    }
    while let Some(done) = running.join_next().await {
        done??;
    }
    let (took, cpu) = (began.elapsed(), cpu_time().saturating_sub(cpu));
    let count = callers * rounds;
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let count = count as f64;
    println!("{what:<34} {:>10.0} {:>14.1}", count / took.as_secs_f64(), cpu.as_secs_f64() * 1e6 / count);
    Ok(())
}

/// What this process has used of the processors so far, where the system says so.
fn cpu_time() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 = after_name.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

fn hash(number: u64) -> [u8; 32] {
    let mut hash = [0; 32];
    hash[..8].copy_from_slice(&number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes());
    hash
}

fn bob() -> Subject {
    Subject { kind: "member".into(), pk: "7".into(), uuid: "bob".into() }
}

fn ticket() -> Ticket {
    Ticket {
        owner: OwnerId::new("acme"),
        binding: TicketBinding::Gate(GateName::new("fancy")),
        origin: Some("https://app.example".into()),
        subject: bob(),
        rests_on: vec![],
        issued_at: NOW,
        expires_at: NOW.plus(Duration::from_secs(30)),
    }
}

fn row(number: u64) -> AuditRecord {
    let step = |step: &'static str| trail::Step {
        layer: "app_key".into(),
        step: step.into(),
        verb: trail::Verb::Require,
        outcome: trail::Outcome::Hit,
        after_ms: 12,
        detail: None,
    };
    let rung = trail::RungTrail {
        rung: "app_key".into(),
        outcome: trail::Outcome::Hit,
        steps: vec![step("user sends key"), step("user sends proof"), step("require proof")],
    };
    AuditRecord {
        trace: TraceId::from_bytes(u128::from(number).to_be_bytes()),
        at: NOW,
        took_ms: 40,
        owner: OwnerId::new("acme"),
        gate: GateName::new("fancy"),
        source: IpAddr::from([192, 0, 2, 7]),
        subject: Some(bob()),
        outcome: Outcome::Refused {
            reason: CloseReason::NotAuthenticated,
            layer: "app_key".into(),
            step: "require proof".into(),
            detail: "the proof does not fit".into(),
        },
        trail: vec![rung; 3],
    }
}
