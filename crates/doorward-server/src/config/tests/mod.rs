//! Each test is a file and what is told about it: line, key and hint.

mod across;
mod environment;
mod ladders;
mod manual;
mod reading;
mod site;
mod tls;
mod transports;
mod waiting;

use std::{collections::BTreeMap, path::Path, sync::LazyLock};

use doorward_types::Secret;

use super::*;

/// A certificate and its key.
static PAIR: LazyLock<[String; 2]> = LazyLock::new(|| {
    let made = rcgen::generate_simple_self_signed(["gate.example".to_owned()]).unwrap();
    [made.cert.pem(), made.signing_key.serialize_pem()]
});

/// The file `good` holds 32 bytes, `short` 5, two a certificate and its key; all others are not there.
fn secrets(path: &Path) -> Result<Secret, String> {
    match path.to_str() {
        Some("good") => Ok(Secret::from_text("0123456789abcdef0123456789abcdef")),
        Some("short") => Ok(Secret::from_text("short")),
        Some("fullchain.pem" | "renewed.pem") => Ok(Secret::from_text(PAIR[0].clone())),
        Some("privkey.pem") => Ok(Secret::from_text(PAIR[1].clone())),
        _ => Err("there is no such file".to_owned()),
    }
}

fn read(text: &str) -> Result<Loaded, Vec<Mistake>> {
    load(text, "doorward.toml", &BTreeMap::new(), &[], &secrets)
}

/// All mistakes of a text: severity's letter and line, key, message, hint.
fn told(text: &str) -> Vec<(String, String, String, String)> {
    let mistakes = match read(text) {
        Ok(loaded) => loaded.warnings,
        Err(mistakes) => mistakes,
    };
    let letter = |mistake: &Mistake| if mistake.is_error() { 'E' } else { 'W' };
    mistakes
        .into_iter()
        .map(|mistake| (format!("{}{}", letter(&mistake), mistake.line), mistake.path, mistake.message, mistake.hint))
        .collect()
}

/// Compares the mistakes of a text with `expected`: `E` or `W` with the line, the key, and parts of message and hint.
#[track_caller]
fn expect(text: &str, expected: &[(&str, &str, &str, &str)]) {
    let told = told(text);
    let fits = told.len() == expected.len()
        && told.iter().zip(expected).all(|((place, path, message, hint), (place_, path_, message_, hint_))| {
            let fits = |text: &str, part: &str| if part.is_empty() { text.is_empty() } else { text.contains(part) };
            place == place_ && path == path_ && fits(message, message_) && fits(hint, hint_)
        });
    assert!(fits, "expected {expected:#?}, told {told:#?}");
}

/// An issuer that is right: seven lines.
const ISSUER: &str = r#"
[[issuer]]
name = "site"
issuer = "https://site.example"
audience = "doorward"
algorithms = ["HS256"]
secret_file = "good"
"#;

/// A gate that is right, and lets everybody in with a token of the issuer: five lines.
const GATE: &str = r#"[[gate]]
name = "chat"
path = "/chat"
backend = { hub = {} }
ladder = [{ jwt = {} }]
"#;
