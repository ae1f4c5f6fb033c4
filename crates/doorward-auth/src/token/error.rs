/// Which rule a token broke: for the log. It never holds a part of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// It is longer than 8 KiB.
    #[error("the token is longer than 8 KiB")]
    TooLong,
    /// It is not text.
    #[error("the token is not text")]
    NotText,
    /// There are not exactly three segments; an encrypted token (JWE) has five.
    #[error("a signed token has exactly three segments")]
    Segments,
    /// A segment is not canonical base64url without padding.
    #[error("the {0} is not canonical base64url without padding")]
    Encoding(&'static str),
    /// A segment is not a JSON object, or a name stands twice in it.
    #[error("the {0} is not a JSON object without doubles")]
    Json(&'static str),
    /// The header has a parameter that is never taken: it would let the token say how it is to be trusted.
    #[error("the header has `{0}`, which is never taken")]
    HeaderParameter(&'static str),
    /// `alg` is missing, or none that the issuer's table has.
    #[error("the issuer does not sign with that algorithm")]
    Algorithm,
    /// The header's `typ` is not that of an access token.
    #[error("the header's `typ` is not that of an access token")]
    Type,
    /// `kid` is not text.
    #[error("the header's `kid` is not text")]
    KeyName,
    /// The issuer publishes no key for signatures of the name that `kid` gives; or the token names none, and there are several.
    #[error("the issuer publishes no such key for signatures")]
    UnknownKey,
    /// The signature does not fit.
    #[error("the signature does not fit")]
    Signature,
    /// A claim that has to be there is not.
    #[error("the claim `{0}` is missing")]
    Missing(&'static str),
    /// A claim has another form than its standard gives it.
    #[error("the claim `{0}` has another form than its standard gives it")]
    ClaimForm(&'static str),
    /// `iss` is another one.
    #[error("the token is from another issuer")]
    Issuer,
    /// `aud` does not contain ours.
    #[error("the token is for another audience")]
    Audience,
    /// One of the server's own tokens, for another owner's gates.
    #[error("the token is for another owner's gates")]
    Owner,
    /// `azp` or `client_id` is none of those that are taken.
    #[error("the token was given to another client")]
    Client,
    /// `exp` has passed.
    #[error("the token has expired")]
    Expired,
    /// `nbf` has not come yet.
    #[error("the token is not valid yet")]
    NotYet,
    /// `iat` has not come yet.
    #[error("the token was issued in the future")]
    IssuedInFuture,
    /// A refresh, ID, offline or logout token.
    #[error("the token is not an access token")]
    NotAnAccessToken,
    /// The claim that names the subject is missing, empty, too long, or neither text nor a whole number.
    #[error("the claim that names the subject is missing or has another form")]
    Subject,
}
