use doorward_types::{Answer, Secret};

use super::{Malformed, object};
use crate::raw;

/// The most fields of an answer beside `action` and `kind`.
const FIELDS: usize = 16;

const KIND_IS: &str = "the name of a layer";
const FIELD_IS: &str = "a text, an integer or a boolean";

/// Reads what a user says to a ladder: `{"action":"auth","kind":"jwt","token":"..."}` is of kind `jwt` and has the field `token`.
///
/// # Errors
/// [`Malformed`]: not one JSON object, another action than `auth`, a field twice, more than 16 fields, or one that is neither a
/// text nor an integer nor a boolean.
///
/// ```
/// let answer = doorward_wire::json::answer(br#"{"action":"auth","kind":"totp","code":123456}"#)?;
/// assert_eq!(answer.kind(), Some("totp"));
/// assert!(answer.field("code").is_some_and(|code| code.same_as(b"123456")));
/// # Ok::<(), doorward_wire::json::Malformed>(())
/// ```
pub fn answer(bytes: &[u8]) -> Result<Answer, Malformed> {
    let mut action = None;
    let mut kind = None;
    let mut fields: Vec<(String, Secret)> = Vec::new();
    object::members(object::text(bytes)?, |name, value| {
        let place = match &*name {
            "action" => &mut action,
            "kind" => &mut kind,
            _ => {
                if fields.iter().any(|(field, _)| **field == *name) {
                    return Err(Malformed::duplicate(&name));
                }
                if fields.len() == FIELDS {
                    return Err(Malformed::TooManyFields { limit: FIELDS });
                }
                let text = match value.get() {
                    word @ ("true" | "false") => Some(word.into()),
                    _ => raw::integer(value).map(Into::into).or_else(|| raw::string(value)),
                };
                let text = text.ok_or_else(|| Malformed::unfit(&name, FIELD_IS))?;
                fields.push((name.into_owned(), Secret::from_text(text)));
                return Ok(());
            }
        };
        match place.replace(value) {
            Some(_) => Err(Malformed::duplicate(&name)),
            None => Ok(()),
        }
    })?;
    let action = action.ok_or(Malformed::Missing { field: "action", expected: "`auth`" })?;
    if raw::string(action).as_deref() != Some("auth") {
        return Err(Malformed::NotAuth);
    }
    let answer = match kind {
        Some(kind) => {
            let kind = raw::string(kind).filter(|kind| !kind.is_empty());
            Answer::to_layer(kind.ok_or_else(|| Malformed::unfit("kind", KIND_IS))?)
        }
        None => Answer::new(),
    };
    Ok(fields.into_iter().fold(answer, |answer, (name, value)| answer.with(name, value)))
}
