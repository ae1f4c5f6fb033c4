use std::{
    fmt::Display,
    io::{self, Write},
    process::ExitCode,
};

use crate::config::count;

/// Why a command did not work: one clear text, and the exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    /// It did not work.
    pub(crate) fn new(message: impl Display) -> Self {
        Self { code: 1, message: message.to_string() }
    }

    /// The configuration is wrong (`EX_USAGE` of `sysexits.h`).
    pub(crate) fn of_config(message: impl Display) -> Self {
        Self { code: 64, message: message.to_string() }
    }

    #[expect(clippy::print_stderr, reason = "this is where a command says what went wrong")]
    pub(crate) fn report(&self) -> ExitCode {
        eprintln!("error: {}", self.message.trim_end());
        ExitCode::from(self.code)
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new(error)
    }
}

/// Prints a line at once. Whoever reads it may have left: that is not an error of ours.
pub(crate) fn say(line: impl Display) {
    let mut out = io::stdout().lock();
    let _gone = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Prints a remark beside what the command is asked for: on standard error, out of the way of a script.
#[expect(clippy::print_stderr, reason = "this is where a command says what is not its result")]
pub(super) fn note(line: impl Display) {
    eprintln!("note: {line}");
}

/// A number in what a server answered, of things, in words.
pub(super) fn counted(number: &serde_json::Value, what: &str) -> String {
    count(number.as_u64().and_then(|number| number.try_into().ok()).unwrap_or(0), what)
}

/// Prints a JSON document for a script.
pub(crate) fn say_json(value: &serde_json::Value) {
    say(serde_json::to_string_pretty(value).unwrap_or_else(|_| "null".to_owned()));
}
