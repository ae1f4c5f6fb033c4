//! Fan-out in a closed loop: a publisher keeps `window` messages in flight to all subscribers.
//!
//! A message is in flight until **all** its deliveries have arrived; only then may the next one go. Counting it done at
//! its first or "nearly last" delivery lets two be in flight and makes servers that queue look twice as fast as the raw
//! floor. Each message carries its number, so a delivery that is lost, doubled or out of order is seen.

use super::{PATIENCE, crowd::Crowd, frames, peer::Phase, raw};
use crate::{
    args::Load,
    clock,
    error::{Error, Result},
    raw::{PUBLISHER, SUBSCRIBER},
    spoken::{self, MASK, text},
    stats::percentile,
};
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// A delivered message, envelope included.
const DELIVERED: usize = 128;
/// What stands around the payload in a delivery of the hub.
const ENVELOPE: (&str, &str) = (r#"{"event":"message","channel":"bench","pk":"1","message":""#, "\"}");
/// Digits of a message's number.
pub(super) const DIGITS: usize = 10;
/// A loop without a single finished message for this long has lost deliveries.
pub(super) const STALL: Duration = Duration::from_secs(5);

pub(super) fn run(load: &Load, subscribers: usize, window: usize, time: Duration) -> Result<Value> {
    let spoken = load.path.is_some();
    let mut crowd = Crowd::towards(load.target)?;
    crowd.open(subscribers, load.script(&raw(SUBSCRIBER))?, |peer| peer.phase == Phase::Ready, PATIENCE)?;
    crowd.open(1, load.script(&raw(PUBLISHER))?, |peer| peer.phase == Phase::Ready, PATIENCE)?;
    if spoken {
        let subscribe = text(&json!({"action": "subscribe", "channel": "bench", "pk": 1}));
        crowd.ask(subscribers, &subscribe, "subscribed", PATIENCE)?;
    }
    let mut round = Round {
        spoken,
        filler: DELIVERED - ENVELOPE.0.len() - ENVELOPE.1.len() - DIGITS,
        flights: Flights::new(subscribers),
        length: 0,
        reads: 0,
    };
    // The first message shows how long a delivery is; the filler makes it 128 bytes from then on.
    round.fly(&mut crowd, 1, Until::Published(1))?;
    round.filler = (round.filler + DELIVERED).saturating_sub(round.length);
    round.fly(&mut crowd, window, Until::Time(clock::now() + time / 5))?;

    let (begun, before, done) = (clock::now(), load.server().cpu()?, round.flights.deliveries);
    round.flights.times.clear();
    round.reads = 0;
    round.fly(&mut crowd, window, Until::Time(begun + time))?;
    let cpu = load.server().cpu()?.since(before).as_secs_f64();
    let wall = (clock::now() - begun).as_secs_f64();
    let deliveries = round.flights.deliveries - done;
    crowd.all_there()?;
    let times = &round.flights.times;
    Ok(json!({
        "value": deliveries as f64 / cpu,
        "deliveries": deliveries,
        "lost": 0,
        "delivered_bytes": round.length,
        "cpu_s": cpu,
        "wall_s": wall,
        "p50_ms": percentile(times, 0.5),
        "p99_ms": percentile(times, 0.99),
        "longest_ms": percentile(times, 1.0),
        "per_read": deliveries as f64 / round.reads as f64,
    }))
}

/// When to stop publishing. What is in flight then still has to arrive.
#[derive(Debug, Clone, Copy)]
enum Until {
    Published(u64),
    Time(Instant),
}

struct Round {
    /// JSON and masks for Doorward, finished deliveries for a baseline.
    spoken: bool,
    filler: usize,
    flights: Flights,
    /// Payload bytes of the last delivery.
    length: usize,
    /// How often a peer has been read.
    reads: usize,
}

impl Round {
    /// Publishes with up to `window` in flight until it is time, then waits for the rest.
    fn fly(&mut self, crowd: &mut Crowd, window: usize, until: Until) -> Result<()> {
        let publisher = self.flights.next.len();
        let start = self.flights.published;
        let mut last = (clock::now(), self.flights.finished);
        loop {
            let now = clock::now();
            let more = match until {
                Until::Published(count) => self.flights.published - start < count,
                Until::Time(end) => now < end,
            };
            if !more && self.flights.in_flight() == 0 {
                return Ok(());
            }
            let mut batch = Vec::new();
            while more && self.flights.in_flight() < window {
                self.publish(&mut batch);
                self.flights.depart(now);
            }
            if !batch.is_empty() {
                crowd.send(publisher, &batch);
            }
            let (flights, length) = (&mut self.flights, &mut self.length);
            crowd.turn(Duration::from_millis(100), |number, heard, _| {
                match sequence(heard.payload) {
                    Some(sequence) if number < publisher => {
                        *length = heard.payload.len();
                        flights.arrive(number, sequence, clock::now)?;
                    }
                    _ => unexpected(heard.payload)?,
                }
                Ok(())
            })?;
            self.reads += crowd.served();
            if self.flights.finished != last.1 {
                last = (clock::now(), self.flights.finished);
            } else if clock::now() - last.0 > STALL {
                crowd.all_there()?;
                return Err(self.flights.lost());
            }
        }
    }

    fn publish(&self, batch: &mut Vec<u8>) {
        let message = format!("{:0DIGITS$}{}", self.flights.published, "x".repeat(self.filler));
        if self.spoken {
            let action = json!({"action": "publish", "channel": "bench", "pk": 1, "message": message});
            frames::append(batch, frames::TEXT, Some(MASK), action.to_string().as_bytes());
        } else {
            let delivery = format!("{}{message}{}", ENVELOPE.0, ENVELOPE.1);
            frames::append(batch, frames::TEXT, None, delivery.as_bytes());
        }
    }
}

/// Which messages are on their way to whom.
pub(super) struct Flights {
    /// For each subscriber the number of the message that must come next.
    next: Vec<u64>,
    /// For each message in flight, oldest first: deliveries still missing, and when it was published.
    open: VecDeque<(usize, Instant)>,
    pub(super) published: u64,
    finished: u64,
    /// Deliveries that have arrived.
    pub(super) deliveries: u64,
    /// Milliseconds from publishing a message to its last delivery.
    pub(super) times: Vec<f64>,
}

impl Flights {
    pub(super) fn new(subscribers: usize) -> Self {
        Self {
            next: vec![0; subscribers],
            open: VecDeque::new(),
            published: 0,
            finished: 0,
            deliveries: 0,
            times: Vec::new(),
        }
    }

    pub(super) fn in_flight(&self) -> usize {
        self.open.len()
    }

    pub(super) fn depart(&mut self, now: Instant) {
        self.open.push_back((self.next.len(), now));
        self.published += 1;
    }

    pub(super) fn arrive(&mut self, subscriber: usize, sequence: u64, now: impl Fn() -> Instant) -> Result<()> {
        let next =
            self.next.get_mut(subscriber).ok_or_else(|| Error::Server("sent a message to the publisher".into()))?;
        if sequence != *next {
            return Err(Error::Server(format!("delivered message {sequence} where {next} was due")));
        }
        *next += 1;
        self.deliveries += 1;
        let index = sequence.checked_sub(self.finished).and_then(|index| usize::try_from(index).ok());
        let (missing, _) = index
            .and_then(|index| self.open.get_mut(index))
            .ok_or_else(|| Error::Server(format!("delivered message {sequence}, which is not in flight")))?;
        *missing -= 1;
        // Every subscriber hears in order, so messages finish in order.
        while let Some((0, since)) = self.open.front() {
            self.times.push((now() - *since).as_secs_f64() * 1e3);
            self.open.pop_front();
            self.finished += 1;
        }
        Ok(())
    }

    pub(super) fn lost(&self) -> Error {
        let expected = self.published * self.next.len() as u64;
        Error::Lost { lost: expected - self.deliveries, expected }
    }
}

/// The number in a delivery; `None` if it is none. Looks where the envelope of the hub puts it before it searches.
pub(super) fn sequence(payload: &[u8]) -> Option<u64> {
    const MARK: &[u8] = br#""message":""#;
    let digits = match payload.strip_prefix(ENVELOPE.0.as_bytes()) {
        Some(rest) => rest,
        None => {
            let at = payload.windows(MARK.len()).position(|window| window == MARK)?;
            payload.get(at + MARK.len()..)?
        }
    };
    digits
        .get(..DIGITS)?
        .iter()
        .try_fold(0, |number: u64, digit| digit.is_ascii_digit().then(|| number * 10 + u64::from(digit - b'0')))
}

/// Anything but a delivery: acknowledgements may come, errors may not.
fn unexpected(payload: &[u8]) -> Result<()> {
    match spoken::event(payload).as_deref() {
        Some("error" | "suspended" | "refused" | "gap") | None => {
            Err(Error::Server(format!("said {}", String::from_utf8_lossy(payload))))
        }
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_found_in_the_hubs_envelope_and_in_another() {
        assert_eq!(sequence(br#"{"event":"message","channel":"bench","pk":"1","message":"0000000042xx"}"#), Some(42));
        assert_eq!(sequence(br#"{"event":"message","offset":7,"message":"0000000007"}"#), Some(7));
        assert_eq!(sequence(br#"{"event":"published","id":1}"#), None);
        assert_eq!(sequence(br#"{"event":"error","message":"no such channel"}"#), None);
    }

    #[test]
    fn a_message_is_in_flight_until_its_last_delivery() {
        let at = clock::now();
        let mut flights = Flights::new(2);
        flights.depart(at);
        flights.arrive(0, 0, || at).unwrap();
        assert_eq!(flights.in_flight(), 1, "one of two deliveries is not all");
        flights.arrive(1, 0, || at).unwrap();
        assert_eq!(flights.in_flight(), 0);
        assert_eq!((flights.finished, flights.deliveries), (1, 2));
    }

    #[test]
    fn a_subscriber_ahead_of_the_others_finishes_nothing() {
        let at = clock::now();
        let mut flights = Flights::new(2);
        flights.depart(at);
        flights.depart(at);
        flights.arrive(0, 0, || at).unwrap();
        flights.arrive(0, 1, || at).unwrap();
        assert_eq!(flights.in_flight(), 2);
        flights.arrive(1, 0, || at).unwrap();
        assert_eq!(flights.in_flight(), 1);
    }

    #[test]
    fn a_gap_a_double_and_a_stranger_are_errors() {
        let at = clock::now();
        let mut flights = Flights::new(1);
        flights.depart(at);
        flights.depart(at);
        assert!(flights.arrive(0, 1, || at).is_err(), "gap");
        flights.arrive(0, 0, || at).unwrap();
        assert!(flights.arrive(0, 0, || at).is_err(), "double");
        assert!(flights.arrive(1, 1, || at).is_err(), "not a subscriber");
        flights.arrive(0, 1, || at).unwrap();
        assert!(flights.arrive(0, 2, || at).is_err(), "never published");
    }

    #[test]
    fn what_never_came_is_counted() {
        let at = clock::now();
        let mut flights = Flights::new(3);
        flights.depart(at);
        flights.arrive(1, 0, || at).unwrap();
        assert!(matches!(flights.lost(), Error::Lost { lost: 2, expected: 3 }));
    }

    #[test]
    fn an_error_of_the_server_is_not_ignored() {
        assert!(unexpected(br#"{"event":"published"}"#).is_ok());
        assert!(unexpected(br#"{"event":"error","code":"too_fast"}"#).is_err());
        assert!(unexpected(b"?").is_err());
    }

    #[test]
    fn a_raw_delivery_is_as_long_as_one_of_the_hub() {
        let round = Round {
            spoken: false,
            filler: DELIVERED - ENVELOPE.0.len() - ENVELOPE.1.len() - DIGITS,
            flights: Flights::new(1),
            length: 0,
            reads: 0,
        };
        let mut batch = Vec::new();
        round.publish(&mut batch);
        let frame = frames::first(&batch).unwrap().unwrap();
        assert_eq!(frame.end - frame.start, DELIVERED);
        assert_eq!(sequence(&batch[frame.start..frame.end]), Some(0));
    }
}
