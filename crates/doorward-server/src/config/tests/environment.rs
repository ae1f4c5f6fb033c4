use super::*;

fn with(text: &str, environment: &[(&str, &str)], overrides: &[Override]) -> Result<Loaded, Vec<Mistake>> {
    let environment = environment.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    load(text, "doorward.toml", &environment, overrides, &secrets)
}

fn flag(key: &'static str, value: &str) -> Override {
    Override { flag: "--flag", key, value: value.to_owned() }
}

#[test]
fn a_flag_wins_over_the_environment_over_the_file_over_the_default() {
    let file = "[limits]\nheaders = 1\nmessage_burst = 21\n";
    let environment = [("DOORWARD_LIMITS_HEADERS", "2"), ("DOORWARD_LIMITS_OUTBOX_MESSAGES", "22")];
    let config = with(file, &environment, &[flag("limits.headers", "3")]).unwrap().config;
    assert_eq!(config.limits.headers, 3);
    assert_eq!(with(file, &environment, &[]).unwrap().config.limits.headers, 2);
    assert_eq!(with(file, &[], &[]).unwrap().config.limits.headers, 1);
    assert_eq!(with("", &[], &[]).unwrap().config.limits.headers, 64);
    assert_eq!((config.limits.message_burst, config.limits.outbox_messages), (21, 22));
}

#[test]
fn every_kind_of_value_can_come_from_the_environment() {
    let environment = [
        ("DOORWARD_SERVER_LISTEN", "127.0.0.1:1"),
        ("DOORWARD_SERVER_TRUSTED_PROXIES", "10.0.0.0/8, 192.168.0.0/16 ::1"),
        ("DOORWARD_SERVER_SHUTDOWN", "2m"),
        ("DOORWARD_STORE_URL", "memory:"),
        ("DOORWARD_LOG_FORMAT", "json"),
        ("DOORWARD_LIMITS_MESSAGE_BYTES", "128KiB"),
        ("DOORWARD_LIMITS_OUTBOX_BYTES", "1048576"),
        ("DOORWARD_AUDIT_KEEP", "7"),
        ("UNRELATED", "x"),
        ("DOORWARD_CONFIG", "doorward.toml"),
    ];
    let config = with("", &environment, &[]).unwrap().config;
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:1");
    assert_eq!(config.server.trusted_proxies.len(), 3);
    assert_eq!(config.server.shutdown.duration().as_secs(), 120);
    assert_eq!((config.store.url, config.log.format, config.audit.keep), (StoreUrl::Memory, LogFormat::Json, 7));
    assert_eq!((config.limits.message_bytes.bytes(), config.limits.outbox_bytes.bytes()), (131_072, 1_048_576));
}

#[test]
fn an_empty_variable_counts_as_unset() {
    let config =
        with("[audit]\nkeep = 5\n", &[("DOORWARD_AUDIT_KEEP", ""), ("DOORWARD_TYPO", "")], &[]).unwrap().config;
    assert_eq!(config.audit.keep, 5);
}

#[test]
fn a_mistake_in_a_variable_names_it_and_hides_no_other() {
    let environment = [
        ("DOORWARD_LIMIT_HEADERS", "hunter2"),
        ("DOORWARD_WHATEVER_ELSE_ENTIRELY", "x"),
        ("DOORWARD_LIMITS_HEADERS", "many"),
        ("DOORWARD_SERVER_TRUSTED_PROXIES", "10.0.0.0/8 nonsense"),
    ];
    let mistakes = with("[log]\nlevel = \"loud\"\n", &environment, &[flag("server.shutdown", "soon")]).unwrap_err();
    let origin = |name: &str| Origin::Environment(name.to_owned());
    let find = |wanted: &Origin| mistakes.iter().find(|mistake| mistake.origin == *wanted).unwrap();
    assert_eq!(mistakes.len(), 6);
    let unknown = find(&origin("DOORWARD_LIMIT_HEADERS"));
    assert_eq!(unknown.hint, "did you mean `DOORWARD_LIMITS_HEADERS`?");
    assert!(!unknown.to_string().contains("hunter2"));
    assert!(find(&origin("DOORWARD_WHATEVER_ELSE_ENTIRELY")).hint.contains("doorward defaultconfig"));
    let wrong = find(&origin("DOORWARD_LIMITS_HEADERS"));
    assert_eq!((wrong.path.as_str(), wrong.excerpt.as_str()), ("limits.headers", "many"));
    let list = find(&origin("DOORWARD_SERVER_TRUSTED_PROXIES"));
    assert_eq!((list.path.as_str(), list.column, list.width), ("server.trusted_proxies[1]", 12, 8));
    let given = find(&Origin::Flag("--flag".to_owned()));
    assert_eq!(given.path, "server.shutdown");
    assert!(given.to_string().contains("--> flag --flag\n"));
    assert_eq!(mistakes.iter().find(|mistake| mistake.path == "log.level").unwrap().line, 2);
}

#[test]
fn what_the_environment_sets_is_checked_across_tables_too() {
    let mistakes = with("", &[("DOORWARD_LIMITS_MESSAGE_BYTES", "1KiB")], &[]).unwrap_err();
    assert_eq!(mistakes.len(), 1);
    assert_eq!(mistakes[0].origin, Origin::Environment("DOORWARD_LIMITS_MESSAGE_BYTES".to_owned()));
}
