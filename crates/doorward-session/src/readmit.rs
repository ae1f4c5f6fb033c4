//! A live socket gets another admission: its login has come back, or was renewed.
//!
//! ```text
//!   Climb::resume ──▶ Admission ──▶ readmit    as at a registration: the tail since its climb began, marks, expiry
//!                                      │       same owner, gate and subject
//!                                      ▼
//!                                written down, keys swapped, admission swapped, and a suspended socket goes on
//! ```
//!
//! Every such decision is a row of the audit log ([`Observer::decided`](crate::Observer::decided)), as that of an admission is: a new
//! trace id, the steps of that climb, and the socket that it was about.
//!
//! All of it happens under the lock of the shard that endings look into: one that came before is in the view, one that comes
//! after finds the socket by what it rests on now.

use std::{sync::Arc, time::Duration};

use doorward_auth::{
    Admission, Climb, ClimbEvent, Fault, Progress, Refusal,
    ports::{AuditRecord, Outcome},
    trail::RungTrail,
};
use doorward_types::{CloseReason, OwnerId, Subject, Timestamp, TraceId};
use tokio::task::JoinSet;

use crate::{Socket, Sockets, lock::lock};

/// How long the climb of somebody who has come back may take: it asks a store, and no person.
const CLIMB_WITHIN: Duration = Duration::from_secs(10);

/// How many of one login climb again at a time: a store that is slow makes the last of a thousand wait for thirty others, and not
/// for all of them.
const AT_ONCE: usize = 32;

impl Sockets {
    /// Puts a new admission in the place of the one that a socket has. What it rested on before is no matter any more, and a
    /// suspended socket goes on. `trail` is what happened on the climb, for the audit log.
    ///
    /// # Errors
    /// The reason why not; nothing has changed then. As at a [registration](Self::register); `not_allowed` where it is of
    /// another owner, gate or subject, `try_later` where it cannot be written down, and the socket's own where that has ended.
    pub fn readmit(
        &self,
        socket: &Arc<Socket>,
        admission: Box<Admission>,
        trail: Vec<RungTrail>,
    ) -> Result<(), CloseReason> {
        let row = Row { trace: admission.trace(), subject: admission.subject().cloned(), trail };
        let mut is_written = false;
        let readmitted = self.readmit_as(socket, admission, || {
            is_written = true;
            self.observer.decided(row.clone().of(socket, self.now(), Outcome::Readmitted(socket.id())))
        });
        if let Err(reason) = readmitted
            && !is_written
        {
            let (layer, step) = ("server".to_owned(), "let the socket in once more".to_owned());
            let outcome = Outcome::Refused { reason, layer, step, detail: reason.sentence().to_owned() };
            self.observer.decided(row.of(socket, self.now(), outcome));
        }
        readmitted
    }

    /// A live socket was asked again in vain: that is written down, and nothing changes.
    pub fn not_readmitted(&self, socket: &Arc<Socket>, trace: TraceId, refusal: &Refusal, progress: &Progress) {
        let row = Row { trace, subject: progress.subject(), trail: progress.trail() };
        self.observer.decided(row.of(socket, self.now(), refusal.into()));
    }

    fn readmit_as(
        &self,
        socket: &Arc<Socket>,
        admission: Box<Admission>,
        write_down: impl FnOnce() -> bool,
    ) -> Result<(), CloseReason> {
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
            // Before anybody hears of it.
            if !write_down() {
                return Err(CloseReason::TryLater);
            }
            // Another call may have changed it since.
            let before = socket.change_admission(*admission);
            let (id, admission) = (socket.id(), socket.admission());
            shard.change_keys(place, self.keys_of(id, &before), self.keys_of(id, &admission));
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
        let (mut climbing, mut resumed) = (JoinSet::new(), 0);
        for socket in self.waiting_for(owner, subject, browser) {
            if climbing.len() == AT_ONCE
                && let Some(done) = climbing.join_next().await
            {
                resumed += usize::from(done.unwrap_or(false));
            }
            // Not before its turn: a climb knows from its beginning on what has ended.
            if let Some(climb) = climb(&socket) {
                climbing.spawn(come_back(socket, climb));
            }
        }
        while let Some(done) = climbing.join_next().await {
            resumed += usize::from(done.unwrap_or(false));
        }
        resumed
    }
}

/// Has one socket climb again, in which nobody is asked anything, and readmits it where it gets through. Gives whether it goes on.
async fn come_back(socket: Arc<Socket>, mut climb: Climb) -> bool {
    let (trace, progress) = (climb.trace(), climb.progress());
    let refusal = match tokio::time::timeout(CLIMB_WITHIN, climb.next()).await {
        Ok(ClimbEvent::Admitted(admission)) => {
            let readmitted = socket.sockets().readmit(&socket, admission, progress.trail());
            if let Err(reason) = readmitted {
                tracing::debug!(socket = %socket.id(), %reason, "a login came back in vain");
            }
            return readmitted.is_ok();
        }
        Ok(ClimbEvent::Refused(refusal)) => {
            tracing::debug!(socket = %socket.id(), %refusal, "a login came back in vain");
            refusal
        }
        Ok(ClimbEvent::Say(_)) | Err(_) => {
            tracing::warn!(socket = %socket.id(), "nobody can be asked when a login comes back");
            let why = "it took too long, or somebody would have had to be asked";
            Refusal::new(Fault::Dependency, "let the socket in once more", why)
        }
    };
    socket.sockets().not_readmitted(&socket, trace, &refusal, &progress);
    false
}

/// What a decision about a live socket was, until it is known how it came out.
#[derive(Clone)]
struct Row {
    trace: TraceId,
    subject: Option<Subject>,
    trail: Vec<RungTrail>,
}

impl Row {
    fn of(self, socket: &Socket, at: Timestamp, outcome: Outcome) -> AuditRecord {
        let Self { trace, subject, trail } = self;
        let admission = socket.admission();
        AuditRecord {
            trace,
            at,
            took_ms: trail.iter().flat_map(|rung| &rung.steps).map(|step| step.after_ms).max().unwrap_or_default(),
            owner: Some(admission.owner().clone()),
            gate: Some(admission.gate().clone()),
            source: Some(admission.source()),
            subject,
            outcome,
            trail,
        }
    }
}
