//! A file tree over a WebSocket, after the handshake.

use doorward_types::CloseReason;
use doorward_wire::{
    ninep::{Fid, Request},
    websocket::frame::Opcode,
};
use serde_json::json;

use super::{AFID, GATES, attach, message, open_cart, said, version};
use crate::{
    peer::{Heard, Peer},
    world::{World, both},
};

async fn binary(peer: &mut Peer, bytes: &[u8]) -> String {
    peer.frame(Opcode::Binary, bytes).await;
    match peer.hear().await {
        Heard::Binary(bytes) => said(&bytes),
        other => panic!("{other:?}"),
    }
}

both! {
    async fn a_websocket_is_let_in_by_the_handshake_and_speaks_9p_from_its_first_message(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        let token = world.token("bob", json!({}));
        let headers = format!("Authorization: Bearer {token}\r\nSec-WebSocket-Protocol: chat, 9p\r\n");
        let mut peer = world.knock("/files", &headers).await.unwrap();
        assert!(peer.head.contains("sec-websocket-protocol: 9p"), "{}", peer.head);
        assert_eq!(binary(&mut peer, &message(1, &version())).await, "Version 8192 9P2000");
        assert_eq!(binary(&mut peer, &message(2, &Request::Auth { afid: AFID, uname: "", aname: "" })).await, "no authentication required");
        assert_eq!(binary(&mut peer, &message(3, &attach(Fid::NONE))).await, "Attach");
        for (tag, request) in open_cart(Fid(1)).iter().enumerate() {
            binary(&mut peer, &message(4 + tag as u16, request)).await;
        }
        world.end("subject=member:bob").await;
        assert_eq!(peer.closes().await, [CloseReason::SessionEnded.code()]);
        world.empties().await;
    }

    async fn without_a_proof_there_is_no_101_and_no_9p(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        for headers in ["", "Authorization: Bearer a.b.c\r\n"] {
            assert_eq!(world.knock("/files", headers).await.err().unwrap().status, 401);
        }
    }

    async fn a_text_is_no_9p(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        let headers = format!("Authorization: Bearer {}\r\n", world.token("bob", json!({})));
        let mut peer = world.knock("/files", &headers).await.unwrap();
        peer.say("Tversion").await;
        assert_eq!(peer.closes().await, [CloseReason::UnsupportedData.code()]);
    }

    async fn a_page_that_offers_9p_alone_is_asked_by_a_ladder_that_talks(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        for (offered, named) in [("9p", Some("9p")), ("9p, doorward.v1", Some("doorward.v1")), ("chat", None)] {
            let peer = world.knock("/asking", &format!("Sec-WebSocket-Protocol: {offered}\r\n")).await.unwrap();
            let line = peer.head.lines().find_map(|line| line.strip_prefix("sec-websocket-protocol: "));
            assert_eq!(line, named, "{offered}");
        }
    }

    async fn a_ladder_that_talks_does_so_in_texts_before_the_first_byte_of_9p(carrier: Carrier) {
        let world = World::of(carrier, GATES).await;
        let mut peer = world.admitted("/asking", &world.token("bob", json!({}))).await;
        assert_eq!(binary(&mut peer, &message(1, &version())).await, "Version 8192 9P2000");
        assert_eq!(binary(&mut peer, &message(2, &attach(Fid::NONE))).await, "Attach");
    }
}
