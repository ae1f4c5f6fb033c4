//! What somebody is told who counts how sockets end.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use doorward_auth::{
    ports::{AuditRecord, Outcome},
    trail::{self, RungTrail, Step, Verb},
};
use doorward_session::{Ended, Limits, Observer, SocketPolicy, Suspension, Target};
use doorward_types::{CloseReason, GateName, OwnerId, Rest};
use doorward_wire::websocket::frame;

use crate::support::{Over, World, climb, echo, login, quiet, somebody, waiting};

#[derive(Default)]
struct Notes {
    ended: Mutex<Vec<Ended>>,
    landed: Mutex<Vec<Duration>>,
    decided: Mutex<Vec<AuditRecord>>,
    /// The audit log takes no rows.
    is_full: AtomicBool,
}

impl Observer for Notes {
    fn ended(&self, how: Ended) {
        self.ended.lock().unwrap().push(how);
    }

    fn landed(&self, within: Duration) {
        self.landed.lock().unwrap().push(within);
    }

    fn decided(&self, row: AuditRecord) -> bool {
        self.decided.lock().unwrap().push(row);
        !self.is_full.load(Ordering::SeqCst)
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

#[tokio::test(start_paused = true)]
async fn a_socket_that_is_let_in_once_more_is_written_down_with_its_steps_and_one_that_is_not_with_the_reason() {
    let notes = Arc::new(Notes::default());
    let world = World::observed(Over::Pipe, notes.clone());
    let served = world.serve(login("bob", "old"), waiting(), echo()).await;
    let socket = &served.socket;
    let _waits = world.log_out("old").await;
    let step = Step {
        layer: "session".into(),
        step: "login holds".into(),
        verb: Verb::Require,
        outcome: trail::Outcome::Hit,
        after_ms: 12,
        detail: None,
    };
    let trail = vec![RungTrail { rung: "session".into(), outcome: trail::Outcome::Hit, steps: vec![step] }];
    let by_old = climb(login("bob", "old"), world.sockets.cursor());
    world.sockets.readmit(socket, by_old, trail.clone()).unwrap_err();
    let by_new = climb(login("bob", "new"), world.sockets.cursor());
    let trace = by_new.trace();
    world.sockets.readmit(socket, by_new, trail.clone()).unwrap();
    let decided = notes.decided.lock().unwrap();
    let [refused, readmitted] = &**decided else { panic!("{decided:?}") };
    let Outcome::Refused { reason, layer, .. } = &refused.outcome else { panic!("{refused:?}") };
    assert_eq!((*reason, layer.as_str()), (CloseReason::SessionEnded, "server"));
    let expected = AuditRecord {
        trace,
        at: readmitted.at,
        took_ms: 12,
        owner: Some(OwnerId::new("acme")),
        gate: Some(GateName::new("fancy")),
        source: Some(socket.admission().source()),
        subject: somebody("bob").subject,
        outcome: Outcome::Readmitted(socket.id()),
        trail,
    };
    assert_eq!(*readmitted, expected);
    assert_eq!(world.sockets.list(None, 1)[0].trace, trace, "a live socket is asked about by its newest decision");
}

#[tokio::test(start_paused = true)]
async fn who_cannot_be_written_down_is_not_let_in_once_more() {
    let notes = Arc::new(Notes::default());
    let world = World::observed(Over::Pipe, notes.clone());
    let mut served = world.serve(login("bob", "old"), waiting(), echo()).await;
    let _waits = world.log_out("old").await;
    served.peer.hears("suspended: logged out").await;
    notes.is_full.store(true, Ordering::SeqCst);
    let readmit = || world.sockets.readmit(&served.socket, climb(login("bob", "new"), world.sockets.cursor()), vec![]);
    assert_eq!(readmit(), Err(CloseReason::TryLater));
    assert_eq!(served.socket.suspension(), Some(Suspension::LoggedOut), "nothing has changed");
    assert_eq!(notes.decided.lock().unwrap().len(), 1, "there is one row of it, not two");
    notes.is_full.store(false, Ordering::SeqCst);
    assert_eq!(readmit(), Ok(()));
}
