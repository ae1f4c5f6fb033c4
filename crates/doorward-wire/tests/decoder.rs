//! What the decoder hands out, refuses and holds. Frames are spelled out here byte by byte, so that nothing is tested against
//! the crate's own writer.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

use doorward_types::CloseReason;
use doorward_wire::websocket::{CloseFrame, Decoder, Event, Input, Limits, Message, MessageKind, Violation};

const LIMITS: Limits = Limits { message: 1024 };

/// An event that owns its bytes.
#[derive(Clone, Debug, PartialEq)]
enum Got {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<u16>, String),
}

/// `None` for what has no bytes of its own.
fn own(event: Event<'_>) -> Option<Got> {
    Some(match event {
        Event::Message(message @ Message { kind: MessageKind::Text, .. }) => {
            Got::Text(message.text().unwrap().to_owned())
        }
        Event::Message(message) => Got::Binary(message.payload.to_vec()),
        Event::Ping(payload) => Got::Ping(payload.to_vec()),
        Event::Pong(payload) => Got::Pong(payload.to_vec()),
        Event::Close(CloseFrame { code, reason }) => Got::Close(code, reason.to_owned()),
        Event::Fragment => return None,
    })
}

fn feed(decoder: &mut Decoder, bytes: &[u8], got: &mut Vec<Got>) -> Result<(), Violation> {
    let mut bytes = bytes.to_vec();
    let mut input = Input::new(&mut bytes);
    while let Some(event) = decoder.next(&mut input)? {
        got.extend(own(event));
    }
    assert!(input.rest().is_empty(), "None means that everything was consumed");
    Ok(())
}

/// What a client's decoder makes of unmasked frames in one piece; it must be the same byte by byte.
fn decode(bytes: &[u8]) -> (Vec<Got>, Result<(), Violation>) {
    let mut whole = Vec::new();
    let result = feed(&mut Decoder::client(LIMITS), bytes, &mut whole);
    let mut decoder = Decoder::client(LIMITS);
    let mut split = Vec::new();
    let split_result = bytes.iter().try_for_each(|byte| feed(&mut decoder, &[*byte], &mut split));
    assert_eq!((&split, &split_result), (&whole, &result), "one piece and single bytes differ");
    (whole, result)
}

fn refused(bytes: &[u8]) -> Violation {
    decode(bytes).1.expect_err("this should have been refused")
}

/// A frame with a two-byte header.
fn short(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first, u8::try_from(payload.len()).unwrap()];
    frame.extend_from_slice(payload);
    frame
}

#[test]
fn the_examples_of_the_standard_decode() {
    // RFC 6455, section 5.7.
    let (got, result) =
        decode(&[0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x01, 0x03, 0x48, 0x65, 0x6c, 0x80, 0x02, 0x6c, 0x6f]);
    assert_eq!((got, result), (vec![Got::Text("Hello".into()), Got::Text("Hello".into())], Ok(())));
    let mut server = Decoder::server(LIMITS);
    let mut got = Vec::new();
    feed(&mut server, &[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58], &mut got).unwrap();
    assert_eq!(got, [Got::Text("Hello".into())]);
}

#[test]
fn a_masked_message_in_any_two_pieces_is_unmasked() {
    let payload: Vec<u8> = (0..=255).collect();
    let mut frame = vec![0x82, 0x80 | 126, 1, 0, 9, 8, 7, 6];
    frame.extend(payload.iter().zip([9, 8, 7, 6].iter().cycle()).map(|(byte, key)| byte ^ key));
    for cut in 0..=frame.len() {
        let mut decoder = Decoder::server(LIMITS);
        let mut got = Vec::new();
        feed(&mut decoder, &frame[..cut], &mut got).unwrap();
        feed(&mut decoder, &frame[cut..], &mut got).unwrap();
        assert_eq!(got, [Got::Binary(payload.clone())], "cut {cut}");
    }
}

#[test]
fn a_message_whose_header_came_alone_leaves_nothing_behind() {
    let mut decoder = Decoder::client(LIMITS);
    let mut got = Vec::new();
    for piece in [&[0x81, 2][..], b"ab", &[0x81, 1, b'c']] {
        feed(&mut decoder, piece, &mut got).unwrap();
    }
    assert_eq!(got, [Got::Text("ab".into()), Got::Text("c".into())]);
    assert_eq!(decoder.held(), 0);
}

#[test]
fn every_whole_frame_is_one_event() {
    let mut bytes =
        [short(0x01, b""), short(0x00, b"a"), short(0x89, b""), short(0x00, b""), short(0x80, b"b")].concat();
    for size in [1, 3, bytes.len()] {
        let mut decoder = Decoder::client(LIMITS);
        let mut events = Vec::new();
        for piece in bytes.chunks_mut(size) {
            let mut input = Input::new(piece);
            while let Some(event) = decoder.next(&mut input).unwrap() {
                events.push(matches!(event, Event::Fragment));
            }
        }
        assert_eq!(events, [true, true, false, true, false], "in pieces of {size}");
    }
}

#[test]
fn a_control_frame_between_fragments_comes_out_before_their_message() {
    let stream =
        [short(0x01, b"he"), short(0x89, b"p"), short(0x00, b"l"), short(0x8a, b""), short(0x80, b"lo")].concat();
    let (got, result) = decode(&stream);
    assert_eq!(result, Ok(()));
    assert_eq!(got, [Got::Ping(b"p".into()), Got::Pong(vec![]), Got::Text("hello".into())]);
}

#[test]
fn a_whole_frame_is_handed_out_in_place() {
    let mut bytes = short(0x82, b"payload");
    let range = bytes.as_ptr_range();
    let mut decoder = Decoder::client(LIMITS);
    let mut input = Input::new(&mut bytes);
    let Ok(Some(Event::Message(message))) = decoder.next(&mut input) else { panic!("a message was sent") };
    assert!(range.contains(&message.payload.as_ptr()));
    assert_eq!(decoder.held(), 0);
}

#[test]
fn what_follows_a_message_is_left_as_it_came_until_it_is_asked_for() {
    let mut bytes = [0x81, 0x81, 1, 1, 1, 1, b'a' ^ 1, 0x81, 0x81, 2, 2, 2, 2, b'b' ^ 2];
    let mut decoder = Decoder::server(LIMITS);
    let mut input = Input::new(&mut bytes);
    assert!(decoder.next(&mut input).unwrap().is_some());
    assert!(decoder.is_at_boundary());
    assert_eq!(input.rest(), [0x81, 0x81, 2, 2, 2, 2, b'b' ^ 2]);
}

#[test]
fn c26_every_broken_rule_of_a_header_has_its_own_refusal() {
    assert_eq!(refused(&[0xC1, 0]), Violation::ReservedBits);
    assert_eq!(refused(&[0xA1, 0]), Violation::ReservedBits);
    assert_eq!(refused(&[0x91, 0]), Violation::ReservedBits);
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        assert_eq!(refused(&[0x80 | opcode, 0]), Violation::ReservedOpcode(opcode));
    }
    assert_eq!(refused(&[0x09, 0]), Violation::FragmentedControl);
    assert_eq!(refused(&[0x89, 126, 0, 126]), Violation::LongControl);
    assert_eq!(refused(&[0x81, 0x80]), Violation::Masked);
    assert_eq!(refused(&[0x82, 126, 0, 125]), Violation::LengthNotMinimal);
    assert_eq!(refused(&[0x82, 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff]), Violation::LengthNotMinimal);
    assert_eq!(refused(&[0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0]), Violation::ImpossibleLength);
    assert_eq!(refused(&[0x80, 0]), Violation::NothingToContinue);
    assert_eq!(refused(&[0x01, 0, 0x81, 0]), Violation::MessageUnfinished);
    assert_eq!(refused(&[0x81, 0, 0x00, 0]), Violation::NothingToContinue);
}

#[test]
fn c26_a_client_that_does_not_mask_is_refused() {
    let mut decoder = Decoder::server(LIMITS);
    assert_eq!(feed(&mut decoder, &[0x81, 0x01, b'a'], &mut Vec::new()), Err(Violation::NotMasked));
}

#[test]
fn a_control_frame_of_125_bytes_is_taken() {
    assert_eq!(decode(&short(0x89, &[7; 125])).0, [Got::Ping(vec![7; 125])]);
}

#[test]
fn c26_text_is_refused_at_the_first_impossible_byte_in_the_middle_of_a_frame() {
    // Autobahn 6.4: the message goes on after the bad byte, but nobody waits for that.
    let mut decoder = Decoder::client(LIMITS);
    assert_eq!(feed(&mut decoder, &[0x01, 20, 0xce, 0xba, 0xf4], &mut Vec::new()), Ok(()));
    assert_eq!(feed(&mut decoder, &[0x90], &mut Vec::new()), Err(Violation::TextNotUtf8));
    assert_eq!(Violation::TextNotUtf8.close_reason(), CloseReason::InvalidData);
}

#[test]
fn c26_a_character_may_lie_over_fragments_but_must_end_with_the_message() {
    let whole = [short(0x01, &[0xf0, 0x9f]), short(0x00, &[]), short(0x00, &[0x9a]), short(0x80, &[0xaa])].concat();
    assert_eq!(decode(&whole).0, [Got::Text("🚪".into())]);
    let broken = [short(0x01, &[0xf0, 0x9f]), short(0x80, &[0x9a])].concat();
    assert_eq!(refused(&broken), Violation::TextNotUtf8);
    assert_eq!(refused(&short(0x81, &[0xf0, 0x9f])), Violation::TextNotUtf8);
}

#[test]
fn text_after_a_broken_binary_message_is_still_checked_from_its_own_start() {
    let stream = [short(0x02, &[0xf0]), short(0x80, &[0x9f]), short(0x01, b"a"), short(0x80, b"b")].concat();
    assert_eq!(decode(&stream).0, [Got::Binary(vec![0xf0, 0x9f]), Got::Text("ab".into())]);
}

#[test]
fn c26_close_frames_are_read_and_bad_ones_refused() {
    assert_eq!(decode(&[0x88, 0]).0, [Got::Close(None, String::new())]);
    assert_eq!(refused(&[0x88, 1, 3]), Violation::HalfCloseCode);
    for code in [1000_u16, 1001, 1002, 1003, 1007, 1011, 1014, 3000, 4999] {
        let payload = [&code.to_be_bytes()[..], "tschüß".as_bytes()].concat();
        assert_eq!(decode(&short(0x88, &payload)).0, [Got::Close(Some(code), "tschüß".into())]);
    }
    for code in [0_u16, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535] {
        assert_eq!(refused(&short(0x88, &code.to_be_bytes())), Violation::CloseCode(code));
    }
    assert_eq!(refused(&[0x88, 3, 0x03, 0xe8, 0xff]), Violation::CloseReasonNotUtf8);
}

#[test]
fn nothing_is_held_after_a_violation() {
    let mut decoder = Decoder::client(LIMITS);
    feed(&mut decoder, &[0x01, 1, b'a', 0x88, 2, 0x03], &mut Vec::new()).unwrap();
    assert!(decoder.held() > 0);
    assert_eq!(feed(&mut decoder, &[0xed], &mut Vec::new()), Err(Violation::CloseCode(1005)));
    assert_eq!(decoder.held(), 0);
}

#[test]
fn a_close_frame_is_echoed_with_its_code_alone() {
    assert_eq!(CloseFrame { code: Some(4401), reason: "why" }.echo(), [0x88, 2, 0x11, 0x31].as_slice());
    assert_eq!(CloseFrame { code: None, reason: "" }.echo(), [0x88, 0].as_slice());
}

#[test]
fn nothing_is_decoded_after_a_close_frame_or_a_violation() {
    let (got, result) = decode(&[short(0x88, &[]), short(0x81, b"a"), vec![0xff; 9]].concat());
    assert_eq!((got, result), (vec![Got::Close(None, String::new())], Ok(())));
    let mut decoder = Decoder::client(LIMITS);
    let mut got = Vec::new();
    assert_eq!(feed(&mut decoder, &[0xff, 0x81, 1, b'a'], &mut got), Err(Violation::ReservedBits));
    assert_eq!(feed(&mut decoder, &short(0x81, b"a"), &mut got), Ok(()));
    assert_eq!(got, []);
}

#[test]
fn c24_an_announced_length_allocates_nothing() {
    let unlimited = Limits { message: usize::MAX };
    for length in [1_u64 << 31, (1 << 63) - 1] {
        let header = [&[0x82, 127][..], &length.to_be_bytes()].concat();
        let mut limited = Decoder::client(LIMITS);
        let violation = feed(&mut limited, &header, &mut Vec::new()).unwrap_err();
        assert_eq!(violation, Violation::TooBig { announced: length, limit: 1024 });
        assert_eq!((violation.close_reason(), limited.held()), (CloseReason::TooBig, 0));

        // Even where anything is allowed, what is held is what has come.
        let mut decoder = Decoder::client(unlimited);
        feed(&mut decoder, &header, &mut Vec::new()).unwrap();
        assert!(decoder.held() <= 256, "{} bytes for a header", decoder.held());
        feed(&mut decoder, &[7; 1000], &mut Vec::new()).unwrap();
        assert!(decoder.held() <= 256 + 2 * 1000, "{} bytes for 1000", decoder.held());
    }
    let mut decoder = Decoder::client(unlimited);
    assert_eq!(
        feed(&mut decoder, &[0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0], &mut Vec::new()),
        Err(Violation::ImpossibleLength)
    );
    assert_eq!(decoder.held(), 0);
}

#[test]
fn the_limit_is_on_the_whole_message_and_told_by_the_header() {
    let mut decoder = Decoder::client(Limits { message: 10 });
    let mut got = Vec::new();
    feed(&mut decoder, &[short(0x82, &[1; 10]), short(0x02, &[2; 6]), short(0x00, &[2; 4])].concat(), &mut got)
        .unwrap();
    assert_eq!(feed(&mut decoder, &[0x80, 1], &mut got), Err(Violation::TooBig { announced: 11, limit: 10 }));
    assert_eq!(got, [Got::Binary(vec![1; 10])]);
    assert_eq!(refused(&[0x81, 126, 0x04, 0x01]), Violation::TooBig { announced: 1025, limit: 1024 });
}

#[test]
fn a_control_frame_is_taken_whatever_the_limit_on_messages() {
    let mut decoder = Decoder::client(Limits { message: 0 });
    let mut got = Vec::new();
    feed(&mut decoder, &[short(0x89, b"ping"), short(0x81, b"")].concat(), &mut got).unwrap();
    assert_eq!(got, [Got::Ping(b"ping".into()), Got::Text(String::new())]);
}

#[test]
fn a_raised_limit_counts_from_the_next_header_on() {
    let mut decoder = Decoder::client(Limits { message: 4 });
    let mut got = Vec::new();
    feed(&mut decoder, &short(0x81, b"auth"), &mut got).unwrap();
    decoder.set_limits(Limits { message: 8 });
    feed(&mut decoder, &short(0x81, b"admitted"), &mut got).unwrap();
    assert_eq!(got, [Got::Text("auth".into()), Got::Text("admitted".into())]);
}

#[test]
fn an_idle_decoder_is_small_and_owns_no_memory() {
    assert!(size_of::<Decoder>() <= 64, "{} bytes", size_of::<Decoder>());
    let mut decoder = Decoder::client(Limits { message: 1 << 20 });
    let mut got = Vec::new();
    let stream = [short(0x01, b"a"), short(0x89, b"ping"), short(0x80, b"b"), short(0x82, &[0; 100])].concat();
    for byte in &stream {
        feed(&mut decoder, &[*byte], &mut got).unwrap();
    }
    assert_eq!(got.len(), 3);
    assert!(decoder.is_at_boundary());
    assert_eq!(decoder.held(), 0);
}

#[test]
fn a_decoder_is_at_a_boundary_only_between_messages() {
    let mut decoder = Decoder::client(LIMITS);
    let mut boundaries = Vec::new();
    for byte in [&[0x01, 1, b'a'][..], &[0x89, 0], &[0x80, 0], &[0x88, 0]].concat() {
        feed(&mut decoder, &[byte], &mut Vec::new()).unwrap();
        boundaries.push(decoder.is_at_boundary());
    }
    assert_eq!(boundaries, [false, false, false, false, false, false, true, false, true]);
}

#[test]
fn what_is_held_of_a_slow_message_stays_within_twice_what_has_come() {
    let mut decoder = Decoder::client(Limits { message: 1 << 20 });
    let header = [0x02, 127, 0, 0, 0, 0, 0, 1, 0, 0];
    feed(&mut decoder, &header, &mut Vec::new()).unwrap();
    for arrived in 1..=65_535_usize {
        feed(&mut decoder, b"x", &mut Vec::new()).unwrap();
        assert!(decoder.held() <= 256 + 2 * arrived, "{} bytes held of {arrived}", decoder.held());
    }
}

#[test]
fn neither_decoder_nor_message_prints_what_was_sent() {
    let mut decoder = Decoder::client(LIMITS);
    feed(&mut decoder, &[0x81, 20, b's', b'e', b'c', b'r', b'e', b't'], &mut Vec::new()).unwrap();
    assert!(!format!("{decoder:?}").contains("115"), "{decoder:?}");
    let message = Message { kind: MessageKind::Text, payload: b"secret" };
    assert_eq!(format!("{message:?}"), "Message { kind: Text, bytes: 6 }");
}
