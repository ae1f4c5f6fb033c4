//! The baseline on Node: a server on the npm package `socket.io`, which stands with those of the end-to-end tests.

use crate::{child::Running, error::Result};
use std::{
    path::Path,
    process::{Command, Stdio},
};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../e2e/node");

/// What is missing for it, and how to get it; `None` where nothing is.
pub(super) fn is_missing() -> Option<&'static str> {
    let runs = Command::new("node").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !runs.is_ok_and(|status| status.success()) {
        return Some("`node` (20 or newer) is not there");
    }
    let has_packages = Path::new(FOLDER).join("node_modules/socket.io").is_dir();
    (!has_packages).then_some("its packages are not there: `npm ci --prefix e2e/node`")
}

/// Starts it, pinned to that processor.
pub(super) fn start(cpu: usize, folder: &Path) -> Result<Running> {
    let script = Path::new(FOLDER).join("socketio-emitter.mjs");
    Running::start(cpu, Path::new("node"), &[script], folder)
}
