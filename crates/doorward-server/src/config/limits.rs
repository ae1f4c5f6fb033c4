use doorward_auth::{ports::ANSWER_WITHIN, settings::Span};

use super::{keys::table, values::Size};

/// Declares `[limits]` and, for those that a gate may set for itself, `[gate.limits]`.
macro_rules! limits {
    (
        node { $( $(#[doc = $node_doc:literal])* $node:ident: $node_type:ty = $node_default:expr; )* }
        gate { $( $(#[doc = $gate_doc:literal])* $gate:ident: $gate_type:ty = $gate_default:expr; )* }
    ) => {
        table! {
            /// What one peer may cost. Those that `[gate.limits]` has too can be set for each gate.
            Limits as "limits" {
                $( $(#[doc = $node_doc])* $node: $node_type = $node_default; )*
                $( $(#[doc = $gate_doc])* $gate: $gate_type = $gate_default; )*
            }
        }

        table! {
            /// Limits of one gate; where one is left out, that of `[limits]` holds.
            GateLimits as "gate.limits" {
                $( $(#[doc = $gate_doc])* $gate: Option<$gate_type> = None; )*
            }
        }

        impl Limits {
            /// These limits with what a gate sets for itself.
            pub fn of_gate(&self, gate: &GateLimits) -> Self {
                let mut limits = self.clone();
                $( if let Some(own) = gate.$gate { limits.$gate = own; } )*
                limits
            }
        }
    };
}

limits! {
    node {
        /// How long a request may take to send its head.
        header_timeout: Span = Span::from_secs(5);
        /// How large the head of a request may be.
        header_bytes: Size = Size::kib(16);
        /// How many headers a request may have.
        headers: u32 = 64;
        /// How many sockets of one source (an IPv4 address, an IPv6 /64) may be climbing a ladder at a time.
        climbing_per_source: u32 = 20;
        /// How many sockets may be climbing at a time, on this node.
        climbing_per_node: u32 = 2000;
        /// From how many climbing sockets on new ones are turned away at random, three in ten, so that a flood does not lock
        /// everybody out.
        climbing_early_drop: u32 = 500;
        /// How many admitted sockets one source may have.
        sockets_per_source: u32 = 200;
        /// How many admitted sockets this node may have; 0 for four fifths of the file descriptors that the process may open.
        sockets_per_node: u32 = 0;
        /// How long the store, or an embedding application's authenticator, may take to answer a layer. One that takes longer is
        /// down: nobody is let in, and the user is told to try later. All layers of the upgrade request together have five
        /// seconds.
        dependency_timeout: Span = ANSWER_WITHIN;
        /// Within which time a socket is gone once it has been ended, whatever the peer does.
        end_within: Span = Span::from_secs(1);
    }
    gate {
        /// How many admitted sockets one subject may have.
        sockets_per_subject: u32 = 20;
        /// How large a message may be before the admission.
        message_bytes_before: Size = Size::kib(4);
        /// How large a message may be after the admission.
        message_bytes: Size = Size::kib(64);
        /// How many messages a socket may send in a second, in the long run. Pings, pongs and fragments count, too.
        messages_per_second: u32 = 20;
        /// How many messages a socket may send at once.
        message_burst: u32 = 60;
        /// How many messages may wait for a slow reader before its socket is ended.
        outbox_messages: u32 = 1024;
        /// How many bytes may wait for a slow reader before its socket is ended.
        outbox_bytes: Size = Size::kib(1024);
        /// How many channels a socket may be subscribed to.
        channels_per_socket: u32 = 128;
        /// How long a socket may be silent before it is pinged.
        ping_interval: Span = Span::from_secs(25);
        /// How long the answer to a ping may take.
        pong_timeout: Span = Span::from_secs(10);
        /// How long a machine has for a step of a ladder.
        step_machine: Span = Span::from_secs(5);
        /// How long a person has for a step of a ladder.
        step_person: Span = Span::from_secs(60);
        /// How long something elsewhere (a mailbox, a phone) is waited for. No layer of this release waits so.
        step_elsewhere: Span = Span::from_secs(300);
    }
}

/// A number of the configuration, as things are counted in memory.
pub(crate) fn in_memory(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
