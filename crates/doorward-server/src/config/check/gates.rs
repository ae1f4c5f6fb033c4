use std::{collections::HashMap, sync::Arc};

use doorward_auth::{
    Ladder,
    layers::handshake::{
        origin::Origins,
        path::{PathError, PathPattern, PathTable},
    },
    settings::ReadSecret,
    token::Issuer,
};
use doorward_backends::hub::ChannelName;
use doorward_wire::socketio::{Namespace, Namespaces};

use super::super::{
    Authenticators, BackendConfig, FailConfig, Gate, OnLogoutConfig, Parts, TransportConfig, document::KeyPath,
    keys::Table as _, report::Report, sections::Ninep,
};
use super::{
    check_name, ladder, limits,
    owners::{owner_of, twice},
};

/// What gates refer to.
pub(super) struct Around<'a> {
    pub(super) issuers: &'a [Arc<Issuer>],
    pub(super) authenticators: &'a Authenticators,
    pub(super) read: ReadSecret<'a>,
}

pub(super) fn check(report: &mut Report<'_, '_>, parts: &Parts, around: &Around<'_>) {
    let Around { issuers, authenticators, read } = *around;
    let mut names: HashMap<(String, &str), &KeyPath> = HashMap::new();
    let mut paths: PathTable<()> = PathTable::default();
    let mut trees = Vec::new();
    for (path, gate) in &parts.gates {
        check_name(report, &path.key("name"), &gate.name);
        let owner = owner_of(report, parts, path, gate.owner.as_deref());
        if let Some(owner) = &owner
            && let Some(first) = names.insert((owner.clone(), &gate.name), path)
        {
            twice(report, &path.key("name"), "gate", &gate.name, first);
        }
        place(report, parts, path, gate, owner.as_deref(), &mut paths);
        origins(report, path, gate);
        entrance(report, path, gate);
        waiting(report, path, gate);
        let ladder = owner.as_ref().and_then(|owner| {
            ladder::check(report, path, gate, &ladder::Around { parts, owner, issuers, authenticators, read })
        });
        if gate.enabled && matches!(gate.backend, BackendConfig::Ninep(_)) {
            trees.push((gate, ladder));
        }
        channels(report, path, gate);
        transport(report, path, gate);
        let effective = parts.config.limits.of_gate(&gate.limits);
        limits::check(report, &path.key("limits"), &effective, Some(&gate.limits));
    }
    // What is wrong with a ladder has been told; how it will be is not known then.
    if !report.has_error_within(&KeyPath::of(Gate::NAME)) {
        over_tcp(report, parts, &trees);
    }
}

/// 9P over TCP, where nobody sends a web request: some gate has to be there all the same.
fn over_tcp(report: &mut Report<'_, '_>, parts: &Parts, trees: &[(&Gate, Option<Ladder>)]) {
    if parts.config.ninep.listen.is_none() {
        return;
    }
    let closed = trees.iter().map(|(gate, ladder)| Some((gate, ladder.as_ref()?.only_from_a_request()?)));
    let closed = closed.collect::<Option<Vec<_>>>().unwrap_or_default();
    let Some((gate, layer)) = closed.first() else { return };
    let name = &gate.name;
    report.warning(
        &KeyPath::of(Ninep::NAME).key("listen"),
        format!("nobody gets in there: `{layer}` of the gate `{name}` looks at a web request, and a file tool sends none"),
        "add a gate whose ladder asks, as in `ladder = [{ key_entry = {} }]`, or take `listen` away: over a WebSocket the tree is there",
    );
}

/// The path's syntax, and that no other gate has the same host and path.
fn place(
    report: &mut Report<'_, '_>,
    parts: &Parts,
    path: &KeyPath,
    gate: &Gate,
    owner: Option<&str>,
    paths: &mut PathTable<()>,
) {
    let at = path.key("path");
    let pattern: PathPattern = match gate.path.parse() {
        Ok(pattern) => pattern,
        Err(error) => {
            let hint = match error {
                PathError::NoSlash => format!("`/{}`", gate.path),
                _ => "as in `/chat`, `/rooms/{room}` or `/app/*`".to_owned(),
            };
            return report.error(&at, error.to_string(), hint);
        }
    };
    let owned = parts.owners.iter().find(|(_, known)| Some(known.name.as_str()) == owner);
    let host = gate.host.as_ref().or_else(|| owned.and_then(|(_, owner)| owner.host.as_ref()));
    if paths.insert(host.map(|host| host.as_str()), pattern, ()).is_err() {
        let place = host.map_or_else(|| gate.path.clone(), |host| format!("{host}{}", gate.path));
        let hint = "take another `path`, or another `host`; names of variables make no difference";
        report.error(&at, format!("another gate has `{place}` already"), hint);
    }
}

fn origins(report: &mut Report<'_, '_>, path: &KeyPath, gate: &Gate) {
    let Some(list) = &gate.origins else { return };
    let at = path.key("origins");
    if list == &["*"] {
        return report.warning(
            &at.index(0),
            "every page of the world may connect with its visitors' browsers",
            "list your own pages, as in `origins = [\"https://app.example\"]`",
        );
    }
    for (place, entry) in list.iter().enumerate() {
        let at = at.index(place);
        if entry == "*" {
            report.error(&at, "`*` lets every page in, so the other entries mean nothing", "take `*` away");
        } else if let Err(error) = Origins::read(Some(std::slice::from_ref(entry))) {
            let hint = "write scheme and host exactly as browsers send them, as in `https://app.example`";
            report.error(&at, format!("`{}` is not an origin: {}", error.entry, error.problem), hint);
        }
    }
}

/// A gate that speaks Socket.IO: what it needs, and what does not go with it.
fn transport(report: &mut Report<'_, '_>, path: &KeyPath, gate: &Gate) {
    let TransportConfig::Socketio(socketio) = &gate.transport else { return };
    let at = path.key("transport").key("socketio");
    if !matches!(gate.backend, BackendConfig::Hub(_)) {
        return report.error(
            &at,
            format!("what is behind the backend `{}` speaks no Socket.IO", gate.backend.name()),
            "put a hub behind the gate: `backend = { hub = {} }`; an unchanged Socket.IO server is an `upstream` without `transport`",
        );
    }
    if !gate.path.ends_with(['/', '*']) {
        report.warning(
            &path.key("path"),
            format!(
                "clients of Socket.IO put a slash after their path, so with `path: \"{0}\"` they ask for `{0}/`",
                gate.path
            ),
            format!("`path = \"{}/\"`", gate.path),
        );
    }
    // What could not be read is not what was meant.
    if report.has_error_within(&at) {
        return;
    }
    let namespaces = at.key("namespaces");
    if socketio.namespaces.is_empty() || socketio.namespaces.len() > Namespaces::MOST {
        let problem = format!("a gate has 1 to {} namespaces", Namespaces::MOST);
        return report.error(&namespaces, problem, "`namespaces = [\"/\"]`");
    }
    for (place, name) in socketio.namespaces.iter().enumerate() {
        let at = namespaces.index(place);
        if let Err(error) = Namespace::new(name) {
            report.error(&at, error.to_string(), "as in `/` or `/default`");
        } else if socketio.namespaces.iter().take(place).any(|before| before == name) {
            report.error(&at, format!("`{name}` stands twice"), "take one of them away");
        } else if !gate.channel.iter().any(|channel| channel.name == *name) {
            report.warning(
                &at,
                "nobody hears what is emitted there, and nobody's events are heard: there is no channel of that name",
                format!("add a `[[gate.channel]]` with `name = \"{name}\"` and `subscribe = \"any\"`"),
            );
        }
    }
}

/// What a socket does whose login has ended, or is in doubt.
fn waiting(report: &mut Report<'_, '_>, path: &KeyPath, gate: &Gate) {
    if gate.on_logout == OnLogoutConfig::Suspend && !matches!(gate.backend, BackendConfig::Hub(_)) {
        let backend = gate.backend.name();
        report.error(
            &path.key("on_logout"),
            format!("nobody behind the backend `{backend}` could be told that a socket waits"),
            "take `on_logout = \"suspend\"` away, or put a hub behind the gate",
        );
    }
    if gate.fail == FailConfig::Open {
        report.warning(
            &path.key("fail"),
            "while the store cannot be read, a logout does not reach the sockets of this gate",
            "leave it out unless what goes through the gate may go to anybody",
        );
    }
}

/// Either a ladder or an open gate, never both and never neither.
fn entrance(report: &mut Report<'_, '_>, path: &KeyPath, gate: &Gate) {
    let ladder = path.key("ladder");
    match (gate.ladder.is_empty(), gate.open) {
        (true, false) if !report.has_error_within(&ladder) => report.error(
            &ladder,
            "the gate has no ladder",
            "say who gets in, as in `ladder = [{ jwt = {} }]`; to let everybody in, say so with `open = true`",
        ),
        (false, true) => report.error(
            &path.key("open"),
            "a gate is open or has a ladder, not both",
            "take `open = true` away, or the ladder",
        ),
        (true, true) => report.warning(
            &path.key("open"),
            "the gate lets everybody in who knows its path",
            "a path proves nothing; add a ladder where that matters",
        ),
        _ => {}
    }
}

fn channels(report: &mut Report<'_, '_>, path: &KeyPath, gate: &Gate) {
    let at = path.key("channel");
    if !gate.channel.is_empty() && !matches!(gate.backend, BackendConfig::Hub(_) | BackendConfig::Ninep(_)) {
        let backend = gate.backend.name();
        let message = format!("the backend `{backend}` has no channels");
        report.error(&at.index(0), message, "channels are for `backend = { hub = {} }` and `backend = { 9p = {} }`");
    }
    let mut names: HashMap<&str, KeyPath> = HashMap::new();
    for (place, channel) in gate.channel.iter().enumerate() {
        let at = at.index(place);
        if let Err(error) = channel.name.parse::<ChannelName>() {
            report.error(&at.key("name"), format!("`{}` cannot be a channel: {error}", channel.name), "as in `news`");
        }
        if let Some(first) = names.insert(&channel.name, at.clone()) {
            twice(report, &at.key("name"), "channel", &channel.name, &first);
        }
    }
}
