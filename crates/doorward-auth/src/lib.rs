//! How someone is let in: an owner composes a [`Ladder`] of layers, a user climbs it, and only a climbed ladder yields an
//! [`Admission`].
//!
//! **What it is:** the ladder and its climb, the layers (one file each, its script at the head), and the ports they need, each
//! also in memory. It can be used alone, without any of the other crates but `doorward-types`.
//!
//! **What it is not:** a server. It never sees HTTP, JSON, WebSocket frames, SQL or a broker; it does not read the clock and
//! draws no random numbers of its own. A driver carries prompts and answers over whatever transport there is.
//!
//! ```text
//!  upgrade request                          prompts ▲  ▼ answers
//!        │                                          │  │
//!        ▼                                          │  │
//!  handshake layers ──▶ 101 ──▶ conversation layers ┴──┴──▶ Admission ──▶ a backend
//!        │ refused                     │ refused
//!        ▼                             ▼
//!   401 / 403                     close reason
//! ```
//!
//! ```
//! use std::sync::Arc;
//!
//! use doorward_auth::{
//!     Climb, ClimbEvent, Ladder, Rung, Step,
//!     layers::conversation::ident::{Ident, IdentConfig},
//! };
//! use doorward_types::{Answer, Prompt};
//! # use doorward_testkit::World;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let world = World::new();
//! # let (clock, start) = (world.clock.clone(), world.start(World::handshake(), World::gate()));
//!
//! let config: IdentConfig = serde_json::from_str(r#"{ "glyph": "☂" }"#)?;
//! let ladder = Ladder::new(vec![Rung::One(Step::conversation(Ident::new(&config, clock)))])?;
//! // `start` says who comes, with what request, and when.
//! let mut climb = Climb::begin(Arc::new(ladder), start).await?;
//! let admission = loop {
//!     match climb.next().await {
//!         ClimbEvent::Say(Prompt::Ask { .. }) => {
//!             climb.answer(Answer::new().with_text("accept", "yes")).map_err(|_| "one answer at a time")?;
//!         }
//!         ClimbEvent::Say(prompt) => println!("{prompt:?}"),
//!         ClimbEvent::Admitted(admission) => break admission,
//!         ClimbEvent::Refused(refusal) => return Err(refusal.into()),
//!     }
//! };
//! assert_eq!(admission.evidence()[0].layer, "ident");
//! # Ok(())
//! # }
//! ```

pub mod account;
pub mod layers;
pub mod memory;
pub mod ports;
pub mod settings;
pub mod strict_json;
pub mod throttle;
pub mod token;
pub mod trail;

mod admission;
mod api_key;
mod claimant;
mod climb;
mod conversation;
mod crypto;
mod handshake;
mod invitation;
mod ladder;
mod layer;
mod refusal;

pub use admission::Admission;
pub use api_key::{NewApiKey, Scope, hash_of_api_key};
pub use claimant::{Claimant, Evidence, Level, OnExpiry, OnlyOne, Proof};
pub use climb::{Again, Beginning, Climb, ClimbEvent, Progress, Resume, Start};
pub use conversation::{Ask, Conversation, Waiting, Woken};
pub use handshake::{Handshake, PresentedTicket, TicketVia};
pub use invitation::{NewInvitation, hash_of_invitation};
pub use ladder::{Ladder, LadderError, Rung, Step, Verdict};
pub use layer::{BoxFuture, HandshakeLayer, Layer};
pub use refusal::{Fault, Refusal};
