//! Sockets that leave because something is made anew, spread over a time so that they do not all come back at once.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use doorward_types::{CloseReason, OwnerId, Rest};
use tokio::time::Instant;

use crate::{Ended, Ending, Socket, Sockets, Target, lock::lock};

impl Sockets {
    /// For the end of the server: takes no new socket, and closes the others with `restart` after what waits for them, at
    /// random times within `over`, so that they do not all come back at once. Waits until the last is done.
    pub async fn drain(&self, over: Duration) {
        self.draining.store(true, Ordering::Release);
        let all = self.shards.iter().flat_map(|shard| lock(shard).all()).collect();
        self.restart_within(over, all).await;
    }

    /// As [`drain`](Self::drain), for the sockets that rest on something and the climbs to it that have begun. Gives how many
    /// sockets those are, and the work of closing them, to be spawned.
    pub fn restart(
        self: &Arc<Self>,
        owner: &OwnerId,
        rest: Rest,
        over: Duration,
    ) -> (usize, impl Future<Output = ()> + Send + use<>) {
        let key = self.key_of_rest(&rest);
        let what = Target::Rest(rest);
        self.revocations.append(Some(owner), &what, CloseReason::Restart, None);
        let found = self.shards.iter().flat_map(|shard| lock(shard).find(key));
        let found: Vec<_> = found.filter(|socket| socket.is_open() && what.means(Some(owner), socket)).collect();
        let sockets = Arc::clone(self);
        (found.len(), async move { sockets.restart_within(over, found).await })
    }

    async fn restart_within(&self, over: Duration, leaving: Vec<Arc<Socket>>) {
        let mut leaving: Vec<_> = leaving.into_iter().map(|socket| (self.random_part_of(over), socket)).collect();
        leaving.sort_by_key(|(after, _)| *after);
        let began = Instant::now();
        // How long they take is by choice, and nobody's measure.
        let ending = Ending::unobserved();
        for (after, socket) in leaving {
            // One that has gone by itself is not waited for.
            tokio::select! {
                () = tokio::time::sleep_until(began + after) => {}
                _ = socket.until_ended() => {}
            }
            socket.end_as(Ended::For(CloseReason::Restart), false, Some(ending.tally()));
        }
        ending.begun().await;
    }

    fn random_part_of(&self, whole: Duration) -> Duration {
        let [a, b, c, d, ..] = self.rng.bytes16();
        whole.mul_f64(f64::from(u32::from_be_bytes([a, b, c, d])) / f64::from(u32::MAX))
    }
}
