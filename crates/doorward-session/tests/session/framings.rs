//! Sockets over other wires than plain WebSocket frames. The clock of these tests moves when nothing else does.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use doorward_session::{BareBytes, Ended, Framing, Heartbeat, Line, SocketPolicy};
use doorward_types::CloseReason;
use doorward_wire::websocket::{Message, frame};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::{Instant, sleep_until},
};

use crate::support::{Does, Heard, Over, World, climb, echo, quiet, somebody};

const EVERY: Duration = Duration::from_secs(25);

/// A wire over text messages: `?` asks for a sign of life, `!` gives one, `bye` is the last word.
#[derive(Debug)]
struct Words;

impl Framing for Words {
    fn ping(&self) -> Bytes {
        frame::text(b"?")
    }

    fn pings_regularly(&self) -> bool {
        true
    }

    fn farewell(&self, ended: Ended) -> Bytes {
        Bytes::from([&frame::text(b"bye")[..], &frame::close(ended.reason())].concat())
    }

    fn heartbeat(&self, message: &Message<'_>) -> Option<Heartbeat> {
        match message.text() {
            Some("?") => Some(Heartbeat { answer: Some(frame::text(b"!")) }),
            Some("!") => Some(Heartbeat { answer: None }),
            _ => None,
        }
    }
}

fn of_words() -> SocketPolicy {
    let ping_every = Some(EVERY);
    SocketPolicy { framing: Arc::new(Words), ping_every, pong_within: Duration::from_secs(10), ..quiet() }
}

#[tokio::test(start_paused = true)]
async fn signs_of_life_of_a_wire_are_answered_and_reach_no_backend_and_are_no_traffic() {
    let world = World::over(Over::Pipe);
    let mut served = world.serve(somebody("bob"), of_words(), echo()).await;
    let seen = || world.sockets.list(None, 10).pop().unwrap().last_seen;
    let before = seen();
    world.wall.forward(Duration::from_secs(5));
    sleep_until(Instant::now() + Duration::from_secs(5)).await;
    served.peer.say("?").await;
    served.peer.hears("!").await;
    served.peer.say("!").await;
    served.peer.say("hello").await;
    served.peer.hears("hello").await;
    assert!(seen() > before, "what is said is traffic");
    let before = seen();
    world.wall.forward(Duration::from_secs(5));
    sleep_until(Instant::now() + Duration::from_secs(5)).await;
    served.peer.say("?").await;
    served.peer.hears("!").await;
    assert_eq!(seen(), before);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_wants_to_be_asked_regularly_is_asked_also_while_it_talks() {
    let world = World::over(Over::Pipe);
    let mut served = world.serve(somebody("bob"), of_words(), echo()).await;
    let began = Instant::now();
    let (mut asked, mut step) = (Vec::new(), 0);
    while asked.len() < 4 {
        step += 1;
        sleep_until(began + Duration::from_secs(2 * step)).await;
        served.peer.say("hello").await;
        while let Heard::Text(text) = served.peer.hear().await {
            if text == "hello" {
                break;
            }
            asked.push(began.elapsed().as_secs());
        }
    }
    let gaps: Vec<_> = asked.windows(2).map(|two| two[1] - two[0]).collect();
    assert!((24..=30).contains(&asked[0]) && gaps.iter().all(|gap| (24..=30).contains(gap)), "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn whoever_does_not_answer_in_the_words_of_its_wire_ends_with_the_last_words_of_it() {
    let world = World::over(Over::Pipe);
    let mut served = world.serve(somebody("bob"), of_words(), echo()).await;
    served.peer.hears("?").await;
    served.peer.hears("bye").await;
    served.peer.hears_close(CloseReason::PingTimeout).await;
}

#[tokio::test]
async fn over_bare_bytes_each_read_is_a_message_and_the_end_of_the_stream_is_the_last_word() {
    let world = World::over(Over::Tcp);
    let (ours, mut theirs) = crate::support::tcp().await;
    let transport = Arc::new(ours) as Arc<dyn doorward_session::Transport>;
    let line = Line::of_bytes(Arc::clone(&transport), 4096);
    let policy = SocketPolicy { framing: Arc::new(BareBytes), ..quiet() };
    let socket = world.sockets.register(climb(somebody("bob"), world.sockets.cursor()), transport, policy).unwrap();
    let echo = Does::with(|socket, message: Message<'_>| {
        assert!(message.text().is_none());
        socket.send(Bytes::copy_from_slice(message.payload));
        Ok(())
    });
    let over = tokio::spawn(line.run(Arc::clone(&socket), Box::new(echo)));
    theirs.write_all(b"\x81\x00no frame").await.unwrap();
    let mut heard = [0; 10];
    theirs.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"\x81\x00no frame");
    socket.end(CloseReason::SessionEnded);
    assert_eq!(theirs.read(&mut heard).await.unwrap(), 0);
    drop(theirs);
    assert_eq!(over.await.unwrap(), Ended::For(CloseReason::SessionEnded));
}
