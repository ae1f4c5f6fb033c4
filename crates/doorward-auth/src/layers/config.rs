use serde::Deserialize;

use super::{
    conversation::{
        app_key::AppKeyConfig, assert_login::AssertLoginConfig, authenticator::AuthenticatorConfig,
        challenge::ChallengeConfig, ident::IdentConfig, jwt::JwtConfig, key_entry::KeyEntryConfig, offer::OfferConfig,
        password::PasswordConfig, totp::TotpConfig,
    },
    handshake::{bearer::BearerConfig, session::SessionConfig, ticket::TicketConfig},
};

/// One rung of a ladder as an owner writes it: `{ jwt = { issuer = "site" } }`.
///
/// ```
/// use doorward_auth::layers::RungConfig;
/// let ladder = r#"[{"any": [[{"ticket": {}}], [{"app_key": {"timeout": "10s"}}]]}, {"ident": {"glyph": "☂"}}]"#;
/// let ladder: Vec<RungConfig> = serde_json::from_str(ladder).unwrap();
/// assert_eq!(ladder.len(), 2);
/// ```
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RungConfig {
    /// A one-time ticket, made by a separate request.
    Ticket(TicketConfig),
    /// A signed token in the upgrade request.
    Bearer(BearerConfig),
    /// A signed token, sent over the socket.
    Jwt(JwtConfig),
    /// Possession of an app key.
    AppKey(AppKeyConfig),
    /// A question that only holders of a secret can answer.
    Challenge(ChallengeConfig),
    /// The gate shows who it is.
    Ident(IdentConfig),
    /// Several layers at once, without a prompt.
    Offer(OfferConfig),
    /// A record of the embedding application looks at what the user sent.
    Authenticator(AuthenticatorConfig),
    /// The cookie of a login at the built-in site.
    Session(SessionConfig),
    /// Name and password of an account of the built-in site.
    Password(PasswordConfig),
    /// The user has to be logged in at the built-in site; the socket waits for it.
    AssertLogin(AssertLoginConfig),
    /// A key that the built-in site shows.
    KeyEntry(KeyEntryConfig),
    /// The code of a phone.
    Totp(TotpConfig),
    /// Alternatives: the user takes one of these lists, and passes all of it.
    Any(Vec<Vec<RungConfig>>),
    /// Layers that the user may take or skip.
    Optional(Vec<RungConfig>),
}

impl RungConfig {
    /// The key by which it stands in the configuration.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Ticket(_) => "ticket",
            Self::Bearer(_) => "bearer",
            Self::Jwt(_) => "jwt",
            Self::AppKey(_) => "app_key",
            Self::Challenge(_) => "challenge",
            Self::Ident(_) => "ident",
            Self::Offer(_) => "offer",
            Self::Authenticator(_) => "authenticator",
            Self::Session(_) => "session",
            Self::Password(_) => "password",
            Self::AssertLogin(_) => "assert_login",
            Self::KeyEntry(_) => "key_entry",
            Self::Totp(_) => "totp",
            Self::Any(_) => "any",
            Self::Optional(_) => "optional",
        }
    }
}
