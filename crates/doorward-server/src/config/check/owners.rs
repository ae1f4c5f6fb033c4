use std::{collections::HashMap, path::Path, sync::Arc};

use doorward_auth::{
    settings::{NoSecret, ReadSecret},
    token::{Issuer, IssuerConfig, IssuerError},
};
use doorward_types::OwnerId;

use super::super::{Parts, document::KeyPath, nearest, report::Report};
use super::check_name;

/// Owners and issuers: names, and the keys of issuers. Gives the issuers that are right.
pub(super) fn check(report: &mut Report<'_, '_>, parts: &Parts, read: ReadSecret<'_>) -> Vec<Arc<Issuer>> {
    owners(report, parts);
    issuers(report, parts, read)
}

fn owners(report: &mut Report<'_, '_>, parts: &Parts) {
    let mut names: HashMap<&str, &KeyPath> = HashMap::new();
    let mut hosts: HashMap<&str, &str> = HashMap::new();
    for (path, owner) in &parts.owners {
        check_name(report, &path.key("name"), &owner.name);
        if let Some(first) = names.insert(&owner.name, path) {
            twice(report, &path.key("name"), "owner", &owner.name, first);
        }
        if let Some(host) = &owner.host
            && let Some(other) = hosts.insert(host.as_str(), &owner.name)
        {
            let message = format!("`{host}` is the host of the owner `{other}` already");
            report.error(
                &path.key("host"),
                message,
                "give each owner a host name of its own, or name hosts at the gates",
            );
        }
    }
}

fn issuers(report: &mut Report<'_, '_>, parts: &Parts, read: ReadSecret<'_>) -> Vec<Arc<Issuer>> {
    let mut names: HashMap<(String, &str), &KeyPath> = HashMap::new();
    let mut built = Vec::new();
    for (path, issuer) in &parts.issuers {
        check_name(report, &path.key("name"), &issuer.name);
        if issuer.name == Issuer::OWN {
            report.error(
                &path.key("name"),
                format!("`{}` is the server's own issuer, of the tokens that the built-in site makes", Issuer::OWN),
                "give this one another name; ladders take the server's own without an `[[issuer]]`",
            );
        }
        let Some(owner) = owner_of(report, parts, path, issuer.owner.as_deref()) else { continue };
        if let Some(first) = names.insert((owner.clone(), &issuer.name), path) {
            twice(report, &path.key("name"), "issuer", &issuer.name, first);
        }
        if report.has_error_within(path) {
            continue;
        }
        match Issuer::build(issuer, &OwnerId::new(owner), read) {
            Ok(issuer) => {
                trusted(report, path, &issuer);
                built.push(Arc::new(issuer));
            }
            Err(error) => tell_issuer(report, path, issuer, &error),
        }
    }
    built
}

/// Whether the certificates can be read that are trusted where keys are fetched.
fn trusted(report: &mut Report<'_, '_>, path: &KeyPath, issuer: &Issuer) {
    let pem = issuer.key_place().and_then(|place| place.trusted.as_deref());
    if let Some(Err(error)) = pem.map(doorward_client::Issuers::from_pem) {
        let text = error.to_string();
        let (message, hint) = text.split_once("; ").unwrap_or((&text, ""));
        report.error(&path.key("ca_file"), message, hint);
    }
}

pub(super) fn twice(report: &mut Report<'_, '_>, path: &KeyPath, what: &str, name: &str, first: &KeyPath) {
    let document = report.document;
    let line = document.line(&first.key("name"));
    report.error(
        path,
        format!("there are two {what}s named `{name}`"),
        format!("the first is on line {line}; rename one"),
    );
}

/// Whose something is: as it says, or the only owner's.
pub(super) fn owner_of(
    report: &mut Report<'_, '_>,
    parts: &Parts,
    path: &KeyPath,
    owner: Option<&str>,
) -> Option<String> {
    let known: Vec<&str> = parts.owners.iter().map(|(_, owner)| owner.name.as_str()).collect();
    match (owner, known.as_slice()) {
        (Some(owner), known) if known.contains(&owner) => Some(owner.to_owned()),
        (None, [only]) => Some((*only).to_owned()),
        (Some(owner), known) => {
            let hint = match nearest::nearest(owner, known.iter().copied()) {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("known owners: {}; a new one is added by `[[owner]]`", nearest::in_backticks(known)),
            };
            report.error(&path.key("owner"), format!("there is no owner `{owner}`"), hint);
            None
        }
        (None, known) => {
            let hint = format!("add `owner = ...` with one of {}", nearest::in_backticks(known));
            report.error(&path.key("owner"), "it has to say whose it is, because there are several owners", hint);
            None
        }
    }
}

fn tell_issuer(report: &mut Report<'_, '_>, path: &KeyPath, issuer: &IssuerConfig, error: &IssuerError) {
    let key = match error {
        IssuerError::NoAlgorithm | IssuerError::MixedFamilies(..) => "algorithms",
        IssuerError::WrongKeySort(setting, _) | IssuerError::Key { setting, .. } | IssuerError::Empty(setting) => {
            setting
        }
        IssuerError::KeysTwice(setting, _)
        | IssuerError::NothingFetched(setting)
        | IssuerError::Address { setting, .. }
        | IssuerError::Span { setting, .. } => setting,
        IssuerError::NoPublicKey(_) => "public_key_file",
        IssuerError::ShortSecret(_) if issuer.secret.is_some() => "secret",
        IssuerError::ShortSecret(_) => "secret_file",
        IssuerError::Secret(no_secret) => no_secret_key(
            no_secret,
            [
                ("secret_file", issuer.secret_file.as_deref()),
                ("public_key_file", issuer.public_key_file.as_deref()),
                ("private_key_file", issuer.private_key_file.as_deref()),
                ("ca_file", issuer.ca_file.as_deref()),
            ],
        ),
        _ => "name",
    };
    let text = error.to_string();
    let (message, said) = text.split_once("; ").unwrap_or((&text, ""));
    let hint = match error {
        IssuerError::Secret(NoSecret::Missing(name)) => format!("add `{name}_file = \"FILE\"`"),
        IssuerError::Secret(NoSecret::Twice(name)) => format!("keep `{name}_file`"),
        IssuerError::NoPublicKey(_) => "`HS256` and its longer forms take a `secret_file` instead".to_owned(),
        _ => said.to_owned(),
    };
    report.error(&path.key(key), message, hint);
}

/// Which key has to change when there is no secret.
fn no_secret_key<const N: usize>(error: &NoSecret, files: [(&'static str, Option<&Path>); N]) -> &'static str {
    let first = files.first().map_or("", |(key, _)| key);
    match error {
        NoSecret::Missing(_) | NoSecret::Twice(_) => first,
        NoSecret::Unreadable { path, .. } => {
            files.iter().find(|(_, file)| *file == Some(path.as_path())).map_or(first, |(key, _)| key)
        }
    }
}
