use std::{fmt, marker::PhantomData, path::PathBuf};

use doorward_auth::layers::{RungConfig, conversation as talk, handshake};
use serde::{
    de::{DeserializeOwned, Visitor, value::Error},
    forward_to_deserialize_any,
};

use super::*;
use crate::config::manual::tables;

/// Asks a struct which keys it takes, or a choice which words.
fn keys_of<T: DeserializeOwned>() -> Vec<&'static str> {
    struct Asker<'k>(&'k mut Vec<&'static str>, PhantomData<()>);
    impl<'de> serde::Deserializer<'de> for Asker<'_> {
        type Error = Error;
        fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
            Err(serde::de::Error::custom("not a struct"))
        }
        fn deserialize_struct<V: Visitor<'de>>(
            self,
            _: &'static str,
            fields: &'static [&'static str],
            _: V,
        ) -> Result<V::Value, Error> {
            self.0.extend_from_slice(fields);
            Err(serde::de::Error::custom("asked"))
        }
        fn deserialize_enum<V: Visitor<'de>>(
            self,
            _: &'static str,
            words: &'static [&'static str],
            _: V,
        ) -> Result<V::Value, Error> {
            self.0.extend_from_slice(words);
            Err(serde::de::Error::custom("asked"))
        }
        forward_to_deserialize_any! {
            bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
            newtype_struct seq tuple tuple_struct map identifier ignored_any
        }
    }
    let mut keys = Vec::new();
    let _ = T::deserialize(Asker(&mut keys, PhantomData));
    keys
}

/// The keys that the manual's tables have under a heading.
fn documented(manual: &str, heading: &str) -> Vec<String> {
    let section = manual.split("\n## ").flat_map(|part| part.split("\n### ")).find(|part| part.starts_with(heading));
    let section = section.unwrap_or_else(|| panic!("no heading {heading}"));
    section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).map(str::to_owned).collect()
}

#[test]
fn the_default_file_is_the_defaults() {
    let loaded = read(&default_text()).unwrap();
    assert!(loaded.warnings.iter().all(|warning| warning.path == "gate"));
    assert_eq!(Config { owners: Vec::new(), ..loaded.config }, Config::default());
}

#[test]
fn the_default_file_has_every_key_of_every_section_and_its_examples_can_be_used() {
    let text = default_text();
    let uncommented: String = text
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(rest) if !rest.starts_with(' ') => rest,
            _ => line,
        })
        .map(|line| format!("{line}\n"))
        .collect();
    let uncommented = format!("{uncommented}{}", ISSUER.replace("name", "owner = \"acme\"\nname"));
    // The example of a closed gate and of an open one cannot be the same gate.
    let (warnings, config) = read(&uncommented).map(|loaded| (loaded.warnings, loaded.config)).unwrap();
    // The example of a gate has a hub behind it, and no file tree.
    assert!(warnings.iter().all(|warning| warning.path == "ninep.listen"), "{warnings:?}");
    assert_eq!(config.gates.len(), 1);
    for table in tables() {
        for key in &table.keys {
            assert!(
                text.contains(&format!("{} = ", key.name)) || key.kind == Kind::Table,
                "{}.{}",
                table.name,
                key.name
            );
        }
    }
}

#[test]
fn every_key_has_a_manual_entry() {
    for table in tables() {
        for key in table.keys {
            assert!(key.doc.ends_with('.'), "{}.{}: {:?}", table.name, key.name, key.doc);
        }
    }
    for path in [keys_of::<IssuerConfig>(), keys_of::<Gate>()] {
        assert!(!path.is_empty());
    }
}

#[test]
fn the_manual_has_exactly_the_keys_that_are_read() {
    let manual = manual_text();
    let tables: [(&str, Vec<&'static str>); 15] = [
        ("`upstream`", keys_of::<doorward_backends::upstream::UpstreamConfig>()),
        ("`socketio`", keys_of::<SocketIoConfig>()),
        ("`ticket`", keys_of::<handshake::ticket::TicketConfig>()),
        ("`bearer`", keys_of::<handshake::bearer::BearerConfig>()),
        ("`session`", keys_of::<handshake::session::SessionConfig>()),
        ("`jwt`", keys_of::<talk::jwt::JwtConfig>()),
        ("`password`", keys_of::<talk::password::PasswordConfig>()),
        ("`totp`", keys_of::<talk::totp::TotpConfig>()),
        ("`key_entry`", keys_of::<talk::key_entry::KeyEntryConfig>()),
        ("`assert_login`", keys_of::<talk::assert_login::AssertLoginConfig>()),
        ("`app_key`", keys_of::<talk::app_key::AppKeyConfig>()),
        ("`challenge`", keys_of::<talk::challenge::ChallengeConfig>()),
        ("`ident`", keys_of::<talk::ident::IdentConfig>()),
        ("`offer`", keys_of::<talk::offer::OfferConfig>()),
        ("`authenticator`", keys_of::<talk::authenticator::AuthenticatorConfig>()),
    ];
    for (heading, keys) in tables {
        assert_eq!(documented(&manual, heading), keys, "{heading}");
    }
    assert_eq!(documented(&manual, "`[[issuer]]`"), keys_of::<IssuerConfig>());
    assert_eq!(documented(&manual, "`[[gate]]`"), keys_of::<Gate>());
    assert_eq!(documented(&manual, "`[limits]`"), keys_of::<Limits>());
}

#[test]
fn the_manual_has_every_backend_every_transport_and_every_layer() {
    let manual = manual_text();
    let choices = [keys_of::<BackendConfig>(), keys_of::<TransportConfig>(), keys_of::<RungConfig>()];
    for name in choices.iter().flatten().filter(|name| !["any", "optional"].contains(name)) {
        assert!(manual.contains(&format!("\n### `{name}`\n")), "{name} has no entry");
    }
    assert!(choices.iter().all(|words| words.len() > 1));
}

/// With `UPDATE_DOCS=1` in the environment it writes the file instead.
#[test]
fn the_manual_in_the_repository_is_up_to_date() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, manual_text()).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == manual_text(),
        "docs/configuration.md is not up to date; `UPDATE_DOCS=1 cargo test -p doorward-server` writes it"
    );
}

#[test]
fn the_manual_s_own_example_can_be_used() {
    let manual = manual_text();
    let example = manual.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let loaded = read(&example.replace("site.secret", "good")).unwrap();
    assert_eq!(loaded.warnings, []);
    let shown: &dyn fmt::Debug = &loaded.config.gates[0].name;
    assert_eq!(format!("{shown:?}"), "\"chat\"");
}

/// Keys and issuers that an example names stand elsewhere; everything else in it has to be right.
#[test]
fn every_configuration_in_the_manual_is_read_without_a_mistake() {
    let docs = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let mut folders = vec![docs];
    let mut examples = 0;
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.extension().is_none_or(|kind| kind != "md") {
                continue;
            }
            let page = std::fs::read_to_string(&path).unwrap();
            let blocks = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
            for example in blocks.filter(|block| !block.starts_with("[dependencies]")) {
                examples += 1;
                let elsewhere = |path: &str| path.ends_with("_file") || path.ends_with(".issuer");
                let mistakes = told(example);
                let wrong: Vec<_> =
                    mistakes.iter().filter(|(place, path, ..)| place.starts_with('E') && !elsewhere(path)).collect();
                assert!(wrong.is_empty(), "{}: {wrong:#?} in\n{example}", path.display());
            }
        }
    }
    assert!(examples > 0);
}
