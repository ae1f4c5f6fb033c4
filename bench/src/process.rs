//! What another process has used: processor time and memory, from `/proc`.

use crate::{
    clock,
    error::{Error, Result, Trying},
};
use std::{fs, time::Duration};

/// Length of a tick in `/proc/PID/stat`: `USER_HZ` is 100 on every Linux that is asked from user space.
const TICK: Duration = Duration::from_millis(10);

/// A process that is looked at from outside.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Process {
    pid: u32,
}

/// Processor time of a process at one moment, in its two sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cpu {
    /// Sum over the threads that live now, in nanoseconds: fine, but a thread that ends takes its share away.
    scheduled: Duration,
    /// The whole process with its ended threads, in ticks: complete, but coarse.
    ticked: Duration,
}

impl Cpu {
    /// Time used between the two moments: the fine figure, unless ended threads have made it miss more than three ticks.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        let scheduled = self.scheduled.saturating_sub(earlier.scheduled);
        let ticked = self.ticked.saturating_sub(earlier.ticked);
        if ticked > scheduled + 3 * TICK { ticked } else { scheduled }
    }
}

impl Process {
    pub(crate) fn with_id(pid: u32) -> Self {
        Self { pid }
    }

    /// This process.
    pub(crate) fn own() -> Self {
        Self { pid: std::process::id() }
    }

    /// Processor time used so far, user and system, all threads.
    pub(crate) fn cpu(self) -> Result<Cpu> {
        let stat = self.read("stat")?;
        let ticks = ticks(&stat).ok_or_else(|| self.unreadable("stat"))?;
        let ticked = TICK * u32::try_from(ticks).unwrap_or(u32::MAX);
        let folder = format!("/proc/{}/task", self.pid);
        let mut nanoseconds = 0;
        for thread in fs::read_dir(&folder).trying(&folder)?.flatten() {
            // A thread may end between the listing and the look; then only the ticks know of it.
            let text = fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
            nanoseconds += first_number(&text).unwrap_or(0);
        }
        Ok(Cpu { scheduled: Duration::from_nanos(nanoseconds), ticked })
    }

    /// Resident memory in bytes: exact (`smaps_rollup`), where `statm` lags by some pages per thread.
    pub(crate) fn resident(self) -> Result<u64> {
        let text = self.read("smaps_rollup")?;
        kilobytes(&text, "Rss:").ok_or_else(|| self.unreadable("smaps_rollup"))
    }

    /// The most memory that was ever resident, in bytes; a little less than exact, as `statm` is.
    pub(crate) fn peak(self) -> Result<u64> {
        let text = self.read("status")?;
        kilobytes(&text, "VmHWM:").ok_or_else(|| self.unreadable("status"))
    }

    /// Resident memory once it has stopped moving: within 4 KiB for two seconds, as an allocator may give memory back only
    /// after a while; or the look after 10 s.
    pub(crate) fn settled(self) -> Result<u64> {
        const STILL: usize = 10;
        let (mut last, mut still) = (self.resident()?, 0);
        for _ in 0..50 {
            clock::pause(Duration::from_millis(200));
            let next = self.resident()?;
            still = if next.abs_diff(last) <= 4096 { still + 1 } else { 0 };
            last = next;
            if still == STILL {
                break;
            }
        }
        Ok(last)
    }

    /// Processor time once the process does nothing more: less than 1 ms of work in 100 ms, or the look after 3 s.
    pub(crate) fn quiet(self) -> Result<Cpu> {
        let mut last = self.cpu()?;
        for _ in 0..50 {
            clock::pause(Duration::from_millis(100));
            let next = self.cpu()?;
            if next.since(last) < Duration::from_millis(1) {
                return Ok(next);
            }
            last = next;
        }
        Ok(last)
    }

    fn read(self, name: &str) -> Result<String> {
        let path = format!("/proc/{}/{name}", self.pid);
        fs::read_to_string(&path).trying(path)
    }

    fn unreadable(self, name: &str) -> Error {
        Error::Usage(format!("`/proc/{}/{name}` has an unknown form", self.pid))
    }
}

/// User and system ticks of `/proc/PID/stat`. The program's name stands in parentheses and may itself contain any character.
fn ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

fn first_number(schedstat: &str) -> Option<u64> {
    schedstat.split_ascii_whitespace().next()?.parse().ok()
}

/// The bytes of a line `NAME   1744 kB`.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_found_behind_a_name_with_spaces_and_parentheses() {
        let stat = "812 (a (b) c) S 1 812 812 0 -1 4194560 100 0 0 0 250 31 7 8 20 0 4 0 100 0 0";
        assert_eq!(ticks(stat), Some(281));
    }

    #[test]
    fn a_cut_off_stat_is_not_guessed() {
        assert_eq!(ticks("812 (name) S 1 812"), None);
        assert_eq!(ticks(""), None);
    }

    #[test]
    fn schedstat_begins_with_the_nanoseconds_on_a_cpu() {
        assert_eq!(first_number("160689 54401 1\n"), Some(160_689));
        assert_eq!(first_number(""), None);
    }

    #[test]
    fn resident_memory_is_in_bytes() {
        let text =
            "55603c8cf000-7ffc241e3000 ---p 00000000 00:00 0  [rollup]\nRss:                1744 kB\nPss: 527 kB\n";
        assert_eq!(kilobytes(text, "Rss:"), Some(1744 * 1024));
        assert_eq!(kilobytes("Pss: 527 kB\n", "Rss:"), None);
    }

    #[test]
    fn the_fine_figure_is_taken_while_no_thread_has_ended() {
        let at = |scheduled, ticked| Cpu {
            scheduled: Duration::from_millis(scheduled),
            ticked: Duration::from_millis(ticked),
        };
        assert_eq!(at(1_234, 1_240).since(at(200, 200)), Duration::from_millis(1_034));
    }

    #[test]
    fn the_coarse_figure_is_taken_when_an_ended_thread_has_taken_its_share_away() {
        let at = |scheduled, ticked| Cpu {
            scheduled: Duration::from_millis(scheduled),
            ticked: Duration::from_millis(ticked),
        };
        assert_eq!(at(300, 1_200).since(at(200, 200)), Duration::from_millis(1_000));
    }

    #[test]
    fn this_process_has_used_something() {
        assert!(Process::own().resident().unwrap() > 100_000);
        assert!(Process::own().peak().unwrap() > 100_000);
        assert!(Process::own().cpu().is_ok());
    }
}
