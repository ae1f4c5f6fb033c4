//! The operator's side: what the command line asks of a door that runs, over the socket that it really uses.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::IpAddr,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use doorward_auth::{Claimant, Climb, ClimbEvent, Ladder, Start, ports::Outcome};
use doorward_backends::echo::Echo;
use doorward_server::control::{self, Request};
use doorward_session::{AnyStream, Backend, Line, SocketPolicy, Transport};
use doorward_testkit::World as Kit;
use doorward_types::{GateName, OwnerId, Rest};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    net::UnixStream,
    task::spawn_blocking,
    time::timeout,
};

use crate::{
    commands::{Said, run},
    world::{CHAT, Carrier, SITE, World},
};

/// A door, and a folder from which the command line finds it.
struct Operated {
    world: World,
    folder: TempDir,
}

impl Operated {
    async fn door() -> Self {
        Self::door_of(CHAT).await
    }

    async fn door_of(gates: &str) -> Self {
        let world = World::of(Carrier::Tcp, gates).await;
        let folder = tempfile::tempdir().unwrap();
        let text = format!("{SITE}{gates}\n[[owner]]\nname = \"other\"\n")
            .replace("[store]", "[store]\ncontrol = \"control.sock\"")
            .replace("[[issuer]]", "[[issuer]]\nowner = \"acme\"")
            .replace("[[gate]]", "[[gate]]\nowner = \"acme\"");
        fs::write(folder.path().join("doorward.toml"), text).unwrap();
        let operated = Self { world, folder };
        tokio::spawn(control::serve(&operated.socket(), Arc::clone(&operated.world.door)).unwrap());
        operated
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("control.sock")
    }

    async fn ask(&self, request: Request) -> Value {
        control::ask(&self.socket(), &request).await.unwrap()
    }

    /// What the program itself says, in a process of its own.
    async fn command(&self, arguments: &'static [&'static str]) -> Said {
        let folder = self.folder.path().to_owned();
        spawn_blocking(move || run(&folder, arguments)).await.unwrap()
    }

    /// Lets so many in at the gate `crowd` of an owner, over pipes in memory, and gives the far ends.
    async fn crowd(&self, owner: &str, count: usize) -> Vec<DuplexStream> {
        let kit = Kit::new();
        let (ladder, policy) = (Arc::new(Ladder::open_to_everyone()), Arc::new(SocketPolicy::default()));
        let mut far_ends = Vec::new();
        for _ in 0..count {
            let gate = GateName::new("crowd");
            let source = IpAddr::from([127, 0, 0, 1]);
            let claimant = Claimant::new(OwnerId::new(owner), gate.clone(), source, true, BTreeMap::new());
            let start = Start { claimant, ..kit.start(Kit::handshake(), gate) };
            let mut climb = Climb::begin(Arc::clone(&ladder), start).await.unwrap();
            let ClimbEvent::Admitted(admission) = climb.next().await else { panic!("the gate is open") };
            let (near, far) = duplex(64);
            let transport: Arc<dyn Transport> = Arc::new(AnyStream::new(near));
            let sockets = self.world.door.sockets();
            let socket = sockets.register(admission, Arc::clone(&transport), Arc::clone(&policy)).unwrap();
            tokio::spawn(Arc::new(Echo).serve(socket, Line::new(transport, Vec::new(), 4096)));
            far_ends.push(far);
        }
        far_ends
    }
}

fn list(owner: Option<&str>, at_most: usize) -> Request {
    Request::ListSockets { owner: owner.map(str::to_owned), at_most }
}

/// The ids in an answer: a list has them in documents, a receipt as they are.
fn ids(answer: &Value) -> BTreeSet<&str> {
    let sockets = answer["sockets"].as_array().unwrap().iter();
    sockets.map(|socket| socket.get("socket").unwrap_or(socket).as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_sockets_are_listed_and_ended_and_others_are_answered_meanwhile() {
    let operated = Operated::door().await;
    let _ours = operated.crowd("acme", 9_000).await;
    let _theirs = operated.crowd("other", 1_000).await;

    // One asks for all of them and takes nothing, one sends without end: neither keeps the others waiting.
    let mut takes_nothing = UnixStream::connect(operated.socket()).await.unwrap();
    takes_nothing.write_all(&serde_json::to_vec(&list(None, usize::MAX)).unwrap()).await.unwrap();
    takes_nothing.shutdown().await.unwrap();
    let mut endless = UnixStream::connect(operated.socket()).await.unwrap();
    let _cut = endless.write_all(&vec![b'{'; 4 << 20]).await;
    assert_eq!(operated.ask(Request::Health {}).await["sockets"], 10_000);

    let all = operated.ask(list(None, usize::MAX)).await;
    assert_eq!((ids(&all).len(), &all["total"]), (10_000, &json!(10_000)));
    let some = operated.ask(list(Some("acme"), 100)).await;
    assert_eq!((ids(&some).len(), &some["total"]), (100, &json!(9_000)));
    let told = operated.command(&["sockets", "list"]).await.well();
    assert!(told.ends_with("\n100 of 10000; `--all` shows them all"), "{}", &told[told.len() - 100..]);
    let told = operated.command(&["sockets", "list", "--all", "--owner", "other"]).await.well();
    assert_eq!((told.lines().count(), told.lines().last()), (1_002, Some("1000 of 1000")));

    let ended = operated.command(&["sockets", "end", "gate=crowd", "--owner", "other", "--json"]).await.json();
    assert_eq!((&ended["ended"], ids(&ended).len()), (&json!(1_000), 1_000));
    let ended = operated.command(&["sockets", "end", "gate=crowd", "--json"]).await.json();
    assert_eq!((&ended["ended"], ids(&ended).len()), (&json!(9_000), 9_000));
    assert!(ids(&ended).is_subset(&ids(&all)));
    assert!(operated.world.door.sockets().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_operator_ends_is_written_down_once_with_whose_it_was_and_what_was_not_there_is_not() {
    let operated = Operated::door().await;
    let world = &operated.world;
    let (token, other) = (world.token("7", json!({})), world.token("8", json!({})));
    let _sockets = [
        world.admitted("/chat", &token).await,
        world.admitted("/chat", &world.token("7", json!({}))).await,
        world.admitted("/chat", &other).await,
    ];
    let _crowds = [operated.crowd("acme", 3).await, operated.crowd("other", 2).await];
    let listed = operated.ask(list(None, 99)).await;
    let of_8 = listed["sockets"].as_array().unwrap().iter().find(|socket| socket["subject"] == "member:8").unwrap();
    let of_8 = of_8["socket"].as_str().unwrap().to_owned();
    for what in ["subject=member:7", "subject=member:7", &of_8, &of_8, "gate=crowd", "jti=gone"] {
        world.end(what).await;
    }
    let mut told = Vec::new();
    for row in world.rows().await {
        if let Outcome::Happened { event, by, detail } = row.outcome {
            assert_eq!(by, "the operator, on the command line");
            let [owner, whose] = [row.owner.map(|it| it.to_string()), row.subject.map(|it| it.to_string())];
            told.push((event, detail, owner.unwrap_or_default(), whose.unwrap_or_default()));
        }
    }
    let row = |event: &str, detail: &str, owner: &str, whose: &str| {
        (event.to_owned(), detail.to_owned(), owner.to_owned(), whose.to_owned())
    };
    let expected = [
        row("rest_ended", "what rests on subject=member:7", "acme", "member:7"),
        row("socket_ended", &format!("socket {of_8}"), "acme", "member:8"),
        // Of two owners, so of no one's.
        row("rest_ended", "what rests on gate=crowd", "", ""),
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn a_long_answer_comes_in_lines_of_a_bounded_length() {
    let operated = Operated::door().await;
    let _crowd = operated.crowd("acme", 1_000).await;
    let mut stream = UnixStream::connect(operated.socket()).await.unwrap();
    stream.write_all(&serde_json::to_vec(&list(None, usize::MAX)).unwrap()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let lines: Vec<Value> = answer.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let items = |line: &Value| line["part"]["items"].as_array().map_or(0, Vec::len);
    assert_eq!(lines.iter().map(items).collect::<Vec<_>>(), [256, 256, 256, 232, 0]);
    assert_eq!(lines[4], json!({ "ok": { "failing_open": [], "sockets": [], "total": 1_000 } }));
}

#[tokio::test]
async fn an_owner_is_told_of_its_own_alone() {
    let operated = Operated::door().await;
    let _ours = operated.crowd("acme", 3).await;
    let _theirs = operated.crowd("other", 2).await;
    let own = operated.ask(list(Some("other"), 1)).await;
    assert_eq!((own["sockets"].as_array().unwrap().len(), &own["total"]), (1, &json!(2)));
    assert_eq!(own["sockets"][0]["owner"], "other");
    assert_eq!(operated.ask(list(Some("nobody"), 9)).await, json!({ "failing_open": [], "sockets": [], "total": 0 }));

    let _somebody = operated.world.admitted("/chat", &operated.world.token("7", json!({}))).await;
    let trace = operated.world.rows().await[0].trace.to_string();
    let why = |owner: Option<&str>, trace: &str| {
        let request = Request::Why { owner: owner.map(str::to_owned), trace: trace.to_owned() };
        let socket = operated.socket();
        async move { control::ask(&socket, &request).await.map_err(|error| error.to_string()) }
    };
    assert_eq!(why(Some("acme"), &trace).await.unwrap(), why(None, &trace).await.unwrap());
    let of_another = why(Some("other"), &trace).await.unwrap_err();
    let nothing = "0".repeat(32);
    assert_eq!(of_another.replace(&trace, &nothing), why(Some("other"), &nothing).await.unwrap_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_socket_rests_on_is_an_error_that_names_what_they_rest_on() {
    let operated = Operated::door().await;
    let _crowd = operated.crowd("acme", 1).await;
    let (code, error) = operated.command(&["sockets", "end", "colour=red"]).await.failed();
    assert_eq!(code, 1);
    assert!(error.starts_with("no socket rests on a `colour`"), "{error}");
    let (_, unreadable) = operated.command(&["sockets", "end", "red"]).await.failed();
    for kind in Rest::KINDS {
        assert!(error.contains(&format!("`{kind}`")) && unreadable.contains(&format!("`{kind}`")), "{kind}");
    }
    // Of what is known there may be none.
    assert_eq!(operated.command(&["sockets", "end", "jti=gone"]).await.well(), "0 ended within 0 ms");
    assert_eq!(operated.world.door.sockets().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gate_that_fails_open_is_shown_wherever_the_state_of_the_server_is() {
    let gates = format!(
        "{CHAT}\n[[gate]]\nname = \"loose\"\npath = \"/loose\"\nopen = true\nbackend = {{ echo = {{}} }}\nfail = \"open\"\n"
    );
    let operated = Operated::door_of(&gates).await;
    let shown = "`fail = \"open\"`, so that sockets may outlive their logins: acme/loose";
    assert!(operated.command(&["health"]).await.well().contains(shown));
    let health = operated.command(&["health", "--json"]).await;
    assert_eq!(serde_json::from_str::<Value>(&health.out).unwrap()["failing_open"], json!(["acme/loose"]));
    assert!(operated.command(&["sockets", "list"]).await.well().starts_with(shown));
    let other = operated.command(&["sockets", "list", "--owner", "other"]).await;
    assert!(!other.well().contains("loose"), "another owner hears of it");
    let metrics = operated.world.door.metrics().text(&operated.world.door);
    assert!(metrics.contains("doorward_gates_failing_open 1\n"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_going_down_says_so_and_is_not_well() {
    let operated = Operated::door().await;
    let _crowd = operated.crowd("acme", 1).await;
    assert!(operated.command(&["health"]).await.well().starts_with("ok: 1 socket,"));
    let door = Arc::clone(&operated.world.door);
    let mut draining = Box::pin(door.drain(Duration::from_secs(3600)));
    assert!(timeout(Duration::ZERO, &mut draining).await.is_err(), "somebody is there");
    let said = operated.command(&["health"]).await;
    assert_eq!(said.code, Some(1));
    assert!(said.out.starts_with("draining: 1 socket,"), "{said:?}");
    let said = operated.command(&["health", "--json"]).await;
    assert_eq!(said.code, Some(1), "a script is told twice: {said:?}");
    assert_eq!(serde_json::from_str::<Value>(&said.out).unwrap()["status"], "draining");
}
