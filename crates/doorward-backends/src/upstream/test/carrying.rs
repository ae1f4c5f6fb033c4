//! One direction of a relay, step by step.

use std::{future::poll_fn, task::Poll, time::Duration};

use doorward_session::{AnyStream, Transport};
use doorward_types::CloseReason;
use doorward_wire::websocket::{FrameTracker, frame};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

use crate::upstream::flow::{Flow, Stopped};

/// Carries what there is.
async fn carry(flow: &mut Flow, source: &dyn Transport, sink: &dyn Transport) {
    poll_fn(|context| match flow.poll_carry(context, source, sink, |_| Ok(())) {
        Poll::Pending => Poll::Ready(()),
        Poll::Ready(stopped) => panic!("{stopped:?}"),
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_refusal_within_a_frame_loses_none_of_the_frame() {
    let ((mut from, source), (sink, mut to)) = (duplex(1 << 16), duplex(1 << 16));
    let (source, sink) = (AnyStream::new(source), AnyStream::new(sink));
    let bytes: Vec<u8> = (0..3000_u32).map(|place| place as u8).collect();
    let whole = frame::binary(&bytes);
    let mut flow = Flow::new(FrameTracker::of_server());

    from.write_all(&whole[..1000]).await.unwrap();
    carry(&mut flow, &source, &sink).await;
    from.write_all(&whole[1000..2000]).await.unwrap();
    let refuse = |_| Err(CloseReason::SessionEnded);
    let stopped = poll_fn(|context| flow.poll_carry(context, &source, &sink, refuse)).await;
    assert_eq!(stopped, Stopped::Refused(CloseReason::SessionEnded));
    from.write_all(&[&whole[2000..], &frame::text(b"too late")].concat()).await.unwrap();
    let finished = poll_fn(|context| flow.poll_finish(context, &source, &sink, false));
    let finished = tokio::time::timeout(Duration::from_secs(5), finished).await;
    assert_eq!(finished, Ok(true), "the frame comes to its end");

    drop(sink);
    let mut got = Vec::new();
    to.read_to_end(&mut got).await.unwrap();
    assert_eq!(got, whole);
}

#[tokio::test(start_paused = true)]
async fn a_source_whose_every_piece_ends_within_a_header_costs_no_more_than_that_header() {
    let ((mut from, source), (sink, mut to)) = (duplex(1 << 16), duplex(1 << 16));
    let (source, sink) = (AnyStream::new(source), AnyStream::new(sink));
    let whole = frame::binary(&[7; 10_000]);
    let mut flow = Flow::new(FrameTracker::of_server());

    from.write_all(&whole[..1]).await.unwrap();
    for _ in 0..100 {
        from.write_all(&[&whole[1..], &whole[..1]].concat()).await.unwrap();
        carry(&mut flow, &source, &sink).await;
        let mut got = vec![0; whole.len()];
        to.read_exact(&mut got).await.unwrap();
        assert!(got == whole);
        assert_eq!(flow.room(), 1);
    }
}
