use doorward_auth::token::AccessClaims;
use doorward_types::{Secret, Timestamp};

/// The server's own issuer: it signs access tokens (`typ: at+jwt`), and knows its own again.
pub trait TokenSigner: Send + Sync {
    /// Signs.
    fn sign(&self, claims: &AccessClaims) -> Secret;

    /// What a token says, where this issuer signed it and it has not expired. Whether its login still holds is the site's affair.
    fn verify(&self, token: &Secret, now: Timestamp) -> Option<AccessClaims>;
}
