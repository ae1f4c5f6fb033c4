use doorward_wire::websocket::frame;
use futures_util::FutureExt as _;

use super::{super::sessions::tests::binding, *};

fn session() -> Session {
    let reads = Reads { revision: Revision::Four, bytes: true };
    Session::new("sid".to_owned(), reads, binding(), [4, 8], Weak::new())
}

fn kind<T>(taken: io::Result<T>) -> io::ErrorKind {
    taken.err().map_or(io::ErrorKind::Other, |error| error.kind())
}

fn text((payload, _): (Payload, Answering)) -> String {
    match payload {
        Payload::Text(text) => text,
        Payload::Binary(bytes) => panic!("{bytes:?}"),
    }
}

#[test]
fn nothing_is_taken_that_no_get_waits_for() {
    let session = session();
    let frame = frame::text(b"42[1]");
    assert_eq!(kind(session.try_write(&frame)), io::ErrorKind::WouldBlock);
    let get = session.get();
    let mut get = std::pin::pin!(get);
    assert!(get.as_mut().now_or_never().is_none());
    assert_eq!(session.try_write(&frame).unwrap(), frame.len());
    session.try_flush().unwrap();
    assert_eq!(text(get.now_or_never().unwrap().unwrap()), "42[1]");
    assert_eq!(kind(session.try_write(&frame)), io::ErrorKind::WouldBlock);
}

#[test]
fn an_answer_is_as_large_as_it_may_be_or_one_frame() {
    let session = session();
    let mut get = Box::pin(session.get());
    assert!(get.as_mut().now_or_never().is_none());
    let half = frame::text(format!("42[\"{}\"]", "x".repeat(ANSWER / 2)).as_bytes());
    assert_eq!(session.try_write(&half).unwrap(), half.len());
    assert_eq!(kind(session.try_write(&half)), io::ErrorKind::WouldBlock, "two are too much");
    let first = get.now_or_never().unwrap().unwrap();
    assert_eq!(first.0.into_bytes().len(), ANSWER / 2 + 6);
    drop(first.1);
    let mut get = Box::pin(session.get());
    assert!(get.as_mut().now_or_never().is_none());
    let whole = frame::text(format!("42[\"{}\"]", "x".repeat(2 * ANSWER)).as_bytes());
    assert_eq!(session.try_write(&whole).unwrap(), whole.len(), "one that is larger goes alone");
}

#[test]
fn what_was_taken_for_a_get_that_is_gone_comes_to_no_other() {
    for flushes in [true, false] {
        let session = session();
        let mut get = Box::pin(session.get());
        assert!(get.as_mut().now_or_never().is_none());
        session.try_write(&frame::text(b"42[\"lost\"]")).unwrap();
        drop(get);
        if flushes {
            session.try_flush().unwrap();
        }
        assert_eq!(kind(session.try_write(&frame::text(b"42[2]"))), io::ErrorKind::BrokenPipe);
        assert_eq!(session.get().now_or_never().unwrap().err(), Some(NotTaken::Over));
    }
}

#[test]
fn the_next_get_is_answered_when_the_answer_before_it_was_taken() {
    let session = session();
    let mut get = Box::pin(session.get());
    assert!(get.as_mut().now_or_never().is_none());
    session.try_write(&frame::text(b"42[1]")).unwrap();
    session.try_flush().unwrap();
    let first = get.now_or_never().unwrap().unwrap();
    let mut next = Box::pin(session.get());
    assert!(next.as_mut().now_or_never().is_none());
    assert_eq!(kind(session.try_write(&frame::text(b"42[2]"))), io::ErrorKind::WouldBlock);
    drop(first);
    assert!(next.as_mut().now_or_never().is_none());
    session.try_write(&frame::text(b"42[2]")).unwrap();
    session.try_flush().unwrap();
    assert_eq!(text(next.now_or_never().unwrap().unwrap()), "42[2]");
}

#[test]
fn an_end_reaches_everybody_who_waits() {
    for cut in [true, false] {
        let session = session();
        let mut get = Box::pin(session.get());
        assert!(get.as_mut().now_or_never().is_none());
        let mut post = Box::pin(session.post().unwrap().brings(&[Packet::Message("2")]));
        assert!(post.as_mut().now_or_never().is_none());
        if cut {
            session.reset();
        } else {
            session.end(Ending::Said);
        }
        assert_eq!(get.now_or_never().unwrap().err(), Some(NotTaken::Over));
        assert_eq!(post.now_or_never().unwrap().err(), Some(NotTaken::Over));
        assert_eq!(session.post().err(), Some(NotTaken::Over));
        assert_eq!(kind(session.try_write(&frame::text(b"42[2]"))), io::ErrorKind::BrokenPipe);
        assert!(!session.may_upgrade() && !session.upgrade(Arc::new(self::session()), b""));
    }
}

#[test]
fn an_end_reaches_a_get_that_waits_for_the_answer_before_it() {
    let session = session();
    let mut get = Box::pin(session.get());
    assert!(get.as_mut().now_or_never().is_none());
    session.try_write(&frame::text(b"42[1]")).unwrap();
    session.try_flush().unwrap();
    let _not_taken = get.now_or_never().unwrap().unwrap();
    let mut next = Box::pin(session.get());
    assert!(next.as_mut().now_or_never().is_none());
    session.reset();
    assert_eq!(next.now_or_never().unwrap().err(), Some(NotTaken::Over));
}

#[tokio::test]
async fn a_post_is_answered_when_all_of_it_was_read() {
    let session = session();
    let mut post = Box::pin(session.post().unwrap().brings(&[Packet::Message("2[1]")]));
    assert!(post.as_mut().now_or_never().is_none());
    let mut context = Context::from_waker(Waker::noop());
    let mut byte = [0];
    let mut read = 0;
    while post.as_mut().now_or_never().is_none() {
        assert!(matches!(session.poll_read(&mut context, &mut byte), Poll::Ready(Ok(1))));
        read += 1;
    }
    assert_eq!(read, frames::of_client(Revision::Four, &[Packet::Message("2[1]")]).len());
    assert!(session.poll_read(&mut context, &mut byte).is_pending());
}

#[test]
fn one_websocket_takes_a_session_over() {
    let session = session();
    assert!(session.may_upgrade());
    assert!(session.upgrade(Arc::new(self::session()), b""));
    assert!(!session.may_upgrade() && !session.upgrade(Arc::new(self::session()), b"its words"));
    assert!(session.lock().posted.is_empty());
    assert_eq!(session.get().now_or_never().unwrap().err(), Some(NotTaken::Over));
    assert_eq!(session.post().err(), Some(NotTaken::Over));
}

#[test]
fn a_stranger_posts_less_than_somebody_who_is_known() {
    let session = session();
    assert_eq!(session.post().unwrap().longest(), 4);
    session.note_admitted();
    assert_eq!(session.post().unwrap().longest(), 8);
}
