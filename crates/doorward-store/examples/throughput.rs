//! How many single uses, logins, endings and audit rows the store takes in a second, each on disk before it is answered, and
//! what one costs.
//!
//! `cargo run --release -p doorward-store --example throughput [FOLDER]`; the folder decides which disk is measured.
#![expect(clippy::print_stdout, reason = "this is a program that prints figures")]

use std::{error::Error, fs, net::IpAddr, sync::Arc, time::Duration};

use doorward_auth::{
    ports::{
        Account, Accounts, Attempt, Audit, AuditRecord, Created, Ending, NewAccount, Outcome, Reserved, Revocations,
        Role, Session, Sessions, Throttle, Ticket, TicketBinding, Tickets, UsedTokens, What, Why,
    },
    trail,
};
use doorward_store::Store;
use doorward_testkit::{beginning, login_of};
use doorward_types::{CloseReason, GateName, OwnerId, Rest, Secret, SessionId, Subject, Timestamp, TraceId};
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
    for callers in [1, 16, 256] {
        measure_a_site(&store, callers).await?;
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

/// What one login costs the store from the first guess to the logout.
async fn measure_a_site(store: &Arc<Store>, callers: u64) -> Result<(), Failure> {
    let new = NewAccount {
        owner: OwnerId::new("acme"),
        username: format!("bob {callers}"),
        unique: format!("bob {callers}"),
        role: Role::User,
        password: Secret::from_text("$argon2id$"),
        invitation: None,
        at: NOW,
    };
    let Created::Account(account) = store.create(new).await? else { return Err("there is a bob".into()) };
    let tried = Arc::clone(store);
    measure(&format!("reserve a try, right, {callers} at once"), callers, ROUNDS, move |number| {
        let store = Arc::clone(&tried);
        async move {
            let [a, b, c, d, e, f, g, h] = number.to_be_bytes().map(u16::from);
            let attempt = Attempt {
                owner: OwnerId::new("acme"),
                factor: "password",
                subject: hash(number),
                device: None,
                source: IpAddr::from([a << 8 | b, c << 8 | d, e << 8 | f, g << 8 | h, 0, 0, 0, 0]),
                at: NOW,
            };
            match store.reserve(attempt).await? {
                Reserved::Go(attempt) => Ok(store.was_right(attempt).await?),
                Reserved::Wait(_) | Reserved::Disabled => Err("a first try has to wait".into()),
            }
        }
    })
    .await?;
    let opened = Arc::clone(store);
    measure(&format!("open a login, {callers} at once"), callers, ROUNDS, move |number| {
        let (store, account) = (Arc::clone(&opened), account.clone());
        async move {
            let session = login(&account, sid(callers, number));
            let as_of = *store.appended().borrow();
            store
                .open(beginning(session, Some(hash(callers << 32 | number)), as_of))
                .await?
                .map(|_| ())
                .ok_or_else(|| "the login did not begin".into())
        }
    })
    .await?;
    let found = Arc::clone(store);
    measure(&format!("find a login, {callers} at once"), callers, ROUNDS, move |number| {
        let store = Arc::clone(&found);
        async move {
            let found = Sessions::find(&*store, &OwnerId::new("acme"), hash(callers << 32 | number), NOW).await?;
            found.map(|_| ()).ok_or_else(|| "the login was not there".into())
        }
    })
    .await?;
    let ended = Arc::clone(store);
    measure(&format!("end a login, {callers} at once"), callers, ROUNDS, move |number| {
        let store = Arc::clone(&ended);
        async move {
            let what = What::Rest(Rest::on("sid", sid(callers, number).to_string()));
            let ending = Ending { owner: Some(OwnerId::new("acme")), what, why: Why::LoggedOut, change: None, at: NOW };
            Ok(store.end(ending).await.map(|_| ())?)
        }
    })
    .await
}

fn sid(callers: u64, number: u64) -> SessionId {
    SessionId::from_bytes((u128::from(callers) << 64 | u128::from(number)).to_be_bytes())
}

fn login(account: &Account, sid: SessionId) -> Session {
    Session {
        browser: Some([7; 32]),
        agent: "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0".into(),
        ..login_of(account, sid, NOW)
    }
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
        owner: Some(OwnerId::new("acme")),
        gate: Some(GateName::new("fancy")),
        source: Some(IpAddr::from([192, 0, 2, 7])),
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
