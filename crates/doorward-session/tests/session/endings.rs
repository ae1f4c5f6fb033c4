//! How a socket ends, and that nothing comes after it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use doorward_session::{Ended, Limits, Line, SocketPolicy, Target};
use doorward_types::{CloseReason, OwnerId, Rest};
use doorward_wire::websocket::frame::{self, Opcode};
use tokio::time::Instant;

use crate::support::{Does, Heard, Over, World, climb, echo, login, over_both, quiet, somebody};

over_both!(
    c1_an_ended_socket_says_why_and_nothing_of_the_application_follows,
    what_waits_is_dropped_at_the_end_and_a_frame_half_written_is_finished,
    a_peer_that_never_reads_is_reset_at_the_bound,
    a_peer_that_closes_first_gets_its_code_back_after_what_was_for_it,
    a_peer_that_hangs_up_is_gone_and_the_backend_hears_so_once,
    a_polite_ending_lets_the_answer_out_first,
    a_socket_that_ended_before_it_was_served_gets_its_close_frame,
    messages_after_the_end_reach_nobody,
    a_connection_that_is_dropped_is_gone,
    whoever_waits_for_the_end_hears_of_it,
);

fn roomy() -> SocketPolicy {
    let limits = Limits { outbox_messages: usize::MAX, outbox_bytes: usize::MAX, ..quiet().limits };
    SocketPolicy { limits, end_within: Duration::from_millis(200), ..quiet() }
}

async fn c1_an_ended_socket_says_why_and_nothing_of_the_application_follows(over: Over) {
    let world = World::over(over);
    let mut served = world.serve(login("bob", "s1"), quiet(), echo()).await;
    served.peer.say("before").await;
    served.peer.hears("before").await;

    let ending = world.sockets.end(None, &Target::Rest(Rest::on("sid", "s1")), CloseReason::SessionEnded);
    assert!(!served.socket.send(frame::text(b"after")), "a later send fails");
    assert_eq!(served.socket.ended(), Some(CloseReason::SessionEnded));
    let receipt = ending.await;
    assert_eq!((receipt.sockets.as_slice(), receipt.reset), ([served.socket.id()].as_slice(), 0));
    assert!(receipt.within < Duration::from_secs(1));

    served.peer.hears_close(CloseReason::SessionEnded).await;
    assert_eq!(served.peer.hear().await, Heard::End);
    served.peer.close(4410).await;
    assert_eq!(served.over.await.unwrap(), Ended::For(CloseReason::SessionEnded));
    assert!(world.sockets.is_empty());
}

async fn what_waits_is_dropped_at_the_end_and_a_frame_half_written_is_finished(over: Over) {
    let world = World::over(over);
    let policy = SocketPolicy { end_within: Duration::from_secs(60), ..roomy() };
    let mut served = world.serve_with_room(100, somebody("bob"), policy, echo()).await;
    let megabyte = frame::binary(&vec![7; 1 << 20]);
    (0..100).for_each(|_| assert!(served.socket.send(megabyte.clone())));
    served.peer.await_a_byte().await;
    served.socket.end(CloseReason::SessionEnded);

    let mut whole = 0;
    let last = loop {
        match served.peer.hear().await {
            Heard::Binary(length) => {
                assert_eq!(length, 1 << 20);
                whole += 1;
            }
            last => break last,
        }
    };
    assert_eq!(last, Heard::Close(Some(4410), "session_ended".into()));
    assert!((1..100).contains(&whole), "{whole} frames came, and the one half written is among them");
    assert_eq!(served.peer.hear().await, Heard::End);
}

async fn a_peer_that_never_reads_is_reset_at_the_bound(over: Over) {
    let world = World::over(over);
    let mut served = world.serve_with_room(100, somebody("bob"), roomy(), echo()).await;
    let megabyte = frame::binary(&vec![7; 1 << 20]);
    (0..100).for_each(|_| assert!(served.socket.send(megabyte.clone())));
    served.peer.await_a_byte().await;
    let began = Instant::now();
    let receipt = world.sockets.end(None, &Target::Socket(served.socket.id()), CloseReason::NotAllowed).await;
    assert_eq!((receipt.sockets.len(), receipt.reset), (1, 1));
    assert!(receipt.within >= Duration::from_millis(200));
    if over == Over::Pipe {
        assert!(began.elapsed() <= Duration::from_millis(400), "within two ticks: {:?}", began.elapsed());
    }
    assert_eq!(served.over.await.unwrap(), Ended::For(CloseReason::NotAllowed));
    if over == Over::Tcp {
        while let Heard::Binary(_) = served.peer.hear().await {}
        // What had been delivered could be read; then there is a reset, and no FIN.
        drop(served.socket);
    }
}

async fn a_peer_that_closes_first_gets_its_code_back_after_what_was_for_it(over: Over) {
    let world = World::over(over);
    let mut served = world.serve(somebody("bob"), quiet(), echo()).await;
    let mut bytes = crate::support::masked(Opcode::Text, b"last words");
    bytes.extend(crate::support::masked(Opcode::Close, &4321_u16.to_be_bytes()));
    served.peer.write(&bytes).await;
    served.peer.hears("last words").await;
    assert_eq!(served.peer.hear().await, Heard::Close(Some(4321), String::new()));
    assert_eq!(served.peer.hear().await, Heard::End);
    assert_eq!(served.socket.ended(), Some(CloseReason::Normal));
    drop(served.peer);
    assert_eq!(served.over.await.unwrap(), Ended::ByPeer { code: Some(4321) });
}

async fn a_peer_that_hangs_up_is_gone_and_the_backend_hears_so_once(over: Over) {
    let world = World::over(over);
    let incoming = Does::with(|_, _| Ok(()));
    let gone = Arc::clone(&incoming.gone);
    let served = world.serve(somebody("bob"), quiet(), incoming).await;
    assert_eq!(world.sockets.len(), 1);
    drop(served.peer);
    assert_eq!(served.over.await.unwrap(), Ended::HungUp);
    assert_eq!(gone.load(Ordering::Relaxed), 1);
    assert!(world.sockets.is_empty() && world.sockets.list(None, 10).is_empty());
    assert!(!served.socket.send(frame::text(b"anybody?")));
}

async fn a_polite_ending_lets_the_answer_out_first(over: Over) {
    let world = World::over(over);
    let incoming = Does::with(|socket, _| {
        socket.send(frame::text(b"bye"));
        Err(CloseReason::Normal)
    });
    let mut served = world.serve(somebody("bob"), quiet(), incoming).await;
    served.peer.say("logout").await;
    served.peer.hears("bye").await;
    served.peer.hears_close(CloseReason::Normal).await;
    assert_eq!(served.peer.hear().await, Heard::End);
}

async fn a_socket_that_ended_before_it_was_served_gets_its_close_frame(over: Over) {
    let world = World::over(over);
    let (transport, mut peer) = world.stream(1024).await;
    let line = Line::new(Arc::clone(&transport), Vec::new(), 4096);
    let admission = climb(login("bob", "s1"), world.sockets.cursor());
    let socket = world.sockets.register(admission, transport, quiet()).unwrap();
    assert!(socket.send(frame::text(b"admitted")));
    let ending = world.sockets.end(None, &Target::Rest(Rest::on("sid", "s1")), CloseReason::SessionEnded);
    let over = tokio::spawn(line.run(socket, Box::new(echo())));
    assert_eq!(ending.await.sockets.len(), 1);
    peer.hears_close(CloseReason::SessionEnded).await;
    peer.close(1000).await;
    assert_eq!(over.await.unwrap(), Ended::For(CloseReason::SessionEnded));
}

async fn messages_after_the_end_reach_nobody(over: Over) {
    let world = World::over(over);
    let handled = Arc::new(AtomicUsize::new(0));
    let handling = Arc::clone(&handled);
    let incoming = Does::with(move |socket, _| {
        handling.fetch_add(1, Ordering::Relaxed);
        socket.end(CloseReason::NotAllowed);
        Ok(())
    });
    let gone = Arc::clone(&incoming.gone);
    let mut served = world.serve(somebody("bob"), quiet(), incoming).await;
    let messages = ["the last", "anybody?", "hello?"].map(|text| crate::support::masked(Opcode::Text, text.as_bytes()));
    served.peer.write(&messages.concat()).await;
    served.peer.say("in another read?").await;
    served.peer.hears_close(CloseReason::NotAllowed).await;
    assert_eq!(served.peer.hear().await, Heard::End);
    assert_eq!(gone.load(Ordering::Relaxed), 1, "the backend hears of the end before the peer has answered");
    served.peer.close(4403).await;
    assert_eq!(served.over.await.unwrap(), Ended::For(CloseReason::NotAllowed));
    assert_eq!(gone.load(Ordering::Relaxed), 1);
    assert_eq!(handled.load(Ordering::Relaxed), 1);
}

async fn a_connection_that_is_dropped_is_gone(over: Over) {
    let world = World::over(over);
    let incoming = Does::with(|_, _| Ok(()));
    let gone = Arc::clone(&incoming.gone);
    let served = world.serve(somebody("bob"), quiet(), incoming).await;
    served.over.abort();
    assert!(served.over.await.unwrap_err().is_cancelled());
    assert_eq!(gone.load(Ordering::Relaxed), 1);
    assert_eq!(served.socket.ended(), Some(CloseReason::GoingAway));
    assert!(world.sockets.is_empty());
}

async fn whoever_waits_for_the_end_hears_of_it(over: Over) {
    let world = World::over(over);
    let served = world.serve(somebody("bob"), quiet(), echo()).await;
    let waiting: Vec<_> = (0..3)
        .map(|_| {
            let socket = Arc::clone(&served.socket);
            tokio::spawn(async move { socket.until_ended().await })
        })
        .collect();
    tokio::task::yield_now().await;
    assert_eq!(
        world.sockets.end(Some(&OwnerId::new("acme")), &Target::Everything, CloseReason::Restart).await.reset,
        0
    );
    for waiting in waiting {
        assert_eq!(waiting.await.unwrap(), CloseReason::Restart);
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_answer_a_close_frame_is_let_go_after_a_second() {
    let world = World::over(Over::Pipe);
    let mut served = world.serve(somebody("bob"), quiet(), echo()).await;
    let began = Instant::now();
    served.socket.end(CloseReason::NotAllowed);
    served.peer.hears_close(CloseReason::NotAllowed).await;
    assert_eq!(served.over.await.unwrap(), Ended::For(CloseReason::NotAllowed));
    let took = began.elapsed();
    assert!((Duration::from_secs(1)..=Duration::from_millis(1400)).contains(&took), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn behind_a_relay_the_close_frame_is_the_relays_to_write() {
    let world = World::over(Over::Pipe);
    let (transport, mut peer) = world.stream(1024).await;
    let mut line = Line::new(Arc::clone(&transport), Vec::new(), 4096);
    peer.say("hello").await;
    assert!(matches!(line.receive().await, doorward_session::Received::Text(_)));
    let admission = climb(login("bob", "s1"), world.sockets.cursor());
    let socket = world.sockets.register(admission, transport, quiet()).unwrap();
    let (transport, ahead) = line.into_bytes();
    assert_eq!(ahead, b"");
    let ending = world.sockets.end(None, &Target::Rest(Rest::on("sid", "s1")), CloseReason::SessionEnded);
    assert_eq!(socket.until_ended().await, CloseReason::SessionEnded);
    tokio::time::advance(Duration::from_millis(500)).await;
    let close = frame::close(CloseReason::SessionEnded);
    assert_eq!(std::future::poll_fn(|context| transport.poll_write(context, &close)).await.unwrap(), close.len());
    socket.close_accepted();
    let receipt = ending.await;
    assert_eq!((receipt.sockets.len(), receipt.reset), (1, 0));
    assert!(receipt.within >= Duration::from_millis(500), "the receipt waits for the relay");
    peer.hears_close(CloseReason::SessionEnded).await;
}
