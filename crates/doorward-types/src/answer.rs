use crate::Secret;

/// What a user says to a ladder: flat, named fields, each of them a [`Secret`] until a layer says why it looks.
///
/// Transports make one from a message (`{"action":"auth","kind":"jwt","token":"..."}` gives the kind `jwt` and the field
/// `token`). A number or a boolean is kept as its text; nothing nested gets in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    kind: Option<Box<str>>,
    fields: Vec<(Box<str>, Secret)>,
}

impl Answer {
    /// An answer of no kind without fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// An answer that names the layer it is for.
    pub fn to_layer(kind: impl Into<Box<str>>) -> Self {
        Self { kind: Some(kind.into()), fields: Vec::new() }
    }

    /// Adds a field. The first of two with the same name is the one that counts; transports refuse doubles before that.
    #[must_use]
    pub fn with(mut self, name: impl Into<Box<str>>, value: Secret) -> Self {
        self.fields.push((name.into(), value));
        self
    }

    /// Adds a field from a text.
    #[must_use]
    pub fn with_text(self, name: impl Into<Box<str>>, value: impl Into<String>) -> Self {
        self.with(name, Secret::from_text(value))
    }

    /// The layer that this answer says it is for.
    pub fn kind(&self) -> Option<&str> {
        self.kind.as_deref()
    }

    /// A field by its name.
    pub fn field(&self, name: &str) -> Option<&Secret> {
        self.fields.iter().find(|(field, _)| &**field == name).map(|(_, value)| value)
    }

    /// A field by its name as text; `None` where it is missing or not UTF-8.
    pub fn text(&self, name: &str, reason: &'static str) -> Option<&str> {
        self.field(name)?.reveal_text(reason)
    }

    /// The names of the fields, in the order they came in.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|(name, _)| &**name)
    }

    /// Whether it has exactly these fields, in any order.
    pub fn has_exactly(&self, names: &[&str]) -> bool {
        self.fields.len() == names.len() && names.iter().all(|name| self.field(name).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_prints_its_names_and_hides_its_values() {
        let answer = Answer::to_layer("jwt").with_text("token", "eyJ...");
        let printed = format!("{answer:?}");
        assert!(printed.contains("token") && !printed.contains("eyJ"), "{printed}");
    }

    #[test]
    fn exactly_these_fields_means_no_more_and_no_less() {
        let answer = Answer::new().with_text("key", "a").with_text("proof", "b");
        assert!(answer.has_exactly(&["proof", "key"]));
        assert!(!answer.has_exactly(&["key"]));
        assert!(!answer.has_exactly(&["key", "proof", "more"]));
        assert!(!answer.clone().with_text("more", "c").has_exactly(&["key", "proof"]));
    }
}
