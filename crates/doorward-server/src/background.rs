//! Threads for work that may take a little longer: where others want the core as well, the system gives it to them first.
//!
//! A hash takes a core for tens of milliseconds. On a thread like any other it keeps those waiting that carry the messages of live
//! sockets, for as long as the system lets one thread run before the next; measured in `bench/` (`logins-beside-sockets`).

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
};

use doorward_auth::ports::Threads;

type Job = Box<dyn FnOnce() + Send>;

/// How many steps they stand back, of 19 at most: such a thread counts a tenth of one that serves sockets. It is not the last step, so
/// that who floods the server with requests does not keep it from hashing.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// A few threads that stand back. Those that have nothing to do end when this is dropped, the others when they are done.
pub(crate) struct BackgroundThreads(Sender<Job>);

impl BackgroundThreads {
    /// So many, under that name.
    ///
    /// # Errors
    /// Where the system has no more threads.
    pub(crate) fn start(name: &str, count: usize) -> io::Result<Self> {
        let (sender, jobs) = channel::<Job>();
        let jobs = Arc::new(Mutex::new(jobs));
        for number in 0..count {
            let jobs = Arc::clone(&jobs);
            thread::Builder::new().name(format!("{name}-{number}")).spawn(move || {
                stand_back();
                while let Some(job) = next(&jobs) {
                    // Its panic has been reported, and whoever waits for it sees that it is gone.
                    let _panicked = catch_unwind(AssertUnwindSafe(job));
                }
            })?;
        }
        Ok(Self(sender))
    }
}

impl Threads for BackgroundThreads {
    fn run(&self, job: Job) {
        // The threads take jobs for as long as there is somebody to give them.
        let _taken = self.0.send(job);
    }
}

/// The next job; `None` when nobody can give one any more.
fn next(jobs: &Mutex<Receiver<Job>>) -> Option<Job> {
    jobs.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

/// Lets others go first. On Linux a priority is that of the one thread which sets it; elsewhere of the whole process, so that it stays.
fn stand_back() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICE) {
        tracing::warn!(%error, "hashing stands no further back than sockets: its threads cannot have a lower priority");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn jobs_are_done_at_the_same_time_on_as_many_threads_as_there_are() {
        let threads = BackgroundThreads::start("test", 2).unwrap();
        let (say, heard) = mpsc::channel();
        let (let_go, wait) = mpsc::channel::<()>();
        let here = say.clone();
        threads.run(Box::new(move || {
            here.send("first").unwrap();
            // Until the other has been done beside it.
            let _ = wait.recv();
        }));
        assert_eq!(heard.recv(), Ok("first"));
        threads.run(Box::new(move || say.send("second").unwrap()));
        assert_eq!(heard.recv(), Ok("second"));
        drop(let_go);
    }

    #[test]
    fn a_job_that_panics_takes_no_thread_along() {
        let threads = BackgroundThreads::start("test", 1).unwrap();
        threads.run(Box::new(|| panic!("on purpose")));
        let (say, heard) = mpsc::channel();
        threads.run(Box::new(move || say.send(()).unwrap()));
        assert_eq!(heard.recv(), Ok(()));
    }

    #[test]
    fn what_was_given_is_done_also_when_nobody_gives_more() {
        let threads = BackgroundThreads::start("test", 1).unwrap();
        let (say, heard) = mpsc::channel();
        for number in 0..3 {
            let say = say.clone();
            threads.run(Box::new(move || say.send(number).unwrap()));
        }
        drop((threads, say));
        assert_eq!(heard.iter().collect::<Vec<_>>(), [0, 1, 2]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn c45_they_stand_back_and_nobody_else_does() {
        let threads = BackgroundThreads::start("test", 1).unwrap();
        let (say, heard) = mpsc::channel();
        let of_this_thread = || rustix::process::getpriority_process(None).unwrap();
        let before = of_this_thread();
        threads.run(Box::new(move || say.send(of_this_thread()).unwrap()));
        assert_eq!(heard.recv(), Ok((before + NICE).min(19)));
        assert_eq!(of_this_thread(), before, "the process has the priority that it had");
    }
}
