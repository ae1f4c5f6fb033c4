//! Processes that the table starts: pinned to a processor, limited in time, and ended with the table whatever happens.

use crate::error::{Error, Result, Trying};
use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::Duration,
};

/// How long a server may take until it says where it listens.
const START: Duration = Duration::from_secs(20);
/// How many other lines it may say before.
const MOST_LINES: usize = 100;

/// A running process. Dropping it kills it and waits for its end.
pub(crate) struct Running {
    child: Child,
    name: String,
    lines: Receiver<String>,
    errors: PathBuf,
}

impl Running {
    /// Starts `program` pinned to `cpu`, with `folder` as working directory and place of its standard error.
    pub(crate) fn start<S: AsRef<OsStr>>(cpu: usize, program: &Path, args: &[S], folder: &Path) -> Result<Self> {
        let name = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
        Self::start_as(name, cpu, program, args, folder)
    }

    /// The same program as this one, with other arguments; the first of them is its name in errors.
    pub(crate) fn start_self<S: AsRef<OsStr>>(cpu: usize, args: &[S], folder: &Path) -> Result<Self> {
        let program = std::env::current_exe().trying("the path of this program")?;
        let name = args.first().map_or_else(String::new, |part| part.as_ref().to_string_lossy().into_owned());
        Self::start_as(name, cpu, &program, args, folder)
    }

    fn start_as<S: AsRef<OsStr>>(name: String, cpu: usize, program: &Path, args: &[S], folder: &Path) -> Result<Self> {
        let errors = folder.join(format!("{name}.stderr"));
        let log = File::create(&errors).trying(errors.display().to_string())?;
        let mut words: Vec<OsString> = vec!["--cpu-list".into(), cpu.to_string().into()];
        // Replaces itself by the program as `taskset` does, so the process id stays; the kernel then ends the program
        // with the table even if the table is killed.
        if has_setpriv() {
            words.extend(["setpriv", "--pdeathsig", "KILL"].map(OsString::from));
        }
        words.push(program.into());
        words.extend(args.iter().map(|arg| arg.as_ref().to_owned()));
        let mut child = Command::new("taskset")
            .args(&words)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .trying(format!("starting `{name}` with `taskset`"))?;
        let (sender, lines) = mpsc::channel();
        if let Some(output) = child.stdout.take() {
            // Reads to the end, so that the child never blocks on a full pipe.
            thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(std::io::Result::ok) {
                    let _ = sender.send(line);
                }
            });
        }
        Ok(Self { child, name, lines, errors })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the server's first `listening on ADDR`.
    pub(crate) fn address(&mut self) -> Result<SocketAddr> {
        for _ in 0..MOST_LINES {
            let line = self.line(START)?;
            if let Some(address) = listening(&line) {
                return Ok(address);
            }
        }
        Err(self.failed("did not say where it listens".to_owned()))
    }

    /// Waits for the next line of standard output.
    pub(crate) fn line(&mut self, limit: Duration) -> Result<String> {
        self.lines.recv_timeout(limit).map_err(|error| match error {
            RecvTimeoutError::Timeout => self.failed(format!("said nothing for {} s", limit.as_secs())),
            RecvTimeoutError::Disconnected => self.failed("ended".to_owned()),
        })
    }

    /// Whether it is no longer running.
    pub(crate) fn ended(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)) | Err(_))
    }

    /// An error about this process, with the end of what it wrote on standard error.
    pub(crate) fn failed(&self, what: String) -> Error {
        let log = std::fs::read_to_string(&self.errors).unwrap_or_default();
        let tail: Vec<&str> = log.lines().rev().take(3).collect();
        let tail = tail.into_iter().rev().collect::<Vec<_>>().join(" | ");
        let what = if tail.is_empty() { what } else { format!("{what}: {tail}") };
        Error::Child { program: self.name.clone(), what }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Pins this process to a processor, for what it measures itself.
pub(crate) fn pin_self(cpu: usize) -> Result<()> {
    let (cpu, own) = (cpu.to_string(), std::process::id().to_string());
    output(&["taskset", "--cpu-list", "--pid", &cpu, &own].map(str::to_owned)).map(drop)
}

/// Runs a command to its end; what it has printed.
pub(crate) fn output(words: &[String]) -> Result<Vec<u8>> {
    let Some((program, args)) = words.split_first() else {
        return Err(Error::Usage("there is no command to run".into()));
    };
    let output = Command::new(program).args(args).output().trying(format!("running `{program}`"))?;
    if !output.status.success() {
        let what = format!("ended with {}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
        return Err(Error::Child { program: words.join(" "), what });
    }
    Ok(output.stdout)
}

fn has_setpriv() -> bool {
    let asked = Command::new("setpriv").args(["--pdeathsig", "KILL", "true"]).stderr(Stdio::null()).status();
    asked.is_ok_and(|status| status.success())
}

fn listening(line: &str) -> Option<SocketAddr> {
    line.trim().strip_prefix("listening on ")?.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_read_from_the_line_of_a_ready_server() {
        assert_eq!(listening("listening on 127.0.0.1:4711\n"), Some(([127, 0, 0, 1], 4711).into()));
        assert_eq!(listening("listening on 127.0.0.1:4711 (public)"), Some(([127, 0, 0, 1], 4711).into()));
        assert_eq!(listening("listening on the door"), None);
        assert_eq!(listening("starting"), None);
    }
}
