use doorward_wire::json::{self, Inbound};
use serde_json::{Value, value::RawValue};

/// Messages of an admitted user: what is accepted is what another JSON parser reads in it, and what is echoed and passed on is a
/// piece of the message as it came.
pub fn json_inbound(data: &[u8]) {
    let Ok(inbound) = Inbound::parse(data) else { return };
    assert_eq!(inbound.raw.as_bytes(), data, "the message changed");
    assert!(!inbound.action.is_empty(), "an action is empty");
    for raw in inbound.id.into_iter().chain(inbound.message) {
        let (start, piece) = (inbound.raw.as_ptr().addr(), raw.get().as_ptr().addr());
        assert!(piece >= start && piece + raw.get().len() <= start + data.len(), "a value was copied");
    }
    assert!(inbound.channel.as_deref().is_none_or(json::may_name_a_channel), "a channel's name is not allowed");

    // Written again with the same fields it says the same.
    let (channel, pk) = (inbound.channel.as_deref(), inbound.pk.as_deref());
    let written = json::custom(&inbound.action, channel, pk, None, inbound.message);
    let again = Inbound::parse(written.as_bytes());
    assert!(again.is_ok(), "not readable again: {written}");
    let Ok(again) = again else { return };
    assert_eq!(again.action, inbound.action);
    assert_eq!(again.channel, inbound.channel);
    assert_eq!(again.pk, inbound.pk);
    assert_eq!(again.message.map(RawValue::get), inbound.message.map(RawValue::get));

    // The other parser stops at deep nesting and huge numbers, which a payload may have.
    let Ok(Value::Object(object)) = serde_json::from_slice(data) else { return };
    assert_eq!(object.get("action").and_then(Value::as_str), Some(&*inbound.action));
    assert_eq!(object.get("kind").and_then(Value::as_str), inbound.kind.as_deref());
    assert_eq!(object.get("channel").and_then(Value::as_str), inbound.channel.as_deref());
    let pk = object.get("pk").map(|pk| pk.as_str().map_or_else(|| pk.to_string(), str::to_owned));
    assert_eq!(pk.as_deref(), inbound.pk.as_deref());
}

/// Messages to a ladder: an answer has the fields of the message, each as its text, and no other.
pub fn answer(data: &[u8]) {
    let Ok(answer) = json::answer(data) else { return };
    assert!(answer.names().count() <= 16, "too many fields");
    let Ok(Value::Object(mut object)) = serde_json::from_slice(data) else {
        // Only a number can be too much for the other parser here: an integer of hundreds of digits.
        assert!(data.len() > 300, "not an object");
        return;
    };
    assert_eq!(object.remove("action"), Some(Value::from("auth")));
    assert_eq!(object.remove("kind"), answer.kind().map(Value::from));
    assert_eq!(object.len(), answer.names().count(), "a field came or went");
    for (name, value) in &object {
        let text = answer.text(name, "to compare it");
        match value {
            Value::String(value) => assert_eq!(text, Some(&**value)),
            Value::Bool(value) => assert_eq!(text, Some(if *value { "true" } else { "false" })),
            Value::Number(_) => {
                let digits = text.map(|text| text.strip_prefix('-').unwrap_or(text)).unwrap_or_default();
                assert!(!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()), "not an integer");
            }
            _ => assert!(value.is_string(), "something nested got in"),
        }
    }
}
