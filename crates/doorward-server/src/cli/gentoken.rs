use std::{collections::BTreeMap, time::Duration};

use clap::Args;
use doorward_auth::ports::{Clock, SystemRng};
use serde_json::{Map, Value, json};

use super::{ConfigFile, Failure, input, note, say, say_json};
use crate::{node, system::SystemClock};

/// Make a token of an issuer whose key is here.
#[derive(Debug, Args)]
pub(super) struct Gentoken {
    #[command(flatten)]
    file: ConfigFile,
    /// The `name` of the `[[issuer]]`.
    #[arg(long, value_name = "NAME")]
    issuer: String,
    /// Whom it is of: the `sub` claim. It is the primary key alone; the issuer adds the kind.
    #[arg(long, value_name = "S")]
    subject: String,
    /// How long it is valid.
    #[arg(long, default_value = "1h", value_parser = input::span)]
    valid: Duration,
    /// A further claim, as `name=value`; a list where it is given more than once.
    #[arg(long = "claim", value_name = "NAME=VALUE")]
    claims: Vec<String>,
    /// For a script.
    #[arg(long)]
    json: bool,
}

impl Gentoken {
    pub(super) fn run(self) -> Result<(), Failure> {
        let issuer = node::issuer(&self.file.load()?, &self.file.base(), &self.issuer)?;
        if self.subject.is_empty() {
            return Err(Failure::new("a token needs a subject; name its primary key, such as `--subject 7`"));
        }
        let now = SystemClock.now();
        let token = issuer.mint(&self.subject, self.valid, self.claims()?, now, &SystemRng)?;
        // Whether gates know its subject by another name than was meant is seen here, and not at the gate.
        if let Some((kind, pk)) = self.subject.split_once(':')
            && let Ok(known) = issuer.verify(&token, now)
            && known.subject.kind == kind
        {
            let text =
                format!("gates will know the subject as `{}`; for `{kind}:{pk}` write `--subject {pk}`", known.subject);
            note(text);
        }
        let token = token.reveal_text("it is shown to its maker").unwrap_or_default();
        if self.json {
            say_json(&json!({ "token": token, "expires_at": now.plus(self.valid).to_string() }));
        } else {
            say(token);
        }
        Ok(())
    }

    fn claims(&self) -> Result<Map<String, Value>, Failure> {
        let mut claims: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for claim in &self.claims {
            let (name, value) = claim.split_once('=').ok_or_else(|| {
                Failure::new(format!("`{claim}` is no claim; write `name=value`, such as `groups=3`"))
            })?;
            claims.entry(name).or_default().push(value);
        }
        let value = |values: Vec<&str>| match values.as_slice() {
            [one] => Value::from(*one),
            several => Value::from(several.to_vec()),
        };
        Ok(claims.into_iter().map(|(name, values)| (name.to_owned(), value(values))).collect())
    }
}
