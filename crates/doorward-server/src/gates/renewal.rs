use std::{sync::Arc, time::Duration};

use doorward_auth::{
    Again, Climb, Ladder, Resume,
    ports::{Clock, Rng},
};
use doorward_session::{Renews, Socket};
use doorward_types::TraceId;

/// How long a socket whose token has expired waits for another one.
pub(super) const GRACE: Duration = Duration::from_secs(30);

/// Asks the users of a gate again, by the layers of its ladder that talk.
pub(super) struct AskAgain {
    pub(super) ladder: Arc<Ladder>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) rng: Arc<dyn Rng>,
}

impl Renews for AskAgain {
    fn climb(&self, socket: &Arc<Socket>, layers: &[&str]) -> Option<Climb> {
        let again = layers.iter().map(|layer| {
            let by = Arc::clone(self.ladder.talking(layer)?);
            Some(Again { of: by.name(), by })
        });
        let again = again.collect::<Option<Vec<_>>>()?;
        let (trace, as_of) = (TraceId::from_bytes(self.rng.bytes16()), socket.sockets().cursor());
        Some(Climb::resume(&socket.admission(), Resume { trace, again, as_of, clock: Arc::clone(&self.clock) }))
    }
}
