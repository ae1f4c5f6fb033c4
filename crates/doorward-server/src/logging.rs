//! The log: lines on standard error, as `[log]` has it; the environment variable `DOORWARD_LOG` goes before that.
//!
//! A thread of its own writes them. Whoever reads them may be slow, or stand still, or be gone: that costs lines, never a
//! connection.

use std::io::{self, IsTerminal};

use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};

/// How many lines may wait to be written. More are lost.
const WAITING: usize = 8 * 1024;

/// Starts the log. A second call changes nothing. To drop what it gives waits a second at the most for the last lines.
#[must_use = "the log ends with it"]
pub(crate) fn start(log: &Log) -> WorkerGuard {
    let (writer, guard) = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(WAITING).finish(io::stderr());
    let filter = EnvFilter::try_from_env("DOORWARD_LOG").unwrap_or_else(|_| EnvFilter::new(log.level.name()));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        .with_ansi(io::stderr().is_terminal())
        // A line that cannot be written is lost. To complain about it on the same standard error would panic.
        .log_internal_errors(false)
        .with_target(false);
    let _already = match log.format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
    guard
}
