use doorward_wire::ninep::{Decoder, Frame, Reply, Request, Violation};

use super::cut;

const MSIZE: u32 = 1024;

/// The 9P decoder: how a stream is cut changes neither the messages nor the refusal; what is held is at most twice what has
/// come; and a request or an answer that is read is written as it stood there.
///
/// The first byte of `data` says how the rest is cut.
pub fn ninep(data: &[u8]) {
    let (_, stream, pieces) = cut(data);
    let whole = decode(&[stream]);
    assert_eq!(whole, decode(&pieces), "the split changes what comes");
}

fn decode(pieces: &[&[u8]]) -> (Vec<Vec<u8>>, Option<Violation>) {
    let mut decoder = Decoder::new(MSIZE);
    let mut messages = Vec::new();
    let mut arrived = 0;
    for piece in pieces {
        arrived += piece.len();
        let mut input = *piece;
        loop {
            match decoder.next(&mut input) {
                Ok(Some(frame)) => messages.push(read(&frame)),
                Ok(None) => break,
                Err(violation) => {
                    assert_eq!(decoder.held(), 0, "something is held after a violation");
                    return (messages, Some(violation));
                }
            }
        }
        assert!(input.is_empty(), "bytes were left");
        let held = decoder.held();
        assert!(held <= 2 * arrived + 8, "{held} bytes held of {arrived}");
        assert!(!decoder.is_at_boundary() || held == 0, "something is held between messages");
    }
    (messages, None)
}

/// Reads what can be read, and gives the message as it came.
fn read(frame: &Frame<'_>) -> Vec<u8> {
    let mut message = vec![frame.kind];
    message.extend(frame.tag.0.to_le_bytes());
    message.extend(frame.body);
    let mut written = Vec::new();
    let (request, reply) = (Request::read(frame), Reply::read(frame));
    assert!(request.is_err() || reply.is_err(), "type {} is a request and an answer", frame.kind);
    match (request, reply) {
        (Ok(request), _) => request.write(frame.tag, &mut written),
        (_, Ok(reply)) => reply.write(frame.tag, &mut written),
        _ => return message,
    }
    assert_eq!(written.get(4..), Some(&*message), "written again it is not what was read");
    message
}
