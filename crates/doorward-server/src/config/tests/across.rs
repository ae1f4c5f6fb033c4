use super::*;

#[test]
fn gates_and_issuers_need_an_owner_that_is_there() {
    let text = format!(
        r#"[[owner]]
name = "acme"
[[owner]]
name = "umbrella"
[[owner]]
name = "acme"
[[owner]]
name = "no good"
{ISSUER}owner = "acm"
{GATE}owner = "umbrela"
[[gate]]
name = "b"
path = "/b"
backend = {{ echo = {{}} }}
open = true
"#
    );
    expect(
        &text,
        &[
            ("E6", "owner[2].name", "there are two owners named `acme`", "the first is on line 2"),
            ("E8", "owner[3].name", "`no good` cannot be a name", "1 to 64 letters"),
            ("E16", "issuer[0].owner", "there is no owner `acm`", "did you mean `acme`?"),
            ("E22", "gate[0].owner", "there is no owner `umbrela`", "did you mean `umbrella`?"),
            ("E23", "gate[1].owner", "it has to say whose it is", "one of `acme`, `umbrella`"),
            ("W27", "gate[1].open", "lets everybody in", "a path proves nothing"),
        ],
    );
}

#[test]
fn gates_and_issuers_have_names_that_can_be_typed() {
    let text = format!("{}{}", ISSUER.replace("\"site\"", "\"a site\""), GATE.replace("\"chat\"", "\"\""));
    expect(
        &text,
        &[
            ("E3", "issuer[0].name", "`a site` cannot be a name", "1 to 64 letters"),
            ("E9", "gate[0].name", "`` cannot be a name", "1 to 64 letters"),
        ],
    );
    let text = format!("{ISSUER}{}", GATE.replace("chat", &"x".repeat(65)));
    assert_eq!(told(&text).len(), 1);
}

#[test]
fn two_owners_do_not_share_a_host() {
    let text = "[[owner]]\nname = \"a\"\nhost = \"x.example\"\n[[owner]]\nname = \"b\"\nhost = \"x.example\"\n";
    expect(text, &[("E6", "owner[1].host", "the host of the owner `a` already", "a host name of its own")]);
}

#[test]
fn a_host_is_a_plain_name() {
    let text = "[[owner]]\nname = \"a\"\nhost = \"https://X.example\"\n";
    expect(text, &[("E3", "owner[0].host", "is not a host name", "without scheme, port or path")]);
}

#[test]
fn names_and_places_of_gates_are_taken_once() {
    let text = format!(
        r#"{ISSUER}{GATE}
{GATE}
[[gate]]
name = "room"
path = "/rooms/{{room}}"
backend = {{ hub = {{}} }}
ladder = [{{ jwt = {{}} }}]
[[gate]]
name = "hall"
path = "/rooms/{{hall}}"
backend = {{ hub = {{}} }}
ladder = [{{ jwt = {{}} }}]
[[gate]]
name = "other"
host = "other.example"
path = "/chat"
backend = {{ hub = {{}} }}
ladder = [{{ jwt = {{}} }}]
"#
    );
    expect(
        &text,
        &[
            ("E15", "gate[1].name", "there are two gates named `chat`", "the first is on line 9"),
            ("E16", "gate[1].path", "another gate has `/chat` already", "another `path`, or another `host`"),
            (
                "E27",
                "gate[3].path",
                "another gate has `/rooms/{hall}` already",
                "names of variables make no difference",
            ),
        ],
    );
}

#[test]
fn a_path_that_no_request_can_have_is_told() {
    for (path, message) in [
        ("/a//b", "no empty part"),
        ("/a?b", "ends before"),
        ("/../a", "no `.` and no `..`"),
        ("/a*", "stands alone at the end"),
        ("/{a", "a variable is a whole part"),
        ("/a/ticket", "reserved"),
        ("/.well-known/a", "reserved"),
    ] {
        let text = format!("{ISSUER}{}", GATE.replace("/chat", path));
        expect(&text, &[("E10", "gate[0].path", message, "as in `/chat`")]);
    }
}

#[test]
fn a_gate_has_a_ladder_or_is_open_and_says_so() {
    let gate = |rest: &str| format!("[[gate]]\nname = \"a\"\npath = \"/a\"\nbackend = {{ echo = {{}} }}\n{rest}\n");
    expect(&gate(""), &[("E1", "gate[0].ladder", "the gate has no ladder", "say so with `open = true`")]);
    expect(&gate("ladder = []"), &[("E5", "gate[0].ladder", "the gate has no ladder", "say so with `open = true`")]);
    expect(
        &gate("ladder = [{ ident = { glyph = \"x\" } }]\nopen = true"),
        &[("E6", "gate[0].open", "open or has a ladder, not both", "take `open = true` away")],
    );
    expect(&gate("open = true"), &[("W5", "gate[0].open", "lets everybody in", "add a ladder")]);
}

#[test]
fn c90_origins_are_listed_one_by_one() {
    let text = format!(
        "{ISSUER}{GATE}origins = [\"https://app.example\", \"*\", \"app.example\", \"https://*.app.example\", \"null\"]\n"
    );
    expect(
        &text,
        &[
            ("E13", "gate[0].origins[1]", "the other entries mean nothing", "take `*` away"),
            ("E13", "gate[0].origins[2]", "`app.example` is not an origin", "as in `https://app.example`"),
            ("E13", "gate[0].origins[3]", "`https://*.app.example` is not an origin", "as in `https://app.example`"),
            ("E13", "gate[0].origins[4]", "`null` is not an origin", "as in `https://app.example`"),
        ],
    );
    let text = format!("{ISSUER}{GATE}origins = [\"*\"]\n");
    expect(&text, &[("W13", "gate[0].origins[0]", "every page of the world", "list your own pages")]);
}

#[test]
fn an_issuer_that_is_wrong_is_told_once_and_not_as_missing() {
    let text = format!("{}{GATE}", ISSUER.replace("good", "gone"));
    expect(&text, &[("E7", "issuer[0].secret_file", "there is no such file", "")]);
    let text = format!("{}{GATE}", ISSUER.replace("\"site\"", "7"));
    expect(&text, &[("E3", "issuer[0].name", "expected a string", "put it in quotes")]);
}

#[test]
fn an_issuer_is_told_what_its_key_lacks() {
    let issuer = |from: &str, to: &str| format!("{}{GATE}", ISSUER.replace(from, to));
    let secret = "secret_file = \"good\"";
    expect(
        &issuer(secret, "secret_file = \"gone\""),
        &[("E7", "issuer[0].secret_file", "`gone` could not be read: there is no such file", "")],
    );
    expect(
        &issuer(secret, "secret_file = \"short\""),
        &[("E7", "issuer[0].secret_file", "the secret has 5 bytes", "at least 32 are needed")],
    );
    expect(
        &issuer(secret, ""),
        &[("E2", "issuer[0].secret_file", "neither `secret` nor `secret_file`", "add `secret_file")],
    );
    expect(
        &issuer(secret, "secret_file = \"good\"\nsecret = \"0123456789abcdef0123456789abcdef\""),
        &[("E7", "issuer[0].secret_file", "both `secret` and `secret_file` are given", "keep `secret_file`")],
    );
    expect(
        &issuer("[\"HS256\"]", "[\"HS256\", \"RS256\"]"),
        &[("E6", "issuer[0].algorithms", "`HS256` and `RS256` do not share a key", "algorithms of one family")],
    );
    expect(
        &issuer("[\"HS256\"]", "[\"none\"]"),
        &[("E6", "issuer[0].algorithms[0]", "unknown value `none`", "`HS256`")],
    );
    expect(
        &issuer("[\"HS256\"]", "[]"),
        &[("E6", "issuer[0].algorithms", "`algorithms` is empty", "give at least one")],
    );
    expect(
        &issuer("[\"HS256\"]\nsecret_file = \"good\"", "[\"RS256\"]\njwks_url = \"http://site.example/keys\""),
        &[("E7", "issuer[0].jwks_url", "it begins with `http://`", "write `https://`")],
    );
    expect(
        &issuer(secret, "discover = true"),
        &[("E7", "issuer[0].discover", "does not go with HS256", "HS algorithms have a `secret_file`")],
    );
    let fetched = "[\"RS256\"]\ndiscover = true\n";
    for (more, line, key, said, hint) in [
        ("ca_file = \"gone\"", "E8", "ca_file", "`gone` could not be read", ""),
        ("ca_file = \"good\"", "E8", "ca_file", "it holds no certificate", "`-----BEGIN CERTIFICATE-----`"),
        ("public_key_file = \"good\"", "E8", "public_key_file", "`discover` are both given", "from one place"),
        ("fetch_timeout = \"2m\"", "E8", "fetch_timeout", "`fetch_timeout` cannot be 2m", "at most 1m"),
        ("max_stale = \"2d\"", "E8", "max_stale", "is not a duration", "`2h`"),
        ("allow_privat = true", "E8", "allow_privat", "unknown key", "did you mean `allow_private`?"),
    ] {
        let path = format!("issuer[0].{key}");
        let text = issuer("[\"HS256\"]\nsecret_file = \"good\"", &format!("{fetched}{more}"));
        expect(&text, &[(line, &path, said, hint)]);
    }
    expect(
        &issuer(secret, "secret_file = \"good\"\nallow_private = true"),
        &[("E8", "issuer[0].allow_private", "is for keys that are fetched", "give a `jwks_url`")],
    );
    expect(&issuer("\"doorward\"", "\"\""), &[("E5", "issuer[0].audience", "`audience` is empty", "")]);
    expect(
        &issuer("[\"HS256\"]", "[\"EdDSA\"]"),
        &[("E7", "issuer[0].secret_file", "does not go with EdDSA", "all others a `public_key_file`")],
    );
    let text = format!("{ISSUER}{ISSUER}");
    expect(&text, &[("E10", "issuer[1].name", "there are two issuers named `site`", "the first is on line 3")]);
}

#[test]
fn channels_belong_to_a_hub_and_have_names_of_their_own() {
    let channels = "[[gate.channel]]\nname = \"news\"\n[[gate.channel]]\nname = \"news\"\n";
    let text = format!("{ISSUER}{GATE}{channels}");
    expect(&text, &[("E16", "gate[0].channel[1].name", "there are two channels named `news`", "line 14")]);
    let text = format!(
        "{ISSUER}{GATE}[[gate.channel]]\nname = \"a*\"\nsubscribe = \"everybody\"\npublish = {{ claims = \"x\" }}\n"
    );
    expect(
        &text,
        &[
            ("E14", "gate[0].channel[0].name", "`a*` cannot be a channel", "as in `news`"),
            (
                "E15",
                "gate[0].channel[0].subscribe",
                "unknown value `everybody`",
                "`nobody`, `any`, `authenticated`, `claim`",
            ),
            ("E16", "gate[0].channel[0].publish.claims", "unknown name `claims`", "did you mean `claim`?"),
        ],
    );
    let text = format!("{ISSUER}{}[[gate.channel]]\nname = \"news\"\n", GATE.replace("hub", "echo"));
    expect(&text, &[("E13", "gate[0].channel[0]", "the backend `echo` has no channels", "`backend = { hub = {} }`")]);
}

#[test]
fn an_upstream_that_cannot_be_reached_is_told() {
    let gate = |upstream: &str| format!("{ISSUER}{}", GATE.replace("hub = {}", upstream).replace("jwt", "bearer"));
    let text = gate("upstream = { url = \"wss://h\", connect_timeout = 5, identty = true }");
    expect(
        &text,
        &[
            ("E11", "gate[0].backend.upstream.url", "`wss://` upstreams are not supported yet", "use `ws://`"),
            ("E11", "gate[0].backend.upstream.connect_timeout", "expected a duration", "`\"5s\"`"),
            ("E11", "gate[0].backend.upstream.identty", "unknown key `identty`", "did you mean `identity`?"),
        ],
    );
    let told = told(&gate("upstream = { url = \"ws://me:hunter2 x@h\" }"));
    assert_eq!(told.len(), 1);
    assert!(!format!("{told:?}").contains("hunter2"), "{told:?}");
}

#[test]
fn a_changed_backend_is_another_one() {
    let backend = |keys: &str| {
        let text = format!(
            "{ISSUER}{}",
            GATE.replace("hub = {}", &format!("upstream = {{ {keys} }}")).replace("jwt", "bearer")
        );
        read(&text).unwrap().config.gates.remove(0).backend
    };
    let url = "url = \"ws://127.0.0.1:9000\"";
    assert_eq!(backend(url), backend(url));
    assert_ne!(backend(url), BackendConfig::default());
    let protocols = "protocols = [\"a\"]";
    for key in [protocols, "connect_timeout = \"6s\"", "forward_headers = []", "identity = false", "max_frame = 1"] {
        assert_ne!(backend(url), backend(&format!("{url}, {key}")), "{key}");
    }
    assert_ne!(backend(url), backend("url = \"ws://127.0.0.1:9001\""));
}

#[test]
fn limits_do_not_contradict_each_other() {
    let text = r#"[limits]
message_bytes = 0
messages_per_second = 100
climbing_early_drop = 3000
climbing_per_source = 3000
outbox_bytes = "32KiB"
ping_interval = "0s"
step_elsewhere = "11m"
"#;
    expect(
        text,
        &[
            ("E2", "limits.message_bytes", "nobody could do anything", "at least 1"),
            ("E3", "limits.messages_per_second", "fewer messages", "`message_burst` to at least 100"),
            ("E4", "limits.climbing_early_drop", "from 3000 on, but all are from 2000 on", "at most 2000"),
            ("E5", "limits.climbing_per_source", "(3000) than the node (2000)", "at most 2000"),
            ("E7", "limits.ping_interval", "longer than nothing", "`25s`"),
            ("E8", "limits.step_elsewhere", "longer than a code or an approval is good for", "at most `\"10m\"`"),
        ],
    );
    expect(
        "[limits]\noutbox_bytes = \"32KiB\"\n",
        &[("E2", "limits.outbox_bytes", "64KiB does not fit into an outbox of 32KiB", "at least `\"64KiB\"`")],
    );
}

#[test]
fn a_gate_s_limits_are_checked_with_those_it_leaves_to_the_node() {
    let text = format!("[limits]\nmessage_burst = 30\n{ISSUER}{GATE}[gate.limits]\nmessages_per_second = 40\n");
    let expected = ("E16", "gate[0].limits.messages_per_second", "(30) than in a second (40)", "at least 40");
    expect(&text, &[expected]);
    let text = format!("{ISSUER}{GATE}[gate.limits]\nheader_timeout = \"1s\"\n");
    expect(&text, &[("E14", "gate[0].limits.header_timeout", "unknown key", "known keys: `sockets_per_subject`")]);
}

#[test]
fn c90_what_everybody_can_reach_unencrypted_is_warned_about() {
    let text =
        "[server]\nlisten = \"0.0.0.0:8420\"\ntrusted_proxies = [\"::/0\"]\n[internal]\nlisten = \"192.0.2.1:8421\"\n";
    expect(
        text,
        &[
            ("W1", "gate", "there is no gate", "add a `[[gate]]`"),
            ("W2", "server.listen", "nothing on it is encrypted", "a proxy that speaks TLS"),
            ("W3", "server.trusted_proxies[0]", "believes the forwarding headers of everybody", "your own proxies"),
            ("W5", "internal.listen", "can be reached from everywhere", "listen on `127.0.0.1`"),
        ],
    );
}

#[test]
fn c90_a_gate_that_its_path_alone_guards_is_told_to_be_open() {
    let gate = "[[gate]]\nname = \"a\"\npath = \"/hard-to-guess-1f8b27/{room}\"\nbackend = { echo = {} }\n";
    expect(gate, &[("E1", "gate[0].ladder", "the gate has no ladder", "say so with `open = true`")]);
    expect(&format!("{gate}open = true\n"), &[("W5", "gate[0].open", "lets everybody in", "add a ladder")]);
    let origins = "origins = [\"https://app.example\"]\nopen = true\n";
    expect(&format!("{gate}{origins}"), &[("W6", "gate[0].open", "lets everybody in", "add a ladder")]);
}

#[test]
fn a_port_of_9p_at_which_nobody_gets_in_is_warned_about() {
    const LISTEN: &str = "[ninep]\nlisten = \"127.0.0.1:5640\"\n";
    let gate = |name: &str, ladder: &str| {
        format!("[[gate]]\nname = \"{name}\"\npath = \"/{name}\"\nbackend = {{ 9p = {{}} }}\n{ladder}\n")
    };
    let warned = |gates: &[String]| {
        let told = told(&format!("{LISTEN}{ISSUER}{GATE}{}", gates.concat()));
        told.into_iter().find(|(_, path, ..)| path == "ninep.listen")
    };
    let shows = || gate("shows", "ladder = [{ bearer = {} }, { jwt = {} }]");
    let either = gate("either", "ladder = [{ any = [[{ bearer = {} }], [{ jwt = {} }]] }]");
    let open = gate("open", "open = true");
    assert!(warned(&[]).unwrap().2.contains("no gate has a file tree behind it"));
    let (place, _, message, hint) = warned(&[shows()]).unwrap();
    let expected =
        "nobody gets in there: `bearer` of the gate `shows` looks at a web request, and a file tool sends none";
    assert_eq!((place.as_str(), message.as_str()), ("W2", expected));
    assert!(hint.contains("`ladder = [{ key_entry = {} }]`"), "{hint}");
    let off = format!("{}enabled = false\n", gate("off", "open = true"));
    assert!(warned(&[shows(), off]).is_some(), "one that is not enabled does not count");
    for reachable in [either, open, gate("asks", "ladder = [{ jwt = {} }]")] {
        assert_eq!(warned(&[shows(), reachable]), None);
    }
    assert_eq!(told(&format!("{ISSUER}{GATE}{}", shows())), [], "nobody listens");
}

#[test]
fn the_two_sides_do_not_share_a_port() {
    let text = "[server]\nlisten = \"127.0.0.1:1\"\n[internal]\nlisten = \"127.0.0.1:1\"\n";
    expect(text, &[("E4", "internal.listen", "`127.0.0.1:1` is taken by the public side", "another port")]);
    let text = "[server]\nlisten = \"127.0.0.1:1\"\n[internal]\nlisten = \"[::]:1\"\n";
    assert_eq!(told(text).iter().filter(|(_, _, message, _)| message.contains("is taken")).count(), 1);
    assert!(read("[server]\nlisten = \"127.0.0.1:0\"\n[internal]\nlisten = \"127.0.0.1:0\"\n").is_ok());
}
