use super::*;

/// What is told of a text when there are files `fullchain.pem` and `privkey.pem` that fit, and `other.pem` that does not.
fn told_of(text: &str, environment: &[(&str, &str)]) -> Result<Option<TlsFiles>, Vec<(String, String)>> {
    let other = rcgen::generate_simple_self_signed(["gate.example".to_owned()]).unwrap();
    let read = |path: &Path| match path.to_str() {
        Some("other.pem") => Ok(Secret::from_text(other.signing_key.serialize_pem())),
        Some("open.pem") => Err("everybody on this machine can read it (mode 0644); `chmod 600` closes it".to_owned()),
        _ => secrets(path),
    };
    let environment = environment.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    let place = |mistake: &Mistake| format!("{}:{}", mistake.line, mistake.path);
    match load(text, "doorward.toml", &environment, &[], &read) {
        Ok(Loaded { config, .. }) => Ok(config.server.tls),
        Err(mistakes) => Err(mistakes
            .iter()
            .filter(|mistake| mistake.is_error())
            .map(|mistake| (place(mistake), format!("{}; {}", mistake.message, mistake.hint)))
            .collect()),
    }
}

fn server(tls: &str) -> String {
    format!("[server]\nlisten = \"0.0.0.0:8420\"\ntls = {{ {tls} }}\n")
}

#[test]
fn a_certificate_and_its_key_are_named_beside_each_other() {
    let text = server("cert_file = \"fullchain.pem\", key_file = \"privkey.pem\"");
    let files = TlsFiles { cert_file: "fullchain.pem".into(), key_file: "privkey.pem".into() };
    assert_eq!(told_of(&text, &[]), Ok(Some(files.clone())));
    let variable = "{ cert_file = \"fullchain.pem\", key_file = \"privkey.pem\" }";
    assert_eq!(told_of("", &[("DOORWARD_SERVER_TLS", variable)]), Ok(Some(files)));
}

#[test]
fn what_is_wrong_with_a_certificate_is_told_at_the_key_that_names_it() {
    for (tls, place, said) in [
        ("cert_file = \"fullchain.pem\"", "3:server.tls.key_file", "`key_file` is missing; add `key_file = ...` here"),
        (
            "cert_file = \"fullchain.pem\", key_file = \"privkey.pem\", ca = \"x\"",
            "3:server.tls.ca",
            "unknown key `ca`; known keys: `cert_file`, `key_file`",
        ),
        (
            "cert_file = \"gone.pem\", key_file = \"privkey.pem\"",
            "3:server.tls.cert_file",
            "`gone.pem`: there is no such file; name another file",
        ),
        (
            "cert_file = \"fullchain.pem\", key_file = \"open.pem\"",
            "3:server.tls.key_file",
            "`open.pem`: everybody on this machine can read it (mode 0644); `chmod 600` closes it",
        ),
        (
            "cert_file = \"privkey.pem\", key_file = \"privkey.pem\"",
            "3:server.tls.cert_file",
            "`privkey.pem`: it holds no certificate; ",
        ),
        (
            "cert_file = \"fullchain.pem\", key_file = \"other.pem\"",
            "3:server.tls.key_file",
            "`other.pem`: it is not the key of the certificate in `fullchain.pem`; ",
        ),
    ] {
        let told = told_of(&server(tls), &[]).unwrap_err();
        let [(at, what)] = told.as_slice() else { panic!("{told:?}") };
        assert!(at == place && what.starts_with(said), "{at}: {what}");
    }
}

#[test]
fn a_mistake_in_a_table_of_the_environment_is_told_there() {
    let variable = "{ cert_file = \"fullchain.pem\", key_fiel = \"privkey.pem\" }";
    let environment = BTreeMap::from([("DOORWARD_SERVER_TLS".to_owned(), variable.to_owned())]);
    let told = load("[limits]\nheaders = 2\n", "doorward.toml", &environment, &[], &secrets).unwrap_err();
    let told: Vec<_> = told.iter().filter(|mistake| mistake.is_error()).map(ToString::to_string).collect();
    assert!(told.iter().all(|mistake| mistake.contains("DOORWARD_SERVER_TLS")), "{told:?}");
    assert!(told[1].contains("unknown key `key_fiel`") && told[1].contains("did you mean `key_file`?"), "{told:?}");
}

#[test]
fn c90_a_port_with_tls_is_not_said_to_be_unencrypted() {
    let text = server("cert_file = \"fullchain.pem\", key_file = \"privkey.pem\"");
    assert!(read(&text).is_ok());
    let unencrypted =
        |text: &str| told(text).iter().any(|(_, _, message, _)| message.contains("nothing on it is encrypted"));
    assert!(!unencrypted(&text));
    assert!(unencrypted("[server]\nlisten = \"0.0.0.0:8420\"\n"));
}
