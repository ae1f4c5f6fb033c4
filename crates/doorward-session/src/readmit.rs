//! A live socket gets another admission: its login has come back, or was renewed.
//!
//! ```text
//!   Climb::resume ──▶ Admission ──▶ readmit    as at a registration: the tail since its climb began, marks, expiry
//!                                      │       same owner, gate and subject
//!                                      ▼
//!                        keys swapped, admission swapped, and a suspended socket goes on
//! ```
//!
//! All of it happens under the lock of the shard that endings look into: one that came before is in the view, one that comes
//! after finds the socket by what it rests on now.

use std::{sync::Arc, time::Duration};

use doorward_auth::{Admission, Climb, ClimbEvent};
use doorward_types::{CloseReason, OwnerId, Subject};

use crate::{Socket, Sockets, lock::lock};

/// How long the climb of somebody who has come back may take: it asks a store, and no person.
const CLIMB_WITHIN: Duration = Duration::from_secs(10);

impl Sockets {
    /// Puts a new admission in the place of the one that a socket has. What it rested on before is no matter any more, and a
    /// suspended socket goes on.
    ///
    /// # Errors
    /// The reason why not; nothing has changed then. As at a [registration](Self::register); `not_allowed` where it is of
    /// another owner, gate or subject, and the socket's own where that has ended.
    pub fn readmit(&self, socket: &Arc<Socket>, admission: Box<Admission>) -> Result<(), CloseReason> {
        let before = socket.admission();
        let same_subject = match (before.subject(), admission.subject()) {
            (Some(before), Some(now)) => before.same_as(now),
            (None, None) => true,
            _ => false,
        };
        if !same_subject || before.owner() != admission.owner() || before.gate() != admission.gate() {
            return Err(CloseReason::NotAllowed);
        }
        if admission.expires_at().is_some_and(|at| at <= self.now()) {
            return Err(CloseReason::Expired);
        }
        let place = socket.place();
        let Some(shard) = self.shards.get(usize::from(place.shard)) else { return Err(CloseReason::InternalError) };
        {
            let mut shard = lock(shard);
            match self.revocations.since(&admission) {
                Ok(None) => {}
                Ok(Some(reason)) => return Err(reason),
                Err(_) => return Err(CloseReason::GoingAway),
            }
            if let Some(reason) = socket.ended() {
                return Err(reason);
            }
            // Another call may have changed it since.
            let before = socket.change_admission(*admission);
            shard.change_keys(place, self.keys_of(&before), self.keys_of(&socket.admission()));
            socket.note_expiring(false);
            socket.resume(|_| true);
        }
        if let Some(due) = self.next_look(socket, self.moment()) {
            self.look_at(socket, due);
        }
        Ok(())
    }

    /// Somebody has logged in: has the suspended sockets of that subject and browser climb again, and readmits those that get
    /// through. `climb` is what they are asked, which must be nothing that a person answers; `None` leaves one as it is. Gives
    /// how many go on.
    pub async fn logged_in(
        &self,
        owner: &OwnerId,
        subject: &Subject,
        browser: &[u8; 32],
        climb: impl Fn(&Arc<Socket>) -> Option<Climb>,
    ) -> usize {
        let mut resumed = 0;
        for socket in self.waiting_for(owner, subject, browser) {
            let Some(mut climb) = climb(&socket) else { continue };
            match tokio::time::timeout(CLIMB_WITHIN, climb.next()).await {
                Ok(ClimbEvent::Admitted(admission)) => match self.readmit(&socket, admission) {
                    Ok(()) => resumed += 1,
                    Err(reason) => tracing::debug!(socket = %socket.id(), %reason, "a login came back in vain"),
                },
                Ok(ClimbEvent::Refused(refusal)) => {
                    tracing::debug!(socket = %socket.id(), %refusal, "a login came back in vain");
                }
                Ok(ClimbEvent::Say(_)) | Err(_) => {
                    tracing::warn!(socket = %socket.id(), "nobody can be asked when a login comes back");
                }
            }
        }
        resumed
    }
}
