//! Carries bytes between a user and an upstream, as they are: masked upwards, unmasked downwards.
//!
//! ```text
//!              ┌──────────── up: read, write at once ────────────▶┐
//!   user ◀──▶ client side                                upstream side ◀──▶ upstream
//!              └◀─────────── down: read, write at once ───────────┘
//!
//!   either side closes    its Close passes, then the other's, then FIN both ways
//!   either side is gone   user lost: the upstream is told so; upstream lost: Close 1013 to the user
//!   a header is broken    nothing of it passes: Close 1002 or 1009 to a user who broke it, 1014 where the upstream did
//!   it is suspended       nothing is read and nothing written, until it goes on where it stopped
//!   the socket is ended   whole frames (500 ms at most), Close to both, FIN, read on (1 s at most), drop
//! ```
//!
//! One task has the pair. Both flows follow the frames, so that each can be ended between two of them.

use std::{
    fmt,
    future::{Future as _, poll_fn},
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use doorward_session::Transport;
use doorward_types::CloseReason;
use doorward_wire::websocket::{FrameTracker, Frames, Limits, frame};
use tokio::time::{Instant, Sleep, sleep_until};

use super::{
    flow::{Flow, Stopped, poll_exhaust},
    leave::{Leave, LeaveAt, close_for_upstream, goes_with_what_is_held},
};

/// How long a frame under way may take to its end after the socket was ended.
pub(super) const FINISH_WITHIN: Duration = Duration::from_millis(500);
/// How long an ended connection is read on, so that nothing unread turns the FIN into a reset.
pub(super) const READ_ON: Duration = Duration::from_secs(1);
/// How long one side has to answer the other's Close or FIN.
pub(super) const ANSWER_CLOSE_WITHIN: Duration = Duration::from_secs(10);

/// What a relay asks of the socket that it serves.
pub(super) trait Admitted {
    /// Ready when the socket was ended by somebody else.
    fn poll_ended(&self, context: &mut Context<'_>) -> Poll<CloseReason>;

    /// These frames came from the user. An `Err` ends the socket.
    fn heard(&self, frames: Frames) -> Result<(), CloseReason>;

    /// Why the socket has ended, where it has.
    fn ended(&self) -> Option<CloseReason>;

    /// Whether nothing may pass just now. Whoever polls for the end is woken when that changes.
    fn is_suspended(&self) -> bool;

    /// When a silent user is asked for a sign of life; `None`: never.
    fn keep_alive(&self) -> Option<KeepAlive>;

    /// The relay ends the socket.
    fn end(&self, reason: CloseReason);

    /// For the log: which side it was that the connection came to its end by, and how.
    fn log(&self, side: Side, what: &dyn fmt::Display);

    /// The user's side has taken the Close frame.
    fn close_accepted(&self);
}

/// One of the two that a pair lies between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    User,
    Upstream,
}

/// When a silent user is asked for a sign of life, and how long the answer may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeepAlive {
    pub(super) ping_every: Duration,
    pub(super) pong_within: Duration,
}

/// Two connections and what is on its way between them.
pub(super) struct Pair<A> {
    admitted: A,
    client: Arc<dyn Transport>,
    upstream: Arc<dyn Transport>,
    up: Flow,
    down: Flow,
    /// The user has sent FIN, and it was passed on; or the upstream takes nothing any more.
    up_done: bool,
    /// The upstream has sent FIN after its Close, and it was passed on.
    down_done: bool,
    /// Bytes that came early and that the upstream must not get.
    refused: Option<CloseReason>,
    /// What the timer is for.
    awaited: Awaited,
    suspended: bool,
}

/// What a pair waits for, until its timer is up.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Awaited {
    /// Anything at all.
    Traffic,
    /// The answer to a ping.
    Pong,
    /// The other side's Close or FIN.
    Close,
}

/// Why a pair carries nothing any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Parting {
    /// Both sides have closed.
    Closed,
    /// The user's connection broke.
    ClientLost,
    /// Doorward ends it.
    Ended(CloseReason),
}

impl<A: Admitted> Pair<A> {
    /// `from_client` and `from_upstream` are what each side has sent already.
    pub(super) fn new(
        admitted: A,
        (client, from_client): (Arc<dyn Transport>, &[u8]),
        (upstream, from_upstream): (Arc<dyn Transport>, &[u8]),
        max_frame: usize,
    ) -> Self {
        let mut up = Flow::new(FrameTracker::of_client(Limits { message: max_frame }));
        let mut down = Flow::new(FrameTracker::of_server());
        let refused = match up.begin_with(from_client, |frames| admitted.heard(frames)) {
            Err(stopped) => refusal(&admitted, Side::User, stopped),
            Ok(()) => {
                let begun = down.begin_with(from_upstream, |_| Ok(()));
                begun.err().and_then(|stopped| refusal(&admitted, Side::Upstream, stopped))
            }
        };
        Self {
            admitted,
            client,
            upstream,
            up,
            down,
            up_done: false,
            down_done: false,
            refused,
            awaited: Awaited::Traffic,
            suspended: false,
        }
    }

    /// Carries until the socket has ended, then takes leave of both sides. `mask` is for the Close frame to the upstream.
    #[expect(clippy::manual_async_fn, reason = "an `async fn` would keep a second place for each of its arguments")]
    pub(super) fn run(mut self, mask: [u8; 4]) -> impl Future<Output = ()> {
        async move {
            let parting = {
                let pair = &mut self;
                let ping_every = pair.admitted.keep_alive().map(|keep_alive| keep_alive.ping_every);
                let mut timer = pin!(ping_every.map(|ping_every| sleep_until(Instant::now() + ping_every)));
                poll_fn(move |context| pair.poll_turn(context, timer.as_mut())).await
            };
            // Only now, and on the heap: an idle pair carries nothing of it.
            Box::pin(self.part(parting, mask)).await;
        }
    }

    fn poll_turn(&mut self, context: &mut Context<'_>, mut timer: Pin<&mut Option<Sleep>>) -> Poll<Parting> {
        if let Some(reason) = self.refused {
            return Poll::Ready(Parting::Ended(reason));
        }
        if let Poll::Ready(reason) = self.admitted.poll_ended(context) {
            return Poll::Ready(Parting::Ended(reason));
        }
        let was_suspended = std::mem::replace(&mut self.suspended, self.admitted.is_suspended());
        if self.suspended {
            // Who is not read cannot show that they are there; whoever was closing still has to be done in time.
            return match timer.as_mut().as_pin_mut() {
                Some(sleep) if self.awaited == Awaited::Close => {
                    sleep.poll(context).map(|()| Parting::Ended(CloseReason::GoingAway))
                }
                _ => Poll::Pending,
            };
        }
        if was_suspended && let Some(keep_alive) = self.admitted.keep_alive().filter(|_| self.awaited != Awaited::Close)
        {
            self.awaited = Awaited::Traffic;
            timer.set(Some(sleep_until(Instant::now() + keep_alive.ping_every)));
        }
        if let Poll::Ready(parting) = self.poll_carry(context) {
            return Poll::Ready(parting);
        }
        if self.awaited != Awaited::Close && self.is_closing() {
            self.awaited = Awaited::Close;
            timer.set(Some(sleep_until(Instant::now() + ANSWER_CLOSE_WITHIN)));
        }
        while let Some(sleep) = timer.as_mut().as_pin_mut() {
            ready!(sleep.poll(context));
            let Some(keep_alive) = self.admitted.keep_alive().filter(|_| self.awaited != Awaited::Close) else {
                // A user who has hung up need not be told that the upstream is slow.
                let hung_up = self.up.is_dry();
                return Poll::Ready(if hung_up { Parting::Closed } else { Parting::Ended(CloseReason::GoingAway) });
            };
            let moved = self.up.has_moved() | self.down.has_moved();
            let within = match self.awaited {
                _ if moved => {
                    self.awaited = Awaited::Traffic;
                    keep_alive.ping_every
                }
                // The upstream rests in the middle of a frame: there is no room for a ping, and nothing to be heard.
                Awaited::Traffic if !self.down.is_blocked() && !self.down.is_clear() => keep_alive.ping_every,
                Awaited::Traffic => {
                    self.awaited = Awaited::Pong;
                    if let Poll::Ready(parting) = self.poll_ping(context) {
                        return Poll::Ready(parting);
                    }
                    keep_alive.pong_within
                }
                // It is the upstream that keeps a user waiting who is not even read.
                _ if self.up.is_blocked() => return Poll::Ready(Parting::Ended(CloseReason::UpstreamDown)),
                _ => return Poll::Ready(Parting::Ended(CloseReason::PingTimeout)),
            };
            timer.set(Some(sleep_until(Instant::now() + within)));
        }
        Poll::Pending
    }

    /// Asks the user for a sign of life: to take what is held is one as well. The pong passes to the upstream, which has to bear
    /// with it (RFC 6455, section 5.5.3).
    fn poll_ping(&mut self, context: &mut Context<'_>) -> Poll<Parting> {
        if self.down.is_clear() {
            self.down.insert(&frame::ping(b""));
        }
        let carried = self.poll_carry(context);
        // The ping itself is no sign of life.
        self.down.has_moved();
        carried
    }

    fn is_closing(&self) -> bool {
        self.up_done || self.down_done || self.up.saw_close() || self.down.saw_close()
    }

    fn poll_carry(&mut self, context: &mut Context<'_>) -> Poll<Parting> {
        let admitted = &self.admitted;
        if !self.down_done {
            let look = |_| admitted.ended().map_or(Ok(()), Err);
            match self.down.poll_carry(context, &*self.upstream, &*self.client, look) {
                Poll::Pending => {}
                Poll::Ready(Stopped::Dry | Stopped::SourceBroke) if self.down.saw_close() => {
                    // Where that fails, reading from the client fails as well.
                    let _ = self.client.poll_shutdown(context);
                    self.down_done = true;
                }
                // The upstream hangs up on a user who has done so.
                Poll::Ready(Stopped::Dry | Stopped::SourceBroke) if self.up.is_dry() => {
                    return Poll::Ready(Parting::Closed);
                }
                Poll::Ready(Stopped::Dry | Stopped::SourceBroke) => {
                    admitted.log(Side::Upstream, &"is gone without a Close frame");
                    return Poll::Ready(Parting::Ended(CloseReason::UpstreamDown));
                }
                Poll::Ready(Stopped::SinkBroke) => return Poll::Ready(Parting::ClientLost),
                Poll::Ready(stopped) => {
                    if let Some(reason) = refusal(admitted, Side::Upstream, stopped) {
                        return Poll::Ready(Parting::Ended(reason));
                    }
                }
            }
        }
        if !self.up_done {
            let look = |frames| admitted.heard(frames);
            match self.up.poll_carry(context, &*self.client, &*self.upstream, look) {
                Poll::Pending => {}
                Poll::Ready(Stopped::Dry) => {
                    if !self.up.saw_close() {
                        admitted.log(Side::User, &"hung up without a Close frame");
                    }
                    let _ = self.upstream.poll_shutdown(context);
                    self.up_done = true;
                }
                // What the upstream has said before it stopped reading may still come.
                Poll::Ready(Stopped::SinkBroke) => self.up_done = true,
                Poll::Ready(Stopped::SourceBroke) => return Poll::Ready(Parting::ClientLost),
                Poll::Ready(stopped) => {
                    if let Some(reason) = refusal(admitted, Side::User, stopped) {
                        return Poll::Ready(Parting::Ended(reason));
                    }
                }
            }
        }
        let both_said_so = self.up.saw_close() && self.down.saw_close() && self.up.is_clear() && self.down.is_clear();
        if both_said_so || (self.up_done && self.down_done) { Poll::Ready(Parting::Closed) } else { Poll::Pending }
    }

    async fn part(mut self, parting: Parting, mask: [u8; 4]) {
        let reason = match parting {
            Parting::ClientLost => {
                self.admitted.log(Side::User, &"is gone: the connection broke");
                self.admitted.end(CloseReason::Normal);
                // As the user's own reset would reach an upstream without a gate; after a Close it is no news.
                if !self.up.saw_close() {
                    self.upstream.reset();
                }
                return;
            }
            Parting::Closed => CloseReason::Normal,
            Parting::Ended(reason) => reason,
        };
        self.admitted.end(reason);
        // What is held was read before the socket was suspended: it does not come later.
        let held_too = !self.suspended && goes_with_what_is_held(reason);
        let mut down = Leave::new(self.down_done, frame::close(reason).to_vec(), held_too);
        let mut up = Leave::new(self.up_done, close_for_upstream(mask), held_too);
        let mut timer = pin!(sleep_until(Instant::now() + FINISH_WITHIN));
        let mut told = false;
        poll_fn(|context| {
            let (client, upstream) = (&*self.client, &*self.upstream);
            let mut late = false;
            loop {
                let down_left = down.poll(context, &mut self.down, upstream, client);
                let up_left = up.poll(context, &mut self.up, client, upstream);
                if down.at == LeaveAt::Left && !told {
                    told = true;
                    self.admitted.close_accepted();
                }
                if (down_left.is_ready() && up_left.is_ready()) || late {
                    return Poll::Ready(());
                }
                ready!(timer.as_mut().poll(context));
                late = true;
                down.cut(client);
                up.cut(upstream);
            }
        })
        .await;

        // A side that was cut is let go at once, which resets it; so is what the socket itself still holds of it.
        let mut client = (down.at == LeaveAt::Left).then_some((self.client, self.admitted));
        let mut upstream = (up.at == LeaveAt::Left).then_some(self.upstream);
        timer.as_mut().reset(Instant::now() + READ_ON);
        poll_fn(|context| {
            client.take_if(|(client, _)| poll_exhaust(context, &**client).is_ready());
            upstream.take_if(|upstream| poll_exhaust(context, &**upstream).is_ready());
            if client.is_none() && upstream.is_none() { Poll::Ready(()) } else { timer.as_mut().poll(context) }
        })
        .await;
        // Whoever has not even said goodbye by now has no claim to what the kernel still holds.
        let sides = [client.as_ref().map(|(client, _)| client), upstream.as_ref()];
        sides.into_iter().flatten().for_each(|side| side.reset());
    }
}

/// With which reason to end a socket one side of which must not go on; `None` where it has only stopped.
fn refusal(admitted: &impl Admitted, side: Side, stopped: Stopped) -> Option<CloseReason> {
    match (stopped, side) {
        (Stopped::Refused(reason), _) => Some(reason),
        (Stopped::Violated(violation), side) => {
            admitted.log(side, &format_args!("broke the WebSocket protocol: {violation}"));
            Some(match side {
                Side::User => violation.close_reason(),
                // Not the user's fault, whatever it is.
                Side::Upstream => CloseReason::UpstreamBroken,
            })
        }
        (Stopped::Dry | Stopped::SourceBroke | Stopped::SinkBroke, _) => None,
    }
}
