//! Sockets whose login comes back.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use doorward_auth::{Again, BoxFuture, Claimant, Climb, Conversation, Layer, Proof, Refusal, Resume};
use doorward_session::{Socket, SocketPolicy, Suspension, Target};
use doorward_types::{CloseReason, Cursor, OwnerId, Rest, Subject, Timestamp, TraceId};
use doorward_wire::websocket::frame;
use tokio::time::{Instant, sleep};

use crate::support::{Over, Served, Wall, World, climb, climb_at, echo, login, over_both, somebody, waiting};

over_both!(
    c4_a_socket_goes_on_with_its_new_login_and_ends_with_that_and_not_with_the_old_one,
    a_socket_that_missed_nothing_goes_on_without_a_gap,
);

const BROWSER: [u8; 32] = [7; 32];

fn acme() -> OwnerId {
    OwnerId::new("acme")
}

fn sid(value: &str) -> Target {
    Target::Rest(Rest::on("sid", value))
}

/// Suspends somebody's socket by the end of its login.
async fn logged_out(world: &World, proof: Proof, name: &str) -> Served {
    let mut served = world.serve(proof, waiting(), echo()).await;
    assert_eq!(world.log_out(name).await.suspended, [served.socket.id()]);
    served.peer.hears("suspended: logged out").await;
    served
}

async fn c4_a_socket_goes_on_with_its_new_login_and_ends_with_that_and_not_with_the_old_one(over: Over) {
    let world = World::over(over);
    let Served { socket, mut peer, .. } = logged_out(&world, login("bob", "old"), "old").await;
    assert!(!socket.send(frame::text(b"missed")));
    let since = world.sockets.list(None, 1)[0].since;
    world.sockets.readmit(&socket, climb(login("bob", "new"), world.sockets.cursor()), vec![]).unwrap();
    peer.hears("resumed with a gap").await;
    peer.say("hello").await;
    peer.hears("hello").await;
    let info = &world.sockets.list(None, 1)[0];
    assert_eq!((info.sid.as_deref(), info.since), (Some("new"), since));

    assert_eq!(world.sockets.end(None, &sid("old"), CloseReason::SessionEnded).sockets(), []);
    assert!(socket.is_open());
    assert_eq!(world.sockets.end(None, &sid("new"), CloseReason::SessionEnded).sockets(), [socket.id()]);
    peer.hears_close(CloseReason::SessionEnded).await;
}

async fn a_socket_that_missed_nothing_goes_on_without_a_gap(over: Over) {
    let world = World::over(over);
    let Served { socket, mut peer, .. } = logged_out(&world, login("bob", "old"), "old").await;
    world.sockets.readmit(&socket, climb(login("bob", "new"), world.sockets.cursor()), vec![]).unwrap();
    peer.hears("resumed").await;
}

#[tokio::test(start_paused = true)]
async fn nobody_goes_on_with_what_would_not_let_them_in() {
    let world = World::over(Over::Pipe);
    let Served { socket, .. } = logged_out(&world, login("bob", "old"), "old").await;
    let as_of = world.sockets.cursor();
    let readmit = |admission| world.sockets.readmit(&socket, admission, vec![]).unwrap_err();
    assert_eq!(readmit(climb(login("eve", "new"), as_of)), CloseReason::NotAllowed);
    assert_eq!(readmit(climb(Proof::default(), as_of)), CloseReason::NotAllowed);
    assert_eq!(readmit(climb_at("acme", "other", login("bob", "new"), as_of)), CloseReason::NotAllowed);
    assert_eq!(readmit(climb_at("other", "fancy", login("bob", "new"), as_of)), CloseReason::NotAllowed);
    assert_eq!(readmit(climb(login("bob", "old"), as_of)), CloseReason::SessionEnded);
    let expired = Proof { expires_at: Some(Timestamp::from_secs(999)), ..login("bob", "new") };
    assert_eq!(readmit(climb(expired, as_of)), CloseReason::Expired);
    drop(world.log_out("new"));
    assert_eq!(readmit(climb(login("bob", "new"), as_of)), CloseReason::SessionEnded, "it ended on the way");
    assert_eq!(socket.suspension(), Some(Suspension::LoggedOut), "nothing has changed");
    socket.end(CloseReason::Normal);
    assert_eq!(readmit(climb(login("bob", "newer"), world.sockets.cursor())), CloseReason::Normal);
}

/// The login that has come back: nobody is asked.
struct Returned(&'static str);

impl Layer for Returned {
    fn name(&self) -> &'static str {
        "test"
    }

    fn verify<'a>(&'a self, _: &'a mut Conversation, claimant: &'a mut Claimant) -> BoxFuture<'a, Result<(), Refusal>> {
        let proof = Proof { browser: Some(BROWSER), ..login("bob", self.0) };
        Box::pin(std::future::ready(claimant.prove("test", Timestamp::default(), proof)))
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_in_the_same_browser_brings_back_the_sockets_that_wait_for_it_and_no_others() {
    let world = World::over(Over::Pipe);
    let in_browser = |name: &str, sid: &str, browser| Proof { browser, ..login(name, sid) };
    let mut mine = logged_out(&world, in_browser("bob", "s1", Some(BROWSER)), "s1").await;
    let elsewhere = logged_out(&world, in_browser("bob", "s2", Some([8; 32])), "s2").await;
    let program = logged_out(&world, login("bob", "s3"), "s3").await;
    let eve = logged_out(&world, in_browser("eve", "s4", Some(BROWSER)), "s4").await;
    let bob: Subject = somebody("bob").subject.unwrap();
    let clock: Arc<dyn doorward_auth::ports::Clock> = Arc::new(Wall::at(0));
    let climb = |socket: &Arc<Socket>| {
        let again = vec![Again { of: "test", by: Arc::new(Returned("new")) }];
        let (trace, as_of) = (TraceId::from_bytes([2; 16]), world.sockets.cursor());
        Some(Climb::resume(&socket.admission(), Resume { trace, again, as_of, clock: Arc::clone(&clock) }))
    };
    assert_eq!(world.sockets.logged_in(&OwnerId::new("other"), &bob, &BROWSER, climb).await, 0);
    assert_eq!(world.sockets.logged_in(&acme(), &bob, &BROWSER, climb).await, 1);
    mine.peer.hears("resumed").await;
    assert_eq!(world.sockets.list(None, 10).iter().filter(|info| info.sid.as_deref() == Some("new")).count(), 1);
    assert_eq!(mine.socket.suspension(), None);
    for waits in [elsewhere, program, eve] {
        assert_eq!(waits.socket.suspension(), Some(Suspension::LoggedOut));
    }
    assert_eq!(world.sockets.logged_in(&acme(), &bob, &BROWSER, climb).await, 0, "it waits no more");
    assert_eq!(world.sockets.cursor(), Cursor(4));
}

/// A store that takes a second to say that the login has come back, and how many have asked it at a time.
#[derive(Default)]
struct Slow {
    asking: AtomicUsize,
    most: AtomicUsize,
}

impl Layer for Slow {
    fn name(&self) -> &'static str {
        "test"
    }

    fn verify<'a>(&'a self, _: &'a mut Conversation, claimant: &'a mut Claimant) -> BoxFuture<'a, Result<(), Refusal>> {
        Box::pin(async move {
            self.most.fetch_max(self.asking.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
            sleep(Duration::from_secs(1)).await;
            self.asking.fetch_sub(1, Ordering::Relaxed);
            claimant.prove("test", Timestamp::default(), Proof { browser: Some(BROWSER), ..login("bob", "new") })
        })
    }
}

#[tokio::test(start_paused = true)]
async fn sockets_that_come_back_by_one_login_do_not_wait_for_each_other_nor_ask_the_store_all_at_once() {
    let world = World::over(Over::Pipe);
    let mut sockets = Vec::new();
    for number in 0..100 {
        let sid = format!("s{number}");
        let proof = Proof { browser: Some(BROWSER), ..login("bob", &sid) };
        let policy = SocketPolicy { per_subject: None, ..waiting() };
        sockets.push(world.serve(proof, policy, echo()).await);
        assert_eq!(world.log_out(&sid).await.suspended.len(), 1);
    }
    let (slow, bob) = (Arc::new(Slow::default()), somebody("bob").subject.unwrap());
    let clock: Arc<dyn doorward_auth::ports::Clock> = Arc::new(Wall::at(0));
    let began = Instant::now();
    let climb = |socket: &Arc<Socket>| {
        let again = vec![Again { of: "test", by: Arc::clone(&slow) as _ }];
        let (trace, as_of) = (TraceId::from_bytes([2; 16]), world.sockets.cursor());
        Some(Climb::resume(&socket.admission(), Resume { trace, again, as_of, clock: Arc::clone(&clock) }))
    };
    assert_eq!(world.sockets.logged_in(&acme(), &bob, &BROWSER, climb).await, 100);
    assert!(sockets.iter().all(|served| served.socket.suspension().is_none()));
    assert_eq!((began.elapsed().as_secs(), slow.most.load(Ordering::Relaxed)), (4, 32));
}
