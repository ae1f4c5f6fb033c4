//! What somebody is told who counts how sockets end.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use doorward_session::{Ended, Limits, Observer, SocketPolicy, Target};
use doorward_types::{CloseReason, Rest};
use doorward_wire::websocket::frame;

use crate::support::{Over, World, echo, login, quiet, somebody};

#[derive(Default)]
struct Notes {
    ended: Mutex<Vec<Ended>>,
    landed: Mutex<Vec<Duration>>,
}

impl Observer for Notes {
    fn ended(&self, how: Ended) {
        self.ended.lock().unwrap().push(how);
    }

    fn landed(&self, within: Duration) {
        self.landed.lock().unwrap().push(within);
    }
}

#[tokio::test(start_paused = true)]
async fn an_observer_is_told_of_each_socket_once_and_of_an_ending_when_its_last_close_is_accepted() {
    let notes = Arc::new(Notes::default());
    let world = World::observed(Over::Pipe, notes.clone());
    let reads = world.serve(login("bob", "s1"), quiet(), echo()).await;
    let policy = SocketPolicy { end_within: Duration::from_millis(300), ..quiet() };
    let stuck = world.serve_with_room(1, login("bob", "s1"), policy, echo()).await;

    let receipt = world.sockets.end(None, &Target::Rest(Rest::on("sid", "s1")), CloseReason::SessionEnded).await;
    assert_eq!((receipt.sockets.len(), receipt.reset), (2, 1), "one takes no Close");
    drop((reads.peer, stuck.peer));
    let _over = (reads.over.await.unwrap(), stuck.over.await.unwrap());

    assert_eq!(*notes.ended.lock().unwrap(), [Ended::For(CloseReason::SessionEnded); 2]);
    assert_eq!(*notes.landed.lock().unwrap(), [receipt.within], "the last of the two, not each");
    assert!(receipt.within >= Duration::from_millis(300));
}

#[tokio::test(start_paused = true)]
async fn an_ending_that_finds_nobody_and_a_restart_are_no_measure_of_how_fast_endings_land() {
    let notes = Arc::new(Notes::default());
    let world = World::observed(Over::Pipe, notes.clone());
    let _served = world.serve(somebody("bob"), quiet(), echo()).await;
    world.sockets.end(None, &Target::Rest(Rest::on("sid", "nobody's")), CloseReason::SessionEnded).await;
    world.sockets.drain(Duration::from_secs(1)).await;
    assert_eq!(*notes.ended.lock().unwrap(), [Ended::For(CloseReason::Restart)]);
    assert!(notes.landed.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_slow_consumer_and_one_that_hangs_up_are_told_apart() {
    let notes = Arc::new(Notes::default());
    let world = World::observed(Over::Pipe, notes.clone());
    let limits = Limits { outbox_messages: 1, ..quiet().limits };
    let slow = world.serve_with_room(1, somebody("bob"), SocketPolicy { limits, ..quiet() }, echo()).await;
    while slow.socket.send(frame::text(b"more")) {}
    let gone = world.serve(somebody("eve"), quiet(), echo()).await;
    drop(gone.peer);
    gone.over.await.unwrap();
    assert_eq!(*notes.ended.lock().unwrap(), [Ended::For(CloseReason::SlowConsumer), Ended::HungUp]);
}
