//! One frame to many.

use std::{sync::Arc, time::Duration};

use doorward_session::{AnyStream, Ended, Limits, Line, SocketPolicy, Transport};
use doorward_types::CloseReason;
use doorward_wire::websocket::frame;
use tokio::{io::BufStream, time::timeout};

use crate::support::{Heard, Over, Peer, World, climb, echo, over_both, quiet, somebody};

over_both!(
    everybody_gets_every_frame_in_order,
    c27_one_that_stops_reading_costs_the_others_nothing,
    a_frame_is_shared_and_not_copied,
);

async fn everybody_gets_every_frame_in_order(over: Over) {
    let world = World::over(over);
    let mut all = Vec::new();
    for number in 0..50 {
        all.push(world.serve(somebody(&format!("{number}")), quiet(), echo()).await);
    }
    let sockets: Vec<_> = all.iter().map(|served| Arc::clone(&served.socket)).collect();
    for number in 0..100 {
        world.sockets.fan_out(&sockets, &frame::text(format!("{number}").as_bytes()));
        if number % 7 == 0 {
            tokio::task::yield_now().await;
        }
    }
    for served in &mut all {
        for number in 0..100 {
            served.peer.hears(&format!("{number}")).await;
        }
    }
}

async fn c27_one_that_stops_reading_costs_the_others_nothing(over: Over) {
    let world = World::over(over);
    let limits = Limits { outbox_bytes: 1 << 20, ..quiet().limits };
    let policy = SocketPolicy { limits, end_within: Duration::from_millis(200), ..quiet() };
    let slow = world.serve(somebody("slow"), policy.clone(), echo()).await;
    let mut others = Vec::new();
    for number in 0..20 {
        others.push(world.serve(somebody(&format!("{number}")), policy.clone(), echo()).await);
    }
    let sockets: Vec<_> =
        others.iter().map(|served| Arc::clone(&served.socket)).chain([Arc::clone(&slow.socket)]).collect();
    let frame = frame::binary(&vec![7; 100_000]);
    let mut published = 0;
    while published < 60 || slow.socket.is_open() {
        assert!(published < 1000, "the slow one was never noticed");
        world.sockets.fan_out(&sockets, &frame);
        published += 1;
        for served in &mut others {
            assert_eq!(served.peer.hear().await, Heard::Binary(100_000));
        }
    }
    assert_eq!(slow.over.await.unwrap(), Ended::For(CloseReason::SlowConsumer));
    assert_eq!(world.sockets.len(), 20);
    world.sockets.fan_out(&sockets, &frame::text(b"still here"));
    for served in &mut others {
        served.peer.hears("still here").await;
    }
}

async fn a_frame_is_shared_and_not_copied(over: Over) {
    let world = World::over(over);
    let served = world.serve_with_room(10, somebody("bob"), quiet(), echo()).await;
    let frame = frame::binary(&[7; 1000]);
    world.sockets.fan_out([&served.socket], &frame);
    assert!(!frame.is_unique(), "the outbox holds the same bytes");
}

#[tokio::test(start_paused = true)]
async fn what_a_stream_keeps_back_is_flushed_out_of_it() {
    let world = World::over(Over::Pipe);
    for room in [1024, 5] {
        let (ours, theirs) = tokio::io::duplex(room);
        let transport: Arc<dyn Transport> = Arc::new(AnyStream::new(BufStream::new(ours)));
        let mut line = Line::new(Arc::clone(&transport), Vec::new(), 4096);
        let mut peer = Peer::over(theirs);
        let in_time = async |peer: &mut Peer, text| timeout(Duration::from_secs(1), peer.hears(text)).await.unwrap();
        let (said, ()) = tokio::join!(line.say("welcome"), in_time(&mut peer, "welcome"));
        said.unwrap();
        let socket =
            world.sockets.register(climb(somebody("bob"), world.sockets.cursor()), transport, quiet()).unwrap();
        tokio::spawn(line.run(Arc::clone(&socket), Box::new(echo())));
        tokio::task::yield_now().await;
        for text in ["one and no more", "two and no more"] {
            socket.send(frame::text(text.as_bytes()));
            in_time(&mut peer, text).await;
        }
        peer.say("three").await;
        in_time(&mut peer, "three").await;
    }
}
