use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
};

use clap::Args;

use super::{ConfigFile, Failure, say};
use crate::{config, system::random};

/// Write a small configuration with fresh secrets.
#[derive(Debug, Args)]
pub(super) struct Genconfig {
    /// The file to write; one that is there already is left alone.
    #[arg(short, long, value_name = "FILE", default_value = "doorward.toml")]
    config: PathBuf,
}

impl Genconfig {
    pub(super) fn run(self) -> Result<(), Failure> {
        let folder = self.config.parent().unwrap_or(Path::new(""));
        let name = self.config.file_name().map_or_else(|| PathBuf::from("doorward.toml"), PathBuf::from);
        let files = config::generate(&name, &random());
        config::write_new(folder, &files).map_err(|error| {
            let hint = match error.kind() {
                ErrorKind::AlreadyExists => "; move it away, or write elsewhere with `-c FOLDER/FILE`",
                _ => "",
            };
            Failure::new(format!("nothing is written: {error}{hint}"))
        })?;
        for file in &files {
            say(format_args!("wrote {}", folder.join(&file.path).display()));
        }
        let config = self.config.display();
        say(format_args!("next: doorward serve -c {config}"));
        say(format_args!(
            "then: export DOORWARD_TOKEN=$(doorward gentoken -c {config} --issuer site --subject bob --claim groups=3)"
        ));
        say("      doorward connect ws://127.0.0.1:8420/chat");
        Ok(())
    }
}

/// Check a configuration and print every mistake in it.
///
/// Exit code 64 where it cannot be used.
#[derive(Debug, Args)]
pub(super) struct Checkconfig {
    #[command(flatten)]
    file: ConfigFile,
    /// For a script.
    #[arg(long)]
    json: bool,
}

impl Checkconfig {
    pub(super) fn run(self) -> Result<(), Failure> {
        let result = self.file.read(&[])?;
        let name = self.file.config.display().to_string();
        let text = if self.json { config::describe_json(&result, &name) } else { config::describe(&result, &name) };
        say(text.trim_end());
        match result {
            Ok(_) => Ok(()),
            Err(_) => Err(Failure::of_config(format!("`{name}` cannot be used"))),
        }
    }
}

/// Print every key with its default.
#[derive(Debug, Args)]
pub(super) struct Defaultconfig {}

impl Defaultconfig {
    pub(super) fn run(self) -> Result<(), Failure> {
        say(config::default_text().trim_end());
        Ok(())
    }
}
