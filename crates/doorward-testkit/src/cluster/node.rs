//! A node: the real registry and the real follower, on a machine and a link that can fail.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use doorward_auth::{
    Claimant, Climb, ClimbEvent, Ladder, Start,
    ports::{Clock, Rng, Sessions},
};
use doorward_session::{
    Follower, Following, Incoming, Line, Notices, OnLogout, Socket, SocketPolicy, Sockets, Suspension,
};
use doorward_types::{CloseReason, Cursor, GateName, SessionId, TraceId};
use doorward_wire::websocket::{Message, frame};
use tokio::{
    task::AbortHandle,
    time::{Instant, interval_at, sleep, timeout},
};

use super::{
    dice::Dice,
    layer::{self, Returns},
    link::Link,
    lock,
    log::{Actor, Connection, Event, Log, Notice},
    machine::{Life, Machine},
    pipe::{Pipe, word},
    schedule::{Misdeed, Shape},
};
use crate::{SeededRng, World};

/// How often logins are ended whose time is over.
const SWEEP_EVERY: Duration = Duration::from_secs(2);

/// One life of a node. Its tasks end with it.
pub(super) struct Node {
    number: usize,
    shape: Shape,
    log: Arc<Log>,
    pub(super) machine: Arc<Machine>,
    pub(super) link: Arc<Link>,
    pub(super) follower: Arc<Follower>,
    life: Arc<Life>,
    sockets: Arc<Sockets>,
    ladder: Option<Arc<Ladder>>,
    connected: Mutex<BTreeMap<Connection, Connected>>,
    tasks: Mutex<Vec<AbortHandle>>,
}

/// A socket that the publisher sends to, and whose it was when it came.
struct Connected {
    socket: Arc<Socket>,
    user: usize,
    sent: u64,
}

/// Who comes, and what they bring.
#[derive(Clone)]
pub(super) struct Visitor {
    pub(super) connection: Connection,
    pub(super) user: usize,
    /// What the text of the cookie of their login is made of.
    pub(super) key: [u8; 32],
    /// Whether they come to the gate whose sockets wait for their login.
    pub(super) waits: bool,
}

impl Node {
    pub(super) fn start(
        number: usize,
        shape: Shape,
        log: Arc<Log>,
        machine: Arc<Machine>,
        link: Arc<Link>,
    ) -> Arc<Self> {
        let began = log.time().now().as_millis() as u64;
        let rng: Arc<dyn Rng> = Arc::new(SeededRng::new(Dice::of(shape.seed, &[0x0de, number as u64, began]).number()));
        let sockets = Sockets::with_time(Arc::clone(&machine) as _, Arc::clone(&machine) as _, rng);
        let following = Following {
            confirm_every: shape.confirm_every,
            lasts: shape.lasts,
            grace: shape.grace,
            answer_within: shape.answer_within,
            ..Following::of_node(format!("node {number}"))
        };
        let comeback = Returns { link: Arc::clone(&link), machine: Arc::clone(&machine), misdeed: shape.misdeed };
        let follower = Follower::new(Arc::clone(&sockets), Arc::clone(&link) as _, following);
        let follower = Arc::new(follower.with_comeback(Arc::new(comeback)));
        let ladder = layer::ladder(&link, &machine);
        let node = Arc::new(Self {
            number,
            shape,
            log,
            machine,
            link,
            follower,
            life: Arc::default(),
            sockets,
            ladder,
            connected: Mutex::default(),
            tasks: Mutex::default(),
        });
        node.log.note(Actor::Node(number), Event::Started);
        node.spawn(node.sockets.run());
        node.spawn(node.follower.run());
        node.spawn(Arc::clone(&node).publish());
        node.spawn(Arc::clone(&node).sweep());
        node
    }

    pub(super) fn number(&self) -> usize {
        self.number
    }

    /// Everything of this life is gone, at once.
    pub(super) fn crash(&self) {
        self.log.note(Actor::Node(self.number), Event::Crashed);
        self.life.end();
        lock(&self.tasks).drain(..).for_each(|task| task.abort());
        lock(&self.connected).clear();
    }

    /// Lets somebody climb, and serves them.
    pub(super) fn attend(self: &Arc<Self>, visitor: Visitor) -> Arc<Pipe> {
        let connection = visitor.connection;
        let (machine, life) = (Arc::clone(&self.machine), Arc::clone(&self.life));
        let pipe = Pipe::new(connection, Arc::clone(&self.log), machine, life);
        let transport = pipe.transport();
        let (node, attended) = (Arc::clone(self), Arc::clone(&pipe));
        self.spawn(async move {
            let line = Line::new(Arc::clone(&transport), Vec::new(), 4096);
            match node.admit(&visitor, transport).await {
                Ok((socket, sid)) => {
                    let (number, id, waits) = (node.number, socket.id(), visitor.waits);
                    attended.note(Event::Opened { node: number, socket: id, sid, waits });
                    let connected = Connected { socket: Arc::clone(&socket), user: visitor.user, sent: 0 };
                    lock(&node.connected).insert(connection, connected);
                    let ears = Ears(Arc::clone(&attended));
                    line.run(socket, Box::new(ears)).await;
                    lock(&node.connected).remove(&connection);
                }
                Err(why) => attended.note(Event::Refused { node: node.number, why }),
            }
        });
        pipe
    }

    async fn admit(
        &self,
        visitor: &Visitor,
        transport: Arc<dyn doorward_session::Transport>,
    ) -> Result<(Arc<Socket>, SessionId), String> {
        self.machine.until_awake().await;
        let handshake = layer::request(&visitor.key);
        let gate = GateName::new(if visitor.waits { "waits" } else { "closes" });
        let claimant = Claimant::new(World::owner(), gate, handshake.source, true, BTreeMap::new());
        let start = Start {
            trace: TraceId::from_bytes([1; 16]),
            handshake,
            claimant,
            as_of: as_of(&self.sockets, self.shape.misdeed),
            choose_within: Duration::from_secs(1),
            clock: Arc::clone(&self.machine) as _,
        };
        let ladder = self.ladder.clone().ok_or("the ladder is wrong")?;
        let mut climb = Climb::begin(ladder, start).await.map_err(|refusal| refusal.to_string())?;
        let ClimbEvent::Admitted(admission) = climb.next().await else { return Err("not admitted".to_owned()) };
        let socket =
            self.sockets.register(admission, transport, policy(visitor.waits)).map_err(|why| why.to_string())?;
        let sid = login_of(&socket).ok_or("no login")?;
        Ok((socket, sid))
    }

    /// Sends everybody who is there a numbered frame, again and again.
    async fn publish(self: Arc<Self>) {
        let first = Dice::of(self.shape.seed, &[0x9b, self.number as u64]).millis(0, 300);
        let mut ticks = interval_at(Instant::now() + first, self.shape.publish_every);
        loop {
            ticks.tick().await;
            self.machine.until_awake().await;
            for connected in lock(&self.connected).values_mut() {
                let Some(by) = login_of(&connected.socket) else { continue };
                connected.sent += 1;
                let frame = frame::text(word(connected.sent, connected.user, by).as_bytes());
                self.sockets.fan_out([&connected.socket], &frame);
            }
        }
    }

    /// Ends logins whose time is over.
    async fn sweep(self: Arc<Self>) {
        loop {
            sleep(SWEEP_EVERY).await;
            self.machine.until_awake().await;
            // Where the store is down they end a little later.
            let _swept = timeout(self.shape.answer_within, self.link.sweep(self.machine.now(), usize::MAX)).await;
        }
    }

    /// How it stands, for the end of the log.
    pub(super) fn look(&self) {
        let connected = lock(&self.connected);
        let live = self.sockets.list(None, usize::MAX).into_iter().filter_map(|info| {
            let (connection, at) = connected.iter().find(|(_, at)| at.socket.id() == info.id)?;
            let waits = at.socket.suspension() == Some(Suspension::LoggedOut);
            Some((*connection, login_of(&at.socket).filter(|_| !waits)))
        });
        let mut live: Vec<_> = live.collect();
        live.sort();
        let is_confirmed = self.sockets.is_confirmed();
        self.log.note(Actor::Node(self.number), Event::Final { counted: self.sockets.len(), live, is_confirmed });
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = lock(&self.tasks);
        tasks.retain(|task| !task.is_finished());
        tasks.push(tokio::spawn(task).abort_handle());
    }
}

/// Where a climb says that the view of endings stood when it began.
pub(super) fn as_of(sockets: &Sockets, misdeed: Option<Misdeed>) -> Cursor {
    if misdeed == Some(Misdeed::ForgetsTheBeginning) { Cursor(u64::MAX) } else { sockets.cursor() }
}

fn login_of(socket: &Socket) -> Option<SessionId> {
    let admission = socket.admission();
    admission.rests_on().iter().find(|rest| rest.kind == "sid").and_then(|rest| rest.value.parse().ok())
}

fn policy(waits: bool) -> SocketPolicy {
    let say = |notice: Notice| frame::text(notice.text().as_bytes());
    SocketPolicy {
        backend: "publisher",
        on_logout: if waits { OnLogout::Suspend } else { OnLogout::Close },
        notices: Some(Notices {
            logged_out: say(Notice::LoggedOut),
            unconfirmed: say(Notice::Unconfirmed),
            resumed: say(Notice::Resumed),
            resumed_with_gap: say(Notice::Resumed),
        }),
        ..SocketPolicy::default()
    }
}

/// Takes what clients say.
struct Ears(Arc<Pipe>);

impl Incoming for Ears {
    fn message(&mut self, _: &Arc<Socket>, _: Message<'_>) -> Result<(), CloseReason> {
        self.0.note(Event::Heard);
        Ok(())
    }

    fn gone(&mut self, _: &Arc<Socket>) {}
}
