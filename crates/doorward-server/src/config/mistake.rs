use std::fmt;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The configuration is not used.
    Error,
    /// It is used, but somebody should know.
    Warning,
}

/// Where a value was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In a file of this name.
    File(String),
    /// In this environment variable.
    Environment(String),
    /// In this command-line flag.
    Flag(String),
}

/// Something about the configuration that has to be put right, or at least known: what, where, and what would be right.
///
/// Prints as compilers do it:
///
/// ```text
/// error: unknown key `digts`
///   --> doorward.toml:12:27
///    |
/// 12 | ladder = [{ totp = { digts = 6 } }]
///    |                      ^^^^^
///    = at: gate[0].ladder[0].totp.digts
///    = hint: did you mean `digits`?
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Whether it keeps the configuration from being used.
    pub severity: Severity,
    /// Where it was written.
    pub origin: Origin,
    /// The line, counted from 1.
    pub line: usize,
    /// The column, counted from 1, in characters.
    pub column: usize,
    /// The text of that line.
    pub excerpt: String,
    /// How many characters of it are meant, at least 1.
    pub width: usize,
    /// The key, as in `gate[0].ladder[1].totp.digits`; empty for the file as a whole.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What would be right; may be empty.
    pub hint: String,
}

impl Mistake {
    /// Whether it keeps the configuration from being used.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// The same for a log, which says by itself how bad it is.
    pub fn in_one_line(&self) -> String {
        let place = match &self.origin {
            Origin::File(name) => format!("{name}:{}:{}", self.line, self.column),
            Origin::Environment(name) | Origin::Flag(name) => name.clone(),
        };
        let hint = if self.hint.is_empty() { String::new() } else { format!("; {}", self.hint) };
        format!("{place}: {}{hint}", self.message)
    }

    /// The same for programs, as one JSON object.
    pub fn to_json(&self) -> serde_json::Value {
        let (kind, name) = match &self.origin {
            Origin::File(name) => ("file", name),
            Origin::Environment(name) => ("environment", name),
            Origin::Flag(name) => ("flag", name),
        };
        serde_json::json!({
            "severity": self.severity.to_string(),
            kind: name,
            "line": self.line,
            "column": self.column,
            "path": self.path,
            "message": self.message,
            "hint": self.hint,
        })
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = match self.origin {
            Origin::File(_) => self.line.to_string(),
            Origin::Environment(_) | Origin::Flag(_) => " ".to_owned(),
        };
        let margin = " ".repeat(number.len());
        writeln!(f, "{}: {}", self.severity, self.message)?;
        match &self.origin {
            Origin::File(name) => writeln!(f, "{margin}--> {name}:{}:{}", self.line, self.column)?,
            Origin::Environment(name) => writeln!(f, "{margin}--> environment variable {name}")?,
            Origin::Flag(name) => writeln!(f, "{margin}--> flag {name}")?,
        }
        // A tab keeps its place, so that the underline stands below what it means.
        let indent: String =
            self.excerpt.chars().take(self.column - 1).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        writeln!(f, "{margin} |")?;
        writeln!(f, "{number} | {}", self.excerpt)?;
        writeln!(f, "{margin} | {indent}{}", "^".repeat(self.width))?;
        if !self.path.is_empty() {
            writeln!(f, "{margin} = at: {}", self.path)?;
        }
        if !self.hint.is_empty() {
            writeln!(f, "{margin} = hint: {}", self.hint)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistake(origin: Origin) -> Mistake {
        Mistake {
            severity: Severity::Error,
            origin,
            line: 12,
            column: 3,
            excerpt: "\t☂digts = 6".to_owned(),
            width: 5,
            path: "gate[0].digts".to_owned(),
            message: "unknown key `digts`".to_owned(),
            hint: "did you mean `digits`?".to_owned(),
        }
    }

    #[test]
    fn the_underline_stands_below_what_it_means() {
        let printed = mistake(Origin::File("doorward.toml".to_owned())).to_string();
        assert_eq!(
            printed,
            "error: unknown key `digts`\n  --> doorward.toml:12:3\n   |\n12 | \t☂digts = 6\n   | \t ^^^^^\n   \
             = at: gate[0].digts\n   = hint: did you mean `digits`?\n"
        );
    }

    #[test]
    fn a_log_tells_it_in_one_line_without_how_bad_it_is() {
        let told = mistake(Origin::File("doorward.toml".to_owned())).in_one_line();
        assert_eq!(told, "doorward.toml:12:3: unknown key `digts`; did you mean `digits`?");
        let told = mistake(Origin::Environment("DOORWARD_X".to_owned())).in_one_line();
        assert_eq!(told, "DOORWARD_X: unknown key `digts`; did you mean `digits`?");
    }

    #[test]
    fn a_value_from_the_environment_names_its_variable() {
        let printed = mistake(Origin::Environment("DOORWARD_X".to_owned())).to_string();
        assert!(printed.contains("--> environment variable DOORWARD_X\n"), "{printed}");
    }
}
