//! Keys to the HTTP API: how one is made, and what one may do.

use doorward_types::{KeyText, Secret};

use crate::{
    crypto::{hex, sha256},
    ports::Rng,
};

/// An API key as it is made: its text for the holder, and the hash under which it is kept.
#[derive(Debug)]
pub struct NewApiKey {
    /// `dwa_...`: shown once, stored nowhere.
    pub text: Secret,
    /// What [`ApiKeys::add`](crate::ports::ApiKeys::add) takes.
    pub hash: [u8; 32],
    /// What the key is known by: the first eight bytes of the hash, in hex.
    pub id: String,
}

impl NewApiKey {
    /// Draws a key.
    pub fn draw(rng: &dyn Rng) -> Self {
        let text = KeyText::Api.write(&rng.bytes32());
        let hash = sha256(&[text.reveal("to hash it")]);
        Self { text, hash, id: hex(&hash[..8]) }
    }
}

/// The hash under which a key is looked for; `None` for a text that cannot be one.
pub fn hash_of_api_key(text: &str) -> Option<[u8; 32]> {
    KeyText::Api.read(text).ok().map(|_| sha256(&[text.as_bytes()]))
}

macro_rules! scopes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal;)*) => {
        /// What a caller of the HTTP API may do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Scope { $($(#[$doc])* $variant,)* }

        impl Scope {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word for it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The one of that word.
            pub fn read(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|scope| scope.as_str() == word)
            }
        }
    };
}

scopes! {
    /// Sees live sockets.
    SocketsRead = "sockets:read";
    /// Ends live sockets.
    SocketsEnd = "sockets:end";
    /// Sees logins.
    SessionsRead = "sessions:read";
    /// Ends logins.
    SessionsEnd = "sessions:end";
    /// Emits events to live sockets.
    EventsEmit = "events:emit";
    /// Sees accounts.
    AccountsRead = "accounts:read";
    /// Makes, disables and enables accounts.
    AccountsWrite = "accounts:write";
    /// Makes tickets.
    TicketsWrite = "tickets:write";
    /// Sees app keys.
    KeysRead = "keys:read";
    /// Makes and revokes app keys.
    KeysWrite = "keys:write";
    /// Sees the keys to this API.
    ApiKeysRead = "api_keys:read";
    /// Makes and revokes keys to this API.
    ApiKeysWrite = "api_keys:write";
    /// Sees the decisions of gates.
    AuditRead = "audit:read";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::SystemRng;

    #[test]
    fn a_key_is_found_again_by_its_text_alone() {
        let key = NewApiKey::draw(&SystemRng);
        let text = key.text.reveal_text("a test").unwrap();
        assert!(text.starts_with("dwa_"));
        assert_eq!(hash_of_api_key(text), Some(key.hash));
        assert_eq!(key.id.len(), 16);
        assert_eq!(hash_of_api_key(&text.replace("dwa_", "dwt_")), None);
        assert!(!text.contains(&key.id));
    }

    #[test]
    fn every_scope_reads_back_from_its_word() {
        for scope in Scope::ALL {
            assert_eq!(Scope::read(scope.as_str()), Some(*scope));
        }
        assert_eq!(Scope::read("sockets:*"), None);
    }
}
