use super::*;

/// What a server that runs with `now` says of `next`.
fn waiting(now: &str, next: &str) -> Vec<String> {
    let [now, next] = [now, next].map(|text| read(text).unwrap_or_else(|mistakes| panic!("{mistakes:#?}")).config);
    now.waiting(&next).iter().map(ToString::to_string).collect()
}

#[test]
fn each_section_that_a_reload_does_not_take_is_told_once_with_the_keys_that_have_changed() {
    let next = r#"
        server = { listen = "127.0.0.1:1", trusted_proxies = ["10.0.0.0/8"] }
        internal = { listen = "127.0.0.1:2" }
        store = { url = "memory:" }
        log = { level = "warn" }
        limits = { headers = 3, sockets_per_source = 4 }
        audit = { keep = 5 }
        site = { session_idle = "6m" }
        lease = { lasts = "20s" }
    "#;
    assert_eq!(
        waiting("", next),
        [
            "`[server]` takes effect at the next start: `listen`, `trusted_proxies`",
            "`[internal] listen` takes effect at the next start",
            "`[store] url` takes effect at the next start",
            "`[log] level` takes effect at the next start",
            "`[limits]` takes effect at the next start: `headers`, `sockets_per_source`",
            "`[audit] keep` takes effect at the next start",
            "`[site] session_idle` takes effect at the next start",
            "`[lease] lasts` takes effect at the next start",
        ]
    );
    assert!(waiting(next, next).is_empty());
}

#[test]
fn a_site_that_comes_or_goes_is_told_as_a_whole() {
    let site = "[site]\nenabled = true\nname = \"Acme\"\nregister = true\n";
    for (now, next) in [("", site), (site, "")] {
        assert_eq!(waiting(now, next), ["`[site]` takes effect at the next start"]);
    }
}

#[test]
fn whether_there_is_a_certificate_waits_and_which_it_is_does_not() {
    let tls = |cert: &str| format!("[server]\ntls = {{ cert_file = \"{cert}\", key_file = \"privkey.pem\" }}\n");
    assert!(waiting(&tls("fullchain.pem"), &tls("renewed.pem")).is_empty());
    for (now, next) in [("", tls("fullchain.pem").as_str()), (&tls("fullchain.pem"), "")] {
        assert_eq!(waiting(now, next), ["`[server] tls` takes effect at the next start"]);
    }
}

#[test]
fn what_a_reload_takes_does_not_wait() {
    let next = format!(
        "server = {{ shutdown = \"9s\" }}\nlimits = {{ end_within = \"2s\", message_bytes = \"8KiB\" }}\n\
         site = {{ owner = \"b\" }}\n[[owner]]\nname = \"a\"\n[[owner]]\nname = \"b\"\n{ISSUER}owner = \"a\"\n\
         {GATE}owner = \"a\"\n"
    );
    assert_eq!(waiting("", &next), Vec::<String>::new());
}
