//! The server replays every transcript of `conformance/`: the ladder's half and the hub's.

use doorward_auth::ports::Clock;
use doorward_testkit::transcript::{self, Party, Said, Stores, Transcript};
use doorward_wire::websocket::frame::Opcode;

use crate::{
    peer::{Heard, Peer, Refused},
    world::{Carrier, World, both},
};

/// The gate of a file.
async fn gate(carrier: Carrier, file: &Transcript) -> (World, Stores) {
    let config = format!("{}\n[store]\nurl = \"memory:\"\n", file.gate);
    let world = World::with_site(carrier, &config, file.site_tools()).await;
    world.clock.set(file.clock);
    let ports = world.tools.ports.clone();
    let stores = Stores { tickets: ports.tickets, app_keys: ports.app_keys, site: ports.site };
    stores.fill(file).await;
    (world, stores)
}

/// Goes up to the gate as the file does.
async fn knock(world: &World, file: &Transcript) -> Result<Peer, Refused> {
    world.drawn.pin(&file.random);
    let headers = file.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
    let headers = headers.chain(["Sec-WebSocket-Protocol: doorward.v1\r\n".to_owned()]).collect::<String>();
    world.knock(&file.request, &headers).await
}

async fn play(name: &str, file: &Transcript, world: &World, stores: &Stores, mut peer: Peer) {
    for turn in &file.turns {
        let place = format!("{name}.transcript, line {}", turn.line);
        match (turn.by, &turn.said) {
            (Party::Gate, Said::Message(expected)) => {
                let Heard::Text(said) = peer.hear().await else { panic!("{place}: the gate said nothing") };
                let said = serde_json::from_str(&said).unwrap();
                assert!(transcript::fits(expected, &said), "{place}: the gate said {said}");
            }
            (Party::Gate, Said::Close { code, reason }) => match peer.hear().await {
                Heard::Close(said, why) => {
                    assert_eq!(said, *code, "{place}");
                    assert!(reason.is_empty() || *reason == why, "{place}: the gate closed with {why}");
                }
                heard => panic!("{place}: {heard:?}"),
            },
            (Party::Gate, said) => panic!("{place}: the gate does not say {said:?} over an open socket"),
            (Party::World, Said::Clock(time)) => world.clock.set(*time),
            (Party::World, what) => stores.happen(what, world.clock.now()).await,
            (_, Said::Message(message)) => peer.json(message.clone()).await,
            (_, Said::Close { code, reason }) => {
                peer.frame(Opcode::Close, &[&code.to_be_bytes()[..], reason.as_bytes()].concat()).await;
            }
            (_, said) => panic!("{place}: no client says {said:?}"),
        }
    }
}

both! {
    async fn the_server_says_what_every_transcript_has_the_gate_say(carrier: Carrier) {
        let files = transcript::conformance().unwrap();
        assert!(files.len() >= 45, "the folder has only {} transcripts", files.len());
        for (name, file) in files {
            let (world, stores) = gate(carrier, &file).await;
            match knock(&world, &file).await {
                Ok(peer) => {
                    assert_eq!(file.refused_with(), None, "{name}");
                    assert!(peer.head.to_lowercase().contains("sec-websocket-protocol: doorward.v1"), "{name}: {}", peer.head);
                    play(&name, &file, &world, &stores, peer).await;
                }
                Err(refused) => assert_eq!(Some(refused.status), file.refused_with(), "{name}: {}", refused.text),
            }
            world.empties().await;
        }
    }
}
