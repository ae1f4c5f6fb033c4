//! Doorward as it is measured: a configuration in a folder of its own, every cap raised out of the way.

use crate::{
    child::{self, Running},
    error::{Result, Trying},
    token,
};
use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// A configuration and its secret, written down.
pub(crate) struct Doorward {
    pub(crate) secret_file: PathBuf,
    config: PathBuf,
    folder: PathBuf,
}

impl Doorward {
    /// Writes both into `folder`, with these gates.
    pub(crate) fn configured(folder: &Path, gates: &str) -> Result<Self> {
        let config = folder.join("doorward.toml");
        let secret_file = private(folder, "secret.txt", b"a-secret-of-the-benchmark-alone-0123456789")?;
        fs::write(&config, text(gates)).trying(config.display().to_string())?;
        Ok(Self { secret_file, config, folder: folder.to_owned() })
    }

    /// Starts the server; it is ready when its first address is.
    pub(crate) fn start(&self, binary: &Path, cpu: usize) -> Result<Running> {
        let args = ["serve".as_ref(), "-c".as_ref(), self.config.as_os_str()];
        Running::start(cpu, binary, &args, &self.folder)
    }

    /// Makes a key to the HTTP API that may do everything; the file that it is in.
    pub(crate) fn api_key(&self, binary: &Path) -> Result<PathBuf> {
        let key = child::output(&self.command(binary, &["apikey", "add", "bench", "--all"]))?;
        private(&self.folder, "api-key.txt", &key)
    }

    /// The words of a command on this configuration, and on the server that runs with it.
    pub(crate) fn command(&self, binary: &Path, words: &[&str]) -> Vec<String> {
        let binary = binary.display().to_string();
        let words = words.iter().map(|word| (*word).to_owned());
        [binary].into_iter().chain(words).chain(["-c".to_owned(), self.config.display().to_string()]).collect()
    }

    /// Bytes of the store on disk, its log included.
    pub(crate) fn store_bytes(&self) -> u64 {
        ["doorward.db", "doorward.db-wal"]
            .iter()
            .filter_map(|name| fs::metadata(self.folder.join(name)).ok())
            .map(|file| file.len())
            .sum()
    }
}

/// Writes a new file that others on the machine cannot read.
fn private(folder: &Path, name: &str, bytes: &[u8]) -> Result<PathBuf> {
    let path = folder.join(name);
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
    opened.and_then(|mut file| file.write_all(bytes)).trying(path.display().to_string())?;
    Ok(path)
}

/// The binary to measure: the named one, or the one beside this program.
pub(crate) fn binary(named: Option<&Path>) -> Result<Option<PathBuf>> {
    if let Some(path) = named {
        return Ok(Some(fs::canonicalize(path).trying(path.display().to_string())?));
    }
    let beside = std::env::current_exe().trying("the path of this program")?.with_file_name("doorward");
    Ok(beside.is_file().then_some(beside))
}

fn text(gates: &str) -> String {
    let (issuer, audience) = (token::ISSUER, token::AUDIENCE);
    format!(
        r#"[server]
listen = "127.0.0.1:0"

[internal]
listen = "127.0.0.1:0"

[store]
url = "sqlite://doorward.db"

[limits]
sockets_per_source = 100000
sockets_per_subject = 100000
sockets_per_node = 100000
climbing_per_source = 100000
climbing_per_node = 100000
climbing_early_drop = 100000
messages_per_second = 10000000
message_burst = 10000000
outbox_messages = 100000
outbox_bytes = "64MiB"

[[issuer]]
name = "bench"
issuer = "{issuer}"
audience = "{audience}"
algorithms = ["HS256"]
secret_file = "secret.txt"

{gates}"#
    )
}
