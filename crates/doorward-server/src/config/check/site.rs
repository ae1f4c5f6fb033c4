use doorward_types::AccountId;
use http::Uri;

use super::{
    super::{
        Owner, Parts, Table,
        document::KeyPath,
        report::Report,
        sections::{Lease, Site},
    },
    owners,
};

/// `[site]` and `[lease]`: what cannot be, and what should be known.
pub(super) fn check(report: &mut Report<'_, '_>, parts: &Parts) {
    site(report, parts);
    foreign_accounts(report, parts);
    lease(report, &parts.config.lease);
}

fn site(report: &mut Report<'_, '_>, parts: &Parts) {
    let (at, site) = (KeyPath::of(Site::NAME), &parts.config.site);
    if let Some(owner) = &site.owner {
        owners::owner_of(report, parts, &at, Some(owner));
    }
    if site.name.trim().is_empty() || site.name.chars().any(char::is_control) || site.name.len() > 64 {
        report.error(&at.key("name"), "this cannot be shown as a name", "take 1 to 64 letters, as in `Acme`");
    }
    if let Some(url) = &site.url
        && !is_address(url)
    {
        let hint = "write scheme and host without a path, as in `https://app.example`";
        report.error(&at.key("url"), format!("`{url}` is not the address of a site"), hint);
    }
    if let Some(domain) = &site.cookie_domain {
        let host = site.url.as_ref().and_then(|url| url.parse::<Uri>().ok()?.host().map(str::to_owned));
        let is_parent = |host: &str| host == domain.as_str() || host.ends_with(&format!(".{domain}"));
        if !domain.as_str().contains('.') {
            let hint = "name the domain that the sub-domains have in common, as in `shop.example`";
            report.error(&at.key("cookie_domain"), format!("browsers take no cookie for all of `{domain}`"), hint);
        } else if host.is_some_and(|host| !is_parent(&host)) {
            let hint = "the site's own host has to be the domain or below it";
            report.error(&at.key("cookie_domain"), format!("a browser takes no cookie for `{domain}` there"), hint);
        } else if site.enabled {
            report.warning(
                &at.key("cookie_domain"),
                format!(
                    "every host below `{domain}` gets the cookie of every login, and can set one of its own over it: one of \
                     them in foreign hands, and so are the logins"
                ),
                "serve site and gates under one host where you can, or let the page fetch a one-time ticket instead",
            );
        }
    }
    let (idle, longest) = (site.session_idle, site.session_longest);
    for (key, span) in [("session_idle", idle), ("session_longest", longest)] {
        if span.duration().is_zero() {
            report.error(
                &at.key(key),
                format!("with `{key} = \"{span}\"` nobody would be logged in"),
                "as in `\"30m\"`",
            );
        }
    }
    if site.sessions_per_account == 0 {
        report.error(&at.key("sessions_per_account"), "with none nobody would be logged in", "take at least 1");
    }
    if idle > longest {
        let hint = format!("set `session_idle` to at most `\"{longest}\"`");
        report.error(
            &at.key("session_idle"),
            format!("no login lasts {idle} when none lasts longer than {longest}"),
            hint,
        );
    }
}

/// Two that name their users by number may mean two people by one number.
fn foreign_accounts(report: &mut Report<'_, '_>, parts: &Parts) {
    let site = &parts.config.site;
    if !site.enabled {
        return;
    }
    let first = parts.owners.first().map(|(_, owner)| owner.name.as_str());
    let has_pages = |name: Option<&str>| {
        let is_it = |owner: &Owner| Some(owner.name.as_str()) == name.or(first);
        name.or(first) == site.owner.as_deref().or(first)
            || parts.owners.iter().any(|(_, owner)| is_it(owner) && owner.host.is_some())
    };
    for (path, issuer) in &parts.issuers {
        let at = path.key("subject_kind");
        let says_nothing = issuer.subject_kind == AccountId::KIND && report.document.value(&at).is_none();
        if says_nothing && has_pages(issuer.owner.as_deref()) {
            report.warning(
                &at,
                format!(
                    "the users of `{}` are accounts of the site: whoever has a token with `{} = \"3\"` is account 3, with its \
                     phone and its sockets",
                    issuer.name, issuer.subject_claim
                ),
                "write `subject_kind = \"user\"` to keep them apart, or `subject_kind = \"member\"` where the issuer knows the \
                 site's accounts by their numbers",
            );
        }
    }
}

/// An address as a browser writes an origin.
fn is_address(url: &str) -> bool {
    let Some((scheme, host)) = url.split_once("://") else { return false };
    let named = url.parse::<Uri>().is_ok_and(|uri| uri.host().is_some_and(|host| !host.is_empty()));
    matches!(scheme, "http" | "https") && !host.contains(['/', '?', '#', '@']) && named
}

fn lease(report: &mut Report<'_, '_>, lease: &Lease) {
    let at = KeyPath::of(Lease::NAME);
    if lease.confirm_every.duration().is_zero() {
        report.error(&at.key("confirm_every"), "the log cannot be read without a pause", "as in `\"2s\"`");
    } else if lease.confirm_every.duration() * 3 > lease.lasts.duration() {
        report.error(
            &at.key("lasts"),
            format!("with a reading every {} one that is late by little suspends everybody", lease.confirm_every),
            format!("set at least three times as much, `\"{}s\"`", 3 * lease.confirm_every.duration().as_secs().max(1)),
        );
    }
}
