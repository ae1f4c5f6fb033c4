//! Events that an application emits to all clients of Socket.IO, `window` in flight: with one, the next request goes when the last
//! delivery of the one before has arrived; with more, as soon as the one before is answered.

use super::{
    PATIENCE,
    crowd::Crowd,
    fanout::{DIGITS, Flights, STALL, sequence},
    peer::Phase,
    site::Api,
};
use crate::{
    args::Load,
    clock,
    error::{Error, Result, Trying},
    http::Reply,
    stats::percentile,
};
use serde_json::{Value, json};
use std::{
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

/// What fills an event up to 128 bytes, its envelope included: `42["happened",{"message":"..."}]`.
const FILLER: usize = 128 - 29 - DIGITS;

pub(super) fn run(load: &Load, subscribers: usize, window: usize, time: Duration) -> Result<Value> {
    let api = Api::of(load)?;
    let mut crowd = Crowd::towards(load.target)?;
    crowd.open(subscribers, load.script(&[])?, |peer| peer.phase == Phase::Ready, PATIENCE)?;
    let application = Application { api };
    let mut flights = Flights::new(subscribers);
    let mut length = 0;
    let mut emit_until = |end: Instant, crowd: &mut Crowd, flights: &mut Flights| -> Result<()> {
        let mut stalled = clock::now() + STALL;
        loop {
            while clock::now() < end && flights.in_flight() < window {
                let asked = application.emit(flights.published)?;
                flights.depart(clock::now());
                // In turn, so that they are put out in this order.
                is_answered(asked, subscribers)?;
                stalled = clock::now() + STALL;
            }
            if flights.in_flight() == 0 {
                return Ok(());
            }
            crowd.turn(Duration::from_millis(100), |number, heard, _| {
                if let Some(sequence) = sequence(heard.payload) {
                    length = heard.payload.len();
                    flights.arrive(number, sequence, clock::now)?;
                }
                Ok(())
            })?;
            if clock::now() > stalled {
                crowd.all_there()?;
                return Err(flights.lost());
            }
        }
    };
    emit_until(clock::now() + time / 5, &mut crowd, &mut flights)?;
    let (begun, before, done) = (clock::now(), load.server().cpu()?, flights.deliveries);
    flights.times.clear();
    emit_until(begun + time, &mut crowd, &mut flights)?;
    let cpu = load.server().cpu()?.since(before).as_secs_f64();
    let wall = (clock::now() - begun).as_secs_f64();
    let deliveries = flights.deliveries - done;
    crowd.all_there()?;
    Ok(json!({
        "value": deliveries as f64 / cpu,
        "deliveries": deliveries,
        "lost": 0,
        "delivered_bytes": length,
        "cpu_s": cpu,
        "wall_s": wall,
        "p50_ms": percentile(&flights.times, 0.5),
        "p99_ms": percentile(&flights.times, 0.99),
        "longest_ms": percentile(&flights.times, 1.0),
    }))
}

/// What emits. Each request comes on a connection of its own: the internal port keeps none.
struct Application {
    api: Api,
}

impl Application {
    /// Asks, and waits for no answer.
    fn emit(&self, number: u64) -> Result<TcpStream> {
        let message = format!("{number:0DIGITS$}{}", "x".repeat(FILLER));
        let event = json!({ "gate": "events", "namespace": "/", "event": "happened", "data": { "message": message } });
        let request = self.api.question("/api/v1/emit", &event);
        let asked = TcpStream::connect(self.api.address()).and_then(|mut stream| {
            stream.set_read_timeout(Some(STALL))?;
            stream.write_all(&request)?;
            Ok(stream)
        });
        asked.trying("asking the API")
    }
}

/// The answer to what was asked: it was put out for all.
fn is_answered(mut asked: TcpStream, subscribers: usize) -> Result<()> {
    let (mut came, mut part) = (Vec::new(), [0; 4096]);
    loop {
        let count = asked.read(&mut part).trying("waiting for an answer of the API")?;
        came.extend_from_slice(part.get(..count).unwrap_or_default());
        match Reply::whole(&came)? {
            Some(reply) if serde_json::from_slice(&reply.body).ok() == Some(json!({ "sockets": subscribers })) => {
                return Ok(());
            }
            None if count > 0 => {}
            other => return Err(Error::Server(format!("answered an emit with {other:?}"))),
        }
    }
}
