use doorward_wire::ninep::{Decoder, Few, Fid, Frame, Reply, Request, Tag, Violation};
use proptest::{collection::vec, prelude::*, sample::Index};

use crate::any::{any_message, any_tag};

const MSIZE: u32 = 4096;

/// What came, as type, tag and body, and how it ended.
type Decoded = (Vec<(u8, Tag, Vec<u8>)>, Option<Violation>);

fn decode(pieces: &[&[u8]]) -> Decoded {
    let mut decoder = Decoder::new(MSIZE);
    let mut got = Vec::new();
    for piece in pieces {
        let mut input = *piece;
        loop {
            match decoder.next(&mut input) {
                Ok(Some(frame)) => got.push((frame.kind, frame.tag, frame.body.to_vec())),
                Ok(None) => break,
                Err(violation) => return (got, Some(violation)),
            }
        }
        assert!(input.is_empty(), "bytes were left");
    }
    (got, None)
}

fn cut<'b>(bytes: &'b [u8], cuts: &[Index]) -> Vec<&'b [u8]> {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    places.extend([0, bytes.len()]);
    places.sort_unstable();
    places.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_what_is_read_in_any_split(
        messages in vec((any_message(), any_tag()), 0..8),
        cuts in vec(any::<Index>(), 0..12),
    ) {
        let mut bytes = Vec::new();
        for (message, tag) in &messages {
            message.request().write(*tag, &mut bytes);
            message.reply().write(*tag, &mut bytes);
        }
        let (got, violation) = decode(&cut(&bytes, &cuts));
        prop_assert_eq!((got.len(), violation), (2 * messages.len(), None));
        for ((message, tag), pair) in messages.iter().zip(got.chunks(2)) {
            let [(kind, asked, body), (other, answered, other_body)] = pair else { panic!("half a pair") };
            prop_assert_eq!((tag, tag), (asked, answered));
            let frame = Frame { kind: *kind, tag: *tag, body };
            prop_assert_eq!(Request::read(&frame), Ok(message.request()));
            let frame = Frame { kind: *other, tag: *tag, body: other_body };
            prop_assert_eq!(Reply::read(&frame), Ok(message.reply()));
        }
    }

    #[test]
    fn any_bytes_in_any_split_give_the_same_messages(
        mut bytes in vec(any::<u8>(), 0..64),
        size in 0..80_u32,
        cuts in vec(any::<Index>(), 0..6),
    ) {
        prop_assert_eq!(decode(&cut(&bytes, &cuts)), decode(&[&bytes]));
        bytes.splice(0..0, size.to_le_bytes());
        prop_assert_eq!(decode(&cut(&bytes, &cuts)), decode(&[&bytes]));
    }

    #[test]
    fn any_body_of_any_type_is_read_or_refused_and_what_is_read_is_written_as_it_was(
        kind in 100..128_u8,
        body in vec(any::<u8>(), 0..96),
    ) {
        let frame = Frame { kind, tag: Tag(3), body: &body };
        let mut written = Vec::new();
        if let Ok(request) = Request::read(&frame) {
            request.write(Tag(3), &mut written);
        } else if let Ok(reply) = Reply::read(&frame) {
            reply.write(Tag(3), &mut written);
        } else {
            return Ok(());
        }
        prop_assert_eq!(&written[7..], &body[..]);
    }
}

#[test]
fn what_is_left_of_a_message_is_given_up_and_a_message_that_was_handed_out_is_not() {
    let mut bytes = Vec::new();
    Request::Clunk { fid: Fid(7) }.write(Tag(1), &mut bytes);
    for cut in 0..=bytes.len() {
        let mut decoder = Decoder::new(MSIZE);
        let (mut before, mut after) = bytes.split_at(cut);
        let whole = decoder.next(&mut before).unwrap().is_some();
        assert_eq!(whole, cut == bytes.len());
        if !whole && cut % 2 == 0 {
            assert!(decoder.next(&mut after).unwrap().is_some());
            assert_eq!(decoder.into_rest(), b"", "cut at {cut}");
        } else {
            assert_eq!(decoder.into_rest(), if whole { &b""[..] } else { &bytes[..cut] }, "cut at {cut}");
        }
    }
}

#[test]
fn whole_messages_are_handed_out_in_place_and_hold_nothing() {
    let mut bytes = Vec::new();
    for fid in 0..3 {
        let names = Few::new(&["cart", "7"]).unwrap();
        Request::Walk { fid: Fid(fid), new: Fid(9), names }.write(Tag(1), &mut bytes);
    }
    let mut decoder = Decoder::new(MSIZE);
    let mut input = &bytes[..];
    let mut count = 0;
    while let Some(frame) = decoder.next(&mut input).unwrap() {
        assert!(bytes.as_ptr_range().contains(&frame.body.as_ptr()), "a whole message was copied");
        count += 1;
    }
    assert_eq!((count, decoder.held(), decoder.is_at_boundary()), (3, 0, true));
}
