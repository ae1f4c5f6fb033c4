use std::sync::{Arc, Mutex};

use tokio::{sync::Notify, task::yield_now};

use crate::{Socket, lock::lock};

/// After so many sockets others have their turn: reads go on, and more frames join the batch.
const SOCKETS_IN_A_TURN: usize = 128;

/// Writes what others have put into outboxes: each socket's whole outbox with one write.
///
/// Batches form by themselves: while it writes, frames gather; when there is nothing to do, a frame goes out at once.
#[derive(Default)]
pub(crate) struct Flusher {
    dirty: Mutex<Vec<Arc<Socket>>>,
    waiting: Notify,
}

impl Flusher {
    /// A socket has become dirty.
    pub(crate) fn add(&self, socket: Arc<Socket>) {
        let was_empty = {
            let mut dirty = lock(&self.dirty);
            dirty.push(socket);
            dirty.len() == 1
        };
        if was_empty {
            self.waiting.notify_one();
        }
    }

    /// Sockets have become dirty.
    pub(crate) fn add_all(&self, sockets: &mut Vec<Arc<Socket>>) {
        if !sockets.is_empty() {
            lock(&self.dirty).append(sockets);
            self.waiting.notify_one();
        }
    }

    /// Writes for ever.
    pub(crate) async fn run(&self) {
        loop {
            self.waiting.notified().await;
            loop {
                let batch = std::mem::take(&mut *lock(&self.dirty));
                if batch.is_empty() {
                    break;
                }
                let mut batch = batch.into_iter();
                loop {
                    let turn = batch.by_ref().take(SOCKETS_IN_A_TURN).map(|socket| socket.flush()).count();
                    yield_now().await;
                    if turn < SOCKETS_IN_A_TURN {
                        break;
                    }
                }
            }
        }
    }
}
