//! The JSON protocol `doorward.v1`: text messages, one JSON object each. What a client sends has an `action`, what a gate sends
//! has an `event`.
//!
//! ```text
//! user -> gate   {"action":"auth","kind":"jwt","token":"..."}
//! gate -> user   {"event":"ask","layer":"totp","step":"user sends code","fields":["code"],"expires_in":30}
//! user -> gate   {"action":"auth","kind":"totp","code":"123456"}
//! gate -> user   {"event":"admitted","socket":"...","subject":{"kind":"member","pk":"7","uuid":"bob"},"backend":"hub"}
//! user -> gate   {"action":"subscribe","channel":"group","pk":3,"id":1}
//! gate -> user   {"event":"subscribed","channel":"group","pk":"3","id":1}
//! gate -> user   {"event":"message","channel":"group","pk":"3","message":{"any":"json"}}
//! ```
//!
//! Before admission a gate reads with [`answer`] and writes with [`prompt`], [`admitted`] and [`refused`]; a hub reads with
//! [`Inbound`] and writes with [`subscribed`], [`error`] and [`message_parts`]. A client reads with [`Event`] and writes with
//! [`auth`], [`subscribe`], [`unsubscribe`], [`publish`] and [`custom`].

mod action;
mod answer;
mod event;
mod inbound;
mod malformed;
mod object;
mod outbound;

/// The name of this protocol as a WebSocket subprotocol: offered, not demanded.
pub const SUBPROTOCOL: &str = "doorward.v1";

pub use action::{auth, custom, publish, subscribe, unsubscribe};
pub use answer::answer;
pub use event::Event;
pub use inbound::{Inbound, Pk, may_name_a_channel};
pub use malformed::Malformed;
pub use outbound::{
    admitted, ended, error, message_parts, prompt, published, refused, resumed, subscribed, suspended, unsubscribed,
};
