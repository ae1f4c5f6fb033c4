//! Writing JSON objects.

use std::fmt::Write as _;

use serde_json::value::RawValue;

/// A JSON object that is being written, compact, its members in the order that they come in.
pub(crate) struct Object(String);

impl Object {
    /// Begins with the member that tells what the message is.
    pub(crate) fn new(name: &str, value: &str) -> Self {
        let mut object = String::with_capacity(128);
        object.push('{');
        Self(object).text(name, value)
    }

    /// A member that is a text.
    pub(crate) fn text(mut self, name: &str, value: &str) -> Self {
        self.name(name);
        push_text(&mut self.0, value);
        self
    }

    /// A member that is a text, where there is one.
    pub(crate) fn text_if(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }

    /// A member that is an integer.
    pub(crate) fn integer(mut self, name: &str, value: u64) -> Self {
        self.name(name);
        // Writing to a string cannot fail.
        let _ = write!(self.0, "{value}");
        self
    }

    /// A member that is a list of texts.
    pub(crate) fn list(mut self, name: &str, values: &[&str]) -> Self {
        self.name(name);
        self.0.push('[');
        for (place, value) in values.iter().enumerate() {
            if place > 0 {
                self.0.push(',');
            }
            push_text(&mut self.0, value);
        }
        self.0.push(']');
        self
    }

    /// A member that is an object.
    pub(crate) fn object(mut self, name: &str, value: Self) -> Self {
        self.name(name);
        self.0.push_str(&value.end());
        self
    }

    /// A member that is JSON already, where there is one.
    pub(crate) fn raw_if(mut self, name: &str, value: Option<&RawValue>) -> Self {
        if let Some(value) = value {
            self.name(name);
            self.0.push_str(value.get());
        }
        self
    }

    /// A member that is `true`; left out where it is not.
    pub(crate) fn flag(mut self, name: &str, value: bool) -> Self {
        if value {
            self.name(name);
            self.0.push_str("true");
        }
        self
    }

    /// All that was written up to the value of a last member, and its name.
    pub(crate) fn before_value_of(mut self, name: &str) -> String {
        self.name(name);
        self.0
    }

    /// The whole object.
    pub(crate) fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }

    fn name(&mut self, name: &str) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        push_text(&mut self.0, name);
        self.0.push(':');
    }
}

/// A JSON string, at the end of `out`.
pub(crate) fn push_text(out: &mut String, text: &str) {
    if text.bytes().any(|byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
        out.push_str(&serde_json::Value::from(text).to_string());
    } else {
        out.push('"');
        out.push_str(text);
        out.push('"');
    }
}
