use doorward_auth::Admission;
use doorward_wire::json::Inbound;

/// To which objects of a channel somebody may subscribe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Permitted {
    /// To what was asked for, whatever that is: one object, or the channel as a whole.
    WhatWasAskedFor,
    /// To these, by their primary keys; none is a denial. Whoever names none is subscribed to all of them.
    Only(Vec<String>),
}

impl Permitted {
    /// To nothing.
    pub const NOTHING: Self = Self::Only(Vec::new());
}

impl<T: Into<String>> FromIterator<T> for Permitted {
    fn from_iter<I: IntoIterator<Item = T>>(pks: I) -> Self {
        Self::Only(pks.into_iter().map(Into::into).collect())
    }
}

/// What stands behind a channel: an application maps its models to channels by implementing this. What it does not say is
/// denied.
///
/// The calls come in the connection's own turn and must not block; a panic ends the socket that it was about, and no other.
/// The action of the message is well formed, its names can be trusted to be names, and nothing else about it can be trusted.
pub trait ChannelModel: Send + Sync {
    /// To which objects the admitted one may subscribe.
    fn can_subscribe(&self, admission: &Admission, message: &Inbound<'_>) -> Permitted {
        let _ = (admission, message);
        Permitted::NOTHING
    }

    /// Whether the admitted one may publish to what the message names: its `pk`, or the channel as a whole.
    fn can_publish(&self, admission: &Admission, message: &Inbound<'_>) -> bool {
        let _ = (admission, message);
        false
    }

    /// Whether the admitted one may say anything else to the channel.
    fn can_send(&self, admission: &Admission, message: &Inbound<'_>) -> bool {
        let _ = (admission, message);
        false
    }

    /// Takes a custom action that [`can_send`](Self::can_send) has allowed. What it gives, as JSON, is the answer, sent to that
    /// socket alone.
    fn on_message(&self, admission: &Admission, message: &Inbound<'_>) -> Option<String> {
        let _ = (admission, message);
        None
    }
}
