use doorward_types::Secret;
use http::{HeaderMap, header::CONTENT_TYPE};

/// More fields than any form here has, with room for those that are ignored.
const MOST: usize = 32;

/// The fields of a form as it was sent (`application/x-www-form-urlencoded`), each as a secret: one of them may be a password.
///
/// A field that nobody asks for is ignored. So is a `session` or `sid`: such ids are made by the server alone.
#[derive(Debug, Default)]
pub(crate) struct Form(Vec<(String, Secret)>);

/// Why what was sent is no form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoForm {
    #[error("a form is sent as `application/x-www-form-urlencoded`")]
    Kind,
    #[error("the form has more than {MOST} fields")]
    TooMany,
    #[error("the form has a field twice")]
    Twice,
    #[error("the form has a `%` without two hexadecimal digits after it")]
    Escape,
    #[error("the form is not UTF-8")]
    Text,
}

impl Form {
    /// Reads the body of a request.
    pub(crate) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, NoForm> {
        let kind = headers.get(CONTENT_TYPE).map(|kind| kind.as_bytes());
        if !kind.is_some_and(|kind| is_kind(kind, b"application/x-www-form-urlencoded")) {
            // A button without fields may come without a kind.
            return if body.is_empty() { Ok(Self::default()) } else { Err(NoForm::Kind) };
        }
        let mut fields: Vec<(String, Secret)> = Vec::new();
        for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let (name, value) = pair.split_at(at);
            let name = decoded(name)?.reveal_text("the name of a field is no secret").ok_or(NoForm::Text)?.to_owned();
            let value = decoded(value.get(1..).unwrap_or_default())?;
            value.reveal_text("to see that it is text").ok_or(NoForm::Text)?;
            if fields.len() == MOST {
                return Err(NoForm::TooMany);
            }
            if fields.iter().any(|(other, _)| *other == name) {
                return Err(NoForm::Twice);
            }
            fields.push((name, value));
        }
        Ok(Self(fields))
    }

    /// A field that is a secret; empty where it is not there.
    pub(crate) fn secret(&self, name: &str) -> Secret {
        self.field(name).cloned().unwrap_or_else(|| Secret::new([]))
    }

    /// A field that is none.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.field(name).and_then(|field| field.reveal_text("a field that is no secret")).unwrap_or_default()
    }

    fn field(&self, name: &str) -> Option<&Secret> {
        self.0.iter().find(|(field, _)| field == name).map(|(_, value)| value)
    }
}

/// Whether a `Content-Type` is of that kind, whatever its parameters.
pub(crate) fn is_kind(header: &[u8], kind: &[u8]) -> bool {
    header.split(|byte| *byte == b';').next().is_some_and(|found| found.trim_ascii().eq_ignore_ascii_case(kind))
}

pub(crate) fn decoded(text: &[u8]) -> Result<Secret, NoForm> {
    // A value is never longer decoded, so the buffer does not move and leaves no copy behind.
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => match (rest.next().and_then(hex), rest.next().and_then(hex)) {
                (Some(high), Some(low)) => high << 4 | low,
                _ => return Err(NoForm::Escape),
            },
            byte => *byte,
        });
    }
    Ok(Secret::new(bytes))
}

fn hex(digit: &u8) -> Option<u8> {
    char::from(*digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Form, NoForm> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, "application/x-www-form-urlencoded; charset=utf-8".parse().unwrap());
        Form::read(&headers, body.as_bytes())
    }

    #[test]
    fn a_field_comes_out_as_it_was_typed() {
        let form = read("username=Bob+Smith&password=%C3%A4+%2B%26%3D&empty=&flag").unwrap();
        assert_eq!(form.text("username"), "Bob Smith");
        assert!(form.secret("password").same_as("ä +&=".as_bytes()));
        assert_eq!(form.text("empty"), "");
        assert_eq!(form.text("missing"), "");
        assert!(!format!("{form:?}").contains("Bob"));
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_no_form() {
        assert_eq!(read("a=1&a=2").unwrap_err(), NoForm::Twice);
        assert_eq!(read("a=%4").unwrap_err(), NoForm::Escape);
        assert_eq!(read("a=%zz").unwrap_err(), NoForm::Escape);
        assert_eq!(read("a=%ff").unwrap_err(), NoForm::Text);
        let many: Vec<_> = (0..=MOST).map(|number| format!("f{number}=")).collect();
        assert_eq!(read(&many.join("&")).unwrap_err(), NoForm::TooMany);
    }

    #[test]
    fn another_kind_of_body_is_no_form() {
        let mut headers = HeaderMap::new();
        assert_eq!(Form::read(&headers, b"a=1").unwrap_err(), NoForm::Kind);
        assert!(Form::read(&headers, b"").is_ok());
        headers.insert(CONTENT_TYPE, "multipart/form-data; boundary=x".parse().unwrap());
        assert_eq!(Form::read(&headers, b"a=1").unwrap_err(), NoForm::Kind);
    }
}
