/// Where work is done that takes a core for a while: off the threads that serve sockets.
pub trait Threads: Send + Sync {
    /// Does the job when there is a thread for it, and does not wait for that. One that panics ends nothing but itself, and one that
    /// cannot be done any more is dropped.
    fn run(&self, job: Box<dyn FnOnce() + Send>);
}

/// The blocking threads of the tokio runtime that it is called in. The system takes them for as urgent as those that serve sockets.
#[derive(Clone, Copy, Debug, Default)]
pub struct BlockingThreads;

impl Threads for BlockingThreads {
    fn run(&self, job: Box<dyn FnOnce() + Send>) {
        tokio::task::spawn_blocking(job);
    }
}
