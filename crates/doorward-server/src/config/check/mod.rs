//! Checks that look at more than one key. Each says what is wrong at the key that should change.

mod gates;
mod ladder;
mod limits;
mod owners;
mod site;

use doorward_auth::{ports::Clock, settings::ReadSecret};

use super::{
    Authenticators, BackendConfig, Config, Gate, Listen, Parts, Table,
    document::KeyPath,
    report::Report,
    sections::{Internal, Ninep, Server},
};
use crate::{
    certificate::{self, UnusableTls},
    system::SystemClock,
};

pub(super) fn check(report: &mut Report<'_, '_>, parts: &Parts, authenticators: &Authenticators, read: ReadSecret<'_>) {
    listeners(report, parts);
    tls(report, &parts.config, read);
    proxies(report, &parts.config);
    limits::check(report, &KeyPath::of("limits"), &parts.config.limits, None);
    site::check(report, parts);
    let issuers = owners::check(report, parts, read);
    gates::check(report, parts, &gates::Around { issuers: &issuers, authenticators, read });
    let is_right = !report.has_error_within(&KeyPath::default());
    if is_right && report.document.value(&KeyPath::of(Gate::NAME)).is_none() {
        report.warning(
            &KeyPath::of(Gate::NAME),
            "there is no gate, so nobody can connect",
            "add a `[[gate]]`, or start from `doorward genconfig`",
        );
    }
}

fn listeners(report: &mut Report<'_, '_>, parts: &Parts) {
    let config = &parts.config;
    let (public, internal) = (KeyPath::of(Server::NAME).key("listen"), KeyPath::of(Internal::NAME).key("listen"));
    let (Listen(one), Listen(other)) = (config.server.listen, config.internal.listen);
    if config.server.listen.overlaps(config.internal.listen) {
        let hint = "give the internal side another port, as in `127.0.0.1:8421`";
        report.error(&internal, format!("`{other}` is taken by the public side"), hint);
    }
    if config.server.listen.is_public() && config.server.tls.is_none() {
        report.warning(
            &public,
            format!("everybody can reach `{one}`, and nothing on it is encrypted: whoever is on the way sees tokens and messages"),
            "name a certificate in `server.tls`; or put a proxy that speaks TLS before it, listen on `127.0.0.1`, and list the proxy in `server.trusted_proxies`",
        );
    }
    if let Some(listen) = config.ninep.listen {
        let at = KeyPath::of(Ninep::NAME).key("listen");
        if listen.is_public() {
            report.warning(
                &at,
                format!("everybody can reach `{listen}`, and nothing on it is encrypted: whoever is on the way sees what proves a user"),
                "listen on `127.0.0.1`, and let others come over a WebSocket, or through a tunnel",
            );
        }
        for (taken, by) in [(config.server.listen, "public"), (config.internal.listen, "internal")] {
            if listen.overlaps(taken) {
                let hint = "give 9P another port, as in `127.0.0.1:5640`";
                report.error(&at, format!("`{listen}` is taken by the {by} side"), hint);
            }
        }
        let is_tree = |gate: &Gate| matches!(gate.backend, BackendConfig::Ninep(_));
        if !parts.gates.iter().any(|(_, gate)| is_tree(gate)) && !report.has_error_within(&KeyPath::of(Gate::NAME)) {
            report.warning(
                &at,
                "there is nothing to come for: no gate has a file tree behind it",
                "add a gate with `backend = { 9p = {} }`, or take `listen` away",
            );
        }
    }
    if config.internal.listen.is_public() {
        report.warning(
            &internal,
            format!("the internal side, with its API and metrics, can be reached from everywhere on `{other}`"),
            "listen on `127.0.0.1`, or keep the port behind a firewall",
        );
    }
}

/// A certificate that is no good would be told at the start; here it is told with its line.
fn tls(report: &mut Report<'_, '_>, config: &Config, read: ReadSecret<'_>) {
    let Some(files) = &config.server.tls else { return };
    if let Err(UnusableTls { key, path, why }) = certificate::server_config(files, read, SystemClock.now()) {
        let said = why.to_string();
        let (what, hint) = said.split_once("; ").unwrap_or((&said, "name another file"));
        let at = KeyPath::of(Server::NAME).key("tls").key(key);
        report.error(&at, format!("`{}`: {what}", path.display()), hint);
    }
}

fn proxies(report: &mut Report<'_, '_>, config: &Config) {
    for (at, network) in config.server.trusted_proxies.iter().enumerate() {
        if network.is_everything() {
            report.warning(
                &KeyPath::of(Server::NAME).key("trusted_proxies").index(at),
                format!("`{network}` believes the forwarding headers of everybody, so everybody can choose the address they seem to come from"),
                "list only the addresses of your own proxies",
            );
        }
    }
}

/// Tells a name that cannot be used in commands, logs and paths.
fn check_name(report: &mut Report<'_, '_>, path: &KeyPath, name: &str) {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if name.is_empty() || name.len() > 64 || !name.chars().all(fits) {
        report.error(
            path,
            format!("`{name}` cannot be a name"),
            "take 1 to 64 letters of `a` to `z`, `A` to `Z`, `0` to `9`, `_`, `-` and `.`",
        );
    }
}
