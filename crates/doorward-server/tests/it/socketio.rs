//! Socket.IO at the edge: long-polling request by request, the change to a WebSocket, and what nobody gets around.

use std::time::Duration;

use doorward_types::{CloseReason, GateName, OwnerId};
use doorward_wire::socketio::{Emitted, Namespace};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::{Instant, timeout},
};

use crate::{
    peer::{Heard, Peer},
    world::{Carried, Carrier, World, both},
};

const GATES: &str = r#"
    [[gate]]
    name = "ui"
    path = "/socket.io/"
    backend = { hub = {} }
    transport = { socketio = { namespaces = ["/default"] } }
    ladder = [{ jwt = {} }]
    [[gate.channel]]
    name = "/default"
    subscribe = "any"
    [[gate]]
    name = "other"
    path = "/other/"
    backend = { hub = {} }
    transport = { socketio = {} }
    origins = ["https://app.example"]
    ladder = [{ jwt = {} }]
"#;

/// What was answered to a request.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

async fn ask(world: &World, method: &str, target: &str, headers: &str, body: &str) -> Answer {
    let mut stream = world.dial().await;
    let length = body.len();
    let request = format!(
        "{method} {target} HTTP/1.1\r\nHost: gate.example\r\nContent-Length: {length}\r\nContent-Type: text/plain\r\n{headers}\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = Vec::new();
    let _reset = timeout(Duration::from_secs(60), stream.read_to_end(&mut text)).await.unwrap();
    let text = String::from_utf8(text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
}

/// A client of the newer revision that polls.
pub(crate) struct Polls<'w> {
    world: &'w World,
    path: &'static str,
    sid: String,
    headers: &'static str,
}

impl<'w> Polls<'w> {
    pub(crate) async fn begins(world: &'w World, path: &'static str, headers: &'static str) -> Self {
        let opened = ask(world, "GET", &format!("{path}?EIO=4&transport=polling&t=x"), headers, "").await;
        assert_eq!(opened.status, 200, "{opened:?}");
        assert!(opened.head.contains("x-content-type-options: nosniff"), "{opened:?}");
        let open: Value = serde_json::from_str(opened.body.strip_prefix('0').unwrap()).unwrap();
        assert_eq!(open["upgrades"], json!(["websocket"]));
        Self { world, path, sid: open["sid"].as_str().unwrap().to_owned(), headers }
    }

    fn target(&self) -> String {
        format!("{}?EIO=4&transport=polling&sid={}", self.path, self.sid)
    }

    async fn posts(&self, body: &str) -> Answer {
        ask(self.world, "POST", &self.target(), self.headers, body).await
    }

    pub(crate) async fn says(&self, body: &str) {
        let answer = self.posts(body).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "ok"), "{answer:?}");
    }

    /// Sends a POST whose body is as much as that of `length` bytes, and waits for nothing.
    async fn begins_a_post(&self, length: usize, body: &str) -> Carried {
        let mut stream = self.world.dial().await;
        let (target, headers) = (self.target(), self.headers);
        let request =
            format!("POST {target} HTTP/1.1\r\nHost: gate.example\r\nContent-Length: {length}\r\n{headers}\r\n{body}");
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }

    async fn gets(&self) -> Answer {
        ask(self.world, "GET", &self.target(), self.headers, "").await
    }

    /// The packets of the next answer, but for signs of life.
    async fn hears(&self) -> Vec<String> {
        let answer = self.gets().await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body.split('\x1e').filter(|packet| *packet != "2").map(str::to_owned).collect()
    }

    /// Hears packets until one begins like that.
    pub(crate) async fn hears_of(&self, beginning: &str) -> String {
        for _ in 0..10 {
            if let Some(packet) = self.hears().await.into_iter().find(|packet| packet.starts_with(beginning)) {
                return packet;
            }
        }
        panic!("nothing that begins with {beginning}")
    }

    async fn connects(&self, namespace: &str) {
        self.says(&format!("40{namespace},")).await;
        self.hears_of(&format!("40{namespace},{{\"sid\":")).await;
    }

    async fn is_let_in(&self) {
        self.connects("/default").await;
        self.shows(&self.world.token("bob", json!({}))).await;
        self.hears_of(r#"42/default,["authenticated",true]"#).await;
    }

    async fn shows(&self, token: &str) {
        self.says(&format!(r#"42/default,["authentication",{{"token":"{token}"}}]"#)).await;
    }
}

fn hub_of(world: &World, name: &str) -> std::sync::Arc<doorward_backends::hub::Hub> {
    world.door.hub(&OwnerId::new("acme"), &GateName::new(name)).unwrap()
}

fn emit(world: &World, argument: &str) -> usize {
    let arguments = format!("[{argument}]");
    let event = Emitted::new("happened", serde_json::from_str(&arguments).unwrap()).unwrap();
    let place = (Namespace::new("/default").unwrap(), None);
    let gate = (&OwnerId::new("acme"), &GateName::new("ui"));
    hub_of(world, "ui").emit(world.door.sockets(), gate, place, &event)
}

both! {
    async fn a_polling_client_is_let_in_and_hears_what_is_emitted(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        let polls = Polls::begins(&world, "/socket.io/", "").await;
        polls.is_let_in().await;
        assert_eq!(emit(&world, r#"{"at":1}"#), 1);
        assert_eq!(polls.hears_of("42/default,[\"happened\"").await, r#"42/default,["happened",{"at":1}]"#);
        assert_eq!(world.verdicts().await, ["admitted"]);
    }

    async fn c58_nothing_that_was_said_before_the_admission_has_happened(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        let polls = Polls::begins(&world, "/socket.io/", "").await;
        polls.connects("/default").await;
        polls.says("42/default,7[\"join\",\"room\"]\x1e451-/default,8[\"upload\",{\"_placeholder\":true,\"num\":0}]\x1ebAAAA\x1e43/default,1[]").await;
        polls.says(r#"42/default,["doorward2",{"action":"subscribe","channel":"/default"}]"#).await;
        assert_eq!(emit(&world, "1"), 0, "nobody is there yet");
        polls.shows(&world.token("bob", json!({}))).await;
        let mut heard = Vec::new();
        while heard.len() < 2 {
            heard.extend(polls.hears().await);
        }
        assert_eq!(emit(&world, "2"), 1);
        heard.extend(polls.hears().await);
        let names: Vec<_> = heard.iter().map(|packet| packet.split([',', '{']).nth(1).unwrap_or_default()).collect();
        assert_eq!(names, [r#"["authenticated""#, r#"["doorward""#, r#"["happened""#], "{heard:?}");
    }

    async fn c58_the_id_of_a_session_is_of_no_use_to_somebody_else(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        let polls = Polls::begins(&world, "/socket.io/", "Authorization: Bearer x.y.z\r\n").await;
        polls.connects("/default").await;
        for (path, headers) in [
            ("/socket.io/", ""),
            ("/socket.io/", "Authorization: Bearer x.y.other\r\n"),
            ("/socket.io/", "Authorization: Bearer x.y.z\r\nCookie: __Host-doorward-session=dws_1\r\n"),
            ("/other/", "Authorization: Bearer x.y.z\r\n"),
            ("/socket.io/", "Authorization: Bearer x.y.z\r\nOrigin: https://evil.example\r\n"),
        ] {
            let thief = Polls { world: &world, path, sid: polls.sid.clone(), headers };
            for answer in [thief.gets().await, thief.posts("42/default,[\"authentication\",{}]").await] {
                assert_eq!((answer.status, answer.body.as_str()), (400, r#"{"code":1,"message":"Session ID unknown"}"#));
            }
            let target = format!("{path}?EIO=4&transport=websocket&sid={}", polls.sid);
            assert_eq!(world.knock(&target, headers).await.err().unwrap().status, 400);
        }
        polls.shows(&world.token("bob", json!({}))).await;
        polls.hears_of(r#"42/default,["authenticated",true]"#).await;
    }

    async fn a_session_goes_over_to_a_websocket_and_loses_nothing(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        let polls = Polls::begins(&world, "/socket.io/", "").await;
        polls.is_let_in().await;
        let target = format!("/socket.io/?EIO=4&transport=websocket&sid={}", polls.sid);
        let mut peer = world.knock(&target, "").await.unwrap();
        let waiting = polls.hears();
        let probing = async {
            peer.say("2probe").await;
            assert!(matches!(peer.hear().await, Heard::Text(text) if text == "3probe"));
        };
        let (answered, ()) = tokio::join!(waiting, probing);
        assert_eq!(answered, ["6"]);
        emit(&world, "1");
        peer.say("5").await;
        assert_eq!(peer.hears_of("42").await, r#"42/default,["happened",1]"#);
        assert_eq!(polls.gets().await.status, 400, "polling is over");
        assert!(world.knock(&target, "").await.is_err(), "and so is the change");
        world.end("subject=member:bob").await;
        assert_eq!(peer.hears_of("41").await, "41/default,");
        assert_eq!(peer.closes().await, [CloseReason::SessionEnded.code()]);
        world.empties().await;
    }

    async fn an_ending_reaches_a_client_that_polls(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        let polls = Polls::begins(&world, "/socket.io/", "").await;
        polls.is_let_in().await;
        // Whichever of the two comes first: the last words wait for a GET as long as the bound is, and a GET for them.
        let (heard, receipt) = tokio::join!(polls.hears(), world.end("subject=member:bob"));
        assert_eq!(receipt["ended"], 1, "{receipt}");
        let ended = r#"42/default,["doorward",{"event":"ended","code":4410,"reason":"session_ended","reconnect":"never"}]"#;
        assert_eq!(heard, [ended, "41/default,"], "beside the end of the session clients would drop it");
        assert_eq!(polls.gets().await.status, 400);
        world.empties().await;
    }

    async fn a_client_that_polls_no_more_is_ended_within_the_bound(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        let polls = Polls::begins(&world, "/socket.io/", "").await;
        polls.is_let_in().await;
        emit(&world, "\"never delivered\"");
        let began = Instant::now();
        world.end("subject=member:bob").await;
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
        let late = polls.gets().await;
        assert_eq!(late.status, 400, "{late:?}");
        world.empties().await;
    }

    async fn a_refused_client_is_told_so_and_its_session_ends_when_it_has_heard(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        let polls = Polls::begins(&world, "/socket.io/", "").await;
        polls.connects("/default").await;
        polls.shows("no.token.here").await;
        let refused = polls.hears_of("42/default,0[\"unauthorized\"").await;
        assert!(refused.contains(r#""message":"TOKEN_REJECTED","code":4401"#), "{refused}");
        let began = Instant::now();
        polls.says("43/default,0[]").await;
        polls.hears_of("41/default,").await;
        polls.hears_of("1").await;
        assert!(began.elapsed() < Duration::from_millis(900), "it waits for no more than to be heard");
        assert_eq!(world.verdicts().await, ["4401 jwt: socket requires token"]);
        world.empties().await;
    }

    async fn a_page_of_another_origin_gets_no_session(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        let foreign = "Origin: https://evil.example\r\n";
        let refused = ask(&world, "GET", "/socket.io/?EIO=4&transport=polling", foreign, "").await;
        assert_eq!(refused.status, 403, "{refused:?}");
        assert!(!refused.head.contains("access-control-allow-origin"), "{refused:?}");
        let allowed = "Origin: https://app.example\r\n";
        let taken = ask(&world, "GET", "/other/?EIO=4&transport=polling", allowed, "").await;
        assert_eq!(taken.status, 200);
        assert!(taken.head.contains("access-control-allow-origin: https://app.example"), "{taken:?}");
        assert!(taken.head.contains("access-control-allow-credentials: true"), "{taken:?}");
        let asked = ask(&world, "OPTIONS", "/other/?EIO=4&transport=polling", foreign, "").await;
        assert!(!asked.head.contains("access-control-allow-origin"), "{asked:?}");
    }

    async fn requests_that_no_client_sends_are_refused_in_words_that_clients_know(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        for (method, query, expected) in [
            ("GET", "EIO=4", r#"{"code":0,"message":"Transport unknown"}"#),
            ("GET", "EIO=4&transport=flash", r#"{"code":0,"message":"Transport unknown"}"#),
            ("GET", "EIO=4&transport=polling&j=0", r#"{"code":0,"message":"Transport unknown"}"#),
            ("GET", "transport=polling", r#"{"code":5,"message":"Unsupported protocol version"}"#),
            ("GET", "EIO=5&transport=polling", r#"{"code":5,"message":"Unsupported protocol version"}"#),
            ("POST", "EIO=4&transport=polling", r#"{"code":2,"message":"Bad handshake method"}"#),
            ("GET", "EIO=4&transport=polling&sid=none", r#"{"code":1,"message":"Session ID unknown"}"#),
        ] {
            let answer = ask(&world, method, &format!("/socket.io/?{query}"), "", "").await;
            assert_eq!((answer.status, answer.body.as_str()), (400, expected), "{query}");
        }
        assert_eq!(world.knock("/socket.io/?EIO=5&transport=websocket", "").await.err().unwrap().status, 400);
        assert_eq!(ask(&world, "GET", "/nowhere/?EIO=4&transport=polling", "", "").await.status, 404);
    }

    async fn what_is_no_payload_ends_the_session(carrier: Carrier) {
        for (body, status) in [("", 400), ("9", 400), ("42/default,[1]", 200), (&"4".repeat(5_000), 413)] {
            let world = World::of(carrier, GATES).await;
            let polls = Polls::begins(&world, "/socket.io/", "").await;
            polls.connects("/default").await;
            assert_eq!(polls.posts(body).await.status, status, "{} bytes", body.len());
            assert_eq!(world.verdicts().await.len(), 1, "{} bytes", body.len());
            world.empties().await;
        }
    }

    async fn c25_before_the_admission_a_post_brings_no_more_than_a_message_may_have(carrier: Carrier) {
        let long = format!("42/default,[\"x\",\"{}\"]", "x".repeat(5000));
        let world = World::of(carrier, GATES).await;
        let stranger = Polls::begins(&world, "/socket.io/", "").await;
        stranger.connects("/default").await;
        assert_eq!(stranger.posts(&long).await.status, 413);
        let known = Polls::begins(&world, "/socket.io/", "").await;
        known.is_let_in().await;
        assert_eq!(known.posts(&long).await.status, 200);
    }

    async fn two_requests_of_one_session_at_once_end_it(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        let polls = Polls::begins(&world, "/socket.io/", "").await;
        polls.is_let_in().await;
        while !polls.world.door.sockets().is_empty() {
            let (one, other) = tokio::join!(polls.gets(), polls.gets());
            assert!(one.status == 400 || other.status == 400 || one.body == "2" || other.body == "2", "{one:?} {other:?}");
        }
        world.empties().await;
    }

    async fn c25_a_few_signs_of_life_are_taken_before_the_admission(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        for (revision, sign) in [(3, "2"), (4, "3")] {
            let mut peer = world.knock(&format!("/socket.io/?EIO={revision}&transport=websocket"), "").await.unwrap();
            peer.hears_of("0").await;
            for _ in 0..65 {
                peer.say(sign).await;
            }
            peer.closes().await;
            let verdict = world.verdicts().await.pop().unwrap_or_default();
            assert!(verdict.starts_with("4429 "), "{verdict}");
        }
    }

    async fn c25_a_change_to_a_websocket_is_given_up_after_a_few_words(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        let opened = ask(&world, "GET", "/socket.io/?EIO=3&transport=polling", "", "").await;
        let sid = opened.body.split('"').nth(3).unwrap();
        let mut peer = world.knock(&format!("/socket.io/?EIO=3&transport=websocket&sid={sid}"), "").await.unwrap();
        let began = Instant::now();
        for _ in 0..16 {
            peer.say("2").await;
        }
        assert_eq!(peer.closes().await, [CloseReason::Malformed.code()]);
        assert!(began.elapsed() < Duration::from_secs(5), "its time was over: {:?}", began.elapsed());
    }

    async fn c59_another_token_of_somebody_else_changes_nothing(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        let polls = Polls::begins(&world, "/socket.io/", "").await;
        polls.is_let_in().await;
        polls.shows(&world.token("eve", json!({}))).await;
        polls.hears_of("42/default,0[\"unauthorized\"").await;
        let list = world.door.sockets().list(None, 10);
        assert_eq!(list.len(), 1);
        assert_eq!(list[0].subject.as_ref().unwrap().pk, "bob");
        polls.shows(&world.token("bob", json!({}))).await;
        polls.hears_of(r#"42/default,["authenticated",true]"#).await;
    }

    async fn a_websocket_alone_will_do(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        for revision in [3, 4] {
            let mut peer = world.knock(&format!("/socket.io/?EIO={revision}&transport=websocket"), "").await.unwrap();
            let open = peer.hears_of("0").await;
            assert!(open.contains(r#""upgrades":[]"#), "{open}");
            if revision == 3 {
                assert_eq!(peer.hears_of("4").await, "40");
            }
            peer.say("40/default,").await;
            peer.hears_of("40/default,").await;
            let token = world.token("bob", json!({}));
            peer.say(&format!(r#"42/default,["authentication",{{"token":"{token}"}}]"#)).await;
            peer.hears_of(r#"42/default,["authenticated",true]"#).await;
            if revision == 3 {
                peer.say("2").await;
                assert_eq!(peer.hears_of("3").await, "3");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn c86_a_session_has_one_post_on_its_way_and_another_one_ends_it() {
    let world = World::of(Carrier::Memory, GATES).await;
    let polls = Polls::begins(&world, "/socket.io/", "").await;
    polls.connects("/default").await;
    let began = Instant::now();
    let mut slow = polls.begins_a_post(100, "42").await;
    settle().await;
    assert_eq!(polls.posts("3").await.status, 400);
    let mut answered = Vec::new();
    slow.read_to_end(&mut answered).await.unwrap();
    assert!(answered.starts_with(b"HTTP/1.1 400 "), "{}", String::from_utf8_lossy(&answered));
    assert!(began.elapsed() < Duration::from_secs(1), "a body is not waited for when its session is over");
    assert_eq!(polls.gets().await.status, 400);
    world.empties().await;
}

#[tokio::test(start_paused = true)]
async fn c25_what_a_post_has_brought_that_went_away_is_not_kept_beside_that_of_another() {
    let world = World::of(Carrier::Memory, GATES).await;
    let polls = Polls::begins(&world, "/socket.io/", "").await;
    // The answer to this waits for a GET, and what comes after it for that.
    polls.says("40/nowhere,").await;
    let event = r#"42/nowhere,["x"]"#;
    let gone = polls.begins_a_post(event.len(), event).await;
    settle().await;
    drop(gone);
    settle().await;
    let began = Instant::now();
    assert_eq!(polls.posts(event).await.status, 400);
    assert!(began.elapsed() < Duration::from_secs(1), "it waited until the session was over: {:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn c27_an_answer_that_is_not_taken_is_dropped_when_the_next_one_is_asked_for() {
    let mut world = World::of(Carrier::Memory, GATES).await;
    world.pipe = 1024;
    let polls = Polls::begins(&world, "/socket.io/", "").await;
    polls.is_let_in().await;
    emit(&world, &format!("{:?}", "x".repeat(60_000)));
    let mut untaken = world.dial().await;
    let target = polls.target();
    untaken.write_all(format!("GET {target} HTTP/1.1\r\nHost: gate.example\r\n\r\n").as_bytes()).await.unwrap();
    settle().await;
    emit(&world, "2");
    assert_eq!(polls.hears_of("42/default,[\"happened\"").await, r#"42/default,["happened",2]"#);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let mut taken = Vec::new();
    let _cut = untaken.read_to_end(&mut taken).await;
    assert!(taken.len() < 60_000, "{} bytes", taken.len());
}

async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_polling_client_that_answers_no_sign_of_life_is_ended() {
    let world = World::of(Carrier::Memory, GATES).await;
    let polls = Polls::begins(&world, "/socket.io/", "").await;
    polls.is_let_in().await;
    let began = Instant::now();
    world.empties().await;
    assert!((30..50).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn c8_a_socket_outlives_its_token_and_not_the_longest_session() {
    let world = World::of(Carrier::Memory, GATES).await;
    let mut peer = world.knock("/socket.io/?EIO=4&transport=websocket", "").await.unwrap();
    peer.hears_of("0").await;
    peer.say("40/default,").await;
    let token = world.token("bob", json!({ "exp": World::NOW.as_secs() + 60 }));
    peer.say(&format!(r#"42/default,["authentication",{{"token":"{token}"}}]"#)).await;
    peer.hears_of(r#"42/default,["authenticated",true]"#).await;
    let began = Instant::now();
    loop {
        match peer.hear().await {
            Heard::Text(text) if text == "2" => {
                world.clock.advance(Duration::from_secs(25));
                peer.say("3").await;
            }
            Heard::Text(text) if text.contains(r#""reason":"expired""#) => break,
            Heard::Text(_) => {}
            other => panic!("{other:?}"),
        }
    }
    let hours = began.elapsed().as_secs_f64() / 3600.0;
    assert!((11.9..12.1).contains(&hours), "{hours}");
}

impl Peer {
    /// Hears texts until one begins like that.
    pub(crate) async fn hears_of(&mut self, beginning: &str) -> String {
        for _ in 0..20 {
            match self.hear().await {
                Heard::Text(text) if text.starts_with(beginning) => return text,
                Heard::Text(_) => {}
                other => panic!("{other:?} where {beginning} was expected"),
            }
        }
        panic!("nothing that begins with {beginning}")
    }
}
