//! program -> api    an event for everybody in a namespace, or in a room of it
//! api     -> node   is there such a gate, and may such an event be put out there? put it out
//! api -> program    for how many sockets
//!
//! No row of the audit log tells of it: it is a message and no decision, and whoever hears it was let in before.

use doorward_types::GateName;
use serde_json::{Value, json};

use super::{Problem, Reply, fields::needed, route::Call};
use crate::live::{Emission, NotEmitted};

pub(super) async fn emit(mut call: Call<'_>) -> Result<Reply, Problem> {
    call.query.end()?;
    let owner = call.owner_of_new()?;
    let gate = needed("gate", call.body.text("gate")?.map(GateName::new), "the name of a gate")?;
    let namespace = needed("namespace", call.body.text("namespace")?, "a namespace of the gate, such as `/`")?;
    let room = call.body.text("room")?;
    let event = needed("event", call.body.text("event")?, "the name of the event")?;
    let (carried_in, arguments) = carried(&mut call)?;
    call.body.end()?;
    let emission = Emission { owner, gate, namespace, room, event, arguments };
    match call.api.parts.node.emit(emission).await {
        Ok(sockets) => Ok(Reply::of(&json!({ "sockets": sockets }))),
        Err(NotEmitted::Gate) => {
            Err(Problem::of_field("gate", "the name of a gate of this owner that speaks Socket.IO"))
        }
        Err(NotEmitted::Namespace(known)) => {
            let known = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ");
            Err(Problem::of_field("namespace", known))
        }
        Err(NotEmitted::Event(why)) => Err(Problem::of_rule("event", why)),
        Err(NotEmitted::Arguments(why)) => Err(Problem::of_rule(carried_in, why)),
        Err(NotEmitted::Port(error)) => Err(error.into()),
    }
}

/// What the event carries, and the field in which it stands: one argument or a list of them.
fn carried(call: &mut Call<'_>) -> Result<(&'static str, Vec<Value>), Problem> {
    match (call.body.value("data"), call.body.value("args")) {
        (None, None) => Ok(("args", Vec::new())),
        (Some(data), None) => Ok(("data", vec![data])),
        (None, Some(Value::Array(arguments))) => Ok(("args", arguments)),
        (None, Some(_)) => Err(Problem::of_field("args", "a list; `data` is one argument, whatever it is")),
        (Some(_), Some(_)) => Err(Problem::of_field("args", "either `data` or `args`")),
    }
}
