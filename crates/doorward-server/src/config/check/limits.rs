use doorward_auth::settings::Span;

use super::super::{
    document::KeyPath,
    limits::{GateLimits, Limits},
    report::Report,
};

/// The longest time that something elsewhere may be waited for (NIST SP 800-63B, section 3.1.3).
const LONGEST_WAIT: Span = Span::from_secs(600);

/// Tells limits of which one makes the other impossible. With `own`, those of a gate: then only what the gate sets itself is told.
pub(super) fn check(report: &mut Report<'_, '_>, path: &KeyPath, limits: &Limits, own: Option<&GateLimits>) {
    let document = report.document;
    let set = |key: &str| document.value(&path.key(key)).is_some();
    let mut wrong: Vec<(&'static str, String, String)> = Vec::new();
    let mut tell = |keys: [&'static str; 2], broken: bool, message: String, hint: String| {
        let written = keys.into_iter().find(|key| set(key));
        // A gate is told about what it sets itself, the node about the rest.
        let [first, _] = keys;
        if let Some(key) = written.or(own.is_none().then_some(first))
            && broken
        {
            wrong.push((key, message, hint));
        }
    };
    for (key, value) in numbers(limits) {
        tell(
            [key, key],
            value == 0,
            format!("with `{key} = 0` nobody could do anything"),
            "give at least 1".to_owned(),
        );
    }
    for (key, value) in times(limits) {
        let message = format!("`{key}` has to be longer than nothing");
        tell([key, key], value.duration().is_zero(), message, format!("the default is `{}`", default_of(key)));
    }
    let (before, after) = (limits.message_bytes_before, limits.message_bytes);
    tell(
        ["message_bytes_before", "message_bytes"],
        before > after,
        format!("a message may be larger before the admission ({before}) than after it ({after})"),
        format!("set `message_bytes_before` to at most `\"{after}\"`"),
    );
    tell(
        ["outbox_bytes", "message_bytes"],
        limits.outbox_bytes < after,
        format!("a message of {after} does not fit into an outbox of {}", limits.outbox_bytes),
        format!("set `outbox_bytes` to at least `\"{after}\"`"),
    );
    tell(
        ["message_burst", "messages_per_second"],
        limits.message_burst < limits.messages_per_second,
        format!(
            "at once fewer messages are taken ({}) than in a second ({})",
            limits.message_burst, limits.messages_per_second
        ),
        format!("set `message_burst` to at least {}", limits.messages_per_second),
    );
    tell(
        ["step_elsewhere", "step_elsewhere"],
        limits.step_elsewhere > LONGEST_WAIT,
        format!("`{}` is longer than a code or an approval is good for", limits.step_elsewhere),
        format!("set at most `\"{LONGEST_WAIT}\"`"),
    );
    if own.is_none() {
        tell(
            ["climbing_early_drop", "climbing_per_node"],
            limits.climbing_early_drop > limits.climbing_per_node,
            format!(
                "new sockets would be turned away early from {} on, but all are from {} on",
                limits.climbing_early_drop, limits.climbing_per_node
            ),
            format!("set `climbing_early_drop` to at most {}", limits.climbing_per_node),
        );
        tell(
            ["climbing_per_source", "climbing_per_node"],
            limits.climbing_per_source > limits.climbing_per_node,
            format!(
                "one source may have more climbing sockets ({}) than the node ({})",
                limits.climbing_per_source, limits.climbing_per_node
            ),
            format!("set `climbing_per_source` to at most {}", limits.climbing_per_node),
        );
    }
    for (key, message, hint) in wrong {
        report.error(&path.key(key), message, hint);
    }
}

fn default_of(key: &str) -> String {
    times(&Limits::default())
        .into_iter()
        .find(|(name, _)| *name == key)
        .map_or_else(String::new, |(_, time)| time.to_string())
}

/// The numbers that must not be 0. (`sockets_per_node = 0` has a meaning of its own.)
fn numbers(limits: &Limits) -> [(&'static str, u64); 13] {
    [
        ("header_bytes", limits.header_bytes.bytes()),
        ("headers", limits.headers.into()),
        ("climbing_per_source", limits.climbing_per_source.into()),
        ("climbing_per_node", limits.climbing_per_node.into()),
        ("sockets_per_source", limits.sockets_per_source.into()),
        ("sockets_per_subject", limits.sockets_per_subject.into()),
        ("message_bytes_before", limits.message_bytes_before.bytes()),
        ("message_bytes", limits.message_bytes.bytes()),
        ("messages_per_second", limits.messages_per_second.into()),
        ("message_burst", limits.message_burst.into()),
        ("outbox_messages", limits.outbox_messages.into()),
        ("outbox_bytes", limits.outbox_bytes.bytes()),
        ("channels_per_socket", limits.channels_per_socket.into()),
    ]
}

fn times(limits: &Limits) -> [(&'static str, Span); 8] {
    [
        ("header_timeout", limits.header_timeout),
        ("dependency_timeout", limits.dependency_timeout),
        ("end_within", limits.end_within),
        ("ping_interval", limits.ping_interval),
        ("pong_timeout", limits.pong_timeout),
        ("step_machine", limits.step_machine),
        ("step_person", limits.step_person),
        ("step_elsewhere", limits.step_elsewhere),
    ]
}
