use std::{
    fmt, fs,
    io::{self, Read as _, Write as _},
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

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";

/// The server's own Ed25519 key, with which it signs who a user is. Upstreams check it by [`SigningKey::jwks`].
pub struct SigningKey {
    pair: Ed25519KeyPair,
    id: String,
}

/// The signing key cannot be read or made. Says which file and why.
#[derive(Debug, thiserror::Error)]
pub enum UnusableKey {
    /// The file system said no.
    #[error("cannot read or make the signing key `{}`: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Others than the owner of the file may read or write it.
    #[error("the signing key `{}` has mode {mode:o}, so others can use it; set it to 600", path.display())]
    Mode {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is not an Ed25519 key in PKCS#8 PEM.
    #[error("`{}` is not an Ed25519 key in PKCS#8 PEM (`openssl genpkey -algorithm ed25519` writes one)", path.display())]
    NotAKey {
        /// The file.
        path: PathBuf,
    },
}

impl SigningKey {
    /// Reads the key of `path`; where there is no such file, makes a key and writes it with mode 0600 before it is used.
    ///
    /// Two servers that start at once end up with the same key.
    ///
    /// # Errors
    /// [`UnusableKey`]; a file that others may read is refused rather than repaired, since they may have read it.
    pub fn load_or_make(path: &Path, rng: &dyn Rng) -> Result<Self, UnusableKey> {
        let io = |error| UnusableKey::Io { path: path.to_owned(), error };
        match fs::File::open(path) {
            Ok(file) => Self::load(path, file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make(path, rng).map_err(io)?;
                Self::load(path, fs::File::open(path).map_err(io)?)
            }
            Err(error) => Err(io(error)),
        }
    }

    fn load(path: &Path, file: fs::File) -> Result<Self, UnusableKey> {
        // A PEM of this kind has 119 bytes; with the public half inside it is 160.
        const AT_MOST: u64 = 4096;
        let io = |error| UnusableKey::Io { path: path.to_owned(), error };
        let mode = mode(&file.metadata().map_err(io)?);
        if mode & 0o077 != 0 {
            return Err(UnusableKey::Mode { path: path.to_owned(), mode });
        }
        let mut pem = Vec::with_capacity(256);
        file.take(AT_MOST).read_to_end(&mut pem).map_err(io)?;
        let pem = Secret::new(pem);
        pem.reveal_text("to decode the key")
            .and_then(read_pem)
            .and_then(|der| Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.reveal("to load the key")).ok())
            .map(Self::of)
            .ok_or_else(|| UnusableKey::NotAKey { path: path.to_owned() })
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

    /// A compact JWS (RFC 7515) of a JSON payload, with `typ` in its header.
    pub(super) fn sign(&self, typ: &str, payload: &str) -> String {
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

/// Writes a fresh key to `path`, whole or not at all. Does nothing where somebody else was faster.
fn make(path: &Path, rng: &dyn Rng) -> io::Result<()> {
    let refused = |_| io::Error::other("the key was refused by the cryptographic library");
    let seed = Secret::new(rng.bytes32());
    let pair = Ed25519KeyPair::from_seed_unchecked(seed.reveal("to make the key"))
        .map_err(|error| io::Error::other(error.to_string()))?;
    let der = pair.to_pkcs8v1().map_err(refused)?;
    let body = Secret::from_text(STANDARD.encode(der.as_ref()));
    let pem = [BEGIN.as_bytes(), b"\n", body.reveal("to write the key"), b"\n", END.as_bytes(), b"\n"].concat();
    let pem = Secret::new(pem);

    let suffix = URL_SAFE_NO_PAD.encode(rng.bytes16());
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{suffix}"));
    let draft = PathBuf::from(draft);
    let written = write_private(&draft, pem.reveal("to write the key")).and_then(|()| fs::hard_link(&draft, path));
    fs::remove_file(&draft)?;
    match written {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        written => written,
    }
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(unix)]
fn mode(metadata: &fs::Metadata) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o7777
}

/// Elsewhere the directory has to keep others out.
#[cfg(not(unix))]
fn mode(_: &fs::Metadata) -> u32 {
    0
}

fn read_pem(pem: &str) -> Option<Secret> {
    let body = pem.trim().strip_prefix(BEGIN)?.strip_suffix(END)?;
    let body = Secret::from_text(body.split_ascii_whitespace().collect::<String>());
    STANDARD.decode(body.reveal("to decode the key")).ok().map(Secret::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

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
    fn a_key_is_made_once_for_its_owner_alone_and_read_ever_after() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("upstream.pem");
        let made = SigningKey::load_or_make(&path, &Fixed(1)).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
        let read = SigningKey::load_or_make(&path, &Fixed(2)).unwrap();
        assert_eq!(read.jwks(), made.jwks());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left behind");
    }

    #[test]
    fn a_key_that_was_made_meanwhile_is_the_one_that_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("upstream.pem");
        let first = SigningKey::load_or_make(&path, &Fixed(1)).unwrap();
        make(&path, &Fixed(2)).unwrap();
        assert_eq!(SigningKey::load_or_make(&path, &Fixed(3)).unwrap().id(), first.id());
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("upstream.pem");
        SigningKey::load_or_make(&path, &Fixed(1)).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = SigningKey::load_or_make(&path, &Fixed(1)).unwrap_err();
        assert!(matches!(error, UnusableKey::Mode { mode: 0o640, .. }), "{error}");
        assert!(error.to_string().contains("mode 640"), "{error}");
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
        let error = SigningKey::load_or_make(&folder.path().join("nowhere/key.pem"), &Fixed(1)).unwrap_err();
        assert!(matches!(error, UnusableKey::Io { .. }), "{error}");
    }
}
