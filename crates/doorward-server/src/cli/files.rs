//! The configuration file as commands use it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use doorward_store::Store;

use super::{ConfigFile, Failure, input};
use crate::{
    config::{self, Config, Loaded, Mistake, Override},
    control::{InUse, StoreLock},
    node,
};

impl ConfigFile {
    /// The configuration, with the environment over it. Warnings are for `serve` and `checkconfig` to print.
    pub(super) fn load(&self) -> Result<Config, Failure> {
        Ok(self.load_with(&[])?.config)
    }

    /// The configuration, with environment and flags over it.
    pub(super) fn load_with(&self, overrides: &[Override]) -> Result<Loaded, Failure> {
        self.read(overrides)?.map_err(|mistakes| {
            let told: Vec<_> = mistakes.iter().map(ToString::to_string).collect();
            Failure::of_config(format!("the configuration cannot be used\n\n{}", told.join("\n\n")))
        })
    }

    /// As [`load_with`](Self::load_with), with every mistake.
    pub(super) fn read(&self, overrides: &[Override]) -> Result<Result<Loaded, Vec<Mistake>>, Failure> {
        let text = std::fs::read_to_string(&self.config).map_err(|error| {
            let hint = "name another with `-c FILE`, or write one with `doorward genconfig`";
            Failure::of_config(format!(
                "cannot read the configuration `{}`: {error}\nhint: {hint}",
                self.config.display()
            ))
        })?;
        let environment: BTreeMap<_, _> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let (name, base) = (self.config.display().to_string(), self.base());
        let read_secret = config::secret_reader(&base);
        Ok(config::load(&text, &name, &environment, overrides, &read_secret))
    }

    /// The folder that paths in the file are relative to.
    pub(super) fn base(&self) -> PathBuf {
        self.config.parent().map(Path::to_path_buf).unwrap_or_default()
    }

    /// Where a running server listens for the command line.
    pub(super) fn control_socket(&self) -> Result<PathBuf, Failure> {
        let config = self.load()?;
        node::control_path(&config, &self.base()).ok_or_else(|| {
            Failure::new("a store in memory has no place for the command line's socket; give `[store] control` a path")
        })
    }

    /// An owner that a question is narrowed to has to be there: the answer of a misspelt one would be empty.
    pub(super) fn knows_owner(&self, name: Option<&str>) -> Result<(), Failure> {
        name.map_or(Ok(()), |name| input::owner(&self.load()?, Some(name)).map(drop))
    }

    /// The store, beside a server that may be running on it. What is only looked into or changed is not made: all that could be
    /// said of an empty one would be that nobody is there.
    pub(super) fn open_store(&self) -> Result<Store, Failure> {
        let path = self.store_path()?;
        if path.try_exists().is_ok_and(|is_there| !is_there) {
            let hint = "a server makes one when it starts, and so does `doorward user add`";
            return Err(Failure::new(format!("there is no store at `{}`\nhint: {hint}", path.display())));
        }
        Ok(Store::open(&path.display().to_string())?)
    }

    /// The store, made where there is none yet; but not where a server runs on one whose file is gone, which would not see it.
    pub(super) fn open_or_make_store(&self) -> Result<Store, Failure> {
        let path = self.store_path()?;
        if path.try_exists().is_ok_and(|is_there| !is_there)
            && let Err(InUse::Another(_)) = StoreLock::take(&path)
        {
            let hint = "stop it; what it has written since then is lost";
            let path = path.display();
            return Err(Failure::new(format!("a server runs on the store `{path}`, whose file is gone\nhint: {hint}")));
        }
        Ok(Store::open(&path.display().to_string())?)
    }

    fn store_path(&self) -> Result<PathBuf, Failure> {
        let path = node::store_path(&self.load()?, &self.base());
        path.ok_or_else(|| Failure::new("a store in memory cannot be reached from another process"))
    }
}
