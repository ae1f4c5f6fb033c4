use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use doorward_types::Secret;

/// The name of the file that holds the secret of the first issuer.
const SECRET_FILE: &str = "site.secret";

/// A file to write.
#[derive(Clone, Debug)]
pub struct NewFile {
    /// Where, relative to the folder of the configuration.
    pub path: PathBuf,
    /// Its permission bits, where the system has them.
    pub mode: u32,
    /// What is in it.
    pub contents: Secret,
}

/// A first configuration and the secret it needs, made of 32 random bytes: an owner, an issuer, a hub, and an upstream to uncomment.
pub fn generate(file: &Path, random: &[u8; 32]) -> Vec<NewFile> {
    let mut secret = String::with_capacity(65);
    for byte in random {
        secret.push_str(&format!("{byte:02x}"));
    }
    secret.push('\n');
    vec![
        NewFile { path: file.to_owned(), mode: 0o644, contents: Secret::from_text(include_str!("first.toml")) },
        NewFile { path: SECRET_FILE.into(), mode: 0o600, contents: Secret::from_text(secret) },
    ]
}

/// Writes files that are not there yet, all or none: one that is there already is an error, and stays as it is.
pub fn write_new(folder: &Path, files: &[NewFile]) -> io::Result<()> {
    let mut written: Vec<PathBuf> = Vec::new();
    for file in files {
        let path = folder.join(&file.path);
        if let Err(error) = write_one(&path, file, &mut written) {
            for path in &written {
                // What is told is why the writing failed; a file left over is no further harm.
                let _ = fs::remove_file(path);
            }
            return Err(io::Error::new(error.kind(), format!("`{}`: {error}", path.display())));
        }
    }
    Ok(())
}

fn write_one(path: &Path, file: &NewFile, written: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, file.mode);
    let mut open = options.open(path)?;
    written.push(path.to_owned());
    open.write_all(file.contents.reveal("a file that was asked for"))?;
    open.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{load, secret_reader};

    #[test]
    fn what_is_generated_can_be_used_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let files = generate(Path::new("doorward.toml"), &[0xA5; 32]);
        write_new(folder.path(), &files).unwrap();
        let text = fs::read_to_string(folder.path().join("doorward.toml")).unwrap();
        let loaded = load(&text, "doorward.toml", &Default::default(), &[], &secret_reader(folder.path())).unwrap();
        assert_eq!(loaded.warnings, []);
        assert_eq!(loaded.config.gates.len(), 1);
        assert_eq!(loaded.config.issuers.len(), 1);
        let secret = fs::read_to_string(folder.path().join(SECRET_FILE)).unwrap();
        assert_eq!(secret.trim_end(), "a5".repeat(32));
    }

    #[test]
    fn the_gates_that_are_commented_out_can_be_used_too() {
        let text = include_str!("first.toml");
        let uncommented: String = text
            .lines()
            .map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line))
            .fold(String::new(), |text, line| text + line + "\n");
        let secret = |_: &Path| Ok(Secret::from_text("0123456789abcdef0123456789abcdef"));
        let loaded = load(&uncommented, "doorward.toml", &Default::default(), &[], &secret).unwrap();
        assert_eq!(loaded.config.gates.len(), 2);
        assert_eq!(loaded.warnings, []);
    }

    #[test]
    fn nothing_is_overwritten_and_nothing_half_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let files = generate(Path::new("doorward.toml"), &[1; 32]);
        fs::write(folder.path().join(SECRET_FILE), "the old one").unwrap();
        let error = write_new(folder.path(), &files).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert!(error.to_string().contains(SECRET_FILE), "{error}");
        assert!(!folder.path().join("doorward.toml").exists());
        assert_eq!(fs::read_to_string(folder.path().join(SECRET_FILE)).unwrap(), "the old one");
    }

    #[cfg(unix)]
    #[test]
    fn the_secret_is_the_writer_s_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        write_new(folder.path(), &generate(Path::new("doorward.toml"), &[1; 32])).unwrap();
        let mode = fs::metadata(folder.path().join(SECRET_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
