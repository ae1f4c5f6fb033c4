//! The configuration: `doorward.toml`, the environment and the flags, read into one [`Config`].
//!
//! **What it is:** pure functions, but for the time, by which a certificate is judged. [`load`] takes the file's text, the environment and the flags, and gives a [`Config`] or
//! *every* [`Mistake`] there is, each with its line, its key and a hint. [`default_text`], [`manual_text`] and [`generate`] write
//! the default file, the manual and a first file.
//!
//! **What it is not:** a reader of files or of the environment: the caller hands both over.
//!
//! ```text
//!  file ─▶ spanned tree ◀─ environment ◀─ flags
//!               │
//!               ▼ table by table: read, tell what is wrong, leave it out, read again
//!            Config ─▶ checks across tables ─▶ Config + warnings, or every mistake
//! ```
//!
//! ```
//! use doorward_server::config;
//! let text = "[limits]\nheadrs = 32\nping_interval = 30\n";
//! let mistakes = config::load(text, "doorward.toml", &Default::default(), &[], &|_| Err("no files here".into())).unwrap_err();
//! assert_eq!(mistakes.len(), 2);
//! assert_eq!((mistakes[0].line, mistakes[0].path.as_str()), (2, "limits.headrs"));
//! assert_eq!(mistakes[0].hint, "did you mean `headers`?");
//! assert_eq!(mistakes[1].hint, "with its unit and in quotes: `\"30s\"`");
//! ```

mod check;
mod document;
mod environment;
mod gate;
mod generate;
mod keys;
mod limits;
mod manual;
mod mask;
mod mistake;
mod nearest;
mod outcome;
mod read;
mod report;
mod secret_file;
mod sections;
mod step_times;
mod unclosed;
mod values;
mod waiting;

use std::{collections::BTreeMap, sync::Arc};

use doorward_auth::{ports::Authenticator, settings::ReadSecret, token::IssuerConfig};
use serde::de::DeserializeOwned;
use toml::de::DeValue;

pub use environment::{Override, variable};
pub use gate::{
    BackendConfig, ChannelConfig, FailConfig, Gate, NoSettings, OnLogoutConfig, RefuseConfig, SocketIoConfig,
    TransportConfig, VerdictConfig,
};
pub use generate::{NewFile, generate, write_new};
pub use keys::{Key, Kind, Table};
pub(crate) use limits::in_memory;
pub use limits::{GateLimits, Limits};
pub use manual::{default_text, manual_text};
pub use mistake::{Mistake, Origin, Severity};
pub(crate) use nearest::in_backticks;
pub(crate) use outcome::count;
pub use outcome::{EXIT_BAD_CONFIG, describe, describe_json};
pub use secret_file::secret_reader;
pub use sections::{Audit, Internal, Lease, Log, LogFormat, LogLevel, Ninep, Owner, Server, Site, Store, TlsFiles};
pub use values::{Host, Listen, Network, Size, StoreUrl};
pub use waiting::Waiting;

use document::{Document, KeyPath};
use report::Report;

/// Everything that a server is told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// `[server]`
    pub server: Server,
    /// `[internal]`
    pub internal: Internal,
    /// `[ninep]`
    pub ninep: Ninep,
    /// `[store]`
    pub store: Store,
    /// `[log]`
    pub log: Log,
    /// `[limits]`
    pub limits: Limits,
    /// `[audit]`
    pub audit: Audit,
    /// `[site]`
    pub site: Site,
    /// `[lease]`
    pub lease: Lease,
    /// Every `[[owner]]`; the one named `default` where the file has none.
    pub owners: Vec<Owner>,
    /// Every `[[issuer]]`. Read by [`load`], each has its owner.
    pub issuers: Vec<IssuerConfig>,
    /// Every `[[gate]]`. Read by [`load`], each has its owner, and its owner's host where it has none itself.
    pub gates: Vec<Gate>,
}

/// A configuration that can be used, and what should be known about it.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// What should be known, in the order in which it stands in the file.
    pub warnings: Vec<Mistake>,
}

/// The ways to recognise somebody that an application brings, by their kind.
pub type Authenticators = BTreeMap<String, Arc<dyn Authenticator>>;

/// A list item and its place in the list: after a mistake the others keep theirs.
type Items<T> = Vec<(KeyPath, T)>;

/// What could be read, item by item, for the checks.
struct Parts {
    config: Config,
    owners: Items<Owner>,
    issuers: Items<IssuerConfig>,
    gates: Items<Gate>,
}

/// Reads a configuration: flags before environment before file before defaults. An empty variable counts as unset.
///
/// `read_secret` reads the files that settings like `secret_file` name. Every mistake that can be found is told, warnings among
/// them, in the order in which they stand in the file.
pub fn load(
    text: &str,
    file: &str,
    environment: &BTreeMap<String, String>,
    overrides: &[Override],
    read_secret: ReadSecret<'_>,
) -> Result<Loaded, Vec<Mistake>> {
    load_for(&Authenticators::new(), text, file, environment, overrides, read_secret)
}

/// As [`load`], for an application that brings ways to recognise somebody of its own.
pub fn load_for(
    authenticators: &Authenticators,
    text: &str,
    file: &str,
    environment: &BTreeMap<String, String>,
    overrides: &[Override],
    read_secret: ReadSecret<'_>,
) -> Result<Loaded, Vec<Mistake>> {
    let (mut document, syntax) = Document::parse(text, file);
    let unknown = environment::overlay(&mut document, &sections(), environment, overrides);
    let mut report = Report::new(&document);
    let parts = read_parts(&mut report);
    // What a file that is not even TOML leaves out would only be guessed at.
    if syntax.is_empty() {
        check::check(&mut report, &parts, authenticators, read_secret);
    }
    // On a line that is no TOML, the value is a guess of the parser's.
    let lines: Vec<usize> = syntax.iter().map(|mistake| mistake.line).collect();
    let guessed = |mistake: &Mistake| matches!(mistake.origin, Origin::File(_)) && lines.contains(&mistake.line);
    let read = report.into_mistakes().into_iter().filter(|mistake| !guessed(mistake));
    let mistakes: Vec<Mistake> = syntax.into_iter().chain(read).chain(unknown).collect();
    if mistakes.iter().any(Mistake::is_error) {
        return Err(mistakes);
    }
    let config = complete(parts);
    Ok(Loaded { config, warnings: mistakes })
}

/// Puts the parts together, and writes out what goes without saying: the only owner, and the owner's host.
fn complete(parts: Parts) -> Config {
    let mut config = Config {
        owners: items(parts.owners),
        issuers: items(parts.issuers),
        gates: items(parts.gates),
        ..parts.config
    };
    let only = config.owners.first().map(|owner| owner.name.clone());
    for issuer in &mut config.issuers {
        issuer.owner = issuer.owner.take().or_else(|| only.clone());
    }
    for gate in &mut config.gates {
        gate.owner = gate.owner.take().or_else(|| only.clone());
        let owner = config.owners.iter().find(|owner| Some(&owner.name) == gate.owner.as_ref());
        gate.host = gate.host.take().or_else(|| owner.and_then(|owner| owner.host.clone()));
    }
    config
}

fn items<T>(items: Items<T>) -> Vec<T> {
    items.into_iter().map(|(_, item)| item).collect()
}

/// The sections whose keys can come from environment and flags.
fn sections() -> Vec<(&'static str, Vec<Key>)> {
    fn one<T: Table>() -> (&'static str, Vec<Key>) {
        (T::NAME, T::keys())
    }
    vec![
        one::<Server>(),
        one::<Internal>(),
        one::<Ninep>(),
        one::<Store>(),
        one::<Log>(),
        one::<Limits>(),
        one::<Audit>(),
        one::<Site>(),
        one::<Lease>(),
    ]
}

/// The tables that may stand in a file.
const TABLES: [&str; 12] =
    ["server", "internal", "ninep", "store", "log", "limits", "audit", "site", "lease", "owner", "issuer", "gate"];

fn read_parts(report: &mut Report<'_, '_>) -> Parts {
    let document = report.document;
    for (key, value) in &document.root {
        let name = key.get_ref();
        if TABLES.contains(&name.as_ref()) {
            continue;
        }
        let plural = name.strip_suffix('s').filter(|one| TABLES.contains(one));
        let hint = match plural {
            Some(one) => format!("each one is a table of its own: `[[{one}]]`"),
            None => nearest::hint(name, &TABLES, "known tables"),
        };
        let what = if matches!(value.get_ref(), DeValue::Table(_) | DeValue::Array(_)) { "table" } else { "key" };
        report.error_at_key(&KeyPath::of(name), format!("unknown {what} `{name}`"), hint);
    }
    let config = Config {
        server: section(report),
        internal: section(report),
        ninep: section(report),
        store: section(report),
        log: section(report),
        limits: section(report),
        audit: section(report),
        site: section(report),
        lease: section(report),
        owners: Vec::new(),
        issuers: Vec::new(),
        gates: Vec::new(),
    };
    let mut owners = list::<Owner>(report, Owner::NAME, &required::<Owner>());
    if document.value(&KeyPath::of(Owner::NAME)).is_none() {
        owners.push((KeyPath::of(Owner::NAME), Owner { name: "default".to_owned(), host: None }));
    }
    let issuers = list::<IssuerConfig>(report, "issuer", &ISSUER_NEEDS.map(|(key, example)| (key, example.to_owned())));
    let mut gates = list::<Gate>(report, Gate::NAME, &required::<Gate>());
    for (path, gate) in &mut gates {
        let limits = config.limits.of_gate(&gate.limits);
        step_times::fill(document, &path.key("ladder"), &mut gate.ladder, &limits);
    }
    Parts { config, owners, issuers, gates }
}

/// What an `[[issuer]]` cannot be without, and examples.
const ISSUER_NEEDS: [(&str, &str); 4] = [
    ("name", "\"site\""),
    ("issuer", "\"https://site.example\""),
    ("audience", "\"doorward\""),
    ("algorithms", "[\"HS256\"]"),
];

/// The keys that a table cannot be without, and examples.
fn required<T: Table>() -> Vec<(&'static str, String)> {
    T::keys().into_iter().filter(|key| key.required).map(|key| (key.name, key.example)).collect()
}

fn section<T: Table + Default + DeserializeOwned>(report: &mut Report<'_, '_>) -> T {
    let path = KeyPath::of(T::NAME);
    match report.document.value(&path).map(toml::Spanned::get_ref) {
        None => T::default(),
        Some(DeValue::Table(_)) => read::read(report, &path).unwrap_or_default(),
        Some(_) => {
            report.error(&path, format!("`{}` is a table", T::NAME), format!("write it as `[{}]`", T::NAME));
            T::default()
        }
    }
}

fn list<T: DeserializeOwned>(report: &mut Report<'_, '_>, name: &str, required: &[(&str, String)]) -> Items<T> {
    let path = KeyPath::of(name);
    match report.document.value(&path).map(toml::Spanned::get_ref) {
        None => Vec::new(),
        Some(DeValue::Array(array)) => (0..array.len())
            .filter_map(|at| {
                let path = path.index(at);
                demand(report, &path, required);
                read::read(report, &path).map(|item| (path, item))
            })
            .collect(),
        Some(_) => {
            report.error(&path, format!("`{name}` is a list of tables"), format!("write each one as `[[{name}]]`"));
            Vec::new()
        }
    }
}

/// Tells which keys are missing from a table.
fn demand(report: &mut Report<'_, '_>, path: &KeyPath, required: &[(&str, String)]) {
    let Some(DeValue::Table(table)) = report.document.value(path).map(toml::Spanned::get_ref) else { return };
    for (key, example) in required.iter().filter(|(key, _)| !table.contains_key(*key)) {
        let hint = format!("add `{key} = {example}`");
        report.error_at(&path.key(key), report.document.span(path), format!("`{key}` is missing"), hint);
    }
}

#[cfg(test)]
mod tests;
