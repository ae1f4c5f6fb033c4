use std::fmt::{self, Write as _};

use askama::{Template, filters::HtmlSafe};
use doorward_types::Timestamp;

/// A field of a form with its label, its hint and what is wrong with it, so that each is tied to the other for who cannot see them.
#[derive(Clone, Debug, Template)]
#[template(path = "field.html")]
pub(crate) struct Field {
    name: &'static str,
    label: &'static str,
    kind: &'static str,
    autocomplete: &'static str,
    value: String,
    hint: String,
    error: Option<String>,
    /// The keyboard that a phone shows.
    inputmode: &'static str,
    longest: usize,
    first: bool,
    required: bool,
}

impl HtmlSafe for Field {}

impl Field {
    fn new(name: &'static str, label: &'static str, kind: &'static str, autocomplete: &'static str) -> Self {
        Self {
            name,
            label,
            kind,
            autocomplete,
            value: String::new(),
            hint: String::new(),
            error: None,
            inputmode: "text",
            longest: 1024,
            first: false,
            required: true,
        }
    }

    /// A name.
    pub(crate) fn username() -> Self {
        Self { longest: 256, ..Self::new("username", "Username", "text", "username") }
    }

    /// A password that exists.
    pub(crate) fn password(label: &'static str) -> Self {
        Self::new("password", label, "password", "current-password")
    }

    /// A password that is to exist.
    pub(crate) fn new_password(label: &'static str) -> Self {
        Self::new("new_password", label, "password", "new-password")
    }

    /// Six digits, or where `recovery` may stand instead, a recovery code too.
    pub(crate) fn code(recovery: bool) -> Self {
        let label = if recovery { "Code" } else { "Six-digit code" };
        let inputmode = if recovery { "text" } else { "numeric" };
        Self { longest: 64, inputmode, ..Self::new("code", label, "text", "one-time-code") }
    }

    /// An invitation.
    pub(crate) fn invitation() -> Self {
        Self { longest: 512, ..Self::new("invitation", "Invitation", "text", "off") }
    }

    /// A link to set another password. The page's script knows it by the name of an invitation.
    pub(crate) fn reset_link() -> Self {
        Self { label: "Link", ..Self::invitation() }
    }

    /// What shows once more who is logged in: the password, or a code of the app.
    pub(crate) fn proof() -> Self {
        Self::new("proof", "Your password, or a code of the app", "password", "current-password")
    }

    pub(crate) fn value(self, value: impl Into<String>) -> Self {
        Self { value: value.into(), ..self }
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: hint.into(), ..self }
    }

    pub(crate) fn error(self, error: Option<String>) -> Self {
        Self { error, ..self }
    }

    /// The one that is typed into first.
    pub(crate) fn first(self) -> Self {
        Self { first: true, ..self }
    }

    /// The same field, where it may be left empty.
    pub(crate) fn optional(&self) -> Self {
        Self { required: false, ..self.clone() }
    }

    /// Something was typed into it, or is wrong with it.
    pub(crate) fn is_looked_at(&self) -> bool {
        !self.value.is_empty() || self.error.is_some()
    }

    fn describes(&self) -> String {
        let ids = [(!self.hint.is_empty(), "hint"), (self.error.is_some(), "error")];
        let ids: Vec<_> = ids.iter().filter(|(is, _)| *is).map(|(_, part)| format!("{}-{part}", self.name)).collect();
        ids.join(" ")
    }
}

/// What is wrong with a form, on top of it: a sentence of its own, and one for each field, with a link to it.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "problems.html")]
pub(crate) struct Problems {
    whole: Option<String>,
    fields: Vec<(&'static str, &'static str, String)>,
}

impl HtmlSafe for Problems {}

impl Problems {
    /// What is wrong with a whole form, and with its fields.
    pub(crate) fn of(whole: Option<String>, fields: &[&Field]) -> Self {
        let fields = fields.iter().filter_map(|field| Some((field.name, field.label, field.error.clone()?))).collect();
        Self { whole, fields }
    }

    fn is_empty(&self) -> bool {
        self.whole.is_none() && self.fields.is_empty()
    }
}

/// A time as a person says it, with the exact one behind it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ago {
    at: Timestamp,
    now: Timestamp,
}

impl Ago {
    pub(crate) fn new(at: Timestamp, now: Timestamp) -> Self {
        Self { at, now }
    }
}

impl HtmlSafe for Ago {}

impl fmt::Display for Ago {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, r#"<time datetime="{0}" title="{0}">"#, self.at)?;
        match self.now.since(self.at).as_secs() {
            0..45 => f.write_str("just now"),
            seconds => write!(f, "{} ago", Span(seconds)),
        }?;
        f.write_str("</time>")
    }
}

/// A number of seconds in words: one unit, rounded.
pub(crate) struct Span(pub(crate) u64);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, word) = match self.0 {
            0..90 => (1, "second"),
            90..5400 => (60, "minute"),
            5400..129_600 => (3600, "hour"),
            _ => (86_400, "day"),
        };
        let number = (self.0 + unit / 2) / unit;
        write!(f, "{number} {word}")?;
        if number == 1 { Ok(()) } else { f.write_char('s') }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_in_the_unit_that_people_use_for_it() {
        for (seconds, words) in [
            (1, "1 second"),
            (89, "89 seconds"),
            (90, "2 minutes"),
            (3600, "60 minutes"),
            (7200, "2 hours"),
            (129_600, "2 days"),
        ] {
            assert_eq!(Span(seconds).to_string(), words);
        }
        let at = Timestamp::from_secs(1_795_312_386);
        let told = |seconds| Ago::new(at, at.plus(std::time::Duration::from_secs(seconds))).to_string();
        assert!(told(3).contains(">just now<") && told(3).contains(r#"datetime="2026-11-22T"#));
        assert!(told(600).contains(">10 minutes ago<"));
    }

    #[test]
    fn a_field_names_its_hint_and_its_error_and_writes_nothing_as_markup() {
        let field = Field::username().hint("short").error(Some("<b> is no name".into())).value("\"><script>");
        let html = field.to_string();
        assert!(html.contains(r#"aria-describedby="username-hint username-error""#), "{html}");
        assert!(html.contains("aria-invalid"), "{html}");
        assert!(!html.contains("<script>") && !html.contains("<b>"), "{html}");
    }
}
