use std::{collections::BTreeMap, path::Path, sync::Arc};

use doorward_auth::{
    BoxFuture, Rung,
    layers::{BuildContext, BuildError, RungConfig, handshake::origin::Origins},
    ports::{Authenticator, Identity, PortError},
    token::Issuer,
};
use doorward_testkit::World;
use doorward_types::{Answer, KeyText, OwnerId, Secret};
use serde_json::{Value, json};

use crate::support::{issuer, key};

struct Terminals;

impl Authenticator for Terminals {
    fn kind(&self) -> &'static str {
        "terminal"
    }

    fn fields(&self) -> &'static [&'static str] {
        &["token"]
    }

    fn authenticate<'a>(&'a self, _: &'a Answer) -> BoxFuture<'a, Result<Option<Identity>, PortError>> {
        Box::pin(std::future::ready(Ok(None)))
    }
}

fn build_with(issuers: &[&str], config: Value) -> Result<Rung, BuildError> {
    let mut map: BTreeMap<String, Arc<Issuer>> = BTreeMap::new();
    for name in issuers {
        map.insert((*name).to_owned(), Arc::new(issuer(&key(), json!({ "name": name }))));
    }
    map.insert("foreign".into(), Arc::new(issuer(&key(), json!({ "name": "foreign", "owner": "globex" }))));
    let terminals: Arc<dyn Authenticator> = Arc::new(Terminals);
    let made = KeyText::Challenge.write(&[7; 32]);
    let read = |path: &Path| match path.to_str() {
        Some("made") => Ok(made.clone()),
        Some("phrase") => Ok(Secret::from_text("one two three four\n")),
        _ => Err("no such file".to_owned()),
    };
    let context = BuildContext {
        owner: OwnerId::new("acme"),
        ports: World::new().ports(),
        issuers: &map,
        kept_claims: [].into(),
        authenticators: &[("terminal".to_owned(), terminals)].into(),
        read_secret: &read,
        origins: &Origins::SameHost,
        on_expiry: doorward_auth::OnExpiry::Close,
        site: None,
    };
    serde_json::from_value::<RungConfig>(config).unwrap().build(&context)
}

fn build(config: Value) -> Result<Rung, BuildError> {
    build_with(&["site"], config)
}

#[test]
fn every_layer_is_built_from_what_an_owner_writes() {
    let rungs = [
        (json!({ "bearer": {} }), "bearer"),
        (json!({ "jwt": { "issuer": "site", "single_use": true, "on_expiry": "keep", "timeout": "10s" } }), "jwt"),
        (json!({ "ticket": {} }), "ticket"),
        (json!({ "ticket": { "via": ["subprotocol"] } }), "ticket"),
        (json!({ "app_key": { "plain": true } }), "app_key"),
        (json!({ "challenge": { "secret_file": "made" } }), "challenge"),
        (json!({ "challenge": { "variant": "words", "words_file": "phrase", "timeout": "2m" } }), "challenge"),
        (json!({ "ident": { "glyph": "☂" } }), "ident"),
        (json!({ "ident": { "glyph": "☂", "question": "Who?", "answers": ["us"] } }), "ident"),
        (json!({ "offer": { "of": [{ "jwt": {} }, { "app_key": { "plain": true } }] } }), "offer"),
        (json!({ "authenticator": { "kind": "terminal" } }), "terminal"),
        (json!({ "any": [[{ "app_key": {} }, { "jwt": {} }], [{ "bearer": {} }]] }), "any of app_key + jwt | bearer"),
        (json!({ "any": [[{ "ticket": {} }, { "app_key": {} }], [{ "jwt": {} }]] }), "any of ticket + app_key | jwt"),
        (json!({ "optional": [{ "jwt": {} }, { "ticket": { "via": ["message"] } }] }), "optional jwt, ticket"),
    ];
    for (config, name) in rungs {
        assert_eq!(build(config.clone()).unwrap().to_string(), name, "{config}");
    }
}

#[test]
fn every_mistake_is_reported_at_its_place_with_a_hint() {
    let weak = "a word of ours".to_owned();
    let rows = [
        (json!({ "jwt": { "issuer": "sight" } }), "jwt.issuer: there is no issuer `sight`", "`site`"),
        (json!({ "jwt": { "issuer": "foreign" } }), "jwt.issuer: there is no issuer `foreign`", "`site`"),
        (json!({ "jwt": { "timeout": "0s" } }), "jwt.timeout: nobody can answer within 0ms", "5 s"),
        (
            json!({ "any": [[{ "app_key": {} }], [{ "app_key": {} }, { "bearer": { "issuer": "x" } }]] }),
            "any[1][1].bearer.issuer: there is no issuer `x`",
            "`site`",
        ),
        (json!({ "any": [] }), "any: the list is empty", "at least one"),
        (json!({ "any": [[{ "jwt": {} }], []] }), "any[1]: the list is empty", "at least one"),
        (json!({ "any": [[{ "any": [[{ "jwt": {} }]] }]] }), "any[0][0].any: `any` cannot stand inside", "each branch"),
        (
            json!({ "any": [[{ "optional": [{ "jwt": {} }] }]] }),
            "any[0][0].optional: `optional` cannot stand inside",
            "each branch",
        ),
        (json!({ "optional": [] }), "optional: the list is empty", "leave the rung out"),
        (
            json!({ "optional": [{ "bearer": {} }] }),
            "optional[0]: `bearer` is answered from the upgrade request",
            "`jwt`",
        ),
        (
            json!({ "optional": [{ "ticket": {} }] }),
            "optional[0]: `ticket` is answered from the upgrade request",
            "[\"message\"]",
        ),
        (json!({ "offer": { "of": [] } }), "offer.of: the list is empty", "at least one"),
        (
            json!({ "offer": { "of": [{ "jwt": {} }, { "app_key": {} }] } }),
            "offer.of[1]: `app_key` needs a prompt",
            "plain = true",
        ),
        (
            json!({ "offer": { "of": [{ "jwt": { "issuer": "x" } }] } }),
            "offer.of[0].jwt.issuer: there is no issuer `x`",
            "`site`",
        ),
        (
            json!({ "offer": { "of": [{ "offer": { "of": [{ "jwt": {} }] } }] } }),
            "offer.of[0]: `offer` needs a prompt",
            "`jwt`",
        ),
        (json!({ "ticket": { "via": [] } }), "ticket.via: the list is empty", "at least one"),
        (json!({ "challenge": {} }), "challenge.secret: neither `secret` nor `secret_file` is given", "`secret_file`"),
        (
            json!({ "challenge": { "secret": "x", "secret_file": "y" } }),
            "challenge.secret: both `secret` and `secret_file`",
            "leave out",
        ),
        (
            json!({ "challenge": { "secret_file": "gone" } }),
            "challenge.secret: `gone` could not be read: no such file",
            "path",
        ),
        (json!({ "challenge": { "secret": weak } }), "challenge.secret: a secret that the server made", "openssl rand"),
        (
            json!({ "challenge": { "secret": "ab".repeat(15) } }),
            "challenge.secret: a secret that the server made",
            "openssl rand",
        ),
        (
            json!({ "challenge": { "secret_file": "made", "timeout": "31s" } }),
            "challenge.timeout: 31s is longer",
            "30s or less",
        ),
        (
            json!({ "challenge": { "secret_file": "made", "words": "a b c d" } }),
            "challenge.words: it has no meaning with `variant = \"proof\"`",
            "leave it out",
        ),
        (
            json!({ "challenge": { "variant": "words", "secret": "x", "words": "a b c d" } }),
            "challenge.secret: it has no meaning",
            "leave it out",
        ),
        (
            json!({ "challenge": { "variant": "words", "words": "a b c" } }),
            "challenge.words: a phrase needs at least four words",
            "spaces",
        ),
        (json!({ "ident": { "glyph": " " } }), "ident.glyph: it is empty", "recognise"),
        (json!({ "ident": { "glyph": "\u{7}" } }), "ident.glyph: it is empty, or has characters", "recognise"),
        (json!({ "ident": { "glyph": "☂", "question": "Who?" } }), "ident.answers: a question and its answers", "both"),
        (json!({ "ident": { "glyph": "☂", "answers": ["us"] } }), "ident.answers: a question and its answers", "both"),
        (
            json!({ "ident": { "glyph": "☂", "question": "Who?", "answers": [" "] } }),
            "ident.answers: a question and its answers",
            "both",
        ),
        (
            json!({ "authenticator": { "kind": "till" } }),
            "authenticator.kind: there is no authenticator of the kind `till`",
            "`terminal`",
        ),
    ];
    for (config, said, hint) in rows {
        let error = build(config.clone()).unwrap_err();
        assert!(error.to_string().starts_with(said), "{config}: {error}");
        assert!(error.problem.hint().contains(hint), "{config}: {}", error.problem.hint());
        assert!(!error.to_string().contains("a word of ours"), "a secret is not repeated");
    }
}

#[test]
fn an_issuer_may_be_left_out_where_the_owner_has_exactly_one() {
    assert!(build_with(&["site"], json!({ "jwt": {} })).is_ok());
    for issuers in [&[][..], &["a", "b"]] {
        let error = build_with(issuers, json!({ "jwt": {} })).unwrap_err();
        assert!(error.to_string().starts_with("jwt.issuer: the issuer is left out"), "{error}");
    }
    assert!(build_with(&["a", "b"], json!({ "jwt": { "issuer": "b" } })).is_ok());
}

#[test]
fn a_key_that_is_not_known_is_reported_where_it_stands() {
    for (text, word) in [
        (r#"{"jwt":{"isuer":"site"}}"#, "isuer"),
        (r#"{"jvt":{}}"#, "jvt"),
        (r#"{"ident":{}}"#, "glyph"),
        (r#"{"ticket":{"via":["query"]}}"#, "query"),
        (r#"{"jwt":{"timeout":5}}"#, "a duration such as"),
        (r#"{"jwt":{"on_expiry":"later"}}"#, "later"),
    ] {
        let error = serde_json::from_str::<RungConfig>(text).unwrap_err().to_string();
        assert!(error.contains(word), "{text}: {error}");
    }
}

#[tokio::test]
async fn the_layers_of_the_site_are_built_where_there_is_a_site() {
    let world = crate::site::SiteWorld::new().await;
    for (config, name) in [
        (json!({ "session": {} }), "session"),
        (json!({ "password": { "timeout": "30s" } }), "password"),
        (json!({ "assert_login": { "same_browser": false, "timeout": "10m" } }), "assert_login"),
        (json!({ "assert_login": { "who": "browser" } }), "assert_login"),
        (json!({ "key_entry": {} }), "key_entry"),
        (json!({ "totp": {} }), "totp"),
    ] {
        let error = build(config.clone()).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("{name}: `{name}` is a layer of the built-in site, and there is no site")
        );
        assert!(error.problem.hint().contains("`[site]`"));
        assert_eq!(world.rung(config).to_string(), name);
    }
}

#[tokio::test]
async fn a_wait_for_a_login_has_a_limit_and_a_browser_is_the_same_as_itself() {
    let world = crate::site::SiteWorld::new().await;
    let refused = |config: Value, origins: Origins| {
        let config: RungConfig = serde_json::from_value(config).unwrap();
        let ports = world.ports();
        let error = crate::support::context(&ports, &origins, Some(&world.tools), |context| config.build(context));
        let error = error.unwrap_err();
        (error.place.clone(), error.problem.to_string(), error.problem.hint())
    };
    let (place, problem, hint) = refused(json!({ "assert_login": { "timeout": "11m" } }), Origins::SameHost);
    assert_eq!((place.as_str(), problem.as_str()), ("assert_login.timeout", "a socket may not wait for 11m"));
    assert_eq!(hint, "give 10m or less");
    let (place, problem, _) =
        refused(json!({ "assert_login": { "who": "browser", "same_browser": false } }), Origins::SameHost);
    assert_eq!(place, "assert_login.same_browser");
    assert_eq!(problem, "it has no meaning with `who = \"browser\"`");
    // A cookie may not come from every page of the world.
    for config in [json!({ "session": {} }), json!({ "assert_login": { "who": "browser" } })] {
        let (_, problem, hint) = refused(config, Origins::Everyone);
        assert!(problem.starts_with("every page of the world may open a socket here"), "{problem}");
        assert!(hint.contains("https://app.example"));
    }
}
