use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use doorward_auth::{
    BoxFuture,
    ports::{IssuerKeys, PortError},
    token::{KeyPlace, KeySet},
};
use serde_json::json;

use crate::tokens::TestKey;

/// What all issuers publish: by script, and after the time that it says.
#[derive(Default)]
pub struct Publisher {
    script: Mutex<Script>,
}

#[derive(Default)]
struct Script {
    /// The document; nothing answers where there is none.
    document: Option<String>,
    takes: Duration,
    fresh_for: Option<Duration>,
    asked: Vec<KeyPlace>,
}

impl Publisher {
    /// Publishes these keys, each under its name, from now on.
    pub fn publish(&self, keys: &[(&str, &TestKey)]) {
        let keys: Vec<_> = keys.iter().map(|(kid, key)| key.jwk(kid)).collect();
        self.publish_text(&json!({ "keys": keys }).to_string());
    }

    /// Publishes this, whatever it is.
    pub fn publish_text(&self, document: &str) {
        self.script(|script| script.document = Some(document.to_owned()));
    }

    /// Goes away.
    pub fn stop(&self) {
        self.script(|script| script.document = None);
    }

    /// Takes that long for every answer.
    pub fn take(&self, takes: Duration) {
        self.script(|script| script.takes = takes);
    }

    /// Calls what it publishes fresh for so long.
    pub fn call_fresh_for(&self, fresh_for: Duration) {
        self.script(|script| script.fresh_for = Some(fresh_for));
    }

    /// For which places it was asked, since the last time that somebody wanted to know.
    pub fn asked(&self) -> Vec<KeyPlace> {
        self.script(|script| std::mem::take(&mut script.asked))
    }

    fn script<T>(&self, with: impl FnOnce(&mut Script) -> T) -> T {
        with(&mut self.script.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl IssuerKeys for Publisher {
    fn fetch<'a>(&'a self, place: &'a KeyPlace) -> BoxFuture<'a, Result<KeySet, PortError>> {
        let takes = self.script(|script| {
            script.asked.push(place.clone());
            script.takes
        });
        Box::pin(async move {
            tokio::time::sleep(takes).await;
            let down = |detail: String| PortError { port: "the key set of the issuer", detail };
            let (document, fresh_for) = self.script(|script| (script.document.clone(), script.fresh_for));
            let document = document.ok_or_else(|| down("nothing answers there".to_owned()))?;
            let keys = KeySet::read(document.as_bytes(), &place.algorithms).map_err(|why| down(why.to_string()))?;
            Ok(keys.fresh_for(fresh_for))
        })
    }
}
