use doorward_backends::hub::{ChannelName, ChannelRules, Rule};

use super::*;

#[test]
fn an_empty_file_is_the_defaults_with_one_owner() {
    let loaded = read("").unwrap();
    assert_eq!(loaded.config.owners, [Owner { name: "default".to_owned(), host: None }]);
    assert_eq!(Config { owners: Vec::new(), ..loaded.config }, Config::default());
    assert!(loaded.warnings.iter().all(|warning| warning.path == "gate"));
}

#[test]
fn a_whole_file_reads_as_it_is_written() {
    let text = format!(
        r#"
[server]
listen = "[::1]:9000"
trusted_proxies = ["10.0.0.0/8", "::1"]
shutdown = "500ms"
[store]
url = "memory:"
control = "/run/doorward.sock"
[log]
format = "json"
level = "debug"
[audit]
keep = 0
[limits]
message_bytes = 131072
outbox_bytes = "2MiB"
sockets_per_node = 10
[[owner]]
name = "acme"
host = "socket.acme.example"
{ISSUER}
{GATE}
origins = ["https://app.example"]
owner = "acme"
verdict = "end"
max_session = "12h"
enabled = false
[gate.limits]
message_burst = 100
ping_interval = "1m"
"#
    );
    let loaded = read(&text).unwrap();
    assert_eq!(loaded.warnings, []);
    let config = loaded.config;
    assert_eq!(config.server.listen.to_string(), "[::1]:9000");
    assert!(config.server.trusted_proxies[0].contains("10.9.9.9".parse().unwrap()));
    assert_eq!(config.server.shutdown.duration().as_millis(), 500);
    assert_eq!(config.store, Store { url: StoreUrl::Memory, control: Some("/run/doorward.sock".into()) });
    assert_eq!((config.log.format, config.log.level, config.audit.keep), (LogFormat::Json, LogLevel::Debug, 0));
    assert_eq!((config.limits.message_bytes.bytes(), config.limits.outbox_bytes.bytes()), (131_072, 2 << 20));
    let gate = &config.gates[0];
    assert_eq!((gate.verdict, gate.enabled, gate.owner.as_deref()), (VerdictConfig::End, false, Some("acme")));
    let limits = config.limits.of_gate(&gate.limits);
    assert_eq!((limits.message_burst, limits.messages_per_second, limits.sockets_per_node), (100, 20, 10));
    assert_eq!(limits.ping_interval.duration().as_secs(), 60);
}

#[test]
fn the_channels_of_a_gate_reach_its_hub_with_the_claims_that_they_name() {
    let text = format!(
        r#"{ISSUER}{GATE}
[[gate.channel]]
name = "news"
subscribe = "any"
custom = "authenticated"
[[gate.channel]]
name = "group"
subscribe = {{ claim = "groups" }}
publish = {{ claim = "admin_of" }}
custom = {{ claim = "groups" }}
"#
    );
    let config = read(&text).unwrap().config;
    let hub = config.gates[0].hub().unwrap();
    let rules = |name: &str| &hub.channels[&name.parse::<ChannelName>().unwrap()];
    assert_eq!(hub.channels.len(), 2);
    let news = ChannelRules { subscribe: Rule::Any, publish: Rule::Nobody, custom: Rule::Authenticated };
    assert_eq!(*rules("news"), news);
    assert_eq!(rules("group").publish, Rule::Claim("admin_of".to_owned()));
    assert_eq!(config.gates[0].named_claims(), ["admin_of", "groups"]);
}

#[test]
fn what_goes_without_saying_is_written_out() {
    let text = format!("[[owner]]\nname = \"acme\"\nhost = \"socket.acme.example\"\n{ISSUER}{GATE}");
    let config = read(&text).unwrap().config;
    assert_eq!(config.issuers[0].owner.as_deref(), Some("acme"));
    assert_eq!(config.gates[0].owner.as_deref(), Some("acme"));
    assert_eq!(config.gates[0].host.as_ref().map(Host::as_str), Some("socket.acme.example"));
    let config = read(&format!("{text}host = \"other.example\"\n")).unwrap().config;
    assert_eq!(config.gates[0].host.as_ref().map(Host::as_str), Some("other.example"));
}

#[test]
fn a_layer_without_a_time_of_its_own_has_that_of_the_limits() {
    let ladder = r#"{ jwt = {} }, { any = [[{ app_key = { timeout = "9s" } }], [{ ident = { glyph = "x" } }]] }"#;
    let gate = GATE.replace("{ jwt = {} }", ladder);
    let text = format!("[limits]\nstep_machine = \"7s\"\n{ISSUER}{gate}[gate.limits]\nstep_person = \"90s\"\n");
    let config = read(&text).unwrap().config;
    let shown = format!("{:?}", config.gates[0].ladder);
    let times: Vec<&str> = shown.split("timeout: Span(").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    assert_eq!(times, ["7s", "9s", "90s"]);
}

#[test]
fn every_mistake_of_a_file_is_told_at_once_and_one_hides_no_other() {
    let text = r#"colour = "red"
[server]
listen = "localhost:8420"
trusted_proxies = "10.0.0.0/8"
[limts]
[limits]
headrs = 3
ping_interval = 30
message_bytes = "64kb"
messages_per_second = "20"
channels_per_socket = -1
message_bytes_before = "1MiB"
[log]
format = "jsn"
[[owner]]
[[issuer]]
name = 5
[[gate]]
name = "a"
path = "/a"
backend = { hubb = {} }
ladder = [
    { jwt = { single_use = "true" } },
    { ident = { glyph = "x", qestion = "?", answers = "y" } },
    { ident = {} },
    { jvt = {} },
    { jwt = {}, ident = {} },
    {},
    "jwt",
    { any = [[{ ticket = {} }], [{ jwt = { timeout = "5", on_expiry = "kep" } }]] },
]
[[gate]]
path = "b"
nam = "b"
open = true
[gate.limits]
messages_per_second = 100
[[gates]]
"#;
    expect(
        text,
        &[
            ("E1", "colour", "unknown key `colour`", "known tables: `server`"),
            (
                "E3",
                "server.listen",
                "`localhost:8420` is not an address and a port",
                "write numbers, as in `127.0.0.1:8420`",
            ),
            (
                "E4",
                "server.trusted_proxies",
                "expected a list, found the text",
                "put it in brackets: `[\"10.0.0.0/8\"]`",
            ),
            ("E5", "limts", "unknown table `limts`", "did you mean `limits`?"),
            ("E7", "limits.headrs", "unknown key `headrs`", "did you mean `headers`?"),
            ("E8", "limits.ping_interval", "expected a duration", "with its unit and in quotes: `\"30s\"`"),
            ("E9", "limits.message_bytes", "`64kb` is not a size", "`512B`, `64KiB` or `1MiB`"),
            ("E10", "limits.messages_per_second", "expected a whole number", "numbers stand without quotes: `20`"),
            ("E11", "limits.channels_per_socket", "found the number `-1`", "from 0 to 4294967295"),
            ("E12", "limits.message_bytes_before", "larger before the admission", "at most `\"64KiB\"`"),
            ("E14", "log.format", "unknown value `jsn`", "one of `text`, `json`"),
            ("E15", "owner[0].name", "`name` is missing", "add `name = \"acme\"`"),
            ("E16", "issuer[0].issuer", "`issuer` is missing", "add `issuer = \"https://site.example\"`"),
            ("E16", "issuer[0].audience", "`audience` is missing", "add `audience = \"doorward\"`"),
            ("E16", "issuer[0].algorithms", "`algorithms` is missing", "add `algorithms = [\"HS256\"]`"),
            ("E17", "issuer[0].name", "expected a string", "put it in quotes: `\"5\"`"),
            ("E21", "gate[0].backend.hubb", "unknown name `hubb`", "did you mean `hub`?"),
            ("E23", "gate[0].ladder[0].jwt.single_use", "expected `true` or `false`", "without quotes"),
            ("E24", "gate[0].ladder[1].ident.qestion", "unknown key `qestion`", "did you mean `question`?"),
            ("E24", "gate[0].ladder[1].ident.answers", "expected a list", "put it in brackets"),
            ("E25", "gate[0].ladder[2].ident.glyph", "`glyph` is missing", "add `glyph = ...` here"),
            ("E26", "gate[0].ladder[3].jvt", "unknown name `jvt`", "did you mean `jwt`?"),
            ("E27", "gate[0].ladder[4]", "several names in one pair of braces", "give each its own braces"),
            ("E28", "gate[0].ladder[5]", "there is no name in these braces", "as in `{ jwt = {} }`"),
            ("E29", "gate[0].ladder[6]", "`jwt` has to stand in braces", "`{ jwt = {} }`"),
            ("E30", "gate[0].ladder[7].any[1][0].jwt.timeout", "`5` is not a duration", "`500ms`, `30s`"),
            ("E30", "gate[0].ladder[7].any[1][0].jwt.on_expiry", "unknown value `kep`", "one of `close`, `keep`"),
            ("E32", "gate[1].name", "`name` is missing", "add `name = \"chat\"`"),
            ("E32", "gate[1].backend", "`backend` is missing", "add `backend = { hub = {} }`"),
            ("E33", "gate[1].path", "a path begins with `/`", "`/b`"),
            ("E34", "gate[1].nam", "unknown key `nam`", "did you mean `name`?"),
            ("W35", "gate[1].open", "lets everybody in who knows its path", "a path proves nothing"),
            ("E37", "gate[1].limits.messages_per_second", "fewer messages are taken (60)", "at least 100"),
            ("E38", "gates", "unknown table `gates`", "each one is a table of its own: `[[gate]]`"),
        ],
    );
}

#[test]
fn a_word_that_is_none_gets_all_that_are_and_not_only_the_nearest() {
    let text = format!("{ISSUER}{GATE}[[gate.channel]]\nname = \"news\"\nsubscribe = \"anybody\"\n");
    let hint = "one of `nobody`, `any`, `authenticated`, `claim`";
    expect(&text, &[("E15", "gate[0].channel[0].subscribe", "unknown value `anybody`", hint)]);
}

#[test]
fn two_backends_are_told_to_be_one() {
    let text = format!("{ISSUER}{}", GATE.replace("{ hub = {} }", "{ hub = {}, echo = {} }"));
    expect(&text, &[("E11", "gate[0].backend", "several names", "a gate has one backend")]);
}

#[test]
fn a_configuration_without_a_gate_can_be_used_and_is_warned_of() {
    expect(ISSUER, &[("W1", "gate", "there is no gate", "add a `[[gate]]`")]);
}

#[test]
fn a_table_where_a_list_belongs_and_the_other_way_round_is_told() {
    expect("[[server]]\n", &[("E1", "server", "`server` is a table", "write it as `[server]`")]);
    expect("[gate]\nname = \"a\"\n", &[("E1", "gate", "`gate` is a list of tables", "write each one as `[[gate]]`")]);
    expect("issuer = 3\n", &[("E1", "issuer", "`issuer` is a list of tables", "write each one as `[[issuer]]`")]);
    expect("owner = [1]\n", &[("E1", "owner[0]", "expected a table, found the number `1`", "")]);
}

#[test]
fn what_is_no_toml_is_told_with_its_line() {
    expect(
        "[server]\nlisten = 127.0.0.1\n[server]\nlisten = \"127.0.0.1:1\"\nlisten = \"127.0.0.1:2\"\n",
        &[
            ("E2", "", "this is no TOML", "text stands in quotes"),
            ("E3", "", "a second time", "only once"),
            ("E4", "", "a second time", "only once"),
            ("E5", "", "a second time", "only once"),
        ],
    );
}

#[test]
fn what_a_broken_line_leaves_out_is_not_told_as_missing() {
    let text = "[[gate]]\nname = \"a\"\npath = \"/a\"\nbackend = { echo = {} }\nladder [{ jwt = {} }]\n";
    let told = self::told(text);
    assert!(told.iter().all(|(place, _, message, _)| place == "E5" && message.contains("no TOML")), "{told:#?}");
}

#[test]
fn a_bracket_that_is_never_closed_is_one_mistake_at_the_place_where_it_was_opened() {
    let after = "[[gate]]\nname = \"b\"\nopen = true\n";
    let list = format!("{ISSUER}{}{after}", GATE.replace("{} }]", "{} }"));
    expect(&list, &[("E12", "", "the list that begins here is not closed", "`]` is missing")]);
    let table = format!("{ISSUER}{}{after}", GATE.replace("{} }]", "{} ]"));
    expect(&table, &[("E12", "", "the table that begins here is not closed", "`}` is missing")]);
    let last = format!("{ISSUER}{}", GATE.replace("[{ jwt = {} }]", "[{ jwt = {} }, ["));
    expect(&last, &[("E12", "", "the list that begins here is not closed", "`]` is missing")]);
}

#[test]
fn of_what_is_no_toml_only_the_first_is_told() {
    expect("[server]\nlisten = 127.0.0.1\nshutdown = 1s\n", &[("E2", "", "this is no TOML", "text stands in quotes")]);
}

#[test]
fn places_in_a_ladder_are_those_of_the_file_or_not_told() {
    let text =
        format!("{ISSUER}{}", GATE.replace("{ jwt = {} }", "{ jvt = {} }, { jwt = {} }, { ident = { glyph = \"\" } }"));
    let expected = ("E12", "gate[0].ladder[0].jvt", "unknown name `jvt`", "did you mean `jwt`?");
    expect(&text, &[expected]);
    expect(&format!("{ISSUER}{}", GATE.replace("{ jwt = {} }", "{ jvt = {} }")), &[expected]);
}

#[test]
fn a_mistake_prints_as_compilers_print_theirs() {
    let text = "[[gate]]\nname = \"a\"\npath = \"/a\"\nbackend = { echo = {} }\nladder = [{ ident = { glyph = \"☂\", timeot = \"5s\" } }]\n";
    let printed: String = read(text).unwrap_err().iter().map(Mistake::to_string).collect();
    let expected = "\
error: unknown key `timeot`
 --> doorward.toml:5:36
  |
5 | ladder = [{ ident = { glyph = \"☂\", timeot = \"5s\" } }]
  |                                    ^^^^^^
  = at: gate[0].ladder[0].ident.timeot
  = hint: did you mean `timeout`?
";
    assert_eq!(printed, expected);
}

#[test]
fn a_secret_is_never_printed_not_even_in_a_mistake() {
    let text = "\
[[issuer]]
name = \"a\"
secret = 123456789
[[issuer]]
secert = \"hunter2\"
secret = hunter2
[store]
url = \"postgres://me:hunter2@db\"
[[gate]]
ladder = [{ challenge = { secret = \"hunter2\", wrds = 1 } }]
";
    let mistakes = read(text).unwrap_err();
    let result = Err(mistakes);
    let (human, json) = (describe(&result, "doorward.toml"), describe_json(&result, "doorward.toml"));
    assert!(human.contains("secert") && human.contains("wrds"), "{human}");
    for text in [human, json] {
        assert!(!text.contains("hunter2") && !text.contains("123456789"), "{text}");
    }
}

#[test]
fn the_outcome_counts_what_is_wrong() {
    let result = read("[log]\nlevel = 1\nformat = 2\n[server]\nlisten = \"0.0.0.0:1\"\n");
    assert!(describe(&result, "a.toml").ends_with("a.toml: 2 errors, 1 warning; it is not used\n"));
    let json: serde_json::Value = serde_json::from_str(&describe_json(&result, "a.toml")).unwrap();
    assert_eq!(json["ok"], false);
    assert_eq!(json["mistakes"][0]["line"], 2);
    assert_eq!(json["mistakes"][0]["path"], "log.level");
    assert_eq!(json["mistakes"][0]["severity"], "error");
    assert_eq!(json["mistakes"][2]["severity"], "warning");
    let result = read(&format!("{ISSUER}{GATE}"));
    assert_eq!(describe(&result, "a.toml"), "a.toml: ok, 0 warnings; 1 owner, 1 issuer, 1 gate\n");
}
