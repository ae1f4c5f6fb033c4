use doorward_wire::websocket::{Decoder, Event, Input, Limits, Message, MessageKind, Violation};

/// How what a peer sends is cut into messages.
pub(crate) enum Reading {
    /// WebSocket frames.
    Frames(Decoder),
    /// Each read is a binary message, as it came.
    Bytes,
}

impl Reading {
    /// The next event in what was read, as [`Decoder::next`] gives it.
    pub(crate) fn next<'a>(&'a mut self, input: &'a mut Input<'_>) -> Result<Option<Event<'a>>, Violation> {
        match self {
            Self::Frames(decoder) => decoder.next(input),
            Self::Bytes => {
                let payload = input.take_rest();
                let message = Message { kind: MessageKind::Binary, payload };
                Ok((!payload.is_empty()).then_some(Event::Message(message)))
            }
        }
    }

    pub(crate) fn set_limits(&mut self, limits: Limits) {
        if let Self::Frames(decoder) = self {
            decoder.set_limits(limits);
        }
    }

    /// Whether nothing of a message has come whose end has not.
    pub(crate) fn is_at_boundary(&self) -> bool {
        match self {
            Self::Frames(decoder) => decoder.is_at_boundary(),
            Self::Bytes => true,
        }
    }
}
