use super::*;

#[test]
fn a_token_needs_an_issuer_of_the_same_owner() {
    let gate = |layer: &str| GATE.replace("{ jwt = {} }", layer);
    let text = format!("{ISSUER}{}", gate("{ bearer = { issuer = \"sit\" } }"));
    expect(&text, &[("E12", "gate[0].ladder[0].bearer.issuer", "there is no issuer `sit`", "did you mean `site`?")]);
    expect(GATE, &[("E5", "gate[0].ladder[0].jwt.issuer", "no issuer whose tokens", "`issuer = \"doorward\"`")]);
    let second = ISSUER.replace("\"site\"", "\"second\"");
    let text = format!("{ISSUER}{second}{}", gate("{ any = [[{ jwt = {} }], [{ app_key = {} }]] }"));
    let expected = (
        "E19",
        "gate[0].ladder[0].any[0][0].jwt.issuer",
        "there are several issuers",
        "one of `site`, `second`, `doorward`",
    );
    expect(&text, &[expected]);
    let text = format!(
        "[[owner]]\nname = \"a\"\n[[owner]]\nname = \"b\"\n{ISSUER}owner = \"a\"\n{}owner = \"b\"\n",
        gate("{ jwt = { issuer = \"site\" } }")
    );
    let expected = (
        "E17",
        "gate[0].ladder[0].jwt.issuer",
        "there is no issuer `site`",
        "it is another owner's; this gate is of `b`",
    );
    expect(&text, &[expected]);
}

#[test]
fn the_servers_own_issuer_needs_no_section_and_gives_its_name_to_no_other() {
    let gate = |layer: &str| GATE.replace("{ jwt = {} }", layer);
    for layer in ["jwt", "bearer"] {
        let text = gate(&format!("{{ {layer} = {{ issuer = \"doorward\" }} }}"));
        assert!(read(&text).is_ok(), "{text}");
        assert!(read(&format!("{ISSUER}{text}")).is_ok(), "{text}");
    }
    let text = format!("{}{}", ISSUER.replace("\"site\"", "\"doorward\""), gate("{ jwt = { issuer = \"doorward\" } }"));
    expect(&text, &[("E3", "issuer[0].name", "the server's own issuer", "give this one another name")]);
    let text = gate("{ jwt = { issuer = \"dorward\" } }");
    expect(&text, &[("E5", "gate[0].ladder[0].jwt.issuer", "no issuer `dorward`", "did you mean `doorward`?")]);
    // With one `[[issuer]]` beside it the name of that may be left out, and who comes by the site is not let in.
    assert!(read(&format!("{ISSUER}{GATE}")).is_ok());
}

#[test]
fn a_token_that_outlives_its_expiry_needs_a_longest_session() {
    let text = format!("{ISSUER}{}", GATE.replace("jwt = {}", "jwt = { on_expiry = \"keep\" }"));
    let expected = ("E12", "gate[0].ladder[0].jwt.on_expiry", "would live for ever", "`max_session = \"12h\"`");
    expect(&text, &[expected]);
    assert!(read(&format!("{text}max_session = \"12h\"\n")).is_ok());
}

#[test]
fn only_a_jwt_before_a_hub_can_be_asked_again() {
    let reauth = |layer: &str| GATE.replace("jwt = {}", &format!("{layer} = {{ on_expiry = \"reauth\" }}"));
    let echo = |gate: String| gate.replace("hub = {}", "echo = {}");
    let expected = |layer| {
        let path = format!("gate[0].ladder[0].{layer}.on_expiry");
        ("E12", path, "asked again over the open socket", "`on_expiry = \"close\"`")
    };
    for (gate, layer) in [(echo(reauth("jwt")), "jwt"), (reauth("bearer"), "bearer")] {
        let (code, path, message, hint) = expected(layer);
        expect(&format!("{ISSUER}{gate}"), &[(code, &path, message, hint)]);
    }
    assert!(read(&format!("{ISSUER}{}", reauth("jwt"))).is_ok());
}

#[test]
fn a_layer_that_could_never_be_passed_is_told_at_its_key() {
    let gate = |ladder: &str| format!("{ISSUER}{}", GATE.replace("{ jwt = {} }", ladder));
    let challenge = |keys: &str| gate(&format!("{{ jwt = {{}} }}, {{ challenge = {{ {keys} }} }}"));
    for (text, path, message, hint) in [
        (challenge(""), "ladder[1].challenge.secret", "neither `secret` nor `secret_file`", "give `secret`"),
        (challenge("secret = \"hunter2\""), "ladder[1].challenge.secret", "not a word of a person's", "openssl rand"),
        (
            challenge("secret_file = \"short\""),
            "ladder[1].challenge.secret_file",
            "not a word of a person's",
            "openssl rand",
        ),
        (challenge("secret_file = \"gone\""), "ladder[1].challenge.secret_file", "no such file", "check the path"),
        (
            challenge("variant = \"words\", words = \"a b\""),
            "ladder[1].challenge.words",
            "at least four words",
            "spaces",
        ),
        (challenge("timeout = \"31s\""), "ladder[1].challenge.timeout", "longer than a nonce lives", "30s or less"),
        (gate("{ ident = { glyph = \"\" } }"), "ladder[0].ident.glyph", "it is empty", "users recognise"),
        (
            gate("{ ident = { glyph = \"x\", question = \"?\" } }"),
            "ladder[0].ident.answers",
            "belong together",
            "neither",
        ),
        (gate("{ offer = { of = [] } }"), "ladder[0].offer.of", "the list is empty", "at least one layer"),
        (
            gate("{ offer = { of = [{ jwt = {} }, { app_key = {} }] } }"),
            "ladder[0].offer.of[1]",
            "needs a prompt",
            "plain = true",
        ),
        (gate("{ any = [] }"), "ladder[0].any", "the list is empty", "leave the rung out"),
        (gate("{ any = [[], [{ jwt = {} }]] }"), "ladder[0].any[0]", "the list is empty", "leave the rung out"),
        (
            gate("{ optional = [{ bearer = {} }] }"),
            "ladder[0].optional[0]",
            "cannot stand here",
            "`jwt` takes the same",
        ),
        (
            gate("{ any = [[{ any = [[{ jwt = {} }]] }]] }"),
            "ladder[0].any[0][0].any",
            "inside of another",
            "write the layers out",
        ),
        (
            gate("{ authenticator = { kind = \"x\" } }"),
            "ladder[0].authenticator.kind",
            "no authenticator of the kind `x`",
            "known here",
        ),
        (gate("{ jwt = { timeout = \"0s\" } }"), "ladder[0].jwt.timeout", "nobody can answer within 0ms", "by default"),
        (gate("{ ticket = { via = [] } }"), "ladder[0].ticket.via", "the list is empty", "at least one layer"),
    ] {
        expect(&text, &[("E12", &format!("gate[0].{path}"), message, hint)]);
    }
}

#[test]
fn layers_that_are_right_by_themselves_have_to_make_a_ladder() {
    let gate = |ladder: &str| format!("{ISSUER}{}", GATE.replace("{ jwt = {} }", ladder));
    for (text, message, hint) in [
        (
            gate("{ jwt = {} }, { bearer = {} }"),
            "`bearer` is answered from the upgrade request",
            "above the layers that talk",
        ),
        (gate("{ ticket = {} }, { bearer = {} }"), "a layer above it talks", "keep the ticket to the request"),
    ] {
        expect(&text, &[("E12", "gate[0].ladder[1]", message, hint)]);
    }
    expect(
        &gate("{ any = [[{ jwt = {} }], [{ jwt = {} }]] }"),
        &[("E12", "gate[0].ladder[0]", "two branches begin with `jwt`", "begin each branch with another layer")],
    );
}

#[test]
fn several_layers_that_cannot_be_built_are_told_at_once() {
    let ladder = r#"{ any = [[{ jwt = { issuer = "a" } }], [{ ident = { glyph = "" } }, { challenge = {} }]] }, { ident = { glyph = "" } }"#;
    let text = format!("{ISSUER}{}", GATE.replace("{ jwt = {} }", ladder));
    expect(
        &text,
        &[
            (
                "E12",
                "gate[0].ladder[0].any[0][0].jwt.issuer",
                "there is no issuer `a`",
                "known issuers: `site`, `doorward`",
            ),
            ("E12", "gate[0].ladder[0].any[1][0].ident.glyph", "it is empty", "users recognise"),
            ("E12", "gate[0].ladder[0].any[1][1].challenge.secret", "neither", "give `secret`"),
            ("E12", "gate[0].ladder[1].ident.glyph", "it is empty", "users recognise"),
        ],
    );
}

#[test]
fn a_ladder_that_talks_before_an_upstream_should_know_its_protocols() {
    let text = format!("{ISSUER}{}", GATE.replace("hub = {}", "upstream = { url = \"ws://127.0.0.1:9000\" }"));
    let expected = ("W11", "gate[0].backend.upstream", "subprotocol", "list what the upstream speaks");
    expect(&text, &[expected]);
    assert_eq!(told(&text.replace("jwt", "bearer")), []);
    assert_eq!(told(&text.replace("9000\"", "9000\", protocols = [\"chat\"]")), []);
}

#[test]
fn a_layer_of_the_site_needs_the_site() {
    for layer in ["session", "password", "key_entry", "totp", "assert_login"] {
        let text = GATE.replace("{ jwt = {} }", &format!("{{ {layer} = {{}} }}"));
        let path = format!("gate[0].ladder[0].{layer}");
        expect(
            &text,
            &[(
                "E5",
                &path,
                "is a layer of the built-in site, and there is no site",
                "write `enabled = true` under `[site]`",
            )],
        );
    }
}
