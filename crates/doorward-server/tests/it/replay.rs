//! The server replays every transcript of `conformance/`: the ladder's half and the hub's.

use aws_lc_rs::digest;
use doorward_auth::ports::{AppKey, AppKeys, Ticket, TicketBinding};
use doorward_server::Extensions;
use doorward_testkit::transcript::{self, Party, Said, Transcript};
use doorward_types::{GateName, KeyId, OwnerId, Subject, Timestamp};
use doorward_wire::websocket::frame::Opcode;
use serde_json::Value;

use crate::{
    peer::Heard,
    world::{World, both},
};

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap()
}

fn time(value: &Value, name: &str) -> Option<Timestamp> {
    value[name].as_u64().map(Timestamp::from_millis)
}

fn hexadecimal(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// Puts into the stores what the file says that they hold.
async fn fill(world: &World, file: &Transcript) {
    for (sort, value) in &file.store {
        let owner = OwnerId::new(text(value, "owner"));
        let of = |name| text(&value["subject"], name).to_owned();
        let subject = Subject { kind: of("kind"), pk: of("pk"), uuid: of("uuid") };
        if sort == "app_key" {
            let key = AppKey {
                owner,
                id: KeyId::new(text(value, "id")),
                public: hexadecimal(text(value, "public")).try_into().unwrap(),
                subject,
                created_at: time(value, "created_at").unwrap(),
                revoked_at: time(value, "revoked_at"),
            };
            assert_eq!(world.app_keys.add(key).await, Ok(true));
        } else {
            assert_eq!(sort, "ticket");
            let hash = digest::digest(&digest::SHA256, text(value, "text").as_bytes()).as_ref().try_into().unwrap();
            let ticket = Ticket {
                owner,
                binding: TicketBinding::Gate(GateName::new(text(value, "gate"))),
                origin: None,
                subject,
                rests_on: vec![],
                issued_at: World::NOW,
                expires_at: time(value, "expires_at").unwrap(),
            };
            world.tickets.mint(hash, ticket).await.unwrap();
        }
    }
}

both! {
    async fn the_server_says_what_every_transcript_has_the_gate_say(carrier: Carrier) {
        let files = transcript::conformance().unwrap();
        assert!(files.len() >= 20, "the folder has only {} transcripts", files.len());
        for (name, file) in files {
            let config = format!("{}\n[store]\nurl = \"memory:\"\n", file.gate);
            let world = World::with(carrier, &config, Extensions::default()).await;
            world.clock.set(file.clock);
            fill(&world, &file).await;
            world.drawn.pin(&file.random);
            let mut peer = world.peer(&file.request).await;
            assert!(peer.head.to_lowercase().contains("sec-websocket-protocol: doorward.v1"), "{name}: {}", peer.head);
            for turn in &file.turns {
                let place = format!("{name}.transcript, line {}", turn.line);
                match (turn.by, &turn.said) {
                    (Party::Gate, Said::Message(expected)) => {
                        let said = peer.event().await;
                        assert!(transcript::fits(expected, &said), "{place}: the gate said {said}");
                    }
                    (Party::Gate, Said::Close { code, reason }) => match peer.hear().await {
                        Heard::Close(said, why) => {
                            assert_eq!(said, *code, "{place}");
                            assert!(reason.is_empty() || *reason == why, "{place}: the gate closed with {why}");
                        }
                        heard => panic!("{place}: {heard:?}"),
                    },
                    (Party::Client, Said::Message(message)) => peer.json(message.clone()).await,
                    (Party::Client, Said::Close { code, reason }) => {
                        peer.frame(Opcode::Close, &[&code.to_be_bytes()[..], reason.as_bytes()].concat()).await;
                    }
                }
            }
            drop(peer);
            world.empties().await;
        }
    }
}
