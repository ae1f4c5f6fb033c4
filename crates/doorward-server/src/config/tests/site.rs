use super::*;

const OPEN: &str = "[[gate]]\nname = \"a\"\npath = \"/a\"\nbackend = { echo = {} }\nopen = true\n";

/// Mistakes by their letter, key and message, but the warning about the open gate.
fn told_of(text: &str) -> Vec<(char, String, String)> {
    let letter = |place: &str| place.chars().next().unwrap_or_default();
    let told = told(&format!("{text}{OPEN}")).into_iter();
    let told = told.map(|(place, path, message, _)| (letter(&place), path, message));
    told.filter(|(_, path, _)| !path.starts_with("gate")).collect()
}

#[test]
fn a_site_has_a_name_and_an_address_that_can_be_shown() {
    let text = "[site]\nname = \" \"\nurl = \"https://app.example/login\"\nowner = \"nobody\"\n";
    expect(
        &format!("{text}{OPEN}"),
        &[
            ("E2", "site.name", "cannot be shown", "1 to 64 letters"),
            ("E3", "site.url", "`https://app.example/login` is not the address of a site", "without a path"),
            ("E4", "site.owner", "there is no owner `nobody`", "known owners: `default`"),
            ("W9", "gate[0].open", "lets everybody in", "a path proves nothing"),
        ],
    );
}

#[test]
fn c90_a_cookie_for_a_domain_is_one_that_browsers_take_and_its_risk_is_told() {
    let of_site = |lines: &str| told_of(&format!("[site]\nenabled = true\n{lines}\n"));
    assert!(of_site("url = \"https://auth.shop.example\"").is_empty());
    for (lines, what) in [
        ("cookie_domain = \"localhost\"", "no cookie for all of"),
        ("url = \"https://auth.shop.example\"\ncookie_domain = \"other.example\"", "takes no cookie"),
        ("url = \"https://badshop.example\"\ncookie_domain = \"shop.example\"", "takes no cookie"),
    ] {
        let mistakes = of_site(lines);
        assert!(
            mistakes.iter().any(|(letter, _, message)| *letter == 'E' && message.contains(what)),
            "{lines}: {mistakes:?}"
        );
    }
    let mistakes = of_site("url = \"https://auth.shop.example\"\ncookie_domain = \"shop.example\"");
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    assert!(mistakes[0].0 == 'W' && mistakes[0].2.contains("can set one of its own over it"));
}

#[test]
fn a_login_lasts_and_its_idle_time_fits_into_it() {
    for (lines, path) in [
        ("[site]\nsession_idle = \"0s\"\n", "site.session_idle"),
        ("[site]\nsession_longest = \"0s\"\nsession_idle = \"0s\"\n", "site.session_longest"),
        ("[site]\nsession_idle = \"13h\"\n", "site.session_idle"),
        ("[site]\nsessions_per_account = 0\n", "site.sessions_per_account"),
    ] {
        let mistakes = told_of(lines);
        assert!(mistakes.iter().any(|(letter, at, _)| *letter == 'E' && at == path), "{lines}: {mistakes:?}");
    }
}

#[test]
fn a_lease_outlives_a_reading_that_is_late() {
    for (lines, path) in [
        ("[lease]\nconfirm_every = \"0s\"\n", "lease.confirm_every"),
        ("[lease]\nconfirm_every = \"11s\"\n", "lease.lasts"),
    ] {
        let mistakes = told_of(lines);
        assert!(mistakes.iter().any(|(letter, at, _)| *letter == 'E' && at == path), "{lines}: {mistakes:?}");
    }
    assert!(told_of("[lease]\nconfirm_every = \"10s\"\n").is_empty());
}

#[test]
fn c90_users_of_an_issuer_that_would_be_accounts_of_the_site_are_told_of_unless_that_is_written() {
    let issuer = ISSUER.to_owned();
    let line = |lines: &str, kind: &str| format!("{lines}\n{issuer}{kind}\n{OPEN}");
    let warned = |text: &str| {
        let told = told(text).into_iter();
        told.filter(|(_, path, ..)| path.ends_with("subject_kind")).collect::<Vec<_>>()
    };
    let found = warned(&line("[site]\nenabled = true", ""));
    let [(place, path, message, hint)] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((place.as_str(), path.as_str()), ("W4", "issuer[0].subject_kind"));
    assert!(message.contains("`sub = \"3\"` is account 3") && hint.contains("subject_kind = \"user\""), "{found:?}");
    for (lines, kind) in [
        ("[site]\nenabled = true", "subject_kind = \"member\""),
        ("[site]\nenabled = true", "subject_kind = \"user\""),
        ("[site]\nenabled = false", ""),
        ("", ""),
    ] {
        assert_eq!(warned(&line(lines, kind)), [], "{lines} {kind}");
    }
    // Who has no pages has nobody who logs in; a host brings pages.
    let owners =
        |host: &str| format!("[site]\nenabled = true\n[[owner]]\nname = \"a\"\n[[owner]]\nname = \"b\"\n{host}");
    for (host, kind, warnings) in
        [("", "owner = \"b\"", 0), ("host = \"b.example\"", "owner = \"b\"", 1), ("", "owner = \"a\"", 1)]
    {
        assert_eq!(warned(&line(&owners(host), kind)).len(), warnings, "{host} {kind}");
    }
}
