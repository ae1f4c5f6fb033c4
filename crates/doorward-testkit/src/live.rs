use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use doorward_auth::{
    Claimant, Climb, ClimbEvent, Ladder, Rung, Start, Step,
    layers::LoginReturned,
    ports::{Account, Accounts, Clock, Created, Ending, NewAccount, Revocations, Role, Session, Sessions},
    ports::{What, Why},
};
use doorward_session::{
    AnyStream, Comeback, Follower, Following, Incoming, Line, OnLogout, Receipt, Socket, SocketPolicy, Sockets,
    Transport,
};
use doorward_types::{CloseReason, GateName, OwnerId, Secret, SessionId};
use doorward_wire::websocket::{
    Message,
    frame::{self, Opcode},
};
use tokio::{
    io::{AsyncWriteExt, DuplexStream, duplex},
    time::sleep,
};

use crate::{World, beginning, login_of};

/// A world with a registry that follows the log of its site: people log in, and have sockets that rest on their logins. The test
/// has tokio's clock paused.
pub struct Live {
    /// The world: its clock, and what its site keeps.
    pub world: World,
    /// The registry. It runs.
    pub sockets: Arc<Sockets>,
    /// What follows the log, and ends things.
    pub follower: Arc<Follower>,
    logins: AtomicU64,
}

/// Somebody's socket, and the far end of it.
pub struct LiveSocket {
    /// The socket.
    pub socket: Arc<Socket>,
    far: DuplexStream,
}

/// Takes every message, and says nothing.
struct Listens;

impl Incoming for Listens {
    fn message(&mut self, _: &Arc<Socket>, _: Message<'_>) -> Result<(), CloseReason> {
        Ok(())
    }

    fn gone(&mut self, _: &Arc<Socket>) {}
}

#[expect(clippy::panic, reason = "a test tells by a panic that something does not hold")]
impl Live {
    /// How long a login of this world lasts without use.
    pub const IDLE: Duration = Duration::from_secs(60);

    /// How long a login of this world lasts at the most.
    pub const LONGEST: Duration = Duration::from_secs(600);

    /// A world in which suspended sockets wait in vain.
    pub async fn new() -> Self {
        Self::made(World::new(), None).await
    }

    /// A world in which they are let in again by what is made of its ports.
    pub async fn with_comeback(make: impl FnOnce(&World) -> Arc<dyn Comeback>) -> Self {
        let world = World::new();
        let comeback = make(&world);
        Self::made(world, Some(comeback)).await
    }

    async fn made(world: World, comeback: Option<Arc<dyn Comeback>>) -> Self {
        let sockets = Sockets::new(world.clock.clone(), world.rng.clone());
        tokio::spawn(sockets.run());
        let log = Arc::clone(&world.site) as Arc<dyn Revocations>;
        let follower = Follower::new(Arc::clone(&sockets), log, Following::of_node("here"));
        let follower = Arc::new(match comeback {
            Some(comeback) => follower.with_comeback(comeback),
            None => follower,
        });
        if let Err(error) = follower.begin().await {
            panic!("{error}");
        }
        tokio::spawn(follower.run());
        Self { world, sockets, follower, logins: AtomicU64::new(1) }
    }

    /// Both clocks go on, a second at a time.
    pub async fn pass(&self, time: Duration) {
        for _ in 0..time.as_secs() {
            self.world.clock.advance(Duration::from_secs(1));
            sleep(Duration::from_secs(1)).await;
        }
    }

    /// An account at the site of `owner`.
    pub async fn account(&self, owner: &str, name: &str) -> Account {
        let new = NewAccount {
            owner: OwnerId::new(owner),
            username: name.to_owned(),
            unique: name.to_owned(),
            role: Role::User,
            password: Secret::from_text(""),
            invitation: None,
            at: self.world.clock.now(),
        };
        match self.world.site.create(new).await {
            Ok(Created::Account(account)) => account,
            other => panic!("{other:?}"),
        }
    }

    /// Logs in, in the browser of that number.
    pub async fn log_in(&self, account: &Account, browser: u8) -> Session {
        let (number, now) = (self.logins.fetch_add(1, Ordering::Relaxed), self.world.clock.now());
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&number.to_be_bytes());
        let session = Session {
            browser: Some([browser; 32]),
            idle: Self::IDLE,
            expires_at: now.plus(Self::LONGEST),
            ..login_of(account, SessionId::from_bytes(u128::from(number).to_be_bytes()), now)
        };
        let as_of = *self.world.site.appended().borrow();
        match self.world.site.open(beginning(session.clone(), Some(hash), as_of)).await {
            Ok(Some(opened)) => Session { opened, ..session },
            other => panic!("{other:?}"),
        }
    }

    /// The login as the site has it now, while it holds.
    pub async fn kept(&self, session: &Session) -> Option<Session> {
        let found = self.world.site.find_by_id(&session.owner, session.sid, self.world.clock.now()).await;
        found.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Ends a login as its user does.
    pub async fn log_out(&self, session: &Session) -> Receipt {
        let (owner, what, at) = (Some(session.owner.clone()), What::Rest(session.rest()), self.world.clock.now());
        let ending = Ending { owner, what, why: Why::LoggedOut, change: None, at };
        self.follower.end(ending).await.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Somebody is let in at a gate of their owner by that layer, which goes by their login. The socket is closed at a logout.
    pub async fn socket(&self, layer: &'static str, session: &Session, gate: &str) -> LiveSocket {
        self.let_in(layer, session, gate, OnLogout::Close).await
    }

    /// The same at a gate whose sockets wait for their login.
    pub async fn waiting_socket(&self, layer: &'static str, session: &Session, gate: &str) -> LiveSocket {
        self.let_in(layer, session, gate, OnLogout::Suspend).await
    }

    async fn let_in(&self, layer: &'static str, session: &Session, gate: &str, on_logout: OnLogout) -> LiveSocket {
        let step = Step::conversation(LoginReturned::new(layer, session.sid, &self.world.ports()));
        let ladder = Ladder::new(vec![Rung::One(step)]).unwrap_or_else(|error| panic!("{error}"));
        let start = self.world.start(World::handshake(), GateName::new(gate));
        let (owner, source) = (session.owner.clone(), session.source);
        let claimant = Claimant::new(owner, GateName::new(gate), source, true, BTreeMap::new());
        let start = Start { claimant, as_of: self.sockets.cursor(), ..start };
        let admission = match Climb::begin(Arc::new(ladder), start).await {
            Ok(mut climb) => match climb.next().await {
                ClimbEvent::Admitted(admission) => admission,
                other => panic!("{other:?}"),
            },
            Err(refusal) => panic!("{refusal}"),
        };
        let (near, far) = duplex(64 * 1024);
        let transport: Arc<dyn Transport> = Arc::new(AnyStream::new(near));
        let policy = SocketPolicy { backend: "listens", on_logout, ping_every: None, ..SocketPolicy::default() };
        let socket = self.sockets.register(admission, Arc::clone(&transport), policy);
        let socket = socket.unwrap_or_else(|reason| panic!("{reason}"));
        tokio::spawn(Line::new(transport, Vec::new(), 4096).run(Arc::clone(&socket), Box::new(Listens)));
        LiveSocket { socket, far }
    }
}

impl LiveSocket {
    /// Sends a message.
    pub async fn say(&mut self, text: &str) {
        self.frame(Opcode::Text, text.as_bytes()).await;
    }

    /// Sends a ping.
    pub async fn ping(&mut self) {
        self.frame(Opcode::Ping, b"").await;
    }

    /// The login that it rests on.
    pub fn rests_on(&self, session: &Session) -> bool {
        self.socket.admission().rests_on().contains(&session.rest())
    }

    async fn frame(&mut self, opcode: Opcode, payload: &[u8]) {
        let mut bytes = Vec::new();
        frame::write(opcode, payload, Some([1, 2, 3, 4]), &mut bytes);
        // Whether anybody is there is told by the socket.
        let _gone = self.far.write_all(&bytes).await;
    }
}
