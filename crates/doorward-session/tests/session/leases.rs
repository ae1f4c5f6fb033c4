//! A node that cannot tell what has ended.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use doorward_auth::ports::AuditRecord;
use doorward_session::{Ended, Fail, Limits, Observer, SocketPolicy, Sockets, Steady, Suspension};
use doorward_types::CloseReason;
use doorward_wire::websocket::frame;
use tokio::time::{Instant, sleep};

use crate::support::{
    Dice, Heard, Over, Served, Wall, World, climb, echo, login, notices, quiet, somebody, tcp, waiting,
};

const LASTS: Duration = Duration::from_secs(30);
const GRACE: Duration = Duration::from_secs(15);

fn told() -> SocketPolicy {
    SocketPolicy { notices: Some(notices()), ..quiet() }
}

fn leased() -> World {
    let world = World::over(Over::Pipe);
    world.sockets.need_a_lease(GRACE);
    world.sockets.confirm(world.sockets.ask(), LASTS);
    world
}

#[tokio::test(start_paused = true)]
async fn c71_without_confirmation_sockets_stop_and_close_after_the_grace() {
    let world = leased();
    let Served { socket, mut peer, .. } = world.serve(somebody("bob"), told(), echo()).await;
    let began = Instant::now();
    peer.hears("suspended: unconfirmed").await;
    assert!((30_000..=30_100).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
    assert_eq!(socket.suspension(), Some(Suspension::Unconfirmed));
    peer.hears_close(CloseReason::TryLater).await;
    assert!((45_000..=45_200).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
    let (transport, _) = world.stream(1).await;
    let late = climb(somebody("bob"), world.sockets.cursor());
    assert_eq!(world.sockets.register(late, transport, quiet()).unwrap_err(), CloseReason::TryLater);
}

#[tokio::test(start_paused = true)]
async fn c71_a_write_finds_out_itself_that_nobody_has_confirmed() {
    // Nothing runs here but what is called: no wheel, no flusher.
    let time = Arc::new(Time::default());
    let sockets = Sockets::with_time(Arc::new(Wall::at(1_000_000)), Arc::clone(&time) as _, Arc::new(Dice::of(1)));
    sockets.need_a_lease(GRACE);
    sockets.confirm(sockets.ask(), LASTS);
    let (ours, theirs) = tcp().await;
    let mut peer = crate::support::Peer::over(theirs);
    let transport: Arc<dyn doorward_session::Transport> = Arc::new(ours);
    let line = doorward_session::Line::new(Arc::clone(&transport), Vec::new(), 4096);
    let socket = sockets.register(climb(somebody("bob"), sockets.cursor()), transport, told()).unwrap();
    let connection = tokio::spawn(line.run(Arc::clone(&socket), Box::new(echo())));
    peer.say("before").await;
    peer.hears("before").await;
    time.forward(LASTS);
    assert!(socket.send(frame::text(b"after")), "it waits, but for nobody");
    peer.say("after").await;
    peer.hears("suspended: unconfirmed").await;
    assert!(!socket.send(frame::text(b"after")));
    time.forward(Duration::from_secs(3600));
    sockets.confirm(sockets.ask(), LASTS);
    connection.abort();
    let _cancelled = connection.await;
    drop(socket);
    assert_eq!(peer.hear().await, Heard::End, "nothing came between");
}

#[tokio::test(start_paused = true)]
async fn c71_what_overflows_when_nobody_has_confirmed_is_not_written_either() {
    // Nothing runs here but what is called: no wheel, no flusher.
    let time = Arc::new(Time::default());
    let sockets = Sockets::with_time(Arc::new(Wall::at(1_000_000)), Arc::clone(&time) as _, Arc::new(Dice::of(1)));
    sockets.need_a_lease(GRACE);
    sockets.confirm(sockets.ask(), LASTS);
    let (ours, theirs) = tcp().await;
    let mut peer = crate::support::Peer::over(theirs);
    let transport: Arc<dyn doorward_session::Transport> = Arc::new(ours);
    let line = doorward_session::Line::new(Arc::clone(&transport), Vec::new(), 4096);
    let policy = SocketPolicy { limits: Limits { outbox_messages: 1, ..told().limits }, ..told() };
    let socket = sockets.register(climb(somebody("bob"), sockets.cursor()), transport, policy).unwrap();
    let connection = tokio::spawn(line.run(Arc::clone(&socket), Box::new(echo())));
    peer.say("before").await;
    peer.hears("before").await;
    time.forward(LASTS);
    assert!(socket.send(frame::text(b"there is room for this")));
    assert!(!socket.send(frame::text(b"and none for this")), "it would have to write");
    peer.say("after").await;
    peer.hears("suspended: unconfirmed").await;
    connection.abort();
}

#[derive(Default)]
struct Time(AtomicU64);

impl Time {
    fn forward(&self, by: Duration) {
        self.0.fetch_add(by.as_millis() as u64, Ordering::Relaxed);
    }
}

impl Steady for Time {
    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }
}

#[tokio::test(start_paused = true)]
async fn c71_confirmed_in_time_they_go_on_and_hear_of_the_gap() {
    let world = leased();
    let Served { socket, mut peer, .. } = world.serve(somebody("bob"), told(), echo()).await;
    let mut quiet_one = world.serve(somebody("eve"), told(), echo()).await;
    peer.hears("suspended: unconfirmed").await;
    quiet_one.peer.hears("suspended: unconfirmed").await;
    assert!(!socket.send(frame::text(b"missed")));
    sleep(Duration::from_secs(10)).await;
    world.sockets.confirm(world.sockets.ask(), LASTS);
    peer.hears("resumed with a gap").await;
    quiet_one.peer.hears("resumed").await;
    peer.say("hello").await;
    peer.hears("hello").await;
    sleep(Duration::from_secs(20)).await;
    assert!(socket.is_open() && socket.suspension().is_none(), "the grace was not counted on");
}

/// Confirms when it is told of the first socket that ends.
#[derive(Default)]
struct Confirms(OnceLock<Arc<Sockets>>);

impl Observer for Confirms {
    fn ended(&self, _: Ended) {
        let sockets = self.0.get().unwrap();
        sockets.confirm(sockets.ask(), LASTS);
    }

    fn landed(&self, _: Duration) {}

    fn decided(&self, _: AuditRecord) -> bool {
        true
    }
}

#[tokio::test(start_paused = true)]
async fn c71_confirmed_while_they_are_being_closed_the_rest_goes_on() {
    let observer = Arc::new(Confirms::default());
    let world = World::observed(Over::Pipe, Arc::clone(&observer) as _);
    assert!(observer.0.set(Arc::clone(&world.sockets)).is_ok());
    world.sockets.need_a_lease(GRACE);
    world.sockets.confirm(world.sockets.ask(), LASTS);
    let mut served = Vec::new();
    for name in ["ann", "bob", "eve"] {
        served.push(world.serve(somebody(name), told(), echo()).await);
    }
    sleep(LASTS + GRACE + Duration::from_secs(1)).await;
    let open: Vec<_> = served.iter_mut().filter(|served| served.socket.is_open()).collect();
    assert_eq!(open.len(), 2, "one was closed before it was confirmed");
    for served in open {
        served.peer.hears("suspended: unconfirmed").await;
        served.peer.hears("resumed").await;
    }
}

#[tokio::test(start_paused = true)]
async fn c71_a_new_admission_alone_confirms_nothing() {
    let world = leased();
    let mut served = world.serve(login("bob", "s1"), told(), echo()).await;
    served.peer.hears("suspended: unconfirmed").await;
    world.sockets.readmit(&served.socket, climb(login("bob", "s2"), world.sockets.cursor()), vec![]).unwrap();
    assert_eq!(served.socket.suspension(), Some(Suspension::Unconfirmed));
    assert!(!served.socket.send(frame::text(b"too early")));
    world.sockets.confirm(world.sockets.ask(), LASTS);
    served.peer.hears("resumed with a gap").await;
}

#[tokio::test(start_paused = true)]
async fn c71_after_the_heal_nothing_revives_that_ended_meanwhile() {
    let world = leased();
    let mut ended = world.serve(login("bob", "s1"), told(), echo()).await;
    let mut waits = world.serve(login("bob", "s1"), waiting(), echo()).await;
    ended.peer.hears("suspended: unconfirmed").await;
    waits.peer.hears("suspended: unconfirmed").await;
    drop(world.log_out("s1"));
    world.sockets.confirm(world.sockets.ask(), LASTS);
    ended.peer.hears_close(CloseReason::SessionEnded).await;
    waits.peer.hears("suspended: logged out").await;
    sleep(Duration::from_secs(5)).await;
    assert_eq!(waits.socket.suspension(), Some(Suspension::LoggedOut));
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_found_out_before_the_wheel_is_woken_when_it_may_go_on() {
    let world = leased();
    let (transport, _peer) = world.stream(1).await;
    let socket = world.sockets.register(climb(somebody("bob"), world.sockets.cursor()), transport, quiet()).unwrap();
    // It runs out between two ticks.
    sleep(Duration::from_millis(50)).await;
    world.sockets.confirm(world.sockets.ask(), LASTS);
    sleep(LASTS + Duration::from_millis(1)).await;
    let relay = tokio::spawn({
        let socket = Arc::clone(&socket);
        let mut polled = 0;
        std::future::poll_fn(move |context| {
            assert!(socket.poll_ended(context).is_pending());
            polled += 1;
            assert_eq!(socket.must_wait(), polled == 1);
            if polled == 2 { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
    });
    tokio::task::yield_now().await;
    world.sockets.confirm(world.sockets.ask(), LASTS);
    // Not when the wheel comes round next, but now.
    tokio::time::timeout(Duration::from_millis(10), relay).await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_gate_that_fails_open_goes_on() {
    let world = leased();
    let policy = || SocketPolicy { fail: Fail::Open, ..told() };
    let Served { socket, mut peer, .. } = world.serve(somebody("bob"), policy(), echo()).await;
    sleep(Duration::from_secs(100)).await;
    peer.say("hello").await;
    peer.hears("hello").await;
    assert!(socket.suspension().is_none());
    let (transport, _) = world.stream(1).await;
    assert!(world.sockets.register(climb(somebody("eve"), world.sockets.cursor()), transport, policy()).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_lease_counts_from_the_question_and_a_late_answer_takes_nothing_away() {
    let world = leased();
    let early = world.sockets.ask();
    sleep(Duration::from_secs(20)).await;
    world.sockets.confirm(early, LASTS);
    sleep(Duration::from_secs(9)).await;
    assert!(world.sockets.is_confirmed());
    sleep(Duration::from_secs(2)).await;
    assert!(!world.sockets.is_confirmed(), "it was asked 31 seconds ago");
    world.sockets.confirm(world.sockets.ask(), LASTS);
    world.sockets.confirm(early, LASTS);
    assert!(world.sockets.is_confirmed());
    assert_eq!(world.sockets.lease_age(), Some(Duration::ZERO), "the last question counts, not the last answer");
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_nobody_holds_a_lease_for_never_runs_out() {
    let world = World::over(Over::Pipe);
    let mut served = world.serve(somebody("bob"), told(), echo()).await;
    sleep(Duration::from_secs(1_000)).await;
    served.peer.say("hello").await;
    served.peer.hears("hello").await;
}
