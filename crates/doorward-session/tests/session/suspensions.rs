//! Sockets that wait for their login: nothing of the application goes in or out meanwhile.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use doorward_auth::ports::{LogEntry, What, Why};
use doorward_session::{Incoming, Socket, SocketPolicy, SocketState, Suspension, Target};
use doorward_types::{CloseReason, Cursor, OwnerId, Rest, Timestamp};
use doorward_wire::websocket::{
    Message,
    frame::{self, Opcode},
};
use tokio::time::Instant;

use crate::support::{Does, Heard, Over, Served, World, echo, login, over_both, quiet, waiting};

over_both!(
    a_suspended_socket_takes_and_gives_nothing_but_pings_pongs_and_the_gates_own_words,
    what_waits_is_dropped_and_the_rest_of_a_frame_goes_out,
    a_ban_ends_a_suspended_socket_with_its_reason,
);

fn sid(value: &str) -> Target {
    Target::Rest(Rest::on("sid", value))
}

/// Counts messages, and answers those that come while it is suspended in the gate's own words.
struct Counts {
    handled: Arc<AtomicUsize>,
}

impl Incoming for Counts {
    fn message(&mut self, _: &Arc<Socket>, _: Message<'_>) -> Result<(), CloseReason> {
        self.handled.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn suspended(&mut self, socket: &Arc<Socket>, _: Message<'_>) -> Result<(), CloseReason> {
        assert!(!socket.send(frame::text(b"of the application")));
        socket.tell(frame::text(b"error: suspended"));
        Ok(())
    }

    fn gone(&mut self, _: &Arc<Socket>) {}
}

async fn a_suspended_socket_takes_and_gives_nothing_but_pings_pongs_and_the_gates_own_words(over: Over) {
    let world = World::over(over);
    let handled = Arc::new(AtomicUsize::new(0));
    let incoming = Counts { handled: Arc::clone(&handled) };
    let Served { socket, mut peer, .. } = world.serve(login("bob", "s1"), waiting(), incoming).await;
    let receipt = world.log_out("s1").await;
    assert_eq!((receipt.sockets.as_slice(), receipt.suspended.as_slice()), ([].as_slice(), [socket.id()].as_slice()));
    peer.hears("suspended: logged out").await;
    assert!(socket.is_open() && socket.suspension() == Some(Suspension::LoggedOut));
    let info = &world.sockets.list(None, 10)[0];
    assert_eq!((info.state, info.sid.as_deref()), (SocketState::Suspended(Suspension::LoggedOut), Some("s1")));
    assert_eq!(info.layers, ["test"]);

    assert!(!socket.send(frame::text(b"of the application")));
    world.sockets.fan_out([&socket], &frame::text(b"to all"));
    peer.say("of the application").await;
    peer.hears("error: suspended").await;
    peer.frame(Opcode::Ping, b"there?").await;
    assert_eq!(peer.hear().await, Heard::Pong("there?".into()));
    assert_eq!(handled.load(Ordering::Relaxed), 0);
    peer.close(1000).await;
    assert_eq!(peer.hear().await, Heard::Close(Some(1000), String::new()));
}

async fn what_waits_is_dropped_and_the_rest_of_a_frame_goes_out(over: Over) {
    let world = World::over(over);
    let limits = doorward_session::Limits { outbox_messages: 1000, outbox_bytes: usize::MAX, ..quiet().limits };
    let policy = SocketPolicy { limits, ..waiting() };
    let Served { socket, mut peer, .. } = world.serve_with_room(100, login("bob", "s1"), policy, echo()).await;
    let megabyte = frame::binary(&vec![7; 1 << 20]);
    (0..50).for_each(|_| assert!(socket.send(megabyte.clone())));
    peer.await_a_byte().await;
    drop(world.log_out("s1"));
    let mut whole = 0;
    let last = loop {
        match peer.hear().await {
            Heard::Binary(length) => whole += usize::from(length == 1 << 20),
            last => break last,
        }
    };
    assert_eq!(last, Heard::Text("suspended: logged out".into()));
    assert!((1..50).contains(&whole), "{whole} came");
}

async fn a_ban_ends_a_suspended_socket_with_its_reason(over: Over) {
    let world = World::over(over);
    let Served { mut peer, .. } = world.serve(login("bob", "s1"), waiting(), echo()).await;
    drop(world.log_out("s1"));
    peer.hears("suspended: logged out").await;
    let ban = Target::Rest(Rest::on("subject", "member:bob"));
    assert_eq!(world.sockets.end(None, &ban, CloseReason::NotAllowed).await.sockets.len(), 1);
    peer.hears_close(CloseReason::NotAllowed).await;
    assert!(world.sockets.is_empty());
}

#[tokio::test(start_paused = true)]
async fn only_what_may_come_back_is_waited_for() {
    for why in Why::ALL {
        let world = World::over(Over::Pipe);
        let Served { socket, .. } = world.serve(login("bob", "s1"), waiting(), echo()).await;
        let Served { socket: closes, .. } = world.serve(login("bob", "s1"), quiet(), echo()).await;
        let (owner, what) = (Some(OwnerId::new("acme")), What::Rest(Rest::on("sid", "s1")));
        drop(world.sockets.apply(&LogEntry { cursor: Cursor(1), at: Timestamp::default(), owner, what, why }));
        assert_eq!(socket.is_open(), why.may_return(), "{why:?}");
        assert!(!closes.is_open(), "its gate says so");
    }
    let world = World::over(Over::Pipe);
    let Served { socket, .. } = world.serve(login("bob", "s1"), waiting(), echo()).await;
    drop(world.sockets.end(None, &sid("s1"), CloseReason::SessionEnded));
    assert!(!socket.is_open(), "the operator's word closes");
}

#[tokio::test(start_paused = true)]
async fn c7_pings_do_not_prolong_the_wait_for_a_login() {
    let world = World::over(Over::Pipe);
    let policy = SocketPolicy { ping_every: Some(Duration::from_secs(25)), ..waiting() };
    let Served { mut peer, .. } = world.serve(login("bob", "s1"), policy, echo()).await;
    drop(world.log_out("s1"));
    let began = Instant::now();
    peer.hears("suspended: logged out").await;
    let last = loop {
        match peer.hear().await {
            Heard::Ping => peer.frame(Opcode::Pong, b"").await,
            last => break last,
        }
    };
    assert_eq!(last, Heard::Close(Some(4410), "session_ended".into()));
    let took = began.elapsed().as_secs();
    assert!((30 * 60..=30 * 60 + 1).contains(&took), "{took} s");
}

#[tokio::test(start_paused = true)]
async fn a_backend_has_a_turn_of_its_own_and_may_end_its_socket_there() {
    struct Ends(bool);
    impl Incoming for Ends {
        fn message(&mut self, _: &Arc<Socket>, _: Message<'_>) -> Result<(), CloseReason> {
            self.0 = true;
            Ok(())
        }

        fn turn(&mut self, _: &Arc<Socket>, _: &mut std::task::Context<'_>) -> Result<(), CloseReason> {
            if self.0 { Err(CloseReason::Expired) } else { Ok(()) }
        }

        fn gone(&mut self, _: &Arc<Socket>) {}
    }
    let world = World::over(Over::Pipe);
    let Served { mut peer, .. } = world.serve(login("bob", "s1"), quiet(), Ends(false)).await;
    peer.say("now").await;
    peer.hears_close(CloseReason::Expired).await;

    let turns = Does::with(|_, _| panic!("it is not there"));
    let Served { mut peer, socket, .. } = world.serve(login("bob", "s2"), quiet(), turns).await;
    peer.say("now").await;
    peer.hears_close(CloseReason::InternalError).await;
    assert!(!socket.is_open());
}
