use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use doorward_auth::{
    Ladder, LadderError, OnExpiry,
    account::{Hashing, KeyEncryptionKey, Work},
    layers::{BuildContext, BuildError, Problem, RungConfig, SiteTools, handshake::origin::Origins},
    memory::{ManualClock, MemoryAppKeys, MemorySite, MemoryTickets, MemoryUsedTokens},
    ports::{ANSWER_WITHIN, Clock, Ports, SitePorts, SystemRng},
    settings::ReadSecret,
    token::Issuer,
};
use doorward_types::{OwnerId, Timestamp};

use super::super::{
    Authenticators, BackendConfig, Gate, Parts, TransportConfig, document::KeyPath, nearest, report::Report,
};

/// The site that layers are tried with: it hashes for nobody and seals for nobody.
static SITE: LazyLock<Option<SiteTools>> = LazyLock::new(|| {
    let hashing = Arc::new(Hashing::new(Work::default(), 1).ok()?);
    Some(SiteTools { hashing, sealing: KeyEncryptionKey::draw(&SystemRng) })
});

/// What a ladder is checked with.
pub(super) struct Around<'a> {
    pub(super) parts: &'a Parts,
    pub(super) owner: &'a str,
    /// The issuers that are right; the others have been told.
    pub(super) issuers: &'a [Arc<Issuer>],
    pub(super) authenticators: &'a Authenticators,
    pub(super) read: ReadSecret<'a>,
}

/// Builds the ladder of a gate as the server will, only in memory, and tells what keeps it from being built.
pub(super) fn check(report: &mut Report<'_, '_>, path: &KeyPath, gate: &Gate, around: &Around<'_>) -> Option<Ladder> {
    let at = path.key("ladder");
    // What could not be read is missing here, so places and order would be those of another ladder.
    if gate.ladder.is_empty() || report.has_error_within(&at) {
        return None;
    }
    let issuers = around.issuers.iter().filter(|issuer| issuer.owner().as_str() == around.owner);
    let owner = OwnerId::new(around.owner);
    // With no key at all: nothing is verified here.
    let own = Arc::new(Issuer::own(&owner, &[]));
    let issuers: BTreeMap<String, Arc<Issuer>> =
        issuers.chain([&own]).map(|issuer| (issuer.name().to_owned(), Arc::clone(issuer))).collect();
    let context = BuildContext {
        owner,
        ports: ports(),
        issuers: &issuers,
        kept_claims: Arc::new([]),
        authenticators: around.authenticators,
        read_secret: around.read,
        // What is wrong in the list has been told; no list is read so that cookies may come from everywhere.
        origins: &Origins::read(gate.origins.as_deref()).unwrap_or(Origins::SameHost),
        on_expiry: gate.transport.on_expiry(),
        site: SITE.as_ref().filter(|_| around.parts.config.site.enabled),
    };
    let mut rungs = Vec::new();
    for (place, rung) in gate.ladder.iter().enumerate() {
        let at = at.index(place);
        for (at, layer) in layers_of(rung, &at) {
            token(report, gate, around, &at, layer);
            match layer.build(&context) {
                Err(error) if !report.has_error_within(&at) => tell(report, &at, &error),
                _ => {}
            }
        }
        // A list may be wrong although each of its layers is right.
        match rung.build(&context) {
            Ok(rung) => rungs.push(rung),
            Err(error) if !report.has_error_within(&at) => tell(report, &at, &error),
            Err(_) => {}
        }
    }
    if report.has_error_within(&at) || rungs.len() < gate.ladder.len() {
        return None;
    }
    match Ladder::new(rungs) {
        Ok(ladder) => {
            protocols(report, path, gate, &ladder);
            Some(ladder)
        }
        Err(error) => {
            tell_order(report, &at, gate, &error);
            None
        }
    }
}

fn ports() -> Ports {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(Timestamp::default()));
    Ports {
        clock: Arc::clone(&clock),
        rng: Arc::new(SystemRng),
        tickets: Arc::new(MemoryTickets::new()),
        app_keys: Arc::new(MemoryAppKeys::new()),
        used_tokens: Arc::new(MemoryUsedTokens::new(clock)),
        site: SitePorts::of(&Arc::new(MemorySite::default())),
        answer_within: ANSWER_WITHIN.duration(),
    }
}

/// The single layers of a rung, with their places; what a layer holds stands before it.
fn layers_of<'r>(rung: &'r RungConfig, at: &KeyPath) -> Vec<(KeyPath, &'r RungConfig)> {
    let list = |layers: &'r [RungConfig], at: &KeyPath| -> Vec<_> {
        layers.iter().enumerate().flat_map(|(place, layer)| layers_of(layer, &at.index(place))).collect()
    };
    match rung {
        RungConfig::Any(branches) => {
            let at = at.key("any");
            branches.iter().enumerate().flat_map(|(place, branch)| list(branch, &at.index(place))).collect()
        }
        RungConfig::Optional(layers) => list(layers, &at.key("optional")),
        RungConfig::Offer(offer) => {
            let mut layers = list(&offer.of, &at.key("offer").key("of"));
            layers.push((at.clone(), rung));
            layers
        }
        _ => vec![(at.clone(), rung)],
    }
}

/// Tells why a layer cannot be built, at the key that has to change.
fn tell(report: &mut Report<'_, '_>, at: &KeyPath, error: &BuildError) {
    let issuers = KeyPath::of("issuer");
    let about_issuers = matches!(error.problem, Problem::UnknownIssuer { .. } | Problem::WhichIssuer { .. });
    if about_issuers && report.has_error_within(&issuers) {
        return;
    }
    let exact = at.join(&error.place);
    let in_file = at.join(&format!("{}_file", error.place));
    // A secret that comes from a file is told at the key that names the file.
    let secret = matches!(error.problem, Problem::Secret(_) | Problem::Weak(_));
    let path = if secret && report.document.value(&in_file).is_some() { in_file } else { exact };
    report.error(&path, error.problem.to_string(), error.problem.hint());
}

/// Tells why layers that are right by themselves make no ladder.
fn tell_order(report: &mut Report<'_, '_>, at: &KeyPath, gate: &Gate, error: &LadderError) {
    match error {
        LadderError::SameBeginning { rung, layer } => report.error(
            &at.index(*rung),
            format!("two branches begin with `{layer}`, so a user could not say which one they take"),
            "begin each branch with another layer",
        ),
        LadderError::HandshakeBelow { rung, layer } => {
            let ticket = gate.ladder.iter().take(*rung).any(|above| matches!(above, RungConfig::Ticket(_)));
            let hint = match ticket {
                true => "move it up, or keep the ticket to the request: `via = [\"header\", \"subprotocol\"]`",
                false => "move it up, above the layers that talk",
            };
            let message = format!("`{layer}` is answered from the upgrade request, but a layer above it talks");
            report.error(&at.index(*rung), message, hint);
        }
        LadderError::NeedsIdentity { rung, layer } => {
            let message = format!("`{layer}` has to know who the user is, and no layer above it tells");
            let hint = match *layer {
                "assert_login" => {
                    "put `session`, `jwt`, `ticket` or `app_key` above it, or write `who = \"browser\"` for whoever logs in in the \
                     browser that has opened the socket; to name somebody proves nothing"
                }
                _ => "put `session`, `password`, `jwt`, `bearer`, `ticket` or `app_key` above it",
            };
            report.error(&at.index(*rung), message, hint);
        }
        other => report.error(at, other.to_string(), ""),
    }
}

/// A ladder that talks has to name a subprotocol before the upstream is asked for one.
fn protocols(report: &mut Report<'_, '_>, path: &KeyPath, gate: &Gate, ladder: &Ladder) {
    if let BackendConfig::Upstream(upstream) = &gate.backend
        && upstream.protocols.is_empty()
        && !ladder.is_decided_at_handshake()
    {
        report.warning(
            &path.key("backend").key("upstream"),
            "the ladder talks before the upstream is asked, so a subprotocol that a client offers cannot be agreed on",
            "list what the upstream speaks: `protocols = [\"...\"]`; with `bearer` alone it is asked first",
        );
    }
}

/// What to do without an issuer.
const NO_ISSUER: &str = "add one as `[[issuer]]`, or take the tokens of the built-in site: `issuer = \"doorward\"`";

/// The issuer of a token, and how long its sockets live.
fn token(report: &mut Report<'_, '_>, gate: &Gate, around: &Around<'_>, at: &KeyPath, layer: &RungConfig) {
    let (issuer, on_expiry) = match layer {
        RungConfig::Jwt(jwt) => (jwt.issuer.as_deref(), jwt.on_expiry),
        RungConfig::Bearer(bearer) => (bearer.issuer.as_deref(), bearer.on_expiry),
        _ => return,
    };
    let at = at.key(layer.name());
    let is_capped = gate.max_session.is_some() || matches!(gate.transport, TransportConfig::Socketio(_));
    if on_expiry == Some(OnExpiry::Keep) && !is_capped {
        report.error(
            &at.key("on_expiry"),
            "with `keep`, a socket would live for ever",
            "set the gate's `max_session`, as in `max_session = \"12h\"`",
        );
    }
    let can_be_asked = matches!((layer, &gate.backend), (RungConfig::Jwt(_), BackendConfig::Hub(_)));
    if on_expiry == Some(OnExpiry::Reauth) && !can_be_asked {
        report.error(
            &at.key("on_expiry"),
            "with `reauth`, the user is asked again over the open socket, which `jwt` before a `hub` can do alone",
            "write `on_expiry = \"close\"`; the user then comes again with another token",
        );
    }
    // An issuer that could not be read is not known here, but it is there.
    if report.has_error_within(&KeyPath::of("issuer")) {
        return;
    }
    let only = around.parts.owners.len() == 1;
    let own = |owner: &Option<String>| owner.as_deref().map_or(only, |owner| owner == around.owner);
    let issuers = around.parts.issuers.iter().map(|(_, issuer)| issuer);
    let known: Vec<&str> =
        issuers.clone().filter(|issuer| own(&issuer.owner)).map(|issuer| issuer.name.as_str()).collect();
    let at = at.key("issuer");
    match (issuer, known.as_slice()) {
        (Some(Issuer::OWN), _) => {}
        (Some(name), known) if known.contains(&name) => {}
        (None, [_]) => {}
        (Some(name), known) => {
            let hint = match (issuers.clone().any(|issuer| issuer.name == name), known) {
                (true, _) => format!("there is one, but it is another owner's; this gate is of `{}`", around.owner),
                (false, known) => {
                    let known = [known, &[Issuer::OWN]].concat();
                    let hint = nearest::hint(name, &known, "known issuers");
                    if known.len() == 1 { format!("{hint}; another is added as `[[issuer]]`") } else { hint }
                }
            };
            report.error(&at, format!("there is no issuer `{name}`"), hint);
        }
        (None, []) => {
            report.error(&at, "there is no issuer whose tokens could be taken", NO_ISSUER);
        }
        (None, known) => {
            let known = [known, &[Issuer::OWN]].concat();
            let hint = format!("add `issuer = ...` with one of {}", nearest::in_backticks(&known));
            report.error(&at, "it has to say whose tokens are taken, because there are several issuers", hint);
        }
    }
}
