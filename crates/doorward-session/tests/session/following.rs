//! Following a log that is written, answers late, is down, or has lost something.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use doorward_auth::{
    Again, BoxFuture, Claimant, Climb, Conversation, Layer, Proof, Refusal, Resume,
    ports::{Clock, Ending, LogEntry, Page, PortError, Revocations, What, Why},
};
use doorward_session::{Comeback, Fail, Follower, Following, Login, Socket, SocketPolicy, Suspension};
use doorward_types::{CloseReason, Cursor, OwnerId, Rest, SessionId, Subject, Timestamp, TraceId};
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

use crate::support::{Heard, Over, Served, Wall, World, climb, echo, login, notices, quiet, somebody, waiting};

/// A log in memory that can be told to fall silent, and to lose what it has.
struct Log {
    entries: Mutex<Vec<LogEntry>>,
    newest: Mutex<Cursor>,
    mood: Mutex<Mood>,
    appended: watch::Sender<Cursor>,
    /// Whether it says when something was appended.
    signals: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mood {
    Well,
    /// Well for one more answer, and then silent.
    Once,
    Silent,
    Down,
    /// The answer comes four seconds after the question.
    Late,
}

impl Log {
    fn new(signals: bool) -> Arc<Self> {
        let (entries, newest, mood) = (Mutex::default(), Mutex::default(), Mutex::new(Mood::Well));
        Arc::new(Self { entries, newest, mood, appended: watch::Sender::new(Cursor(0)), signals })
    }

    fn is(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    fn append(&self, what: What, why: Why) -> Cursor {
        let mut entries = self.entries.lock().unwrap();
        let mut newest = self.newest.lock().unwrap();
        let cursor = Cursor(newest.0 + 1);
        *newest = cursor;
        entries.push(LogEntry { cursor, at: Timestamp::from_secs(1), owner: Some(acme()), what, why });
        drop((entries, newest));
        if self.signals {
            self.appended.send_replace(cursor);
        }
        cursor
    }

    /// As another node does it.
    fn log_out(&self, sid: &str) -> Cursor {
        self.append(What::Rest(Rest::on("sid", sid)), Why::LoggedOut)
    }

    fn forget_up_to(&self, cursor: u64) {
        self.entries.lock().unwrap().retain(|entry| entry.cursor.0 > cursor);
    }

    /// It is another log, with nothing in it.
    fn is_replaced(&self) {
        self.forget_up_to(u64::MAX);
        *self.newest.lock().unwrap() = Cursor(0);
    }

    async fn answer<T>(&self, value: impl FnOnce() -> T) -> Result<T, PortError> {
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::Well => Ok(value()),
            Mood::Once => {
                self.is(Mood::Silent);
                Ok(value())
            }
            Mood::Silent => std::future::pending().await,
            Mood::Late => {
                sleep(Duration::from_secs(4)).await;
                Ok(value())
            }
            Mood::Down => Err(PortError { port: "log", detail: "gone".into() }),
        }
    }
}

impl Revocations for Log {
    fn end<'a>(&'a self, ending: Ending) -> BoxFuture<'a, Result<Cursor, PortError>> {
        Box::pin(self.answer(move || self.append(ending.what, ending.why)))
    }

    fn read_after<'a>(&'a self, cursor: Cursor, at_most: usize) -> BoxFuture<'a, Result<Page, PortError>> {
        Box::pin(self.answer(move || {
            let entries = self.entries.lock().unwrap();
            let newest = *self.newest.lock().unwrap();
            let after = entries.iter().filter(|entry| entry.cursor > cursor).take(at_most).cloned().collect();
            Page { entries: after, newest }
        }))
    }

    fn appended(&self) -> watch::Receiver<Cursor> {
        self.appended.subscribe()
    }
}

fn acme() -> OwnerId {
    OwnerId::new("acme")
}

fn told() -> SocketPolicy {
    SocketPolicy { notices: Some(notices()), ..quiet() }
}

fn logout(sid: &str) -> Ending {
    let what = What::Rest(Rest::on("sid", sid));
    Ending { owner: Some(acme()), what, why: Why::LoggedOut, change: None, at: Timestamp::from_secs(1) }
}

/// A world that follows a log.
struct Followed {
    world: World,
    log: Arc<Log>,
    follower: Arc<Follower>,
    running: JoinHandle<()>,
}

impl Drop for Followed {
    fn drop(&mut self) {
        self.running.abort();
    }
}

async fn followed(log: Arc<Log>) -> Followed {
    let world = World::over(Over::Pipe);
    let comeback = Arc::new(ByLogin(Arc::clone(&world.sockets)));
    let follower = Follower::new(Arc::clone(&world.sockets), Arc::clone(&log) as _, Following::of_node("one"));
    let follower = Arc::new(follower.with_comeback(comeback));
    follower.begin().await.unwrap();
    let running = tokio::spawn(follower.run());
    // The first round is over.
    sleep(Duration::from_millis(1)).await;
    Followed { world, log, follower, running }
}

async fn refused(world: &World, proof: Proof) -> Option<CloseReason> {
    let (transport, _) = world.stream(1).await;
    world.sockets.register(climb(proof, world.sockets.cursor()), transport, quiet()).err()
}

#[tokio::test(start_paused = true)]
async fn c6_a_climb_that_began_before_the_log_was_first_read_has_to_come_again() {
    let (world, log) = (World::over(Over::Pipe), Log::new(false));
    let follower = Follower::new(Arc::clone(&world.sockets), Arc::clone(&log) as _, Following::of_node("one"));
    log.is(Mood::Down);
    follower.begin().await.unwrap_err();
    let early = world.sockets.cursor();
    // A layer finds that the login holds; then all that bob has ends; then the store answers, and tells of it as of something old.
    log.append(What::Rest(Rest::on("subject", "member:bob")), Why::LoggedOut);
    log.is(Mood::Well);
    follower.begin().await.unwrap();
    let (transport, _) = world.stream(1).await;
    let refusal = world.sockets.register(climb(login("bob", "s1"), early), transport, quiet()).unwrap_err();
    assert_eq!(refusal, CloseReason::GoingAway);
    assert_eq!(refused(&world, login("bob", "s2")).await, None, "and one that begins now need not");
}

#[tokio::test(start_paused = true)]
async fn c6_nobody_is_let_in_while_a_log_that_has_lost_entries_is_read_anew() {
    let Followed { world, log, .. } = &followed(Log::new(false)).await;
    for _ in 1..4 {
        log.log_out("another");
    }
    log.forget_up_to(1);
    log.is(Mood::Once);
    // The gap is seen; the first page of what is there has not come.
    sleep(Duration::from_secs(3)).await;
    assert_eq!(
        refused(world, login("bob", "s1")).await,
        Some(CloseReason::TryLater),
        "its end would be taken for an old one"
    );
    log.log_out("s1");
    log.is(Mood::Well);
    sleep(Duration::from_secs(8)).await;
    assert_eq!(refused(world, login("bob", "s1")).await, Some(CloseReason::SessionEnded));
    assert_eq!(refused(world, login("bob", "s2")).await, None);
}

#[tokio::test(start_paused = true)]
async fn c1_a_logout_gives_a_receipt_of_what_ended_where_and_how_fast() {
    let Followed { world, follower, .. } = &followed(Log::new(false)).await;
    let mut bob = world.serve(login("bob", "s1"), told(), echo()).await;
    let mut waits = world.serve(login("bob", "s1"), waiting(), echo()).await;
    let receipt = follower.end(logout("s1")).await.unwrap();
    assert_eq!(
        (receipt.sockets.as_slice(), receipt.suspended.as_slice()),
        ([bob.socket.id()].as_slice(), [waits.socket.id()].as_slice())
    );
    assert!(receipt.within < Duration::from_secs(1) && receipt.reset == 0);
    assert_eq!((&*receipt.node, receipt.silent.len()), ("one", 0));
    bob.peer.hears_close(CloseReason::SessionEnded).await;
    waits.peer.hears("suspended: logged out").await;
    assert_eq!(refused(world, login("bob", "s1")).await, Some(CloseReason::SessionEnded));
}

#[tokio::test(start_paused = true)]
async fn c1_a_logout_on_another_node_lands_at_its_signal_and_without_one_at_the_next_look() {
    for (signals, within) in [(true, Duration::from_millis(200)), (false, Duration::from_millis(2200))] {
        let Followed { world, log, .. } = &followed(Log::new(signals)).await;
        let mut bob = world.serve(login("bob", "s1"), told(), echo()).await;
        let began = Instant::now();
        log.log_out("s1");
        bob.peer.hears_close(CloseReason::SessionEnded).await;
        assert!(began.elapsed() <= within, "{:?}", began.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn what_ended_before_the_node_began_lets_nobody_in_and_nobody_is_let_in_before_that_is_read() {
    let log = Log::new(false);
    for number in 0..2500 {
        log.log_out(&format!("s{number}"));
    }
    log.append(What::NotBefore { subject: None, at: Timestamp::from_secs(50) }, Why::Revoked);
    log.forget_up_to(100);
    let world = World::over(Over::Pipe);
    let log: Arc<dyn Revocations> = log;
    let follower = Follower::new(Arc::clone(&world.sockets), Arc::clone(&log), Following::of_node("one"));
    let young = |sid| Proof { issued_at: Some(Timestamp::from_secs(60)), ..login("bob", sid) };
    assert_eq!(refused(&world, young("new")).await, Some(CloseReason::TryLater));
    follower.begin().await.unwrap();
    assert_eq!(refused(&world, young("s2499")).await, Some(CloseReason::SessionEnded));
    assert_eq!(refused(&world, young("s100")).await, Some(CloseReason::SessionEnded));
    assert_eq!(refused(&world, login("bob", "new")).await, Some(CloseReason::SessionEnded), "it is too old");
    assert_eq!(refused(&world, young("new")).await, None);
}

#[tokio::test(start_paused = true)]
async fn c71_a_store_that_stops_answering_suspends_closes_and_gives_nothing_out_after() {
    for mood in [Mood::Silent, Mood::Down] {
        let Followed { world, log, .. } = &followed(Log::new(false)).await;
        let Served { socket, mut peer, .. } = world.serve(login("bob", "s1"), told(), echo()).await;
        log.is(mood);
        log.log_out("s1");
        let began = Instant::now();
        let feeding = async {
            loop {
                socket.send(doorward_wire::websocket::frame::text(b"news"));
                sleep(Duration::from_millis(100)).await;
            }
        };
        let listening = async {
            let mut last = Duration::ZERO;
            loop {
                match peer.hear().await {
                    Heard::Text(text) if text == "news" => last = began.elapsed(),
                    Heard::Text(text) => assert_eq!(text, "suspended: unconfirmed"),
                    Heard::Close(code, _) => return (last, began.elapsed(), code),
                    other => panic!("{other:?}"),
                }
            }
        };
        let (last, closed, code) = tokio::select! {
            () = feeding => unreachable!("it feeds for ever"),
            heard = listening => heard,
        };
        assert_eq!(code, Some(1013));
        assert!(last <= Duration::from_secs(30), "L: {last:?}");
        assert!((43_000..=45_200).contains(&closed.as_millis()), "L + grace: {closed:?}");
        assert_eq!(refused(world, login("eve", "s2")).await, Some(CloseReason::TryLater), "C75");
    }
}

#[tokio::test(start_paused = true)]
async fn c71_healed_in_time_the_living_go_on_and_nothing_that_ended_revives() {
    let Followed { world, log, .. } = &followed(Log::new(false)).await;
    let mut bob = world.serve(login("bob", "s1"), told(), echo()).await;
    let mut eve = world.serve(login("eve", "s2"), told(), echo()).await;
    log.is(Mood::Silent);
    log.log_out("s1");
    bob.peer.hears("suspended: unconfirmed").await;
    eve.peer.hears("suspended: unconfirmed").await;
    sleep(Duration::from_secs(5)).await;
    log.is(Mood::Well);
    bob.peer.hears_close(CloseReason::SessionEnded).await;
    eve.peer.hears("resumed").await;
    eve.peer.say("hello").await;
    eve.peer.hears("hello").await;
    assert_eq!(refused(world, login("bob", "s1")).await, Some(CloseReason::SessionEnded));
}

#[tokio::test(start_paused = true)]
async fn an_ending_that_this_node_cannot_read_back_names_the_node() {
    struct WritesOnly(Arc<Log>);
    impl Revocations for WritesOnly {
        fn end<'a>(&'a self, ending: Ending) -> BoxFuture<'a, Result<Cursor, PortError>> {
            Box::pin(async move {
                let cursor = self.0.end(ending).await;
                self.0.is(Mood::Silent);
                cursor
            })
        }

        fn read_after<'a>(&'a self, cursor: Cursor, at_most: usize) -> BoxFuture<'a, Result<Page, PortError>> {
            self.0.read_after(cursor, at_most)
        }

        fn appended(&self) -> watch::Receiver<Cursor> {
            self.0.appended()
        }
    }
    let world = World::over(Over::Pipe);
    let log = Log::new(false);
    let port = Arc::new(WritesOnly(Arc::clone(&log)));
    let follower = Follower::new(Arc::clone(&world.sockets), port, Following::of_node("one"));
    follower.begin().await.unwrap();
    let receipt = follower.end(logout("s1")).await.unwrap();
    assert_eq!(
        (receipt.silent.iter().map(|node| &**node).collect::<Vec<_>>(), receipt.sockets.len()),
        (vec!["one"], 0)
    );
    assert!(
        timeout(Duration::from_secs(6), follower.end(logout("s2"))).await.unwrap().is_err(),
        "nobody said that it is written"
    );
}

#[tokio::test(start_paused = true)]
async fn a_log_with_a_hole_sends_everybody_away_to_come_again_and_is_read_anew() {
    let Followed { world, log, .. } = &followed(Log::new(false)).await;
    log.log_out("old");
    sleep(Duration::from_secs(3)).await;
    let mut bob = world.serve(login("bob", "s1"), told(), echo()).await;
    log.log_out("lost");
    log.log_out("s2");
    log.forget_up_to(2);
    bob.peer.hears_close(CloseReason::GoingAway).await;
    assert_eq!(refused(world, login("bob", "s2")).await, Some(CloseReason::SessionEnded));
    assert_eq!(refused(world, login("bob", "s1")).await, None, "whoever comes again is let in");
    let mut again = world.serve(login("bob", "s3"), told(), echo()).await;
    log.log_out("s3");
    again.peer.hears_close(CloseReason::SessionEnded).await;
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_renewed_by_a_late_answer_counts_from_its_question() {
    let (world, log) = (World::over(Over::Pipe), Log::new(false));
    log.is(Mood::Late);
    let follower = Follower::new(Arc::clone(&world.sockets), Arc::clone(&log) as _, Following::of_node("one"));
    follower.begin().await.unwrap();
    assert_eq!(world.sockets.lease_age().map(|age| age.as_secs()), Some(4));
    sleep(Duration::from_millis(25_900)).await;
    assert!(world.sockets.is_confirmed());
    sleep(Duration::from_millis(200)).await;
    assert!(!world.sockets.is_confirmed(), "30 seconds after the question");
}

#[tokio::test(start_paused = true)]
async fn a_node_that_began_after_an_entry_was_written_says_nothing_of_what_came_of_it() {
    let log = Log::new(false);
    let before = log.log_out("s1");
    let Followed { follower, .. } = &followed(Arc::clone(&log)).await;
    let receipt = follower.receipt_of(before).await;
    assert_eq!(receipt.silent.iter().map(|node| &**node).collect::<Vec<_>>(), ["one"]);
    let after = log.log_out("s2");
    assert!(follower.receipt_of(after).await.silent.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_log_that_is_shorter_than_what_was_read_is_another_one_and_is_read_anew() {
    let Followed { world, log, .. } = &followed(Log::new(false)).await;
    for _ in 0..3 {
        log.log_out("another");
    }
    sleep(Duration::from_secs(3)).await;
    let mut bob = world.serve(login("bob", "s1"), told(), echo()).await;
    log.is_replaced();
    log.log_out("s2");
    bob.peer.hears_close(CloseReason::GoingAway).await;
    assert_eq!(refused(world, login("bob", "s2")).await, Some(CloseReason::SessionEnded));
    assert_eq!(refused(world, login("bob", "s1")).await, None);
    assert!(world.sockets.is_confirmed());
}

#[tokio::test(start_paused = true)]
async fn a_log_of_which_all_is_forgotten_that_this_node_has_not_read_sends_everybody_away_to_come_again() {
    let Followed { world, log, .. } = &followed(Log::new(false)).await;
    let mut bob = world.serve(login("bob", "s1"), told(), echo()).await;
    log.log_out("s1");
    log.forget_up_to(1);
    bob.peer.hears_close(CloseReason::GoingAway).await;
    assert!(world.sockets.is_confirmed());
    log.log_out("s2");
    sleep(Duration::from_secs(3)).await;
    assert_eq!(refused(world, login("bob", "s2")).await, Some(CloseReason::SessionEnded), "it is read on from there");
}

#[tokio::test(start_paused = true)]
async fn at_a_gate_that_fails_open_sockets_stay_through_a_gap_and_climbs_that_had_begun_come_again() {
    let Followed { world, log, .. } = &followed(Log::new(false)).await;
    let open = || SocketPolicy { fail: Fail::Open, ..told() };
    let mut bob = world.serve(login("bob", "s1"), open(), echo()).await;
    let begun = climb(login("bob", "s2"), world.sockets.cursor());
    for _ in 1..4 {
        log.log_out("another");
    }
    log.forget_up_to(1);
    log.is(Mood::Once);
    // The gap is seen; the first page of what is there has not come, and would tell of `s2` as of something old.
    sleep(Duration::from_secs(3)).await;
    log.log_out("s2");
    let (transport, _) = world.stream(1).await;
    assert_eq!(world.sockets.register(begun, transport, open()).unwrap_err(), CloseReason::GoingAway);
    log.is(Mood::Well);
    sleep(Duration::from_secs(8)).await;
    bob.peer.say("still here").await;
    bob.peer.hears("still here").await;
}

/// Lets a suspended socket in by the login that the log tells of.
struct ByLogin(Arc<doorward_session::Sockets>);

impl Comeback for ByLogin {
    fn climb(&self, socket: &Arc<Socket>, login: &Login) -> Option<Climb> {
        let clock: Arc<dyn Clock> = Arc::new(Wall::at(0));
        let again = vec![Again { of: "test", by: Arc::new(ByEntry(login.clone())) }];
        let (trace, as_of) = (TraceId::from_bytes([2; 16]), self.0.cursor());
        Some(Climb::resume(&socket.admission(), Resume { trace, again, as_of, clock }))
    }
}

struct ByEntry(Login);

impl Layer for ByEntry {
    fn name(&self) -> &'static str {
        "test"
    }

    fn verify<'a>(&'a self, _: &'a mut Conversation, claimant: &'a mut Claimant) -> BoxFuture<'a, Result<(), Refusal>> {
        let Login { subject, sid, browser, at, .. } = self.0.clone();
        let rests_on = vec![Rest::on("sid", sid.to_string())];
        let proof = Proof { subject: Some(subject), browser: Some(browser), rests_on, ..Proof::default() };
        Box::pin(std::future::ready(claimant.prove("test", at, proof)))
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_in_the_log_brings_back_the_socket_that_waits_and_it_ends_with_that_login() {
    let Followed { world, log, follower, .. } = &followed(Log::new(true)).await;
    let browser = Some([7; 32]);
    let (first, second) = (SessionId::from_bytes([1; 16]), SessionId::from_bytes([2; 16]));
    let proof = Proof { browser, ..login("bob", &first.to_string()) };
    let Served { socket, mut peer, .. } = world.serve(proof, waiting(), echo()).await;
    let bob: Subject = somebody("bob").subject.unwrap();
    assert_eq!(follower.end(logout(&first.to_string())).await.unwrap().suspended, [socket.id()]);
    peer.hears("suspended: logged out").await;
    log.append(What::LoggedIn { subject: bob.clone(), sid: second, browser: Some([8; 32]) }, Why::LoggedOut);
    sleep(Duration::from_secs(5)).await;
    assert_eq!(socket.suspension(), Some(Suspension::LoggedOut), "another browser's login is no matter");
    log.append(What::LoggedIn { subject: bob, sid: second, browser }, Why::LoggedOut);
    peer.hears("resumed").await;
    assert_eq!(follower.end(logout(&first.to_string())).await.unwrap().suspended, []);
    assert_eq!(follower.end(logout(&second.to_string())).await.unwrap().suspended, [socket.id()]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c6_a_thousand_registrations_that_race_a_thousand_logouts_leave_no_socket_of_an_ended_login() {
    let Followed { world, follower, .. } = &followed(Log::new(true)).await;
    let mut racing = tokio::task::JoinSet::new();
    for number in 0..1000 {
        let (sockets, follower, sid) = (Arc::clone(&world.sockets), Arc::clone(follower), format!("s{number}"));
        let (transport, peer) = world.stream(64).await;
        let logout = logout(&sid);
        let admission = climb(login(&sid, &sid), sockets.cursor());
        racing.spawn(async move {
            let registering = tokio::spawn(async move {
                let socket = sockets.register(admission, transport, quiet()).ok();
                drop(peer);
                socket
            });
            follower.end(logout).await.unwrap();
            registering.await.unwrap()
        });
    }
    let live = racing.join_all().await.into_iter().flatten().filter(|socket| socket.is_open()).count();
    assert_eq!(live, 0);
}

/// A proof of somebody's login, which stands at that place in the log.
fn login_at(place: Cursor, name: &str, sid: &str) -> Proof {
    Proof { newer_than: place, ..login(name, sid) }
}

#[tokio::test(start_paused = true)]
async fn c4_a_node_that_hears_late_that_all_of_somebodys_has_ended_leaves_the_login_that_began_since() {
    let Followed { world, log, .. } = &followed(Log::new(false)).await;
    let bob = somebody("bob").subject.unwrap();
    let keep = SessionId::from_bytes([9; 16]);
    for (what, why) in
        [(What::Rest(bob.rest()), Why::Revoked), (What::Others { subject: bob.clone(), keep }, Why::CredentialChanged)]
    {
        let old = log.append(What::LoggedIn { subject: bob.clone(), sid: keep, browser: None }, Why::LoggedIn);
        let mut before = world.serve(login_at(old, "bob", "before"), told(), echo()).await;
        let begun = climb(login_at(old, "bob", "begun before"), world.sockets.cursor());
        // This node has not read that all of bob's has ended, when bob comes by a login that the store has kept since.
        log.append(what, why);
        let new = log.append(What::LoggedIn { subject: bob.clone(), sid: keep, browser: None }, Why::LoggedIn);
        let mut since = world.serve(login_at(new, "bob", "since"), told(), echo()).await;
        let begun_since = climb(login_at(new, "bob", "begun since"), world.sockets.cursor());
        sleep(Duration::from_secs(3)).await;
        before.peer.hears_close(CloseReason::SessionEnded).await;
        since.peer.say("still here").await;
        since.peer.hears("still here").await;
        let register = async |climbed| {
            let (transport, _) = world.stream(1024).await;
            world.sockets.register(climbed, transport, told()).err()
        };
        assert_eq!((register(begun).await, register(begun_since).await), (Some(CloseReason::SessionEnded), None));
        log.append(What::Rest(bob.rest()), Why::Revoked);
        since.peer.hears_close(CloseReason::SessionEnded).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_is_ended_by_its_own_id_and_by_a_time_wherever_it_stands_in_the_log() {
    let bob = somebody("bob").subject;
    let not_before = What::NotBefore { subject: bob, at: Timestamp::from_secs(1_000_000) };
    for what in [What::Rest(Rest::on("sid", "s1")), not_before, What::Rest(Rest::on("key", "k"))] {
        let proof = Proof { rests_on: vec![Rest::on("sid", "s1"), Rest::on("key", "k")], ..somebody("bob") };
        let Followed { world, log, .. } = &followed(Log::new(true)).await;
        let served = world.serve(Proof { newer_than: Cursor(99), ..proof }, told(), echo()).await;
        log.append(what, Why::Revoked);
        sleep(Duration::from_secs(3)).await;
        assert_eq!(served.socket.ended(), Some(CloseReason::SessionEnded));
    }
}

#[tokio::test(start_paused = true)]
async fn what_stays_when_the_log_becomes_another_one_is_found_by_all_that_the_new_one_says() {
    let Followed { world, log, .. } = &followed(Log::new(false)).await;
    let open = SocketPolicy { fail: Fail::Open, ..told() };
    let (eve, keep) = (somebody("eve").subject.unwrap(), SessionId::from_bytes([9; 16]));
    for _ in 1..8 {
        log.log_out("another");
    }
    let place = log.append(What::Others { subject: eve, keep }, Why::CredentialChanged);
    sleep(Duration::from_secs(3)).await;
    assert_eq!(refused(world, login_at(place, "eve", "s2")).await, None);
    let mut bob = world.serve(login_at(place, "bob", "s1"), open, echo()).await;
    log.is_replaced();
    sleep(Duration::from_secs(3)).await;
    let refused = refused(world, login_at(place, "eve", "s3")).await;
    assert_eq!(refused, Some(CloseReason::SessionEnded), "its place is of another log, so that its time counts");
    bob.peer.say("still here").await;
    bob.peer.hears("still here").await;
    assert_eq!(log.append(What::Rest(somebody("bob").subject.unwrap().rest()), Why::Revoked), Cursor(1));
    sleep(Duration::from_secs(3)).await;
    assert_eq!(bob.socket.ended(), Some(CloseReason::SessionEnded));
}
