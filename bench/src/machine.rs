//! The machine that everything runs on: whether it is quiet, and what it lets a process do.

use crate::error::{Error, Result, Trying};
use std::{
    fs,
    io::{Write, stderr},
};

/// Load average of the last minute above which somebody else's work is in the figures.
const QUIET: f64 = 0.5;

/// Says so when the machine is busy.
pub(crate) fn say_if_busy() {
    if let Some(load) = fs::read_to_string("/proc/loadavg").ok().as_deref().and_then(load_average)
        && load > QUIET
    {
        say(&format!("the machine is busy (load average {load}): absolute figures will be low, ratios will scatter"));
    }
}

/// An error if a process here may not open that many files.
pub(crate) fn may_open(files: u64) -> Result<()> {
    let limits = fs::read_to_string("/proc/self/limits").trying("/proc/self/limits")?;
    match open_files(&limits) {
        Some(limit) if limit < files => Err(Error::Usage(format!(
            "a process may open {limit} files here and {files} are needed: run `ulimit -n 20000` first"
        ))),
        _ => Ok(()),
    }
}

/// The soft limit of `/proc/PID/limits`; `None` when there is none.
fn open_files(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

/// The mean of the last minute in `/proc/loadavg`.
fn load_average(loadavg: &str) -> Option<f64> {
    loadavg.split_ascii_whitespace().next()?.parse().ok()
}

/// Progress and warnings: standard output is for the results.
pub(crate) fn say(line: &str) {
    let _ = writeln!(stderr(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_load_average_is_that_of_the_last_minute() {
        assert_eq!(load_average("2.34 2.10 1.51 3/96 32238\n"), Some(2.34));
        assert_eq!(load_average(""), None);
    }

    #[test]
    fn the_soft_limit_is_the_first_number() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units\n\
                      Max open files            1024                 524288               files\n";
        assert_eq!(open_files(limits), Some(1024));
        assert_eq!(open_files("Max open files            unlimited            unlimited            files\n"), None);
    }
}
