use std::{str::FromStr, time::Duration};

use bytes::Bytes;
use doorward_auth::strict_json;
use doorward_types::{Secret, Subject, Timestamp, UnreadableId};
use http::{HeaderMap, header::CONTENT_TYPE};
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::{Map, Value};
use tokio::time::timeout;

use super::{Kind, Problem};
use crate::form::{decoded, is_kind};

/// The largest body, in bytes.
pub(super) const LARGEST: usize = 64 * 1024;

/// How long a body may take to come.
const COMES_WITHIN: Duration = Duration::from_secs(10);

/// The longest text of a field, in bytes.
const LONGEST: usize = 4096;

/// What was sent by name: in the query, or as a JSON object. What is taken out is known; what is left at the end is a mistake.
pub(super) struct Fields {
    sent: Map<String, Value>,
    known: Vec<&'static str>,
}

impl Fields {
    /// Nothing.
    pub(super) fn none() -> Self {
        Self { sent: Map::new(), known: Vec::new() }
    }

    /// `a=b&c=d`, each once.
    pub(super) fn of_query(query: &str) -> Result<Self, Problem> {
        let mut sent = Map::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let unreadable = || Problem::new(Kind::BadInput, "the query is not readable");
            let [Some(name), Some(value)] = [name, value].map(text) else { return Err(unreadable()) };
            if sent.contains_key(&name) {
                return Err(Problem::of_field(&name, "it once"));
            }
            sent.insert(name, Value::String(value));
        }
        Ok(Self { sent, known: Vec::new() })
    }

    /// A JSON object; nothing at all is an empty one.
    pub(super) async fn of_body<B>(headers: &HeaderMap, body: B) -> Result<Self, Problem>
    where
        B: Body + Unpin,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let text = read(body).await?;
        if text.is_empty() {
            return Ok(Self::none());
        }
        if !headers.get(CONTENT_TYPE).is_some_and(|kind| is_kind(kind.as_bytes(), b"application/json")) {
            return Err(Problem::new(Kind::NotJson, "send `Content-Type: application/json`"));
        }
        strict_json::object(&text).map(|sent| Self { sent, known: Vec::new() }).map_err(|error| {
            let what = match error.is_data() {
                true => "the body has to be a JSON object in which no name stands twice",
                false => "the body is no JSON",
            };
            // The place, and not what stands there: it may be a password.
            Problem::new(Kind::BadInput, format!("{what}: line {}, column {}", error.line(), error.column()))
        })
    }

    /// A text.
    pub(super) fn text(&mut self, name: &'static str) -> Result<Option<String>, Problem> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) if (1..=LONGEST).contains(&text.len()) => Ok(Some(text)),
            Some(_) => Err(Problem::of_field(name, format!("a text of 1 to {LONGEST} bytes"))),
        }
    }

    /// A text that is a secret.
    pub(super) fn secret(&mut self, name: &'static str) -> Result<Option<Secret>, Problem> {
        Ok(self.text(name)?.map(Secret::from_text))
    }

    /// A text that has a form.
    pub(super) fn read<T: FromStr>(&mut self, name: &'static str, expected: &str) -> Result<Option<T>, Problem> {
        let text = self.text(name)?;
        text.map(|text| text.parse().map_err(|_| Problem::of_field(name, expected))).transpose()
    }

    /// One of some words.
    pub(super) fn word<T: Copy>(
        &mut self,
        name: &'static str,
        words: &[T],
        as_str: impl Fn(T) -> &'static str,
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let found = words.iter().copied().find(|word| as_str(*word) == text);
        let expected = || words.iter().map(|word| format!("`{}`", as_str(*word))).collect::<Vec<_>>().join(" or ");
        found.map(Some).ok_or_else(|| Problem::of_field(name, expected()))
    }

    /// A point of time.
    pub(super) fn time(&mut self, name: &'static str) -> Result<Option<Timestamp>, Problem> {
        self.read(name, "a time as RFC 3339 writes it, such as `2026-11-22T01:53:06Z`")
    }

    /// A number of whole seconds, up to `longest`.
    pub(super) fn seconds(&mut self, name: &'static str, longest: u64) -> Result<Option<Duration>, Problem> {
        let expected = || Problem::of_field(name, format!("a number of seconds from 1 to {longest}"));
        let sent = self.take(name);
        sent.map(|sent| match sent.as_u64() {
            Some(seconds) if (1..=longest).contains(&seconds) => Ok(Duration::from_secs(seconds)),
            _ => Err(expected()),
        })
        .transpose()
    }

    /// A subject, as `kind:pk`.
    pub(super) fn subject(&mut self, name: &'static str) -> Result<Option<Subject>, Problem> {
        let text = self.text(name)?;
        text.map(|text| text.parse().map_err(|error: UnreadableId| Problem::of_rule(name, error))).transpose()
    }

    /// A list of texts.
    pub(super) fn texts(&mut self, name: &'static str) -> Result<Option<Vec<String>>, Problem> {
        let expected = || Problem::of_field(name, "a list of texts");
        let Some(sent) = self.take(name) else { return Ok(None) };
        let Value::Array(texts) = sent else { return Err(expected()) };
        let texts = texts.into_iter().map(|text| match text {
            Value::String(text) if text.len() <= LONGEST => Ok(text),
            _ => Err(expected()),
        });
        texts.collect::<Result<_, _>>().map(Some)
    }

    /// Whatever was sent by that name; also `null` is something.
    pub(super) fn value(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        self.sent.remove(name)
    }

    /// Nothing else was sent.
    pub(super) fn end(&mut self) -> Result<(), Problem> {
        let Some(name) = self.sent.keys().next() else { return Ok(()) };
        let known = self.known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let expected = if known.is_empty() { "no field".to_owned() } else { format!("one of {known}") };
        Err(Problem::of_field(name, expected))
    }

    fn take(&mut self, name: &'static str) -> Option<Value> {
        self.value(name).filter(|value| !value.is_null())
    }
}

/// A field that has to be there.
pub(super) fn needed<T>(name: &str, value: Option<T>, expected: &str) -> Result<T, Problem> {
    value.ok_or_else(|| Problem::of_field(name, expected))
}

/// A name or a value of a query.
fn text(encoded: &str) -> Option<String> {
    decoded(encoded.as_bytes()).ok()?.reveal_text("a query holds no secret").map(str::to_owned)
}

async fn read<B>(body: B) -> Result<Bytes, Problem>
where
    B: Body + Unpin,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let collected = timeout(COMES_WITHIN, Limited::new(body, LARGEST).collect()).await;
    let Ok(collected) = collected else {
        return Err(Problem::new(Kind::TooSlow, format!("it has to come within {COMES_WITHIN:?}")));
    };
    match collected {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(Problem::new(Kind::TooBig, format!("at most {LARGEST} bytes")))
        }
        Err(_) => Err(Problem::new(Kind::BadInput, "the body ended early")),
    }
}
