//! One node: a configuration become a door, with its store, its ports and its signals.
//!
//! ```text
//!  Config ─▶ open: lock, store, key, gates ─▶ Node ─▶ listen: ports, control socket, flusher ─▶ Running ─▶ close: drain
//! ```

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    num::NonZero,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use arc_swap::ArcSwap;
use doorward_auth::{
    NewInvitation,
    account::{Hashing, HashingError, Work},
    layers::SiteTools,
    ports::{Authenticator, Clock, Invitation, PortError, Rng, Role, SystemRng},
    token::{Issuer, IssuerError},
};
use doorward_backends::{
    hub::ChannelModel,
    upstream::{Signer, SigningKey, UnusableKey},
};
use doorward_outbound::Outbound;
use doorward_session::{Follower, Following, Sockets};
use doorward_store::StoreError;
use doorward_types::{CookieNames, OwnerId, Secret};
use tokio::{
    net::TcpListener,
    task::JoinHandle,
    time::{Instant, sleep_until},
};

use crate::{
    background::BackgroundThreads,
    certificate::{self, UnusableTls},
    comeback::ByLogin,
    config::{Config, Lease, Limits, StoreUrl, TlsFiles, Waiting, in_memory, secret_reader},
    control::{self, InUse, StoreLock, Unbound, beside},
    door::{Door, Parts},
    edge::{self, Caps, CapsLimits, HeadLimits, Http, Proxies, Tls},
    gates::{self, AssembleErrors, Gates, Owners, Tools},
    internal,
    issuer_keys::KeyRings,
    kek::{UnusableKek, open_kek},
    metrics::{Counting, Metrics},
    ports,
    reload::Reloaded,
    store_file::StoreFile,
    system::{BootTime, SystemClock},
    upkeep::Upkeep,
    website::{self, NodeView},
    witness::Witness,
};

/// Of the time of a shutdown, what is kept for those who do not take their Close at once.
const STRAGGLERS: Duration = Duration::from_secs(2);

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

/// Why a node cannot start. One clear line each.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Another server has the store.
    #[error(transparent)]
    InUse(#[from] InUse),
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key that signs what upstreams are told cannot be used.
    #[error(transparent)]
    Key(#[from] UnusableKey),
    /// The key that secrets are sealed under cannot be used.
    #[error(transparent)]
    Kek(#[from] UnusableKek),
    /// Passwords cannot be hashed.
    #[error(transparent)]
    Hashing(#[from] HashingError),
    /// The system has no threads to hash on.
    #[error("the threads that hash passwords cannot be started: {0}")]
    Threads(#[source] io::Error),
    /// What has ended cannot be read.
    #[error(transparent)]
    Log(#[from] PortError),
    /// Gates cannot be put together.
    #[error(transparent)]
    Assemble(#[from] AssembleErrors),
    /// TLS cannot be served.
    #[error(transparent)]
    Tls(#[from] UnusableTls),
    /// A port cannot be listened on.
    #[error("cannot listen on {address}: {error}; another is named by {key}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// What names it.
        key: &'static str,
        /// Why.
        error: io::Error,
    },
    /// The socket for the command line cannot be made.
    #[error("cannot listen for the command line at `{path}`: {why}", path = .path.display())]
    Control {
        /// Where.
        path: PathBuf,
        /// Why.
        why: Unbound,
    },
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

/// A node that listens.
pub struct Running {
    /// What it was started with.
    config: Config,
    door: Arc<Door>,
    tools: Tools,
    tls: Option<Arc<Tls>>,
    public: SocketAddr,
    internal: SocketAddr,
    ninep: Option<SocketAddr>,
    accept: JoinHandle<()>,
    work: JoinHandle<()>,
    tasks: Vec<JoinHandle<()>>,
    /// Whose site it is that may lack its first account, and where it is; `None` without a site.
    first: Option<FirstAccount>,
    _lock: Option<StoreLock>,
}

/// Where the first account of a site is made.
struct FirstAccount {
    owner: OwnerId,
    url: String,
}

impl Running {
    /// Where users connect.
    pub fn public(&self) -> SocketAddr {
        self.public
    }

    /// Where the operator's probes connect.
    pub fn internal(&self) -> SocketAddr {
        self.internal
    }

    /// Where file tools connect; `None` where they do not.
    pub fn ninep(&self) -> Option<SocketAddr> {
        self.ninep
    }

    /// The door.
    pub fn door(&self) -> &Arc<Door> {
        &self.door
    }

    /// The link by which the first account is made, an owner; `None` where there is no site, or an account already. It holds for
    /// three days, until there is an account, or until another start gives another one.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn first_invitation(&self) -> Result<Option<Secret>, PortError> {
        let accounts = &self.tools.ports.site.accounts;
        let Some(site) = &self.first else { return Ok(None) };
        if !accounts.list(Some(&site.owner), None, 1).await?.is_empty() {
            return Ok(None);
        }
        let expires_at = self.door.clock.now().plus(Invitation::LASTS);
        let invitation = Invitation { owner: site.owner.clone(), role: Role::Owner, expires_at, first: true };
        let new = NewInvitation::to_register(&**accounts, &*self.door.rng, invitation).await?;
        Ok(Some(new.link(&site.url)))
    }

    /// What of another configuration a [`reload`](Self::reload) does not take: it takes effect at the next start.
    pub fn waiting(&self, next: &Config) -> Vec<Waiting> {
        self.config.waiting(next)
    }

    /// Takes the gates of another configuration, all at once or none of them (see [`Door::reload`]), and its certificate: who
    /// comes from here on is shown that. All that is [`waiting`](Self::waiting) stays as it is.
    ///
    /// # Errors
    /// Everything that cannot be put together, or served. Then nothing has changed.
    pub fn reload(&self, config: &Config) -> Result<Reloaded, ReloadError> {
        let renewed = config.server.tls.as_ref().map(|files| tls(files, &self.tools.base)).transpose()?;
        let reloaded = self.door.reload(config, &self.tools, config.server.shutdown.duration());
        let reloaded = reloaded.map_err(|errors| match self.tools.site {
            None if config.site.enabled => ReloadError::SiteWaits(errors),
            _ => errors.into(),
        })?;
        if let (Some(tls), Some(renewed)) = (&self.tls, renewed) {
            tls.replace(renewed);
        }
        Ok(reloaded)
    }

    /// Lets nobody in any more, closes every socket with 1012 spread over the time, and ends; it takes that time at the most.
    ///
    /// Until the last socket has left, whoever comes is answered with 503: to a load balancer that has yet to notice, that is
    /// an answer, and a port that is closed is an error.
    pub async fn close(self, within: Duration) {
        self.close_unless_hurried(within, std::future::pending()).await;
    }

    /// As [`close`](Self::close), and at once when `hurry` comes.
    pub async fn close_unless_hurried(self, within: Duration, hurry: impl Future<Output = ()>) {
        let latest = Instant::now() + within;
        let spread = within - STRAGGLERS.min(within / 2);
        tokio::select! {
            biased;
            () = self.door.drain(spread) => {}
            () = sleep_until(latest) => tracing::warn!("some did not leave in time"),
            () = hurry => tracing::warn!("some are left behind"),
        }
        self.accept.abort();
        if let Err(error) = self.door.audit.flush().await {
            tracing::error!(%error, "the last rows of the audit log are lost");
        }
        self.work.abort();
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// Why another configuration is not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReloadError {
    /// TLS cannot be served with it.
    #[error(transparent)]
    Tls(#[from] UnusableTls),
    /// Its gates cannot be put together.
    #[error(transparent)]
    Assemble(#[from] AssembleErrors),
    /// They cannot, and it has a site, which this node was started without.
    #[error("{0}\nthe site of the file takes effect at the next start, and gates that need it do")]
    SiteWaits(AssembleErrors),
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

/// Why an issuer cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum NoIssuer {
    /// It is the server's own.
    #[error(
        "`{0}` is the server's own issuer: behind each of its tokens is a login, and the built-in site makes them at `POST /api/token`",
        Issuer::OWN
    )]
    Own,
    /// There is none of that name.
    #[error("there is no issuer `{name}`; there are: {known}")]
    Unknown {
        /// The name.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// Its keys cannot be read.
    #[error(transparent)]
    Unusable(#[from] IssuerError),
}

/// An issuer of the configuration by its name, with its keys.
pub fn issuer(config: &Config, base: &Path, name: &str) -> Result<Issuer, NoIssuer> {
    if name == Issuer::OWN {
        return Err(NoIssuer::Own);
    }
    let Some(found) = config.issuers.iter().find(|issuer| issuer.name == name) else {
        let known: Vec<_> = config.issuers.iter().map(|issuer| format!("`{}`", issuer.name)).collect();
        return Err(NoIssuer::Unknown { name: name.to_owned(), known: known.join(", ") });
    };
    let owner = gates::owner_of(config, found.owner.as_deref());
    Ok(Issuer::build(found, &owner, &secret_reader(base))?)
}
