use super::{Loaded, Mistake};

/// The exit code for a configuration that cannot be used (`EX_USAGE` of sysexits.h).
pub const EXIT_BAD_CONFIG: u8 = 64;

/// What `checkconfig` says to people: every mistake, and a line that counts them.
pub fn describe(result: &Result<Loaded, Vec<Mistake>>, file: &str) -> String {
    let mistakes = mistakes(result);
    let mut text = String::new();
    for mistake in mistakes {
        text.push_str(&format!("{mistake}\n"));
    }
    let errors = mistakes.iter().filter(|mistake| mistake.is_error()).count();
    let warnings = count(mistakes.len() - errors, "warning");
    text.push_str(&match result {
        Err(_) => format!("{file}: {}, {warnings}; it is not used", count(errors, "error")),
        Ok(Loaded { config, .. }) => format!(
            "{file}: ok, {warnings}; {}, {}, {}",
            count(config.owners.len(), "owner"),
            count(config.issuers.len(), "issuer"),
            count(config.gates.len(), "gate"),
        ),
    });
    text.push('\n');
    text
}

/// What `checkconfig --json` says to programs: one object with `ok` and `mistakes`.
pub fn describe_json(result: &Result<Loaded, Vec<Mistake>>, file: &str) -> String {
    let mistakes: Vec<_> = mistakes(result).iter().map(Mistake::to_json).collect();
    format!("{}\n", serde_json::json!({ "file": file, "ok": result.is_ok(), "mistakes": mistakes }))
}

fn mistakes(result: &Result<Loaded, Vec<Mistake>>) -> &[Mistake] {
    match result {
        Ok(loaded) => &loaded.warnings,
        Err(mistakes) => mistakes,
    }
}

/// A number of things, in words.
pub(crate) fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
