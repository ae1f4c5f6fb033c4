//! One node: a configuration become a door, with its store, its ports and its signals.
//!
//! ```text
//!  Config ─▶ open: lock, store, key, gates ─▶ Node ─▶ listen: ports, control socket, flusher ─▶ Running ─▶ close: drain
//! ```

mod error;
mod issuer;
mod running;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    num::NonZero,
    path::{Path, PathBuf},
    sync::Arc,
};

use arc_swap::ArcSwap;
use doorward_auth::{
    account::{Hashing, Work},
    layers::SiteTools,
    ports::{Authenticator, Clock, Rng, SystemRng},
};
use doorward_backends::{
    hub::ChannelModel,
    upstream::{Signer, SigningKey},
};
use doorward_outbound::Outbound;
use doorward_session::{Follower, Following, Sockets};
use doorward_types::CookieNames;
use tokio::net::TcpListener;

use self::running::FirstAccount;
pub use self::{
    error::{ReloadError, StartError},
    issuer::{NoIssuer, issuer},
    running::Running,
};
use crate::{
    background::BackgroundThreads,
    certificate::{self, UnusableTls},
    comeback::ByLogin,
    config::{Config, Lease, Limits, StoreUrl, TlsFiles, in_memory, secret_reader},
    control::{self, StoreLock, beside},
    door::{Door, Parts},
    edge::{self, Caps, CapsLimits, HeadLimits, Http, Proxies, Tls},
    gates::{self, Gates, Owners, Tools},
    internal,
    issuer_keys::KeyRings,
    kek::open_kek,
    metrics::{Counting, Metrics},
    ports,
    store_file::StoreFile,
    system::{BootTime, SystemClock},
    upkeep::Upkeep,
    website::{self, NodeView},
    witness::Witness,
};

/// What an embedding application brings along.
#[derive(Clone, Default)]
pub struct Extensions {
    /// Its ways to recognise somebody, by the `kind` of the layer `authenticator`.
    pub authenticators: BTreeMap<String, Arc<dyn Authenticator>>,
    /// Its models behind channels, by the name of the channel. A gate has the channel where its configuration lists it.
    pub models: BTreeMap<String, Arc<dyn ChannelModel>>,
}

impl Extensions {
    /// With one more way to recognise somebody.
    #[must_use]
    pub fn authenticator(mut self, authenticator: impl Authenticator + 'static) -> Self {
        self.authenticators.insert(authenticator.kind().to_owned(), Arc::new(authenticator));
        self
    }

    /// With a model behind a channel.
    #[must_use]
    pub fn channel(mut self, name: impl Into<String>, model: impl ChannelModel + 'static) -> Self {
        self.models.insert(name.into(), Arc::new(model));
        self
    }
}

/// A door with everything behind it, not yet listening.
pub struct Node {
    config: Config,
    door: Arc<Door>,
    tools: Tools,
    base: PathBuf,
    lock: Option<StoreLock>,
}

impl Node {
    /// Opens the store and puts the gates together. Paths in the configuration are relative to `base`.
    pub async fn open(config: Config, base: &Path, extensions: Extensions) -> Result<Self, StartError> {
        let lock = store_path(&config, base).map(|path| StoreLock::take(&path)).transpose()?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let rng: Arc<dyn Rng> = Arc::new(SystemRng);
        let (mut ports, audit, carts) = ports::open(&config, base, &clock, &rng)?;
        let metrics = Metrics::new();
        ports.site.throttle = Arc::new(Counting::new(ports.site.throttle, Arc::clone(&metrics)));
        let key = Arc::new(match store_path(&config, base) {
            Some(store) => SigningKey::load_or_make(&beside(&store, ".key"), rng.as_ref())?,
            None => SigningKey::draw(rng.as_ref())?,
        });
        let observer = Arc::new(Witness { metrics: Arc::clone(&metrics), audit: Arc::clone(&audit) });
        let sockets = Sockets::observed(Arc::clone(&clock), Arc::new(BootTime), Arc::clone(&rng), observer);
        let signer = Signer { key: Arc::clone(&key), issuer: "doorward".into() };
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let threads = BackgroundThreads::start("hashing", cores).map_err(StartError::Threads)?;
        let hashing = Arc::new(Hashing::new(Work::default(), cores)?.on(Arc::new(threads)));
        let sealing = config.site.enabled.then(|| open_kek(&config, base, rng.as_ref())).transpose()?;
        let site = sealing.map(|sealing| SiteTools { hashing: Arc::clone(&hashing), sealing });
        let keys = KeyRings::new(Arc::new(Outbound::new()), Arc::clone(&clock), Arc::clone(&metrics));
        let tools = Tools { ports, keys, carts, signer, site, extensions, base: base.to_owned() };
        let gates = Arc::new(ArcSwap::from_pointee(Gates::assemble(&config, &tools)?));
        let log = Arc::clone(&tools.ports.site.revocations);
        let comeback = Arc::new(ByLogin::new(tools.ports.clone()));
        let follower = Follower::new(Arc::clone(&sockets), log, following(&config)).with_comeback(comeback);
        let follower = Arc::new(follower);
        let leased = Arc::clone(&sockets);
        metrics.lease_age_from(move || leased.lease_age());
        // What has ended is known before anybody is let in.
        follower.begin().await?;
        let view = NodeView {
            sockets: Arc::clone(&sockets),
            follower: Arc::clone(&follower),
            gates: Arc::clone(&gates),
            metrics: Arc::clone(&metrics),
        };
        let (site, api) = website::open(&config, &tools, view, hashing, &audit, &key);
        let cookies = if config.site.cookie_domain.is_some() { CookieNames::shared() } else { CookieNames::default() };
        let door = Door::new(Parts {
            gates,
            sockets,
            follower,
            cookies,
            site,
            api: Some(api),
            carts: Arc::clone(&tools.carts),
            store: store_path(&config, base).and_then(|path| StoreFile::at(&path).ok()),
            caps: Caps::new(caps_limits(&config.limits), Arc::clone(&rng)),
            proxies: Proxies::new(config.server.trusted_proxies.clone()),
            clock,
            rng,
            audit,
            metrics,
            key,
        });
        Ok(Self { config, door, tools, base: base.to_owned(), lock })
    }

    /// The door, for an application that accepts connections itself. It works from here on.
    pub fn embed(self) -> Arc<Door> {
        let work = self.work();
        let Self { door, lock, .. } = self;
        tokio::spawn(async move {
            let _lock = lock;
            work.await;
        });
        door
    }

    /// The node's own work, for ever: its sockets, its log, its logins, and the keys of its issuers.
    fn work(&self) -> impl Future<Output = ()> + Send + 'static {
        let (sockets, follower) = (Arc::clone(&self.door.sockets), Arc::clone(&self.door.follower));
        let upkeep = Upkeep {
            sockets: Arc::clone(&sockets),
            sessions: Arc::clone(&self.tools.ports.site.sessions),
            clock: Arc::clone(&self.door.clock),
            journal: self.door.journal.clone(),
            idle: self.config.site.session_idle.duration(),
        };
        let keys = Arc::clone(&self.tools.keys);
        async move {
            tokio::join!(sockets.run(), follower.run(), upkeep.run(), keys.run());
        }
    }

    /// Listens on the public and the internal port and for the command line.
    pub async fn listen(self) -> Result<Running, StartError> {
        let work = self.work();
        let Self { config, door, tools, base, lock } = self;
        let tls = config.server.tls.as_ref().map(|files| tls(files, &base)).transpose()?.map(Tls::new);
        let (public, public_at) = bind(config.server.listen.0, "`--listen` or `[server] listen`").await?;
        let (internal, internal_at) = bind(config.internal.listen.0, "`[internal] listen`").await?;
        let mut tasks = Vec::new();
        let ninep = match config.ninep.listen {
            Some(listen) => {
                let (listener, address) = bind(listen.0, "`[ninep] listen`").await?;
                let door = Arc::clone(&door);
                tasks.push(tokio::spawn(async move { door.serve_ninep(listener).await }));
                Some(address)
            }
            None => None,
        };
        if let Some(path) = control_path(&config, &base) {
            let serve = control::serve(&path, Arc::clone(&door))
                .map_err(|why| StartError::Control { path: path.clone(), why })?;
            tasks.push(tokio::spawn(serve));
        }
        let work = tokio::spawn(work);
        let head = HeadLimits {
            within: config.limits.header_timeout.duration(),
            bytes: config.limits.header_bytes.len(),
            headers: in_memory(config.limits.headers),
        };
        let accept = tokio::spawn(edge::serve(public, Arc::clone(&door), Http::new(head).over(tls.clone())));
        tasks.push(tokio::spawn(internal::serve(internal, Arc::clone(&door))));
        let scheme = if tls.is_some() { "https" } else { "http" };
        let owner = gates::owner_of(&config, config.site.owner.as_deref());
        let url = Owners::of(&config).address_of(&owner).unwrap_or_else(|| format!("{scheme}://{public_at}"));
        let first = config.site.enabled.then_some(FirstAccount { owner, url });
        Ok(Running {
            first,
            config,
            door,
            tools,
            tls,
            public: public_at,
            internal: internal_at,
            ninep,
            accept,
            work,
            tasks,
            _lock: lock,
        })
    }
}

/// What TLS is served with, as it is now in the files.
fn tls(files: &TlsFiles, base: &Path) -> Result<Arc<rustls::ServerConfig>, UnusableTls> {
    certificate::server_config(files, &secret_reader(base), SystemClock.now())
}

/// How a node follows the log.
fn following(config: &Config) -> Following {
    let Lease { confirm_every, lasts, grace } = &config.lease;
    Following {
        confirm_every: confirm_every.duration(),
        lasts: lasts.duration(),
        grace: grace.duration(),
        ..Following::of_node(host_name())
    }
}

/// The name of this machine, by which receipts name the node.
fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

async fn bind(address: SocketAddr, key: &'static str) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |error| StartError::Listen { address, key, error };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

fn caps_limits(limits: &Limits) -> CapsLimits {
    CapsLimits {
        climbing_per_source: in_memory(limits.climbing_per_source),
        climbing_per_node: in_memory(limits.climbing_per_node),
        climbing_early_drop: in_memory(limits.climbing_early_drop),
        sockets_per_source: in_memory(limits.sockets_per_source),
        sockets_per_node: match limits.sockets_per_node {
            0 => raise_file_limit() / 5 * 4,
            limit => in_memory(limit),
        },
    }
}

/// Raises the soft limit of open files to the hard one, as servers do, and answers what it is.
fn raise_file_limit() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // Where it cannot be raised the soft limit is what there is.
    let _refused = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    getrlimit(Resource::Nofile).current.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(1 << 20)
}

/// The file of the store; `None` for one in memory.
pub fn store_path(config: &Config, base: &Path) -> Option<PathBuf> {
    match &config.store.url {
        StoreUrl::Sqlite(path) => Some(base.join(path)),
        StoreUrl::Memory => None,
    }
}

/// Where a running server listens for the command line; `None` where there is no place.
pub fn control_path(config: &Config, base: &Path) -> Option<PathBuf> {
    match &config.store.control {
        Some(path) => Some(base.join(path)),
        None => store_path(config, base).map(|store| control::socket_path(&store)),
    }
}
