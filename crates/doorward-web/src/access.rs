use doorward_auth::ports::PortError;
use doorward_types::{AccountId, OwnerId, Secret, SessionId, Timestamp};

/// What an access token says (RFC 9068): who, by which login, for whom, until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessClaims {
    /// `aud`: whose gates it is for.
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

/// The server's own issuer: it signs access tokens (`typ: at+jwt`), and knows its own again.
pub trait TokenSigner: Send + Sync {
    /// Signs.
    ///
    /// # Errors
    /// The key cannot be used.
    fn sign(&self, claims: &AccessClaims) -> Result<Secret, PortError>;

    /// What a token says, where this issuer signed it and it has not expired. Whether its login still holds is the site's affair.
    fn verify(&self, token: &Secret, now: Timestamp) -> Option<AccessClaims>;
}
