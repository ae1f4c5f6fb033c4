//! The files in `vectors/`, and what their values stand for.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};

/// The cases of one section of a file.
pub(crate) fn section(file: &str, name: &str) -> Vec<Value> {
    let mut file: Value = serde_json::from_str(file).unwrap();
    let Value::Array(cases) = file[name].take() else { panic!("{name} is a list") };
    assert!(!cases.is_empty());
    cases
}

/// The bytes that `{"base64": "..."}` stands for.
pub(crate) fn bytes(value: &Value) -> Option<Vec<u8>> {
    value.get("base64").map(|base64| BASE64.decode(base64.as_str().unwrap()).unwrap())
}

/// Bytes as they are shown.
pub(crate) fn shown(bytes: &[u8]) -> Value {
    json!({ "base64": BASE64.encode(bytes) })
}

/// Holds what a gate reads against what a common parser does. Where the gate is stricter, the refusal must be the one that is listed
/// for the input, by the name of its variant.
pub(crate) struct Stricter {
    listed: &'static [(&'static str, &'static str)],
    used: Vec<bool>,
}

impl Stricter {
    pub(crate) fn new(listed: &'static [(&'static str, &'static str)]) -> Self {
        Self { listed, used: vec![false; listed.len()] }
    }

    /// `theirs` is null where the other refuses.
    pub(crate) fn compare<E: std::fmt::Debug>(&mut self, input: &str, theirs: &Value, ours: Result<Value, E>) {
        match ours {
            Ok(ours) => assert_eq!(&ours, theirs, "{input}"),
            Err(_) if theirs.is_null() => {}
            Err(refusal) => {
                let refusal = format!("{refusal:?}");
                let variant = refusal.split(|c: char| !c.is_alphanumeric()).next().unwrap();
                let place = self.listed.iter().position(|listed| *listed == (input, variant));
                self.used[place.unwrap_or_else(|| panic!("others take {input}, here it is refused: {variant}"))] = true;
            }
        }
    }

    pub(crate) fn all_were_met(self) {
        let idle: Vec<_> = self.listed.iter().zip(&self.used).filter(|(_, used)| !**used).collect();
        assert!(idle.is_empty(), "here nobody is less strict: {idle:?}");
    }
}
