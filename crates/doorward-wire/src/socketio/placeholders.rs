//! The placeholders of attachments: `{"_placeholder":true,"num":0}` stands where the first attachment belongs.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{ATTACHMENTS, Malformed};

/// Checks that each of so many attachments has exactly one placeholder in `json`. Where there are no attachments nothing is a
/// placeholder, whatever it looks like.
///
/// All parsers must see the same: an object with a `_placeholder` in it has to be a placeholder and nothing else.
pub(super) fn check(json: &RawValue, attachments: usize) -> Result<(), Malformed> {
    if attachments == 0 {
        return Ok(());
    }
    let mut found = [false; ATTACHMENTS];
    for object in objects_with(json.get(), "_placeholder") {
        let placeholder: Placeholder = serde_json::from_str(object).map_err(|_| Malformed::BadPlaceholder)?;
        let is_one = placeholder.is_one && placeholder.number < attachments;
        let found = found.get_mut(placeholder.number).filter(|_| is_one).ok_or(Malformed::BadPlaceholder)?;
        if std::mem::replace(found, true) {
            return Err(Malformed::NotOnePlaceholder);
        }
    }
    if found.iter().take(attachments).all(|found| *found) { Ok(()) } else { Err(Malformed::NotOnePlaceholder) }
}

/// Nothing else may stand in it, and nothing twice.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Placeholder {
    #[serde(rename = "_placeholder")]
    is_one: bool,
    #[serde(rename = "num")]
    number: usize,
}

/// The objects in `json` that have a member of this name, each from its `{` to its `}`, in one pass. The JSON is known to be right.
fn objects_with<'a>(json: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    let mut open: Vec<Bracket> = Vec::new();
    let mut bytes = json.bytes().enumerate();
    std::iter::from_fn(move || {
        while let Some((at, byte)) = bytes.next() {
            match byte {
                b'{' => open.push(Bracket { start: at, is_object: true, before_name: true, has_it: false }),
                b'[' => open.push(Bracket { start: at, is_object: false, before_name: false, has_it: false }),
                b',' => open.iter_mut().next_back().into_iter().for_each(|last| last.before_name = last.is_object),
                b'"' => {
                    let mut escaped = false;
                    let end = bytes.find(|(_, byte)| {
                        let ends = *byte == b'"' && !escaped;
                        escaped = *byte == b'\\' && !escaped;
                        ends
                    });
                    let Some(last) = open.last_mut().filter(|last| last.before_name) else { continue };
                    last.before_name = false;
                    let text = end.and_then(|(end, _)| json.get(at..=end));
                    last.has_it |= text.is_some_and(|text| spells(text, name));
                }
                b']' | b'}' => {
                    let closed = open.pop().filter(|closed| closed.has_it);
                    if let Some(object) = closed.and_then(|closed| json.get(closed.start..=at)) {
                        return Some(object);
                    }
                }
                _ => {}
            }
        }
        None
    })
}

struct Bracket {
    start: usize,
    is_object: bool,
    /// Whether the next string is the name of a member.
    before_name: bool,
    /// Whether a member of the name was met.
    has_it: bool,
}

/// Whether a JSON string, with its quotes, means `name`.
fn spells(text: &str, name: &str) -> bool {
    let plain = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    plain == Some(name) || text.contains('\\') && serde_json::from_str::<String>(text).is_ok_and(|text| text == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_found_by_a_name_however_it_is_spelled_and_not_by_a_value() {
        let json = r#"[{"a":"p"},"p",["p"],{"p":1},{"x":{"\u0070":[{}]},"y":["{\"p\":1}",{"b":"\\","p":"}"}]}]"#;
        let found: Vec<&str> = objects_with(json, "p").collect();
        assert_eq!(found, [r#"{"p":1}"#, r#"{"\u0070":[{}]}"#, r#"{"b":"\\","p":"}"}"#]);
    }
}
