use std::fmt::Write;

use super::{
    gate::{ChannelConfig, Gate},
    keys::{Key, Kind, Table},
    limits::{GateLimits, Limits},
    sections::{Audit, Internal, Lease, Log, Ninep, Owner, Server, Site, Store},
    variable,
};

/// One table of the configuration as the manual and the default file have it.
pub(super) struct Described {
    pub(super) name: &'static str,
    doc: String,
    pub(super) keys: Vec<Key>,
    sort: Sort,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    /// `[server]`, with variables.
    Section,
    /// `[[gate]]`.
    List,
    /// `[gate.limits]`
    Below,
}

/// All tables, in the order of the manual. `[[issuer]]` and the layers are described beside their code.
pub(super) fn tables() -> Vec<Described> {
    fn one<T: Table>(sort: Sort) -> Described {
        Described { name: T::NAME, doc: T::doc(), keys: T::keys(), sort }
    }
    let mut gate_limits = one::<GateLimits>(Sort::Below);
    let limits = Limits::keys();
    for key in &mut gate_limits.keys {
        let same = limits.iter().find(|limit| limit.name == key.name);
        key.example = same.and_then(|limit| limit.default.clone()).unwrap_or_default();
    }
    vec![
        one::<Server>(Sort::Section),
        one::<Internal>(Sort::Section),
        one::<Ninep>(Sort::Section),
        one::<Store>(Sort::Section),
        one::<Log>(Sort::Section),
        one::<Limits>(Sort::Section),
        one::<Audit>(Sort::Section),
        one::<Site>(Sort::Section),
        one::<Lease>(Sort::Section),
        one::<Owner>(Sort::List),
        one::<Gate>(Sort::List),
        one::<ChannelConfig>(Sort::List),
        gate_limits,
    ]
}

impl Described {
    fn header(&self) -> String {
        match self.sort {
            Sort::List => format!("[[{}]]", self.name),
            Sort::Section | Sort::Below => format!("[{}]", self.name),
        }
    }
}

/// The default configuration: every section and key with its manual entry. Lists of tables stand in it as comments.
pub fn default_text() -> String {
    let mut text = String::from(
        "# Doorward: every key with its default. What is commented out is unset.\n\
         # Each key is an environment variable too: `listen` of `[server]` is DOORWARD_SERVER_LISTEN.\n",
    );
    for table in tables() {
        let commented = table.sort != Sort::Section;
        text.push('\n');
        comment(&mut text, &table.doc);
        let _ = writeln!(text, "{}{}", if commented { "#" } else { "" }, table.header());
        for key in table.keys.iter().filter(|key| !commented || key.kind != Kind::Table || !key.example.is_empty()) {
            comment(&mut text, &key.doc);
            let _ = match &key.default {
                Some(default) if !commented => writeln!(text, "{} = {default}", key.name),
                Some(default) if key.example.is_empty() => writeln!(text, "#{} = {default}", key.name),
                _ => writeln!(text, "#{} = {}", key.name, key.example),
            };
        }
    }
    text
}

fn comment(text: &mut String, doc: &str) {
    for line in doc.lines() {
        let _ = writeln!(text, "# {line}");
    }
}

/// The manual of the configuration, `docs/configuration.md`.
pub fn manual_text() -> String {
    let mut text = String::from(include_str!("manual_head.md"));
    for table in tables() {
        let _ = write!(text, "\n## `{}`\n\n{}\n\n", table.header(), table.doc.replace('\n', " "));
        let variables = table.sort == Sort::Section;
        text.push_str(if variables {
            "| key | takes | default | what it is | variable |\n| --- | --- | --- | --- | --- |\n"
        } else {
            "| key | takes | default | what it is |\n| --- | --- | --- | --- |\n"
        });
        for key in &table.keys {
            let default = match (&key.default, key.required) {
                (_, true) => "required".to_owned(),
                (Some(default), _) => format!("`{default}`"),
                (None, _) if key.example.is_empty() => "-".to_owned(),
                (None, _) => format!("- (as in `{}`)", key.example),
            };
            let doc = key.doc.replace('\n', " ").replace('|', "\\|");
            let _ = write!(text, "| `{}` | {} | {default} | {doc} |", key.name, key.kind);
            if variables {
                let _ = write!(text, " `{}` |", variable(table.name, key.name));
            }
            text.push('\n');
        }
    }
    text.push_str(include_str!("manual_tail.md"));
    text
}
