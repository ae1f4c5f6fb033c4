use std::sync::Arc;

use doorward_types::{AccountId, OwnerId, Secret, SessionId, Timestamp};
use jsonwebtoken::DecodingKey;
use serde_json::{Map, Value, json};

use super::{Algorithm, Issuer, Profile, Token, TokenError, compact::Compact, issuer::Keys};

/// The claim that names whose gates a token of the server's own is for.
const OWNER: &str = "owner";
/// The claim that has the account's name as it is shown.
const USERNAME: &str = "username";

/// What an access token of the built-in site says (RFC 9068): who, by which login, for whose gates, until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessClaims {
    /// Whose gates it is for.
    pub owner: OwnerId,
    /// `sub`: the account.
    pub account: AccountId,
    /// The account's name as it is shown.
    pub username: String,
    /// `sid`: the login that it rests on, and is void without.
    pub sid: SessionId,
    /// `jti`: its own id.
    pub id: String,
    /// `amr`: by which factors (RFC 8176).
    pub factors: Vec<String>,
    /// `iat`.
    pub issued_at: Timestamp,
    /// `exp`.
    pub expires_at: Timestamp,
}

impl AccessClaims {
    /// The type of the token, `typ` in its header: an assertion for an upstream, which the same key signs, is none.
    pub const TYPE: &'static str = "at+jwt";

    /// What is to be signed.
    pub fn payload(&self) -> String {
        json!({
            "iss": Issuer::OWN,
            "aud": Issuer::OWN,
            "sub": self.account.to_string(),
            OWNER: self.owner.as_str(),
            USERNAME: self.username,
            "sid": self.sid.to_string(),
            "jti": self.id,
            "amr": self.factors,
            "iat": self.issued_at.as_secs(),
            "exp": self.expires_at.as_secs(),
        })
        .to_string()
    }

    /// What a token says that the holder of the key signed, for whichever owner it names, at the time `now`. Whether its login
    /// still holds is for whoever asks to find out.
    ///
    /// `key` is the public half, 32 bytes of Ed25519.
    ///
    /// # Errors
    /// The rule that it broke.
    pub fn verify(token: &Secret, key: &[u8], now: Timestamp) -> Result<Self, TokenError> {
        let text = token.reveal_text("a token to be verified").ok_or(TokenError::NotText)?;
        // Which owner's it says it is decides by which issuer it is verified, and nothing else.
        let claims = Compact::read(text)?.claims()?;
        let owner = claims.get(OWNER).ok_or(TokenError::Missing(OWNER))?;
        let owner = OwnerId::new(owner.as_str().ok_or(TokenError::ClaimForm(OWNER))?);
        let token = Issuer::own(&owner, key).verify(token, now)?;
        Ok(Self {
            owner,
            account: token.subject.pk.parse().map_err(|_| TokenError::Subject)?,
            username: token.subject.uuid.clone(),
            sid: token.login().ok_or(TokenError::ClaimForm("sid"))?,
            id: token.id.clone().ok_or(TokenError::Missing("jti"))?,
            factors: token.keep(["amr"]).remove("amr").unwrap_or_default(),
            issued_at: token.issued_at,
            expires_at: token.expires_at,
        })
    }
}

impl Issuer {
    /// The name of the server's own issuer: a ladder takes the tokens of the built-in site by it, and no `[[issuer]]` may have
    /// it.
    pub const OWN: &'static str = "doorward";

    /// The server's own issuer, for the gates of that owner: what the built-in site signs there. Behind each of its tokens is a
    /// login, without which a token is worth nothing.
    ///
    /// `key` is the public half of the server's key, 32 bytes of Ed25519.
    pub fn own(owner: &OwnerId, key: &[u8]) -> Self {
        Self {
            name: Self::OWN.to_owned(),
            owner: owner.clone(),
            issuer: Self::OWN.to_owned(),
            audience: Self::OWN.to_owned(),
            clients: Vec::new(),
            algorithms: vec![Algorithm::EdDSA],
            keys: Keys::Here(Arc::new(DecodingKey::from_ed_der(key))),
            signing: None,
            subject_claim: "sub".to_owned(),
            uuid_claim: Some(USERNAME.to_owned()),
            subject_kind: AccountId::KIND.to_owned(),
            profile: Profile::Oauth,
        }
    }

    /// Whether it is the server's own.
    pub fn is_own(&self) -> bool {
        self.name == Self::OWN
    }

    /// All owners' tokens of the server's own are signed with one key, so that each has to say whose it is.
    pub(super) fn check_owner(&self, claims: &Map<String, Value>) -> Result<(), TokenError> {
        if !self.is_own() {
            return Ok(());
        }
        match claims.get(OWNER) {
            None => Err(TokenError::Missing(OWNER)),
            Some(Value::String(owner)) if owner == self.owner.as_str() => Ok(()),
            Some(Value::String(_)) => Err(TokenError::Owner),
            Some(_) => Err(TokenError::ClaimForm(OWNER)),
        }
    }
}

impl Token {
    /// The login at the built-in site that it comes from, where its `sid` can be one.
    pub(crate) fn login(&self) -> Option<SessionId> {
        self.sid.as_deref()?.parse().ok()
    }
}
