use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use aws_lc_rs::{
    digest,
    signature::{Ed25519KeyPair, KeyPair as _},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use doorward_auth::ports::Rng;
use doorward_types::Secret;

use super::private_file::{UnusableFile, kept_or_made};

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";

/// The server's own Ed25519 key, with which it signs who a user is: for upstreams, and in the access tokens of the built-in site.
/// Whoever is told checks it by [`SigningKey::jwks`].
pub struct SigningKey {
    pair: Ed25519KeyPair,
    id: String,
}

/// The signing key cannot be read or made. Says which file and why.
#[derive(Debug, thiserror::Error)]
pub enum UnusableKey {
    /// The cryptographic library refused a fresh key.
    #[error("the cryptographic library refused a fresh key")]
    Refused,
    /// Its file cannot be read or made, or is open to others.
    #[error("the signing key: {0}")]
    File(#[from] UnusableFile),
    /// It is not an Ed25519 key in PKCS#8 PEM.
    #[error("`{}` is not an Ed25519 key in PKCS#8 PEM (`openssl genpkey -algorithm ed25519` writes one)", path.display())]
    NotAKey {
        /// The file.
        path: PathBuf,
    },
}

impl SigningKey {
    /// Reads the key of `path`; where there is no such file, makes a key and [keeps](kept_or_made) it before it is used.
    ///
    /// # Errors
    /// [`UnusableKey`].
    pub fn load_or_make(path: &Path, rng: &dyn Rng) -> Result<Self, UnusableKey> {
        let pem = kept_or_made(path, rng, || draw_pem(rng))?;
        pem.reveal_text("to decode the key")
            .and_then(read_pem)
            .and_then(|der| Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.reveal("to load the key")).ok())
            .map(Self::of)
            .ok_or_else(|| UnusableKey::NotAKey { path: path.to_owned() })
    }

    /// A key that is kept nowhere: assertions of an earlier run cannot be verified with it.
    ///
    /// # Errors
    /// [`UnusableKey::Refused`] by the cryptographic library.
    pub fn draw(rng: &dyn Rng) -> Result<Self, UnusableKey> {
        let seed = Secret::new(rng.bytes32());
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.reveal("to make the key"));
        pair.map(Self::of).map_err(|_| UnusableKey::Refused)
    }

    fn of(pair: Ed25519KeyPair) -> Self {
        // RFC 7638 and RFC 8037: the members of the key in the order of their names, without spaces.
        let x = URL_SAFE_NO_PAD.encode(pair.public_key());
        let thumbprint =
            digest::digest(&digest::SHA256, format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#).as_bytes());
        Self { pair, id: URL_SAFE_NO_PAD.encode(thumbprint) }
    }

    /// The key's id, `kid` in assertions: its thumbprint (RFC 7638).
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The public half as a JSON Web Key Set (RFC 7517, RFC 8037), served at `/.well-known/jwks.json`.
    pub fn jwks(&self) -> String {
        let x = URL_SAFE_NO_PAD.encode(self.pair.public_key());
        let kid = &self.id;
        format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","use":"sig","kid":"{kid}","x":"{x}"}}]}}"#)
    }

    /// The public half: 32 bytes (RFC 8032).
    pub fn public(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    /// A compact JWS (RFC 7515) of a JSON payload, with `typ` in its header: whoever reads it tells by that what it is for.
    pub fn sign(&self, typ: &str, payload: &str) -> String {
        let header = format!(r#"{{"alg":"EdDSA","typ":"{typ}","kid":"{}"}}"#, self.id);
        let mut token = URL_SAFE_NO_PAD.encode(header);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(payload, &mut token);
        let signature = self.pair.sign(token.as_bytes());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        token
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A fresh key in PEM.
fn draw_pem(rng: &dyn Rng) -> io::Result<Secret> {
    let refused = |_| io::Error::other("the key was refused by the cryptographic library");
    let seed = Secret::new(rng.bytes32());
    let pair = Ed25519KeyPair::from_seed_unchecked(seed.reveal("to make the key"))
        .map_err(|error| io::Error::other(error.to_string()))?;
    let der = pair.to_pkcs8v1().map_err(refused)?;
    let body = Secret::from_text(STANDARD.encode(der.as_ref()));
    let pem = [BEGIN.as_bytes(), b"\n", body.reveal("to write the key"), b"\n", END.as_bytes(), b"\n"].concat();
    Ok(Secret::new(pem))
}

fn read_pem(pem: &str) -> Option<Secret> {
    let body = pem.trim().strip_prefix(BEGIN)?.strip_suffix(END)?;
    let body = Secret::from_text(body.split_ascii_whitespace().collect::<String>());
    STANDARD.decode(body.reveal("to decode the key")).ok().map(Secret::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::PermissionsExt as _};

    struct Fixed(u8);

    impl Rng for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn the_thumbprint_is_that_of_the_standard() {
        // The key of RFC 8037, appendix A.1, and its thumbprint of appendix A.3.
        let seed = URL_SAFE_NO_PAD.decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
        let key = SigningKey::of(Ed25519KeyPair::from_seed_unchecked(&seed).unwrap());
        assert_eq!(key.id(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        assert!(key.jwks().contains("\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\""));
    }

    #[test]
    fn a_key_is_made_once_and_read_ever_after() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("upstream.pem");
        let made = SigningKey::load_or_make(&path, &Fixed(1)).unwrap();
        let read = SigningKey::load_or_make(&path, &Fixed(2)).unwrap();
        assert_eq!(read.jwks(), made.jwks());
    }

    #[test]
    fn a_file_that_is_no_key_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("upstream.pem");
        for text in ["", "hello", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"] {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            let error = SigningKey::load_or_make(&path, &Fixed(1)).unwrap_err();
            assert!(matches!(error, UnusableKey::NotAKey { .. }), "{error}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }
}
