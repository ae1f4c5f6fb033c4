use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Arc, atomic::AtomicU64, atomic::Ordering},
    time::Duration,
};

use aws_lc_rs::digest;
use doorward_auth::{
    Claimant, Climb, Handshake, Ladder, Refusal, Start,
    memory::{ManualClock, MemoryAppKeys, MemorySite, MemoryTickets, MemoryUsedTokens},
    ports::{ANSWER_WITHIN, Ports, SitePorts},
    trail::RungTrail,
};
use doorward_types::{Cursor, GateName, OwnerId, Secret, Subject, Timestamp, TraceId};

use crate::{Peer, SeededRng};

/// Everything that a ladder needs, in memory: the owner `acme`, the gate `fancy`, a clock that stands at 2026-11-22.
pub struct World {
    /// The wall clock; it stands still until it is moved.
    pub clock: Arc<ManualClock>,
    /// Random numbers from a fixed seed.
    pub rng: Arc<SeededRng>,
    /// One-time tickets.
    pub tickets: Arc<MemoryTickets>,
    /// App keys.
    pub app_keys: Arc<MemoryAppKeys>,
    /// Tokens that were used.
    pub used_tokens: Arc<MemoryUsedTokens>,
    /// What the site keeps: it voids the tickets and app keys of this world.
    pub site: Arc<MemorySite>,
    climbs: AtomicU64,
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// When worlds begin.
    pub const NOW: Timestamp = Timestamp::from_secs(1_795_312_386);

    /// A world without tickets, keys, used tokens or accounts.
    pub fn new() -> Self {
        let clock = Arc::new(ManualClock::at(Self::NOW));
        let (tickets, app_keys) = (Arc::new(MemoryTickets::new()), Arc::new(MemoryAppKeys::new()));
        Self {
            rng: Arc::new(SeededRng::new(1)),
            site: Arc::new(MemorySite::new(Some(tickets.clone()), Some(app_keys.clone()))),
            tickets,
            app_keys,
            used_tokens: Arc::new(MemoryUsedTokens::new(clock.clone())),
            clock,
            climbs: AtomicU64::new(0),
        }
    }

    /// What layers are built with.
    pub fn ports(&self) -> Ports {
        Ports {
            clock: self.clock.clone(),
            rng: self.rng.clone(),
            tickets: self.tickets.clone(),
            app_keys: self.app_keys.clone(),
            used_tokens: self.used_tokens.clone(),
            site: SitePorts::of(&self.site),
            answer_within: ANSWER_WITHIN.duration(),
        }
    }

    /// `acme`.
    pub fn owner() -> OwnerId {
        OwnerId::new("acme")
    }

    /// `fancy`.
    pub fn gate() -> GateName {
        GateName::new("fancy")
    }

    /// A member with that primary key and name.
    pub fn member(name: &str) -> Subject {
        Subject { kind: "member".into(), pk: name.into(), uuid: name.into() }
    }

    /// The hash under which a site keeps the text of a cookie or a key.
    pub fn kept_as(text: &Secret) -> [u8; 32] {
        let digest = digest::digest(&digest::SHA256, text.reveal("to hash it"));
        digest.as_ref().try_into().unwrap_or_default()
    }

    /// An upgrade request over TLS, to `app.example`, that shows nothing.
    pub fn handshake() -> Handshake {
        Handshake {
            source: IpAddr::from([192, 0, 2, 7]),
            secure: true,
            host: "app.example".into(),
            port: None,
            origin: None,
            variables: BTreeMap::new(),
            bearer: None,
            ticket: None,
            session: None,
            browser: None,
        }
    }

    /// What a climb to that gate begins with.
    pub fn start(&self, handshake: Handshake, gate: GateName) -> Start {
        let Handshake { source, secure, .. } = handshake;
        let variables = handshake.variables.clone();
        let climb = u128::from(self.climbs.fetch_add(1, Ordering::SeqCst) + 1);
        Start {
            trace: TraceId::from_bytes(climb.to_be_bytes()),
            claimant: Claimant::new(Self::owner(), gate, source, secure, variables),
            handshake,
            as_of: Cursor(7),
            choose_within: Duration::from_secs(5),
            clock: self.clock.clone(),
        }
    }

    /// Begins a climb, and gives the peer that stands before it.
    pub async fn knock(&self, ladder: &Ladder, handshake: Handshake) -> Result<Peer, (Refusal, Vec<RungTrail>)> {
        let start = self.start(handshake, Self::gate());
        let beginning = Climb::begin(Arc::new(ladder.clone()), start);
        let progress = beginning.progress();
        beginning.await.map(Peer::before).map_err(|refusal| (refusal, progress.trail()))
    }
}
