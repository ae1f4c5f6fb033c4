//! Frames that break a rule: nothing of them passes, and it is known whose they were.

use doorward_types::CloseReason;
use doorward_wire::websocket::frame::{self, Opcode};
use tokio::io::AsyncWriteExt as _;

use super::pipes::{MASK, Noted, close_1001, masked, pair, read_all};
use crate::upstream::relay::{Admitted as _, Side};

#[tokio::test(start_paused = true)]
async fn c24_an_announced_length_costs_nothing_and_too_much_is_refused_by_the_header() {
    for (header, reason) in [
        (&b"\x82\xff\x00\x00\x00\x00\x80\x00\x00\x00\x01\x02\x03\x04"[..], CloseReason::TooBig),
        (b"\x82\xff\x80\x00\x00\x00\x00\x00\x00\x00", CloseReason::ProtocolError),
    ] {
        let good = masked(Opcode::Text, b"good");
        breaks_off(Side::User, [&good, header].concat(), &good, reason).await;
    }
}

/// One side sends these bytes, in one piece, byte by byte, and ahead of the relay. The other gets what is `good` of them and a
/// Close frame, and so does the one that broke the rule.
async fn breaks_off(side: Side, bytes: Vec<u8>, good: &[u8], reason: CloseReason) {
    for piece in [bytes.len(), 1, 0] {
        let ahead = if piece == 0 { &bytes[..] } else { b"" };
        let noted = Noted::default();
        let ahead = if side == Side::User { (ahead, &b""[..]) } else { (&b""[..], ahead) };
        let (pair, mut client, mut server) = pair(&noted, 1000, ahead);
        tokio::spawn(pair.run(MASK));
        let sender = if side == Side::User { &mut client } else { &mut server };
        for piece in bytes.chunks(piece.max(1)).take_while(|_| piece > 0) {
            // Its last bytes may find nobody who reads them.
            let _ = sender.write_all(piece).await;
            tokio::task::yield_now().await;
        }
        let (up, down) = if side == Side::User { (good, &b""[..]) } else { (&b""[..], good) };
        let told = format!("{} in pieces of {piece}", bytes.escape_ascii());
        assert_eq!(read_all(&mut client).await, [down, &frame::close(reason)].concat(), "{told}");
        assert_eq!(read_all(&mut server).await, [up, &close_1001()].concat(), "{told}");
        assert_eq!(noted.ended(), Some(reason), "{told}");
        let logged = noted.logged();
        assert!(
            logged.len() == 1 && logged[0].0 == side && logged[0].1.starts_with("broke the WebSocket protocol"),
            "{logged:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn c26_a_users_frame_that_breaks_a_rule_is_refused_before_any_of_it_reaches_the_upstream() {
    let good = masked(Opcode::Text, b"good");
    for broken in [
        // Not masked; each reserved bit; opcodes that mean nothing.
        &b"\x81\x05hello"[..],
        b"\xc1\x80\0\0\0\0",
        b"\xa1\x80\0\0\0\0",
        b"\x91\x80\0\0\0\0",
        b"\x83\x80\0\0\0\0",
        b"\x8f\x80\0\0\0\0",
        // A control frame in fragments, and one of 126 bytes.
        b"\x09\x80\0\0\0\0",
        b"\x89\xfe\x00\x7e\0\0\0\0",
        // A length in more bytes than it needs; a continuation of nothing.
        b"\x81\xfe\x00\x05\0\0\0\0hello",
        b"\x80\x80\0\0\0\0",
    ] {
        breaks_off(Side::User, [&good, broken].concat(), &good, CloseReason::ProtocolError).await;
        breaks_off(Side::User, broken.to_vec(), b"", CloseReason::ProtocolError).await;
    }
    // A second message within the first.
    let (first, second) = (b"\x01\x80\0\0\0\0", b"\x81\x80\0\0\0\0");
    breaks_off(Side::User, [*first, *second].concat(), first, CloseReason::ProtocolError).await;
}

#[tokio::test(start_paused = true)]
async fn c26_an_upstream_that_breaks_a_rule_is_told_from_a_user_who_does() {
    let good = frame::text(b"good");
    for broken in
        [&b"\x81\x85\0\0\0\0hello"[..], b"\xc1\x00", b"\x83\x00", b"\x09\x00", b"\x89\x7e\x00\x7e", b"\x80\x00"]
    {
        breaks_off(Side::Upstream, [&good, broken].concat(), &good, CloseReason::UpstreamBroken).await;
    }
}
