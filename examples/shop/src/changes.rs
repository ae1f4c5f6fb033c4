//! The channel by which the tabs of one person hear that their cart has changed: each person has an object of it, and says and hears
//! nothing in another's.

use std::sync::Arc;

use doorward_auth::{Admission, ports::Session};
use doorward_backends::hub::{ChannelModel, ChannelName, Permitted};
use doorward_server::Door;
use doorward_types::GateName;
use doorward_wire::json::Inbound;
use serde_json::value::RawValue;

/// Its name, as in the configuration.
pub(crate) const CHANNEL: &str = "changes";
const GATE: &str = "shop";

pub(crate) struct Changes;

impl ChannelModel for Changes {
    fn can_subscribe(&self, admission: &Admission, _: &Inbound<'_>) -> Permitted {
        admission.subject().map(|subject| subject.pk.clone()).into_iter().collect()
    }

    fn can_publish(&self, admission: &Admission, message: &Inbound<'_>) -> bool {
        let own = admission.subject().map(|subject| subject.pk.as_str());
        own.is_some() && message.pk.as_deref() == own
    }
}

/// Says so, after something that no tab has done.
pub(crate) fn tell(door: &Arc<Door>, login: &Session) {
    let gate = GateName::new(GATE);
    if let (Some(hub), Ok(channel)) = (door.hub(&login.owner, &gate), ChannelName::try_from(CHANNEL.to_owned())) {
        hub.publish(door.sockets(), &login.owner, &gate, &channel, Some(&login.subject().pk), RawValue::NULL);
    }
}
