//! The auth crate used alone: a ladder of one layer is climbed on standard input, without any socket or server.
//!
//! `cargo run -p embed-axum --bin climb-alone`, then type `yes`.
#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]
use std::{collections::BTreeMap, error::Error, io::stdin, net::IpAddr, sync::Arc, time::Duration};

use doorward_auth::layers::conversation::ident::{Ident, IdentConfig};
use doorward_auth::{Claimant, Climb, ClimbEvent, Handshake, Ladder, Rung, Start, Step, memory::ManualClock};
use doorward_types::{Answer, Cursor, GateName, OwnerId, Timestamp, TraceId};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_800_000_000)));
    let config: IdentConfig = serde_json::from_str(r#"{ "glyph": "☂" }"#)?;
    let ident = Ident::new(&config, clock.clone());
    let ladder = Arc::new(Ladder::new(vec![Rung::One(Step::conversation(ident))])?);
    let source = IpAddr::from([127, 0, 0, 1]);
    let start = Start {
        trace: TraceId::from_bytes([1; 16]),
        handshake: Handshake {
            source,
            secure: true,
            host: "localhost".into(),
            port: None,
            origin: None,
            variables: BTreeMap::new(),
            bearer: None,
            ticket: None,
            session: None,
            browser: None,
        },
        claimant: Claimant::new(OwnerId::new("me"), GateName::new("terminal"), source, true, BTreeMap::new()),
        as_of: Cursor::default(),
        choose_within: Duration::from_secs(60),
        clock,
    };
    let mut climb = Climb::begin(ladder, start).await?;
    loop {
        match climb.next().await {
            ClimbEvent::Say(prompt) => {
                println!("{prompt:?}");
                if matches!(prompt, doorward_types::Prompt::Ask { .. }) {
                    let mut line = String::new();
                    stdin().read_line(&mut line)?;
                    let _unheard = climb.answer(Answer::to_layer("ident").with_text("accept", line.trim()));
                }
            }
            ClimbEvent::Admitted(admission) => {
                println!("admitted: {:?}", admission.evidence());
                return Ok(());
            }
            ClimbEvent::Refused(refusal) => return Err(refusal.into()),
        }
    }
}
