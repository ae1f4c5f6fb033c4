use std::{collections::BTreeMap, path::Path, time::Duration};

use doorward_auth::{
    account::{KeyEncryptionKey, Password, PasswordUse, Username, Work},
    memory::MemoryAudit,
    ports::{Account, Clock, Revocations, SystemRng, What, Why},
};
use doorward_backends::upstream::Signer;
use doorward_testkit::{Live, LiveSocket, Publisher};
use doorward_types::{Cursor, Rest, Secret};
use doorward_web::{Gates as _, live::Node as _};

use super::*;
use crate::{KeyRings, Metrics, node::Extensions};

const CONFIG: &str = r#"
    store = { url = "memory:" }
    [site]
    enabled = true
    owner = "acme"
    url = "https://shop.example"
    [[owner]]
    name = "globex"
    host = "globex.example"
    [[owner]]
    name = "acme"

    [[gate]]
    name = "news"
    owner = "acme"
    path = "/news"
    backend = { hub = {} }
    ladder = [{ session = {} }, { totp = {} }]
    [[gate]]
    name = "hidden"
    owner = "acme"
    path = "/s/Zm9vYmFyYmF6cXV4Zm9vYg/in"
    backend = { echo = {} }
    open = true
    [[gate]]
    name = "spoken"
    owner = "globex"
    path = "/the-room-with-a-very-long-name"
    backend = { echo = {} }
    open = true
    [[gate]]
    name = "short"
    owner = "globex"
    path = "/abcdefghijklmnopqrstu"
    backend = { echo = {} }
    open = true
    [[gate]]
    name = "theirs"
    owner = "globex"
    path = "/news"
    backend = { echo = {} }
    open = true
"#;

/// A node with live sockets: bob's and eve's at `acme`, and one of another bob at `globex`.
struct Seen {
    live: Live,
    view: NodeView,
    tools: Tools,
    config: Config,
    bob: Account,
    bobs: LiveSocket,
    eves: LiveSocket,
    theirs: LiveSocket,
}

impl Seen {
    async fn new() -> Self {
        let live = Live::new().await;
        let config = read(CONFIG);
        let key = Arc::new(SigningKey::draw(&SystemRng).unwrap());
        let sealing = KeyEncryptionKey::from_secret(Secret::new([9; 32])).unwrap();
        let hashing = Arc::new(Hashing::new(Work::dangerously_cheap_for_tests(), 1).unwrap());
        let tools = Tools {
            carts: Arc::new(doorward_auth::memory::MemoryCarts::new()),
            ports: live.world.ports(),
            keys: KeyRings::new(Arc::new(Publisher::default()), live.world.clock.clone(), Metrics::new()),
            signer: Signer { key, issuer: "doorward".into() },
            site: Some(SiteTools { hashing, sealing }),
            extensions: Extensions::default(),
            base: "".into(),
        };
        let gates = Arc::new(ArcSwap::from_pointee(Gates::assemble(&config, &tools).unwrap()));
        let view = NodeView {
            sockets: Arc::clone(&live.sockets),
            follower: Arc::clone(&live.follower),
            gates,
            metrics: Metrics::new(),
        };
        let (bob, eve) = (live.account("acme", "bob").await, live.account("acme", "eve").await);
        let another = live.account("globex", "bob").await;
        let mut sockets = Vec::new();
        for (account, gate) in [(&bob, "news"), (&eve, "hidden"), (&another, "theirs")] {
            let session = live.log_in(account, 7).await;
            sockets.push(live.socket("session", &session, gate).await);
            live.pass(Duration::from_secs(1)).await;
        }
        let [bobs, eves, theirs] = sockets.try_into().unwrap_or_else(|_| unreachable!("three were made"));
        Self { live, view, tools, config, bob, bobs, eves, theirs }
    }

    async fn asked(&self, query: SocketQuery) -> Vec<SocketId> {
        let found = self.view.sockets(SocketQuery { at_most: query.at_most.max(1), ..query }).await.unwrap();
        found.into_iter().map(|socket| socket.id).collect()
    }
}

fn read(text: &str) -> Config {
    let no_files = |_: &Path| Err("a test needs no files".to_owned());
    config::load(text, "test.toml", &BTreeMap::new(), &[], &no_files).unwrap().config
}

fn acme() -> OwnerId {
    OwnerId::new("acme")
}

fn globex() -> OwnerId {
    OwnerId::new("globex")
}

fn all() -> SocketQuery {
    SocketQuery { at_most: usize::MAX, ..SocketQuery::default() }
}

#[tokio::test(start_paused = true)]
async fn sockets_of_an_owner_and_of_a_subject_of_that_owner_are_listed_the_newest_first_for_who_asks_so() {
    let seen = Seen::new().await;
    let [bobs, eves, theirs] = [&seen.bobs, &seen.eves, &seen.theirs].map(|socket| socket.socket.id());
    let newest = SocketQuery { newest_first: true, ..all() };
    for (owner, at_most, expected) in [
        (None, 10, vec![theirs, eves, bobs]),
        (Some(acme()), 10, vec![eves, bobs]),
        (Some(acme()), 1, vec![eves]),
        (Some(OwnerId::new("nobody")), 10, vec![]),
    ] {
        assert_eq!(seen.asked(SocketQuery { owner, at_most, ..newest.clone() }).await, expected, "{at_most}");
    }
    // Whoever has the same number at another site is somebody else.
    let bob = seen.bob.subject();
    let of = |owner| SocketQuery { owner: Some(owner), subject: Some(bob.clone()), ..newest.clone() };
    assert_eq!(seen.asked(of(acme())).await, [bobs]);
    assert_eq!(seen.asked(of(globex())).await, []);
    let eves = seen.view.socket(None, eves).await.unwrap().unwrap();
    assert_eq!(seen.asked(SocketQuery { after: Some((eves.since, eves.id)), ..newest.clone() }).await, [bobs]);
    let shown = seen.view.socket(Some(&acme()), bobs).await.unwrap().unwrap();
    let session = seen.live.log_in(&seen.bob, 7).await;
    let open = seen.live.socket("session", &session, "news").await;
    let newer = open.socket.id();
    let mine = SocketQuery { owner: Some(acme()), subject: Some(bob.clone()), ..newest.clone() };
    assert_eq!(seen.asked(mine.clone()).await, [newer, bobs]);
    assert_eq!(seen.asked(SocketQuery { at_most: 1, ..mine }).await, [newer]);
    assert_eq!(seen.view.socket(Some(&acme()), theirs).await, Ok(None), "another owner's");
    assert_eq!((shown.subject.as_ref(), shown.layers.as_slice()), (Some(&bob), ["session".to_owned()].as_slice()));
    assert!(shown.sid.is_some() && shown.gate.as_str() == "news" && shown.owner == acme());
}

#[tokio::test(start_paused = true)]
async fn a_page_is_of_the_owner_whose_host_was_asked_and_otherwise_of_the_owner_of_the_site() {
    let seen = Seen::new().await;
    for host in ["globex.example", "Globex.EXAMPLE"] {
        assert_eq!(seen.view.owner_of(host), globex());
    }
    for host in ["shop.example", "", "globex.example.evil.example"] {
        assert_eq!(seen.view.owner_of(host), acme());
    }
}

#[tokio::test(start_paused = true)]
async fn owners_of_another_configuration_are_known_in_the_same_act_as_its_gates() {
    let seen = Seen::new().await;
    let changed = CONFIG
        .replace("owner = \"acme\"\n    url", "owner = \"initech\"\n    url")
        .replace("host = \"globex.example\"", "host = \"globex.test\"")
        + "[[owner]]\nname = \"initech\"\nhost = \"initech.example\"\n";
    let config = config::load(&changed, "test.toml", &BTreeMap::new(), &[], &|_: &Path| Err(String::new())).unwrap();
    let next = seen.view.gates.load().next(&config.config, &seen.tools).unwrap().gates;
    assert_eq!(seen.view.owners(), [acme(), globex()]);
    seen.view.gates.store(Arc::new(next));
    let initech = OwnerId::new("initech");
    assert_eq!(seen.view.owners(), [acme(), globex(), initech.clone()]);
    for (host, owner) in [
        ("initech.example", &initech),
        ("globex.test", &globex()),
        ("globex.example", &initech),
        ("shop.example", &initech),
    ] {
        assert_eq!(seen.view.owner_of(host), *owner, "{host}");
    }
}

#[tokio::test(start_paused = true)]
async fn links_to_an_owners_site_lead_to_its_own_host_and_those_of_the_owner_of_the_site_to_its_address() {
    let seen = Seen::new().await;
    assert_eq!(seen.view.address_of(&acme()).as_deref(), Some("https://shop.example"));
    assert_eq!(seen.view.address_of(&globex()).as_deref(), Some("https://globex.example"));
    assert_eq!(seen.view.address_of(&OwnerId::new("without-pages")), None);
    let owners = |text: &str| {
        let no_files = |_: &Path| Err(String::new());
        let config = config::load(text, "test.toml", &BTreeMap::new(), &[], &no_files).unwrap().config;
        crate::gates::Owners::of(&config)
    };
    let silent = owners(&CONFIG.replace("url = \"https://shop.example\"", ""));
    assert_eq!((silent.address_of(&acme()), silent.address_of(&globex())), (None, None));
    let there = owners(&CONFIG.replace("https://shop.example", "http://globex.example:8443"));
    assert_eq!(there.address_of(&globex()).as_deref(), Some("http://globex.example:8443"));
    assert_eq!(there.address_of(&acme()), None, "the address is another's");
}

#[tokio::test(start_paused = true)]
async fn a_password_must_not_be_made_of_the_hosts_of_its_owners_site_whoever_asks() {
    let seen = Seen::new().await;
    let bob = Username::parse("bob").unwrap();
    let takes = |owner: OwnerId, text: &str| {
        let typed = Password::read(&Secret::from_text(text)).unwrap();
        seen.view.rules_of(&owner).check(typed, &bob, PasswordUse::Alone).is_ok()
    };
    assert!(!takes(acme(), "shop.example-pearls") && takes(globex(), "shop.example-pearls"));
    assert!(!takes(globex(), "globex.example-pear") && takes(acme(), "globex.example-pear"));
}

#[tokio::test(start_paused = true)]
async fn the_site_shows_an_owner_its_own_gates_and_no_part_of_a_path_that_is_a_secret() {
    let seen = Seen::new().await;
    let names = |owner: Option<&OwnerId>| {
        let gates = doorward_web::Gates::list(&seen.view, owner).into_iter();
        gates.map(|gate| gate.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names(Some(&acme())), ["hidden", "news"]);
    assert_eq!(names(Some(&globex())), ["short", "spoken", "theirs"]);
    assert_eq!(names(None), ["hidden", "news", "short", "spoken", "theirs"]);
    let found = |host: &str, path: &str| doorward_web::Gates::find(&seen.view, host, path);
    let news = found("shop.example", "/news").unwrap();
    assert_eq!((news.owner, news.path.as_deref(), news.host), (acme(), Some("/news"), None));
    assert_eq!(
        (news.ladder, news.backend.as_str()),
        (["origin", "session", "totp"].map(str::to_owned).to_vec(), "hub")
    );
    assert_eq!(found("globex.example", "/news").unwrap().owner, globex());
    assert_eq!(found("shop.example", "/s/Zm9vYmFyYmF6cXV4Zm9vYg/in").unwrap().path, None);
    // What people read out to each other is none.
    for path in ["/the-room-with-a-very-long-name", "/abcdefghijklmnopqrstu"] {
        assert_eq!(found("globex.example", path).unwrap().path.as_deref(), Some(path));
    }
    assert_eq!((found("shop.example", "/nothing"), found("shop.example", "news")), (None, None));
}

#[tokio::test(start_paused = true)]
async fn the_api_finds_sockets_by_all_that_is_said_of_them_the_oldest_first() {
    let seen = Seen::new().await;
    let [bobs, eves, theirs] = [&seen.bobs, &seen.eves, &seen.theirs].map(|socket| socket.socket.id());
    let subject = Some(seen.bob.subject());
    assert_eq!(seen.asked(all()).await, [bobs, eves, theirs]);
    assert_eq!(seen.asked(SocketQuery { owner: Some(acme()), ..all() }).await, [bobs, eves]);
    assert_eq!(seen.asked(SocketQuery { at_most: 2, ..all() }).await, [bobs, eves]);
    assert_eq!(seen.asked(SocketQuery { gate: Some(GateName::new("hidden")), ..all() }).await, [eves]);
    assert_eq!(seen.asked(SocketQuery { owner: Some(acme()), subject, ..all() }).await, [bobs]);
    let first = seen.view.socket(None, bobs).await.unwrap().unwrap();
    assert_eq!(seen.asked(SocketQuery { sid: first.sid, ..all() }).await, [bobs]);
    assert_eq!(seen.asked(SocketQuery { after: Some((first.since, bobs)), ..all() }).await, [eves, theirs]);
    assert_eq!(seen.asked(SocketQuery { state: Some(live::SocketState::Suspended), ..all() }).await, []);
    assert_eq!(seen.asked(SocketQuery { state: Some(live::SocketState::Active), ..all() }).await.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_api_shows_and_ends_for_an_owner_no_socket_of_another() {
    let seen = Seen::new().await;
    let theirs = seen.theirs.socket.id();
    assert!(seen.view.socket(Some(&acme()), theirs).await.unwrap().is_none());
    assert_eq!(seen.view.socket(Some(&globex()), theirs).await.unwrap().unwrap().owner, globex());
    let ended = |owner: Option<OwnerId>, live: live::Live| {
        let view = &seen.view;
        async move { view.end_live(owner.as_ref(), live).await.unwrap().ended }
    };
    let gate = || live::Live::On(Rest::on("gate", "theirs"));
    assert_eq!(ended(Some(acme()), live::Live::Socket(theirs)).await, []);
    assert_eq!(ended(Some(acme()), gate()).await, []);
    assert!(seen.theirs.socket.is_open());
    assert_eq!(ended(None, gate()).await, [theirs]);
    let bobs = seen.bobs.socket.id();
    assert_eq!(ended(Some(acme()), live::Live::Socket(bobs)).await, [bobs]);
    assert_eq!(seen.bobs.socket.ended(), Some(CloseReason::SessionEnded));
    assert_eq!(ended(Some(acme()), live::Live::Socket(bobs)).await, [], "it is not there any more");
    assert!(seen.eves.socket.is_open());
}

#[tokio::test(start_paused = true)]
async fn what_the_api_ends_for_good_is_in_the_log_and_the_receipt_says_what_came_of_it_here() {
    let seen = Seen::new().await;
    let ending = |owner| Ending {
        owner: Some(owner),
        what: What::Rest(seen.bob.subject().rest()),
        why: Why::Revoked,
        change: None,
        at: seen.live.world.clock.now(),
    };
    let receipt = live::Node::end(&seen.view, ending(acme())).await.unwrap();
    assert_eq!((receipt.ended, receipt.suspended, receipt.reset), (vec![seen.bobs.socket.id()], vec![], 0));
    let nodes: Vec<_> = receipt.nodes.iter().map(|node| (node.node.as_str(), node.ended)).collect();
    assert_eq!((nodes, receipt.not_answering), (vec![("here", 1)], vec![]));
    assert!(seen.eves.socket.is_open() && seen.theirs.socket.is_open());
    let log = seen.live.world.site.read_after(Cursor(0), usize::MAX).await.unwrap();
    assert_eq!(log.entries.last().unwrap().what, What::Rest(seen.bob.subject().rest()));
}

#[test]
fn a_receipt_of_a_node_that_has_not_carried_it_out_names_it_as_silent_and_says_nothing_for_it() {
    let receipt = |silent: Vec<Arc<str>>| {
        said(doorward_session::Receipt {
            node: "here".into(),
            sockets: vec![],
            suspended: vec![],
            reset: 0,
            within: Duration::ZERO,
            silent,
        })
    };
    let silent = receipt(vec!["here".into()]);
    assert_eq!((silent.nodes.len(), silent.not_answering), (0, vec!["here".to_owned()]));
    let answered = receipt(vec!["there".into()]);
    assert_eq!((answered.nodes.len(), answered.not_answering), (1, vec!["there".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn owners_are_told_by_name_and_a_gate_is_its_owners_alone() {
    let seen = Seen::new().await;
    assert_eq!(seen.view.owners(), [acme(), globex()]);
    let has = |owner: OwnerId, gate: &str| seen.view.has_gate(&owner, &GateName::new(gate));
    assert!(has(acme(), "news") && has(globex(), "theirs"));
    assert!(!has(acme(), "theirs") && !has(globex(), "news") && !has(acme(), "nothing"));
}

#[tokio::test(start_paused = true)]
async fn an_event_is_emitted_where_a_gate_speaks_by_events_and_nowhere_else() {
    let Seen { view, tools, .. } = Seen::new().await;
    let text = format!(
        r#"{CONFIG}
        [[gate]]
        name = "ui"
        owner = "acme"
        path = "/socket.io/"
        backend = {{ hub = {{}} }}
        transport = {{ socketio = {{ namespaces = ["/", "/default"] }} }}
        open = true
        "#
    );
    view.gates.store(Arc::new(Gates::assemble(&read(&text), &tools).unwrap()));
    let good = Emission {
        owner: acme(),
        gate: GateName::new("ui"),
        namespace: "/default".into(),
        room: None,
        event: "projectChanged".into(),
        arguments: vec![1.into()],
    };
    assert_eq!(view.emit(good.clone()).await, Ok(0), "nobody is there");
    for (owner, gate) in [(acme(), "news"), (acme(), "nothing"), (globex(), "ui"), (globex(), "theirs")] {
        let elsewhere = Emission { owner, gate: GateName::new(gate), ..good.clone() };
        assert_eq!(view.emit(elsewhere).await, Err(NotEmitted::Gate), "{gate}");
    }
    for namespace in ["/other", "default", "", "/default,"] {
        let unknown = Emission { namespace: namespace.into(), ..good.clone() };
        let known = vec!["/".to_owned(), "/default".to_owned()];
        assert_eq!(view.emit(unknown).await, Err(NotEmitted::Namespace(known)), "{namespace}");
    }
    for event in ["disconnect", "authenticated", ""] {
        let reserved = Emission { event: event.into(), ..good.clone() };
        assert!(matches!(view.emit(reserved).await, Err(NotEmitted::Event(_))), "{event}");
    }
    let deep = (0..64).fold(serde_json::Value::Null, |inner, _| vec![inner].into());
    for arguments in [vec![deep], vec![0.into(); 65]] {
        let too_much = Emission { arguments, ..good.clone() };
        assert!(matches!(view.emit(too_much).await, Err(NotEmitted::Arguments(_))));
    }
    assert_eq!(view.metrics.emitted_at(&acme(), &good.gate), 1, "what was refused is not counted");
}

#[tokio::test(start_paused = true)]
async fn without_tools_for_a_site_there_is_the_api_alone() {
    let Seen { view, mut tools, config, .. } = Seen::new().await;
    let hashing = Arc::clone(&tools.site.as_ref().unwrap().hashing);
    let (audit, key) = (Arc::new(MemoryAudit::keeping(1)) as Arc<dyn Audit>, Arc::clone(&tools.signer.key));
    let opens =
        |tools: &Tools, view: NodeView| open(&config, tools, view, Arc::clone(&hashing), &audit, &key).0.is_some();
    let again = NodeView {
        sockets: Arc::clone(&view.sockets),
        follower: Arc::clone(&view.follower),
        gates: Arc::clone(&view.gates),
        metrics: Arc::clone(&view.metrics),
    };
    assert!(opens(&tools, view));
    tools.site = None;
    assert!(!opens(&tools, again));
}

#[test]
fn an_account_has_as_many_logins_as_the_configuration_says_and_a_hundred_where_it_says_nothing() {
    let at_most = |line: &str| {
        let config = read(&CONFIG.replace("enabled = true", &format!("enabled = true\n{line}")));
        site_config(&config.site).sessions_per_account
    };
    assert_eq!((at_most(""), at_most("sessions_per_account = 3")), (100, 3));
}
