//! The codec against `tokio-websockets` over an in-memory pipe: the same messages, and where one refuses, the other does so with
//! the same close code.
//!
//! Three differences are meant:
//! 1. *A length with its top bit set* is 1002 here (RFC 6455, section 5.2: "the most significant bit MUST be 0"); the oracle
//!    answers 1009, as for any number over its limit.
//! 2. *A message that its fragments make too big* is refused here on the header of the fragment that does it; the oracle reads
//!    that fragment first, so what is wrong in it comes first there, and it does not send a Close frame for the size.
//! 3. *Text that ends within a character, before an empty last fragment* is 1007 here (section 8.1: "When an endpoint is to
//!    interpret a byte stream as UTF-8 but finds that the byte stream is not, in fact, a valid UTF-8 stream, that endpoint MUST
//!    _Fail the WebSocket Connection_"); the oracle does not look at empty fragments.

use doorward_wire::websocket::Violation;
use futures_util::StreamExt;
use proptest::{collection::vec, prelude::*, sample::Index};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio_websockets::{ClientBuilder, Error, Limits, Message, ServerBuilder, WebSocketStream};

use crate::streams::{Got, LIMITS, Role, any_damage, any_frame, any_message, conversation, decode, write};

/// How a stream ended.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    /// The oracle wanted more, or it was closed.
    Quiet,
    /// With a Close frame of this code.
    Refused(u16),
    /// For its size, whatever was sent.
    TooBig,
}

fn own(message: &Message) -> Got {
    let payload = || message.as_payload().to_vec();
    if let Some((code, reason)) = message.as_close() {
        let code = u16::from(code);
        Got::Close((code != 1005).then_some(code), reason.to_owned())
    } else if message.is_ping() {
        Got::Ping(payload())
    } else if message.is_pong() {
        Got::Pong(payload())
    } else if message.is_text() {
        Got::Text(String::from_utf8_lossy(message.as_payload()).into_owned())
    } else {
        Got::Binary(payload())
    }
}

async fn ask(mut stream: WebSocketStream<DuplexStream>) -> (Vec<Got>, End) {
    let mut got = Vec::new();
    let mut end = End::Quiet;
    while let Some(next) = stream.next().await {
        match next {
            Ok(message) => got.push(own(&message)),
            Err(Error::PayloadTooLong { .. }) => {
                end = End::TooBig;
                break;
            }
            Err(Error::Protocol(_)) => end = End::Refused(0),
            Err(_) => break,
        }
    }
    (got, end)
}

/// What the oracle makes of a stream that ends after `bytes`.
fn oracle(role: Role, bytes: &[u8]) -> (Vec<Got>, End) {
    let limits = Limits::default().max_payload_len(Some(LIMITS.message));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let (mut peer, stream) = tokio::io::duplex(1 << 20);
        peer.write_all(bytes).await.unwrap();
        peer.shutdown().await.unwrap();
        let stream = match role {
            Role::Server => ServerBuilder::new().limits(limits).serve(stream),
            Role::Client => ClientBuilder::new().limits(limits).take_over(stream),
        };
        let (got, end) = ask(stream).await;
        let mut answered = Vec::new();
        peer.read_to_end(&mut answered).await.unwrap();
        let answers = match role {
            Role::Server => decode(Role::Client, &[&answered]).0,
            Role::Client => decode(Role::Server, &[&answered]).0,
        };
        match (end, answers.last()) {
            (End::Refused(_), Some(Got::Close(Some(code), _))) => (got, End::Refused(*code)),
            _ => (got, end),
        }
    })
}

/// Compares, and tells how our side ended.
fn compare(role: Role, bytes: &[u8]) -> Result<End, TestCaseError> {
    // Zeros behind it make every unfinished frame whole, and are refused by themselves: so both sides come to a decision.
    let bytes = [bytes, &[0; 4096]].concat();
    let (ours, violation) = decode(role, &[&bytes]);
    let (theirs, end) = oracle(role, &bytes);
    let our_end = match violation {
        None => End::Quiet,
        Some(Violation::TooBig { .. }) => End::TooBig,
        Some(violation) => End::Refused(violation.close_reason().code()),
    };
    match violation {
        // 1.
        Some(Violation::ImpossibleLength) => prop_assert!(matches!(end, End::TooBig | End::Refused(1002)), "{end:?}"),
        // 2. The header of this fragment was good, so the oracle may have gone on to anything but one message more.
        Some(Violation::TooBig { .. }) => prop_assert_ne!(end, End::Quiet),
        // 3.
        Some(Violation::TextNotUtf8) if theirs.len() > ours.len() => {
            let Some(Got::Text(text)) = theirs.get(ours.len()) else {
                return Err(TestCaseError::fail(format!("the oracle went on with {theirs:?}")));
            };
            prop_assert!(text.ends_with('\u{FFFD}'), "the oracle took as text: {text:?}");
            prop_assert_eq!(&ours[..], &theirs[..ours.len()]);
            return Ok(our_end);
        }
        _ => prop_assert_eq!(our_end, end),
    }
    prop_assert_eq!(ours, theirs);
    Ok(our_end)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_frames_mean_the_same_to_both(frames in vec(any_frame(), 0..8)) {
        compare(Role::Server, &write(&frames))?;
    }

    #[test]
    fn a_damaged_conversation_means_the_same_to_both(
        messages in vec(any_message(), 1..5),
        mask in any::<Option<[u8; 4]>>(),
        damages in vec(any_damage(), 0..4),
    ) {
        let (mut bytes, _) = conversation(&messages, mask);
        for damage in &damages {
            damage.apply(&mut bytes);
        }
        compare(if mask.is_some() { Role::Server } else { Role::Client }, &bytes)?;
    }

    #[test]
    fn any_header_means_the_same_to_both(first in any::<u8>(), rest in vec(any::<u8>(), 1..16)) {
        let bytes = [&[first], &rest[..]].concat();
        compare(Role::Server, &bytes)?;
        compare(Role::Client, &bytes)?;
    }

    #[test]
    fn any_close_frame_means_the_same_to_both(code in 0..6000_u16, reason in vec(any::<u8>(), 0..4), cut in any::<Index>()) {
        let payload = [&code.to_be_bytes()[..], &reason].concat();
        let payload = &payload[..payload.len() - cut.index(2)];
        let bytes = [&[0x88, payload.len() as u8], payload].concat();
        compare(Role::Client, &bytes)?;
    }
}

#[test]
fn the_oracle_refuses_what_it_should_so_that_agreeing_with_it_means_something() {
    let check = |bytes: &[u8], expected: End| assert_eq!(compare(Role::Client, bytes).unwrap(), expected, "{bytes:?}");
    check(&[0x88, 0], End::Quiet);
    check(&[0xC1, 0], End::Refused(1002));
    check(&[0x81, 1, 0xff], End::Refused(1007));
    check(&[0x82, 126, 8, 0], End::TooBig);
    check(&[0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0], End::Refused(1002));
    check(&[0x01, 2, 0xf0, 0x9f, 0x80, 0], End::Refused(1007));
}
