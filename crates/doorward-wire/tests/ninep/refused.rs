//! What is no message, and what is no request or answer.

use doorward_types::CloseReason;
use doorward_wire::ninep::{Data, Decoder, Few, Fid, Frame, Malformed, OpenMode, Reply, Request, Stat, Tag, Violation};

fn frame(kind: u8, body: &[u8]) -> Frame<'_> {
    Frame { kind, tag: Tag(1), body }
}

fn written(request: Request<'_>) -> Vec<u8> {
    let mut message = Vec::new();
    request.write(Tag(1), &mut message);
    message
}

#[test]
fn c24_a_size_that_lies_is_refused_by_its_four_bytes_and_costs_nothing() {
    for size in [0, 1, 6, 8193, 0x7fff_ffff, u32::MAX] {
        let mut decoder = Decoder::new(8192);
        let announced = size.to_le_bytes();
        assert_eq!(decoder.next(&mut &announced[..3]), Ok(None));
        assert!(decoder.held() <= 8, "{} bytes held for three", decoder.held());
        let violation = decoder.next(&mut &announced[3..]).unwrap_err();
        let (expected, reason) = match size {
            ..7 => (Violation::TooSmall { size }, CloseReason::Malformed),
            _ => (Violation::TooBig { size, msize: 8192 }, CloseReason::TooBig),
        };
        assert_eq!((violation, violation.close_reason(), decoder.held()), (expected, reason, 0));
        let mut more = &written(Request::Clunk { fid: Fid(1) })[..];
        assert_eq!((decoder.next(&mut more), more), (Ok(None), &[][..]), "something came after a violation");
    }
}

#[test]
fn c24_what_is_held_is_at_most_twice_what_has_come() {
    let message = written(Request::Write { fid: Fid(1), offset: 0, data: Data(&[7; 60_000]) });
    let mut decoder = Decoder::new(65_536);
    for (come, byte) in message.iter().enumerate() {
        let whole = decoder.next(&mut &[*byte][..]).unwrap().is_some();
        assert_eq!(whole, come + 1 == message.len());
        assert!(decoder.held() <= 2 * (come + 1) + 8, "{} bytes held of {}", decoder.held(), come + 1);
    }
    assert!(decoder.is_at_boundary());
    assert_eq!(decoder.next(&mut &[][..]), Ok(None));
    assert_eq!(decoder.held(), 0, "what was handed out stays");
}

#[test]
fn another_msize_counts_from_the_next_message_on() {
    let message = written(Request::Write { fid: Fid(1), offset: 0, data: Data(&[7; 100]) });
    let mut decoder = Decoder::new(200);
    assert!(decoder.next(&mut &message[..]).unwrap().is_some());
    decoder.set_msize(100);
    assert_eq!(decoder.next(&mut &message[..]), Err(Violation::TooBig { size: 123, msize: 100 }));
}

#[test]
fn every_message_that_lacks_a_byte_or_has_one_too_many_is_malformed() {
    let stat = Stat { name: "n", ..Stat::UNTOUCHED };
    let names = Few::new(&["a", "b"]).unwrap();
    for request in [
        Request::Version { msize: 1, version: "9P2000" },
        Request::Auth { afid: Fid(1), uname: "u", aname: "a" },
        Request::Attach { fid: Fid(1), afid: Fid::NONE, uname: "u", aname: "a" },
        Request::Flush { old: Tag(1) },
        Request::Walk { fid: Fid(1), new: Fid(2), names },
        Request::Open { fid: Fid(1), mode: OpenMode::READ },
        Request::Create { fid: Fid(1), name: "n", permissions: 0, mode: OpenMode::READ },
        Request::Read { fid: Fid(1), offset: 0, count: 1 },
        Request::Write { fid: Fid(1), offset: 0, data: Data(b"data") },
        Request::Clunk { fid: Fid(1) },
        Request::Remove { fid: Fid(1) },
        Request::Stat { fid: Fid(1) },
        Request::Wstat { fid: Fid(1), stat },
    ] {
        let mut message = written(request);
        let (header, body) = message.split_at(7);
        let kind = header[4];
        for end in 0..body.len() {
            assert!(Request::read(&frame(kind, &body[..end])).is_err(), "{request:?} without its end");
        }
        message.push(0);
        assert_eq!(Request::read(&frame(kind, &message[7..])), Err(Malformed::TooLong { bytes: 1 }), "{request:?}");
    }
}

#[test]
fn c63_a_count_that_is_not_what_is_there_is_malformed() {
    let mut message = written(Request::Write { fid: Fid(1), offset: 0, data: Data(b"data") });
    for count in [0_u32, 3, 5, 65_536, u32::MAX] {
        message[19..23].copy_from_slice(&count.to_le_bytes());
        let expected = match count {
            ..4 => Malformed::TooLong { bytes: 4 - count as usize },
            _ => Malformed::EndsWithin { field: "data" },
        };
        assert_eq!(Request::read(&frame(118, &message[7..])), Err(expected));
        let mut body = count.to_le_bytes().to_vec();
        body.extend(b"data");
        assert_eq!(Reply::read(&frame(117, &body)), Err(expected));
    }
}

#[test]
fn c63_a_walk_of_seventeen_names_is_malformed_whatever_is_there() {
    let mut body = vec![1, 0, 0, 0, 2, 0, 0, 0, 17, 0];
    assert_eq!(Request::read(&frame(110, &body)), Err(Malformed::TooManyNames { count: 17 }));
    body.extend([1, 0, b'a'].repeat(17));
    assert_eq!(Request::read(&frame(110, &body)), Err(Malformed::TooManyNames { count: 17 }));
    body[8] = 16;
    body.truncate(body.len() - 3);
    assert!(Request::read(&frame(110, &body)).is_ok());
    assert_eq!(Few::new(&["a"; 17]), None);
}

#[test]
fn a_text_is_utf_8_without_nul() {
    let version = |text: &[u8]| [&[0, 0, 0, 0, text.len() as u8, 0], text].concat();
    assert_eq!(Request::read(&frame(100, &version(b"9P\x000"))), Err(Malformed::Nul { field: "version" }));
    for text in [&b"\xff"[..], b"\xed\xa0\x80", b"\xc0\xaf"] {
        assert_eq!(Request::read(&frame(100, &version(text))), Err(Malformed::NotText { field: "version" }));
    }
}

#[test]
fn a_stat_record_is_as_long_as_both_its_lengths_say() {
    let message = written(Request::Wstat { fid: Fid(1), stat: Stat::UNTOUCHED });
    let body = &message[7..];
    // n[2] stands at 4, the record's own size at 6.
    for (outer, inner, room) in [(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (10, 0, 10), (10, 10, 10), (0, 10, 10)] {
        let mut body = body.to_vec();
        body.resize(body.len() + room, 0);
        for (place, more) in [(4, outer), (6, inner)] {
            let said = u16::from_le_bytes([body[place], body[place + 1]]).wrapping_add_signed(more);
            body[place..place + 2].copy_from_slice(&said.to_le_bytes());
        }
        assert!(Request::read(&frame(126, &body)).is_err(), "{outer} and {inner} more, with {room} bytes for it");
    }
}

#[test]
fn a_type_that_is_not_taken_is_malformed() {
    for kind in (0..=255).filter(|kind| !(100..=126).contains(kind) || kind % 2 == 1 || *kind == 106) {
        assert_eq!(Request::read(&frame(kind, b"")), Err(Malformed::Type(kind)));
    }
    for kind in (0..=255).filter(|kind| !(101..=127).contains(kind) || kind % 2 == 0) {
        assert_eq!(Reply::read(&frame(kind, b"")), Err(Malformed::Type(kind)));
    }
}

#[test]
fn a_text_that_no_length_can_say_is_cut_at_a_character() {
    let long = "ß".repeat(40_000);
    let message = written(Request::Version { msize: 0, version: &long });
    let Ok(Request::Version { version, .. }) = Request::read(&frame(100, &message[7..])) else { panic!("not read") };
    assert_eq!(version.len(), 65_534);
    let stat = Stat { name: &long, owner: &long, ..Stat::UNTOUCHED };
    let message = written(Request::Wstat { fid: Fid(1), stat });
    let Ok(Request::Wstat { stat, .. }) = Request::read(&frame(126, &message[7..])) else { panic!("not read") };
    assert_eq!((stat.name.len(), stat.owner), (65_486, ""));
}

#[test]
fn what_is_written_to_a_file_is_not_printed() {
    let message = written(Request::Write { fid: Fid(1), offset: 0, data: Data(b"hunter2") });
    let frame = frame(118, &message[7..]);
    let printed = format!("{frame:?} {:?}", Request::read(&frame));
    assert!(!printed.contains("hunter2") && !printed.contains("104, 117, 110"), "{printed}");
}
